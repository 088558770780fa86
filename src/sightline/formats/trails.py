"""Where followed objects have been of late."""

from collections import deque

import numpy as np

from sightline.formats.drawing import Trail
from sightline.model.tracks import Tracks

_MOST = 512
"""Points kept of one trail, so that memory stays bounded at any frame rate."""


class Trails:
    """The last ``length_s`` seconds of feet (middle of a box's lower edge) of each track."""

    def __init__(self, length_s: float) -> None:
        """``length_s`` is how long a point is kept."""
        self._length_s = length_s
        self._points: dict[int, deque[tuple[float, float, float]]] = {}

    def add(self, t_s: float, rows: Tracks) -> None:
        """Puts in one picture's sightings and forgets what is too old."""
        tracked = (rows.number >= 0) & np.isfinite(rows.xyxy_px).all(axis=1)
        boxes, numbers = rows.xyxy_px[tracked], rows.number[tracked].tolist()
        feet = zip(((boxes[:, 0] + boxes[:, 2]) / 2).tolist(), boxes[:, 3].tolist(), strict=True)
        for number, (x, y) in zip(numbers, feet, strict=True):
            self._points.setdefault(number, deque(maxlen=_MOST)).append((t_s, x, y))
        oldest = t_s - self._length_s
        for number in list(self._points):
            points = self._points[number]
            while points and points[0][0] < oldest:
                points.popleft()
            if not points:
                del self._points[number]

    def at(self, t_s: float) -> list[Trail]:
        """What is left of the trails at that time."""
        trails: list[Trail] = []
        for number, points in self._points.items():
            if len(points) > 1:
                txy = np.array(points)
                fresh = 1 - (t_s - txy[:, 0]) / max(self._length_s, 1e-9)
                trails.append((number, txy[:, 1:], fresh))
        return trails
