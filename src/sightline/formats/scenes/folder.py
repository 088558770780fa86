"""Folders of several files that belong together, and names that may be written into them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sightline.errors import FormatError


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A folder to write files into that are moved into ``folder`` when all are written; on any failure, none is.

    What else is in ``folder`` stays.

    Raises:
        OSError: the folder cannot be made or written, or the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    meantime = folder / f".partial-{os.urandom(4).hex()}"
    meantime.mkdir()
    try:
        yield meantime
        for file in sorted(path for path in meantime.rglob("*") if path.is_file()):
            place = folder / file.relative_to(meantime)
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
    finally:
        shutil.rmtree(meantime, ignore_errors=True)


def safe(name: str, what: str) -> PurePosixPath:
    """``name`` as a path that stays in the folder that it is written into.

    Raises:
        FormatError: it would lead elsewhere; ``what`` tells whose name it is.
    """
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or any(c in name for c in "\\:\0\n"):
        raise FormatError(f"{what}: {name!r} is no name for a file in a folder; rename it")
    return PurePosixPath(*parts)
