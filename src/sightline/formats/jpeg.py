"""Numbered JPEG files, encoded from luma and chroma as they left the decoder."""

import queue
import threading
from pathlib import Path
from types import TracebackType
from typing import final

import cv2
import numpy as np
import simplejpeg

from sightline.errors import FormatError
from sightline.files import whole
from sightline.model.planes import Planes

_QUEUED = 4
"""Pictures that may wait to be encoded; each may hold a decoder's picture."""
_Y_FULL = np.clip(np.round((np.arange(256) - 16) * 255 / 219), 0, 255).astype(np.uint8)
_UV_FULL = np.clip(np.round((np.arange(256) - 128) * 255 / 224 + 128), 0, 255).astype(np.uint8)
"""From 16..235 and 16..240 to 0..255, which JPEG wants."""


def encoded(planes: Planes, quality: int) -> bytes:
    """The picture as JPEG; ``quality`` from 1 to 100.

    No colours are converted but for the range: the planes go to the encoder as they are.
    """
    y, u, v = planes.y, planes.u, planes.v
    if not planes.is_full_range:
        y, u, v = cv2.LUT(y, _Y_FULL), cv2.LUT(u, _UV_FULL), cv2.LUT(v, _UV_FULL)
    y, u, v = (np.ascontiguousarray(plane) for plane in (y, u, v))
    return simplejpeg.encode_jpeg_yuv_planes(y, u, v, quality)


@final
class JpegFolder:
    """Writes pictures to ``frame_0001.jpg``, ``frame_0002.jpg`` ... in a folder; use it in a ``with`` block.

    One thread encodes while the caller decodes; a few pictures wait at most. Each file is whole or not there.
    Numbers count the pictures given and take more digits past 9999. Files of earlier runs are overwritten.
    """

    def __init__(self, folder: Path, *, quality: int = 90) -> None:
        """``folder`` is made when needed.

        Raises:
            FormatError: no such quality, or the folder cannot be made.
        """
        if not 1 <= quality <= 100:
            raise FormatError(f"quality must be from 1 to 100, not {quality}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _failure(folder, error) from None
        self._folder = folder
        self._quality = quality
        self._n_given = 0
        self._n_bytes = 0
        self._failure: FormatError | None = None
        self._waiting: queue.Queue[tuple[int, Planes] | None] = queue.Queue(_QUEUED)
        self._thread = threading.Thread(target=self._work, name="jpeg", daemon=True)

    def __enter__(self) -> "JpegFolder":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.put(None)
        self._thread.join()
        if self._failure is not None and kind is None:
            raise self._failure

    def put(self, planes: Planes) -> None:
        """Has the picture encoded and written, soon.

        Raises:
            FormatError: one given before could not be written: the disk is full, or the folder went away.
        """
        if self._failure is not None:
            raise self._failure
        self._n_given += 1
        self._waiting.put((self._n_given, planes))

    def n_bytes(self) -> int:
        """Size of what was written so far."""
        return self._n_bytes

    def _work(self) -> None:
        """Encodes until told to stop; after a failure it only empties the queue."""
        while (job := self._waiting.get()) is not None:
            if self._failure is not None:
                continue
            number, planes = job
            path = self._folder / f"frame_{number:04d}.jpg"
            try:
                data = encoded(planes, self._quality)
                with whole(path) as partial:
                    partial.write_bytes(data)
                self._n_bytes += len(data)
            except (OSError, ValueError, cv2.error) as error:
                self._failure = _failure(path, error)


def _failure(path: Path, error: Exception) -> FormatError:
    """In one line."""
    why = error.strerror if isinstance(error, OSError) else None
    return FormatError(f"{path}: cannot be written: {(why or str(error)).splitlines()[0].lower()}")
