"""Corrections carried over to a later task over the same recordings: whoever stands in the same boxes is the same."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.geometry.boxes import areas
from sightline.jobs.history.story import Chronicle, Seen, Span, Story
from sightline.model.arrays import Boxes
from sightline.model.history import Correction, WatchedTask
from sightline.stores.sql.history import Columns

OWNER = "earlier task"
"""Who carried corrections are by."""
_SLOTS_HZ = 10
_MANY, _EVERY = 200_000, 5
"""Of more boxes than this, it is enough to look at every fifth moment."""
_AT_ONCE_S = 300.0
"""So much of both tasks is in memory."""
SAME = 0.5
"""Boxes that share so much of their joint area show the same."""
LEAST = 3
"""So many boxes must be the same, and most of those that are anybody's."""


def carry_over(chronicle: Chronicle, task: WatchedTask) -> list[Correction]:
    """Corrections that have the people of ``task`` be those that they were put right to be in an earlier one.

    People whom nobody corrected keep the ids that they have. They are kept before they are returned.
    """
    found = put_right(chronicle, task)
    if found is None:
        return []
    earlier, touched = found
    before, now = (chronicle.story(Span(task_id=one.task_id)) for one in (earlier, task))
    cuts_s = sorted(set(before.people.cuts_s(earlier.task_id)))
    same = _same(_beside(chronicle, before, now), np.array(cuts_s), _every(chronicle, earlier, task))
    return [chronicle.corrections.add(one) for one in _carried(before, now, same, touched, cuts_s)]


def put_right(chronicle: Chronicle, task: WatchedTask) -> tuple[WatchedTask, set[str]] | None:
    """The newest earlier task over the same recordings, and ids of all whom somebody put right; None: nobody did."""
    earlier = [one for one in chronicle.history.tasks(task.site) if one.footage == task.footage]
    earlier = [one for one in earlier if one.task_id != task.task_id and one.asked_utc_s <= task.asked_utc_s]
    held = [one for one in chronicle.corrections.of(task.site) if one.kind != "erase"]
    touched = {name for one in held for name in (one.identity, one.becomes) if name is not None}
    return (earlier[-1], touched) if earlier and held else None


def slots(t_s: Float[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Numbers of moments: what is within a tenth of a second is of one, whatever the rates of the two tasks."""
    return np.floor(t_s * _SLOTS_HZ + 1e-6).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """Who stood in the same boxes how often, between the cuts; sorted by person, then time."""

    person: Int[np.ndarray, " k"]
    span: Int[np.ndarray, " k"]
    was: Int[np.ndarray, " k"]


def _beside(chronicle: Chronicle, before: Story, now: Story) -> Iterator[tuple[Seen, Seen]]:
    """What was seen in the one task of each story, some minutes at a time."""
    ends_s = max(story.tasks[0].ends_s for story in (before, now))
    for begin_s in np.arange(0.0, ends_s + 1.0, _AT_ONCE_S).tolist():
        there, here = (chronicle.boxes(story, 0, begin_s, begin_s + _AT_ONCE_S) for story in (before, now))
        yield there, here


def _every(chronicle: Chronicle, *tasks: WatchedTask) -> int:
    """The moments that are looked at: each one, or one in so many."""
    several = (chronicle.history.identities([task.task_id])["n_sightings"].sum() for task in tasks)
    return _EVERY if max(several) > _MANY else 1


def _same(beside: Iterable[tuple[Seen, Seen]], cuts_s: Float[np.ndarray, " c"], every: int) -> _Same:
    """Of everybody now and every time between cuts, whom most of the same boxes showed before."""
    total = Counter[tuple[int, int, int]]()
    for before, now in beside:
        each, count = np.unique(_pairs(before, now, cuts_s, every), axis=0, return_counts=True)
        total.update(dict(zip(map(tuple, each.tolist()), count.tolist(), strict=True)))
    rows = np.array([(*triple, n) for triple, n in sorted(total.items())], np.int64).reshape(-1, 4)
    each, count = rows[:, :3], rows[:, 3]
    pair, whose = np.unique(each[:, :2], axis=0, return_inverse=True)
    of_pair = np.bincount(whose.reshape(-1), count, len(pair))
    most = (count >= LEAST) & (2 * count > of_pair[whose.reshape(-1)])
    return _Same(each[most, 0], each[most, 1], each[most, 2])


def _pairs(before: Seen, now: Seen, cuts_s: Float[np.ndarray, " c"], every: int) -> Int[np.ndarray, "k 3"]:
    """Of each two boxes that are the same: who is in it now, between which cuts, and who was before."""
    rows, others = _meeting(before.columns, now.columns, before.person >= 0, now.person >= 0, every)
    boxes = "x1_px", "y1_px", "x2_px", "y2_px"
    there, here = (
        np.column_stack([seen.columns[name] for name in boxes])[which]
        for seen, which in ((before, rows), (now, others))
    )
    fits = _iou(there, here) >= SAME
    rows, others = rows[fits], others[fits]
    span = np.searchsorted(cuts_s, before.columns["t_s"][rows], side="right")
    return np.column_stack([now.person[others], span, before.person[rows]])


def _meeting(
    before: Columns, now: Columns, known_before: Bool[np.ndarray, " n"], known_now: Bool[np.ndarray, " m"], every: int
) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    """Rows of both that are of one camera and one moment, every with every."""
    cameras = {name: number for number, name in enumerate(np.unique(before["camera"].astype(str)).tolist())}
    keys = []
    for columns, known in ((before, known_before), (now, known_now)):
        slot = slots(columns["t_s"])
        camera = np.array([cameras.get(name, -1) for name in columns["camera"].tolist()], np.int64)
        wanted = known & (slot % every == 0) & (camera >= 0)
        keys.append((np.flatnonzero(wanted), (slot * len(cameras) + camera)[wanted]))
    (rows, key), (others, other_key) = keys
    order = np.argsort(key, kind="stable")
    low, high = (np.searchsorted(key[order], other_key, side) for side in ("left", "right"))
    count = high - low
    ends = np.cumsum(count)
    place = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - count, count) + np.repeat(low, count)
    return rows[order][place], np.repeat(others, count)


def _carried(before: Story, now: Story, same: _Same, touched: set[str], cuts_s: list[float]) -> list[Correction]:
    """Splits first, then who becomes whom."""
    site, task_id = now.tasks[0].site, now.tasks[0].task_id
    splits, merges = list[Correction](), list[Correction]()
    for person in np.unique(same.person).tolist():
        mine = np.flatnonzero(same.person == person)
        identity, was = now.people.ids[person], -1
        for span, other in zip(same.span[mine].tolist(), same.was[mine].tolist(), strict=True):
            if was not in {-1, other}:
                number = uuid4()
                cut = {"kind": "split", "identity": identity, "becomes": str(number), "at_s": cuts_s[span - 1]}
                splits.append(Correction(id=number.hex, site=site, task_id=task_id, owner=OWNER, **cut))
                identity, was = str(number), -1
            known = before.people.ids[other]
            if was != other and known in touched and known != identity:
                merges.append(
                    Correction(id=uuid4().hex, site=site, kind="merge", identity=identity, becomes=known, owner=OWNER)
                )
            was = other
    return [*splits, *merges]


def _iou(a_px: Boxes, b_px: Boxes) -> Float[np.ndarray, " n"]:
    """Of each box with the one in the same row."""
    both = np.concatenate([np.maximum(a_px[:, :2], b_px[:, :2]), np.minimum(a_px[:, 2:], b_px[:, 2:])], axis=1)
    shared = areas(both)
    return shared / np.maximum(areas(a_px) + areas(b_px) - shared, 1e-9)
