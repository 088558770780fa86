"""COLMAP. All of ours import it from here: loaded so, it leaves SIGTERM to whoever had it before.

By itself it has that signal, too, print a native stack trace and end the process.
"""

import ctypes
import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["pycolmap"]
_BYTES = 1024
"""More than any system's ``struct sigaction`` has."""


@contextmanager
def _untouched(number: signal.Signals) -> Iterator[None]:
    """What is done on a signal is afterwards what it was before, in whichever thread this runs."""
    libc, held = ctypes.CDLL(None), ctypes.create_string_buffer(_BYTES)
    libc.sigaction(int(number), None, held)
    try:
        yield
    finally:
        libc.sigaction(int(number), held, None)


with _untouched(signal.SIGTERM):
    import pycolmap
