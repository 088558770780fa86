"""How fast things move over the ground, and which way."""

import numpy as np
from jaxtyping import Float

from sightline.model.positions import Positions

STILL_MPS = 0.3
"""Slower things have no heading that means anything."""


def speeds_mps(positions: Positions) -> Float[np.ndarray, " n"]:
    """Speed over the ground."""
    return np.hypot(positions.velocity_enu_mps[:, 0], positions.velocity_enu_mps[:, 1])


def headings_rad(positions: Positions, still_mps: float = STILL_MPS) -> Float[np.ndarray, " n"]:
    """Direction of motion, clockwise from north, 0 to 2 pi; NaN for what hardly moves."""
    east, north = positions.velocity_enu_mps[:, 0], positions.velocity_enu_mps[:, 1]
    with np.errstate(invalid="ignore"):
        moves = np.hypot(east, north) >= still_mps
    return np.where(moves, np.arctan2(east, north) % (2 * np.pi), np.nan)
