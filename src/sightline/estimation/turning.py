"""Walkers who go on as they went or, seldom, set off anew: they turn, stop, or start to walk.

A walker who was not seen for a while either went on steadily, or has taken another speed at some time in between. Both
forecasts are kept until the next sighting tells which it was; then they are one belief again.

Source: Blom and Bar-Shalom, The interacting multiple model algorithm (1988), merged after each sighting (GPB1 in
Bar-Shalom, Li, Kirubarajan 2001, section 11.6.3); the other model forgets the speed at a time that may be any.
Smoothing as the product of a forward and a backward filter: Fraser and Potter, The optimum linear smoother as a
combination of two optimum linear filters (1969).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.estimation import walk as walks
from sightline.estimation.walk import Belief, Points, Spreads, Values, Walk, log_agreement, predicted, surprise, updated

Indices = Int[np.ndarray, " r"]


class Forecast(NamedTuple):
    """What is believed of N walkers, each of whom went on or set off anew."""

    steady: Belief
    """Should they have gone on."""
    anew: Belief
    """Should they have set off anew."""
    odds: Float[np.ndarray, " n"]
    """Log odds of having set off anew."""

    def rows(self, which: np.ndarray | slice) -> "Forecast":
        """The walkers that ``which`` names."""
        return Forecast(self.steady.rows(which), self.anew.rows(which), self.odds[which])

    def put(self, which: np.ndarray, other: "Forecast") -> None:
        """Overwrites the walkers that ``which`` names."""
        self.steady.put(which, other.steady)
        self.anew.put(which, other.anew)
        self.odds[which] = other.odds


def forecast(belief: Belief, dt_s: Values | float, walk: Walk) -> Forecast:
    """Where walkers are ``dt_s`` seconds later, nothing having been seen."""
    dt_s = np.broadcast_to(dt_s, len(belief.mean)).astype(float)
    steady = predicted(belief, dt_s, walk)
    with np.errstate(divide="ignore"):  # who had no time to set off anew has not
        odds = np.log(np.expm1(walk.anew_hz * dt_s))
    return Forecast(steady, _anew(belief, steady, dt_s, walk), odds)


def _anew(belief: Belief, steady: Belief, dt_s: Values, walk: Walk) -> Belief:
    """Walkers who forgot their speed at a time between now and ``dt_s`` ago that may be any."""
    mean, cov = np.zeros_like(belief.mean), np.zeros_like(belief.cov)
    mean[:, :2] = belief.mean[:, :2] + belief.mean[:, 2:] * dt_s[:, None] / 2
    went = belief.mean[:, 2:] * dt_s[:, None]
    cov[:, :2, :2] = steady.cov[:, :2, :2] + np.einsum("ni,nj->nij", went, went) / 12
    for i in (0, 1):
        cov[:, i, i] += walk.speed_mps**2 * dt_s**2 / 3
        cov[:, i, i + 2] = cov[:, i + 2, i] = walk.speed_mps**2 * dt_s / 2
        cov[:, i + 2, i + 2] = walk.speed_mps**2
    return Belief(mean, cov)


def fit(
    ahead: Forecast, xy_m: Float[np.ndarray, "r 2"], cov_m2: Float[np.ndarray, "r 2 2"]
) -> tuple[Float[np.ndarray, "n r"], Float[np.ndarray, "n r"]]:
    """Log of the density of every sighting for every walker, and the lesser of both squared Mahalanobis lengths."""
    (steady, of_steady), (anew, of_anew) = (
        surprise(xy_m - belief.mean[:, None, :2], belief.cov[:, None, :2, :2] + cov_m2)
        for belief in (ahead.steady, ahead.anew)
    )
    goes_on, sets_off = _log_shares(ahead)[:, :, None]
    return np.logaddexp(goes_on + steady, sets_off + anew), np.minimum(of_steady, of_anew)


def told(ahead: Forecast, xy_m: Points, cov_m2: Spreads) -> Forecast:
    """The forecasts after each walker was seen at a place known so well."""
    steady, _ = surprise(xy_m - ahead.steady.mean[:, :2], ahead.steady.cov[:, :2, :2] + cov_m2)
    anew, _ = surprise(xy_m - ahead.anew.mean[:, :2], ahead.anew.cov[:, :2, :2] + cov_m2)
    return Forecast(updated(ahead.steady, xy_m, cov_m2), updated(ahead.anew, xy_m, cov_m2), ahead.odds + anew - steady)


def merged(ahead: Forecast) -> Belief:
    """One belief with the mean and covariance of both forecasts together."""
    return _mixed([ahead.steady, ahead.anew], _log_shares(ahead))


def _log_shares(ahead: Forecast) -> Float[np.ndarray, "2 n"]:
    """Logs of how much either forecast is believed."""
    return -np.logaddexp(0, np.stack([ahead.odds, -ahead.odds]))


def _mixed(beliefs: list[Belief], log_share: Float[np.ndarray, "m n"]) -> Belief:
    """One belief with the mean and covariance of several together, each believed so much; shares sum to one."""
    share = np.exp(log_share)
    mean = sum(s[:, None] * belief.mean for s, belief in zip(share, beliefs, strict=True))
    cov = np.zeros_like(beliefs[0].cov)
    for s, belief in zip(share, beliefs, strict=True):
        off = belief.mean - mean
        cov += s[:, None, None] * (belief.cov + off[:, :, None] * off[:, None, :])
    return Belief(np.asarray(mean), cov)


def between(ahead: Forecast, behind: Forecast) -> Belief:
    """What forecasts from before and from after, independent, make together."""
    log_share, beliefs = [], []
    of_ahead, of_behind = _log_shares(ahead), _log_shares(behind)
    for a, one in enumerate((ahead.steady, ahead.anew)):
        for b, other in enumerate((behind.steady, behind.anew)):
            log_share.append(log_agreement(one, other) + of_ahead[a] + of_behind[b])
            beliefs.append(walks.both(one, other))
    logs = np.stack(log_share)
    return _mixed(beliefs, logs - np.logaddexp.reduce(logs, axis=0))


def log_meeting(earlier: Belief, later: Belief, dt_s: Values, walk: Walk) -> Values:
    """Log of the density of being the same walkers ``dt_s`` seconds apart: places and speeds must meet."""
    ahead = forecast(earlier, dt_s, walk)
    steady, anew = (log_agreement(belief, later) for belief in (ahead.steady, ahead.anew))
    goes_on, sets_off = _log_shares(ahead)
    return np.logaddexp(goes_on + steady, sets_off + anew)


def filtered(
    xy_m: Points, cov_m2: Spreads, is_seen: Bool[np.ndarray, " n"], t_s: Values, first: Indices, walk: Walk
) -> tuple[Forecast, Belief]:
    """What is forecast at each row of P paths from the rows before it, and believed with that row too.

    Rows are sorted by path, then time; ``first`` says where each path begins. Rows not seen tell nothing: their place
    does not count. Work in Python grows with the longest path.
    """
    n = len(t_s)
    before = forecast(walks.nothing_known(n, walk), 0.0, walk)
    after = Belief(np.empty((n, 4)), np.empty((n, 4, 4)))
    length = np.diff(np.append(first, n))
    order = np.argsort(-length, kind="stable")
    last = first.copy()  # the last row seen of each path
    for k in range(int(length.max(initial=0))):
        paths = order[: np.searchsorted(-length[order], -k)]
        rows = first[paths] + k
        if k:
            ahead = forecast(after.rows(last[paths]), t_s[rows] - t_s[last[paths]], walk)
            before.put(rows, ahead)
        ahead = before.rows(rows)
        shown = is_seen[rows]
        after.put(rows[shown], merged(told(ahead.rows(shown), xy_m[rows[shown]], cov_m2[rows[shown]])))
        after.put(rows[~shown], merged(ahead.rows(~shown)))
        last[paths[shown]] = rows[shown]
    return before, after


def filtered_both_ways(
    xy_m: Points, cov_m2: Spreads, is_seen: Bool[np.ndarray, " n"], t_s: Values, first: Indices, walk: Walk
) -> tuple[tuple[Forecast, Belief], tuple[Forecast, Belief]]:
    """The same, and the same from the rows after each, last rows first; at once, which is sooner than in turn."""
    n = len(t_s)
    mirrored = (n - np.append(first[1:], n))[::-1]
    xy_m, cov_m2, is_seen = (np.concatenate([column, column[::-1]]) for column in (xy_m, cov_m2, is_seen))
    first = np.append(first, n + mirrored)
    before, after = filtered(xy_m, cov_m2, is_seen, np.append(t_s, -t_s[::-1]), first, walk)
    back = slice(None, n - 1 if n else None, -1)
    behind = Forecast(_turned(before.steady.rows(back)), _turned(before.anew.rows(back)), before.odds[back])
    return (before.rows(slice(n)), after.rows(slice(n))), (behind, _turned(after.rows(back)))


def _turned(belief: Belief) -> Belief:
    """The same, time running the other way."""
    turn = np.diag([1.0, 1.0, -1.0, -1.0])
    return Belief(belief.mean @ turn, turn @ belief.cov @ turn)
