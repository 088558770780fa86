"""Where a flying camera was and which way it looked, at any time of its video."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from sightline.errors import FormatError
from sightline.geodesy.attitude import axes_of_turning, enu_from_cam
from sightline.geodesy.enu import enu_from_wgs84
from sightline.locators.pointing import Pointing
from sightline.model.arrays import readonly
from sightline.model.flight import Flight
from sightline.model.positions import Origin

Column = Float[np.ndarray, " n"]
_GAP_S = 2.0
"""Between rows further apart nothing is known."""
_FAR_KM = 50.0


@dataclass(frozen=True, slots=True, eq=False)
class Eyes:
    """A camera at N moments; NaN where the log does not tell."""

    eye_enu_m: Float[np.ndarray, "n 3"]
    """Metres east, north and up of the origin."""
    enu_from_cam: Float[np.ndarray, "n 3 3"]
    """Takes directions of the camera to east, north and up."""
    turning: Float[np.ndarray, "n 3 3"]
    """What a turn in yaw, pitch and roll turns about, in columns."""
    velocity_enu_mps: Float[np.ndarray, "n 3"]
    """How it moved."""
    rates_rad_s: Float[np.ndarray, "n 3"]
    """How fast yaw, pitch and roll changed."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, readonly(getattr(self, name)))

    def __len__(self) -> int:
        return len(self.eye_enu_m)


def origin_of(flight: Flight) -> Origin:
    """Where metres of a flight are best counted from: its take-off, as far as the log tells.

    Raises:
        FormatError: no row has a place.
    """
    known = np.flatnonzero(flight.has_place)
    if not len(known):
        raise FormatError("the log has no position at all (latitude and longitude), so nothing can be placed")
    first = Origin(float(flight.lat_deg[known[0]]), float(flight.lon_deg[known[0]]))
    level_m = _level_m(flight)
    home = flight.home
    if home is None or _km(home, first) > _FAR_KM:
        return Origin(first.lat_deg, first.lon_deg, level_m, "first position")
    return Origin(home.lat_deg, home.lon_deg, level_m, "home")


def heights_m(flight: Flight, ground_sea_m: float | None = None) -> Column:
    """Heights above take-off; from those above the sea, if the take-off's is given.

    Raises:
        FormatError: the log has neither.
    """
    if np.isfinite(flight.height_takeoff_m).any():
        return flight.height_takeoff_m
    if ground_sea_m is not None and np.isfinite(flight.height_sea_m).any():
        return flight.height_sea_m - ground_sea_m
    if np.isfinite(flight.height_sea_m).any():
        raise FormatError("the log has heights above the sea only; give the ground's own (ground_sea_m)")
    raise FormatError("the log has no height; export it with OSD.height, or give altitude_is for subtitles")


def eyes(
    flight: Flight, pointing: Pointing, origin: Origin, t_log_s: Column, height_m: Float[np.ndarray, " m"]
) -> Eyes:
    """The camera at these seconds of the log; ``height_m`` is above take-off, a number for each row of the log."""
    place = enu_from_wgs84(origin, flight.lat_deg, flight.lon_deg, origin.height_m + height_m)
    angles = np.stack([pointing.yaw_rad, pointing.pitch_rad, pointing.roll_rad], axis=1)
    rows = np.column_stack([place, angles])
    good = np.flatnonzero(np.isfinite(rows).all(axis=1))
    if len(good) < 2:
        nothing = np.full((len(t_log_s), 6), np.nan)
        at, change = nothing, nothing
    else:
        at = _interpolated(t_log_s, flight.t_s[good], rows[good])
        change = _interpolated(t_log_s, flight.t_s[good], np.gradient(rows[good], flight.t_s[good], axis=0))
    yaw, pitch, roll = at[:, 3:].T
    return Eyes(at[:, :3], enu_from_cam(yaw, pitch, roll), axes_of_turning(yaw, pitch), change[:, :3], change[:, 3:])


def _interpolated(
    at_s: Column, t_s: Float[np.ndarray, " m"], rows: Float[np.ndarray, "m 6"]
) -> Float[np.ndarray, "n 6"]:
    """Straight between rows, NaN before the first, after the last and in gaps."""
    out = np.stack([np.interp(at_s, t_s, column, left=np.nan, right=np.nan) for column in rows.T], axis=1)
    after = np.searchsorted(t_s, at_s).clip(1, len(t_s) - 1)
    gap = (t_s[after] - t_s[after - 1] > _GAP_S) & (at_s != t_s[after]) & (at_s != t_s[after - 1])
    out[gap] = np.nan
    return out


def _level_m(flight: Flight) -> float:
    """Height of the take-off above the ellipsoid, else above the sea, else 0: tens of metres do not matter here."""
    for above in (flight.height_ellipsoid_m, flight.height_sea_m):
        level = above - flight.height_takeoff_m
        if np.isfinite(level).any():
            return float(np.nanmedian(level))
    return 0.0


def _km(a: Origin, b: Origin) -> float:
    """How far apart, near enough."""
    north, east = a.lat_deg - b.lat_deg, (a.lon_deg - b.lon_deg + 180) % 360 - 180
    return 111.2 * float(np.hypot(north, east * np.cos(np.deg2rad(a.lat_deg))))
