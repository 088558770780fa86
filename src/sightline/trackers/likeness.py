"""How alike what is followed is to what is found: the family of IoU."""

import numpy as np
from jaxtyping import Float

from sightline.estimation.kalman import Belief
from sightline.geometry.boxes import giou, grown, iou, iou_widened
from sightline.model.arrays import Boxes
from sightline.trackers.recipe import Overlap

_BUFFER = 1 / 6
"""Share of its size by which ``buffered`` widens a box on each side."""
_REACH = 0.5
"""Standard deviations of the place by which ``doubted`` widens a box on each side."""
_LOOK = 0.05
"""Standard deviation of one look, in heights of the thing."""
_TAIL = 4.0
"""Squared surprise from which on it is taken for a blunder rather than for a proof (degrees of freedom)."""


def likeness(
    overlap: Overlap, boxes: Boxes, belief: Belief, found: Float[np.ndarray, "m 4"], measured: Float[np.ndarray, "m 4"]
) -> Float[np.ndarray, "n m"]:
    """Every one of ``boxes``, of whom ``belief`` is believed, with every one ``found``; 1 is as alike as can be.

    ``measured`` is ``found`` as centre and size.
    """
    match overlap:
        case "iou":
            return iou(boxes, found)
        case "giou":
            return giou(boxes, found)
        case "buffered":
            return iou(grown(boxes, _BUFFER), grown(found, _BUFFER))
        case "doubted":
            return _doubted(boxes, belief, found, measured)


def _doubted(
    boxes: Boxes, belief: Belief, found: Float[np.ndarray, "m 4"], measured: Float[np.ndarray, "m 4"]
) -> Float[np.ndarray, "n m"]:
    """IoU of boxes widened by the doubt about their place, less the vaguer the forecast and the greater the surprise.

    Doubt is by what the forecast's variance exceeds that of one look: little where a thing was seen a moment ago,
    as far as it may have gone right after birth, at low frame rates and after a gap. The root of the box's share of
    the widened box, and the surprise, are what ``d^2 + log |S|`` is to a Gaussian: a vague forecast takes nothing
    from a sharp one, and of two who meet each keeps the box of his own size, height and way. Surprise has a long
    tail (Student's t), since boxes of the half hidden are far off.
    """
    at, variance = belief[0], belief[2]
    look = (_LOOK * np.maximum(at[:, 3:], 1.0)) ** 2
    margin = _REACH * np.sqrt(np.maximum(variance[:, :2] - look, 0))
    size = np.maximum(at[:, 2:], 1.0)
    vague = np.sqrt((size / (size + 2 * margin)).prod(axis=1))
    alike = iou_widened(boxes, found, margin)
    alike /= np.sqrt(np.sqrt(1 + _surprise(at, variance + look, measured) / _TAIL))
    alike *= vague[:, None]
    return alike


def _surprise(
    at: Float[np.ndarray, "n 4"], variance: Float[np.ndarray, "n 4"], measured: Float[np.ndarray, "m 4"]
) -> Float[np.ndarray, "n m"]:
    """Squared distance in standard deviations of all four numbers; the square is multiplied out, for one product."""
    middle = at.mean(axis=0)
    at, measured = at - middle, measured - middle
    weight = 1 / variance
    squared = np.concatenate([weight, -2 * weight * at], axis=1) @ np.concatenate([measured**2, measured], axis=1).T
    squared += (weight * at**2).sum(axis=1)[:, None]
    return np.maximum(squared, 0, out=squared)
