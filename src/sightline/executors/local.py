"""Work shared out among processes of this machine."""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from queue import Empty
from typing import Any, TypeVar

import cv2

from sightline.errors import EngineError

Tell = Callable[[str, int, int | None], None]
"""Is told the step, how much of it is done, and of how much (None: nobody knows)."""
Stopped = Callable[[], bool]
"""Whether somebody wants the work to end."""
Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Item, Tell, Stopped], Result]
"""A function of a module (workers import it): does one item, reports, and ends soon when asked to."""

_GLANCE_S = 0.2


def each(
    work: Work[Item, Result], items: Sequence[Item], *, workers: int, tell: Tell, stopped: Stopped
) -> list[Result]:
    """What ``work`` makes of every item, in their order; one item at a time in each of so many processes.

    When ``stopped`` turns true the workers are told, and end by themselves; items not begun are left out.
    With one worker or one item everything runs in this process.

    Raises:
        EngineError: a process died.
    """
    if workers <= 1 or len(items) <= 1:
        return [work(item, tell, stopped) for item in items if not stopped()]
    context = get_context("spawn")
    with context.Manager() as manager:
        reports, stop = manager.Queue(), manager.Event()
        with ProcessPoolExecutor(min(workers, len(items)), context, initializer=_deaf) as pool:
            futures = [pool.submit(_one, work, item, reports, stop) for item in items]
            with _stopping_at_the_end(futures, stop):
                while not all(future.done() for future in futures):
                    _pass_on(reports, tell)
                    if stopped() and not stop.is_set():
                        stop.set()
                        for future in futures:
                            future.cancel()
                _pass_on(reports, tell)
                return [future.result() for future in futures if not future.cancelled()]


@contextmanager
def _stopping_at_the_end(futures: Sequence[Future[Any]], stop: Any) -> Iterator[None]:
    """However this ends, nothing goes on behind one's back."""
    try:
        yield
    except BrokenProcessPool:
        raise EngineError("a worker process died; is there enough memory?") from None
    finally:
        stop.set()
        for future in futures:
            future.cancel()


def _one(work: Work[Item, Result], item: Item, reports: Any, stop: Any) -> Result:
    """One item, in a worker."""
    last: dict[str, tuple[int, int | None]] = {}

    def tell(step: str, done: int, total: int | None) -> None:
        seen = last.get(step, (-1, total))[0]
        if seen < 0 or done == total or done - seen >= max((total or 0) // 100, 1):
            last[step] = (done, total)
            reports.put((step, done, total))

    return work(item, tell, lambda: bool(stop.is_set()))


def _pass_on(reports: Any, tell: Tell) -> None:
    """Hands on what workers have reported; waits a moment for the first."""
    try:
        tell(*reports.get(timeout=_GLANCE_S))
        while True:
            tell(*reports.get_nowait())
    except Empty:
        return


def _deaf() -> None:
    """Workers leave Ctrl-C to the process that started them; each draws on one core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
