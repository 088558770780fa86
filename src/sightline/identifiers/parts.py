"""Long recordings cut into parts that overlap, and the identities of the parts made one again.

Memory then grows with the length of a part. Who is away for less than the overlap is in one part before and after.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, final, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.estimation.assignment import assigned_sparse
from sightline.identifiers.moments import Glances, in_between, known, looked_at, stand_in
from sightline.model.identities import NOBODY, Identities, Sightings, Trajectories

Late = Float[np.ndarray, " c"] | None
PART_S, OVERLAP_S = 2400.0, 1200.0
_SHARED = 0.5
"""Of the sightings of either that two identities have in common in the overlap, to be one."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a recording; what it says counts between ``from_s`` and ``until_s``."""

    begin_s: float
    """When it begins."""
    end_s: float
    """When it ends."""
    from_s: float
    """The middle of its overlap with the one before; minus infinity for the first."""
    until_s: float
    """The middle of its overlap with the one after; infinity for the last."""

    def holds(self, t_s: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """What it is to look at; all that is before the first one or after the last is theirs."""
        return (t_s >= min(self.begin_s, self.from_s)) & (t_s <= max(self.end_s, self.until_s))

    def counts(self, t_s: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """Where its answer is the one that is given."""
        return (t_s >= self.from_s) & (t_s < self.until_s)


def parts(first_s: float, last_s: float) -> Iterator[Part]:
    """The parts of a recording, in order; a short one is one part. The last is not longer than the others."""
    step_s, begin_s, from_s = PART_S - OVERLAP_S, first_s, -np.inf
    while begin_s + PART_S < last_s:
        until_s = begin_s + step_s + OVERLAP_S / 2
        yield Part(begin_s, begin_s + PART_S, from_s, until_s)
        begin_s, from_s = begin_s + step_s, until_s
    yield Part(begin_s, last_s, from_s, np.inf)


def linked(
    before: Int[np.ndarray, " n"], after: Int[np.ndarray, " n"], n_after: int, first_new: int
) -> Int[np.ndarray, " k"]:
    """For each number of the later part, from 0 to ``n_after``, the number that it had; new ones from ``first_new``.

    ``before`` and ``after`` are what both parts say of the sightings in their overlap. 0 stays 0; no two become one.
    """
    both = (before != NOBODY) & (after != NOBODY)
    pairs, count = np.unique(np.column_stack([before[both], after[both]]), axis=0, return_counts=True)
    of_before = np.bincount(before[before > 0], minlength=first_new)
    of_after = np.bincount(after[after > 0], minlength=n_after + 1)
    alike = count > _SHARED * np.minimum(of_before[pairs[:, 0]], of_after[pairs[:, 1]])
    pairs, count = pairs[alike], count[alike]
    was, now = assigned_sparse(pairs[:, 0], pairs[:, 1], -count.astype(float), 0.0)
    number = np.full(n_after + 1, -1)
    number[0], number[now] = 0, was
    new = np.flatnonzero(number < 0)
    number[new] = first_new + np.arange(len(new))
    return number


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What is looked at of a part."""

    sightings: Sightings
    """Those in the pictures that are looked at, with a place; what they look like is told by ``glances``."""
    glances: Glances
    """What they look like, or sightings of the same track just after that are not looked at."""
    row: Int[np.ndarray, " n"]
    """Row of each in the recording, rising."""
    middle_m: Float[np.ndarray, " 2"]
    """Median of all places in the part, looked at or not."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Sightings of a part, and those of its tracks ``AROUND_S`` before and after."""

    row: Int[np.ndarray, " n"]
    """Row of each in the recording, rising."""
    camera: Int[np.ndarray, " n"]
    """Index of the camera."""
    track: Int[np.ndarray, " n"]
    """Number of the track within its camera; -1: a bare detection."""
    t_s: Float[np.ndarray, " n"]
    """When."""
    inner: Bool[np.ndarray, " n"]
    """Which are not there for the others alone."""


@runtime_checkable
class Recording(Protocol):
    """The sightings of all cameras, rows counted from 0; they need not be in memory together."""

    def spell(self) -> tuple[float, float] | None:
        """Since when and until when sightings have a place; None: none has."""
        ...

    def looked_at(self, part: Part) -> Looked:
        """What is looked at of a part."""
        ...

    def pieces(self, part: Part) -> Iterator[Piece]:
        """All sightings of a part, each inside one piece."""
        ...


@final
class Whole:
    """A recording that is in memory, in any order."""

    def __init__(self, sightings: Sightings) -> None:
        self._all = sightings
        self._placed = np.isfinite(sightings.xy_enu_m).all(axis=1) & np.isfinite(sightings.t_s)

    def spell(self) -> tuple[float, float] | None:
        """Since when and until when sightings have a place; None: none has."""
        t_s = self._all.t_s[self._placed]
        return (float(t_s.min()), float(t_s.max())) if len(t_s) else None

    def looked_at(self, part: Part) -> Looked:
        """What is looked at of a part."""
        row = np.flatnonzero(self._placed & part.holds(self._all.t_s))
        middle_m = middle(self._all.xy_enu_m[row])
        taken = Taken(*(column[row] for column in (self._all.t_s, self._all.camera, self._all.track)))
        taken.add(0, self._all.look[row])
        row = row[taken.shown]
        return Looked(self._all.rows(row), taken.glances(), row, middle_m)

    def pieces(self, part: Part) -> Iterator[Piece]:
        """All sightings of a part, in one piece."""
        row = np.flatnonzero(part.holds(self._all.t_s))
        every = np.ones(len(row), bool)
        yield Piece(row, self._all.camera[row], self._all.track[row], self._all.t_s[row], every)


@final
class Taken:
    """What is looked at of N sightings that have a place, and what it looks like, looks coming some at a time."""

    def __init__(
        self, t_s: Float[np.ndarray, " n"], camera: Int[np.ndarray, " n"], track: Int[np.ndarray, " n"]
    ) -> None:
        self.shown = np.flatnonzero(looked_at(t_s, camera))
        self._t_s, self._place = t_s, np.full(len(t_s), -1)
        self._place[self.shown] = np.arange(len(self.shown))
        instead = stand_in(t_s, camera, track)
        self._instead = np.where(instead >= 0, self._place[instead], -1)
        self._looked_s = np.full(len(self.shown), np.inf)
        self._row, self._look = list[np.ndarray](), list[np.ndarray]()

    def add(self, first: int, look: Float[np.ndarray, "m d"]) -> None:
        """Takes in looks of some of the sightings, the first of which is ``first``; NaN: not looked at."""
        row = np.flatnonzero(known(look))
        place, t_s = self._instead[first + row], self._t_s[first + row]
        row, place, t_s = (column[place >= 0] for column in (row, place, t_s))
        order = np.lexsort((t_s, place))
        place, which = np.unique(place[order], return_index=True)
        order = order[which]
        earlier = t_s[order] < self._looked_s[place]
        row, place = row[order][earlier], place[earlier]
        self._looked_s[place] = self._t_s[first + row]
        self._row.append(place)
        self._look.append(look[row].astype(np.float32))

    def glances(self) -> Glances:
        """The earliest look of each."""
        if not self._row:
            return Glances(np.zeros(0, np.int64), np.zeros((0, 0), np.float32))
        row, look = np.concatenate(self._row), np.concatenate(self._look)
        # Of one looked at twice, the look that came last was the earlier.
        _, last = np.unique(row[::-1], return_index=True)
        return Glances(row[::-1][last], look[::-1][last])


def middle(xy_m: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " 2"]:
    """The median of places east and of places north; 0 of none."""
    return np.asarray(np.median(xy_m, axis=0)) if len(xy_m) else np.zeros(2)


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """A piece of a recording, once it is known who is who in it."""

    row: Int[np.ndarray, " n"]
    """Rows of its sightings in the recording, rising."""
    number: Int[np.ndarray, " n"]
    """The identity of each, one for all stretches, counted from 1 by first appearance; -1: nobody's."""
    paths: Trajectories
    """Where everyone went in it."""
    late_s: Late
    """By camera, how late its clock turned out to be; None: nobody looked."""


def late_of(several: Iterable[Late]) -> Late:
    """By camera, how late its clock was in the middle one of several stretches; None: nobody looked."""
    late = [one for one in several if one is not None]
    return np.asarray(np.median(late, axis=0)) if late else None


Identified = Callable[[Looked], Identities]
"""Says who is who in one part, counted from 1."""


def chained(recording: Recording, identified: Identified) -> Iterator[Stretch]:
    """One stretch for each part; identities go on by the sightings that two parts share."""
    spell, chain = recording.spell(), _Chain()
    if spell is None:
        return
    for part in parts(*spell):
        yield chain.stretch(part, *_found(recording, part, identified))


def _found(
    recording: Recording, part: Part, identified: Identified
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"], Identities]:
    """Rows and times of all sightings of a part, and who is who in it alone."""
    looked = recording.looked_at(part)
    found = identified(looked) if len(looked.row) else _nobody()
    of_looked, looked_row = np.append(found.number, NOBODY), looked.row
    del looked  # what was seen is not needed any more, and large
    rows, times, numbers = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0, np.int64)]
    for piece in recording.pieces(part):
        place = np.searchsorted(looked_row, piece.row)
        is_looked_at = np.append(looked_row, -1)[place] == piece.row
        number = np.where(is_looked_at, of_looked[place], NOBODY)
        number = in_between(piece.camera, piece.track, piece.t_s, number)
        rows.append(piece.row[piece.inner])
        times.append(piece.t_s[piece.inner])
        numbers.append(number[piece.inner])
    return np.concatenate(rows), np.concatenate(times), Identities(np.concatenate(numbers), found.paths, found.late_s)


def _nobody() -> Identities:
    return Identities(np.zeros(0, np.int64), Trajectories.none())


@final
class _Chain:
    """What is known of the parts so far: who the newest sightings are of, and how everybody is counted."""

    def __init__(self) -> None:
        self._row = self._name = np.zeros(0, np.int64)
        self._n_names = 0
        self._number = np.array([0])

    def stretch(
        self, part: Part, row: Int[np.ndarray, " n"], t_s: Float[np.ndarray, " n"], found: Identities
    ) -> Stretch:
        """Where the part's answer counts, under numbers that hold for all parts."""
        before = np.full(len(row), NOBODY)
        _, here, there = np.intersect1d(row, self._row, assume_unique=True, return_indices=True)
        before[here] = self._name[there]
        n_found = int(found.paths.number.max(initial=0))
        name = np.append(linked(before, found.number, n_found, self._n_names + 1), NOBODY)  # -1 is the last
        self._n_names = max(self._n_names, int(name.max()))
        self._row, self._name = row, name[found.number]
        counts, mine = part.counts(t_s), part.counts(found.paths.t_s)
        who = name[found.paths.number[mine]]
        number = self._counted(who, found.paths.t_s[mine])
        paths = Trajectories.joined([found.paths.rows(mine, number[who])])
        return Stretch(row[counts], number[self._name[counts]], paths, found.late_s)

    def _counted(self, name: Int[np.ndarray, " m"], t_s: Float[np.ndarray, " m"]) -> Int[np.ndarray, " p"]:
        """By name the number, once those who appear now for the first time have one; who never did has none."""
        begins_s = np.full(self._n_names + 1, np.inf)
        np.minimum.at(begins_s, name, t_s)
        number = np.full(self._n_names + 1, NOBODY)
        number[: len(self._number)] = self._number
        new = np.flatnonzero(np.isfinite(begins_s) & (number == NOBODY))
        n_known = int(number.max(initial=0))
        number[new[np.argsort(begins_s[new], kind="stable")]] = n_known + 1 + np.arange(len(new))
        self._number = number
        return np.append(number, NOBODY)  # -1 is the last
