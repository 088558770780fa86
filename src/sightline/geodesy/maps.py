"""Where on earth points of a site's map are."""

import numpy as np
from jaxtyping import Float

from sightline.geodesy.enu import wgs84_from_enu
from sightline.model.positions import Origin
from sightline.model.site import Anchor

Column = Float[np.ndarray, " n"]


def enu_from_map(anchor: Anchor) -> Float[np.ndarray, "2 2"]:
    """The turn, and for maps whose y runs down the mirror, that takes metres of the map to metres east and north.

    Covariances and velocities turn with it, places are counted from the anchor then.
    """
    east, north = np.sin(anchor.x_bearing_rad), np.cos(anchor.x_bearing_rad)
    side = -1.0 if anchor.is_y_down else 1.0
    return np.array([[east, -side * north], [north, side * east]])


def wgs84_from_map(anchor: Anchor, xy_m: Float[np.ndarray, "n 2"]) -> tuple[Column, Column]:
    """Latitude and longitude in degrees of points in metres of the map; NaN gives NaN.

    The map lies flat on the ellipsoid at its anchor: a kilometre off, that makes less than a millimetre.
    """
    enu_m = np.column_stack([xy_m @ enu_from_map(anchor).T, np.zeros(len(xy_m))])
    lat_deg, lon_deg, _ = wgs84_from_enu(origin_of(anchor), enu_m)
    return lat_deg, lon_deg


def origin_of(anchor: Anchor) -> Origin:
    """The anchor as what metres east and north are counted from."""
    return Origin(float(np.rad2deg(anchor.lat_rad)), float(np.rad2deg(anchor.lon_rad)), name="the map's origin")
