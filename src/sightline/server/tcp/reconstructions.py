"""What the connections need of whoever reconstructs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A reconstruction that is kept."""

    hash: str
    """What it is found by: 64 hexadecimal digits."""
    n_bytes: int
    """Size of its GLB."""
    pieces: Callable[[], Iterator[bytes]]
    """Its GLB in pieces of a few megabytes at most; reading them takes time and may raise ``StoreError``."""


@runtime_checkable
class Reconstructions(Protocol):
    """Makes and keeps reconstructions. All errors are ``SightlineError`` or of the database."""

    async def submit(self, files: Sequence[Path], owner: str, *, is_near: bool) -> str:
        """Number of the work on these images, in their order, or on this one video; the files may go afterwards.

        ``is_near``: whether it is for a client on this machine.

        Raises:
            ConflictError: the owner has too many under way.
        """
        ...

    async def result(self, number: str) -> Found:
        """What came of it, when it is done; who stops waiting does not stop the work.

        Raises:
            EngineError: it failed; says why.
        """
        ...

    async def find(self, digits: str) -> Found:
        """The reconstruction of this hash, which may come from anybody.

        Raises:
            UnknownError: there is none.
            AbsentError: there is, but its file is gone.
        """
        ...
