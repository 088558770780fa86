"""Runs of the run server, kept."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, final

from sqlalchemy import Engine, and_, func, or_, select, update

from sightline.errors import ConflictError, UnknownError
from sightline.model.run import Run
from sightline.stores.sql.database import row_of
from sightline.stores.sql.tables import RUNS

Files = Mapping[str, str]
"""Names to numbers of kept files."""


@final
class Runs:
    """What is known of every run besides how far its job is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reads=True)

    def add(self, run: Run) -> Run:
        """Keeps a new run; as it is kept."""
        now = time.time()
        row = asdict(run) | {"created_utc_s": run.created_utc_s or now, "updated_utc_s": now}
        with self._engine.begin() as connection:
            connection.execute(RUNS.insert().values(row))
        return row_of(Run, row)

    def get(self, run_id: str) -> Run:
        """The run.

        Raises:
            UnknownError: there is none.
        """
        with self._reading.connect() as connection:
            row = connection.execute(select(RUNS).where(RUNS.c.id == run_id)).mappings().first()
        if row is None:
            raise UnknownError(f"no run {run_id!r}")
        return row_of(Run, row)

    def page(self, *, limit: int, before: Run | None = None) -> list[Run]:
        """Runs, newest first, from behind ``before`` on."""
        wanted = select(RUNS).order_by(RUNS.c.created_utc_s.desc(), RUNS.c.id.desc()).limit(limit)
        if before is not None:
            same = and_(RUNS.c.created_utc_s == before.created_utc_s, RUNS.c.id < before.id)
            wanted = wanted.where(or_(RUNS.c.created_utc_s < before.created_utc_s, same))
        return self._rows(wanted)

    def count(self) -> int:
        """How many there are."""
        with self._reading.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(RUNS)).scalar_one())

    def under_way(self) -> list[Run]:
        """Those that have a job and no outcome, oldest first."""
        open_ones = select(RUNS).where(RUNS.c.job_id.is_not(None), RUNS.c.outcome.is_(None))
        return self._rows(open_ones.order_by(RUNS.c.created_utc_s, RUNS.c.id))

    def change_files(self, run_id: str, is_video: bool, change: Callable[[Run], Files]) -> Run:
        """Gives the run the files that ``change`` makes of it as it is, unless it has a job.

        Raises:
            UnknownError: there is no such run.
            ConflictError: it has a job.
        """
        with self._engine.begin() as connection:
            found = select(RUNS).where(RUNS.c.id == run_id).with_for_update()
            row = connection.execute(found).mappings().first()
            if row is None:
                raise UnknownError(f"no run {run_id!r}")
            if row["job_id"] is not None:
                raise ConflictError("its work has begun")
            files = dict(change(row_of(Run, row)))
            changes = {"files": files, "is_video": is_video, "updated_utc_s": time.time()}
            connection.execute(update(RUNS).where(RUNS.c.id == run_id).values(**changes))
        return self.get(run_id)

    def begin(self, run_id: str, job_id: str) -> bool:
        """Notes the job of a run; no if it has one, or is gone."""
        return self._change(run_id, RUNS.c.job_id.is_(None), job_id=job_id)

    def settle(self, run_id: str, outcome: Mapping[str, Any]) -> bool:
        """Notes what came of a run; no if that was noted before, or it is gone."""
        return self._change(run_id, RUNS.c.outcome.is_(None), outcome=dict(outcome))

    def delete(self, run_id: str) -> None:
        """Forgets a run.

        Raises:
            UnknownError: there is none.
        """
        with self._engine.begin() as connection:
            if not connection.execute(RUNS.delete().where(RUNS.c.id == run_id)).rowcount:
                raise UnknownError(f"no run {run_id!r}")

    def _change(self, run_id: str, condition: Any, **changes: Any) -> bool:
        wanted = update(RUNS).where(RUNS.c.id == run_id, condition).values(**changes, updated_utc_s=time.time())
        with self._engine.begin() as connection:
            return bool(connection.execute(wanted).rowcount)

    def _rows(self, wanted: Any) -> list[Run]:
        with self._reading.connect() as connection:
            return [row_of(Run, row) for row in connection.execute(wanted).mappings()]
