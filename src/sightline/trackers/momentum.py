"""Trusting what was seen over what was forecast: the ideas of OC-SORT.

Source: Cao et al., Observation-Centric SORT (CVPR 2023), sections 4.1 and 4.2.
"""

import numpy as np
from jaxtyping import Float

from sightline.estimation.kalman import Belief, Measured, Motion, predicted, updated

_MOST_STEPS = 60


def agreement(trail_px: Float[np.ndarray, "n 4 2"], centre_px: Float[np.ndarray, "m 2"]) -> Float[np.ndarray, "n m"]:
    """How well each thing would keep its direction by going to each place: 0.5 straight on, -0.5 straight back.

    0 for what has not moved. The direction is that of the last four detections.
    """
    past = _unit(trail_px[:, 0] - trail_px[:, -1])
    ahead = _unit(centre_px[None] - trail_px[:, None, 0])
    cosine = np.clip(np.einsum("nmi,ni->nm", ahead, past), -1, 1)
    return 0.5 - np.arccos(cosine) / np.pi  # eqn. 4: the difference of the angles


def replayed(
    before: Belief, last: Measured, now: Measured, gaps_s: Float[np.ndarray, " n"], step_s: float, motion: Motion
) -> Belief:
    """The belief had each thing been seen all along its gap, on a straight line from ``last`` to ``now``.

    All gaps are walked at once, in as many steps as the longest needs (at most 60); eqn. 7.
    """
    n_steps = int(np.clip(np.round(gaps_s.max() / step_s), 1, _MOST_STEPS))
    belief = before
    for k in range(1, n_steps + 1):
        seen = last + (now - last) * (k / n_steps)
        belief = updated(predicted(belief, gaps_s[:, None] / n_steps, motion), seen, motion)
    return belief


def _unit(xy: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
    """Vectors of length 1, or 0."""
    length = np.hypot(xy[..., :1], xy[..., 1:])
    return xy / np.maximum(length, 1e-9)
