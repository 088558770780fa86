"""Logs of ArduPilot flight controllers (DataFlash, ``.bin``).

Source: ArduPilot's public list of onboard messages; units and frames as it states them.
"""

from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Float

from sightline.errors import FormatError
from sightline.flight_logs.dataflash import Messages, messages
from sightline.flight_logs.draft import Draft, home_at
from sightline.flight_logs.turning import angles_at
from sightline.model.flight import Flight
from sightline.model.positions import Origin

Column = Float[np.ndarray, " n"]
_PLACE, _SPEED = frozenset({"TimeUS", "Lat", "Lng", "Alt"}), frozenset({"TimeUS", "VN", "VE", "VD"})
_NEEDED = {
    "POS": _PLACE, "GPS": _PLACE, "ORGN": _PLACE | {"Type"}, "XKF1": _SPEED, "NKF1": _SPEED, "MNT": {"TimeUS"},
    "ATT": {"TimeUS", "Yaw", "Pitch", "Roll"}, "RFND": {"TimeUS", "Dist", "Stat", "Orient"},
}  # fmt: skip
"""Messages used, and the columns without which they say nothing."""
_GPS_EPOCH_S = 315_964_800
_LEAPS = ((1_119_744_016, 17), (1_167_264_017, 18))
"""GPS seconds from which so many leap seconds are to be taken off; 16 before (since July 2012), none came after."""
_WEEK_S = 604_800
_FIX = 3
_DOWN, _GOOD = 25, 4
"""Of a range finder: its orientation, and a status that means good."""
_HOME = 1


@final
class Ardupilot:
    """One log; its rows are those of the estimated position, or of the GPS where none was logged."""

    def read(self, path: Path) -> Flight:
        """The flight in the log.

        Raises:
            FormatError: it is no such log, is too old, or holds no position.
            OSError: it cannot be read.
        """
        found, lost = messages(path, frozenset(_NEEDED))
        said = [f"{lost} bytes of the log make no sense; left out"] if lost else []
        if any("TimeUS" not in rows for rows in found.values()) and not lost:
            raise FormatError(f"{path}: a log of before 2015 (no TimeUS); convert it with a newer ground station")
        found = {name: rows for name, rows in found.items() if _NEEDED[name] <= {*rows}}
        place = found.get("POS") or found.get("GPS")
        if place is None:
            raise FormatError(f"{path}: the log holds neither POS nor GPS; the aircraft had no position")
        if place is found.get("GPS"):
            place, said = _fixed(_first(place)), [*said, "the log has no estimated position (POS), only that of GPS"]
        place = _some(place, (np.abs(place["Lat"]) <= 90) & (np.abs(place["Lng"]) <= 180))
        t_s = place["TimeUS"] / 1e6
        home, more = _home(found.get("ORGN"))
        aircraft = _attitude(found.get("ATT"), t_s)
        return Draft(
            path=path,
            log="ArduPilot log",
            t_s=t_s,
            utc_ns=_utc_ns(found.get("GPS")),
            lat_deg=place["Lat"].astype(float),
            lon_deg=place["Lng"].astype(float),
            height_sea_m=place["Alt"].astype(float),
            height_takeoff_m=_above_home(place, home),
            height_ground_m=_ground(found.get("RFND"), t_s),
            aircraft_deg=aircraft,
            gimbal_deg=_gimbal(found.get("MNT"), aircraft[0], t_s),
            north_east_down_mps=_velocity(found, t_s),
            home=home,
            warnings=(*said, *more),
        ).flight()


def _first(rows: Messages, name: str = "I") -> Messages:
    """Those of the first instance, where several were logged."""
    if name not in rows or not len(rows[name]):
        return rows
    return _some(rows, rows[name] == rows[name].min())


def _fixed(gps: Messages) -> Messages:
    """Those with a fix."""
    return _some(gps, gps["Status"] >= _FIX) if "Status" in gps else gps


def _some(rows: Messages, which: np.ndarray) -> Messages:
    return {column: values[which] for column, values in rows.items()}


def _at(rows: Messages | None, name: str, t_s: Column) -> Column | None:
    """A column at these times; NaN before its first row and after its last; None: no such column."""
    if rows is None or name not in rows or not len(rows[name]):
        return None
    return np.interp(t_s, rows["TimeUS"] / 1e6, rows[name].astype(float), left=np.nan, right=np.nan)


def _turned(rows: Messages, name: str, t_s: Column) -> Column:
    """The same for angles of a full circle, in degrees."""
    return angles_at(t_s, rows["TimeUS"] / 1e6, np.deg2rad(rows[name].astype(float)))


def _attitude(rows: Messages | None, t_s: Column) -> tuple[Column | None, Column | None, Column | None]:
    """Yaw, pitch, roll in degrees at these times."""
    if rows is None:
        return None, None, None
    yaw, pitch, roll = (_turned(rows, name, t_s) for name in ("Yaw", "Pitch", "Roll"))
    return yaw, pitch, roll


def _gimbal(
    mount: Messages | None, heading_deg: Column | None, t_s: Column
) -> tuple[Column | None, Column | None, Column | None]:
    """Yaw, pitch, roll of the camera against north; where only its yaw against the aircraft is known, of both."""
    if mount is None:
        return None, None, None
    mount = _first(mount)
    pitch, roll = _at(mount, "Pitch", t_s), _at(mount, "Roll", t_s)
    yaw = np.full(len(t_s), np.nan)
    if "YawB" in mount and heading_deg is not None:
        yaw = heading_deg + _turned(mount, "YawB", t_s)
    if "YawE" in mount:
        known = _turned(mount, "YawE", t_s)
        yaw = np.where(np.isfinite(known), known, yaw)
    return yaw, pitch, roll


def _velocity(found: dict[str, Messages], t_s: Column) -> tuple[Column | None, Column | None, Column | None]:
    """North, east, down: as estimated, else as the GPS tells it."""
    estimate = found.get("XKF1") or found.get("NKF1")
    if estimate is not None:
        core = _first(estimate, "C")
        return _at(core, "VN", t_s), _at(core, "VE", t_s), _at(core, "VD", t_s)
    if "GPS" not in found or not {"Spd", "GCrs", "VZ"} <= {*found["GPS"]}:
        return None, None, None
    gps = _fixed(_first(found["GPS"]))
    course = np.deg2rad(gps["GCrs"].astype(float))
    gps = gps | {"VN": gps["Spd"] * np.cos(course), "VE": gps["Spd"] * np.sin(course)}
    return _at(gps, "VN", t_s), _at(gps, "VE", t_s), _at(gps, "VZ", t_s)


def _home(origins: Messages | None) -> tuple[Origin | None, list[str]]:
    """Where it calls home, as last set; the height is above the sea."""
    if origins is not None:
        rows = _some(origins, origins["Type"] == _HOME)
        last = [float(rows[name][-1]) for name in ("Lat", "Lng", "Alt") if len(rows[name])]
        if last and (home := home_at(*last)) is not None:
            return home, []
    return None, ["the log has no home position (ORGN)"]


def _above_home(place: Messages, home: Origin | None) -> Column | None:
    """Metres above home."""
    if "RelHomeAlt" in place:
        return place["RelHomeAlt"].astype(float)
    return None if home is None else place["Alt"].astype(float) - home.height_m


def _ground(finder: Messages | None, t_s: Column) -> Column | None:
    """Distance straight down, where the sensor says that it is good."""
    if finder is None:
        return None
    finder = _some(finder, finder["Orient"] == _DOWN)
    height, good = _at(finder, "Dist", t_s), _at(finder | {"Good": finder["Stat"] == _GOOD}, "Good", t_s)
    return None if height is None or good is None else np.where(good > 0.99, height, np.nan)


def _utc_ns(gps: Messages | None) -> int | None:
    """When the controller's own clock was 0."""
    if gps is None or not {"GWk", "GMS"} <= {*gps}:
        return None
    gps = _some(_fixed(gps), _fixed(gps)["GWk"] > 0)
    if not len(gps["GWk"]):
        return None
    gps_ms = int(gps["GWk"][0]) * _WEEK_S * 1000 + int(gps["GMS"][0])
    leap_s = max((n for since_s, n in _LEAPS if gps_ms >= since_s * 1000), default=16)
    utc_us = (gps_ms + (_GPS_EPOCH_S - leap_s) * 1000) * 1000
    return (utc_us - int(gps["TimeUS"][0])) * 1000
