"""The frame volume: a folder per camera with numbered pictures, written by one process and read by any.

Pictures are ``frame_0001.jpg``, ``frame_0002.jpg`` and so on. Each appears whole, under its final name, so whoever
finds one by ``*.jpg`` may read it. Names sort as numbers do, also past 9999: when five digits are first needed, the
pictures that are there are renamed to five, from the lowest number up (``frame_9999.jpg`` becomes
``frame_09999.jpg``), and only then ``frame_10000.jpg`` is written. As '0' sorts before any other digit, the names
are in order at every moment of that. Likewise at 99999 and beyond. Numbers are never given twice, so the highest is
the newest.
"""

import fcntl
import os
import re
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import final

from sightline.errors import ConflictError, StoreError

_NAME = re.compile(r"frame_(\d{4,18})\.jpg")
_PARTIAL = ".frame.part"
"""Only one writer holds a folder, so one name does. It is not found by ``*.jpg``."""
_LOCK = ".lock"
_N_TRIES = 20
"""How often to try again where others delete what was just found."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture in a folder."""

    number: int
    """Its place among all ever written."""
    width: int
    """Digits in its name."""
    written_utc_s: float
    """When it was written."""
    n_bytes: int
    """Its size."""


@final
class FrameFolder:
    """Writes one camera's pictures; use it in a ``with`` block.

    It goes on behind the highest number there. Old pictures are deleted as new ones come, the newest never.
    The folder is read once, when it is opened.
    """

    def __init__(
        self,
        folder: Path,
        *,
        next_number: int = 1,
        keep_count: int | None = None,
        keep_age_s: float | None = None,
        keep_bytes: int | None = None,
    ) -> None:
        """``folder`` is made when needed, and what a killed writer left behind is tidied up.

        ``next_number`` is the least number to give. ``keep_...``: how many pictures, how old, how large together.

        Raises:
            ConflictError: another process writes to it.
            StoreError: it cannot be made or read.
        """
        self._folder = folder
        self._keep_count = keep_count
        self._keep_age_s = keep_age_s
        self._keep_bytes = keep_bytes
        try:
            self._lock = _locked(folder)
            (folder / _PARTIAL).unlink(missing_ok=True)
            self._held = deque(sorted(_pictures(folder), key=lambda picture: picture.number))
        except OSError as error:
            raise _failure(folder, error) from None
        self._n_bytes = sum(picture.n_bytes for picture in self._held)
        self._width = max((picture.width for picture in self._held), default=4)
        self._last = max(self._held[-1].number if self._held else 0, next_number - 1)
        try:
            self._widen()
            self.prune()
        except StoreError:
            self.close()
            raise

    def __enter__(self) -> "FrameFolder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets others write to the folder."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def last_number(self) -> int:
        """The highest number given so far."""
        return self._last

    def append(self, data: bytes) -> Path:
        """Writes the next picture and deletes those that are not to be kept any more; where it is.

        Raises:
            StoreError: the disk is full, or the folder went away.
        """
        number = self._last + 1
        if len(str(number)) > self._width:
            self._width = len(str(number))
            self._widen()
        path, partial = self._path(number), self._folder / _PARTIAL
        try:
            partial.write_bytes(data)
            partial.replace(path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise _failure(path, error) from None
        self._last = number
        self._held.append(_Picture(number, self._width, time.time(), len(data)))
        self._n_bytes += len(data)
        self.prune()
        return path

    def prune(self) -> None:
        """Deletes what is too much or too old by now.

        Raises:
            StoreError: something cannot be deleted.
        """
        while len(self._held) > 1 and self._is_too_much(self._held[0]):
            self._drop_oldest()

    def clear(self) -> None:
        """Deletes all pictures; numbers go on.

        Raises:
            StoreError: something cannot be deleted.
        """
        while self._held:
            self._drop_oldest()

    def _is_too_much(self, oldest: _Picture) -> bool:
        return (
            (self._keep_count is not None and len(self._held) > self._keep_count)
            or (self._keep_bytes is not None and self._n_bytes > self._keep_bytes)
            or (self._keep_age_s is not None and time.time() - oldest.written_utc_s > self._keep_age_s)
        )

    def _drop_oldest(self) -> None:
        path = self._path(self._held[0].number)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _failure(path, error) from None
        self._n_bytes -= self._held.popleft().n_bytes

    def _path(self, number: int) -> Path:
        return self._folder / f"frame_{number:0{self._width}d}.jpg"

    def _widen(self) -> None:
        """Renames what has fewer digits than the next picture, from the lowest number up."""
        for picture in [picture for picture in self._held if picture.width < self._width]:
            old = self._folder / f"frame_{picture.number:0{picture.width}d}.jpg"
            try:
                with suppress(FileNotFoundError):  # somebody deleted it
                    old.replace(self._path(picture.number))
            except OSError as error:
                raise _failure(old, error) from None
        self._held = deque(_Picture(p.number, self._width, p.written_utc_s, p.n_bytes) for p in self._held)


def newest(folder: Path) -> tuple[Path, float] | None:
    """The picture with the highest number and when it was written (UTC, seconds); None where there is none."""
    for _ in range(_N_TRIES):
        try:
            with os.scandir(folder) as entries:
                names = sorted([entry.name for entry in entries], reverse=True)  # name order is number order
        except FileNotFoundError:
            return None
        name = next((name for name in names if _NAME.fullmatch(name)), None)
        if name is None:
            return None
        path = folder / name
        with suppress(FileNotFoundError):  # renamed or deleted meanwhile
            return path, path.stat().st_mtime
    return None


def count(folder: Path) -> int:
    """How many pictures are there; 0 where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return sum(_NAME.fullmatch(entry.name) is not None for entry in entries)
    except FileNotFoundError:
        return 0


def remove_all(folder: Path) -> int:
    """Deletes all pictures of a camera, and its folder unless strange files are in it; how many there were.

    Raises:
        ConflictError: a process writes to it.
        StoreError: something cannot be deleted.
    """
    if not folder.is_dir():
        return 0
    with FrameFolder(folder) as frames:
        n_pictures = count(folder)
        frames.clear()
        with suppress(OSError):
            (folder / _LOCK).unlink()
            folder.rmdir()
    return n_pictures


def _pictures(folder: Path) -> Iterator[_Picture]:
    """Those in the folder, in no order.

    Raises:
        OSError: it cannot be read.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            named = _NAME.fullmatch(entry.name)
            if named is None:
                continue
            with suppress(FileNotFoundError):  # deleted meanwhile
                status = entry.stat(follow_symlinks=False)
                yield _Picture(int(named[1]), len(named[1]), status.st_mtime, status.st_size)


def _locked(folder: Path) -> int:
    """A descriptor that holds the folder for this process.

    Raises:
        ConflictError: another process has it.
        OSError: the folder cannot be made or written.
    """
    path = folder / _LOCK
    for _ in range(_N_TRIES):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        except FileNotFoundError:
            continue  # somebody removed the folder just now
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise ConflictError(f"{folder}: another process writes pictures there; stop it first") from None
        with suppress(FileNotFoundError):
            if os.fstat(lock).st_ino == path.stat().st_ino:
                return lock
        os.close(lock)  # it was removed with its folder before we had it
    raise ConflictError(f"{folder}: is being removed; try again")


def _failure(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path}: {(error.strerror or str(error)).lower()}")
