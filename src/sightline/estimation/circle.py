"""How wide a circle a covariance makes."""

import numpy as np
from jaxtyping import Float

_RATIO = np.linspace(0.0, 1.0, 11)
_RADIUS = np.array(
    [1.644854, 1.647912, 1.657313, 1.673829, 1.699183, 1.737080, 1.791522, 1.862530, 1.947158, 2.042360, 2.145966]
)
"""Radius, in standard deviations of the longer axis, of the circle that holds 90 %, by the ratio of the axes."""
LINEAR_90 = 1.644854
"""Nine in ten values of a normal distribution are within this many standard deviations."""


def ce90_m(cov_m2: Float[np.ndarray, "n 2 2"]) -> Float[np.ndarray, " n"]:
    """Radius of the circle about a place that holds the true one in nine cases of ten; NaN for what is unknown.

    Source: the circular error of a normal distribution with two unequal deviations, integrated and tabulated here.
    """
    mean = (cov_m2[:, 0, 0] + cov_m2[:, 1, 1]) / 2
    half = np.hypot((cov_m2[:, 0, 0] - cov_m2[:, 1, 1]) / 2, cov_m2[:, 0, 1])
    long, short = np.sqrt(mean + half), np.sqrt(np.maximum(mean - half, 0))
    ratio = np.divide(short, long, out=np.ones_like(long), where=long > 0)
    return np.where(np.isfinite(long), np.interp(ratio, _RATIO, _RADIUS) * long, np.nan)
