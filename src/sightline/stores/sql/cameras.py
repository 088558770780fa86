"""Cameras of the video pipeline, kept."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, final

from sqlalchemy import Engine, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from sightline.errors import UnknownError
from sightline.model.decoding import CameraRecord, DecodingState
from sightline.stores.sql.database import row_of
from sightline.stores.sql.tables import CAMERAS


@final
class Cameras:
    """What should be decoded, and how far each is.

    A worker holds a camera for a while and renews that; when it stops renewing, another may take over.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reads=True)

    def start(self, record: CameraRecord) -> CameraRecord | None:
        """Has a camera decoded from now on, as a new generation; None: it is already running and was left alone."""
        try:
            return self._started(record)
        except IntegrityError:  # somebody else was first by a moment
            return None

    def _started(self, record: CameraRecord) -> CameraRecord | None:
        now = time.time()
        with self._engine.begin() as connection:
            found = select(CAMERAS).where(CAMERAS.c.camera_id == record.camera_id).with_for_update()
            before = connection.execute(found).mappings().first()
            if before is not None and before["is_wanted"] and before["state"] == DecodingState.RUNNING:
                return None
            generation = 1 if before is None else before["generation"] + 1
            row = asdict(record) | {
                "is_wanted": True,
                "generation": generation,
                "state": DecodingState.RUNNING,
                "started_utc_s": now,
                "updated_utc_s": now,
            }
            if before is None:
                connection.execute(CAMERAS.insert().values(row))
            else:
                # Whoever holds it lets go first: it may still be writing to the folder.
                row |= {name: before[name] for name in ("holder", "lease_until_utc_s")}
                connection.execute(update(CAMERAS).where(CAMERAS.c.camera_id == record.camera_id).values(row))
        return row_of(CameraRecord, row)

    def get(self, camera_id: str) -> CameraRecord | None:
        """The camera; None where it was never started."""
        with self._reading.connect() as connection:
            row = connection.execute(select(CAMERAS).where(CAMERAS.c.camera_id == camera_id)).mappings().first()
        return None if row is None else row_of(CameraRecord, row)

    def all(self) -> list[CameraRecord]:
        """Every camera, by name."""
        with self._reading.connect() as connection:
            rows = connection.execute(select(CAMERAS).order_by(CAMERAS.c.camera_id)).mappings()
            return [row_of(CameraRecord, row) for row in rows]

    def n_running(self) -> int:
        """How many are being decoded, or should be."""
        running = select(func.count()).where(CAMERAS.c.is_wanted, CAMERAS.c.state == DecodingState.RUNNING)
        with self._reading.connect() as connection:
            return int(connection.execute(running).scalar_one())

    def stop(self, camera_id: str) -> CameraRecord:
        """Has a camera decoded no more.

        Raises:
            UnknownError: it was never started.
        """
        self._update(camera_id, is_wanted=False, state=DecodingState.STOPPED)
        record = self.get(camera_id)
        if record is None:
            raise UnknownError("No decode task found for this camera.")
        return record

    def forget(self, camera_id: str) -> None:
        """Removes a camera that is not wanted."""
        with self._engine.begin() as connection:
            connection.execute(CAMERAS.delete().where(CAMERAS.c.camera_id == camera_id, ~CAMERAS.c.is_wanted))

    def claim(self, holder: str, lease_s: float) -> list[CameraRecord]:
        """Renews what this worker holds and takes over what nobody does; all that it holds now."""
        now = time.time()
        free = or_(CAMERAS.c.holder.is_(None), CAMERAS.c.holder == holder, CAMERAS.c.lease_until_utc_s < now)
        wanted = CAMERAS.c.is_wanted & (CAMERAS.c.state == DecodingState.RUNNING)
        with self._engine.begin() as connection:
            connection.execute(
                update(CAMERAS).where(wanted, free).values(holder=holder, lease_until_utc_s=now + lease_s)
            )
            held = select(CAMERAS).where(CAMERAS.c.holder == holder)
            return [row_of(CameraRecord, row) for row in connection.execute(held).mappings()]

    def release(self, camera_id: str, holder: str) -> None:
        """Lets go of a camera, so that others need not wait for the lease to run out."""
        with self._engine.begin() as connection:
            mine = update(CAMERAS).where(CAMERAS.c.camera_id == camera_id, CAMERAS.c.holder == holder)
            connection.execute(mine.values(holder=None, lease_until_utc_s=0.0))

    def release_all(self, holder: str) -> None:
        """Lets go of all that a worker held, which is known to be dead."""
        with self._engine.begin() as connection:
            held = update(CAMERAS).where(CAMERAS.c.holder == holder)
            connection.execute(held.values(holder=None, lease_until_utc_s=0.0))

    def report(self, record: CameraRecord, **changes: Any) -> bool:
        """Notes how far a camera is; False, and nothing noted, where it was started anew or is not wanted any more."""
        return self.report_all([(record, changes)]) == 1

    def report_all(self, reports: Iterable[tuple[CameraRecord, Mapping[str, Any]]]) -> int:
        """Notes how far several are, all at once; how many were noted, as for ``report``."""
        n_noted, now = 0, time.time()
        with self._engine.begin() as connection:
            for record, changes in reports:
                same = (CAMERAS.c.camera_id == record.camera_id) & (CAMERAS.c.generation == record.generation)
                mine = update(CAMERAS).where(same, CAMERAS.c.is_wanted)
                n_noted += connection.execute(mine.values(updated_utc_s=now, **changes)).rowcount
        return n_noted

    def _update(self, camera_id: str, **changes: Any) -> None:
        with self._engine.begin() as connection:
            one = update(CAMERAS).where(CAMERAS.c.camera_id == camera_id)
            connection.execute(one.values(updated_utc_s=time.time(), **changes))
