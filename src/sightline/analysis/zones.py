"""Who was in which area, how long, and where they went from there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.analysis.paths import Steps, runs

Outline = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """One row for each stay of a person in an area, sorted by person, then time."""

    person: Int[np.ndarray, " v"]
    """Who."""
    enter_s: Float[np.ndarray, " v"]
    """Since when."""
    leave_s: Float[np.ndarray, " v"]
    """Until when."""


def inside(xy_m: Float[np.ndarray, "n 2"], corners_m: Outline) -> Bool[np.ndarray, " n"]:
    """Which points lie in a polygon; of the edges, each belongs to one of the two areas that share it.

    An outline that crosses itself is in where a way out crosses it an odd number of times.
    """
    corners = np.asarray(corners_m, np.float64)
    is_in = np.zeros(len(xy_m), bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):  # a handful of edges
        spans = (y1 > xy_m[:, 1]) != (y2 > xy_m[:, 1])
        if y1 != y2:
            is_in ^= spans & (xy_m[:, 0] < x1 + (xy_m[:, 1] - y1) * (x2 - x1) / (y2 - y1))
    return is_in


def visits(walked: Steps, corners_m: Outline) -> Visits:
    """Stays in an area: steps in succession whose middle lies in it."""
    within = np.flatnonzero(inside(walked.middle_m, corners_m))
    row, person = walked.row[within], walked.person[within]
    first, last = runs((np.diff(row, prepend=-2) != 1) | (np.diff(person, prepend=-1) != 0))
    return Visits(person[first], walked.from_s[within[first]], walked.to_s[within[last]])


def flows(stays: Sequence[Visits]) -> Int[np.ndarray, "z z"]:
    """How often somebody went from area ``i`` to area ``j`` next; ``stays`` are those in each area."""
    n = len(stays)
    zone = np.concatenate([np.zeros(0, np.int64), *(np.full(len(one.person), k) for k, one in enumerate(stays))])
    person = np.concatenate([np.zeros(0, np.int64), *(one.person for one in stays)])
    enter_s = np.concatenate([np.zeros(0), *(one.enter_s for one in stays)])
    order = np.lexsort((enter_s, person))
    zone, person = zone[order], person[order]
    moved = (np.diff(person) == 0) & (np.diff(zone) != 0)
    pairs = n * zone[:-1][moved] + zone[1:][moved]
    return np.bincount(pairs, minlength=n * n).reshape(n, n)


def presence(
    from_s: Float[np.ndarray, " v"], to_s: Float[np.ndarray, " v"], edges_s: Float[np.ndarray, " e"]
) -> Float[np.ndarray, " b"]:
    """How many were there on average, between each two ``edges_s``, given since when and until when somebody was."""

    def spent_until(since_s: Float[np.ndarray, " v"]) -> Float[np.ndarray, " e"]:
        """Seconds that have passed at the edges since all of these moments before them."""
        ordered = np.sort(since_s)
        so_far = np.concatenate([[0.0], np.cumsum(ordered - edges_s[0])])
        n = np.searchsorted(ordered, edges_s)
        return np.asarray(n * (edges_s - edges_s[0]) - so_far[n])

    return np.diff(spent_until(from_s) - spent_until(to_s)) / np.diff(edges_s)
