"""How tasks of the multi-camera service are played, kept: who watches reads it, and who looks on writes it."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, final

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import IntegrityError

from sightline.errors import UnknownError
from sightline.model.job import JobState
from sightline.model.playback import Playback
from sightline.stores.sql.database import row_of
from sightline.stores.sql.tables import JOBS, PLAYBACK


@final
class Playbacks:
    """One row for every task; one that nobody ever touched plays from its beginning to its end."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reads=True)

    def get(self, job_id: str) -> Playback:
        """How the task is played."""
        with self._reading.connect() as connection:
            row = connection.execute(select(PLAYBACK).where(PLAYBACK.c.job_id == job_id)).mappings().first()
        return Playback(job_id=job_id) if row is None else row_of(Playback, row)

    def pause(self, job_id: str, *, is_paused: bool) -> Playback:
        """Has the task stand still, or go on; nothing happens where it does so already.

        Raises:
            UnknownError: there is no such task.
        """
        self._make(job_id)
        changes = {"is_paused": is_paused, "changed_utc_s": time.time()}
        with self._engine.begin() as connection:
            differs = (PLAYBACK.c.job_id == job_id) & (PLAYBACK.c.is_paused != is_paused)
            connection.execute(update(PLAYBACK).where(differs).values(changes))
        return self.get(job_id)

    def resting(self, *, for_s: float) -> list[str]:
        """Tasks that were paused so many seconds ago or longer, and did nothing since."""
        before = time.time() - for_s
        is_still = PLAYBACK.c.is_paused & (PLAYBACK.c.changed_utc_s < before) & (JOBS.c.updated_utc_s < before)
        wanted = select(JOBS.c.id).join(PLAYBACK, PLAYBACK.c.job_id == JOBS.c.id)
        with self._reading.connect() as connection:
            return list(connection.execute(wanted.where(JOBS.c.state == JobState.RUNNING, is_still)).scalars())

    def seek(self, job_id: str, goal: int) -> Playback:
        """Has the task go to a moment.

        Raises:
            UnknownError: there is no such task.
        """
        self._make(job_id)
        self._change(job_id, goal=goal, n_asked=PLAYBACK.c.n_asked + 1)
        return self.get(job_id)

    def note(self, job_id: str, **changes: Any) -> None:
        """Notes how far the task is: any of ``n_done``, ``last``, ``edge``, ``total`` and ``passed``.

        Raises:
            UnknownError: there is no such task.
        """
        self._make(job_id)
        self._change(job_id, **changes)

    def want(self, job_id: str, pictures: Mapping[str, float]) -> None:
        """Has these pictures sent, each until its time (UTC, seconds); those that nobody wants any more go.

        Raises:
            UnknownError: there is no such task.
        """
        self._make(job_id)
        one, now = PLAYBACK.c.job_id == job_id, time.time()
        with self._engine.begin() as connection:
            found: Any = connection.execute(select(PLAYBACK.c.wanted).where(one).with_for_update()).scalar_one()
            still = {name: until for name, until in found.items() if until > now}
            for name, until in pictures.items():
                still[name] = max(until, still.get(name, 0.0))
            connection.execute(update(PLAYBACK).where(one).values(wanted=still))

    def _make(self, job_id: str) -> None:
        """A row for a task that has none.

        Raises:
            UnknownError: there is no such task.
        """
        with self._reading.connect() as connection:
            if _is_there(connection, job_id):
                return
        fresh = asdict(Playback(job_id=job_id, changed_utc_s=time.time())) | {"passed": []}
        try:
            with self._engine.begin() as connection:
                connection.execute(PLAYBACK.insert().values(fresh))
        except IntegrityError:  # somebody else was first by a moment, or there is no such job
            with self._reading.connect() as connection:
                if not _is_there(connection, job_id):
                    raise UnknownError(f"no job {job_id!r}") from None

    def _change(self, job_id: str, **changes: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(PLAYBACK).where(PLAYBACK.c.job_id == job_id).values(changes))


def _is_there(connection: Connection, job_id: str) -> bool:
    return connection.execute(select(PLAYBACK.c.job_id).where(PLAYBACK.c.job_id == job_id)).first() is not None
