"""Cells that a picture is divided into, at several strides: where one-stage networks look from."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

STRIDES = ((8, 16, 32), (8, 16, 32, 64))
"""Usual sets, in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Cells of all strides, finest first, row by row."""

    left_top_px: Float[np.ndarray, "n 2"]
    """Corner of each cell in the network's input."""
    stride_px: Float[np.ndarray, " n"]
    """Side of each cell."""
    counts: tuple[int, ...]
    """How many cells of each stride."""

    def __len__(self) -> int:
        return len(self.stride_px)


def grid(height: int, width: int, strides: tuple[int, ...]) -> Grid:
    """The cells of a picture of that size; those at its right and bottom edge may reach over it."""
    corners, sides, counts = [], [], []
    for stride in strides:
        rows, cols = -(-height // stride), -(-width // stride)
        y, x = np.divmod(np.arange(rows * cols), cols)
        corners.append(np.stack([x, y], axis=1) * np.float32(stride))
        sides.append(np.full(rows * cols, stride, np.float32))
        counts.append(rows * cols)
    return Grid(np.concatenate(corners, dtype=np.float32), np.concatenate(sides), tuple(counts))


def grid_of(n_cells: int, height: int, width: int) -> Grid | None:
    """The usual grid that has ``n_cells`` in all; None if none has."""
    grids = (grid(height, width, strides) for strides in STRIDES)
    return next((each for each in grids if len(each) == n_cells), None)


def within_unit(values: np.ndarray) -> bool:
    """All in [0, 1]: probabilities, not logits nor pixels."""
    return bool(np.all((values >= 0) & (values <= 1)))
