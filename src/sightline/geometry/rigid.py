"""Rigid motions of space: 4x4 matrices on homogeneous points."""

import numpy as np
from jaxtyping import Float

Rigid = Float[np.ndarray, "4 4"]
"""Takes homogeneous points of one frame to those of another, keeping distances."""


def inverse(b_from_a: Rigid) -> Rigid:
    """The motion back, exact to rounding: the rotation is transposed, not inverted."""
    rotation = b_from_a[:3, :3]
    back = np.eye(4)
    back[:3, :3] = rotation.T
    back[:3, 3] = -rotation.T @ b_from_a[:3, 3]
    return back


def moved(b_from_a: Rigid, xyz_a: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
    """The points, as seen from the other frame."""
    return xyz_a @ b_from_a[:3, :3].T + b_from_a[:3, 3]


def looking_at(eye_enu_m: Float[np.ndarray, " 3"], target_enu_m: Float[np.ndarray, " 3"]) -> Rigid:
    """``cam_from_enu`` of an upright camera at ``eye_enu_m`` whose axis passes through ``target_enu_m``.

    Raises:
        ValueError: the two points coincide, or one is right above the other: upright then has no meaning.
    """
    forward = target_enu_m - eye_enu_m
    right = np.cross(forward, [0.0, 0.0, 1.0])
    if np.linalg.norm(right) < 1e-9:
        raise ValueError("a camera that looks straight up or down, or nowhere, has no upright pose")
    forward, right = forward / np.linalg.norm(forward), right / np.linalg.norm(right)
    cam_from_enu = np.eye(4)
    cam_from_enu[:3, :3] = np.stack([right, np.cross(forward, right), forward])
    cam_from_enu[:3, 3] = -cam_from_enu[:3, :3] @ eye_enu_m
    return cam_from_enu
