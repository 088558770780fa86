"""What real logs and detectors get wrong, put into true ones."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from sightline.geodesy.enu import enu_from_wgs84, wgs84_from_enu
from sightline.locators.doubts import Doubts
from sightline.model.flight import Angles, Flight
from sightline.model.tracks import Tracks
from sightline.simulation.flight.paths import ORIGIN

NONE = Doubts(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""Everything known exactly."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a log besides noise."""

    yaw_constant_rad: float = 0.0
    """What the gimbal's yaw is off from north by; the aircraft's is not."""
    late_s: float = 0.0
    """How much later than the video's start the recording flag rises."""
    blip: bool = False
    """Whether the flag rises for one row, 0.9 s before the recording."""
    gap_s: float = 0.0
    """How long the log is silent, 5 s after its start."""
    zeroes: int = 0
    """How many rows at the start have no fix: latitude and longitude are 0."""


def noisy(flight: Flight, doubts: Doubts, rng: np.random.Generator) -> Flight:
    """The log with one constant error in place, height and angles: what does not average out."""
    east, north, up = rng.normal(0, 1, 3) * [doubts.gps_m, doubts.gps_m, doubts.height_m]
    place = enu_from_wgs84(ORIGIN, flight.lat_deg, flight.lon_deg, ORIGIN.height_m + flight.height_takeoff_m)
    lat, lon, _ = wgs84_from_enu(ORIGIN, place + np.array([east, north, 0.0]))
    yaw, pitch, roll = rng.normal(0, 1, 3) * [doubts.yaw_rad, doubts.pitch_rad, doubts.roll_rad]
    aircraft = Angles(flight.aircraft.yaw_rad + yaw, flight.aircraft.pitch_rad, flight.aircraft.roll_rad)
    gimbal = Angles(flight.gimbal.yaw_rad + yaw, flight.gimbal.pitch_rad + pitch, flight.gimbal.roll_rad + roll)
    height = flight.height_takeoff_m + up
    return replace(flight, lat_deg=lat, lon_deg=lon, height_takeoff_m=height, aircraft=aircraft, gimbal=gimbal)


def faulty(flight: Flight, faults: Faults, rng: np.random.Generator) -> Flight:
    """The log with these faults; the aircraft's heading also trembles by a degree about where the gimbal points."""
    tremble = np.deg2rad(rng.normal(0, 1.0, len(flight)))
    aircraft = Angles(flight.aircraft.yaw_rad + tremble, flight.aircraft.pitch_rad, flight.aircraft.roll_rad)
    gimbal = Angles(flight.gimbal.yaw_rad + faults.yaw_constant_rad, flight.gimbal.pitch_rad, flight.gimbal.roll_rad)
    late = np.searchsorted(flight.t_s, flight.t_s - faults.late_s + 1e-9, side="right") - 1
    flag = np.where(late >= 0, flight.is_recording[late.clip(0)], 0)
    rises = int(np.flatnonzero(flag)[0])
    if faults.blip:
        flag[max(rises - 9, 0)] = 1
    lat, lon = flight.lat_deg.copy(), flight.lon_deg.copy()
    lat[: faults.zeroes] = lon[: faults.zeroes] = np.nan
    changed = replace(flight, aircraft=aircraft, gimbal=gimbal, is_recording=flag, lat_deg=lat, lon_deg=lon)
    silent = (flight.t_s > flight.t_s[0] + 5.0) & (flight.t_s < flight.t_s[0] + 5.0 + faults.gap_s)
    return rows_of(changed, ~silent)


def shaken(tracks: Tracks, doubts: Doubts, rng: np.random.Generator) -> Tracks:
    """Boxes moved as detectors move them: some of it the same for all looks of a track."""
    numbers, which = np.unique(tracks.number, return_inverse=True)
    shared: Float[np.ndarray, "k 2"] = rng.normal(0, 1, (len(numbers), 2))
    own = rng.normal(0, 1, (len(tracks), 2))
    move = doubts.box_px * (np.sqrt(0.5) * shared[which] + np.sqrt(0.5) * own)
    return replace(tracks, xyxy_px=tracks.xyxy_px + np.tile(move, 2), extra=dict(tracks.extra))


def rows_of(flight: Flight, keep: np.ndarray) -> Flight:
    """Some rows of a flight."""
    columns = {
        name: getattr(flight, name)[keep]
        for name in flight.__slots__
        if isinstance(getattr(flight, name), np.ndarray)
    }  # fmt: skip
    return replace(flight, aircraft=flight.aircraft.rows(keep), gimbal=flight.gimbal.rows(keep), **columns)
