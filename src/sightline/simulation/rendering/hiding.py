"""What hides what: for each mover, which of the things that stand still are behind it."""

import numpy as np
from jaxtyping import Bool, Float

from sightline.simulation.motion.trajectories import CLASSES

FOOTPRINT_M = {
    "person": (0.35, 0.25, 1.9),
    "cyclist": (0.95, 0.3, 1.9),
    "car": (2.2, 0.9, 1.5),
    "van": (2.65, 1.0, 2.25),
}
"""Half length, half width and height of each class."""


def in_front(
    xy_m: Float[np.ndarray, " 2"],
    heading_rad: float,
    label: int,
    eye_enu_m: Float[np.ndarray, " 3"],
    low_m: Float[np.ndarray, "k 3"],
    high_m: Float[np.ndarray, "k 3"],
) -> Bool[np.ndarray, " k"]:
    """Which of ``k`` upright boxes cannot hide any of a mover from an eye.

    Mover and box are convex, so where they do not overlap a plane separates them, and one of those along their own
    sides does. Whichever of the two is on the eye's side of it is in front. Where they do overlap, the plane that
    they cross least stands in.
    """
    half_long, half_wide, tall = FOOTPRINT_M[CLASSES[label]]
    ahead = np.array([np.cos(heading_rad), np.sin(heading_rad)])
    axes = np.array([[1.0, 0.0], [0.0, 1.0], ahead, [-ahead[1], ahead[0]]])
    middle, half = (low_m + high_m)[:, :2] / 2, (high_m - low_m)[:, :2] / 2
    away = (middle - xy_m) @ axes.T
    reach = half @ np.abs(axes.T) + half_long * np.abs(axes @ ahead) + half_wide * np.abs(axes @ axes[3])
    gap = np.abs(away) - reach
    own = half_long * np.abs(axes @ ahead) + half_wide * np.abs(axes @ axes[3])
    plane = np.sign(away) * (own + gap / 2)
    eye = np.broadcast_to((eye_enu_m[:2] - xy_m) @ axes.T, plane.shape)
    in_front_flat = np.where(away > 0, eye < plane, eye > plane)
    above, below = low_m[:, 2] - tall, -high_m[:, 2]
    gaps = np.concatenate([gap, above[:, None], below[:, None]], axis=1)
    in_front_up = eye_enu_m[2] < (low_m[:, 2] + tall) / 2
    choices = np.concatenate([in_front_flat, in_front_up[:, None], np.ones((len(low_m), 1), bool)], axis=1)
    return np.take_along_axis(choices, gaps.argmax(axis=1)[:, None], axis=1)[:, 0]
