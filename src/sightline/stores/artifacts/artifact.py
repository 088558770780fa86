"""What a store of artifacts promises, and the keys they all share."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from sightline.errors import AbsentError, StoreError

_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Stored:
    """What was kept."""

    key: str
    """What to ask for it by."""
    sha256: str
    """Of the bytes, in hexadecimal; the key is the same today, but need not stay so."""
    n_bytes: int
    """How many there are."""


@runtime_checkable
class Artifacts(Protocol):
    """Keeps finished files under the SHA-256 of their bytes; the same bytes are kept once.

    Readers see a whole file or none. All methods may be called from many threads and processes at once.
    A key that is no key, which may come from outside, is answered like one that is not there.
    """

    def put(self, path: Path) -> Stored:
        """Keeps the finished file at ``path``, which nobody may write to any more; removing it stays the caller's.

        That it is not moved lets a step that was killed half-way be done again.

        Raises:
            StoreError: there is no such file, it changed meanwhile, or the store cannot be written; nothing is kept.
        """
        ...

    def open(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes ``[start, end)`` in pieces of a few megabytes at most; lets go of what it opened.

        Raises:
            AbsentError: at once, nothing has this key; or later, it was deleted meanwhile.
            StoreError: at once or later, the store cannot be read.
            ValueError: the range is not within the file.
        """
        ...

    def n_bytes(self, key: str) -> int:
        """How many bytes there are.

        Raises:
            AbsentError: nothing has this key.
            StoreError: the store cannot be read.
        """
        ...

    def delete(self, key: str) -> None:
        """Lets go of it; nothing happens if it is not there.

        Raises:
            StoreError: the store cannot be written.
        """
        ...

    def keys_before(self, utc_s: float) -> Iterator[str]:
        """Keys of what was last put before a moment, in no order; what is put again meanwhile may be among them.

        Raises:
            StoreError: the store cannot be read.
        """
        ...

    def path(self, key: str) -> AbstractContextManager[Path]:
        """A local file with the bytes, to read and not to write, while the context lasts.

        Raises:
            AbsentError: nothing has this key.
            StoreError: the store cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Finished:
    """A file about to be kept, and how to tell whether it is still the same."""

    path: Path
    """Where it lies."""
    stored: Stored
    """What is in it."""
    _seen: tuple[int, int, int, int]

    @classmethod
    def at(cls, path: Path) -> "Finished":
        """The file at ``path``, read through once.

        Raises:
            StoreError: it is not there, not a regular file, or cannot be read.
        """
        try:
            with os.fdopen(_opened(path), "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise StoreError(f"{path}: only regular files can be kept")
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise named(error, path) from None
        return cls(path, Stored(sha256, sha256, status.st_size), _identity(status))

    def check(self) -> None:
        """Makes sure that it is what it was.

        Raises:
            StoreError: somebody wrote to it or replaced it since it was read.
        """
        try:
            now = _identity(self.path.lstat())
        except OSError as error:
            raise named(error, self.path) from None
        if now != self._seen:
            raise changed(self.path)


def is_key(text: str) -> bool:
    """Whether a text is a key."""
    return _KEY.fullmatch(text) is not None


def checked(key: str) -> str:
    """``key``, known to be one: it can then stand in a path.

    Raises:
        AbsentError: it is none, so nothing can have it.
    """
    if not _KEY.fullmatch(key):
        raise absent(key)
    return key


def absent(key: str) -> AbsentError:
    """The error that says that nothing has this key."""
    return AbsentError(f"no artifact {key[:64]!r}")


def changed(path: Path) -> StoreError:
    """The error that says that somebody wrote to a file that was to be finished."""
    return StoreError(f"{path}: changed while it was being kept; finish it first")


def check_range(start: int, end: int, n_bytes: int) -> None:
    """Makes sure that ``[start, end)`` lies in a file of ``n_bytes``.

    Raises:
        ValueError: it does not.
    """
    if not 0 <= start <= end <= n_bytes:
        raise ValueError(f"bytes {start} to {end} do not lie within an artifact of {n_bytes} bytes")


def named(error: OSError, what: Path) -> StoreError:
    """The error of the operating system as one of ours, about ``what``."""
    if isinstance(error, StoreError):
        return error
    return StoreError(f"{what}: {(error.strerror or type(error).__name__).lower()}")


def _opened(path: Path) -> int:
    """Opens without following a link at the end, and without waiting for the writer of a pipe."""
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
