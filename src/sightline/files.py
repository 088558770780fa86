"""Files that are whole or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A name beside ``path`` to write to; renamed to ``path`` on success, removed on any failure.

    The name keeps ``path``'s suffix, so that writers which look at it still work.
    Whoever reads ``path`` sees the old file or the new one, never half of one.

    Raises:
        OSError: the folder cannot be made or written, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}-{os.urandom(4).hex()}{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        raise _named(error, path, partial) from error
    finally:
        partial.unlink(missing_ok=True)


def _named(error: OSError, path: Path, partial: Path) -> OSError:
    """The error, telling the name that the user knows rather than none or the one for the meantime."""
    if error.errno is None or error.filename not in {None, str(partial)}:
        return error
    return OSError(error.errno, error.strerror, str(path))
