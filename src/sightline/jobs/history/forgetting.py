"""Forgetting: people everywhere, what is old, and files that were handed out."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv
from sqlalchemy import Engine

from sightline.analysis.corrected import Found, people
from sightline.errors import ConflictError
from sightline.jobs.history.awaiting import under_way
from sightline.jobs.history.story import current
from sightline.jobs.sites import messages, ways
from sightline.model.artifact import Artifact
from sightline.model.history import Correction
from sightline.model.job import OPEN, Job, JobState
from sightline.stores.artifacts import Artifacts
from sightline.stores.sql.artifacts import ArtifactRecords
from sightline.stores.sql.corrections import Corrections
from sightline.stores.sql.history import History
from sightline.stores.sql.jobs import Jobs

EXPORTS = ("export", "overlay")
"""Kinds of jobs that hand out files of the history."""
_MOST_JOBS = 10_000
_log = logging.getLogger(__name__)
Piece = tuple[int, float, float]
"""A number that somebody was found under in a task, and since when and until when it was them."""


@final
class Forgetting:
    """Removes what is to be forgotten. Everything may be done again after it was broken off."""

    def __init__(self, engine: Engine, artifacts: Artifacts) -> None:
        self._history, self._corrections = History(engine), Corrections(engine)
        self._jobs, self._files, self._artifacts = Jobs(engine), ArtifactRecords(engine), artifacts

    def erase(self, erasure: Correction) -> None:
        """Removes everything of a person: rows, places, names, and their part of all files; exports go as a whole.

        Raises:
            StoreError: kept files cannot be read or written.
        """
        tasks = self._history.tasks(erasure.site)
        held = self._corrections.of(erasure.site)
        self._drop_exports(erasure.site, [task.task_id for task in tasks])
        for task in tasks:
            pieces = self._pieces(task.task_id, erasure, held)
            if pieces:
                self._rewrite(task.task_id, pieces)
            for number, from_s, to_s in pieces:
                self._history.erase(task.task_id, number, from_s, to_s)
        self._forget_names(erasure.site, [erasure.identity])
        self._corrections.note_done(erasure.id)

    def tidy(self, now_utc_s: float, keep_days: float | None, export_hours: float) -> None:
        """Removes what is too old or half removed.

        Raises:
            StoreError: kept files cannot be read or written.
        """
        self.finish()
        self.forget_abandoned()
        self.expire(now_utc_s - 3600.0 * export_hours)
        if keep_days is not None:
            self.forget_before(now_utc_s - 24 * 3600.0 * keep_days)

    def finish(self) -> int:
        """Goes on with erasures that were broken off; how many there were."""
        waiting = [one for one in self._corrections.of() if one.kind == "erase" and not one.is_done]
        for erasure in waiting:
            self.erase(erasure)
        return len(waiting)

    def forget_task(self, task_id: str) -> None:
        """Removes all that is kept of a task: its history, its files, and exports of it.

        Raises:
            UnknownError: nothing is known of it.
            ConflictError: it is under way.
        """
        task = self._history.task(task_id)
        if self._jobs.standing(task_id)[0] in OPEN:
            raise ConflictError(f"task {task_id} is under way; cancel it first")
        self._history.forget(task_id)
        self._forget_files([task_id], task.site)

    def forget_before(self, utc_s: float) -> int:
        """Removes tasks of which nothing was written down since a moment; how many those were."""
        sites = {task.task_id: task.site for task in self._history.tasks()}
        gone = self._history.forget_before(utc_s)
        for task_id in gone:
            self._forget_files([task_id], sites.get(task_id))
        return len(gone)

    def forget_abandoned(self) -> None:
        """Removes what was seen in tasks that will never be settled: nobody will take them up again."""
        for task in self._history.unsettled():
            if self._jobs.standing(task.task_id)[0] in {None, JobState.CANCELLED}:
                self._history.forget(task.task_id)
                self._forget_names(task.site)

    def expire(self, before_utc_s: float) -> None:
        """Removes exported files of exports that were done before a moment."""
        for job_id in {file.job_id for file in self._files.of_ended_jobs(EXPORTS, before_utc_s) if file.job_id}:
            self._delete_files(job_id)

    def _pieces(self, task_id: str, erasure: Correction, held: Sequence[Correction]) -> list[Piece]:
        """Under which numbers a person is in a task, and when, by all that held before the erasure."""
        found = self._history.identities([task_id])
        before = [one for one in held if one.created_utc_s <= erasure.created_utc_s and one.kind != "erase"]
        everybody = people(found["id"].tolist(), [task_id], before)
        if erasure.identity not in everybody.ids:
            return []
        edges = np.array([-np.inf, *sorted(everybody.cuts_s(task_id)), np.inf])
        place = {identity: number for number, identity in enumerate(everybody.ids)}
        which = np.array([place[identity] for identity in found["id"].tolist()], np.int64)
        n = len(edges) - 1
        t_s = np.tile(np.where(np.isfinite(edges[:-1]), edges[:-1], -1e300), len(which))
        who = everybody.of(Found(np.zeros(len(t_s), np.int64), t_s, np.repeat(which, n)))
        mine = np.flatnonzero(who == place[erasure.identity])
        number = np.repeat(found["number"], n)[mine].tolist()
        return [
            (k, float(edges[at % n]), float(edges[at % n + 1])) for k, at in zip(number, mine.tolist(), strict=True)
        ]

    def _rewrite(self, task_id: str, pieces: Sequence[Piece]) -> None:
        """Leaves a person out of the files that came of a task."""
        for file in self._files.page(limit=500, job_id=task_id):
            if file.name not in {"sightings.parquet", "paths.csv"}:
                continue
            with TemporaryDirectory() as folder, self._artifacts.path(file.key) as path:
                fresh = Path(folder) / file.name
                if file.name == "paths.csv":
                    _rewrite_paths(path, fresh, [messages.identity(task_id, one) for one, _, _ in pieces], pieces)
                else:
                    _rewrite_sightings(path, fresh, pieces)
                stored = self._artifacts.put(fresh)
            self._files.replace(replace(file, key=stored.key, n_bytes=stored.n_bytes))
            self._let_go([file])

    def _forget_files(self, task_ids: Sequence[str], site: str | None) -> None:
        for task_id in task_ids:
            self._delete_files(task_id)
        if site is not None:
            self._drop_exports(site, task_ids)
            self._forget_names(site)

    def _drop_exports(self, site: str, task_ids: Collection[str]) -> None:
        """Removes exported files that may hold what is to be forgotten, and ends those that are being made."""
        for job in self._exports():
            if job.params.get("site") == site or job.params.get("task_id") in task_ids:
                if job.state in OPEN:
                    try:
                        self._jobs.ask_cancel(job.id)
                    except ConflictError:
                        _log.info("job=%s ended meanwhile", job.id)
                self._delete_files(job.id)

    def _forget_names(self, site: str, identities: Collection[str] = ()) -> None:
        """Removes names of these, and of people who are not there any more; where nobody is, all corrections."""
        tasks, held = self._history.tasks(site), self._corrections.of(site, undone=True)
        alive = current(self._history.identities([task.task_id for task in tasks]), tasks, self._corrections.of(site))
        waiting = under_way(self._jobs, {name for one in held for name in (one.identity, one.becomes) if name})
        kept = [one for one in held if one.identity not in waiting and one.becomes not in waiting]
        names = [
            one.id for one in kept if one.kind == "rename" and (one.identity not in alive or one.identity in identities)
        ]
        self._corrections.forget(names if tasks else [one.id for one in kept if one.kind != "erase" or one.is_done])

    def _exports(self) -> list[Job]:
        return [job for kind in EXPORTS for job in self._jobs.page(limit=_MOST_JOBS, kind=kind)]

    def _delete_files(self, job_id: str) -> None:
        files = self._files.page(limit=500, job_id=job_id)
        self._files.delete_of_job(job_id)
        self._let_go(files)

    def _let_go(self, files: Sequence[Artifact]) -> None:
        """Removes bytes that no kept file has any more, at once."""
        for key in self._files.unused([file.key for file in files]):
            self._artifacts.delete(key)


def _rewrite_paths(path: Path, fresh: Path, names: Sequence[str | None], pieces: Sequence[Piece]) -> None:
    """Writes what of everybody's ways is not a person's, some rows at a time."""
    kinds = csv.ConvertOptions(column_types=ways.SCHEMA)
    alone = csv.ReadOptions(use_threads=False)
    with (
        csv.open_csv(path, read_options=alone, convert_options=kinds) as rows,
        csv.CSVWriter(str(fresh), rows.schema) as out,
    ):
        for batch in rows:
            out.write_table(_without(pa.Table.from_batches([batch]), "global_id", names, pieces))


def _rewrite_sightings(path: Path, fresh: Path, pieces: Sequence[Piece]) -> None:
    """Writes the sightings that are not a person's, some rows at a time."""
    with pq.ParquetFile(path) as rows, pq.ParquetWriter(fresh, rows.schema_arrow, compression="zstd") as out:
        for batch in rows.iter_batches(use_threads=False):
            table = pa.Table.from_batches([batch])
            out.write_table(_without(table, "identity", [one for one, _, _ in pieces], pieces))


def _without(table: pa.Table, column: str, names: Sequence[object], pieces: Sequence[Piece]) -> pa.Table:
    """The rows that are not a person's; ``names`` are what the pieces are called in ``column``."""
    gone = np.zeros(len(table), bool)
    t_s = table["t_s"].to_numpy()
    for name, (_, from_s, to_s) in zip(names, pieces, strict=True):
        same = pc.fill_null(pc.equal(table[column], pa.scalar(name)), False).to_numpy(zero_copy_only=False)
        gone |= same & (t_s >= from_s) & (t_s < to_s)
    return table.filter(pa.array(~gone))
