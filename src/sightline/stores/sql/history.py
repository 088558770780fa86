"""Who was seen where when sites were watched."""

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Engine, Select, case, delete, func, literal, select, text

from sightline.errors import UnknownError
from sightline.model.history import WatchedTask
from sightline.stores.sql.bulk import fetched, in_turn, put
from sightline.stores.sql.database import row_of
from sightline.stores.sql.rooms import drop_empty_rooms, make_rooms
from sightline.stores.sql.tables import IDENTITIES, ONLINE_IDENTITIES, PLACES, SIGHTINGS, WATCHED_TASKS

Columns = dict[str, np.ndarray]
_LARGE = SIGHTINGS, PLACES
_PLACE = tuple(PLACES.c[name] for name in ("identity", "t_s", "x_m", "y_m"))
_AT_ONCE = 100_000
"""Rows in one transaction: others who write wait for it."""


@final
class History:
    """Tasks with everything that was seen in them. What is read of large tables comes as columns."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reads=True)

    def begin(self, task: WatchedTask) -> None:
        """Notes a task; one that is noted already is begun anew, what was seen in it stays."""
        row = asdict(task) | {"noted_utc_s": time.time()}
        with self._engine.begin() as connection:
            connection.execute(delete(WATCHED_TASKS).where(WATCHED_TASKS.c.task_id == task.task_id))
            connection.execute(WATCHED_TASKS.insert().values(row))

    def note_part(self, task: WatchedTask, part: int, rows: Iterable[pa.Table]) -> None:
        """Notes what was seen in one part of the recordings, in place of what was noted of it before.

        ``rows`` come some at a time, and have the columns of the table but for ``task_id``, ``part`` and ``utc_ms``.
        """
        mine = (SIGHTINGS.c.task_id == task.task_id) & (SIGHTINGS.c.part == part)
        with self._engine.begin() as connection:
            connection.execute(delete(SIGHTINGS).where(mine))
        for some in rows:
            self._put(SIGHTINGS, task, some.append_column("part", pa.array(np.full(len(some), part))))

    def settle(self, task: WatchedTask, places: Iterable[pa.Table], identities: pa.Table, online: pa.Table) -> None:
        """Notes where everybody went and who turned out to be who, and the task as it is now; from now on it counts.

        ``places`` come some at a time, and have the columns of the table but for ``task_id`` and ``utc_ms``,
        ``identities`` and ``online`` those but for ``task_id``.
        """
        with self._engine.begin() as connection:
            for table in (PLACES, IDENTITIES, ONLINE_IDENTITIES):
                connection.execute(delete(table).where(table.c.task_id == task.task_id))
        for some in places:
            self._put(PLACES, task, some)
        with self._engine.begin() as connection:
            for table, rows in ((IDENTITIES, identities), (ONLINE_IDENTITIES, online)):
                put(connection, table, rows.append_column("task_id", pa.array([task.task_id] * len(rows), pa.string())))
            connection.execute(delete(WATCHED_TASKS).where(WATCHED_TASKS.c.task_id == task.task_id))
            row = asdict(task) | {"is_settled": True, "noted_utc_s": time.time()}
            connection.execute(WATCHED_TASKS.insert().values(row))

    def task(self, task_id: str) -> WatchedTask:
        """A task.

        Raises:
            UnknownError: nothing is known of it.
        """
        found = self._tasks(WATCHED_TASKS.c.task_id == task_id)
        if not found:
            raise UnknownError(f"no task {task_id!r} in the history")
        return found[0]

    def tasks(self, site: str | None = None) -> list[WatchedTask]:
        """Those in which it is settled who is who, oldest first; of this site, where given."""
        is_wanted = WATCHED_TASKS.c.is_settled if site is None else WATCHED_TASKS.c.is_settled & _of(site)
        return self._tasks(is_wanted)

    def unsettled(self) -> list[WatchedTask]:
        """Tasks in which it is not settled who is who, oldest first."""
        return self._tasks(~WATCHED_TASKS.c.is_settled)

    def sightings(self, task_id: str, from_s: float = -np.inf, to_s: float = np.inf) -> Columns:
        """Boxes and places of a task, oldest first, within a time on the site's clock."""
        with self._reading.connect() as connection:
            return fetched(connection, _rows(SIGHTINGS, list(SIGHTINGS.c), task_id, from_s, to_s))

    def sightings_in_turn(self, task_id: str, from_s: float = -np.inf, to_s: float = np.inf) -> Iterator[Columns]:
        """The same some rows at a time: there are millions in a day."""
        with self._reading.connect() as connection:
            yield from in_turn(connection, _rows(SIGHTINGS, list(SIGHTINGS.c), task_id, from_s, to_s))

    def boxes(self, task: WatchedTask, from_s: float, to_s: float) -> Columns:
        """Who was in which box in a settled task, within a short time on the site's clock, found without a search."""
        low_ms, high_ms = (int(np.floor(1000.0 * (t_s + task.zero_utc_s))) for t_s in (from_s, to_s))
        wanted = select(
            *(SIGHTINGS.c[name] for name in ("camera", "t_s", "identity", "x1_px", "y1_px", "x2_px", "y2_px"))
        )
        mine = wanted.where(SIGHTINGS.c.task_id == task.task_id, SIGHTINGS.c.utc_ms.between(low_ms, high_ms))
        with self._reading.connect() as connection:
            return fetched(connection, mine.where(SIGHTINGS.c.t_s >= from_s, SIGHTINGS.c.t_s < to_s))

    def places(self, task_id: str, from_s: float = -np.inf, to_s: float = np.inf) -> Columns:
        """Where everybody went in a task, oldest first, within a time on the site's clock."""
        with self._reading.connect() as connection:
            return fetched(connection, _rows(PLACES, _PLACE, task_id, from_s, to_s))

    def places_in_turn(self, task_id: str, from_s: float = -np.inf, to_s: float = np.inf) -> Iterator[Columns]:
        """The same some rows at a time."""
        with self._reading.connect() as connection:
            yield from in_turn(connection, _rows(PLACES, _PLACE, task_id, from_s, to_s))

    def spells(
        self, task_id: str, from_s: float = -np.inf, to_s: float = np.inf, cuts_s: Collection[float] = ()
    ) -> Columns:
        """By identity and camera, and before and after each of ``cuts_s``: how many sightings, the first, the last."""
        at = SIGHTINGS.c.t_s
        after = sum((case((at >= cut, 1), else_=0) for cut in cuts_s), literal(0))
        key = SIGHTINGS.c.identity, SIGHTINGS.c.camera, after.label("n_cuts_before")
        counts = func.count().label("n"), func.min(at).label("first_s"), func.max(at).label("last_s")
        mine = select(*key, *counts).where(SIGHTINGS.c.task_id == task_id, _within(SIGHTINGS, from_s, to_s))
        with self._reading.connect() as connection:
            return fetched(connection, mine.group_by(SIGHTINGS.c.identity, SIGHTINGS.c.camera, text("n_cuts_before")))

    def identities(self, task_ids: Collection[str]) -> Columns:
        """Who was found in some tasks."""
        with self._reading.connect() as connection:
            wanted = select(IDENTITIES).where(IDENTITIES.c.task_id.in_(task_ids))
            return fetched(connection, wanted.order_by(IDENTITIES.c.task_id, IDENTITIES.c.number))

    def counts(self) -> dict[str, int]:
        """How many rows of each sort are kept."""
        with self._reading.connect() as connection:
            return {
                table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
                for table in (WATCHED_TASKS, IDENTITIES, SIGHTINGS, PLACES)
            }

    def with_identity(self, identity: str) -> list[tuple[str, int]]:
        """Tasks and numbers under which an identity was found."""
        wanted = select(IDENTITIES.c.task_id, IDENTITIES.c.number).where(IDENTITIES.c.id == identity)
        with self._reading.connect() as connection:
            return [(row.task_id, row.number) for row in connection.execute(wanted)]

    def online(self, task_id: str) -> Columns:
        """Who those named at once turned out to be: how many sightings of each became whose."""
        with self._reading.connect() as connection:
            return fetched(connection, select(ONLINE_IDENTITIES).where(ONLINE_IDENTITIES.c.task_id == task_id))

    def erase(self, task_id: str, number: int, from_s: float = -np.inf, to_s: float = np.inf) -> None:
        """Removes what was seen of an identity of a task between two times; all of it: the identity, too."""
        is_all = from_s == -np.inf and to_s == np.inf
        with self._engine.begin() as connection:
            for table in _LARGE:
                mine = (table.c.task_id == task_id) & (table.c.identity == number) & _within(table, from_s, to_s)
                connection.execute(delete(table).where(mine))
            for small in (IDENTITIES, ONLINE_IDENTITIES) if is_all else ():
                connection.execute(delete(small).where(small.c.task_id == task_id, small.c.number == number))

    def forget(self, task_id: str) -> None:
        """Removes all that was seen in a task, and the task."""
        with self._engine.begin() as connection:
            self._forget(connection, [task_id])

    def forget_before(self, utc_s: float) -> list[str]:
        """Removes tasks of which nothing was written down since; which they were."""
        with self._engine.begin() as connection:
            old = select(WATCHED_TASKS.c.task_id).where(WATCHED_TASKS.c.noted_utc_s < utc_s)
            gone = list(connection.execute(old).scalars())
            self._forget(connection, gone)
        return gone

    def _forget(self, connection: Connection, task_ids: list[str]) -> None:
        if not task_ids:
            return
        for table in (*_LARGE, IDENTITIES, ONLINE_IDENTITIES, WATCHED_TASKS):
            connection.execute(delete(table).where(table.c.task_id.in_(task_ids)))
        for table in _LARGE:
            drop_empty_rooms(connection, table.name)

    def _put(self, table: Any, task: WatchedTask, rows: pa.Table) -> None:
        """Adds rows of a task, some at a time, with what all of them have."""
        utc_ms = pc.cast(pc.floor(pc.multiply(pc.add(rows["t_s"], task.zero_utc_s), 1000.0)), pa.int64())
        full = rows.append_column("utc_ms", utc_ms)
        full = full.append_column("task_id", pa.array([task.task_id] * len(rows), pa.string()))
        for first in range(0, len(full), _AT_ONCE):
            some = full.slice(first, _AT_ONCE)
            with self._engine.begin() as connection:
                ends = pc.min_max(some["utc_ms"]).as_py()
                make_rooms(connection, table.name, ends["min"], ends["max"])
                put(connection, table, some)

    def _tasks(self, condition: Any) -> list[WatchedTask]:
        wanted = select(WATCHED_TASKS).where(condition).order_by(WATCHED_TASKS.c.asked_utc_s, WATCHED_TASKS.c.task_id)
        with self._reading.connect() as connection:
            rows = connection.execute(wanted).mappings()
            return [row_of(WatchedTask, {**row, "firsts": tuple(row["firsts"])}) for row in rows]


def _rows(table: Any, wanted: Sequence[Any], task_id: str, from_s: float, to_s: float) -> Select[Any]:
    """Rows of a task, oldest first."""
    mine = select(*wanted).where(table.c.task_id == task_id, _within(table, from_s, to_s))
    return mine.order_by(table.c.utc_ms)


def _of(site: str) -> Any:
    return WATCHED_TASKS.c.site == site


def _within(table: Any, from_s: float, to_s: float) -> Any:
    """Rows from one time on until before another; infinite ones say nothing."""
    after = table.c.t_s >= from_s if np.isfinite(from_s) else table.c.task_id == table.c.task_id
    return after & (table.c.t_s < to_s) if np.isfinite(to_s) else after
