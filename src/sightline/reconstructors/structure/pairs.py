"""Which pictures to compare with which: all, if there are few; else neighbours in time and those that look alike."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Final

import numpy as np

from sightline.reconstructors.structure.features import Features
from sightline.reconstructors.structure.matching import alike

Pair = tuple[int, int]
"""Two pictures, the earlier first."""
_ALL: Final = 30
"""Up to so many pictures in no order, every pair is compared."""
_AFTER: Final = (1, 2, 3, 4, 6, 9, 14)
"""How far apart neighbours in a sequence may be, in pictures."""
_GLANCE: Final = 300
"""Spots that tell at a glance whether two pictures look alike."""
_LOOPS: Final = 4
"""Pictures of a sequence that each is compared with for coming back to where it was."""
_FRIENDS: Final = 20
"""Pictures in no order that each is compared with."""
_ALIKE: Final = 6
"""Matches at a glance that chance seldom gives."""


def pairs(found: Sequence[Features], is_sequence: bool, each: Callable[..., Sequence[int]]) -> list[Pair]:
    """Pairs of pictures that may show the same things, in order.

    ``each`` does a function for every pair of a list, as ``map`` does, perhaps several at once.
    """
    n = len(found)
    everyone = list(combinations(range(n), 2))
    if not is_sequence and n <= _ALL:
        return everyone
    near = {(i, i + after) for after in _AFTER for i in range(n - after)} if is_sequence else set[Pair]()
    far = [pair for pair in everyone if not is_sequence or pair[1] - pair[0] > _AFTER[-1]]
    counts = each(lambda pair: _glance(found[pair[0]], found[pair[1]]), far)
    return sorted(near | _strongest(far, counts, _LOOPS if is_sequence else _FRIENDS))


def _glance(one: Features, other: Features) -> int:
    """How many of the coarsest spots match."""
    return len(alike(one.look[:_GLANCE], other.look[:_GLANCE]))


def _strongest(far: Sequence[Pair], counts: Sequence[int], most: int) -> set[Pair]:
    """For each picture the pairs with the highest counts, if chance does not explain them."""
    kept: set[Pair] = set()
    left: dict[int, int] = {}
    for at in np.argsort(-np.asarray(counts, np.int64), kind="stable"):
        pair = far[at]
        if counts[at] < _ALIKE:
            break
        if min(left.get(i, 0) for i in pair) < most:
            kept.add(pair)
            for i in pair:
                left[i] = left.get(i, 0) + 1
    return kept
