"""Where jobs are handed in. It writes rows and nothing else; workers see them within a moment."""

import time
import uuid
from collections.abc import Mapping
from typing import Any, final

from sqlalchemy import Engine

from sightline.jobs import kinds
from sightline.model.job import OPEN, Job
from sightline.stores.sql.jobs import Jobs

_FIRST_GLANCE_S = 0.02
_LONGEST_GLANCE_S = 0.25


@final
class Desk:
    """Takes jobs in, cancels them, has them tried again.

    The row in the database is all there is to a job that nobody has begun, so nothing can be lost in between.
    """

    def __init__(self, engine: Engine, _workflows_url: str | None = None) -> None:
        self._jobs = Jobs(engine)

    def close(self) -> None:
        """Nothing is held; the engine is its owner's to dispose of."""

    def kinds(self) -> dict[str, Any]:
        """What can be asked for: of each kind a sentence, its queue, and a JSON schema of what it takes."""
        all_kinds = map(kinds.kind, kinds.names())
        return {k.name: {"about": k.about, "queue": k.queue, "params": k.schema()} for k in all_kinds}

    def submit(self, kind: str, params: Mapping[str, Any], owner: str) -> Job:
        """A new job, kept and waiting.

        Raises:
            OptionError: there is no such kind, or it does not take these parameters; names the field.
        """
        checked = kinds.kind(kind).checked(params)
        return self._jobs.add(Job(id=uuid.uuid4().hex, kind=kind, params=checked, owner=owner))

    def cancel(self, job_id: str) -> Job:
        """Has a job end: at once where nobody has begun it, else within two seconds.

        Raises:
            UnknownError: there is no such job.
            ConflictError: it has ended.
        """
        return self._jobs.ask_cancel(job_id)

    def retry(self, job_id: str) -> Job:
        """Has a failed or cancelled job tried again; finished steps of a failed one are not redone.

        Raises:
            UnknownError: there is no such job.
            ConflictError: it neither failed nor was cancelled.
        """
        return self._jobs.retry(job_id)

    def wait(self, job_id: str, timeout_s: float) -> Job:
        """The job as soon as it has ended, or as it is after so many seconds.

        Raises:
            UnknownError: there is no such job.
        """
        end_s, glance_s = time.monotonic() + timeout_s, _FIRST_GLANCE_S
        while True:
            job = self._jobs.get(job_id)
            left_s = end_s - time.monotonic()
            if job.state not in OPEN or left_s <= 0:
                return job
            time.sleep(min(glance_s, left_s))
            glance_s = min(glance_s * 1.5, _LONGEST_GLANCE_S)
