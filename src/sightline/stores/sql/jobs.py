"""Jobs, kept."""

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Any, final

from sqlalchemy import Engine, and_, func, or_, select, update

from sightline.errors import ConflictError, UnknownError
from sightline.model.job import OPEN, Job, JobState, sources_of
from sightline.stores.sql.database import row_of
from sightline.stores.sql.tables import JOBS


@final
class Jobs:
    """The one truth about every job."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reads=True)

    def add(self, job: Job) -> Job:
        """Keeps a new job; as it is kept."""
        now = time.time()
        row = asdict(job) | {"created_utc_s": now, "updated_utc_s": now}
        with self._engine.begin() as connection:
            connection.execute(JOBS.insert().values(row))
        return row_of(Job, row)

    def get(self, job_id: str) -> Job:
        """The job.

        Raises:
            UnknownError: there is none.
        """
        with self._reading.connect() as connection:
            row = connection.execute(select(JOBS).where(JOBS.c.id == job_id)).mappings().first()
        if row is None:
            raise UnknownError(f"no job {job_id!r}")
        return row_of(Job, row)

    def page(
        self,
        *,
        limit: int = 50,
        before: Job | None = None,
        states: Iterable[JobState] = (),
        kind: str | None = None,
        owner: str | None = None,
    ) -> list[Job]:
        """Jobs, newest first, from behind ``before`` on; of these states, this kind, this owner, where given."""
        wanted = select(JOBS).order_by(JOBS.c.created_utc_s.desc(), JOBS.c.id.desc()).limit(limit)
        if before is not None:
            same = and_(JOBS.c.created_utc_s == before.created_utc_s, JOBS.c.id < before.id)
            wanted = wanted.where(or_(JOBS.c.created_utc_s < before.created_utc_s, same))
        if chosen := list(states):
            wanted = wanted.where(JOBS.c.state.in_(chosen))
        if kind is not None:
            wanted = wanted.where(JOBS.c.kind == kind)
        if owner is not None:
            wanted = wanted.where(JOBS.c.owner == owner)
        return self._rows(wanted)

    def changed_since(self, utc_s: float, *, limit: int = 500) -> list[Job]:
        """Those that changed at or after a moment, oldest change first."""
        return self._rows(select(JOBS).where(JOBS.c.updated_utc_s >= utc_s).order_by(JOBS.c.updated_utc_s).limit(limit))

    def is_any_waiting(self) -> bool:
        """Whether there is a job that nobody has begun; asking costs next to nothing."""
        with self._reading.connect() as connection:
            found = connection.execute(select(JOBS.c.id).where(JOBS.c.state == JobState.QUEUED).limit(1))
            return found.first() is not None

    def claim(self, kinds: Collection[str], limit: int) -> list[Job]:
        """Has the oldest waiting jobs of these kinds go on to ``running``, each for one caller; as they are then."""
        waiting = select(JOBS.c.id).where(JOBS.c.state == JobState.QUEUED, JOBS.c.kind.in_(kinds))
        with self._reading.connect() as connection:
            found = connection.execute(waiting.order_by(JOBS.c.created_utc_s, JOBS.c.id).limit(limit)).scalars().all()
        now = time.time()
        begun = {"state": JobState.RUNNING, "step": "starting", "started_utc_s": now, "updated_utc_s": now}
        return [self.get(job_id) for job_id in found if self._change(job_id, begun, {JobState.QUEUED})]

    def stalled(self, *, since_s: float) -> list[Job]:
        """Running jobs of which nothing was heard for so many seconds."""
        quiet = JOBS.c.updated_utc_s < time.time() - since_s
        return self._rows(select(JOBS).where(JOBS.c.state == JobState.RUNNING, quiet))

    def standing(self, job_id: str) -> tuple[JobState | None, float]:
        """Where a job stands and when it ended (0: it has not); None: it is unknown."""
        with self._reading.connect() as connection:
            row = connection.execute(select(JOBS.c.state, JOBS.c.finished_utc_s).where(JOBS.c.id == job_id)).first()
        return (None, 0.0) if row is None else (JobState(row.state), row.finished_utc_s or 0.0)

    def forget_ended(self, before_utc_s: float) -> int:
        """Forgets the jobs that ended before a moment; how many they were."""
        with self._engine.begin() as connection:
            ended = JOBS.delete().where(JOBS.c.state.not_in(OPEN), JOBS.c.finished_utc_s < before_utc_s)
            return int(connection.execute(ended).rowcount)

    def counts(self) -> dict[tuple[str, str], int]:
        """How many there are of each (kind, state)."""
        with self._reading.connect() as connection:
            rows = connection.execute(
                select(JOBS.c.kind, JOBS.c.state, func.count()).group_by(JOBS.c.kind, JOBS.c.state)
            ).all()
        return {(kind, state): n for kind, state, n in rows}

    def move(self, job_id: str, to: JobState, *, attempt: int | None = None, **changes: Any) -> Job:
        """Has the job go on to a state, if it may from where it is (and, where given, in this attempt); all at once.

        Raises:
            UnknownError: there is no such job.
            ConflictError: it may not.
        """
        now = time.time()
        changes |= {"state": to, "updated_utc_s": now}
        if to is JobState.RUNNING:
            changes.setdefault("started_utc_s", now)
        if to not in OPEN:
            changes.setdefault("finished_utc_s", now)
        if not self._change(job_id, changes, sources_of(to), attempt):
            raise ConflictError(f"job {job_id} is {self.get(job_id).state} and cannot become {to}")
        return self.get(job_id)

    def retry(self, job_id: str) -> Job:
        """Has a job that failed or was cancelled tried again, as its next attempt.

        Raises:
            UnknownError: there is no such job.
            ConflictError: it neither failed nor was cancelled.
        """
        fresh = {"step": "waiting for a worker", "progress": None, "error": None, "result": None}
        times = {"started_utc_s": None, "finished_utc_s": None, "updated_utc_s": time.time()}
        again = {"state": JobState.QUEUED, "is_cancel_asked": False, "attempt": JOBS.c.attempt + 1}
        if not self._change(job_id, fresh | times | again, sources_of(JobState.QUEUED)):
            raise ConflictError(f"job {job_id} is {self.get(job_id).state}; only failed and cancelled ones are retried")
        return self.get(job_id)

    def report(self, job_id: str, attempt: int, step: str, progress: float | None) -> bool:
        """Notes how far a running attempt is; whether somebody wants it to end (or it is not running any more)."""
        told = {"step": step, "progress": progress, "updated_utc_s": time.time()}
        self._change(job_id, told, {JobState.RUNNING}, attempt)
        return self.is_to_end(job_id, attempt)

    def is_to_end(self, job_id: str, attempt: int) -> bool:
        """Whether a worker should let go of this attempt."""
        asked = select(JOBS.c.state, JOBS.c.is_cancel_asked, JOBS.c.attempt).where(JOBS.c.id == job_id)
        with self._reading.connect() as connection:
            row = connection.execute(asked).first()
        return row is None or bool(row.is_cancel_asked) or row.state not in OPEN or row.attempt != attempt

    def ask_cancel(self, job_id: str) -> Job:
        """Notes that somebody wants it to end; one that nobody has begun ends at once.

        Raises:
            UnknownError: there is no such job.
            ConflictError: it has ended.
        """
        now = time.time()
        ended = {"state": JobState.CANCELLED, "finished_utc_s": now, "step": "cancelled"}
        asked = {"is_cancel_asked": True, "updated_utc_s": now}
        if not self._change(job_id, ended | asked, {JobState.QUEUED}):
            is_running = self._change(job_id, asked, {JobState.RUNNING})
            job = self.get(job_id)
            if not is_running and job.state is not JobState.CANCELLED:
                raise ConflictError(f"job {job_id} has ended ({job.state})")
        return self.get(job_id)

    def delete(self, job_id: str) -> None:
        """Forgets a job that has ended.

        Raises:
            UnknownError: there is no such job.
            ConflictError: it has not ended.
        """
        with self._engine.begin() as connection:
            gone = connection.execute(JOBS.delete().where(JOBS.c.id == job_id, JOBS.c.state.not_in(OPEN))).rowcount
        if not gone:
            raise ConflictError(f"job {job_id} is {self.get(job_id).state}; cancel it first")

    def _change(
        self, job_id: str, changes: Mapping[str, Any], states: Iterable[JobState], attempt: int | None = None
    ) -> bool:
        """Whether it was in one of these states, and so changed."""
        wanted = update(JOBS).where(JOBS.c.id == job_id, JOBS.c.state.in_(list(states))).values(**changes)
        if attempt is not None:
            wanted = wanted.where(JOBS.c.attempt == attempt)
        with self._engine.begin() as connection:
            return bool(connection.execute(wanted).rowcount)

    def _rows(self, wanted: Any) -> list[Job]:
        with self._reading.connect() as connection:
            return [row_of(Job, row) for row in connection.execute(wanted).mappings()]
