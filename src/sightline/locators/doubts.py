"""How wrong everything may be that a place is computed from; ``ce90_m`` says how wide a circle that makes."""

from dataclasses import dataclass

import numpy as np

from sightline.estimation.circle import ce90_m

__all__ = ["CONSUMER", "Doubts", "ce90_m"]


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
