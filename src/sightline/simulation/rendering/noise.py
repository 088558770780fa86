"""Random fields, the raw material of every surface."""

import cv2
import numpy as np
from jaxtyping import Float, Int

Field = Float[np.ndarray, "side side"]
Colours = Float[np.ndarray, "*n 3"]

TILE = 512
"""Side of a tile, in samples."""


def fractal(height: int, width: int, periods: tuple[int, ...], rng: np.random.Generator) -> Float[np.ndarray, "h w"]:
    """A smooth random field, mean about 0 and spread about 1, with features of the given sizes in samples."""
    total = np.zeros((height, width), np.float32)
    for period in periods:
        coarse = rng.standard_normal((int(height / period) + 3, int(width / period) + 3)).astype(np.float32)
        fine = cv2.resize(coarse, None, fx=period, fy=period, interpolation=cv2.INTER_CUBIC) if period > 1 else coarse
        total += fine[:height, :width]
    return total / np.float32(np.sqrt(len(periods)))


def tile(rng: np.random.Generator) -> Field:
    """A square field with features of several sizes, to be looked up with ``at``."""
    return fractal(TILE, TILE, (1, 2, 5, 14, 40), rng)


def at(field: Field, u: Float[np.ndarray, "*n"], v: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Values of a tile at coordinates in samples, repeated and mirrored without end."""
    return field[_fold(v), _fold(u)]


def hashed(a: Int[np.ndarray, "*n"], b: Int[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """A number in [0, 1) for every pair of whole numbers, the same each time."""
    mixed = (a.astype(np.int64) * 73856093) ^ (b.astype(np.int64) * 19349663)
    mixed = (mixed ^ (mixed >> 13)) * 1274126177 & 0x7FFFFFFF
    return ((mixed >> 7) % 4096 / 4096).astype(np.float32)


def _fold(position: Float[np.ndarray, "*n"]) -> Int[np.ndarray, "*n"]:
    """Whole samples of a tile, mirrored at its edges so that no seam shows."""
    folded = np.floor(position).astype(np.int64) % (2 * TILE)
    return np.where(folded < TILE, folded, 2 * TILE - 1 - folded)
