"""People covered in pictures in which nobody was looked for: a network looks for them first.

It looks at large pictures tile by tile: whom it sees too small it would leave uncovered.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import final

import numpy as np
import simplejpeg

from sightline import wiring
from sightline.errors import OptionError
from sightline.executors.local import Stopped, Tell
from sightline.formats.annotated_video import AnnotatedVideo
from sightline.formats.picture import decoded
from sightline.formats.privacy import Privacy, blurred, stricter
from sightline.jobs.album import Album, Kept
from sightline.model.arrays import Image
from sightline.model.frame import Frame, Moment
from sightline.model.tracks import Tracks
from sightline.ports import Detector
from sightline.settings import Settings

_PEOPLE = ["person"]
_SCORE = 0.15
"""People as uncertain as this are covered, too: it harms less to cover what is nobody."""
_QUALITY = 95


def cover_for(settings: Settings, asked: Privacy) -> "Cover | None":
    """What covers people as the installation or who asked wants it, whichever is more; None where neither does.

    Raises:
        OptionError: no network is set that finds people: without, nobody could be covered.
        WeightsError: it is not there, or damaged.
    """
    what = stricter(settings.privacy, asked)
    if what == "none":
        return None
    if settings.privacy_weights is None:
        raise OptionError(
            f"privacy: {what} are to be covered, and nothing is set that finds people in such pictures; give "
            "privacy_weights in the settings, such as yolox-nano-416 after sightline models pull yolox-nano-416"
        )
    options = {"weights": settings.privacy_weights, "classes": _PEOPLE, "score": _SCORE}
    return Cover(what, wiring.build("detector", "tiled", options))


@final
class Cover:
    """Covers heads or bodies of the people that a detector finds; whom it misses stay as filmed."""

    def __init__(self, what: Privacy, detector: Detector) -> None:
        self._what, self._detector = what, detector

    def picture(self, rgb: Image) -> Image:
        """The picture with its people covered; itself where nobody is found.

        Raises:
            SightlineError: the detector fails.
        """
        found = self._detector.detect([Frame(Moment("picture", 0, 0.0), rgb)])[0]
        return blurred(rgb, found.xyxy_px, self._what)

    def jpeg(self, data: bytes, quality: int) -> bytes:
        """The JPEG file with its people covered; itself where nobody is found.

        Raises:
            SightlineError: the detector fails.
        """
        rgb = simplejpeg.decode_jpeg(data, "RGB")
        covered = self.picture(rgb)
        return data if covered is rgb else _jpeg(covered, quality)

    def film(self, frames: Iterable[Frame], path: Path, length_s: float, tell: Tell, stopped: Stopped) -> float:
        """Writes a video of so many seconds in which people are covered, without sound; how long it became.

        Raises:
            SightlineError: the source gives no pictures, or the detector fails.
            OSError: the file cannot be written.
        """
        first_s, last_s = None, 0.0
        with AnnotatedVideo(path) as video:
            for frame in frames:
                first_s = frame.moment.t_s if first_s is None else first_s
                last_s = frame.moment.t_s - first_s
                if stopped() or last_s >= length_s:
                    break
                video.add(Frame(frame.moment, self.picture(frame.rgb)), Tracks.none(frame.moment.camera))
                tell("recording", int(last_s), int(length_s) or None)
        return min(last_s, length_s)

    def album(self, album: Album, folder: Path, tell: Tell, stopped: Stopped) -> Album:
        """The album with people covered in copies of those pictures that show any, in ``folder``.

        Raises:
            SightlineError: a picture cannot be decoded, or the detector fails.
            OSError: a copy cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        kept: list[Kept] = []
        for number, one in enumerate(album.pictures):
            if stopped():
                break
            tell("covering people", number, len(album.pictures))
            rgb = decoded(Path(one.path), one.name)
            covered = self.picture(rgb)
            path = folder / f"{number:06d}.jpg"
            if covered is not rgb:
                path.write_bytes(_jpeg(covered, _QUALITY))
            kept.append(one if covered is rgb else replace(one, path=str(path)))
        return replace(album, pictures=tuple(kept))


def _jpeg(rgb: Image, quality: int) -> bytes:
    encoded: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(rgb), quality, "RGB", "420")
    return encoded
