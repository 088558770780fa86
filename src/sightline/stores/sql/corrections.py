"""What people put right of who is who."""

import time
from dataclasses import asdict
from typing import final

from sqlalchemy import Engine, delete, select, update

from sightline.errors import ConflictError, UnknownError
from sightline.model.history import Correction
from sightline.stores.sql.database import row_of
from sightline.stores.sql.tables import CORRECTIONS


@final
class Corrections:
    """Corrections, in the order in which they were made; those taken back are kept and do not hold."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reads=True)

    def add(self, correction: Correction) -> Correction:
        """Keeps one; as it is kept."""
        row = asdict(correction) | {"created_utc_s": time.time()}
        with self._engine.begin() as connection:
            connection.execute(CORRECTIONS.insert().values(row))
        return row_of(Correction, row)

    def get(self, correction_id: str) -> Correction:
        """One of them.

        Raises:
            UnknownError: there is none.
        """
        with self._reading.connect() as connection:
            row = connection.execute(select(CORRECTIONS).where(CORRECTIONS.c.id == correction_id)).mappings().first()
        if row is None:
            raise UnknownError(f"no correction {correction_id!r}")
        return row_of(Correction, row)

    def of(self, site: str | None = None, *, undone: bool = False) -> list[Correction]:
        """Those of a site, or of all, oldest first; with ``undone`` also those that do not hold."""
        wanted = select(CORRECTIONS).order_by(CORRECTIONS.c.created_utc_s, CORRECTIONS.c.id)
        if site is not None:
            wanted = wanted.where(CORRECTIONS.c.site == site)
        if not undone:
            wanted = wanted.where(CORRECTIONS.c.undone_utc_s.is_(None))
        with self._reading.connect() as connection:
            return [row_of(Correction, row) for row in connection.execute(wanted).mappings()]

    def undo(self, correction_id: str) -> Correction:
        """Takes one back; as it is then. One that was taken back before stays so.

        Raises:
            UnknownError: there is none.
            ConflictError: it is an erasure.
        """
        if self.get(correction_id).kind == "erase":
            raise ConflictError("what is erased is gone and cannot be brought back")
        mine = (CORRECTIONS.c.id == correction_id) & CORRECTIONS.c.undone_utc_s.is_(None)
        with self._engine.begin() as connection:
            connection.execute(update(CORRECTIONS).where(mine).values(undone_utc_s=time.time()))
        return self.get(correction_id)

    def say_of(self, correction_id: str, identity: str, becomes: str | None) -> None:
        """Has one be about somebody else, since it is known by now who was meant."""
        with self._engine.begin() as connection:
            mine = update(CORRECTIONS).where(CORRECTIONS.c.id == correction_id)
            connection.execute(mine.values(identity=identity, becomes=becomes))

    def note_done(self, correction_id: str) -> None:
        """Notes that everything that an erasure asked for is gone."""
        with self._engine.begin() as connection:
            connection.execute(update(CORRECTIONS).where(CORRECTIONS.c.id == correction_id).values(is_done=True))

    def forget(self, correction_ids: list[str]) -> None:
        """Removes some for good."""
        with self._engine.begin() as connection:
            connection.execute(delete(CORRECTIONS).where(CORRECTIONS.c.id.in_(correction_ids)))
