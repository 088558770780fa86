"""Long recordings cut into parts that overlap, and the identities of the parts made one again.

Memory then grows with the length of a part. Who is away for less than the overlap is in one part before and after.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.estimation.assignment import assigned_sparse
from sightline.model.identities import NOBODY

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
        """What it is to look at."""
        return (t_s >= self.begin_s) & (t_s <= self.end_s)

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
