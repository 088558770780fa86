"""Logs of DJI aircraft as tables: TXTlogToCSVtool and CsvView, Flight Reader (PhantomHelp), dji-log-parser.

Which of them wrote a table is told by the names of its columns, never by their order. Units stand behind the names.
"""

from pathlib import Path
from typing import Literal, final

import numpy as np

from sightline.errors import FormatError
from sightline.flight_logs.clock import Clock, read_clock, span_s
from sightline.flight_logs.draft import Column, Draft, any_finite, flags, home_at
from sightline.flight_logs.table import Table, read_table
from sightline.model.flight import UNKNOWN, Flight, GimbalMode
from sightline.model.positions import Origin

Dialect = Literal["TXTlogToCSVtool", "Flight Reader", "dji-log-parser"]


@final
class DjiCsv:
    """One table of a DJI flight."""

    def __init__(self, *, timezone: str | None = None) -> None:
        self._timezone = timezone
        """Of the log's local clock, as in ``Europe/London``; without it, a local clock says nothing of UTC."""

    def read(self, path: Path) -> Flight:
        """The flight in the table.

        Raises:
            FormatError: it is not such a table, or something in it cannot be read; names line and column.
            OSError: it cannot be read.
        """
        table = read_table(path)
        dialect = _dialect(table)
        t_s, utc_ns, said = _time(table, dialect, self._timezone)
        length = "m" if dialect == "dji-log-parser" else None
        speed = "m/s" if dialect == "dji-log-parser" else None
        if length is None and (key := table.key("OSD.height")) is not None and not key[1]:
            said.append("OSD.height has no unit behind its name; taken as metres")
            length = "m"
        if speed is None and (key := table.key("OSD.xSpeed")) is not None and not key[1]:
            said.append("OSD.xSpeed has no unit behind its name; taken as metres per second")
            speed = "m/s"
        return Draft(
            path=path,
            log=f"DJI table ({dialect})",
            t_s=t_s,
            utc_ns=utc_ns,
            lat_deg=table.required("angle", "OSD.latitude"),
            lon_deg=table.required("angle", "OSD.longitude"),
            height_takeoff_m=table.number("length", "OSD.height", default_unit=length),
            height_sea_m=table.number("length", "OSD.altitude", default_unit=length),
            height_ground_m=_ground(table, length),
            aircraft_deg=_angles(table, "OSD"),
            gimbal_deg=_angles(table, "GIMBAL"),
            gimbal_mode=_modes(table),
            north_east_down_mps=_speeds(table, speed),
            is_recording=_recording(table),
            home=_home(table, length),
            warnings=tuple(said),
        ).flight()


def _dialect(table: Table) -> Dialect:
    """Who wrote it.

    Raises:
        FormatError: none of the three.
    """
    if table.key("OSD.latitude") is None:
        raise FormatError(f"{table.path}: there is no column OSD.latitude; this is no table of a DJI flight")
    if table.key("CUSTOM.dateTime"):
        return "dji-log-parser"
    key = table.key("CUSTOM.updateTime")
    if key is not None and not key[1] and table.key("CUSTOM.date") is None:
        return "TXTlogToCSVtool"
    return "Flight Reader"


def _time(table: Table, dialect: Dialect, zone: str | None) -> tuple[Column, int | None, list[str]]:
    """Seconds, nanoseconds since 1970 where they are 0, and what is to be said of them."""
    clock, is_utc = _clock(table, dialect)
    flown = _flown(table)
    said: list[str] = []
    if clock is None or not any_finite(clock.t_s):
        if flown is None:
            raise FormatError(
                f"{table.path}: there is no column of times (CUSTOM.updateTime, OSD.flyTime); export it too"
            )
        return flown, None, ["only the flight's own time is known, no clock"]
    row = int(np.flatnonzero(np.isfinite(clock.t_s))[0])
    moment = clock.utc_ns(row, "UTC" if is_utc else zone)
    if clock.is_ambiguous:
        said.append("the order of day and month cannot be told, so the date is unknown")
    elif moment is None and clock.day is not None:
        said.append("the log's clock is local; give timezone (for example Europe/London) to know UTC")
    t_s = clock.t_s
    if flown is not None and _steps(flown) > 1.5 * _steps(clock.t_s):
        t_s = flown + float(np.nanmax(clock.t_s - flown))
    return t_s, None if moment is None else moment - round(float(t_s[row]) * 1e9), said


def _clock(table: Table, dialect: Dialect) -> tuple[Clock | None, bool]:
    """The clock, and whether it is UTC."""
    if dialect == "dji-log-parser":
        return read_clock(table.text("CUSTOM.dateTime") or []), True
    for unit, is_utc in (("utc", True), ("local", False), (None, False)):
        times = table.text("CUSTOM.updateTime", unit=unit)
        if times is not None:
            return read_clock(times, table.text("CUSTOM.date", unit=unit)), is_utc
    return None, False


def _flown(table: Table) -> Column | None:
    """Seconds that the aircraft has been flying."""
    seconds = table.text("OSD.flyTime", unit="s")
    if seconds is not None:
        return np.array([span_s(word) for word in seconds], float)
    words = table.text("OSD.flyTime", "time", "timestamp")
    return None if words is None else np.array([span_s(word) for word in words], float)


def _steps(t_s: Column) -> int:
    """How many different times there are."""
    return len(np.unique(t_s[np.isfinite(t_s)]))


def _angles(table: Table, of: str) -> tuple[Column, Column, Column]:
    """Yaw, pitch, roll."""
    return (
        table.number("angle", f"{of}.yaw"),
        table.number("angle", f"{of}.pitch"),
        table.number("angle", f"{of}.roll"),
    )


def _speeds(table: Table, unit: str | None) -> tuple[Column, Column, Column]:
    """North, east, down."""
    return (
        table.number("speed", "OSD.xSpeed", default_unit=unit),
        table.number("speed", "OSD.ySpeed", default_unit=unit),
        table.number("speed", "OSD.zSpeed", default_unit=unit),
    )


def _ground(table: Table, unit: str | None) -> Column:
    """What the sensor below measured; 0 is what it writes when it sees nothing."""
    height = table.number("length", "OSD.vpsHeight", "OSD.sWaveHeight", default_unit=unit)
    return np.where(height > 0, height, np.nan)


def _modes(table: Table) -> np.ndarray | None:
    """What the gimbal's yaw goes with."""
    words = table.text("GIMBAL.mode")
    if words is None:
        return None
    return np.array([_mode(word.lower().replace(" ", "")) for word in words], np.int64)


def _mode(word: str) -> int:
    """One word."""
    if "nofollow" in word or "free" in word or "lock" in word:
        return GimbalMode.FREE
    if "fpv" in word:
        return GimbalMode.FPV
    return GimbalMode.FOLLOW if "follow" in word else UNKNOWN


def _recording(table: Table) -> np.ndarray | None:
    """Whether video was recorded."""
    names = ("CAMERA.isVideo", "CUSTOM.isVideo", "isVideo")
    key = table.key(*names)
    return None if key is None else flags(table.texts[key], table.path, key[0], table.first_line)


def _home(table: Table, unit: str | None) -> Origin | None:
    """The first place called home."""
    lat, lon = table.number("angle", "HOME.latitude"), table.number("angle", "HOME.longitude")
    there = np.flatnonzero(np.isfinite(lat) & np.isfinite(lon) & ~((lat == 0) & (lon == 0)))
    if not len(there):
        return None
    row = int(there[0])
    height = table.number("length", "HOME.height", "HOME.altitude", default_unit=unit)
    return home_at(float(lat[row]), float(lon[row]), float(np.nan_to_num(height[row])))
