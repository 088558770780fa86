"""Which recorded tracks are pieces of one: the links that together are most likely.

A track that ends and one that begins later are the same thing or two things. Both tales are given a probability:
that a thing moved so (a constant-speed forecast with white-noise acceleration, from the smoothed end of one to the
smoothed beginning of the other, all eight numbers) and was overlooked for so long; against that something new
appeared, anywhere in the picture, at the rate at which tracks begin in this very recording. Being overlooked is
unlikely in the open and free behind others. The best set of links is one assignment of ends to beginnings.

Source: Zhang, Li, Nevatia, Global Data Association Using Network Flows (CVPR 2008), section 3 (the two tales, and
hiding behind others); Bar-Shalom et al. (2001) section 5.4 (likelihood of a forecast). One assignment suffices
since a link's cost depends on its two ends alone.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from sightline.estimation.assignment import assigned_sparse
from sightline.estimation.kalman import Belief, Motion, measured_from_xyxy, predicted
from sightline.estimation.smoothing import filtered, reversed_in_time
from sightline.trackers.occlusion import hidden_share
from sightline.trackers.paths import Paths, runs

_AXES = np.array([1.0, 1 / 3, 1 / 3, 1 / 3])
"""Things go sideways in pictures more than to and fro, and hardly change their size."""
_WALK = Motion(
    seen=0.05, wander=0.08 * np.array([1, 0.5, 0.5, 0.5]), swerve=0.3 * _AXES,
    first_speed=0.7 * np.array([1.0, 1 / 3, 1 / 5, 1 / 5]),
)  # fmt: skip
"""A person of 1.7 m walks at about 0.7 heights per second, and turns or stops within a few seconds."""
_RETURNS = 0.05
"""Chance that a track which ended goes on later. Lower than it is: a wrong link spoils two tracks, a missed one one."""
_FOUND_AGAIN_HZ = 1.0
"""How often per second a detector that lost a thing finds it again when nothing hides it."""
_SIZES = 2.0
"""Heights over which the size of something new is spread, per side."""


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """K pairs of a path that ended and one that began later."""

    ended: Int[np.ndarray, " k"]
    began: Int[np.ndarray, " k"]
    gap_s: Float[np.ndarray, " k"]

    def rows(self, which: np.ndarray) -> "_Candidates":
        return _Candidates(self.ended[which], self.began[which], self.gap_s[which])


def linked(paths: Paths, link_s: float) -> Int[np.ndarray, " p"]:
    """For each path the first path of the chain that it belongs to; itself where nothing precedes it.

    Paths whose times overlap, or of different classes, are never in direct succession.
    """
    before = np.arange(len(paths))
    pairs = _candidates(paths, link_s)
    if not len(pairs.ended):
        return before
    odds = _log_odds_by_motion(paths, pairs)
    likely = odds > 0  # being overlooked can only make it less so
    pairs, odds = pairs.rows(likely), odds[likely]
    odds = odds - _FOUND_AGAIN_HZ * pairs.gap_s * (1 - hidden_share(paths, pairs.ended, pairs.began))
    ended, began = assigned_sparse(pairs.ended, pairs.began, -odds, 0.0)
    before[began] = ended
    while (before != before[before]).any():
        before = before[before]
    return before


def _candidates(paths: Paths, link_s: float) -> _Candidates:
    """All pairs with a gap above 0 and up to ``link_s``, of one class."""
    t_s, label = paths.rows.t_s, paths.rows.label
    order = np.argsort(t_s[paths.first], kind="stable")
    begins_s, ends_s = t_s[paths.first][order], t_s[paths.last]
    low = np.searchsorted(begins_s, ends_s, side="right")
    high = np.searchsorted(begins_s, ends_s + link_s, side="right")
    ended, place = runs(low, np.maximum(high - low, 0))
    began = order[place]
    same = label[paths.last[ended]] == label[paths.first[began]]
    ended, began = ended[same], began[same]
    return _Candidates(ended, began, t_s[paths.first[began]] - ends_s[ended])


def _log_odds_by_motion(paths: Paths, pairs: _Candidates) -> Float[np.ndarray, " k"]:
    """Log of how much likelier one thing is than two, by place, speed, size and their times."""
    rows = paths.rows
    measured = measured_from_xyxy(rows.xyxy_px)
    past = filtered(measured, rows.t_s, paths.first, _WALK)[:, paths.last[pairs.ended]]
    later = reversed_in_time(measured, rows.t_s, paths.first, _WALK)[:, paths.first[pairs.began]]
    forecast = predicted(past, pairs.gap_s[:, None], _WALK)
    height = np.maximum((past[0, :, 3:] + later[0, :, 3:]) / 2, 1.0)
    return (
        np.log(_RETURNS * _FOUND_AGAIN_HZ)
        + _log_density(_in_heights(later - forecast, later + forecast, height))
        - _log_birth_density(paths, _in_heights(later, later, height), height[:, 0])
    )


def _in_heights(means: Belief, variances: Belief, height: Float[np.ndarray, "k 1"]) -> Belief:
    """Means of one and variances of the other, with lengths in heights."""
    return np.concatenate([means[:2] / height, variances[2:] / height**2])


def _log_density(belief: Belief) -> Float[np.ndarray, " k"]:
    """Of being exactly right, per heights to the fourth and speeds to the fourth."""
    d, d_speed, var, cov, speed_var = belief
    det = var * speed_var - cov**2
    surprise = (d**2 * speed_var - 2 * d * d_speed * cov + d_speed**2 * var) / det
    return -0.5 * (surprise + np.log(det) + 2 * np.log(2 * np.pi)).sum(axis=1)


def _log_birth_density(paths: Paths, later: Belief, height: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """Of something new, per second, at such a place with such a speed and size, in this recording."""
    rows = paths.rows
    span = rows.xyxy_px[:, 2:].max(axis=0) - rows.xyxy_px[:, :2].min(axis=0)
    births_hz = len(paths) / np.ptp(rows.t_s)
    variance = later[4] + np.asarray(_WALK.first_speed) ** 2
    speeds = -0.5 * (later[1] ** 2 / variance + np.log(2 * np.pi * variance)).sum(axis=1)
    return np.log(births_hz) - np.log(np.prod(span) / height**2) + speeds - 2 * np.log(_SIZES)
