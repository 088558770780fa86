"""A Kalman filter for many walkers on a plane, with full covariance: one camera knows the bearing, not the distance.

A walker's state is east, north and the two speeds. Speeds change as white noise pushes them; beliefs about many
walkers are updated at once.

Source: Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking and Navigation (2001): filter eqn.
5.2.3, white-noise acceleration eqn. 6.2.2-4.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

LOG_TWO_PI = float(np.log(2 * np.pi))
UNSEEN_M2 = 1e6
"""Variance of a place of which nothing is known, within a kilometre."""
Points = Float[np.ndarray, "n 2"]
Spreads = Float[np.ndarray, "n 2 2"]
Values = Float[np.ndarray, " n"]


@dataclass(frozen=True, slots=True)
class Walk:
    """How people move."""

    swerve: float = 0.3
    """Random walk of the speed: metres per second and root second. The people of ETH and Hotel (Pellegrini et al. 2009)
    are likeliest with 0.15 to 0.25; more allows for those who turn and stop."""
    sway: float = 0.1
    """Random walk of the place: metres per root second. Feet are not under the middle of the body."""
    speed_mps: float = 1.2
    """Standard deviation of the speed of somebody just found, east and north: a brisk walk."""
    anew_hz: float = 0.02
    """How often per second somebody turns, stops or starts: takes another speed that the last says nothing of."""


class Belief(NamedTuple):
    """What is believed of N walkers."""

    mean: Float[np.ndarray, "n 4"]
    """East, north, and the speeds."""
    cov: Float[np.ndarray, "n 4 4"]
    """Their covariance."""

    def rows(self, which: np.ndarray | slice) -> "Belief":
        """The walkers that ``which`` names."""
        return Belief(self.mean[which], self.cov[which])

    def put(self, which: np.ndarray, other: "Belief") -> None:
        """Overwrites the walkers that ``which`` names."""
        self.mean[which], self.cov[which] = other


def nothing_known(n: int, walk: Walk) -> Belief:
    """N walkers of whom nothing was seen."""
    return found(np.zeros((n, 2)), np.tile(UNSEEN_M2 * np.eye(2), (n, 1, 1)), walk)


def found(xy_m: Points, cov_m2: Spreads, walk: Walk) -> Belief:
    """Walkers seen once: there, and at rest as far as anyone knows."""
    belief = Belief(np.zeros((len(xy_m), 4)), np.zeros((len(xy_m), 4, 4)))
    belief.mean[:, :2] = xy_m
    belief.cov[:, :2, :2] = cov_m2
    belief.cov[:, (2, 3), (2, 3)] = walk.speed_mps**2
    return belief


def predicted(belief: Belief, dt_s: Values | float, walk: Walk) -> Belief:
    """The belief ``dt_s`` seconds later, nothing having been seen. Dividing the step changes nothing but rounding."""
    dt_s = np.broadcast_to(dt_s, len(belief.mean))
    step = np.tile(np.eye(4), (len(dt_s), 1, 1))
    step[:, 0, 2] = step[:, 1, 3] = dt_s
    cov = step @ belief.cov @ step.transpose(0, 2, 1)
    for i in (0, 1):
        cov[:, i, i] += walk.swerve**2 * dt_s**3 / 3 + walk.sway**2 * dt_s
        cov[:, i, i + 2] += walk.swerve**2 * dt_s**2 / 2
        cov[:, i + 2, i] += walk.swerve**2 * dt_s**2 / 2
        cov[:, i + 2, i + 2] += walk.swerve**2 * dt_s
    mean = belief.mean.copy()
    mean[:, :2] += mean[:, 2:] * dt_s[:, None]
    return Belief(mean, cov)


def updated(belief: Belief, xy_m: Points, cov_m2: Spreads) -> Belief:
    """The belief after each walker was seen at a place known so well."""
    gain = belief.cov[:, :, :2] @ inverse(belief.cov[:, :2, :2] + cov_m2)
    mean = belief.mean + np.einsum("nij,nj->ni", gain, xy_m - belief.mean[:, :2])
    cov = belief.cov - gain @ belief.cov[:, :2, :]
    return Belief(mean, (cov + cov.transpose(0, 2, 1)) / 2)


def both(a: Belief, b: Belief) -> Belief:
    """What two independent beliefs of the same walkers make together (their product)."""
    of_a, of_b = np.linalg.inv(a.cov), np.linalg.inv(b.cov)
    cov = np.linalg.inv(of_a + of_b)
    weighted = np.einsum("nij,nj->ni", of_a, a.mean) + np.einsum("nij,nj->ni", of_b, b.mean)
    return Belief(np.einsum("nij,nj->ni", cov, weighted), (cov + cov.transpose(0, 2, 1)) / 2)


def surprise(
    offset_m: Float[np.ndarray, "*n 2"], cov_m2: Float[np.ndarray, "*n 2 2"]
) -> tuple[Float[np.ndarray, "*n"], Float[np.ndarray, "*n"]]:
    """Log of the density of such offsets under a normal law, and their squared Mahalanobis length."""
    squared = np.einsum("...i,...ij,...j->...", offset_m, inverse(cov_m2), offset_m)
    return -0.5 * (squared + np.log(_determinant(cov_m2))) - LOG_TWO_PI, squared


def log_agreement(a: Belief, b: Belief) -> Values:
    """Log of the density of two independent beliefs being of the same walkers at the same time."""
    cov = a.cov + b.cov
    offset = b.mean - a.mean
    squared = np.einsum("ni,nij,nj->n", offset, np.linalg.inv(cov), offset)
    return -0.5 * (squared + np.linalg.slogdet(cov)[1]) - 2 * LOG_TWO_PI


def inverse(cov_m2: Float[np.ndarray, "*n 2 2"]) -> Float[np.ndarray, "*n 2 2"]:
    """Inverses of symmetric 2x2 matrices."""
    inverted = np.empty_like(cov_m2)
    inverted[..., 0, 0], inverted[..., 1, 1] = cov_m2[..., 1, 1], cov_m2[..., 0, 0]
    inverted[..., 0, 1] = inverted[..., 1, 0] = -cov_m2[..., 0, 1]
    return inverted / _determinant(cov_m2)[..., None, None]


def _determinant(cov_m2: Float[np.ndarray, "*n 2 2"]) -> Float[np.ndarray, "*n"]:
    return cov_m2[..., 0, 0] * cov_m2[..., 1, 1] - cov_m2[..., 0, 1] ** 2
