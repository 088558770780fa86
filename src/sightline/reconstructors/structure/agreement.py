"""Whether a model is borne out by the matches that it was made of.

A mapper may place two groups of pictures wrongly to each other and throw away the points that say so: every picture
has its place then, and every point left over fits. What was matched between the groups is in none of the points.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Int64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sightline.reconstructors.colmap import pycolmap
from sightline.reconstructors.structure.matching import Matches

_LEAST: Final = 15
"""Pairs with fewer verified matches say nothing."""
_BORNE_OUT: Final = 0.3
"""A pair agrees with the model when this share of its matches are one point of it."""
Verified = Mapping[tuple[int, int], Matches]
"""Matches that one motion of the camera explains, by the numbers of two pictures."""


def verified_matches(database: Path) -> Verified:
    """Those of all pairs that have enough to say something."""
    kept = pycolmap.Database.open(database)
    try:
        ids, found = kept.read_two_view_geometries()
    finally:
        kept.close()
    matches = [np.asarray(one.inlier_matches, np.int64).reshape(-1, 2) for one in found]
    return {
        pycolmap.pair_id_to_image_pair(pair): rows
        for pair, rows in zip(ids, matches, strict=True)
        if len(rows) >= _LEAST
    }


class Agreement:
    """How a model agrees with the matches of the pictures placed in it."""

    def __init__(self, model: pycolmap.Reconstruction, matches: Verified) -> None:
        point_of = _points_of_spots(model)
        self._placed = sorted(point_of)
        pairs = [pair for pair in matches if pair[0] in point_of and pair[1] in point_of]
        same = [_same(point_of[i], point_of[j], matches[i, j]) for i, j in pairs]
        self.n_agreeing = sum(same)
        """Matches that are one point of the model."""
        self._pairs = np.array(pairs, np.int64).reshape(-1, 2)
        shares = np.array([n / len(matches[pair]) for n, pair in zip(same, pairs, strict=True)])
        self._agrees = shares >= _BORNE_OUT

    @property
    def share(self) -> float:
        """Pairs that agree, among all of them; 1 where there are none."""
        return float(self._agrees.mean()) if len(self._agrees) else 1.0

    def pieces(self) -> list[list[int]]:
        """Numbers of the placed pictures, the largest set first; no pair that agrees joins one set to another."""
        n = len(self._placed)
        rows = np.searchsorted(self._placed, self._pairs[self._agrees])
        links = coo_array((np.ones(len(rows)), (rows[:, 0], rows[:, 1])), shape=(n, n))
        _, piece = connected_components(links, directed=False)
        every = [[self._placed[k] for k in np.flatnonzero(piece == at)] for at in range(piece.max(initial=-1) + 1)]
        return sorted(every, key=len, reverse=True)


def _points_of_spots(model: pycolmap.Reconstruction) -> dict[int, Int64[np.ndarray, " spots"]]:
    """Which point each spot of each placed picture is; -1: none."""
    found = {number: np.full(model.image(number).num_points2D(), -1, np.int64) for number in model.reg_image_ids()}
    for point in model.point3D_ids():
        for element in model.point3D(point).track.elements:
            found[element.image_id][element.point2D_idx] = point
    return found


def _same(one: Int64[np.ndarray, " n"], other: Int64[np.ndarray, " m"], matches: Matches) -> int:
    """How many matches are one point."""
    first, second = one[matches[:, 0]], other[matches[:, 1]]
    return int(((first == second) & (first >= 0)).sum())
