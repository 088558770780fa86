"""People made unrecognisable in pictures that leave: coarse blocks instead of heads, or of whole bodies.

Only who was detected is covered; somebody the detector missed stays as filmed.
"""

from typing import Literal, get_args

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.model.arrays import Boxes, Image

Privacy = Literal["none", "faces", "bodies"]
"""What is covered of everybody: nothing, the upper part of the box, or all of it."""
_HEAD = 0.25
"""Share of a box's height that holds the head: a standing person has seven to eight of them, a sitting one fewer."""
_MARGIN = 0.08
"""By how much of its size a box may be off, on every side."""
_BLOCKS = 4
"""Blocks across the shorter side of what is covered: too few to tell a face."""


def stricter(one: Privacy, other: Privacy) -> Privacy:
    """Whichever covers more."""
    return max(one, other, key=get_args(Privacy).index)


def blurred(rgb: Image, xyxy_px: Boxes, what: Privacy) -> Image:
    """The picture with heads or bodies in the boxes in coarse blocks; itself where there is nothing to cover.

    What it shows of them cannot be brought back. Boxes may lie partly outside; those with NaN are left out.
    """
    if what == "none" or not len(xyxy_px):
        return rgb
    covered = rgb.copy()
    for left, top, right, bottom in _covered(xyxy_px, what, rgb.shape[1], rgb.shape[0]).tolist():
        part = covered[top:bottom, left:right]
        factor = _BLOCKS / min(part.shape[:2])
        across, down = (max(round(side * factor), 1) for side in (right - left, bottom - top))
        coarse = cv2.resize(part, (across, down), interpolation=cv2.INTER_AREA)
        covered[top:bottom, left:right] = cv2.resize(coarse, part.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return covered


def _covered(xyxy_px: Boxes, what: Privacy, width: int, height: int) -> Int[np.ndarray, "k 4"]:
    """Whole pixels to cover: left, top, right, bottom."""
    sound = xyxy_px[np.isfinite(xyxy_px).all(axis=1)]
    size: Float[np.ndarray, "k 2"] = sound[:, 2:] - sound[:, :2]
    low, high = sound[:, :2] - _MARGIN * size, sound[:, 2:] + _MARGIN * size
    if what == "faces":
        high[:, 1] = sound[:, 1] + _HEAD * size[:, 1]
    edges = np.column_stack([np.floor(low), np.ceil(high)])
    inside = np.clip(edges, 0, (width, height, width, height)).astype(np.int64)
    is_there: Bool[np.ndarray, " k"] = (inside[:, 2:] > inside[:, :2]).all(axis=1)
    return inside[is_there]
