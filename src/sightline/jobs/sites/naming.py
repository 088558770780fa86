"""Numbers that last: a settled identity goes on under the number that was said at once, so that no number means two."""

import numpy as np
from jaxtyping import Int

Counts = Int[np.ndarray, "k 3"]
"""A number said at once, an identity as settled, and how many sightings were said and settled so; no pair twice."""


def homes(counts: Counts) -> Int[np.ndarray, "h 3"]:
    """Of every number that was said at once, whose most of its sightings turned out to be; the most certain first.

    Where two have as many, the one that was settled first.
    """
    order = np.lexsort((counts[:, 1], counts[:, 0], -counts[:, 2]))
    _, first = np.unique(counts[order, 0], return_index=True)
    return counts[order[np.sort(first)]]


def lasting(counts: Counts, n_said: int, n_settled: int) -> Int[np.ndarray, " s"]:
    """By settled identity, from 1, the number that it has from now on; no two have the same.

    Numbers up to ``n_said`` were said at once. Such a number stays with whom most of its sightings were of; where
    several were one person, the one that was said of them most often stays, and the others are nobody's from now on.
    Who is left has a number that was never said.
    """
    home = homes(counts)
    settled, first = np.unique(home[:, 1], return_index=True)
    number = np.zeros(n_settled, np.int64)
    number[settled - 1] = home[first, 0]
    new = np.flatnonzero(number == 0)
    number[new] = n_said + 1 + np.arange(len(new))
    return number
