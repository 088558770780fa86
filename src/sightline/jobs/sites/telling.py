"""What all cameras of a site show at one moment, told to whoever listens or looks on."""

import base64
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, final

import numpy as np
import simplejpeg

from sightline.formats.drawing import drawn
from sightline.formats.privacy import Privacy, blurred
from sightline.jobs.sites import messages
from sightline.model.arrays import Boxes, Image
from sightline.model.tracks import Tracks

Say = Callable[[str, bytes], None]
"""Takes the key of a message, and the message."""
Pictures = Callable[[], Mapping[str, Image]]
"""By camera, what it shows; only asked where somebody looks."""
BOXES: Final = "/boxes"
"""Ends the name of a picture with boxes drawn into it; before it stands the camera."""
_KEEP_NOW_S: Final = 1.0
"""How often the newest moment is kept for who comes late."""
_SHOW_AGAIN_S: Final = 1.0
"""How often the same pictures are shown while it stands still."""
_QUALITY: Final = 80


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One moment, as it is told."""

    index: int
    """Which, counted from the first of all sub-videos."""
    cameras: Mapping[str, dict[str, Any]]
    """By camera, all of the site, what ``messages.camera`` made."""
    numbers: Mapping[str, Sequence[int]]
    """By camera that has a picture, numbers of identities, one for each of its tracks."""


def unsaid(_key: str, _data: bytes) -> None:
    """Says nothing to nobody."""


@final
class Telling:
    """Says moments as messages, and the pictures of them that somebody looks at."""

    def __init__(
        self, site_id: str, *, say: Say = unsaid, show: Say = unsaid, images: bool = False, privacy: Privacy = "none"
    ) -> None:
        """``show`` takes JPEG files under the pictures' names.

        ``images``: messages hold all pictures. ``privacy``: what is covered of everybody in all pictures.
        """
        self._site_id, self._say, self._show, self._images = site_id, say, show, images
        self._privacy: Privacy = privacy
        self._last: tuple[Shown, Pictures, bytes] | None = None
        self._kept_s = self._shown_s = -np.inf
        self._is_kept = False
        self._done: set[str] = set()

    def tell(self, shown: Shown, pictures: Pictures, wanted: Collection[str]) -> None:
        """Says a moment, and shows those of its pictures that are wanted (``camera`` or ``camera/boxes``)."""
        pictures = cache(pictures)
        said = self._message(shown, pictures)
        self._last, self._is_kept, self._done = (shown, pictures, said), False, set()
        self._say("", said)
        if time.monotonic() >= self._kept_s + _KEEP_NOW_S:
            self._keep(said)
        self._look_on(shown, pictures, wanted)

    def rest(self, wanted: Collection[str]) -> None:
        """The moment that was told last lasts: who comes now hears it, and sees what is wanted by now."""
        if self._last is not None:
            shown, pictures, said = self._last
            if not self._is_kept:
                self._keep(said)
            if time.monotonic() >= self._shown_s + _SHOW_AGAIN_S:
                self._done.clear()  # for those who came since
            self._look_on(shown, pictures, wanted)

    def _keep(self, said: bytes) -> None:
        self._kept_s, self._is_kept = time.monotonic(), True
        self._say(messages.NOW, said)

    def _look_on(self, shown: Shown, pictures: Pictures, wanted: Collection[str]) -> None:
        if not self._done:
            self._shown_s = time.monotonic()
        for name in sorted(set(wanted) - self._done):
            self._done.add(name)
            rgb = pictures().get(name.removesuffix(BOXES))
            if rgb is not None:
                rgb = self._covered(rgb, shown, name.removesuffix(BOXES))
                self._show(name, jpeg(boxed(rgb, shown, name) if name.endswith(BOXES) else rgb))

    def _message(self, shown: Shown, pictures: Pictures) -> bytes:
        cameras = shown.cameras
        if self._images:
            cameras = {name: dict(said) for name, said in cameras.items()}
            for name, rgb in pictures().items():
                covered = self._covered(rgb, shown, name)
                cameras[name]["frame_image_base64"] = base64.b64encode(jpeg(covered)).decode()
        return messages.tracking_update(shown.index, self._site_id, time.time(), cameras)

    def _covered(self, rgb: Image, shown: Shown, camera: str) -> Image:
        return blurred(rgb, _boxes(shown, camera), self._privacy)


def boxed(rgb: Image, shown: Shown, name: str) -> Image:
    """A copy of a camera's picture with a box for everybody, in the colour and with the number of who it is."""
    camera = name.removesuffix(BOXES)
    number = np.array(shown.numbers.get(camera, ()), np.int64)
    n = len(number)
    score = np.array([one["confidence"] for one in shown.cameras[camera]["tracks"]], np.float64)
    none = np.zeros(n, np.int64)
    return drawn(rgb, Tracks(camera, none, np.full(n, np.nan), number, _boxes(shown, camera), score, none, none))


def _boxes(shown: Shown, camera: str) -> Boxes:
    """Of everybody in a camera's picture."""
    return np.array([one["bbox_xyxy"] for one in shown.cameras[camera]["tracks"]], np.float64).reshape(-1, 4)


def jpeg(rgb: Image) -> bytes:
    """A picture, to be sent."""
    encoded: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(rgb), _QUALITY, "RGB", "420")
    return encoded
