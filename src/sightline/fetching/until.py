"""Waiting that ends when somebody says so, or when it has been long enough."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar, final

from sightline.errors import SourceError

Stopped = Callable[[], bool]
"""Whether somebody wants the work to end."""
GLANCE_S = 0.2
"""How often to look."""
T = TypeVar("T")


class StoppedError(Exception):
    """Somebody wants the work to end. Never leaves this package."""


@final
class Until:
    """When to give up fetching one thing."""

    def __init__(self, shown: str, timeout_s: float, stopped: Stopped) -> None:
        """From now on ``timeout_s``, or until ``stopped``; ``shown`` stands for the thing in messages."""
        self._shown = shown
        self._timeout_s = timeout_s
        self._stopped = stopped
        self._end = time.monotonic() + timeout_s
        self._next_look = 0.0

    def check(self) -> None:
        """Nothing, while it is worth going on; cheap enough to be asked for every few kilobytes.

        Raises:
            StoppedError: somebody wants it to end.
            SourceError: it takes too long.
        """
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + GLANCE_S
            if self._stopped():
                raise StoppedError
        if now > self._end:
            raise SourceError(f"{self._shown}: not fetched within {self._timeout_s:g} s; raise timeout_s, or try again")

    def wait_for(self, work: Callable[[], T]) -> T:
        """What ``work`` gives, which cannot be interrupted; when it is time to give up it is left to itself.

        Raises:
            StoppedError: somebody wants it to end.
            SourceError: it takes too long.
        """
        pool = ThreadPoolExecutor(1, thread_name_prefix="fetching")
        try:
            future = pool.submit(work)
            while not wait([future], timeout=GLANCE_S).done:
                self.check()
            return future.result()
        finally:
            pool.shutdown(wait=False)
