"""Which way a camera on a gimbal looks: yaw, pitch, roll to directions.

Yaw counts clockwise from true north, pitch up from the horizon (straight down is -pi/2), roll clockwise: the angles
of aircraft and gimbals, turned in the order yaw, pitch, roll.
"""

import numpy as np
from jaxtyping import Float

Angle = Float[np.ndarray, "*n"]
Turn = Float[np.ndarray, "*n 3 3"]


def enu_from_cam(yaw_rad: Angle, pitch_rad: Angle, roll_rad: Angle) -> Turn:
    """Takes directions of the camera (right, down, forward) to east, north and up; one matrix for each row.

    Source: Rz(yaw) Ry(pitch) Rx(roll) P in north, east, down, with P the camera's axes in its body; written out.
    """
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in (yaw_rad, pitch_rad, roll_rad))
    right = [sy * sp * sr + cy * cr, cy * sp * sr - sy * cr, -cp * sr]
    down = [sy * sp * cr - cy * sr, cy * sp * cr + sy * sr, -cp * cr]
    forward = [sy * cp, cy * cp, sp]
    return np.stack([np.stack(axis, axis=-1) for axis in (right, down, forward)], axis=-1)


def axes_of_turning(yaw_rad: Angle, pitch_rad: Angle) -> Turn:
    """What a small turn in yaw, pitch, roll turns about: columns east, north, up, for use as ``axis x direction``."""
    (cy, sy), (cp, sp) = ((np.cos(a), np.sin(a)) for a in (yaw_rad, pitch_rad))
    zero, one = np.zeros_like(cy * cp), np.ones_like(cy * cp)
    axes = [[zero, zero, -one], [cy + zero, -sy + zero, zero], [sy * cp, cy * cp, sp + zero]]
    return np.stack([np.stack(axis, axis=-1) for axis in axes], axis=-1)


def angles(enu_from_cam: Turn) -> tuple[Angle, Angle, Angle]:
    """Yaw, pitch, roll of a camera; straight up or down, where yaw and roll are one turn, all of it is yaw."""
    forward, right, down = (enu_from_cam[..., axis] for axis in (2, 0, 1))
    pitch = np.arctan2(forward[..., 2], np.hypot(forward[..., 0], forward[..., 1]))
    steep = np.hypot(forward[..., 0], forward[..., 1]) < 1e-9
    yaw = np.arctan2(np.where(steep, -right[..., 1], forward[..., 0]), np.where(steep, right[..., 0], forward[..., 1]))
    roll = np.where(steep, 0.0, np.arctan2(-right[..., 2], -down[..., 2]))
    return yaw, pitch, roll


def composed(outer: tuple[Angle, Angle, Angle], inner: tuple[Angle, Angle, Angle]) -> tuple[Angle, Angle, Angle]:
    """Yaw, pitch, roll of a camera turned by ``inner`` on a platform turned by ``outer``."""
    cam_from_body = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
    ned_from_enu = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]])
    return angles(enu_from_cam(*outer) @ cam_from_body @ ned_from_enu @ enu_from_cam(*inner))


def from_quaternion(quat_wxyz: Float[np.ndarray, "*n 4"]) -> tuple[Angle, Angle, Angle]:
    """Yaw, pitch, roll of what takes body (forward, right, down) to north, east, down."""
    w, x, y, z = (quat_wxyz[..., k] for k in range(4))
    yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    pitch = np.arcsin((2 * (w * y - z * x)).clip(-1, 1))
    return yaw, pitch, np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))


def upright(yaw_rad: Angle, pitch_rad: Angle, roll_rad: Angle) -> tuple[Angle, Angle, Angle]:
    """The same direction told with a roll within a quarter turn: past straight down some gimbals flip yaw and roll."""
    flipped = np.abs(wrapped(roll_rad)) > np.pi / 2
    yaw = np.where(flipped, wrapped(yaw_rad + np.pi), yaw_rad)
    pitch = np.where(flipped, -np.pi - pitch_rad, pitch_rad)
    return yaw, pitch, np.where(flipped, wrapped(roll_rad + np.pi), roll_rad)


def wrapped(angle_rad: Angle) -> Angle:
    """The angle from -pi up to pi."""
    return (angle_rad + np.pi) % (2 * np.pi) - np.pi


def circular_median(angle_rad: Float[np.ndarray, " n"]) -> float:
    """The angle that half of the others lie on either side of, counted from their mean direction; NaN of none."""
    if not len(angle_rad):
        return float("nan")
    mean = np.arctan2(np.sin(angle_rad).mean(), np.cos(angle_rad).mean())
    return float(wrapped(np.array([mean + np.median(wrapped(angle_rad - mean))]))[0])
