"""Many pictures, looked at some at a time: which ones together, and how the looks become one scene."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Float

from sightline.errors import ReconstructionError
from sightline.geometry.rigid import inverse, moved
from sightline.geometry.umeyama import Similar
from sightline.reconstructors.looks.aligning import Joint, closed, laid
from sightline.reconstructors.looks.assembled import Look

MOST: Final = 100
"""Pictures in one look: beyond, these networks get worse even where memory allows more."""
LEAST: Final = 4
"""Fewer pictures in a look cannot be laid upon the next."""
_SHARED: Final = 0.25
"""Of the pictures of a look, those that are also in the one before."""
_SAMPLES: Final = 20_000
"""Points of the shared pictures that say how two looks lie to each other."""
_BELIEVED: Final = 0.5
"""A loop is closed only where this share of the points agrees."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Pictures looked at together."""

    first: int
    """Number of the first,"""
    end: int
    """and of the one after the last."""

    def __len__(self) -> int:
        return self.end - self.first

    @property
    def numbers(self) -> range:
        """Of its pictures."""
        return range(self.first, self.end)


def planned(n: int, most: int) -> list[Chunk]:
    """Chunks of no more than ``most`` pictures that cover n, each sharing some with the one before."""
    if n <= most:
        return [Chunk(0, n)]
    shared = max(round(_SHARED * most), 2)
    count = -(-(n - shared) // (most - shared))
    starts = np.round(np.linspace(0, n - most, count)).astype(int)
    return [Chunk(int(start), int(start) + most) for start in starts]


def joined(chunks: Sequence[Chunk], looks: Sequence[Sequence[Look]], more: Sequence[Joint] = ()) -> list[Look]:
    """One look at every picture, in the frame of the first chunk.

    A picture in two chunks is taken from the one that has more around it.

    Raises:
        ReconstructionError: two neighbours share nothing that tells how they lie.
    """
    joints = [
        joint(number, _both(one, looks[number], other, looks[number + 1]))
        for number, (one, other) in enumerate(pairwise(chunks))
    ]
    middled = [_middled(its) for its in looks]
    bent = [
        replace(
            one,
            first_from_second=middled[one.first] @ one.first_from_second @ np.linalg.inv(middled[one.second]),
        )
        for one in (*joints, *more)
    ]
    first_from_chunk = np.linalg.inv(middled[0]) @ closed(bent, len(chunks)) @ np.array(middled)
    middles = np.array([(chunk.first + chunk.end - 1) / 2 for chunk in chunks])
    whole = []
    for number in range(chunks[-1].end):
        having = [at for at, chunk in enumerate(chunks) if number in chunk.numbers]
        at = min(having, key=lambda at: abs(middles[at] - number))
        whole.append(looks[at][number - chunks[at].first].moved(first_from_chunk[at]))
    return whole


def _middled(looks: Sequence[Look]) -> Similar:
    """From a part's frame to one about the middle of its cameras, whose unit is how deep they see.

    How far a joint is bent means the same there for every part, wherever the network put the part's origin.
    """
    placed = [look for look in looks if look.is_placed]
    if not placed:
        return np.eye(4)
    middle = np.mean([inverse(look.cam_from_scene)[:3, 3] for look in placed], axis=0)
    deep = float(np.median([np.median(look.depth) for look in placed]))
    there = np.eye(4) / deep
    there[:3, 3] = -middle / deep
    there[3, 3] = 1
    return there


def joint(number: int, shared: Sequence[tuple[Look, Look]]) -> Joint:
    """How the next part lies to part ``number``, from looks of both at the same pictures.

    Raises:
        ReconstructionError: they tell nothing.
    """
    first_from_second, share = similar(shared)
    if not np.isfinite(first_from_second).all():
        raise ReconstructionError(
            f"parts {number} and {number + 1} share nothing that was seen in both; give fewer pictures, or more memory"
        )
    return Joint(number, number + 1, first_from_second, share)


def loop(
    first: int, second: int, of_first: Sequence[tuple[Look, Look]], of_second: Sequence[tuple[Look, Look]]
) -> Joint | None:
    """How part ``second`` lies to part ``first``, by a third that shares pictures with both; None: it cannot be told.

    Pairs are looks of the part and of the third.
    """
    first_from_third, share = similar(of_first)
    second_from_third, other = similar(of_second)
    if not min(share, other) >= _BELIEVED:
        return None
    return Joint(first, second, first_from_third @ np.linalg.inv(second_from_third), min(share, other))


def similar(shared: Sequence[tuple[Look, Look]]) -> tuple[Float[np.ndarray, "4 4"], float]:
    """``first_from_second`` of two looks at the same pictures, and the share of points that it fits."""
    usable = [(one, other) for one, other in shared if one.is_placed and other.is_placed]
    if not usable:
        return np.full((4, 4), np.nan), 0.0
    columns = [_sampled(one, other, _SAMPLES // len(usable)) for one, other in usable]
    xyz_one, xyz_other, weight = (np.concatenate(column) for column in zip(*columns, strict=True))
    return laid(xyz_other, xyz_one, weight)


def _both(one: Chunk, its: Sequence[Look], other: Chunk, others: Sequence[Look]) -> list[tuple[Look, Look]]:
    """Looks of both chunks at the pictures they share."""
    return [(its[n - one.first], others[n - other.first]) for n in range(other.first, one.end)]


def _sampled(one: Look, other: Look, n: int) -> Iterator[np.ndarray]:
    """Points of the same pixels as both looks have them, and how far both are trusted."""
    rows, columns = one.framing.inside
    step = max(int(np.sqrt(np.prod(one.framing.inner) / n)), 1)
    y, x = np.mgrid[rows.start : rows.stop : step, columns.start : columns.stop : step]
    y, x = y.ravel(), x.ravel()
    for look in (one, other):
        depth = look.depth[y, x].astype(np.float64)
        ahead = np.stack([x + 0.5, y + 0.5, np.ones(len(x))], axis=1) @ np.linalg.inv(look.px_from_cam).T
        yield moved(inverse(look.cam_from_scene), ahead * depth[:, None])
    # Confidence begins at 1, where a network knows nothing.
    yield np.sqrt((one.depth_confidence[y, x] - 1.0) * (other.depth_confidence[y, x] - 1.0)).astype(np.float64)
