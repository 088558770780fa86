"""Ends to waiting."""

import time
from collections.abc import Callable


def within(seconds: float) -> Callable[[], bool]:
    """Tells whether so many seconds have passed since now."""
    end_s = time.monotonic() + seconds
    return lambda: time.monotonic() > end_s
