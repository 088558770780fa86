"""Pinhole cameras: space to pixels, and pixels to rays."""

from typing import Literal

import numpy as np
from jaxtyping import Float

from sightline.geometry.rigid import moved
from sightline.model.camera import Camera

NEAREST_M = 1e-6
"""Points less than this far in front of the lens have no pixel."""


def intrinsics(width: int, height: int, fov_across_rad: float) -> Float[np.ndarray, "3 3"]:
    """``px_from_cam`` of a lens with square pixels, centred, that sees that angle from left edge to right."""
    focal_px = width / 2 / np.tan(fov_across_rad / 2)
    return np.array([[focal_px, 0.0, width / 2], [0.0, focal_px, height / 2], [0.0, 0.0, 1.0]])


def eye(camera: Camera) -> Float[np.ndarray, " 3"]:
    """Where the lens is, in metres east, north and up."""
    return -camera.cam_from_enu[:3, :3].T @ camera.cam_from_enu[:3, 3]


def axis(camera: Camera, which: Literal["right", "down", "forward"]) -> Float[np.ndarray, " 3"]:
    """One of the camera's own directions, length one, in east, north and up."""
    return camera.cam_from_enu[("right", "down", "forward").index(which), :3]


def depths(camera: Camera, xyz_enu_m: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n"]:
    """How far in front of the lens, along its axis; negative behind it."""
    return xyz_enu_m @ camera.cam_from_enu[2, :3] + camera.cam_from_enu[2, 3]


def pixels(camera: Camera, xyz_enu_m: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 2"]:
    """Where points are in the picture, also beyond its edges; NaN for those behind the lens."""
    homogeneous = moved(camera.cam_from_enu, xyz_enu_m) @ camera.px_from_cam.T
    depth = homogeneous[..., 2:]
    return homogeneous[..., :2] / np.where(depth > NEAREST_M, depth, np.nan)


def rays(camera: Camera, xy_px: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 3"]:
    """Directions from the lens through pixels, length one, in east, north and up."""
    ones = np.ones((*xy_px.shape[:-1], 1))
    cam = np.concatenate([xy_px, ones], axis=-1) @ np.linalg.inv(camera.px_from_cam).T
    enu = cam @ camera.cam_from_enu[:3, :3]
    return enu / np.linalg.norm(enu, axis=-1, keepdims=True)
