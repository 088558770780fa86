"""Who is who across cameras, found out afterwards from where on the ground everybody was seen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.errors import OptionError
from sightline.identifiers.following import followed
from sightline.identifiers.gathering import evidence, gathered
from sightline.identifiers.learning import (
    FIRST,
    aligned,
    late_s,
    learnt,
    learnt_spread,
    learnt_walk,
    n_expected,
    spread,
)
from sightline.identifiers.likeness import contrasted
from sightline.identifiers.mending import exchanged, joined, merged
from sightline.identifiers.moments import Seen, seen
from sightline.identifiers.odds import Coverage, Odds
from sightline.identifiers.parts import Looked, Recording, Stretch, Whole, chained, late_of
from sightline.identifiers.returning import returned
from sightline.identifiers.strands import Owners, Strands
from sightline.model.identities import NOBODY, Identities, Sightings, Trajectories
from sightline.model.view import View

_LESSONS = 5
"""Times that people are followed at most, as long as cameras turn out to be off by more; twice in any case."""
_SETTLED_M = 0.1
_CLOCKS = 3
"""Times that clocks are put right at most: where few cameras overlap, each drags the others along at first."""
_ROUNDS = 4
"""Times that mistakes are mended at most; mended paths know better whose sightings are whose."""
_COMMON = 0.5
"""Share of what places are off by (as a variance) that more sightings do not average out."""
_ALONE_M = 0.17
"""What places are off by at least where no two cameras see the same ground: a box ends at the near end of a shoe, and
the body stands over its middle, which no camera can find out by itself."""
_CHECKED = 30
"""Places seen by two cameras at once, from which what places are off by is known."""
_BELIEVED = 5.0
"""Log odds against false alarms from which a person is believed."""


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What was found out so far."""

    owner: Owners
    strands: Strands
    seen: Seen
    odds: Odds
    floor_m: float
    """What places are off by however well boxes are known."""


@final
class Ground:
    """Offline: gives every sighting an identity once all are there, and every identity one smooth path.

    People are followed through all cameras at once by where they stand; each sighting counts with its covariance, so
    that a camera far off says where somebody is across its line of sight and little along it. No camera sees anybody
    twice at a time, nobody runs. How far boxes tremble, what a camera's places and clock are off from those of the
    others, and how often somebody turns, is overlooked or made up, is learnt from the sightings. Then each moment is
    judged anew with what came before and after, tails of paths that were mixed up are exchanged, pieces joined, and
    the paths smoothed. Where sightings have looks, those count in joining and exchanging, and tell who left and came
    back; how much they tell is learnt, too.

    ``views`` tell which camera sees which ground; without one a camera is taken to see all of it.
    ``min_moments`` is at how many moments somebody must have been seen.
    """

    def __init__(self, *, views: Mapping[str, View] | None = None, min_moments: int = 3) -> None:
        if min_moments < 1:
            raise OptionError(f"identifier ground: min_moments={min_moments}: at least 1 is needed")
        self._views = dict(views or {})
        self._min_moments = min_moments

    def identify(self, sightings: Sightings) -> Identities:
        """Who each sighting is of, and where everyone went; the sightings may come in any order.

        Cameras are looked at up to five times a second; tracked sightings in between are of whom their track was just
        before or after. Bare ones in between, those without a place, and false alarms are nobody's.
        Work grows with the number of moments and with how many people are close to each other. Recordings longer than
        40 minutes are looked at in parts, so that memory beyond that of the sightings and paths does not grow.
        """
        number, stretches = np.full(len(sightings), NOBODY), list(self.stretches(Whole(sightings)))
        for stretch in stretches:
            number[stretch.row] = stretch.number
        return Identities(
            number, Trajectories.joined(one.paths for one in stretches), late_of(one.late_s for one in stretches)
        )

    def stretches(self, recording: Recording) -> Iterator[Stretch]:
        """The same of a recording that need not be in memory, piece by piece, in the order of time.

        Raises:
            OSError: the recording cannot be read.
        """
        return chained(recording, self._identified)

    def _identified(self, looked: Looked) -> Identities:
        """Who is who in one part; who was not looked at is nobody."""
        sightings, middle_m, glances = looked.sightings, looked.middle_m, looked.glances
        coverage = Coverage.of(sightings.cameras, self._views, middle_m)
        told, all_late = _guessed(seen(sightings, middle_m, glances), coverage), np.zeros(len(sightings.cameras))
        for _ in range(_CLOCKS):
            late = late_s(told.seen, told.strands, len(sightings.cameras))
            if not late.any():
                break
            all_late += late
            sightings = replace(sightings, t_s=sightings.t_s - late[sightings.camera])
            told = _guessed(seen(sightings, middle_m, glances), coverage)
        return replace(self._answer(_mended(told, coverage), coverage, sightings), late_s=all_late)

    def _answer(self, told: _Told, coverage: Coverage, sightings: Sightings) -> Identities:
        """The people who are believed, counted from 1 by first appearance."""
        strands = told.strands
        doubt = evidence(strands, told.seen, n_expected(strands, coverage), told.odds) <= _BELIEVED
        real = ~doubt & (strands.n_moments >= self._min_moments)
        first = returned(strands, told.seen, real)
        number = _numbered(real & (first == np.arange(len(strands))), strands.t_s[strands.begins])[first]
        of_sighting = np.full(len(sightings), NOBODY)
        mine = told.owner >= 0
        person = np.searchsorted(strands.number, told.owner[mine])
        of_sighting[told.seen.row[mine]] = number[person]
        rows = np.flatnonzero(strands.within & real[strands.person])
        rows = rows[np.lexsort((strands.t_s[rows], number[strands.person[rows]]))]
        paths = Trajectories(
            number[strands.person[rows]],
            strands.t_s[rows],
            strands.all.mean[rows, :2] + coverage.middle_m,
            strands.all.mean[rows, 2:],
            strands.all.cov[rows, :2, :2] + _COMMON * _off_m(told) ** 2 * np.eye(2),
            strands.n_seen[rows],
        )
        return Identities(of_sighting, paths)


def _off_m(told: _Told) -> float:
    """What places are off by, however many sightings they come from."""
    checked = int((told.strands.n_seen > 1).sum()) >= _CHECKED
    return told.floor_m if checked else max(told.floor_m, _ALONE_M)


def _guessed(said: Seen, coverage: Coverage) -> _Told:
    """A first guess, what it teaches, and better ones that know it."""
    strands, odds, better, (scale, floor_m) = _lesson(said, spread(said, *FIRST), coverage, Odds())
    for lesson in range(1, _LESSONS):
        moved_m = float(np.abs(better.xy_m - said.xy_m).max())
        if lesson > 1 and moved_m < _SETTLED_M:
            break
        said = better
        strands, odds, better, (scale, floor_m) = _lesson(said, spread(said, scale, floor_m), coverage, odds)
    said = better
    now = spread(said, scale, floor_m)
    owner = gathered(strands, now, odds)
    strands = Strands.of(owner, now, odds)
    return _Told(owner, strands, contrasted(now, strands), odds, floor_m)


def _lesson(said: Seen, now: Seen, coverage: Coverage, odds: Odds) -> tuple[Strands, Odds, Seen, tuple[float, float]]:
    """Paths guessed with what is known by now, and what they teach: odds, places put right, and how well known."""
    owner = followed(now, coverage, odds)
    strands = Strands.of(owner, now, odds)
    odds = learnt(owner, strands, now, coverage, odds)
    said = aligned(said, strands)
    return strands, odds, said, learnt_spread(said, strands)


def _mended(told: _Told, coverage: Coverage) -> _Told:
    """The same once mistakes are undone."""
    owner, strands, now, odds = told.owner, told.strands, told.seen, told.odds
    for _ in range(_ROUNDS):
        before = owner
        owner = merged(owner, strands, now, coverage, odds)
        if (owner != before).any():
            strands = Strands.of(owner, now, odds)
        owner = exchanged(owner, strands, now, odds)
        strands = Strands.of(owner, now, odds)
        owner = joined(owner, strands, now, odds)
        strands = Strands.of(owner, now, odds)
        owner = gathered(strands, now, odds)
        odds = replace(odds, walk=learnt_walk(strands, odds.walk))
        strands = Strands.of(owner, now, odds)
        if (owner == before).all():
            break
    return _Told(owner, strands, now, odds, told.floor_m)


def _numbered(real: Bool[np.ndarray, " p"], begins_s: Float[np.ndarray, " p"]) -> Int[np.ndarray, " p"]:
    """Numbers from 1 by first appearance; -1 for those who are not real."""
    number = np.full(len(real), NOBODY)
    order = np.flatnonzero(real)
    order = order[np.argsort(begins_s[order], kind="stable")]
    number[order] = np.arange(1, len(order) + 1)
    return number
