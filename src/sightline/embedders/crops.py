"""What a box shows of a picture, and how much that is worth."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from sightline.geometry.boxes import areas, clipped
from sightline.model.arrays import Boxes, Image

SMALLEST_PX = 8
"""A crop must be so wide and twice as high to show anything."""
_SHARP = 100.0
"""Variance of the Laplacian of a crop, 128 high at most, that counts as half sharp."""
_ENOUGH_PX = 24 * 48
"""Pixels that show a person about as well as more do; fewer tell less."""


def crop(rgb: Image, xyxy_px: Float[np.ndarray, " 4"], width: int, height: int) -> UInt8[np.ndarray, "a b 3"] | None:
    """The part of the picture in the box, stretched to that size; None where there is next to nothing of it."""
    if not np.isfinite(xyxy_px).all():
        return None
    inside = clipped(xyxy_px[None], rgb.shape[1], rgb.shape[0])[0]
    left, top, right, bottom = np.rint(inside).astype(int)
    if right - left < SMALLEST_PX or bottom - top < 2 * SMALLEST_PX:
        return None
    part = np.ascontiguousarray(rgb[top:bottom, left:right])
    way = cv2.INTER_AREA if bottom - top > height else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (width, height), interpolation=way), np.uint8)


def worth(rgb: Image, xyxy_px: Boxes) -> Float[np.ndarray, " n"]:
    """How much a look at each box tells, 0 to 1: less where others stand before it, it is cut off, blurred or tiny.

    Of two boxes that overlap, the one whose feet are lower in the picture is nearer.
    """
    inside = areas(clipped(xyxy_px, rgb.shape[1], rgb.shape[0]))
    seen = inside / np.maximum(areas(xyxy_px), 1e-9) * np.minimum(inside / _ENOUGH_PX, 1.0)
    return np.nan_to_num(seen * (1 - _hidden(xyxy_px)) * _sharpness(rgb, xyxy_px))


def _hidden(xyxy_px: Boxes) -> Float[np.ndarray, " n"]:
    """The share of each box that nearer boxes cover, at most; counted twice where those overlap each other."""
    low = np.maximum(xyxy_px[:, None, :2], xyxy_px[:, :2])
    high = np.minimum(xyxy_px[:, None, 2:], xyxy_px[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=2) * (xyxy_px[:, 3] > xyxy_px[:, None, 3])
    return np.minimum(common.sum(axis=1) / np.maximum(areas(xyxy_px), 1e-9), 1.0)


def _sharpness(rgb: Image, xyxy_px: Boxes) -> Float[np.ndarray, " n"]:
    """How sharp each box is for its size: a small one is not stretched, which would only blur it."""
    found = np.zeros(len(xyxy_px))
    side = np.minimum(np.nan_to_num(np.rint(xyxy_px[:, 2:] - xyxy_px[:, :2]), posinf=0, neginf=0), (64, 128))
    for k, box in enumerate(xyxy_px):
        if (small := crop(rgb, box, *np.maximum(side[k], 1).astype(int).tolist())) is not None:
            edges = float(cv2.Laplacian(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())
            found[k] = edges / (edges + _SHARP)
    return found
