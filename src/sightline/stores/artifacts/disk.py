"""Artifacts in a folder of this machine."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import final

from sightline.files import whole
from sightline.stores.artifacts.artifact import Finished, Stored, absent, check_range, checked, is_key, named

_PIECE = 1 << 20
_STALE_S = 24 * 3600.0
"""Age at which an unfinished file is taken for one whose writer was killed."""


@final
class DiskArtifacts:
    """Artifacts in ``folder``, the one with key ``abcdef...`` as ``ab/cdef...``.

    A kept file shares its blocks with the one given, where both are on the same file system and links work;
    else it is a copy. Nobody may write to it: it has lost its write permissions.
    """

    def __init__(self, folder: Path) -> None:
        """``folder`` is made when something is kept."""
        self._folder = folder.absolute()

    def put(self, path: Path) -> Stored:
        """Keeps the finished file at ``path``, see ``Artifacts.put``.

        Raises:
            StoreError: there is no such file, it changed meanwhile, or the folder cannot be written.
        """
        finished = Finished.at(path)
        stored, target = finished.stored, self._place(finished.stored.key)
        try:
            if not _has(target, stored.n_bytes):
                _sweep(target.parent)
                with whole(target) as partial:
                    _alias(path, partial)
                    finished.check()
                    _write_down(partial)
            else:
                target.chmod(target.stat().st_mode)  # its change time tells when it was last put
            for folder in (target.parent, self._folder):
                _write_down(folder)
        except OSError as error:
            raise named(error, path if error.filename == str(path) else self._folder) from None
        return stored

    def open(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes ``[start, end)`` in pieces.

        Raises:
            AbsentError: nothing has this key.
            StoreError: it cannot be read.
            ValueError: the range is not within the file.
        """
        check_range(start, end, self.n_bytes(key))
        return self._pieces(key, start, end)

    def n_bytes(self, key: str) -> int:
        """How many bytes there are.

        Raises:
            AbsentError: nothing has this key.
            StoreError: the folder cannot be read.
        """
        try:
            return self._place(checked(key)).stat().st_size
        except OSError as error:
            raise self._said(error, key) from None

    def delete(self, key: str) -> None:
        """Removes it; who is reading it reads on.

        Raises:
            StoreError: the folder cannot be written.
        """
        try:
            self._place(checked(key)).unlink()
        except FileNotFoundError:  # or no key at all, which is said in the same way
            return
        except OSError as error:
            raise self._said(error, key) from None

    def keys_before(self, utc_s: float) -> Iterator[str]:
        """Keys of what was last put before a moment.

        Raises:
            StoreError: the folder cannot be read.
        """
        try:
            for file in self._folder.glob("[0-9a-f][0-9a-f]/*"):
                key = file.parent.name + file.name
                with suppress(FileNotFoundError):
                    if is_key(key) and file.stat().st_ctime < utc_s:
                        yield key
        except OSError as error:
            raise named(error, self._folder) from None

    @contextmanager
    def path(self, key: str) -> Iterator[Path]:
        """The kept file itself.

        Raises:
            AbsentError: nothing has this key.
            StoreError: the folder cannot be read.
        """
        self.n_bytes(key)
        yield self._place(key)

    def _place(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:]

    def _said(self, error: OSError, key: str) -> OSError:
        return absent(key) if isinstance(error, FileNotFoundError) else named(error, self._folder)

    def _pieces(self, key: str, start: int, end: int) -> Iterator[bytes]:
        try:
            with self._place(key).open("rb") as file:
                file.seek(start)
                while start < end and (piece := file.read(min(_PIECE, end - start))):
                    start += len(piece)
                    yield piece
        except OSError as error:
            raise self._said(error, key) from None


def _sweep(folder: Path) -> None:
    """Removes what writers that were killed left there."""
    for left in folder.glob(".*"):
        with suppress(FileNotFoundError):
            if left.stat().st_ctime < time.time() - _STALE_S:  # its mtime would be that of the file it is a link to
                left.unlink()


def _has(target: Path, n_bytes: int) -> bool:
    """Whether it is kept already; one of another length was cut off when the power went."""
    with suppress(FileNotFoundError):
        return target.stat().st_size == n_bytes
    return False


def _alias(path: Path, partial: Path) -> None:
    """Another name for the file at ``path`` that nobody may write to, or where that cannot be a copy."""
    try:
        os.link(path, partial, follow_symlinks=False)
        partial.chmod(partial.stat().st_mode & 0o555)
    except OSError:  # another file system, one without links, or a file of another user
        partial.unlink(missing_ok=True)
        with path.open("rb") as source, partial.open("xb") as copy:
            shutil.copyfileobj(source, copy, _PIECE)
        partial.chmod(0o444)


def _write_down(path: Path) -> None:
    """Waits until the file or the folder is on the disk itself."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
