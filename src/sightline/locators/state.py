"""Places of single looks to paths: smoothed, with speeds, and what all looks have wrong together kept in the doubt."""

from dataclasses import replace

import numpy as np

from sightline.estimation.constant_velocity import Noise, believed, fitted
from sightline.geodesy.course import headings_rad, speeds_mps
from sightline.model.positions import Positions

__all__ = ["DOCUMENTED", "followed", "headings_rad", "noise_of", "speeds_mps"]

DOCUMENTED = Noise()
_ENOUGH = 300
"""Tracks to learn the noise from."""


def followed(positions: Positions, noise: Noise = DOCUMENTED, *, smooth: bool = True) -> Positions:
    """The same rows with filtered places and speeds; rows without a place stay without.

    ``smooth`` looks at the whole path of each track, else each row knows the past only. The covariance of a place
    stays that of its look: most of it is shared by all looks of a track (compass, take-off height), and no filter
    takes that out. That of a speed is the filter's.
    """
    order, starts = _paths(positions)
    n = len(positions)
    xyz, velocity = np.full((n, 3), np.nan), np.full((n, 3), np.nan)
    cov, cov_velocity = np.full((n, 3, 3), np.nan), np.full((n, 3, 3), np.nan)
    if len(order):
        belief, _ = believed(positions.xyz_enu_m[order], positions.t_s[order], starts, noise, smooth=smooth)
        xyz[order], velocity[order] = belief[0], belief[1]
        cov[order] = positions.cov_enu_m2[order]
        cov_velocity[order] = belief[4][:, :, None] * np.eye(3)
    return replace(positions, xyz_enu_m=xyz, cov_enu_m2=cov, velocity_enu_mps=velocity, cov_velocity_m2ps2=cov_velocity)


def noise_of(positions: Positions, base: Noise = DOCUMENTED) -> Noise:
    """How much these looks tremble and these things accelerate, as they show themselves; ``base`` for too few looks.

    The documented numbers are about as large as the errors of places. But most of those all looks at a thing share,
    and what is shared bends no path.
    """
    order, starts = _paths(positions)
    if len(starts) > _ENOUGH:
        last = int(starts[_ENOUGH])
        order, starts = order[:last], starts[:_ENOUGH]
    return fitted(positions.xyz_enu_m[order], positions.t_s[order], starts, base)


def _paths(positions: Positions) -> tuple[np.ndarray, np.ndarray]:
    """Rows with a place, by track and time, and where each track begins among them."""
    known = np.flatnonzero(positions.is_known)
    order = known[np.lexsort((positions.t_s[known], positions.number[known]))]
    number = positions.number[order]
    if not len(order):
        return order, np.zeros(0, np.int64)
    return order, np.flatnonzero(np.concatenate([[True], np.diff(number) != 0]))
