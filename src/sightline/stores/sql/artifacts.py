"""What is known of kept files. Their bytes are in ``stores.artifacts``, once for each content."""

import time
from collections.abc import Collection
from dataclasses import asdict
from typing import final

from sqlalchemy import Engine, and_, or_, select, update

from sightline.errors import UnknownError
from sightline.model.artifact import Artifact
from sightline.stores.sql.database import row_of
from sightline.stores.sql.tables import ARTIFACTS, JOBS


@final
class ArtifactRecords:
    """Names, owners and origins of kept files."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reads=True)

    def add(self, artifact: Artifact) -> Artifact:
        """Notes a kept file; as it is noted. One noted before under the same id is left as it is."""
        row = asdict(artifact) | {"created_utc_s": artifact.created_utc_s or time.time()}
        with self._engine.begin() as connection:
            found = connection.execute(select(ARTIFACTS).where(ARTIFACTS.c.id == artifact.id)).mappings().first()
            if found is not None:
                return row_of(Artifact, found)
            connection.execute(ARTIFACTS.insert().values(row))
        return row_of(Artifact, row)

    def get(self, artifact_id: str) -> Artifact:
        """The kept file.

        Raises:
            UnknownError: there is none.
        """
        with self._reading.connect() as connection:
            row = connection.execute(select(ARTIFACTS).where(ARTIFACTS.c.id == artifact_id)).mappings().first()
        if row is None:
            raise UnknownError(f"no artifact {artifact_id!r}")
        return row_of(Artifact, row)

    def page(
        self, *, limit: int = 50, before: Artifact | None = None, job_id: str | None = None, owner: str | None = None
    ) -> list[Artifact]:
        """Kept files, newest first, from behind ``before`` on; of this job, this owner, where given."""
        wanted = select(ARTIFACTS).order_by(ARTIFACTS.c.created_utc_s.desc(), ARTIFACTS.c.id.desc()).limit(limit)
        if before is not None:
            same = and_(ARTIFACTS.c.created_utc_s == before.created_utc_s, ARTIFACTS.c.id < before.id)
            wanted = wanted.where(or_(ARTIFACTS.c.created_utc_s < before.created_utc_s, same))
        if job_id is not None:
            wanted = wanted.where(ARTIFACTS.c.job_id == job_id)
        if owner is not None:
            wanted = wanted.where(ARTIFACTS.c.owner == owner)
        with self._reading.connect() as connection:
            return [row_of(Artifact, row) for row in connection.execute(wanted).mappings()]

    def of_ended_jobs(self, kinds: Collection[str], before_utc_s: float) -> list[Artifact]:
        """Kept files that came of jobs of these kinds that ended before a moment."""
        ended = select(JOBS.c.id).where(JOBS.c.kind.in_(kinds), JOBS.c.finished_utc_s < before_utc_s)
        with self._reading.connect() as connection:
            rows = connection.execute(select(ARTIFACTS).where(ARTIFACTS.c.job_id.in_(ended))).mappings()
            return [row_of(Artifact, row) for row in rows]

    def is_result(self, key: str, suffix: str) -> bool:
        """Whether a file with these bytes and such a name came of a job."""
        is_such = (ARTIFACTS.c.key == key) & ARTIFACTS.c.job_id.is_not(None) & ARTIFACTS.c.name.endswith(suffix)
        with self._reading.connect() as connection:
            return connection.execute(select(ARTIFACTS.c.id).where(is_such).limit(1)).first() is not None

    def belong(self, artifact_ids: list[str], job_id: str) -> None:
        """Has kept files go when the job goes."""
        theirs = update(ARTIFACTS).where(ARTIFACTS.c.id.in_(artifact_ids)).values(job_id=job_id)
        with self._engine.begin() as connection:
            connection.execute(theirs)

    def delete(self, artifact_id: str) -> None:
        """Forgets a kept file; its bytes go when nobody refers to them any more.

        Raises:
            UnknownError: there is none.
        """
        with self._engine.begin() as connection:
            if not connection.execute(ARTIFACTS.delete().where(ARTIFACTS.c.id == artifact_id)).rowcount:
                raise UnknownError(f"no artifact {artifact_id!r}")

    def replace(self, artifact: Artifact) -> Artifact:
        """Notes a kept file in place of whatever has its id; as it is noted."""
        with self._engine.begin() as connection:
            connection.execute(ARTIFACTS.delete().where(ARTIFACTS.c.id == artifact.id))
        return self.add(artifact)

    def delete_of_job(self, job_id: str) -> None:
        """Forgets all that came of a job."""
        with self._engine.begin() as connection:
            connection.execute(ARTIFACTS.delete().where(ARTIFACTS.c.job_id == job_id))

    def delete_of_gone_jobs(self, before_utc_s: float) -> None:
        """Forgets what was kept before a moment and came of jobs that are forgotten."""
        gone = ARTIFACTS.c.job_id.is_not(None) & ARTIFACTS.c.job_id.not_in(select(JOBS.c.id))
        with self._engine.begin() as connection:
            connection.execute(ARTIFACTS.delete().where(gone, ARTIFACTS.c.created_utc_s < before_utc_s))

    def unused(self, keys: list[str]) -> set[str]:
        """Those of some contents that no kept file has."""
        with self._reading.connect() as connection:
            used = connection.execute(select(ARTIFACTS.c.key).where(ARTIFACTS.c.key.in_(keys))).scalars()
            return set(keys) - set(used)
