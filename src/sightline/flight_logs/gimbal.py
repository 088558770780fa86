"""What the yaw of a MAVLink gimbal is against.

Source: MAVLink's GIMBAL_DEVICE_FLAGS.
"""

import numpy as np
from jaxtyping import Bool, Int

_YAW_LOCK, _YAW_IN_VEHICLE, _YAW_IN_EARTH = 16, 32, 64


def is_against_north(flags: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Whether the yaw is against north; else it is against the aircraft's nose."""
    return (flags & _YAW_IN_EARTH > 0) | ((flags & _YAW_IN_VEHICLE == 0) & (flags & _YAW_LOCK > 0))
