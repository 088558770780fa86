"""Cameras' newest pictures with their people covered: each is looked through once, whoever asks for it."""

import threading
from pathlib import Path
from typing import final

from sightline.formats.privacy import Privacy, stricter
from sightline.jobs.covering import Cover, cover_for
from sightline.settings import Settings

_MOST = 256
"""Cameras whose newest covered picture is held."""


@final
class Veil:
    """Covers heads, bodies, or nothing."""

    def __init__(self, what: Privacy, cover: Cover | None, quality: int) -> None:
        self.mark = "" if cover is None else f"-{what}"
        """Tells covered pictures from others."""
        self._cover, self._quality = cover, quality
        self._alone = threading.Lock()
        self._newest: dict[str, tuple[str, bytes]] = {}

    def over(self, camera_id: str, tag: str, path: Path) -> bytes:
        """The JPEG file at ``path``, covered; ``tag`` names the picture.

        Raises:
            FileNotFoundError: it is gone.
            SightlineError: the detector fails.
        """
        if self._cover is None:
            return path.read_bytes()
        with self._alone:  # the detector takes all cores by itself
            found = self._newest.get(camera_id)
            if found is None or found[0] != tag:
                if len(self._newest) >= _MOST:
                    self._newest.clear()
                found = self._newest[camera_id] = (tag, self._cover.jpeg(path.read_bytes(), self._quality))
            return found[1]


@final
class Veils:
    """Veils of an installation, each made when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[Privacy, Veil] = {}

    def of(self, asked: Privacy) -> Veil:
        """Covers what was asked for, and at least what the installation wants.

        Raises:
            OptionError: nothing is set that finds people.
            WeightsError: it is not there, or damaged.
        """
        what = stricter(self._settings.privacy, asked)
        if what not in self._made:
            self._made[what] = Veil(what, cover_for(self._settings, what), self._settings.video_pipeline.quality)
        return self._made[what]
