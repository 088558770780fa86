"""COLMAP at work: it says nothing, and its complaints come in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

from sightline.errors import EngineError
from sightline.reconstructors.colmap import pycolmap


@contextmanager
def quiet(about: str = "") -> Iterator[None]:
    """While inside, COLMAP is quiet; ``about`` says what it was to do, as in " on refining the cameras".

    Raises:
        EngineError: it gave up.
    """
    before = pycolmap.logging.minloglevel
    pycolmap.logging.minloglevel = int(pycolmap.logging.Level.FATAL)
    try:
        yield
    except (RuntimeError, ValueError) as error:
        if isinstance(error, EngineError):
            raise
        raise EngineError(f"COLMAP gave up{about}: {str(error).splitlines()[0][:200]}") from None
    finally:
        pycolmap.logging.minloglevel = before
