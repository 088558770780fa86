"""Which spots of two pictures are the same thing.

The coarsest spots of both are compared all with all, more of them where those say little; once they agree on how the
two cameras stand to each other, the rest is only looked for where it must be: some thirty times less to compare.
"""

from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

from sightline.geometry.warp import warped
from sightline.reconstructors.structure.comparing import along_lines, near_places, nearest_two
from sightline.reconstructors.structure.features import Features

Matches = Int64[np.ndarray, "pairs 2"]
"""Rows of the spots of the one picture and of the other."""
Lines = Float[np.ndarray, "3 3"]
Xy = Float32[np.ndarray, "n 2"]

_COARSE: Final = 1000
"""Spots compared in the first look."""
_RATIO: Final = 0.8
"""The nearest must be nearer than this share of the distance to the second."""
_LEAST_ALIKE: Final = 0.76
"""Looks whose product is less are not the same: an angle of 0.7."""
_FEW: Final = 12
"""With fewer matches in the first look, the pictures show different things: chance alone gives as many."""
_CHANCE: Final = 10
"""Fewer that agree on how the cameras stand do so by chance."""
_AGREED: Final = 20
"""This many must agree before the rest is looked for only where it must be."""
_MORE: Final = 2500
"""Spots compared in a second look, where in the first fewer agreed."""
_HOPE: Final = 15
"""With so many that agree in the second, the rest is worth being looked for all over."""
_CLOSE: Final = 0.003
"""How far from its line a spot may be; share of the picture's longer side."""
_NEAR: Final = 0.025
"""How far from its place a spot may be where one plane explains nearly all; likewise."""
_FLAT: Final = 0.9
"""One plane explains nearly all when it explains this share."""


def matches(one: Features, other: Features, side_px: float) -> Matches:
    """Pairs of spots that look alike and like no other; ``side_px`` is the longer side of the larger picture."""
    if len(one) <= _COARSE and len(other) <= _COARSE:
        return alike(one.look, other.look)
    close_px = max(2.0, _CLOSE * side_px)
    n_agreeing = 0
    for most in (_COARSE, _MORE):
        found = alike(one.look[:most], other.look[:most])
        from_px, to_px = one.xy_px[found[:, 0]], other.xy_px[found[:, 1]]
        agreed = _agreed(cv2.findFundamentalMat, from_px, to_px, close_px / 2) if len(found) >= _FEW else None
        if agreed is None:
            return found[:0]
        n_agreeing = int(agreed[1].sum())
        if n_agreeing >= _AGREED:
            return _guided(one, other, (agreed[0], from_px[agreed[1]], to_px[agreed[1]]), side_px)
    return alike(one.look, other.look) if n_agreeing >= _HOPE else np.zeros((0, 2), np.int64)


def _guided(one: Features, other: Features, agreed: tuple[Lines, Xy, Xy], side_px: float) -> Matches:
    """Pairs of spots where they must be, by the lines and by places that agree on these."""
    lines, from_px, to_px = agreed
    close_px = max(2.0, _CLOSE * side_px)
    plane = _agreed(cv2.findHomography, from_px, to_px, close_px)
    if plane is None or plane[1].sum() < _FLAT * len(from_px):
        return _mutual(*along_lines(one.xy_px, one.look, other.xy_px, other.look, lines, 1.25 * close_px))
    # On a plane, or with a camera that only turned, any number of fundamental matrices fit: the lines say nothing.
    places = warped(plane[0], one.xy_px.astype(np.float64))
    return _mutual(*near_places(places, one.look, other.xy_px, other.look, _NEAR * side_px))


def alike(one: Float[np.ndarray, "n 128"], other: Float[np.ndarray, "m 128"]) -> Matches:
    """Pairs that are each other's nearest, and clearly nearer than the next."""
    if not len(one) or not len(other):
        return np.zeros((0, 2), np.int64)
    return _mutual(*nearest_two(one, other))


def _mutual(
    best: Int64[np.ndarray, " n"],
    product: Float[np.ndarray, " n"],
    next_product: Float[np.ndarray, " n"],
    back: Int64[np.ndarray, " m"],
) -> Matches:
    """Those that choose each other and are alone in that."""
    rows = np.flatnonzero(best >= 0)
    # Squared distances of vectors of length one are 2 - 2 times their product.
    clear = (1 - product[rows]) < _RATIO**2 * (1 - next_product[rows])
    kept = clear & (product[rows] > _LEAST_ALIKE) & (back[best[rows]] == rows)
    return np.stack([rows[kept], best[rows[kept]]], axis=1)


def _agreed(
    fit: Callable[..., Any], from_px: Float[np.ndarray, "n 2"], to_px: Float[np.ndarray, "n 2"], close_px: float
) -> tuple[Float[np.ndarray, "3 3"], Bool[np.ndarray, " n"]] | None:
    """The matrix that enough of the pairs agree on, and which these are; None where there is none."""
    try:
        matrix, agree = fit(from_px, to_px, cv2.USAC_MAGSAC, close_px, confidence=0.999, maxIters=3000)
    except cv2.error:  # so it says that of some points no sample makes a model
        return None
    if np.shape(matrix) != (3, 3) or agree.sum() < _CHANCE:
        return None
    return np.asarray(matrix, np.float64), agree.ravel().astype(bool)
