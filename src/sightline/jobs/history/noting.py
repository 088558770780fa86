"""What was seen on a site, written down when a part of its recordings is done, and when it is settled who is who."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Int
from pyarrow import csv
from sqlalchemy import Engine

from sightline.errors import SourceError
from sightline.jobs.history.awaiting import settle_waiting
from sightline.jobs.history.carrying import carry_over
from sightline.jobs.history.story import Chronicle
from sightline.jobs.history.tally import Tally
from sightline.jobs.kinds.kind import Task
from sightline.jobs.sites import messages, running
from sightline.jobs.sites.rows import end_of
from sightline.model.history import WatchedTask
from sightline.model.site import Site
from sightline.stores.sql.bulk import columns
from sightline.stores.sql.database import database_at
from sightline.stores.sql.history import History
from sightline.stores.sql.jobs import Jobs

_PLACE_S = 0.2
"""Where everybody went is written down so often: nobody gets farther than half a metre meanwhile."""
_KEPT = ("moment", "t_s", "camera", "track", "score", "x_m", "y_m", "xx_m2", "xy_m2", "yy_m2")
_AT_ONCE = 65_536
"""Rows that are read at a time."""
_BOXES = {"left": "x1_px", "top": "y1_px", "right": "x2_px", "bottom": "y2_px"}
_SEEN = [*_KEPT, *_BOXES, "identity"]


def part_done(task: Task, site: Site, part: int, seen: Path) -> None:
    """Writes down what a job saw in a part of the recordings.

    Raises:
        StoreError: the database cannot be reached.
    """
    with _opened(task, site) as (engine, watched):
        history = History(engine)
        history.begin(watched)
        note_part(history, watched, part, seen)


def all_done(task: Task, site: Site, seen: Sequence[Path], length_s: float) -> None:
    """Writes down what a job settled; its folder holds what settling wrote.

    Raises:
        StoreError: the database cannot be reached.
    """
    with _opened(task, site) as (engine, watched):
        history = History(engine)
        history.begin(watched)
        note_end(history, replace(watched, ends_s=length_s), seen, task.folder)
        chronicle = Chronicle(engine)
        settle_waiting(chronicle, watched)
        carry_over(chronicle, watched)


@contextmanager
def _opened(task: Task, site: Site) -> Iterator[tuple[Engine, WatchedTask]]:
    engine = database_at(task.settings.database_url())
    try:
        yield engine, task_of(site, task.job_id, Jobs(engine).get(task.job_id).created_utc_s)
    finally:
        engine.dispose()


def note_run(engine: Engine, site: Site, folder: Path) -> WatchedTask:
    """Writes down what ``sightline run`` left in a folder; the task that it is noted as.

    Raises:
        SourceError: the folder holds no finished run.
    """
    seen = sorted(folder.glob("seen-*.parquet"), key=lambda path: int(path.stem.removeprefix("seen-")))
    if not seen or not (folder / "sightings.parquet").is_file() or not (folder / "paths.csv").is_file():
        raise SourceError(f"{folder} holds no finished run of a site; make one with sightline run")
    task = task_of(site, running.task_of(site, folder), (folder / "sightings.parquet").stat().st_mtime)
    history = History(engine)
    history.begin(task)
    note_end(history, task, seen, folder)
    carry_over(Chronicle(engine), task)
    return task


def task_of(site: Site, task_id: str, asked_utc_s: float) -> WatchedTask:
    """A task over a site's recordings, as it is written down; ``task_id`` without dashes."""
    return WatchedTask(
        task_id=task_id.replace("-", ""),
        site=site.id,
        footage=footage(site),
        begins_utc_s=site.begins_utc_s,
        asked_utc_s=asked_utc_s,
    )


def footage(site: Site) -> str:
    """Digest of which recordings a site has, of which cameras, on which clocks."""
    said = [[watch.id, list(watch.videos), watch.offset_s] for watch in site.watches]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def note_part(history: History, task: WatchedTask, part: int, seen: Path) -> None:
    """Writes down what was seen in part ``part``, under the identities that were given at once.

    Doing it again changes nothing.
    """
    history.note_part(task, part, (_noted(table, table["identity"]) for table in _read(seen, _SEEN)))


def note_end(history: History, task: WatchedTask, seen: Sequence[Path], folder: Path) -> None:
    """Writes down who turned out to be who, and where everybody went; ``folder`` holds what settling wrote.

    Doing it again changes nothing. Where nobody could be settled, since no camera has a place on the map, the
    identities that were given at once stay. Rows are read and written some at a time.
    """
    final = folder / "sightings.parquet"
    is_settled = any((one["identity"].to_numpy() > 0).any() for one in _read(final, ["identity"]))
    tally, numbers = Tally(), _Numbers(final)

    def counted(path: Path) -> Iterator[pa.Table]:
        for table in _read(path, _SEEN):
            online, settled = table["identity"].to_numpy(), numbers.take(len(table))
            number = settled if is_settled else online
            tally.add(online, number, table["moment"].to_numpy(), table["t_s"].to_numpy())
            yield _noted(table, pa.array(number))

    for part, path in enumerate(seen, start=1):
        history.note_part(task, part, counted(path))
    places = _places(folder / "paths.csv", task.task_id, tally.most)
    history.settle(_timed(task, seen, tally), places, tally.people(task.task_id), tally.became())


@final
class _Numbers:
    """The settled identities, in the order of rows."""

    def __init__(self, path: Path) -> None:
        self._tables, self._rest = _read(path, ["identity"]), np.zeros(0, np.int64)

    def take(self, n: int) -> Int[np.ndarray, " n"]:
        """The next ``n``."""
        while len(self._rest) < n:
            self._rest = np.append(self._rest, next(self._tables)["identity"].to_numpy())
        some, self._rest = self._rest[:n], self._rest[n:]
        return some


def _timed(task: WatchedTask, seen: Sequence[Path], tally: Tally) -> WatchedTask:
    """The task, with how its moments lie in time."""
    ends = [end_of(path) for path in seen]
    fps = tally.last_moment / tally.last_s if tally.last_s > 0 else None
    return replace(task, fps=fps, firsts=(0, *ends[:-1]), ends_s=ends[-1] / fps if fps else task.ends_s)


def _read(path: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Some columns of a file, some rows at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_AT_ONCE, columns=list(columns), use_threads=False):
            yield pa.Table.from_batches([batch])


def _noted(table: pa.Table, identity: pa.ChunkedArray | pa.Array) -> pa.Table:
    """Columns as the history has them."""
    kept = {name: table[name] for name in _KEPT} | {ours: table[theirs] for theirs, ours in _BOXES.items()}
    return pa.table(kept | {"online": table["identity"], "identity": identity})


def _places(paths: Path, task_id: str, n_people: int) -> Iterator[pa.Table]:
    """The first place of everybody in every fifth of a second."""
    kinds = {"global_id": pa.string(), "t_s": pa.float64(), "x_m": pa.float64(), "y_m": pa.float64()}
    wanted = csv.ConvertOptions(include_columns=[*kinds, "n_cameras"], column_types=kinds | {"n_cameras": pa.int64()})
    names = pa.array([messages.identity(task_id, number) for number in range(n_people + 1)], pa.string())
    newest = np.full(n_people + 1, np.iinfo(np.int64).min)
    with csv.open_csv(paths, read_options=csv.ReadOptions(use_threads=False), convert_options=wanted) as rows:
        for batch in rows:
            number = pc.fill_null(pc.index_in(batch["global_id"], names), 0).to_numpy().astype(np.int64)
            slot = np.floor(batch["t_s"].to_numpy() / _PLACE_S).astype(np.int64)
            _, first = np.unique(np.column_stack([number, slot]), axis=0, return_index=True)
            first = first[slot[first] > newest[number[first]]]  # the piece before may have had this fifth, too
            np.maximum.at(newest, number[first], slot[first])
            places = {name: batch[name] for name in ("t_s", "x_m", "y_m", "n_cameras")}
            yield columns(identity=number, **places).take(pa.array(first))
