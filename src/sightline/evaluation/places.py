"""How right places on a map are, and whether they are of one person each: metres instead of overlap of boxes.

Source: as CLEAR MOT and IDF1 for boxes, with a distance on the ground, as WILDTRACK's protocol has it (within 1 m).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from sightline.evaluation.clear import clear
from sightline.evaluation.identity import identity
from sightline.evaluation.pairing import Pairing

_HALF = 0.5
"""Similarity at the distance up to which places may match."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """N places, one row each, in any order."""

    moment: Int[np.ndarray, " n"]
    """Which moment."""
    number: Int[np.ndarray, " n"]
    """Who."""
    xy_m: Float[np.ndarray, "n 2"]
    """Where."""


@dataclass(frozen=True, slots=True)
class PlaceScores:
    """How well found places agree with true ones."""

    idf1: float
    """Share of places found under the one number that stands for their person, in [0, 1]."""
    mota: float
    """1 less misses, false alarms and changes of number, per true place; at most 1."""
    n_switches: int
    """Changes of number."""
    median_m: float
    """Half of the matched places are nearer to the truth; NaN without any."""
    p90_m: float
    """Nine in ten are."""


def scored(truth: Places, found: Places, within_m: float = 1.0) -> PlaceScores:
    """The scores; places match up to ``within_m`` metres. NaN without a true place."""
    pairing = _paired(_sorted(truth), _sorted(found), within_m)
    n, counts, ids = len(truth.moment), clear(pairing, _HALF), identity(pairing, _HALF)
    off_m = np.sort(2 * within_m * (1 - pairing.similarity[pairing.assigned_in_all(pairing.similarity)]))
    either = 2 * ids.tp + ids.fp + ids.fn
    return PlaceScores(
        idf1=2 * ids.tp / either if either else np.nan,
        mota=1 - (counts.fn + counts.fp + counts.idsw) / n if n else np.nan,
        n_switches=counts.idsw,
        median_m=float(np.median(off_m)) if len(off_m) else np.nan,
        p90_m=float(np.quantile(off_m, 0.9)) if len(off_m) else np.nan,
    )


def _sorted(places: Places) -> Places:
    order = np.argsort(places.moment, kind="stable")
    return Places(places.moment[order], places.number[order], places.xy_m[order])


def _paired(truth: Places, found: Places, within_m: float) -> Pairing:
    """Every pair near enough; similarity falls from 1 to a half there."""
    truth_row, found_row, similarity, frames, n = [], [], [], [], 0
    for moment in np.intersect1d(truth.moment, found.moment).tolist():
        a, b = np.searchsorted(truth.moment, [moment, moment + 1])
        c, d = np.searchsorted(found.moment, [moment, moment + 1])
        off_m = np.linalg.norm(truth.xy_m[a:b, None] - found.xy_m[c:d], axis=2)
        i, j = np.nonzero(off_m <= within_m)
        frames.append((a, b, c, d, n, n + len(i)))
        truth_row.append(a + i)
        found_row.append(c + j)
        similarity.append(1 - _HALF * off_m[i, j] / within_m)
        n += len(i)
    none = np.zeros(0, np.int64)
    return Pairing(
        np.unique(truth.number, return_inverse=True)[1],
        np.unique(found.number, return_inverse=True)[1],
        np.concatenate([none, *truth_row]),
        np.concatenate([none, *found_row]),
        np.concatenate([np.zeros(0), *similarity]),
        np.array(frames, np.int64).reshape(-1, 6),
    )
