"""A Kalman filter for many boxes at once, without a matrix.

Each of a box's four numbers (centre x, centre y, width, height) moves on its own, at nearly constant speed.
The joint covariance of a box is then four blocks of 2x2, and all that a filter does is a dozen elementwise
operations on whole columns. The result equals that of the textbook filter with joint matrices.

Source: Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking and Navigation (2001):
filter eqn. 5.2.3, white-noise acceleration in continuous time eqn. 6.2.2-4, smoother (RTS) eqn. 8.6.2.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from sightline.geometry.warp import warped
from sightline.model.arrays import Boxes, Warp

Belief = Float[np.ndarray, "5 n 4"]
"""Of centre x, centre y, width, height: position, speed, variance, covariance of the two, variance of the speed."""
Measured = Float[np.ndarray, "n 4"]
"""Centre x, centre y, width, height in pixels."""
Heights = Float[np.ndarray, " n"]
"""What noise scales with, in pixels: a person twice as near moves and trembles twice as many pixels."""
PerAxis = float | Float[np.ndarray, " 4"]


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """How things move and how well they are seen, in heights of the thing, so that distance does not matter.

    One number for all four, or one each for centre x, centre y, width and height.
    """

    seen: PerAxis = 0.05
    """Standard deviation of one measurement: heights."""
    wander: PerAxis = 0.27
    """Random walk of the position (a detector's errors last for several pictures): heights per root second."""
    swerve: PerAxis = 0.7
    """Random walk of the speed: heights per second and root second."""
    first_speed: PerAxis = 1.9
    """Standard deviation of the speed of something just found: heights per second."""


def measured_from_xyxy(xyxy_px: Boxes) -> Measured:
    """Centre and size of boxes."""
    sides = xyxy_px[:, 2:] - xyxy_px[:, :2]
    return np.concatenate([xyxy_px[:, :2] + sides / 2, sides], axis=1)


def xyxy_from_measured(measured: Measured) -> Boxes:
    """Boxes from centre and size; a negative size (a forecast may have one) is taken as 0."""
    half = np.maximum(measured[:, 2:], 0) / 2
    return np.concatenate([measured[:, :2] - half, measured[:, :2] + half], axis=1)


def begun(measured: Measured, motion: Motion) -> Belief:
    """What is believed after one look: there, and at rest as far as anyone knows."""
    belief = np.zeros((5, *measured.shape))
    variance = measured[:, 3:] ** 2
    belief[0] = measured
    belief[2] = motion.seen**2 * variance
    belief[4] = motion.first_speed**2 * variance
    return belief


def predicted(belief: Belief, dt_s: float | Float[np.ndarray, "n 1"], motion: Motion) -> Belief:
    """The belief ``dt_s`` seconds later, nothing having been seen. Dividing the step changes nothing but rounding."""
    at, speed, var, cov, speed_var = belief
    grown = np.maximum(at[:, 3:], 1.0) ** 2
    swerve, wander = motion.swerve**2, motion.wander**2
    later = np.empty_like(belief)
    later[0] = at + dt_s * speed
    later[1] = speed
    later[2] = var + dt_s * (2 * cov + dt_s * speed_var) + grown * (wander * dt_s + swerve * (dt_s**3 / 3))
    later[3] = cov + dt_s * speed_var + grown * (swerve * (dt_s**2 / 2))
    later[4] = speed_var + grown * (swerve * dt_s)
    return later


def stepped(belief: Belief, dt_s: float, motion: Motion) -> Belief:
    """The same as ``predicted`` where the step is one for all: one product of matrices, for use in every picture."""
    transition, noise = _step(dt_s, motion)
    later = (transition @ belief.reshape(5, -1)).reshape(belief.shape)
    later[2:] += noise * np.maximum(belief[0, :, 3:], 1.0) ** 2
    return later


@lru_cache(maxsize=128)
def _step(dt_s: float, motion: Motion) -> tuple[Float[np.ndarray, "5 5"], Float[np.ndarray, "3 1 4"]]:
    """What takes a belief ``dt_s`` further, and what that adds to its variances for each squared height."""
    transition = np.eye(5)
    transition[0, 1] = transition[3, 4] = dt_s
    transition[2, 3:] = 2 * dt_s, dt_s**2
    swerve, wander = np.broadcast_to(motion.swerve, 4) ** 2, np.broadcast_to(motion.wander, 4) ** 2
    return transition, np.stack([wander * dt_s + swerve * (dt_s**3 / 3), swerve * (dt_s**2 / 2), swerve * dt_s])[
        :, None
    ]


def updated(belief: Belief, measured: Measured, motion: Motion) -> Belief:
    """The belief after a look at every box."""
    noise = motion.seen**2 * measured[:, 3:] ** 2
    gains = belief[2:4] / (belief[2] + noise)  # of the position and of the speed
    after = np.empty_like(belief)
    np.multiply(gains, measured - belief[0], out=after[:2])
    after[:2] += belief[:2]
    np.multiply(gains, noise, out=after[2:4])
    np.subtract(belief[4], gains[1] * belief[3], out=after[4])
    return after


def moved(belief: Belief, px_from_before: Warp) -> Belief:
    """The belief in the pixels of a camera that has turned.

    Centres move exactly. Speeds, sizes and variances move by the map's derivative at the centre; the little
    covariance of x with y which a rolling camera brings is left out.

    Source: BoT-SORT (Aharon et al. 2022) eqn. 5-8, there for one affine map and the joint covariance.
    """
    xy = belief[0, :, :2]
    w = xy @ px_from_before[2, :2] + px_from_before[2, 2]
    there = warped(px_from_before, xy)
    slope = (px_from_before[:2, :2] - there[:, :, None] * px_from_before[2, :2]) / w[:, None, None]
    scale = np.sqrt(np.abs(np.linalg.det(slope)))[:, None]
    after = np.empty_like(belief)
    after[0, :, :2] = there
    after[1, :, :2] = np.einsum("nij,nj->ni", slope, belief[1, :, :2])
    after[2:, :, :2] = np.einsum("nij,knj->kni", slope**2, belief[2:, :, :2])
    after[:2, :, 2:] = belief[:2, :, 2:] * scale
    after[2:, :, 2:] = belief[2:, :, 2:] * scale**2
    return after
