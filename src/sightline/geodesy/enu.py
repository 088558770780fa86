"""Latitude, longitude and height to metres at an origin, and back.

Source: WGS84 (NIMA TR8350.2); the closed form of ``pymap3d``, exact to a nanometre near the ground.
"""

import numpy as np
from jaxtyping import Float
from pymap3d import enu2geodetic, geodetic2enu

from sightline.model.positions import Origin

Column = Float[np.ndarray, " n"]
EARTH_M = 6_371_000.0
"""Mean radius: what the ground falls off by is a matter of millimetres per hundred metres."""
_NED_FROM_ENU = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])


def enu_from_wgs84(origin: Origin, lat_deg: Column, lon_deg: Column, height_m: Column) -> Float[np.ndarray, "n 3"]:
    """Metres east, north and up of the origin; heights are counted as the origin's is. NaN gives NaN."""
    east, north, up = geodetic2enu(lat_deg, lon_deg, height_m, origin.lat_deg, origin.lon_deg, origin.height_m)
    return np.stack([east, north, up], axis=1)


def wgs84_from_enu(origin: Origin, xyz_enu_m: Float[np.ndarray, "n 3"]) -> tuple[Column, Column, Column]:
    """Latitude and longitude in degrees (longitude from -180 up to 180) and height in metres. NaN gives NaN."""
    there = np.full((3, len(xyz_enu_m)), np.nan)
    known = np.isfinite(xyz_enu_m).all(axis=1)
    if known.any():
        there[:, known] = enu2geodetic(*xyz_enu_m[known].T, origin.lat_deg, origin.lon_deg, origin.height_m)
    return there[0], there[1], there[2]


def ned_from_enu(xyz_enu: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
    """North, east, down; the same takes those back to east, north, up."""
    return xyz_enu @ _NED_FROM_ENU.T


def fall_m(xy_enu_m: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n"]:
    """How far level ground has sunk below the origin's horizontal plane, that far from the origin."""
    return (xy_enu_m * xy_enu_m).sum(axis=-1) / (2 * EARTH_M)
