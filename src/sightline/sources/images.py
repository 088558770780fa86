"""Folders and globs of images."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import final

import cv2
import numpy as np

from sightline.errors import SourceError
from sightline.model.arrays import Image
from sightline.model.frame import Footage, Frame, Moment

_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
_WILD = re.compile(r"[*?\[]")


@final
class Images:
    """Images in natural order (2 before 10), upright by their EXIF orientation, 8 bits per colour.

    Images carry no time that could be trusted, so picture i is taken to be of second ``i / fps``; one that
    cannot be read keeps its place and is left out.
    """

    def __init__(self, pattern: str, *, camera: str | None = None, fps: float = 1.0) -> None:
        """``pattern``: a folder, all of whose images are read, or a glob such as ``night/*.png``.

        ``camera``: name of the camera; unsaid, the folder's name.
        ``fps``: how many were taken per second.

        Raises:
            SourceError: the rate makes no sense.
        """
        if not 0 < fps <= 100_000:
            raise SourceError(f"{pattern}: fps must be more than 0, not {fps}")
        self._pattern = pattern
        self._fps = fps
        folder = Path(pattern)
        if _WILD.search(pattern) and not folder.is_dir():
            folder = _glob_root(folder)
        self._camera = camera or folder.resolve().name
        self._n_lost = 0

    def about(self) -> Footage:
        """Size of the first image that can be read, and how many there are.

        Raises:
            SourceError: there are none, or none can be read.
        """
        first, n_images = next(self.frames()), len(self._paths())
        height, width = first.rgb.shape[:2]
        return Footage(self._camera, width, height, self._fps, n_images / self._fps, n_images)

    def frames(self) -> Iterator[Frame]:
        """One at a time.

        Raises:
            SourceError: there are none, or none can be read.
        """
        self._n_lost = 0
        paths = self._paths()
        for index, path in enumerate(paths):
            rgb = _read(path)
            if rgb is None:
                self._n_lost += 1
            else:
                yield Frame(Moment(self._camera, index, index / self._fps), rgb)
        if self._n_lost == len(paths):
            raise SourceError(f"{self._pattern}: none of its {len(paths)} images can be read, {paths[0].name} first")

    def n_lost(self) -> int:
        """How many could not be read."""
        return self._n_lost

    def _paths(self) -> list[Path]:
        """In natural order."""
        root = Path(self._pattern)
        if root.is_dir():
            found = [path for path in root.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file()]
        elif root.is_file():
            found = [root]
        elif _WILD.search(self._pattern):
            base = _glob_root(root)
            found = [path for path in base.glob(str(root.relative_to(base))) if path.is_file()]
        else:
            raise SourceError(f"{self._pattern}: no such folder or image")
        if not found:
            kinds = "no images in it" if root.is_dir() else "matches no image"
            raise SourceError(f"{self._pattern}: {kinds}; known endings are {', '.join(sorted(_SUFFIXES))}")
        return sorted(found, key=lambda path: _natural(str(path)))


def _glob_root(pattern: Path) -> Path:
    """The folder above the first part with a wildcard in it."""
    parts = pattern.parts
    first = next((at for at, part in enumerate(parts) if _WILD.search(part)), len(parts))
    return Path(*parts[:first])


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts numbers in names by their value."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part.lower()) for part in parts] + [(0, name)]


def _read(path: Path) -> Image | None:
    """The image, upright; None if it cannot be read, or not to its end."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    # libjpeg fills what is missing with grey and says so on standard error only.
    if data[:2] == b"\xff\xd8" and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        return None
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error:
        return None
    return None if bgr is None else np.ascontiguousarray(bgr[:, :, ::-1])
