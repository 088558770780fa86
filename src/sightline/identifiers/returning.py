"""Who left and came back, here or in another camera: paths that look like one person.

Groups of paths are joined, the likeliest two first, as long as they are likelier one person than two. In a group no
two paths are at one time, and each can be walked to from the one before. How likely any two are one person before
looking at them is learnt from all looks together.

Source: average linkage with constraints, as in AI City's offline trackers; the share of pairs that are one person is
that of a mixture of two known laws, by expectation and maximisation (Dempster, Laird and Rubin 1977).
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.identifiers.likeness import Likeness, mean_looks
from sightline.identifiers.mending import reachable
from sightline.identifiers.moments import Seen, ranges
from sightline.identifiers.strands import Strands

_LONGEST_S = 1800.0
"""After that, looks are not compared: who comes back in the afternoon may have another coat."""
_MOST_ALIKE = 0.5
"""Share of pairs of paths that may be one person at most."""
_ROUNDS = 30


def returned(strands: Strands, seen: Seen, real: Bool[np.ndarray, " p"]) -> Int[np.ndarray, " p"]:
    """For each path the first path of the person it is of; itself for those who never left, and for unreal ones."""
    first = np.arange(len(strands))
    among = np.flatnonzero(real)
    likeness = Likeness.learnt(strands, seen)
    looks = mean_looks(strands, seen)
    ended, began = _pairs(strands, among)
    odds = likeness.odds(np.einsum("kd,kd->k", looks[ended], looks[began]))
    known = np.isfinite(looks[ended]).all(axis=1) & np.isfinite(looks[began]).all(axis=1) & (odds != 0)
    if not known.any():
        return first
    place = np.full(len(strands), -1)
    place[among] = np.arange(len(among))
    alike = np.full((len(among), len(among)), -np.inf, np.float32)
    alike[place[ended], place[began]] = alike[place[began], place[ended]] = np.where(known, odds, 0)
    group = _grouped(alike, -_log_odds_of_one(odds[known]))
    # The path that began first gives its number to its group.
    order = np.argsort(strands.t_s[strands.begins[among]], kind="stable")
    earliest = np.full(len(among), -1)
    earliest[group[order[::-1]]] = among[order[::-1]]
    first[among] = earliest[group]
    return first


def _log_odds_of_one(odds: Float[np.ndarray, " k"]) -> float:
    """Log odds that two paths are one person, before their looks are compared."""
    share, likelier = _MOST_ALIKE, np.exp(odds)
    for _ in range(_ROUNDS):
        share = float((share * likelier / (share * likelier + 1 - share)).mean())
        share = min(max(share, 1 / (1 + len(odds))), _MOST_ALIKE)
    return float(np.log(share / (1 - share)))


def _grouped(alike: Float[np.ndarray, "n n"], least: float) -> Int[np.ndarray, " n"]:
    """A number for the group of each path. ``alike`` are log odds of one person, -inf for those who cannot be one.

    Every path of the smaller group testifies for itself, by its mean likeness to those of the other.
    """
    n = len(alike)
    group, size, total = np.arange(n), np.ones(n), alike.copy()
    score = total - least
    best = score.argmax(axis=1)
    while True:
        i = int(score[np.arange(n), best].argmax())
        j = int(best[i])
        if not score[i, j] > 0:
            return group
        group[group == j] = i
        total[i] += total[j]
        total[:, i] = total[i]
        total[j] = total[:, j] = score[j] = score[:, j] = -np.inf
        size[i] += size[j]
        score[i] = score[:, i] = total[i] / np.maximum(size[i], size) - least
        stale = (best == i) | (best == j) | (score[:, i] > score[np.arange(n), best])
        best[stale] = score[stale].argmax(axis=1)
        best[i] = int(score[i].argmax())


def _pairs(strands: Strands, among: Int[np.ndarray, " a"]) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    """Paths that ended, and paths that began later, where one can have walked to."""
    order = among[np.argsort(strands.t_s[strands.begins[among]], kind="stable")]
    begins_s, ends_s = strands.t_s[strands.begins[order]], strands.t_s[strands.ends[among]]
    low = np.searchsorted(begins_s, ends_s, side="right")
    high = np.searchsorted(begins_s, ends_s + _LONGEST_S, side="right")
    ended, place = ranges(low, np.maximum(high - low, 0))
    ended, began = among[ended], order[place]
    near = reachable(strands, ended, began)
    return ended[near], began[near]
