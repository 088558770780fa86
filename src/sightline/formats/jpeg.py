"""Numbered JPEG files, encoded from luma and chroma as they left the decoder."""

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import final

import cv2
import numpy as np
import simplejpeg

from sightline.errors import FormatError, SightlineError
from sightline.files import whole
from sightline.model.frame import Moment
from sightline.model.planes import Planes

_QUEUED = 4
"""Pictures that may wait to be encoded; each may hold a decoder's picture."""
_Y_FULL = np.clip(np.round((np.arange(256) - 16) * 255 / 219), 0, 255).astype(np.uint8)
_UV_FULL = np.clip(np.round((np.arange(256) - 128) * 255 / 224 + 128), 0, 255).astype(np.uint8)
"""From 16..235 and 16..240 to 0..255, which JPEG wants."""
_START, _JFIF, _COMMENT, _SCAN = b"\xff\xd8", b"\xff\xe0", b"\xff\xfe", b"\xff\xda"
"""Markers. Source: ITU-T T.81, table B.1; T.871 for the JFIF header."""
_LONGEST = 65533


def encoded(planes: Planes, quality: int) -> bytes:
    """The picture as JPEG; ``quality`` from 1 to 100.

    No colours are converted but for the range: the planes go to the encoder as they are.
    """
    y, u, v = planes.y, planes.u, planes.v
    if not planes.is_full_range:
        y, u, v = cv2.LUT(y, _Y_FULL), cv2.LUT(u, _UV_FULL), cv2.LUT(v, _UV_FULL)
    y, u, v = (np.ascontiguousarray(plane) for plane in (y, u, v))
    return simplejpeg.encode_jpeg_yuv_planes(y, u, v, quality)


def with_comment(jpeg: bytes, comment: str) -> bytes:
    """The same picture with a comment of up to 65533 bytes in its header."""
    text = comment.encode()
    if len(text) > _LONGEST or jpeg[:2] != _START:
        raise FormatError(f"JPEG comment of {len(text)} bytes; {_LONGEST} fit, and only into a JPEG file")
    # The JFIF header, where there is one, must stay first.
    at = 4 + int.from_bytes(jpeg[4:6], "big") if jpeg[2:4] == _JFIF else 2
    return jpeg[:at] + _COMMENT + (len(text) + 2).to_bytes(2, "big") + text + jpeg[at:]


def comment_of(jpeg: bytes) -> str | None:
    """The first comment in the header; None where there is none, or it is no JPEG."""
    at = 2
    while jpeg[:2] == _START and at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at : at + 2] != _SCAN:
        size = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if jpeg[at : at + 2] == _COMMENT:
            return jpeg[at + 4 : at + 2 + size].decode("utf-8", "replace")
        at += 2 + size
    return None


@final
class JpegThread:
    """Has pictures encoded and handed to ``write`` in their order, by one thread beside the caller's.

    Use it in a ``with`` block; at its end all were written. A few pictures wait at most.
    """

    def __init__(self, write: Callable[[Moment, bytes], None], *, quality: int = 90) -> None:
        """``write`` runs in the thread; when it fails, later pictures are not written.

        Raises:
            FormatError: no such quality.
        """
        if not 1 <= quality <= 100:
            raise FormatError(f"quality must be from 1 to 100, not {quality}")
        self._write = write
        self._quality = quality
        self._failure: Exception | None = None
        self._waiting: queue.Queue[Planes | None] = queue.Queue(_QUEUED)
        self._thread = threading.Thread(target=self._work, name="jpeg", daemon=True)

    def __enter__(self) -> "JpegThread":
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
            FormatError: one given before could not be encoded.
            OSError: one could not be written.
        """
        if self._failure is not None:
            raise self._failure
        self._waiting.put(planes)

    def _work(self) -> None:
        """Encodes until told to stop; after a failure it only empties the queue."""
        while (planes := self._waiting.get()) is not None:
            if self._failure is not None:
                continue
            try:
                self._write(planes.moment, encoded(planes, self._quality))
            except (SightlineError, OSError) as error:
                self._failure = error
            except (ValueError, cv2.error) as error:
                why = str(error).splitlines()[0].lower()
                self._failure = FormatError(f"picture {planes.moment.index}: cannot be encoded: {why}")


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
        self._thread = JpegThread(self._write, quality=quality)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _failure(folder, error) from None
        self._folder = folder
        self._n_written = 0
        self._n_bytes = 0

    def __enter__(self) -> "JpegFolder":
        self._thread.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.__exit__(kind, error, trace)

    def put(self, planes: Planes) -> None:
        """Has the picture encoded and written, soon.

        Raises:
            FormatError: one given before could not be written: the disk is full, or the folder went away.
        """
        self._thread.put(planes)

    def n_bytes(self) -> int:
        """Size of what was written so far."""
        return self._n_bytes

    def _write(self, moment: Moment, data: bytes) -> None:  # noqa: ARG002  (as ``JpegThread`` calls it)
        path = self._folder / f"frame_{self._n_written + 1:04d}.jpg"
        try:
            with whole(path) as partial:
                partial.write_bytes(data)
        except OSError as error:
            raise _failure(path, error) from None
        self._n_written += 1
        self._n_bytes += len(data)


def _failure(path: Path, error: OSError) -> FormatError:
    """In one line."""
    return FormatError(f"{path}: cannot be written: {(error.strerror or str(error)).splitlines()[0].lower()}")
