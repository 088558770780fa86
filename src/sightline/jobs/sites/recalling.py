"""What an identifier knew when a part was done, beside what was seen in it, so that the next part goes on from there.

Engines that cannot tell what they know are shown again all that was seen before.
"""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np

from sightline.errors import FormatError
from sightline.files import whole
from sightline.jobs.sites import rows
from sightline.ports import Identifier

KNOWN: Final = ".known.npz"
"""Ends the file with what was known; it lies beside the one with what was seen."""
_ENGINE: Final = "engine"


@runtime_checkable
class Recalling(Protocol):
    """An identifier that can tell what it knows. Plug-ins may be so; none has to."""

    def state(self) -> Mapping[str, np.ndarray]:
        """All that is known by now, as arrays of numbers and texts."""
        ...

    def resume(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on exactly as the engine would have that gave ``state``.

        Raises:
            ValueError: it is no such state; says what is wrong.
        """
        ...


def keep(identifier: Identifier, engine: str, path: Path) -> None:
    """Writes down what an engine of that name knows, beside ``path``, where it can tell.

    Raises:
        OSError: the file cannot be written.
    """
    if isinstance(identifier, Recalling):
        arrays: dict[str, Any] = {**identifier.state(), _ENGINE: np.array(engine)}
        with whole(path.with_suffix(KNOWN)) as file:
            np.savez(file, **arrays)


def recall(identifier: Identifier, engine: str, earlier: Sequence[Path], cameras: Sequence[str]) -> None:
    """Has an engine of that name know all that was seen in ``earlier`` parts.

    Raises:
        FormatError: what was written down cannot be used; says so in one line, with what to do.
        OSError: a file cannot be read.
    """
    begin = 0
    if isinstance(identifier, Recalling):
        kept = [number for number, path in enumerate(earlier, 1) if path.with_suffix(KNOWN).is_file()]
        begin = kept[-1] if kept else 0
        if kept:
            _resume(identifier, engine, earlier[begin - 1].with_suffix(KNOWN))
    for path in earlier[begin:]:
        moments, sightings, _ = rows.read(path, cameras)
        for several in rows.by_moment(moments, sightings):
            identifier.identify(several)


def _resume(identifier: Recalling, engine: str, path: Path) -> None:
    try:
        state = _read(path)
        if str(state.pop(_ENGINE, "")) != engine:
            raise ValueError(f"it is not of the identifier {engine!r}")  # noqa: TRY301  (told as the others are)
        identifier.resume(state)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise FormatError(f"{path}: {error}; remove it, and what was seen before is read instead") from None


def _read(path: Path) -> dict[str, np.ndarray]:
    """The arrays in a file; none that could hold code.

    Raises:
        ValueError: it is something else; or ``EOFError``, ``BadZipFile``: it is damaged.
    """
    if not zipfile.is_zipfile(path):
        raise ValueError("it is not whole, or not an archive of arrays")
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
