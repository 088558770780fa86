"""Ways round a block of the town: rectangles with round corners, gone clockwise."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Column = Float[np.ndarray, " n"]
Pair = tuple[float, float]
_PER_CORNER = 25


@dataclass(frozen=True, slots=True)
class Loop:
    """One way round, its middle at (0, 0)."""

    half_m: Pair
    """Half its length east and north."""
    radius_m: float
    """Of its corners."""

    def outline_m(self) -> Float[np.ndarray, "k 2"]:
        """Points along it, clockwise from the north side's western end; the last is the first again."""
        turn = np.linspace(0, np.pi / 2, _PER_CORNER)
        across, up = self.half_m[0] - self.radius_m, self.half_m[1] - self.radius_m
        middles = ((across, up, 0.0), (across, -up, 0.5), (-across, -up, 1.0), (-across, up, 1.5))
        corners = [
            np.array([x, y])
            + self.radius_m * np.column_stack([np.sin(turn + start * np.pi), np.cos(turn + start * np.pi)])
            for x, y, start in middles
        ]
        points = np.concatenate(corners)
        return np.concatenate([points[-1:], points])

    def length_m(self) -> float:
        """Once round."""
        return float(np.linalg.norm(np.diff(self.outline_m(), axis=0), axis=1).sum())

    def at(self, along_m: Column) -> tuple[Float[np.ndarray, "n 2"], Column]:
        """Places after so many metres, and headings there, anticlockwise from east."""
        points = self.outline_m()
        step = np.diff(points, axis=0)
        past = np.concatenate([[0.0], np.cumsum(np.linalg.norm(step, axis=1))])
        here = along_m % past[-1]
        xy = np.stack([np.interp(here, past, column) for column in points.T], axis=1)
        middle = (past[1:] + past[:-1]) / 2
        heading = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
        ends = np.concatenate([[middle[-1] - past[-1]], middle, [middle[0] + past[-1]]])
        headings = np.concatenate([[heading[-1] + 2 * np.pi], heading, [heading[0] - 2 * np.pi]])
        return xy, np.interp(here, ends, headings)
