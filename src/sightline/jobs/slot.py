"""Which worker a process is. A name is held by a locked file, which the kernel lets go of however the worker ends."""

import fcntl
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sightline.errors import ConflictError

_MOST = 64
_ODD = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Slot:
    """A name that nobody else has as long as the file is locked."""

    name: str
    """``NAME-1``, ``NAME-2`` and so on: the same again after a restart."""
    fd: int
    """The locked file."""

    def free(self) -> None:
        """Lets others have it, and what was left unfinished under its name."""
        os.close(self.fd)


def take_slot(folder: Path, name: str | None = None) -> Slot:
    """The first free slot; ``name`` unsaid is this machine's.

    Raises:
        ConflictError: all are taken.
        OSError: the folder cannot be written.
    """
    stem = _ODD.sub("-", name or platform.node() or "worker").strip(".-")[:64] or "worker"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number in range(1, _MOST + 1):
        slot = _locked(folder / f"{stem}-{number}.lock")
        if slot is not None:
            os.ftruncate(slot.fd, 0)
            os.write(slot.fd, f"{os.getpid()}\n".encode())
            return slot
    raise ConflictError(f"{_MOST} workers named {stem} are running; give this one another --name")


@contextmanager
def dead_slots(folder: Path) -> Iterator[list[str]]:
    """Slots whose workers were killed, held for a while: whoever gets them takes over their work."""
    dead = [slot for path in sorted(folder.glob("*.lock")) if (slot := _left(path)) is not None]
    try:
        yield [slot.name for slot in dead]
        for slot in dead:
            os.ftruncate(slot.fd, 0)
    finally:
        for slot in dead:
            slot.free()


def _left(path: Path) -> Slot | None:
    """The slot, if its worker began and is no more."""
    with suppress(FileNotFoundError):
        if path.stat().st_size:
            return _locked(path)
    return None


def _locked(path: Path) -> Slot | None:
    """The slot, unless somebody has it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return Slot(path.stem, fd)
