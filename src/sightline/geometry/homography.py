"""Between a camera's pixels and a horizontal plane seen by it."""

import numpy as np
from jaxtyping import Float

from sightline.geometry.warp import warped
from sightline.model.arrays import Warp
from sightline.model.camera import Camera


def px_from_map(camera: Camera, up_m: float = 0.0) -> Warp:
    """Takes metres east and north on the plane ``up = up_m`` to pixels.

    The third coordinate is the depth in metres: positive for what is in front of the lens.
    """
    px_from_enu = camera.px_from_cam @ camera.cam_from_enu[:3]
    return np.column_stack([px_from_enu[:, 0], px_from_enu[:, 1], px_from_enu[:, 2] * up_m + px_from_enu[:, 3]])


def map_from_px(camera: Camera, up_m: float = 0.0) -> Warp:
    """Takes pixels to metres east and north on the plane ``up = up_m``.

    The third coordinate is positive for pixels that see the plane, and zero or less at and beyond the horizon,
    so that ``warp.warped`` gives NaN there.

    Raises:
        ValueError: the plane passes through the lens, which sees it as a line.
    """
    try:
        return np.linalg.inv(px_from_map(camera, up_m))
    except np.linalg.LinAlgError:
        raise ValueError(f"camera {camera.name!r} lies in the plane up = {up_m:g} m") from None


def slopes(b_from_a: Warp, xy_a: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2 2"]:
    """How a small step in ``a`` moves each point in ``b`` (the Jacobian); NaN at and beyond the horizon."""
    xy_b = warped(b_from_a, xy_a)
    w = xy_a @ b_from_a[2, :2] + b_from_a[2, 2]
    return (b_from_a[:2, :2] - xy_b[:, :, None] * b_from_a[2, :2]) / w[:, None, None]


def carried(
    b_from_a: Warp, xy_a: Float[np.ndarray, "n 2"], cov_a: Float[np.ndarray, "n 2 2"]
) -> Float[np.ndarray, "n 2 2"]:
    """Covariances of points, where ``b_from_a`` takes them, to first order; NaN at and beyond the horizon."""
    slope = slopes(b_from_a, xy_a)
    return slope @ cov_a @ slope.transpose(0, 2, 1)
