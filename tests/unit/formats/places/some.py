"""Positions with everything that is odd about them."""

import numpy as np

from sightline.formats.places import About
from sightline.model.positions import Origin, Positions

CARDIFF = Origin(51.476322, -3.189584, 63.0, "home")
NOON_NS = 1_779_009_571_701_000_000
NOON = "2026-05-17T09:19:31.701Z"
NASTY = '<b>"&=\u0001'


def some(origin=CARDIFF, n=6, **known):
    """Track 7 goes east at 5 m/s and track 2 stands; rows alternate, the third has no place."""
    k = np.arange(n)
    xyz = np.stack([5.0 * k, 40.0 + 0.0 * k, 0.0 * k], axis=1)
    xyz[k % 2 == 1] = (-20.0, -30.0, 1.0)
    velocity = np.where(k[:, None] % 2 == 0, [5.0, 0.0, 0.0], [0.01, 0.0, 0.0])
    cov = np.tile(np.diag([4.0, 1.0, 9.0]), (n, 1, 1))
    if n > 2:
        xyz[2] = velocity[2] = np.nan
        cov[2] = np.nan
    positions = Positions(
        origin=origin, frame_index=k, t_s=k / 1.0, number=np.where(k % 2 == 0, 7, 2), xyz_enu_m=xyz, cov_enu_m2=cov,
        velocity_enu_mps=velocity, cov_velocity_m2ps2=0.01 * cov,
    )  # fmt: skip
    about = {"utc_ns": NOON_NS, "height_is": "ellipsoid", "classes": ("car", NASTY), "label": k % 2} | known
    return positions, About(name="clip & <co>", **about)
