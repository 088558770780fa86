"""The ends of tasks, looked for once for all who wait for them."""

import asyncio
import logging
from typing import Final, final

from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import SQLAlchemyError

from sightline.errors import UnknownError
from sightline.model.job import OPEN, Job
from sightline.stores.sql.jobs import Jobs

_LOOK_S: Final = 1.0
"""How often the store is asked whether a task has ended."""
_log = logging.getLogger(__name__)


@final
class Ends:
    """Looks into the store while anybody waits."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._looks: dict[str, asyncio.Task[Job | None]] = {}
        self._waiting: dict[str, int] = {}

    async def of(self, job_id: str) -> Job | None:
        """The job as soon as it has ended; None: nobody knows it any more."""
        if job_id not in self._looks:
            self._looks[job_id] = asyncio.create_task(self._end(job_id), name="looks for the end of a task")
        self._waiting[job_id] = self._waiting.get(job_id, 0) + 1
        try:
            return await asyncio.shield(self._looks[job_id])
        finally:
            self._waiting[job_id] -= 1
            if not self._waiting[job_id]:
                del self._waiting[job_id]
                self._looks.pop(job_id).cancel()

    async def _end(self, job_id: str) -> Job | None:
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                job = await run_in_threadpool(self._jobs.get, job_id)
            except UnknownError:
                return None
            except SQLAlchemyError as error:
                _log.warning("task=%s end not seen: %s", job_id, type(error).__name__)
                continue
            if job.state not in OPEN:
                return job
