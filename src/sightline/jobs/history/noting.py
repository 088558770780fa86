"""What was seen on a site, written down when a part of its recordings is done, and when it is settled who is who."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Int
from pyarrow import csv
from sqlalchemy import Engine

from sightline.errors import SourceError
from sightline.jobs.history.awaiting import settle_waiting
from sightline.jobs.history.carrying import carry_over
from sightline.jobs.history.story import Chronicle
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
_BOXES = {"left": "x1_px", "top": "y1_px", "right": "x2_px", "bottom": "y2_px"}


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
    table = pq.read_table(seen, columns=[*_KEPT, *_BOXES, "identity"])
    history.note_part(task, part, _noted(table, table["identity"]))


def note_end(history: History, task: WatchedTask, seen: Sequence[Path], folder: Path) -> None:
    """Writes down who turned out to be who, and where everybody went; ``folder`` holds what settling wrote.

    Doing it again changes nothing. Where nobody could be settled, since no camera has a place on the map, the
    identities that were given at once stay.
    """
    final = pq.read_table(folder / "sightings.parquet", columns=["identity", "t_s"])
    settled = final["identity"].to_numpy()
    online = np.concatenate([pq.read_table(path, columns=["identity"])["identity"].to_numpy() for path in seen])
    number = settled if (settled > 0).any() else online
    first = 0
    for part, path in enumerate(seen, start=1):
        table = pq.read_table(path, columns=[*_KEPT, *_BOXES, "identity"])
        history.note_part(task, part, _noted(table, pa.array(number[first : first + len(table)])))
        first += len(table)
    t_s = final["t_s"].to_numpy()
    places = _places(folder / "paths.csv", task.task_id, int(number.max(initial=0)))
    history.settle(_timed(task, seen), places, _people(task.task_id, number, t_s), _became(online, number))


def _timed(task: WatchedTask, seen: Sequence[Path]) -> WatchedTask:
    """The task, with how its moments lie in time."""
    ends = [end_of(path) for path in seen]
    moments = pa.concat_tables([pq.read_table(path, columns=["moment", "t_s"]) for path in seen])
    last = int(np.argmax(moments["moment"].to_numpy())) if len(moments) else -1
    t_s = float(moments["t_s"][last].as_py()) if len(moments) else 0.0
    fps = moments["moment"][last].as_py() / t_s if t_s > 0 else None
    return replace(task, fps=fps, firsts=(0, *ends[:-1]), ends_s=ends[-1] / fps if fps else task.ends_s)


def _noted(table: pa.Table, identity: pa.ChunkedArray | pa.Array) -> pa.Table:
    """Columns as the history has them."""
    kept = {name: table[name] for name in _KEPT} | {ours: table[theirs] for theirs, ours in _BOXES.items()}
    return pa.table(kept | {"online": table["identity"], "identity": identity})


def _people(task_id: str, number: Int[np.ndarray, " n"], t_s: np.ndarray) -> pa.Table:
    """Everybody, with since when and until when they were seen."""
    rows = np.flatnonzero(number > 0)
    order = rows[np.lexsort((t_s[rows], number[rows]))]
    who, first, count = np.unique(number[order], return_index=True, return_counts=True)
    return columns(
        number=who,
        id=pa.array([messages.identity(task_id, one) for one in who.tolist()], pa.string()),
        first_s=t_s[order][first],
        last_s=t_s[order][first + count - 1],
        n_sightings=count,
    )


def _became(online: Int[np.ndarray, " n"], number: Int[np.ndarray, " n"]) -> pa.Table:
    """How many sightings of whom, as said at once, turned out to be whose."""
    both = (online > 0) & (number > 0)
    pairs, count = np.unique(np.column_stack([online[both], number[both]]), axis=0, return_counts=True)
    return columns(online=pairs[:, 0], number=pairs[:, 1], n_sightings=count)


def _places(paths: Path, task_id: str, n_people: int) -> pa.Table:
    """The first place of everybody in every fifth of a second."""
    kinds = {"global_id": pa.string(), "t_s": pa.float64(), "x_m": pa.float64(), "y_m": pa.float64()}
    table = csv.read_csv(
        paths,
        convert_options=csv.ConvertOptions(
            include_columns=[*kinds, "n_cameras"], column_types=kinds | {"n_cameras": pa.int64()}
        ),
    )
    names = {messages.identity(task_id, number): number for number in range(1, n_people + 1)}
    codes = table["global_id"].combine_chunks().dictionary_encode()
    known = np.array([names.get(one, -1) for one in codes.dictionary.to_pylist()], np.int64)
    number = known[codes.indices.to_numpy()] if len(table) else np.zeros(0, np.int64)
    slot = np.floor(table["t_s"].to_numpy() / _PLACE_S).astype(np.int64)
    _, first = np.unique(np.column_stack([number, slot]), axis=0, return_index=True)
    return columns(
        identity=number, **{name: table[name] for name in ("t_s", "x_m", "y_m", "n_cameras")}
    ).take(pa.array(first))  # fmt: skip
