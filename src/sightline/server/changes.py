"""Changes of jobs, noticed once for all who listen.

Workers and other servers write into the same database; whoever listens here hears of their changes too.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import final

from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import SQLAlchemyError

from sightline.model.job import OPEN, Job
from sightline.stores.sql.jobs import Jobs

_LOOK_S = 0.25
_OVERLAP_S = 2.0
"""A transaction may show a change a moment after its time: look back that far."""
_MOST_WAITING = 1000
_log = logging.getLogger(__name__)


@final
class Changes:
    """Looks into the database while anybody listens, and tells all of them."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._listeners: set[Heard] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_over = False

    @asynccontextmanager
    async def listen(self, job: Job | None) -> AsyncIterator["Heard"]:
        """The job as it is and its changes; without one, changes of all from now on.

        Raises:
            UnknownError: there is no such job.
        """
        heard = Heard(None if job is None else job.id)
        self._listeners.add(heard)
        try:
            if job is not None:
                heard.tell(await run_in_threadpool(self._jobs.get, job.id))
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._look())
            if self._is_over:
                heard.end()
            yield heard
        finally:
            self._listeners.discard(heard)

    def end(self) -> None:
        """Tells nobody anything more, neither those who listen nor those who will."""
        self._is_over = True
        for heard in self._listeners:
            heard.end()

    async def close(self) -> None:
        """Ends all listening."""
        self.end()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        """Until nobody listens any more."""
        since, told = time.time(), dict[str, float]()
        while self._listeners:
            try:
                changed = await run_in_threadpool(self._jobs.changed_since, since - _OVERLAP_S)
            except SQLAlchemyError as error:
                _log.warning("changes=unseen why=%s", type(error).__name__)
                changed = []
            for job in changed:
                if told.get(job.id) != job.updated_utc_s:
                    told[job.id] = job.updated_utc_s
                    for heard in self._listeners:
                        heard.tell(job)
            since = max([since, *(job.updated_utc_s for job in changed)])
            told = {number: at for number, at in told.items() if at >= since - 2 * _OVERLAP_S}
            await asyncio.sleep(_LOOK_S)


@final
class Heard:
    """What one listener has not read yet; of each job only the newest."""

    def __init__(self, job_id: str | None) -> None:
        self._job_id = job_id
        self._waiting: dict[str, Job] = {}
        self._last: dict[str, float] = {}
        self._news = asyncio.Event()
        self._is_over = False

    def tell(self, job: Job) -> None:
        """Puts a change in, unless it is of another job or older than what is known."""
        if self._job_id not in {None, job.id} or self._last.get(job.id, 0.0) >= job.updated_utc_s:
            return
        if self._job_id is not None or job.state in OPEN:
            self._last[job.id] = job.updated_utc_s
        else:
            self._last.pop(job.id, None)
        self._waiting.pop(job.id, None)
        self._waiting[job.id] = job
        if len(self._waiting) > _MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._news.set()

    def end(self) -> None:
        """Nothing will come any more."""
        self._is_over = True
        self._news.set()

    async def with_pauses(self, pause_s: float) -> AsyncIterator[Job | None]:
        """Changes as they come; None after each pause of so many seconds."""
        while not self._is_over or self._waiting:
            if not self._waiting:
                try:
                    async with asyncio.timeout(pause_s):
                        await self._news.wait()
                except TimeoutError:
                    yield None
                self._news.clear()
                continue
            yield self._waiting.pop(next(iter(self._waiting)))
