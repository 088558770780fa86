"""Plane-to-plane maps of pixels: 3x3 matrices on homogeneous points."""

import numpy as np
from jaxtyping import Float

from sightline.model.arrays import Warp


def warped(b_from_a: Warp, xy_a: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    """The points, where ``b_from_a`` takes them; NaN where that is at or beyond the horizon."""
    homogeneous = xy_a @ b_from_a[:, :2].T + b_from_a[:, 2]
    w = homogeneous[:, 2:]
    return homogeneous[:, :2] / np.where(w > 1e-12, w, np.nan)
