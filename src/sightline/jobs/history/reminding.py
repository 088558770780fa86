"""Whom an earlier task over the same recordings, put right by people, found in which box; told again while it runs."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from jaxtyping import Int
from sqlalchemy.exc import SQLAlchemyError

from sightline.analysis.corrected import People
from sightline.errors import StoreError, UnknownError
from sightline.geometry.boxes import iou
from sightline.jobs.history.carrying import LEAST, SAME, put_right, slots
from sightline.jobs.history.noting import task_of
from sightline.jobs.history.story import Chronicle, Seen, Span
from sightline.jobs.kinds.kind import Task
from sightline.jobs.sites import messages
from sightline.jobs.sites.recognizing import Person
from sightline.model.arrays import Boxes
from sightline.model.history import Correction, WatchedTask
from sightline.model.site import Site
from sightline.model.tracks import Tracks
from sightline.stores.sql.database import database_at
from sightline.stores.sql.jobs import Jobs

_AT_ONCE_S: Final = 5.0
"""So much of the earlier task is in memory; then it is also looked what was put right meanwhile."""
_RECENT: Final = 2 * LEAST - 1
"""Boxes of a track that count: the most of them decide, so that who is split becomes another soon."""
_BOX: Final = ("x1_px", "y1_px", "x2_px", "y2_px")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Boxes:
    """N boxes of one camera, by slot, and by row who is in them."""

    slot: Int[np.ndarray, " n"]
    xyxy_px: Boxes
    person: Int[np.ndarray, " n"]

    def whose(self, slot: int, xyxy_px: Boxes) -> Int[np.ndarray, " m"]:
        """By box at a moment, who was in the one that is the same; -1: nobody."""
        low, high = np.searchsorted(self.slot, [slot, slot + 1])
        if low == high or not len(xyxy_px):
            return np.full(len(xyxy_px), -1)
        shared = iou(xyxy_px.astype(np.float64), self.xyxy_px[low:high])
        return np.where(shared.max(axis=1) >= SAME, self.person[low:high][shared.argmax(axis=1)], -1)


@final
class Reminder:
    """Tells of tracks whom they show, by the boxes of an earlier task. Asked moment by moment, oldest first.

    What people put right meanwhile, and who is forgotten, is known within seconds of the recording.
    """

    def __init__(self, chronicle: Chronicle, task: WatchedTask) -> None:
        """``task`` is the one under way."""
        self._chronicle, self._task = chronicle, task
        self._people = People((), {}, (), ())
        self._lasting: set[str] = set()
        self._said: dict[int, Person] = {}
        self._ends_s = -np.inf
        self._boxes: dict[str, _Boxes] = {}
        self._recent: dict[str, dict[int, tuple[str, ...]]] = {}

    def people(self, camera: str, t_s: float, tracks: Tracks) -> list[str | None]:
        """By track of a camera at a moment, the id of who it is; None: it is not known, or not yet."""
        if t_s >= self._ends_s:
            self._read(t_s)
        whose = [-1] * len(tracks)
        if camera in self._boxes:
            whose = self._boxes[camera].whose(int(slots(np.array([t_s]))[0]), tracks.xyxy_px).tolist()
        before, now = self._recent.get(camera, {}), dict[int, tuple[str, ...]]()
        for number, one in zip(tracks.number.tolist(), whose, strict=True):
            now[number] = (*before.get(number, ()), *([self._people.ids[one]] if one >= 0 else []))[-_RECENT:]
        self._recent[camera] = now
        return [_most(now[number]) for number in tracks.number.tolist()]

    def person(self, identity: str) -> Person | None:
        """Who that is among those whom somebody put right; None: somebody else."""
        return Person(identity, self._people.names.get(identity)) if identity in self._lasting else None

    def said(self) -> Mapping[int, Person]:
        """By number of identities of the task under way, who that is by what people said of them by now."""
        return self._said

    def _read(self, t_s: float) -> None:
        """Puts what is known from ``t_s`` on in place of what was; no boxes where the database is away."""
        self._ends_s, self._boxes = t_s + _AT_ONCE_S, {}
        try:
            held = self._chronicle.corrections.of(self._task.site)
            self._said = _said(held, self._task.task_id)
            found = put_right(self._chronicle, self._task)
            if found is None:
                self._lasting, self._recent = set(), {}
                return
            earlier, touched = found
            story = self._chronicle.story(Span(task_id=earlier.task_id))
            seen = self._chronicle.boxes(story, 0, t_s - 0.1, self._ends_s + 0.1)
        except (SQLAlchemyError, StoreError, UnknownError) as error:
            why = type(error).__name__
            _log.warning("task=%s earlier people not known from %.1f s on: %s", self._task.task_id, t_s, why)
            return
        gone = {one.identity for one in held if one.kind == "erase"}
        self._people, self._lasting = story.people, touched - gone
        if gone & {one for tracks in self._recent.values() for recent in tracks.values() for one in recent}:
            self._recent = {}
        cameras = seen.columns["camera"].astype(str)
        for camera in np.unique(cameras).tolist():
            self._boxes[camera] = _sorted(seen, (cameras == camera) & (seen.person >= 0))


def _said(held: Sequence[Correction], task_id: str) -> dict[int, Person]:
    """By number of a task, whom people named, or said to be somebody else."""
    became = {one.identity: one.becomes for one in held if one.kind == "merge"}
    called = {one.identity: one.name for one in held if one.kind == "rename"}
    found: dict[int, Person] = {}
    for identity, number in messages.numbers(task_id, became.keys() | called.keys()).items():
        who, passed = identity, {identity}
        while (other := became.get(who)) is not None and other not in passed:
            who = other
            passed.add(who)
        found[number] = Person(who, called.get(who) or None)
    return found


def _most(recent: tuple[str, ...]) -> str | None:
    """Who is in the most of some boxes; None: nobody is in enough of them."""
    most = max(recent, key=recent.count, default="")
    return most if recent.count(most) >= LEAST else None


def _sorted(seen: Seen, which: np.ndarray) -> _Boxes:
    rows = np.flatnonzero(which)
    rows = rows[np.argsort(seen.columns["t_s"][rows], kind="stable")]
    xyxy_px = np.column_stack([seen.columns[name][rows] for name in _BOX]).astype(np.float64)
    return _Boxes(slots(seen.columns["t_s"][rows]), xyxy_px, seen.person[rows])


@contextmanager
def reminded(task: Task, site: Site) -> Iterator[Reminder]:
    """Tells of a job that watches a site whom earlier tasks know.

    Raises:
        StoreError: the database cannot be reached.
    """
    engine = database_at(task.settings.database_url())
    try:
        asked_utc_s = Jobs(engine).get(task.job_id).created_utc_s
        yield Reminder(Chronicle(engine), task_of(site, task.job_id, asked_utc_s))
    finally:
        engine.dispose()
