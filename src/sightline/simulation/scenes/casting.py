# ruff: noqa: ANN001, ANN201, ANN202, PLR0913, PLR0917  (the compiler finds the types; arrays cannot travel in classes)
"""The loops that painting spends its time in, compiled: which surface a ray meets first, where, and its colour there.

A surface is a simple shape in coordinates of its own, into which rays are taken: the square 0 <= x, y <= 1, z = 0;
the disk of radius 1; the side of a cylinder of radius 1, 0 <= z <= 1; the ball of radius 1; hills z = height(x, y)
over the square. The lengths along a ray stay what they are in the scene.
"""

from typing import no_type_check

import numpy as np
from numba import njit

SQUARE, DISK, CYLINDER, BALL, HILLS = range(5)
_NEAR = 1e-7


@njit(cache=True, nogil=True)
@no_type_check
def shaded_share(xyz, normals, towards, is_point, reach, local_from_scene, kinds, heights):
    """For every point the share of ``towards`` that it sees, weighed by how squarely it faces them.

    They are directions, or points if ``is_point``; what is farther than ``reach`` hides nothing.
    """
    shares = np.zeros(len(xyz), np.float32)
    eyes = np.empty((len(kinds), 3))
    everything = np.arange(len(kinds))
    for i in range(len(xyz)):
        start = xyz[i] + 1e-4 * normals[i]
        _taken(local_from_scene, start, eyes)
        lit, most = 0.0, 0.0
        for one in towards:
            ray = one - start if is_point else one * reach
            facing = (ray[0] * normals[i, 0] + ray[1] * normals[i, 1] + ray[2] * normals[i, 2]) / np.sqrt(
                ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2]
            )
            most += 1.0 if is_point else max(facing, 0.0)
            if facing > 0 and _first(eyes, ray, local_from_scene, kinds, heights, everything, len(kinds), 1.0)[1] < 0:
                lit += facing
        shares[i] = lit / most if most > 0 else 0.0
    return shares


@njit(cache=True, nogil=True)
@no_type_check
def truth(flat, scene_from_cam, local_from_scene, kinds, heights, near, n_near, tile):
    """Depth, surface and normal at the directions ``flat`` of a picture; NaN and -1 where there is nothing."""
    height, width = flat.shape[:2]
    depth = np.full((height, width), np.nan)
    which = np.full((height, width), -1, np.int64)
    normal = np.full((height, width, 3), np.nan, np.float32)
    eyes = np.empty((len(kinds), 3))
    _taken(local_from_scene, scene_from_cam[:, 3], eyes)
    ray = np.empty(3)
    for y in range(height):
        for x in range(width):
            t = (y // tile) * ((width + tile - 1) // tile) + x // tile
            for k in range(3):
                ray[k] = (
                    scene_from_cam[k, 0] * flat[y, x, 0] + scene_from_cam[k, 1] * flat[y, x, 1] + scene_from_cam[k, 2]
                )
            far, n, _, _ = _first(eyes, ray, local_from_scene, kinds, heights, near[t], n_near[t], np.inf)
            if n >= 0:
                depth[y, x], which[y, x] = far, n
                out = _normal(eyes[n], ray, far, local_from_scene[n], kinds[n], heights)
                if out[0] * ray[0] + out[1] * ray[1] + out[2] * ray[2] > 0:
                    out = -out
                for k in range(3):
                    normal[y, x, k] = out[k]
    return depth, which, normal


@njit(cache=True, nogil=True)
@no_type_check
def painted(flat, slope, spots, poses, local_from_scene, kinds, heights, near, n_near, tile, texels, levels, fine, sky):
    """Colours 0 to 255 of a picture: the mean of rays through ``spots`` of each pixel, each from a pose of its own.

    ``flat`` are the directions of the pixels' centres, ``slope`` how they change per pixel across and down.
    ``levels[n, k]`` says where surface n's texture of level k begins in ``texels``, and how wide and high it is;
    ``fine[n]`` how many texels of level 0 there are per unit of length.
    """
    height, width = flat.shape[:2]
    rgb = np.zeros((height, width, 3), np.float32)
    eyes = np.empty((len(spots), len(kinds), 3))
    for s in range(len(spots)):
        _taken(local_from_scene, poses[s][:, 3], eyes[s])
    ray, colour = np.empty(3), np.empty(3, np.float32)
    between = 1 / np.sqrt(len(spots))
    for y in range(height):
        for x in range(width):
            t = (y // tile) * ((width + tile - 1) // tile) + x // tile
            step = slope[y, x, 0, 0] * between
            for s in range(len(spots)):
                right = flat[y, x, 0] + slope[y, x, 0, 0] * spots[s, 0] + slope[y, x, 0, 1] * spots[s, 1]
                down = flat[y, x, 1] + slope[y, x, 1, 0] * spots[s, 0] + slope[y, x, 1, 1] * spots[s, 1]
                for k in range(3):
                    ray[k] = poses[s, k, 0] * right + poses[s, k, 1] * down + poses[s, k, 2]
                far, n, u, v = _first(eyes[s], ray, local_from_scene, kinds, heights, near[t], n_near[t], np.inf)
                if n < 0:
                    up = ray[2] / np.sqrt(ray[0] ** 2 + ray[1] ** 2 + ray[2] ** 2)
                    for k in range(3):
                        rgb[y, x, k] += sky[0, k] + (sky[1, k] - sky[0, k]) * min(max(up, 0.0), 1.0) ** 0.5
                    continue
                out = _normal(eyes[s, n], ray, far, local_from_scene[n], kinds[n], heights)
                length = np.sqrt(ray[0] ** 2 + ray[1] ** 2 + ray[2] ** 2)
                facing = abs(out[0] * ray[0] + out[1] * ray[1] + out[2] * ray[2]) / length
                # Halfway between what a texel covers along and across the slant: sharp for features, yet calm.
                covered = far * step * fine[n] / np.sqrt(max(facing, 0.04))
                _looked_up(texels, levels[n], u, v, np.log2(max(covered, 1e-6)), colour)
                for k in range(3):
                    rgb[y, x, k] += colour[k]
    return rgb / np.float32(len(spots))


@njit(cache=True, nogil=True)
@no_type_check
def _taken(local_from_scene, xyz, out):
    """The point in every surface's own coordinates."""
    for n in range(len(local_from_scene)):
        for k in range(3):
            m = local_from_scene[n, k]
            out[n, k] = m[0] * xyz[0] + m[1] * xyz[1] + m[2] * xyz[2] + m[3]


@njit(cache=True, nogil=True)
@no_type_check
def _first(eyes, ray, local_from_scene, kinds, heights, near, n_near, far):
    """How far the first surface is, which (-1: none before ``far``), and where on its texture."""
    which, u, v = -1, 0.0, 0.0
    for n in near[:n_near]:
        m, kind = local_from_scene[n], kinds[n]
        ez = eyes[n, 2]
        dz = m[2, 0] * ray[0] + m[2, 1] * ray[1] + m[2, 2] * ray[2]
        if kind <= DISK:
            t = -ez / dz if dz != 0 else np.inf
            if not _NEAR < t < far:
                continue
            x = eyes[n, 0] + t * (m[0, 0] * ray[0] + m[0, 1] * ray[1] + m[0, 2] * ray[2])
            y = eyes[n, 1] + t * (m[1, 0] * ray[0] + m[1, 1] * ray[1] + m[1, 2] * ray[2])
            if kind == SQUARE and 0 <= x <= 1 and 0 <= y <= 1:
                far, which, u, v = t, n, x, y
            elif kind == DISK and x * x + y * y <= 1:
                far, which, u, v = t, n, 0.5 + 0.5 * x, 0.5 + 0.5 * y
            continue
        ex, ey = eyes[n, 0], eyes[n, 1]
        dx = m[0, 0] * ray[0] + m[0, 1] * ray[1] + m[0, 2] * ray[2]
        dy = m[1, 0] * ray[0] + m[1, 1] * ray[1] + m[1, 2] * ray[2]
        if kind == HILLS:
            t = _over_hills(ex, ey, ez, dx, dy, dz, heights, far)
            if t < far:
                far, which, u, v = t, n, ex + t * dx, ey + t * dy
            continue
        t = _round(ex, ey, ez, dx, dy, dz, kind == BALL, far)
        if t < far:
            far, which, z = t, n, ez + t * dz
            u = np.arctan2(ey + t * dy, ex + t * dx) / (2 * np.pi) % 1.0
            v = np.arccos(min(max(-z, -1.0), 1.0)) / np.pi if kind == BALL else z
    return far, which, u, v


@njit(cache=True, nogil=True)
@no_type_check
def _round(ex, ey, ez, dx, dy, dz, is_ball, far):
    """Where a ray first meets the ball or the cylinder's side, or infinity."""
    upright = 1.0 if is_ball else 0.0
    a = dx * dx + dy * dy + upright * dz * dz
    b = ex * dx + ey * dy + upright * ez * dz
    c = ex * ex + ey * ey + upright * ez * ez - 1
    root = b * b - a * c
    if root < 0 or a == 0:
        return np.inf
    root = np.sqrt(root)
    for t in ((-b - root) / a, (-b + root) / a):
        if _NEAR < t < far and (is_ball or 0 <= ez + t * dz <= 1):
            return t
    return np.inf


@njit(cache=True, nogil=True)
@no_type_check
def _over_hills(ex, ey, ez, dx, dy, dz, heights, far):
    """Where a ray goes below the hills, or infinity: steps of half a cell, then down to rounding."""
    low, high = _NEAR, far
    for e, d in ((ex, dx), (ey, dy), (ez, dz)):
        if d == 0:
            if not 0 <= e <= 1:
                return np.inf
            continue
        a, b = -e / d, (1 - e) / d
        low, high = max(low, min(a, b)), min(high, max(a, b))
    if low >= high:
        return np.inf
    flat = max(abs(dx), abs(dy)) * (high - low) * (len(heights) - 1)
    steps = int(2 * flat) + 2
    before, above = low, ez + low * dz - height_at(heights, ex + low * dx, ey + low * dy)
    if above < 0:
        return np.inf
    for k in range(1, steps + 1):
        after = low + (high - low) * k / steps
        below = ez + after * dz - height_at(heights, ex + after * dx, ey + after * dy)
        if below > 0:
            before, above = after, below
            continue
        return _crossing(ex, ey, ez, dx, dy, dz, heights, before, above, after, below)
    return np.inf


@njit(cache=True, nogil=True)
@no_type_check
def _crossing(ex, ey, ez, dx, dy, dz, heights, before, above, after, below):
    """Where between two lengths a ray goes below the hills, to rounding; it is so far above and below them there."""
    for _ in range(60):  # false position, Illinois: the end that stays counts half
        middle = (after * above - before * below) / (above - below) if above > below else after
        there = ez + middle * dz - height_at(heights, ex + middle * dx, ey + middle * dy)
        if abs(there) < 1e-13 or after - before < 1e-13 * after:
            return middle
        if there > 0:
            before, above, below = middle, there, 0.5 * below
        else:
            after, below, above = middle, there, 0.5 * above
    return after


@njit(cache=True, nogil=True)
@no_type_check
def height_at(heights, x, y):
    """Between the four samples around."""
    m = len(heights) - 1
    gx, gy = min(max(x, 0.0), 1.0) * m, min(max(y, 0.0), 1.0) * m
    i, j = min(int(gx), m - 1), min(int(gy), m - 1)
    fx, fy = gx - i, gy - j
    near = heights[j, i] * (1 - fx) + heights[j, i + 1] * fx
    return near * (1 - fy) + (heights[j + 1, i] * (1 - fx) + heights[j + 1, i + 1] * fx) * fy


@njit(cache=True, nogil=True)
@no_type_check
def heights_at(heights, xy):
    """The same for many."""
    return np.array([height_at(heights, xy[i, 0], xy[i, 1]) for i in range(len(xy))])


@njit(cache=True, nogil=True)
@no_type_check
def _normal(eye, ray, far, m, kind, heights):
    """Out of the surface, in the scene, length one."""
    x, y, z = 0.0, 0.0, 1.0
    if kind > DISK:
        x = eye[0] + far * (m[0, 0] * ray[0] + m[0, 1] * ray[1] + m[0, 2] * ray[2])
        y = eye[1] + far * (m[1, 0] * ray[0] + m[1, 1] * ray[1] + m[1, 2] * ray[2])
        z = eye[2] + far * (m[2, 0] * ray[0] + m[2, 1] * ray[1] + m[2, 2] * ray[2]) if kind == BALL else 0.0
        if kind == HILLS:
            step = 0.5 / (len(heights) - 1)
            x, y, z = (
                (height_at(heights, x - step, y) - height_at(heights, x + step, y)) / (2 * step),
                (height_at(heights, x, y - step) - height_at(heights, x, y + step)) / (2 * step),
                1.0,
            )
    out = np.empty(3)
    for k in range(3):
        out[k] = m[0, k] * x + m[1, k] * y + m[2, k] * z
    return out / np.sqrt(out[0] ** 2 + out[1] ** 2 + out[2] ** 2)


@njit(cache=True, nogil=True)
@no_type_check
def _looked_up(texels, levels, u, v, level, out):
    """The texture's colour between four texels of each of the two levels around ``level``; v counts from the bottom."""
    last = len(levels) - 1
    level = min(max(level, 0.0), float(last))
    lower = min(int(level), last - 1) if last > 0 else 0
    for k in range(3):
        out[k] = 0
    for which in (lower, lower + 1):
        share = 1 - abs(level - which)
        if share <= 0 or which > last:
            continue
        start, width, height = levels[which, 0], levels[which, 1], levels[which, 2]
        x = min(max(u * width - 0.5, 0.0), width - 1.0)
        y = min(max((1 - v) * height - 0.5, 0.0), height - 1.0)
        i, j = min(int(x), max(width - 2, 0)), min(int(y), max(height - 2, 0))
        fx, fy = x - i, y - j
        right, down = (3 if width > 1 else 0), (3 * width if height > 1 else 0)
        at = start + 3 * (j * width + i)
        for k in range(3):
            near = texels[at + k] * (1 - fx) + texels[at + k + right] * fx
            low = texels[at + k + down] * (1 - fx) + texels[at + k + down + right] * fx
            out[k] += share * (near * (1 - fy) + low * fy)
