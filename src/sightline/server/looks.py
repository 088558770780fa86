"""Looks at media from outside: few at a time, so that whoever sends many keeps nobody else waiting."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, final

from fastapi import HTTPException

from sightline.jobs.looking import MediaFacts, look, look_at_stream
from sightline.server.deadlines import within

_AT_ONCE = 2
_WAITING = 14
"""Each holds one of the server's forty threads."""
_WAIT_S = 8.0
_LOOK_S = 25.0
"""Longest that one look may take."""


@final
class Looks:
    """Those that are under way."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(_AT_ONCE + _WAITING)
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        self._is_over = threading.Event()

    def file(self, path: Path, shown: str) -> MediaFacts:
        """What the video file at ``path`` is; messages call it ``shown``.

        Raises:
            SourceError: it is no video that can be decoded, or one that takes too much.
            HTTPException: 503, too many are being looked at.
        """
        with self._turn() as stopped:
            return look(path, shown, stopped=stopped)

    def stream(self, url: str, timeout_s: float) -> MediaFacts:
        """What the stream at ``url`` is, an address that was checked and pinned.

        Raises:
            SourceError: nobody answers, or what answers is no video.
            HTTPException: 503, too many are being looked at.
        """
        with self._turn() as stopped:
            return look_at_stream(url, timeout_s, stopped=stopped)

    def until_end(self) -> Callable[[Any], AbstractAsyncContextManager[None]]:
        """For a router: looks end when the server does."""

        @asynccontextmanager
        async def lifespan(_app: Any) -> AsyncIterator[None]:
            yield
            self._is_over.set()

        return lifespan

    @contextmanager
    def _turn(self) -> Iterator[Callable[[], bool]]:
        """A turn, and what tells when it is over."""
        if not self._places.acquire(blocking=False):
            raise _busy()
        try:
            if not self._turns.acquire(timeout=_WAIT_S):
                raise _busy()
            try:
                is_late = within(_LOOK_S)
                yield lambda: is_late() or self._is_over.is_set()
            finally:
                self._turns.release()
        finally:
            self._places.release()


def _busy() -> HTTPException:
    why = "too many videos are being looked at; try again in a few seconds"
    return HTTPException(503, why, {"retry-after": "5"})
