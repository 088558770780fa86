"""How wrong everything may be that a place is computed from, and how wide a circle that makes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, slots=True)
class Doubts:
    """Standard deviations of what goes into a place: a consumer drone with its constants taken out."""

    gps_m: float = 2.0
    """Of the aircraft's place, east and north each."""
    height_m: float = 1.5
    """Of its height above take-off."""
    ground_m: float = 2.0
    """Of the height of the ground."""
    yaw_rad: float = float(np.deg2rad(2.0))
    """Of the camera's yaw."""
    pitch_rad: float = float(np.deg2rad(0.5))
    """Of the camera's pitch."""
    roll_rad: float = float(np.deg2rad(0.3))
    """Of the camera's roll."""
    box_px: float = 3.0
    """Of a box's foot, across and down each."""
    focal: float = 0.01
    """Of the focal length, as a share of it."""
    time_s: float = 0.15
    """Of where the video lies in the log."""


CONSUMER = Doubts()
"""Those of a consumer drone."""
_RATIO = np.linspace(0.0, 1.0, 11)
_RADIUS = np.array(
    [1.644854, 1.647912, 1.657313, 1.673829, 1.699183, 1.737080, 1.791522, 1.862530, 1.947158, 2.042360, 2.145966]
)
"""Radius, in standard deviations of the longer axis, of the circle that holds 90 %, by the ratio of the axes."""


def ce90_m(cov_m2: Float[np.ndarray, "n 2 2"]) -> Float[np.ndarray, " n"]:
    """Radius of the circle about a place that holds the true one in nine cases of ten; NaN for what is unknown.

    Source: the circular error of a normal distribution with two unequal deviations, integrated and tabulated here.
    """
    mean = (cov_m2[:, 0, 0] + cov_m2[:, 1, 1]) / 2
    half = np.hypot((cov_m2[:, 0, 0] - cov_m2[:, 1, 1]) / 2, cov_m2[:, 0, 1])
    long, short = np.sqrt(mean + half), np.sqrt(np.maximum(mean - half, 0))
    ratio = np.divide(short, long, out=np.ones_like(long), where=long > 0)
    return np.where(np.isfinite(long), np.interp(ratio, _RATIO, _RADIUS) * long, np.nan)
