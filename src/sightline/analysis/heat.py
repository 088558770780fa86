"""How much time people spent on each patch of the ground."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

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
    columns, rows = _size(low, cell.max(axis=0), cell_m)
    flat = (cell[:, 1] - low[1]) * columns + cell[:, 0] - low[0]
    seconds = np.bincount(flat, walked.lasts_s, rows * columns).reshape(rows, columns)
    return Heat((float(low[0]) * cell_m, float(low[1]) * cell_m), cell_m, seconds)


def added(several: Iterable[Heat], cell_m: float) -> Heat:
    """The time in all of ``several``, whose cells have that length, together.

    Raises:
        OptionError: the cells would be too many for the ground.
    """
    parts = [one for one in several if one.seconds.size]
    if not parts:
        return Heat((0.0, 0.0), cell_m, np.zeros((0, 0)))
    lows = np.rint(np.array([one.low_m for one in parts]) / cell_m).astype(np.int64)
    low, high = lows.min(axis=0), (lows + [one.seconds.shape[::-1] for one in parts]).max(axis=0) - 1
    columns, rows = _size(low, high, cell_m)
    seconds = np.zeros((rows, columns))
    for (column, row), one in zip((lows - low).tolist(), parts, strict=True):
        seconds[row : row + one.seconds.shape[0], column : column + one.seconds.shape[1]] += one.seconds
    return Heat((float(low[0]) * cell_m, float(low[1]) * cell_m), cell_m, seconds)


def _size(low: Int[np.ndarray, " 2"], high: Int[np.ndarray, " 2"], cell_m: float) -> tuple[int, int]:
    """How many columns and rows of cells there are from one to the other, both included."""
    columns, rows = (int(n) for n in high - low + 1)
    if columns * rows > _MOST_CELLS:
        raise OptionError(f"cell_m: {columns} x {rows} cells of {cell_m:g} m are too many; choose larger ones")
    return columns, rows
