"""Who was near whom, and how long."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import KDTree

from sightline.analysis.paths import Paths, runs

SLOT_S = 0.5
"""How often it is looked who is near whom."""
_PAUSE = 4
"""So many slots apart, two may drift and it is one meeting still."""


@dataclass(frozen=True, slots=True, eq=False)
class Meetings:
    """One row for each time that two people were near each other, sorted by pair, then time."""

    pair: Int[np.ndarray, "m 2"]
    """Who, the smaller number first."""
    from_s: Float[np.ndarray, " m"]
    """Since when."""
    lasts_s: Float[np.ndarray, " m"]
    """How long they were near, pauses left out; a multiple of ``SLOT_S``."""
    nearest_m: Float[np.ndarray, " m"]
    """The least distance."""


def meetings(paths: Paths, near_m: float, least_s: float) -> Meetings:
    """Pairs no more than ``near_m`` apart for ``least_s`` altogether, with pauses of at most two seconds."""
    slot = np.floor(paths.t_s / SLOT_S).astype(np.int64)
    new = (np.diff(paths.person, prepend=-1) != 0) | (np.diff(slot, prepend=-1) != 0)
    row = np.flatnonzero(new)
    if not len(row):
        return _none()
    # Slots lie further apart in the third direction than anybody is near, so one tree answers for all of them.
    apart = ((slot[row] - slot.min()) * (2 * near_m + 1.0))[:, None]
    tree = KDTree(np.hstack([paths.xy_m[row], apart]))
    near = tree.query_pairs(near_m, output_type="ndarray")
    pair = np.sort(paths.person[row][near], axis=1)
    at, distance = slot[row][near[:, 0]], np.linalg.norm(np.diff(paths.xy_m[row][near], axis=1)[:, 0], axis=1)
    order = np.lexsort((at, pair[:, 1], pair[:, 0]))
    return _met(pair[order], at[order], distance[order], least_s)


def _met(
    pair: Int[np.ndarray, "k 2"],
    at: Int[np.ndarray, " k"],
    distance_m: Float[np.ndarray, " k"],
    least_s: float,
) -> Meetings:
    """Slots of one pair in succession, as one row."""
    if not len(pair):
        return _none()
    other = (np.diff(pair, axis=0, prepend=-1) != 0).any(axis=1)
    first, last = runs(other | (np.diff(at, prepend=-1) > _PAUSE))
    lasts_s = (last - first + 1) * SLOT_S
    nearest_m = np.minimum.reduceat(distance_m, first)
    long = lasts_s >= least_s
    return Meetings(pair[first][long], at[first][long] * SLOT_S, lasts_s[long], nearest_m[long])


def _none() -> Meetings:
    return Meetings(np.zeros((0, 2), np.int64), np.zeros(0), np.zeros(0), np.zeros(0))
