"""How much time people spent on each patch of the ground."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from sightline.analysis.paths import Steps
from sightline.errors import OptionError

_MOST_CELLS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Heat:
    """Seconds that people spent in square cells of the map."""

    low_m: tuple[float, float]
    """The corner of the first cell with the smallest x and y."""
    cell_m: float
    """Length of a cell's side."""
    seconds: Float[np.ndarray, "rows columns"]
    """By row (y) and column (x), person-seconds; no rows where nobody was anywhere."""


def heat(walked: Steps, cell_m: float) -> Heat:
    """The time of every step, put where its middle is.

    Raises:
        OptionError: the cells would be too many for the ground.
    """
    middle_m = walked.middle_m
    if not len(middle_m):
        return Heat((0.0, 0.0), cell_m, np.zeros((0, 0)))
    cell = np.floor(middle_m / cell_m).astype(np.int64)
    low = cell.min(axis=0)
    columns, rows = (int(n) for n in cell.max(axis=0) - low + 1)
    if columns * rows > _MOST_CELLS:
        raise OptionError(f"cell_m: {columns} x {rows} cells of {cell_m:g} m are too many; choose larger ones")
    flat = (cell[:, 1] - low[1]) * columns + cell[:, 0] - low[0]
    seconds = np.bincount(flat, walked.lasts_s, rows * columns).reshape(rows, columns)
    return Heat((float(low[0]) * cell_m, float(low[1]) * cell_m), cell_m, seconds)
