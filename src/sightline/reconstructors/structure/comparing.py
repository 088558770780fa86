# ruff: noqa: ANN001, ANN201, ANN202  (the compiler finds the types)
"""The loops that matching spends its time in, compiled.

Each gives, for every row of the one picture, the row of the other that looks most like it (-1: none), how much so,
and how much so the next; and for every row of the other the row of the one.
"""

from typing import no_type_check

import numpy as np
from numba import njit

_CHUNK = 512
"""Looks that stay near the processor while all of the other picture's pass by; a multiple of four."""


@njit(cache=True, nogil=True)
@no_type_check
def nearest_two(look, other_look):
    """Among all."""
    n, m = len(look), len(other_look)
    best, top, second = np.full(n, -1), np.full(n, -1.0, np.float32), np.full(n, -1.0, np.float32)
    back, highest = np.full(m, -1), np.full(m, -1.0, np.float32)
    rows, columns = _in_fours(look), _in_fours(other_look)
    products = np.empty((4, _CHUNK), np.float32)
    for first in range(0, m, _CHUNK):
        width = min(_CHUNK, m - first)
        for i in range(0, n, 4):
            for j in range(0, width, 4):
                _sixteen(rows, i, columns, first + j, products, j)
            for r in range(min(4, n - i)):
                chosen, most, next_most = best[i + r], top[i + r], second[i + r]
                for j in range(width):
                    value = products[r, j]
                    if value > next_most:
                        if value > most:
                            next_most, most, chosen = most, value, first + j
                        else:
                            next_most = value
                    if value > highest[first + j]:
                        highest[first + j], back[first + j] = value, i + r
                best[i + r], top[i + r], second[i + r] = chosen, most, next_most
    return best, top, second, back


@njit(cache=True, nogil=True)
@no_type_check
def _in_fours(look):
    """The looks, and as many rows of zeros as make their number a multiple of four."""
    padded = np.zeros(((len(look) + 3) // 4 * 4, 128), np.float32)
    padded[: len(look)] = look
    return padded


@njit(cache=True, nogil=True, fastmath=True)
@no_type_check
def _sixteen(one, i, other, j, products, at):
    """How alike four looks and four others are: each number that is fetched serves four times.

    As fast as BLAS on one core, without its threads, which stand in each other's way when called from several.
    """
    p00 = p01 = p02 = p03 = p10 = p11 = p12 = p13 = np.float32(0)
    p20 = p21 = p22 = p23 = p30 = p31 = p32 = p33 = np.float32(0)
    for k in range(128):
        a = one[i, k]
        b = one[i + 1, k]
        c = one[i + 2, k]
        d = one[i + 3, k]
        e = other[j, k]
        f = other[j + 1, k]
        g = other[j + 2, k]
        h = other[j + 3, k]
        p00 += a * e
        p01 += a * f
        p02 += a * g
        p03 += a * h
        p10 += b * e
        p11 += b * f
        p12 += b * g
        p13 += b * h
        p20 += c * e
        p21 += c * f
        p22 += c * g
        p23 += c * h
        p30 += d * e
        p31 += d * f
        p32 += d * g
        p33 += d * h
    products[0, at] = p00
    products[0, at + 1] = p01
    products[0, at + 2] = p02
    products[0, at + 3] = p03
    products[1, at] = p10
    products[1, at + 1] = p11
    products[1, at + 2] = p12
    products[1, at + 3] = p13
    products[2, at] = p20
    products[2, at + 1] = p21
    products[2, at + 2] = p22
    products[2, at + 3] = p23
    products[3, at] = p30
    products[3, at + 1] = p31
    products[3, at + 2] = p32
    products[3, at + 3] = p33


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
