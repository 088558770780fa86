"""Lenses with distortion: directions to pixels, and depth to points.

Source: COLMAP's camera models (documented formulas); Brown 1971 for ``OPENCV``, Kannala and Brandt 2006 for fisheyes.
"""

import numpy as np
from jaxtyping import Float, Float32

from sightline.model.lens import Lens, LensModel
from sightline.model.scene import Maps


def pixels(lens: Lens, xyz_cam: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 2"]:
    """Where points are in the picture, also beyond its edges; NaN for those not in front of the lens."""
    depth = xyz_cam[..., 2:]
    flat = xyz_cam[..., :2] / np.where(depth > 0, depth, np.nan)
    return distorted(lens, flat) * lens.focal_px + lens.centre_px


def distorted(lens: Lens, flat: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
    """Directions (right and down per unit forward) as the lens bends them."""
    k = lens.distortion
    squared = (flat * flat).sum(axis=-1, keepdims=True)
    if lens.model.is_fisheye:
        radius = np.sqrt(squared)
        angle = np.arctan(radius)
        bent = angle * (1 + _series(k, angle * angle))
        return flat * np.divide(bent, radius, out=np.ones_like(radius), where=radius > 1e-12)
    if lens.model not in {LensModel.OPENCV, LensModel.FULL_OPENCV}:
        return flat * (1 + _series(k, squared))
    radial = (1 + _series(np.array([*k[:2], *k[4:5]]), squared)) / (1 + _series(k[5:], squared))
    skew = 2 * flat[..., :1] * flat[..., 1:]
    return flat * radial + k[2:4] * skew + k[3:1:-1] * (squared + 2 * flat * flat)


def _series(k: Float[np.ndarray, " d"], x: Float[np.ndarray, "*n 1"]) -> Float[np.ndarray, "*n 1"]:
    """k[0] x + k[1] x² + ..."""
    total = np.zeros_like(x)
    for factor in k[::-1]:
        total = (total + factor) * x
    return total


def straightened(lens: Lens, xy_px: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    """Directions (right and down per unit forward) that pixels look in; NaN for those that the lens never sees.

    Newton's method on the distortion, with its slope measured.
    """
    wanted = (xy_px - lens.centre_px) / lens.focal_px
    flat = wanted.copy()
    if lens.model.is_fisheye:
        # An angle of 1.5 is nearly sideways: beyond, directions have no finite tangent.
        radius = np.linalg.norm(wanted, axis=-1, keepdims=True)
        flat *= np.divide(np.tan(np.minimum(radius, 1.5)), radius, out=np.ones_like(radius), where=radius > 1e-12)
    step = 1e-6
    right, below = np.array([[step, 0.0], [0.0, step]])
    for _ in range(20):
        off = distorted(lens, flat) - wanted
        across = (distorted(lens, flat + right) - distorted(lens, flat - right)) / (2 * step)
        down = (distorted(lens, flat + below) - distorted(lens, flat - below)) / (2 * step)
        area = across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0]
        area = np.where(np.abs(area) > 1e-9, area, np.nan)
        flat[:, 0] -= (down[:, 1] * off[:, 0] - down[:, 0] * off[:, 1]) / area
        flat[:, 1] -= (across[:, 0] * off[:, 1] - across[:, 1] * off[:, 0]) / area
    # Where a formula folds over, pixels have further solutions on the other side, or mirrored.
    missed = ~(np.abs(distorted(lens, flat) - wanted).max(axis=-1, initial=0.0) < 1e-6)
    missed |= ((flat * wanted).sum(axis=-1) < 0) | ~(area > 0)
    flat[missed] = np.nan
    return flat


def points(maps: Maps, cam_from_scene: Float[np.ndarray, "4 4"]) -> Float32[np.ndarray, "h w 3"]:
    """Where each pixel of a depth map is in the scene; what has no depth is at the camera or NaN.

    Raises:
        ValueError: there is no depth.
    """
    if maps.depth is None:
        raise ValueError("no depth, so no points")
    (fx, fy), (cx, cy) = maps.lens.focal_px, maps.lens.centre_px
    across = (np.arange(maps.lens.width) + 0.5 - cx) / fx
    down = (np.arange(maps.lens.height) + 0.5 - cy) / fy
    scene_from_cam = cam_from_scene[:3, :3].T
    right, below, forward = scene_from_cam.T
    # A pixel's ray is a sum of a row's and a column's part: cheaper than a product of matrices for each pixel.
    rays = ((right * across[:, None])[None] + (below * down[:, None] + forward)[:, None]).astype(np.float32)
    rays *= maps.depth[..., None]
    rays -= (scene_from_cam @ cam_from_scene[:3, 3]).astype(np.float32)
    return rays
