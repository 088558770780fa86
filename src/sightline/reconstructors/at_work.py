"""Work on several cores that is told of, and that ends soon when asked to."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, wait
from threading import Event
from typing import TypeVar, final

from sightline.errors import EngineError
from sightline.executors.local import Stopped, Tell

Item = TypeVar("Item")
Result = TypeVar("Result")
_AHEAD = 32
"""Items that are handed out before the first of them is done."""
_GLANCE_S = 0.1


@final
class AtWork:
    """Several threads' work for one caller, who alone is told of it and asked whether it is to end."""

    def __init__(self, pool: Executor, tell: Tell, stopped: Stopped) -> None:
        self._pool = pool
        self._tell = tell
        self._stopped = stopped
        self._ending = Event()

    def each(self, step: str, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """What ``work`` makes of every item, in their order.

        When it is to end, items not begun are left out, and those begun get no further than their next ``go_on``.

        Raises:
            EngineError: somebody wanted it to end.
        """
        waiting = list(items)
        results: list[Result] = []
        begun: deque[Future[Result]] = deque()
        try:
            for item in waiting:
                begun.append(self._pool.submit(work, item))
                if len(begun) >= _AHEAD:
                    results.append(self._next(begun, step, len(results) + 1, len(waiting)))
            while begun:
                results.append(self._next(begun, step, len(results) + 1, len(waiting)))
        finally:
            if len(results) < len(waiting):
                self._ending.set()
                for future in begun:
                    future.cancel()
        return results

    def glance(self) -> None:
        """Goes on only if nobody wants it to end; for the thread that the work is done for.

        Raises:
            EngineError: somebody does.
        """
        if self._stopped():
            raise EngineError("stopped before there was a scene")

    def go_on(self) -> None:
        """The same for the threads at work, which may ask as often as they like.

        Raises:
            EngineError: it is to end.
        """
        if self._ending.is_set():
            raise EngineError("stopped before there was a scene")

    def _next(self, begun: deque[Future[Result]], step: str, done: int, total: int) -> Result:
        """The oldest result, once it is there."""
        self.glance()
        while not wait([begun[0]], _GLANCE_S).done:
            self.glance()
        result = begun.popleft().result()
        self._tell(step, done, total)
        return result
