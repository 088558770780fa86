# ruff: noqa: ANN001, ANN201, ANN202  (the compiler finds the types)
"""The loops that matching spends its time in, compiled.

Each gives, for every row of the one picture, the row of the other that looks most like it (-1: none), how much so,
and how much so the next; and for every row of the other the row of the one.
"""

from typing import no_type_check

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
@no_type_check
def nearest_two(product):
    """Among all, from a table of how alike they are."""
    n, m = product.shape
    best, top, second = np.full(n, -1), np.full(n, -1.0, np.float32), np.full(n, -1.0, np.float32)
    back, highest = np.full(m, -1), np.full(m, -1.0, np.float32)
    for i in range(n):
        for j in range(m):
            value = product[i, j]
            if value > second[i]:
                if value > top[i]:
                    second[i], top[i], best[i] = top[i], value, j
                else:
                    second[i] = value
            if value > highest[j]:
                highest[j], back[j] = value, i
    return best, top, second, back


@njit(cache=True, nogil=True)
@no_type_check
def near_places(places, look, other_xy, other_look, close):
    """Among those within ``close`` of where each is expected in the other picture."""
    n, m = len(places), len(other_xy)
    best, top, second = np.full(n, -1), np.full(n, -1.0, np.float32), np.full(n, -1.0, np.float32)
    back, highest = np.full(m, -1), np.full(m, -1.0, np.float32)
    rows, start, across, down = _bucketed(other_xy, close)
    other_xy, other_look = other_xy[rows], other_look[rows]
    for i in range(n):
        x, y = places[i, 0], places[i, 1]
        if not (-close < x < (across + 1) * close and -close < y < (down + 1) * close):
            continue
        for r in range(max(0, int(y / close) - 1), min(down, int(y / close) + 2)):
            first = start[r * across + min(across, max(0, int(x / close) - 1))]
            for at in range(first, start[r * across + min(across, int(x / close) + 2)]):
                if (other_xy[at, 0] - x) ** 2 + (other_xy[at, 1] - y) ** 2 <= close * close:
                    _compared(i, rows[at], _product(look, i, other_look, at), best, top, second, back, highest)
    return best, top, second, back


@njit(cache=True, nogil=True)
@no_type_check
def along_lines(xy, look, other_xy, other_look, lines, close):
    """Among those within ``close`` of the line that each has in the other picture by the matrix ``lines``."""
    n, m = len(xy), len(other_xy)
    best, top, second = np.full(n, -1), np.full(n, -1.0, np.float32), np.full(n, -1.0, np.float32)
    back, highest = np.full(m, -1), np.full(m, -1.0, np.float32)
    cell = 4 * close
    rows, start, across, down = _bucketed(other_xy, cell)
    other_xy, other_look = other_xy[rows], other_look[rows]
    for i in range(n):
        a = lines[0, 0] * xy[i, 0] + lines[0, 1] * xy[i, 1] + lines[0, 2]
        b = lines[1, 0] * xy[i, 0] + lines[1, 1] * xy[i, 1] + lines[1, 2]
        c = lines[2, 0] * xy[i, 0] + lines[2, 1] * xy[i, 1] + lines[2, 2]
        length = np.sqrt(a * a + b * b)
        if length < 1e-12:
            continue
        a, b, c = a / length, b / length, c / length
        is_flat = abs(b) > abs(a)
        slope, offset = (-a / b, -c / b) if is_flat else (-b / a, -c / a)
        limit = down if is_flat else across
        for step in range(across if is_flat else down):
            # Where the line enters and leaves this column (or row) of cells; 1.5 covers the band on a slope of one.
            middle, half = slope * (step + 0.5) * cell + offset, 0.5 * cell * abs(slope) + 1.5 * close
            if middle + half < 0:
                continue
            low, high = max(0, int((middle - half) / cell)), min(limit - 1, int((middle + half) / cell))
            for other in range(low, high + 1):
                where = other * across + step if is_flat else step * across + other
                for at in range(start[where], start[where + 1]):
                    if abs(a * other_xy[at, 0] + b * other_xy[at, 1] + c) <= close:
                        _compared(i, rows[at], _product(look, i, other_look, at), best, top, second, back, highest)
    return best, top, second, back


@njit(cache=True, nogil=True, inline="always")
@no_type_check
def _compared(i, j, value, best, top, second, back, highest):
    """Keeps what comparing ``i`` with ``j`` says."""
    if value > second[i]:
        if value > top[i]:
            second[i], top[i], best[i] = top[i], value, j
        else:
            second[i] = value
    if value > highest[j]:
        highest[j], back[j] = value, i


@njit(cache=True, nogil=True, fastmath=True)
@no_type_check
def _product(look, i, other_look, j):
    """How alike two looks are."""
    total = np.float32(0)
    for k in range(128):
        total += look[i, k] * other_look[j, k]
    return total


@njit(cache=True, nogil=True)
@no_type_check
def _bucketed(xy, cell):
    """Rows of places sorted by square cell, and where each cell's begin; cells go row by row."""
    across, down = int(xy[:, 0].max() / cell) + 1, int(xy[:, 1].max() / cell) + 1
    start = np.zeros(across * down + 1, np.int64)
    where = np.empty(len(xy), np.int64)
    for i in range(len(xy)):
        where[i] = int(xy[i, 1] / cell) * across + int(xy[i, 0] / cell)
        start[where[i] + 1] += 1
    start = np.cumsum(start)
    rows, filled = np.empty(len(xy), np.int64), start.copy()
    for i in range(len(xy)):
        rows[filled[where[i]]] = i
        filled[where[i]] += 1
    return rows, start, across, down
