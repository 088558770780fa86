"""Surfaces and textures as the arrays that compiled loops take, and which of them each part of a picture may show."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from sightline.geometry.rigid import moved
from sightline.simulation.scenes.casting import BALL, CYLINDER, HILLS
from sightline.simulation.scenes.surface import Surface
from sightline.simulation.scenes.texture import Level

TILE = 24
"""Side of the squares that a picture is divided into, in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """N surfaces, without their looks."""

    local_from_scene: Float[np.ndarray, "n 3 4"]
    """Into each surface's own coordinates."""
    kinds: Int[np.ndarray, " n"]
    """Which shape."""
    heights: Float[np.ndarray, "side side"]
    """Of the one that is hills."""
    middle: Float[np.ndarray, "n 3"]
    """Centre of a ball around each."""
    reach: Float[np.ndarray, " n"]
    """Radius of that ball."""


@dataclass(frozen=True, slots=True, eq=False)
class Textures:
    """Looks of n surfaces, one after the other."""

    texels: UInt8[np.ndarray, " all"]
    """Every level of every texture."""
    levels: Int[np.ndarray, "n most 3"]
    """Where each level begins, its width and height; the last is repeated."""
    per_unit: Float[np.ndarray, " n"]
    """Texels of the finest level per unit of length."""


def shapes(surfaces: tuple[Surface, ...]) -> Shapes:
    """The surfaces' shapes."""
    balls = [_around(surface) for surface in surfaces]
    grounds = [surface.heights for surface in surfaces if surface.kind == HILLS]
    return Shapes(
        np.stack([np.linalg.inv(surface.scene_from_local)[:3] for surface in surfaces]),
        np.array([surface.kind for surface in surfaces]),
        np.ascontiguousarray(grounds[0] if grounds else np.zeros((2, 2))),
        np.stack([middle for middle, _ in balls]),
        np.array([reach for _, reach in balls]),
    )


def _around(surface: Surface) -> tuple[Float[np.ndarray, " 3"], float]:
    """A ball around it: around the corners of the box around the simple shape."""
    low = 0.0 if surface.kind not in {CYLINDER, BALL, 1} else -1.0
    z = {CYLINDER: (0.0, 1.0), BALL: (-1.0, 1.0), HILLS: (0.0, 1.0)}.get(surface.kind, (0.0, 0.0))
    corners = np.array([[x, y, up] for x in (low, 1.0) for y in (low, 1.0) for up in z])
    there = moved(surface.scene_from_local, corners)
    middle = there.mean(axis=0)
    return middle, float(np.linalg.norm(there - middle, axis=1).max())


def textures(looks: list[list[Level]], surfaces: tuple[Surface, ...]) -> Textures:
    """The surfaces' looks, each a list of levels from fine to coarse."""
    most = max(len(levels) for levels in looks)
    table, flat, start = np.zeros((len(looks), most, 3), np.int64), [], 0
    for n, levels in enumerate(looks):
        for k in range(most):
            level = levels[min(k, len(levels) - 1)]
            if k < len(levels):
                flat.append(level.ravel())
                start += level.size
            table[n, k] = (start - level.size, level.shape[1], level.shape[0])
    per_unit = [levels[0].shape[1] / one.size_m[0] for levels, one in zip(looks, surfaces, strict=True)]
    return Textures(np.concatenate(flat), table, np.array(per_unit))


def visible(
    flat: Float[np.ndarray, "h w 2"], poses: Float[np.ndarray, "s 3 4"], of: Shapes
) -> tuple[Int[np.ndarray, "tiles n"], Int[np.ndarray, " tiles"]]:
    """Which surfaces each tile may show, and how many: those whose ball reaches into the cone of its rays."""
    height, width = flat.shape[:2]
    rays = np.concatenate([flat, np.ones((height, width, 1))], axis=-1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    tiles = [
        rays[y : y + TILE, x : x + TILE].reshape(-1, 3) for y in range(0, height, TILE) for x in range(0, width, TILE)
    ]
    axes = np.stack([tile.mean(axis=0) / np.linalg.norm(tile.mean(axis=0)) for tile in tiles])
    pixel = float(np.linalg.norm(rays[0, 1] - rays[0, 0]))
    cones = np.array([np.arccos(min(1.0, (tile @ axis).min())) for tile, axis in zip(tiles, axes, strict=True)])
    seen = np.zeros((len(tiles), len(of.kinds)), bool)
    for scene_from_cam in poses:
        away = (of.middle - scene_from_cam[:, 3]) @ scene_from_cam[:, :3]
        far = np.linalg.norm(away, axis=1)
        inside = far <= of.reach
        wide = np.arcsin(np.minimum(1.0, of.reach / np.maximum(far, 1e-12)))
        angle = np.arccos(np.clip(axes @ (away / np.maximum(far, 1e-12)[:, None]).T, -1, 1))
        seen |= inside | (angle <= wide + cones[:, None] + 4 * pixel)
    return np.argsort(~seen, axis=1, kind="stable"), seen.sum(axis=1)
