"""What a recording tells about its own cameras: how far they are off, how far boxes tremble, whom they overlook."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from sightline.estimation.turning import forecast
from sightline.estimation.walk import Walk, log_agreement, surprise
from sightline.identifiers.mending import extent_m2
from sightline.identifiers.moments import Seen
from sightline.identifiers.odds import Coverage, Odds
from sightline.identifiers.strands import Owners, Strands

_SCALES = np.array([0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0]) ** 2
"""How much larger or smaller than said covariances may turn out to be."""
_FLOORS_M = np.array([0.1, 0.15, 0.22, 0.33, 0.5])
"""Nobody's place is known better than this: feet are not under the middle of the body, calibrations err."""
FIRST = (1.0, 0.22)
"""The scale and floor to begin with: loose, so that cameras which are off still agree on who is who."""
_USUAL = (1.0, 0.22)
"""Those of recordings too short to learn from."""
_ENOUGH = 30
"""Sightings by a camera before it is moved."""
_ANEW_HZ = 0.005, 0.2
"""How seldom and how often people may set off anew; also mixed-up paths turn."""
_TIMES = 10
_ON_TIME_S = 0.1
"""Clocks that agree so well are left alone: a walker goes 0.1 m meanwhile, as much as feet are off."""
_CLOCK_S = 0.02
"""How well a clock must be known to be believed: a fifth of that."""
_LONG = 6
"""Moments at which somebody must have been seen to be learnt from."""


def spread(seen: Seen, scale: float, floor_m: float) -> Seen:
    """The sightings with covariances ``scale`` times those said, and the floor added.

    Those of boxes that were cut off stay as large as said: what is not in the picture cannot be learnt.
    """
    factor = np.where(seen.whole, scale, 1.0)[:, None, None]
    return replace(seen, cov_m2=factor * seen.cov_m2 + floor_m**2 * np.eye(2))


def learnt_spread(said: Seen, strands: Strands) -> tuple[float, float]:
    """The scale and floor of covariances that make the sightings of people likeliest, given where all others are."""
    row = strands.row_of_sighting
    use = (row >= 0) & said.whole
    use[use] &= strands.n_moments[strands.person[row[use]]] >= _LONG
    if not use.any():
        return _USUAL
    offset = said.xy_m[use] - strands.others.mean[row[use], :2]
    around = strands.others.cov[row[use], :2, :2]

    def fit(scale: float, floor_m: float) -> float:
        return float(surprise(offset, around + spread(said, scale, floor_m).cov_m2[use])[0].mean())

    tried = [(float(scale), float(floor_m)) for scale in _SCALES for floor_m in _FLOORS_M]
    return max(tried, key=lambda one: fit(*one))


def aligned(said: Seen, strands: Strands) -> Seen:
    """The sightings of each camera, moved by what they are off from those of all others, on the whole."""
    row = strands.row_of_sighting
    use = (row >= 0) & said.whole
    use[use] &= strands.n_moments[strands.person[row[use]]] >= _LONG
    xy_m = said.xy_m.copy()
    for camera in np.unique(said.camera):
        own = use & (said.camera == camera)
        if own.sum() >= _ENOUGH:
            xy_m[said.camera == camera] -= np.median(said.xy_m[own] - strands.others.mean[row[own], :2], axis=0)
    return replace(said, xy_m=xy_m)


def late_s(said: Seen, strands: Strands, n_cameras: int) -> Float[np.ndarray, " k"]:
    """How late each camera's clock seems: where it sees people is behind where they walk, by what they walk meanwhile.

    0 for cameras that tell nothing, and where all agree to ``_ON_TIME_S``. Counted from the middle of all cameras:
    what all clocks are off by together cannot be seen.
    """
    row, late = strands.row_of_sighting, np.full(n_cameras, np.nan)
    use = (row >= 0) & said.whole
    use[use] &= strands.n_moments[strands.person[row[use]]] >= _LONG
    for camera in np.unique(said.camera):
        own = use & (said.camera == camera)
        # Where nobody else looks, a camera agrees with itself.
        own[own] &= strands.n_seen[row[own]] > 1
        if own.sum() < _ENOUGH:
            continue
        others = strands.others.rows(row[own])
        off, speed = said.xy_m[own] - others.mean[:, :2], others.mean[:, 2:]
        off, speed = off - np.median(off, axis=0), speed - speed.mean(axis=0)
        moved = float((speed**2).sum())
        seconds = -float((off * speed).sum()) / max(moved, 1e-9)
        doubt = np.sqrt(float(((off + seconds * speed) ** 2).mean()) / max(moved, 1e-9))
        if doubt < _CLOCK_S:
            late[camera] = seconds
    late -= np.nanmedian(late) if np.isfinite(late).any() else 0.0
    return np.where(np.abs(late) > _ON_TIME_S, late, 0.0)


def learnt(owner: Owners, strands: Strands, seen: Seen, coverage: Coverage, odds: Odds) -> Odds:
    """The odds as the people found so far tell them."""
    rows = strands.within & (strands.n_moments >= _LONG)[strands.person]
    if not rows.any():
        return odds
    chances = float(n_expected(strands, coverage)[rows].sum())
    alone = (owner < 0) | (strands.n_moments < 2)[strands.person[np.maximum(strands.row_of_sighting, 0)]]
    looks = len(seen.t_s) * len(coverage.views) * extent_m2(seen)
    return replace(
        odds,
        walk=learnt_walk(strands, odds.walk),
        seen=float(np.clip(strands.n_seen[rows].sum() / max(chances, 1.0), 0.2, 0.97)),
        false_per_m2=max(int(alone.sum()), 1) / looks,
    )


def learnt_walk(strands: Strands, walk: Walk) -> Walk:
    """How people move, with how often they set off anew: the rate that makes all steps likeliest.

    By expectation and maximisation (Dempster, Laird and Rubin 1977).
    """
    row = np.flatnonzero(strands.goes_on & (strands.n_moments >= _LONG)[strands.person])
    if not len(row):
        return walk
    dt_s = strands.t_s[row + 1] - strands.t_s[row]
    ahead, later = forecast(strands.forth.rows(row), dt_s, walk), strands.back.rows(row + 1)
    told = log_agreement(ahead.anew, later) - log_agreement(ahead.steady, later)
    rate_hz = walk.anew_hz
    for _ in range(_TIMES):
        prior = np.log(np.expm1(rate_hz * dt_s))
        rate_hz = float((1 / (1 + np.exp(-told - prior))).sum() / dt_s.sum())
        rate_hz = min(max(rate_hz, _ANEW_HZ[0]), _ANEW_HZ[1])
    return replace(walk, anew_hz=rate_hz)


def n_expected(strands: Strands, coverage: Coverage) -> Float[np.ndarray, " r"]:
    """How many cameras have each row in their picture."""
    return coverage.sees(strands.all.mean[:, :2]).sum(axis=1).astype(float)
