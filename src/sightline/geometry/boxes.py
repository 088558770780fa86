"""Boxes in pixels: left, top, right, bottom. Degenerate boxes have area 0 and overlap nothing."""

import numpy as np
from jaxtyping import Float

from sightline.model.arrays import Boxes


def areas(xyxy_px: Boxes) -> Float[np.ndarray, " n"]:
    """Area of each box in square pixels; 0 where right <= left or bottom <= top."""
    sides = np.maximum(xyxy_px[:, 2:] - xyxy_px[:, :2], 0)
    return sides[:, 0] * sides[:, 1]


def iou(a_px: Float[np.ndarray, "n 4"], b_px: Float[np.ndarray, "m 4"]) -> Float[np.ndarray, "n m"]:
    """Intersection over union of every box of ``a_px`` with every box of ``b_px``; 0 where both are empty."""
    # One axis after the other, in place: for 500 by 500 boxes this is memory traffic and little else.
    a, b = a_px.T[:, :, None], np.ascontiguousarray(b_px.T)
    overlap, down = (np.minimum(a[k + 2], b[k + 2]) for k in (0, 1))
    overlap -= np.maximum(a[0], b[0])
    down -= np.maximum(a[1], b[1])
    np.maximum(overlap, 0, out=overlap)
    overlap *= np.maximum(down, 0, out=down)
    union = np.add(areas(a_px)[:, None], areas(b_px), out=down)
    union -= overlap
    np.maximum(union, np.finfo(union.dtype).tiny, out=union)
    overlap /= union
    return overlap


def iou_widened(
    a_px: Float[np.ndarray, "n 4"], b_px: Float[np.ndarray, "m 4"], margin_px: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "n m"]:
    """The same once both boxes of each pair are widened by ``margin_px`` of the row, 0 or more.

    The first number is added left and right, the second above and below.
    """
    a, b, more = a_px.T[:, :, None], np.ascontiguousarray(b_px.T)[:, None], 2 * margin_px.T[:, :, None]
    sides = np.minimum(a[2:], b[2:])
    sides -= np.maximum(a[:2], b[:2])
    sides += more
    np.maximum(sides, 0, out=sides)
    overlap = sides[0] * sides[1]
    wide = np.add(b[2:] - b[:2], more, out=sides)
    union = wide[0] * wide[1]
    own = a[2:] - a[:2] + more
    union += own[0] * own[1]
    union -= overlap
    np.maximum(union, np.finfo(union.dtype).tiny, out=union)
    overlap /= union
    return overlap


def clipped(xyxy_px: Boxes, width: int, height: int) -> Boxes:
    """The part of each box that lies in a picture of that size."""
    return np.clip(xyxy_px, 0, np.array([width, height, width, height], xyxy_px.dtype))


def xyxy_from_xywh(xywh_px: Float[np.ndarray, "n 4"]) -> Boxes:
    """Boxes from left, top, width, height."""
    return np.concatenate([xywh_px[:, :2], xywh_px[:, :2] + xywh_px[:, 2:]], axis=1)


def xywh_from_xyxy(xyxy_px: Boxes) -> Float[np.ndarray, "n 4"]:
    """Left, top, width, height of boxes."""
    return np.concatenate([xyxy_px[:, :2], xyxy_px[:, 2:] - xyxy_px[:, :2]], axis=1)


def giou(a_px: Float[np.ndarray, "n 4"], b_px: Float[np.ndarray, "m 4"]) -> Float[np.ndarray, "n m"]:
    """Generalised IoU of every box with every box, -1 to 1: below 0, the more the farther apart they are.

    Source: Rezatofighi et al., Generalized Intersection over Union (2019), algorithm 1.
    """
    low = np.minimum(a_px[:, None, :2], b_px[None, :, :2])
    high = np.maximum(a_px[:, None, 2:], b_px[None, :, 2:])
    hull = np.prod(np.maximum(high - low, 0), axis=2)
    overlap = iou(a_px, b_px)
    both = areas(a_px)[:, None] + areas(b_px)[None, :]
    union = both / (1 + overlap)  # iou = i / u and u = a + b - i
    return overlap - (hull - union) / np.maximum(hull, np.finfo(float).tiny)


def grown(xyxy_px: Boxes, share: float) -> Boxes:
    """Each box with ``share`` of its width added left and right, and of its height above and below.

    Source: C-BIoU (Yang et al. 2023) eqn. 1.
    """
    margin = share * np.maximum(xyxy_px[:, 2:] - xyxy_px[:, :2], 0)
    return np.concatenate([xyxy_px[:, :2] - margin, xyxy_px[:, 2:] + margin], axis=1)
