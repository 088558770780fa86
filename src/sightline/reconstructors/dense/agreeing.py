# ruff: noqa: ANN001, ANN201, ANN202  (the compiler finds the types)
"""Which pixels two views agree on, compiled."""

from typing import no_type_check

import numpy as np
from numba import njit

_NEAR_PX = 1.5
"""How far a pixel may land from where it came from, there and back."""
_NEAR_SHARE = 0.01
"""How much depth may differ."""
_ONE_SURFACE = 1.03
"""Ratio of depths of pixels side by side, above which there is an edge between them."""
_GAP = 2
"""Pixels to each side across which a hole is closed."""
_LEAST_PAIRS = 4
_AROUND = 3
"""Pixels to each side by which the slope of one is told."""
_LEAST_AREA = 36
"""Of the determinant; less: the pixels around are too few, or in a line."""


@njit(cache=True, nogil=True)
@no_type_check
def heard(depth, forth, other_depth, back, count, total):
    """Adds one for each pixel that the other view agrees with, and the depth that it gives.

    Args:
        depth: of the view; 0: unknown.
        forth: 3x4, from (x, y, 1) times depth, and 1, to the other's (x, y, 1) times its depth.
        other_depth: of the other view.
        back: as ``forth``, from there to here.
        count: how many agree. Written to.
        total: sum of their depths. Written to.
    """
    height, width = depth.shape
    for y in range(height):
        for x in range(width):
            if not depth[y, x] > 0:
                continue
            u, v, away = _carried(forth, x, y, depth[y, x])
            if not away > 0:
                continue
            found = _looked_up(other_depth, u, v)
            if not abs(found - away) < _NEAR_SHARE * away:
                continue
            there_x, there_y, here = _carried(back, u, v, found)
            if (there_x - x) ** 2 + (there_y - y) ** 2 < _NEAR_PX**2 and abs(here - depth[y, x]) < (
                _NEAR_SHARE * depth[y, x]
            ):
                count[y, x] += 1
                total[y, x] += here


@njit(cache=True, nogil=True)
@no_type_check
def taken(depth, fresh, forth, other_depth, other_taken):
    """Notes for the other view which of its pixels show what this view's fresh ones do."""
    height, width = depth.shape
    for y in range(height):
        for x in range(width):
            if not fresh[y, x]:
                continue
            u, v, away = _carried(forth, x, y, depth[y, x])
            if not away > 0:
                continue
            i, j = int(np.floor(u + 0.5)), int(np.floor(v + 0.5))
            if not (0 <= i < other_depth.shape[1] and 0 <= j < other_depth.shape[0]):
                continue
            if abs(other_depth[j, i] - away) < 2 * _NEAR_SHARE * away:
                other_taken[j, i] = True


@njit(cache=True, nogil=True)
@no_type_check
def between(depth):
    """Depth where there is none, but on both sides, of one surface; 0 elsewhere."""
    height, width = depth.shape
    found = np.zeros_like(depth)
    for y in range(_GAP, height - _GAP):
        for x in range(_GAP, width - _GAP):
            if depth[y, x] > 0:
                continue
            pairs, total = 0, 0.0
            for j in range(_GAP + 1):
                for i in range(-_GAP, _GAP + 1):
                    one, other = depth[y + j, x + i], depth[y - j, x - i]
                    if one > 0 and other > 0 and max(one, other) < _ONE_SURFACE * min(one, other):
                        pairs, total = pairs + 1, total + (1 / one + 1 / other)
            if pairs >= _LEAST_PAIRS:
                found[y, x] = 2 * pairs / total
    return found


@njit(cache=True, nogil=True)
@no_type_check
def slopes(depth):
    """How inverse depth changes to the right and down, by least squares over what is near; NaN: unknown."""
    height, width = depth.shape
    slope = np.full((height, width, 2), np.nan, np.float32)
    for y in range(height):
        for x in range(width):
            here = depth[y, x]
            if not here > 0:
                continue
            xx = xy = yy = xd = yd = 0.0
            for v in range(max(y - _AROUND, 0), min(y + _AROUND + 1, height)):
                for u in range(max(x - _AROUND, 0), min(x + _AROUND + 1, width)):
                    if abs(depth[v, u] - here) < (_ONE_SURFACE - 1) * here:
                        i, j, off = u - x, v - y, 1 / depth[v, u] - 1 / here
                        xx, xy, yy, xd, yd = xx + i * i, xy + i * j, yy + j * j, xd + i * off, yd + j * off
            area = xx * yy - xy * xy
            if area > _LEAST_AREA:
                slope[y, x, 0] = (yy * xd - xy * yd) / area
                slope[y, x, 1] = (xx * yd - xy * xd) / area
    return slope


@njit(cache=True, nogil=True)
@no_type_check
def _carried(matrix, x, y, depth):
    """A pixel of the other view, and depth there."""
    a = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) * depth + matrix[0, 3]
    b = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) * depth + matrix[1, 3]
    c = (matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]) * depth + matrix[2, 3]
    if c <= 1e-12:
        return -1.0, -1.0, -1.0
    return a / c, b / c, c


@njit(cache=True, nogil=True)
@no_type_check
def _looked_up(depth, u, v):
    """Depth between pixels if they are of one surface, else the nearest one's; 0 outside."""
    height, width = depth.shape
    if not (0 <= u <= width - 1 and 0 <= v <= height - 1):
        return 0.0
    i, j = min(int(u), width - 2), min(int(v), height - 2)
    a, b, c, d = depth[j, i], depth[j, i + 1], depth[j + 1, i], depth[j + 1, i + 1]
    right, down = u - i, v - j
    least, most = min(a, b, c, d), max(a, b, c, d)
    if least > 0 and most < _ONE_SURFACE * least:
        # Inverse depth is what changes evenly over a flat surface.
        above, below = 1 / a + right * (1 / b - 1 / a), 1 / c + right * (1 / d - 1 / c)
        return 1 / (above + down * (below - above))
    return depth[int(v + 0.5), int(u + 0.5)]
