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
    as far as it may have gone right after birth, at low frame rates and after a gap. Then

        IoU / (V^2 (1 + d^2 / 4))^(1/4)

    with V the area of the widened box in areas of the box and d the distance in standard deviations of all four
    numbers. That is what ``d^2 + log |S|`` is to a Gaussian: a vague forecast takes nothing from a sharp one, and of
    two who meet each keeps the box of his own size, height and way. The distance has a long tail (Student's t),
    since boxes of the half hidden are far off.
    """
    at, variance = belief[0], belief[2]
    size = np.maximum(at[:, 2:], 1.0)
    look = (_LOOK * size[:, 1:]) ** 2
    margin = _REACH * np.sqrt(np.maximum(variance[:, :2] - look, 0))
    larger = (size + 2 * margin) / size
    vague = (larger[:, :1] * larger[:, 1:]) ** 2
    # d^2 multiplied out is one product of matrices; from the first place on, lest large numbers cancel.
    weight = vague / (_TAIL * (variance + look))
    away, found_away = at - at[0], measured - at[0]
    worse = np.concatenate([weight, -2 * weight * away], axis=1) @ np.concatenate([found_away**2, found_away], axis=1).T
    worse += vague + np.einsum("nk,nk->n", weight, away**2)[:, None]
    alike = iou_widened(boxes, found, margin)
    alike /= np.sqrt(np.sqrt(np.maximum(worse, 1.0, out=worse), out=worse), out=worse)
    return alike
