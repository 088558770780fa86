"""Angles of one part of a log at the times of another."""

import numpy as np
from jaxtyping import Float

Column = Float[np.ndarray, " n"]


def angles_at(t_s: Column, known_s: Float[np.ndarray, " m"], angle_rad: Float[np.ndarray, " m"]) -> Column:
    """Angles of a full circle at these times, in degrees; NaN before the first known one and after the last.

    Between two known ones it turned the shorter way. NaN among them is passed over: one would spoil all that follow.
    """
    known = np.isfinite(angle_rad)
    if not known.any():
        return np.full(len(t_s), np.nan)
    whole = np.rad2deg(np.unwrap(angle_rad[known]))
    return np.interp(t_s, known_s[known], whole, left=np.nan, right=np.nan)
