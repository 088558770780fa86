# ruff: noqa: ANN001, ANN201, ANN202  (the compiler finds the types)
"""The loops that depth spends its time in, compiled: planes for pixels, by how alike pictures look through them.

Source: PatchMatch stereo (Bleyer, Rhemann and Rother 2011), normalised correlation over windows that keep to one
colour (as Schönberger et al. 2016). A pixel's plane is its inverse depth and how that changes to the right and down.
"""

from typing import no_type_check

import numpy as np
from numba import njit

_REACH = 4
"""Pixels from a window's middle to its border; every second one is looked at, in both directions."""
_SAMPLES = (_REACH + 1) ** 2
_NOISE = np.float32((0.7 / 255) ** 2)
"""Variance of a surface without any detail."""
_SAME = np.float32(1 / (2 * 0.05**2))
"""How quickly a window loses interest in other brightness."""
_NEAR = np.float32(1 / (2 * 4.0**2))
_SLANTED = 0.03
"""Squared cosine at which a surface is seen too much from its side."""
_WORST = np.float32(2)
_MOST_OFF_PX = np.float32(3)

# What calculates fast and loose is inlined: called from elsewhere it would be compiled again, perhaps with sums in
# another order, and the first run after an installation would differ from all later ones, which load what was compiled.


@njit(cache=True, nogil=True, fastmath=True)
@no_type_check
def sweep(grey, against, planes, picks, about, dice, rows):
    """One pass over some rows, each pixel trying its neighbours' planes and some like its own.

    Args:
        grey: the picture, 0 to 1.
        against: other pictures, their heights and widths, and 3x4 matrices from (x, y, 1, inverse depth) to them;
            the depth that they have, matrices back, and what a pixel of disagreement costs.
        planes: inverse depth, its slope right and down, and cost; below 0: not known yet. Written to.
        picks: which of the others count at a pixel, a bit each.
        about: focal lengths, centre, least and most inverse depth, and how far to vary inverse depth and slope.
        dice: state of chance, not 0. Written to.
        rows: first row and the one to end before; downwards from the left, or upwards from the right.
    """
    height, width = grey.shape
    window = np.empty((4, _SAMPLES), np.float32)
    scores = np.empty(len(against[0]), np.float32)
    forward = rows[0] < rows[1]
    back = -1 if forward else 1
    for y in range(rows[0], rows[1], -back):
        for column in range(width):
            x = column if forward else width - 1 - column
            patch = (window, _filled(grey, x, y, window))
            best = (planes[y, x, 0], planes[y, x, 1], planes[y, x, 2])
            least = planes[y, x, 3]
            if least < 0:
                least = _cost(x, y, best, patch, against, picks[y, x], scores)
            for k in range(5):
                if k < 2:
                    u, v = (x + back, y) if k == 0 else (x, y + back)
                    if not (0 <= u < width and 0 <= v < height):
                        continue
                    right, down = planes[v, u, 1], planes[v, u, 2]
                    tried = (planes[v, u, 0] + right * (x - u) + down * (y - v), right, down)
                else:
                    tried = _varied(best, about, dice, k)
                if _possible(x, y, tried, about):
                    cost = _cost(x, y, tried, patch, against, picks[y, x], scores)
                    if cost < least:
                        least, best = cost, tried
            planes[y, x, 0], planes[y, x, 1], planes[y, x, 2], planes[y, x, 3] = best[0], best[1], best[2], least


@njit(cache=True, nogil=True)
@no_type_check
def _rolled(dice):
    """A number from -1 to 1; Marsaglia's xorshift."""
    s = dice[0]
    s ^= (s << 13) & 0xFFFFFFFF
    s ^= s >> 17
    s ^= (s << 5) & 0xFFFFFFFF
    dice[0] = s
    return np.float32(s / 2147483648.0 - 1.0)


@njit(cache=True, nogil=True)
@no_type_check
def _varied(plane, about, dice, which):
    """A plane like this one: nearer or farther, turned, or both."""
    inverse, right, down = plane
    if which != 3:
        inverse = inverse + about[6] * _rolled(dice)
    if which != 2:
        right = right + about[7] * inverse / about[0] * _rolled(dice)
        down = down + about[7] * inverse / about[1] * _rolled(dice)
    return inverse, right, down


@njit(cache=True, nogil=True)
@no_type_check
def _possible(x, y, plane, about):
    """Whether it is neither too near nor too far, and not seen from its side."""
    inverse, right, down = plane
    if not about[4] <= inverse <= about[5]:
        return False
    across, below = x - about[2], y - about[3]
    a, b, c = right * about[0], down * about[1], inverse - right * across - down * below
    ray = 1 + (across / about[0]) ** 2 + (below / about[1]) ** 2
    return inverse * inverse > _SLANTED * (a * a + b * b + c * c) * ray


@njit(cache=True, nogil=True, fastmath=True, inline="always")
@no_type_check
def _filled(grey, x, y, window):
    """Fills in where to look around a pixel, how much it counts, and brightness less the mean; gives the variance."""
    height, width = grey.shape
    here = grey[y, x]
    total = mean = square = np.float32(0)
    k = 0
    for j in range(-_REACH, _REACH + 1, 2):
        v = min(max(y + j, 0), height - 1)
        for i in range(-_REACH, _REACH + 1, 2):
            u = min(max(x + i, 0), width - 1)
            value = grey[v, u]
            unlike = (value - here) ** 2 * _SAME + np.float32(i * i + j * j) * _NEAR
            # Nearly an exponential, but cheaper. What falls more slowly lets bright edges rule the dull side of them.
            weight = np.float32(1) / (np.float32(1) + unlike / np.float32(4))
            weight *= weight
            weight *= weight
            window[0, k], window[1, k], window[2, k], window[3, k] = u - x, v - y, weight, value
            total += weight
            mean += weight * value
            k += 1
    mean /= total
    for k in range(_SAMPLES):
        window[2, k] /= total
        off = window[3, k] - mean
        window[3, k] = window[2, k] * off
        square += window[2, k] * off * off
    return square


@njit(cache=True, nogil=True, fastmath=True, inline="always")
@no_type_check
def _cost(x, y, plane, patch, against, picks, scores):
    """1 less the correlation and what disagreement costs, mean of the best of the other pictures."""
    others, sizes, matrices, depths, backs, dear = against
    inverse, right, down = plane
    for s in range(len(others)):
        scores[s] = _WORST
        if not (picks >> s) & 1:
            continue
        m = matrices[s]
        forward = m[2, 0] * x + m[2, 1] * y + m[2, 2] + m[2, 3] * inverse
        if forward < np.float32(0.05):
            continue
        u = (m[0, 0] * x + m[0, 1] * y + m[0, 2] + m[0, 3] * inverse) / forward
        v = (m[1, 0] * x + m[1, 1] * y + m[1, 2] + m[1, 3] * inverse) / forward
        across, below = m[2, 0] + m[2, 3] * right, m[2, 1] + m[2, 3] * down
        a = (m[0, 0] + m[0, 3] * right - u * across) / forward
        b = (m[0, 1] + m[0, 3] * down - u * below) / forward
        c = (m[1, 0] + m[1, 3] * right - v * across) / forward
        d = (m[1, 1] + m[1, 3] * down - v * below) / forward
        wide, high = _REACH * (abs(a) + abs(b)), _REACH * (abs(c) + abs(d))
        if not (wide <= u < sizes[s, 1] - 1 - wide and high <= v < sizes[s, 0] - 1 - high):
            continue
        if np.float32(0.1) < a * d - b * c < np.float32(10):
            scores[s] = np.float32(1) - _correlation(patch, others[s], (u, v), (a, b, c, d))
            if dear > 0:
                scores[s] += dear * _disagreement(x, y, u, v, depths[s], backs[s])
    return _best(scores)


@njit(cache=True, nogil=True, fastmath=True, inline="always")
@no_type_check
def _disagreement(x, y, u, v, depth, back):
    """By how many pixels the way back, at the other's depth, misses; so many at most."""
    there = depth[int(v + np.float32(0.5)), int(u + np.float32(0.5))]
    if not there > 0:
        return _MOST_OFF_PX
    inverse = np.float32(1) / there
    forward = back[2, 0] * u + back[2, 1] * v + back[2, 2] + back[2, 3] * inverse
    if forward < np.float32(0.05):
        return _MOST_OFF_PX
    right = (back[0, 0] * u + back[0, 1] * v + back[0, 2] + back[0, 3] * inverse) / forward - x
    down = (back[1, 0] * u + back[1, 1] * v + back[1, 2] + back[1, 3] * inverse) / forward - y
    return min(np.sqrt(right * right + down * down), _MOST_OFF_PX)


@njit(cache=True, nogil=True, fastmath=True, inline="always")
@no_type_check
def _correlation(patch, other, at, turn):
    """Of the window and its picture in the other, as if that were a turned, sheared one about ``at``."""
    window, variance = patch
    u, v = np.float32(at[0]), np.float32(at[1])
    a, b, c, d = np.float32(turn[0]), np.float32(turn[1]), np.float32(turn[2]), np.float32(turn[3])
    mean = square = product = np.float32(0)
    for k in range(_SAMPLES):
        right, down = window[0, k], window[1, k]
        px = u + a * right + b * down
        py = v + c * right + d * down
        i, j = np.int32(px), np.int32(py)
        fx, fy = px - np.float32(i), py - np.float32(j)
        above = other[j, i] + fx * (other[j, i + 1] - other[j, i])
        below = other[j + 1, i] + fx * (other[j + 1, i + 1] - other[j + 1, i])
        value = above + fy * (below - above)
        weighted = window[2, k] * value
        mean += weighted
        square += weighted * value
        product += window[3, k] * value
    other_variance = max(square - mean * mean, np.float32(0))
    return product / np.sqrt((variance + _NOISE) * (other_variance + _NOISE))


@njit(cache=True, nogil=True)
@no_type_check
def _best(scores):
    """Mean of the two best."""
    first = second = _WORST
    for score in scores:
        if score < first:
            first, second = score, first
        elif score < second:
            second = score
    return (first + second) / np.float32(2) if len(scores) > 1 else first


@njit(cache=True, nogil=True)
@no_type_check
def picked(grey, against, planes, most):
    """Which other pictures look most alike through each pixel's plane, so many: a bit each."""
    height, width = grey.shape
    window = np.empty((4, _SAMPLES), np.float32)
    scores = np.empty(len(against[0]), np.float32)
    picks = np.empty((height, width), np.int32)
    for y in range(height):
        for x in range(width):
            patch = (window, _filled(grey, x, y, window))
            _cost(x, y, (planes[y, x, 0], planes[y, x, 1], planes[y, x, 2]), patch, against, -1, scores)
            picks[y, x] = 0
            for _ in range(min(most, len(scores))):
                best = np.argmin(scores)
                picks[y, x] |= 1 << best
                scores[best] = 2 * _WORST
    return picks
