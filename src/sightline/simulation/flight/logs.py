"""Flights written as real logs are: the names, units, spaces and quirks of each notation.

What readers must stand is written on purpose: ``sep=,`` and a byte order mark, feet and miles, ``Stop`` for no,
names that begin with a space, whole seconds beside milliseconds, rows that repeat a time.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from sightline.files import whole
from sightline.model.flight import Flight

Column = tuple[str, list[str]]
_FEET, _MILES_H = 0.3048, 0.44704
_START = datetime(2026, 5, 17, 9, 19, 31, 701000, UTC)
"""When a flight begins that does not say."""


def write(path: Path, flight: Flight, dialect: str) -> None:
    """Puts the flight into a file; ``dialect`` is one of ``DIALECTS``.

    Raises:
        OSError: it cannot be written.
    """
    with whole(path) as partial:
        partial.write_bytes(DIALECTS[dialect](flight))


def _table(columns: list[Column], separator: str = ",", before: str = "") -> bytes:
    """A table with the names on top."""
    lines = [separator.join(name for name, _ in columns)]
    lines += [separator.join(row) for row in zip(*(words for _, words in columns), strict=True)]
    return (before + "\r\n".join(lines) + "\r\n").encode("utf-8")


def _moments(flight: Flight) -> list[datetime]:
    """When each row was written, UTC."""
    start = (
        _START
        if flight.utc_ns is None
        else datetime.fromtimestamp(0, UTC) + timedelta(microseconds=flight.utc_ns // 1000)
    )
    return [start + timedelta(seconds=float(t)) for t in flight.t_s]


def _words(values: np.ndarray, decimals: int) -> list[str]:
    """Numbers as texts; nothing for what is unknown."""
    return ["" if np.isnan(value) else f"{value:.{decimals}f}" for value in values.astype(float)]


def _places(flight: Flight, lat: str, lon: str) -> list[Column]:
    """Latitude and longitude; 0 where there is no fix, as receivers write it."""
    return [(lat, _words(np.nan_to_num(flight.lat_deg), 9)), (lon, _words(np.nan_to_num(flight.lon_deg), 9))]


def _angles(flight: Flight) -> list[Column]:
    """Aircraft and gimbal as DJI names them, in the tenths of a degree that they are kept in."""
    return [
        (f"{of}.{name}", _words(np.rad2deg(getattr(angles, f"{name}_rad")), 1))
        for of, angles in (("OSD", flight.aircraft), ("GIMBAL", flight.gimbal))
        for name in ("pitch", "roll", "yaw")
    ]


def _speeds(flight: Flight, unit: str, scale: float) -> list[Column]:
    """North, east, down as DJI names them."""
    east, north, up = flight.velocity_enu_mps.T
    return [
        (f"OSD.{axis}Speed{unit}", _words(speed / scale, 3))
        for axis, speed in zip("xyz", (north, east, -up), strict=True)
    ]


def _txt_log_to_csv(flight: Flight) -> bytes:
    """TXTlogToCSVtool: metres, ``Recording`` and ``Stop``; the first rows all have one time."""
    moments = _moments(flight)
    times = [moment.strftime("%Y/%m/%d %H:%M:%S.%f")[:-3] for moment in moments]
    first = [times[0]] * 3 + times
    words = ["Recording" if r == 1 else "" for r in flight.is_recording]
    for row in np.flatnonzero(np.diff(flight.is_recording) == -1):
        words[row + 1] = "Stop"
    columns = [
        ("CUSTOM.isVideo", words),
        *_places(flight, "OSD.latitude", "OSD.longitude"),
        ("OSD.height [m]", _words(flight.height_takeoff_m, 1)),
        ("OSD.altitude [m]", _words(flight.height_sea_m, 1)),
        *_speeds(flight, " [m/s]", 1.0),
        *_angles(flight),
    ]
    repeated = [(name, [column[0]] * 3 + column) for name, column in columns]
    return _table([("CUSTOM.updateTime", first), *repeated])


def _flight_reader(flight: Flight) -> bytes:
    """Flight Reader: ``sep=,`` behind a byte order mark, feet and miles per hour, dates month first, AM and PM."""
    moments = _moments(flight)
    columns = [
        ("CUSTOM.date [UTC]", [f"{m.month}/{m.day}/{m.year}" for m in moments]),
        ("CUSTOM.updateTime [UTC]", [m.strftime("%I:%M:%S.%f")[:-4].lstrip("0") + m.strftime(" %p") for m in moments]),
        ("OSD.flyTime", [f"{int(t // 60)}m {t % 60:.1f}s" for t in flight.t_s]),
        ("OSD.flyTime [s]", _words(flight.t_s, 1)),
        *_places(flight, "OSD.latitude", "OSD.longitude"),
        ("OSD.height [ft]", _words(flight.height_takeoff_m / _FEET, 1)),
        ("OSD.altitude [ft]", _words(flight.height_sea_m / _FEET, 1)),
        *_speeds(flight, " [MPH]", _MILES_H),
        *_angles(flight),
        ("GIMBAL.yaw [360]", _words(np.rad2deg(flight.gimbal.yaw_rad) % 360, 1)),
        ("GIMBAL.mode", [("Yaw Follow", "Free", "FPV", "")[mode] for mode in flight.gimbal_mode]),
        ("CAMERA.isVideo", ["True" if r == 1 else "" for r in flight.is_recording]),
    ]
    return b"\xef\xbb\xbf" + _table(columns, before="sep=,\r\n")


def _flight_reader_metric(flight: Flight) -> bytes:
    """The same on a computer that writes 1,5 and a semicolon, metres and km/h, local time with the day first."""
    moments = _moments(flight)
    columns = [
        ("CUSTOM.date [local]", [m.strftime("%d.%m.%Y") for m in moments]),
        ("CUSTOM.updateTime [local]", [m.strftime("%H:%M:%S,%f")[:-4] for m in moments]),
        *_places(flight, "OSD.latitude", "OSD.longitude"),
        ("OSD.height [m]", _words(flight.height_takeoff_m, 1)),
        ("OSD.altitude [m]", _words(flight.height_sea_m, 1)),
        *_speeds(flight, " [km/h]", 1 / 3.6),
        *_angles(flight),
        ("CAMERA.isVideo", ["TRUE" if r == 1 else "FALSE" for r in flight.is_recording]),
    ]
    return _table([(name, [w.replace(".", ",") if "date" not in name else w for w in ws]) for name, ws in columns], ";")


def _log_parser(flight: Flight) -> bytes:
    """dji-log-parser: ISO times in UTC, metres without a unit, true and false."""
    columns = [
        ("CUSTOM.dateTime", [m.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" for m in _moments(flight)]),
        *_places(flight, "OSD.latitude", "OSD.longitude"),
        ("OSD.height", _words(flight.height_takeoff_m, 1)),
        ("OSD.altitude", _words(flight.height_sea_m, 1)),
        *_speeds(flight, "", 1.0),
        *_angles(flight),
        ("CAMERA.isVideo", ["true" if r == 1 else "false" for r in flight.is_recording]),
    ]
    return _table(columns)


def _airdata(flight: Flight) -> bytes:
    """AirData: feet, miles per hour, names that begin with a space, whole seconds of UTC, no roll of the gimbal."""
    east, north, up = flight.velocity_enu_mps.T
    columns = [
        ("time(millisecond)", [str(round(1000 * t)) for t in flight.t_s]),
        ("datetime(utc)", [m.strftime("%Y-%m-%d %H:%M:%S") for m in _moments(flight)]),
        *_places(flight, "latitude", "longitude"),
        ("height_above_takeoff(feet)", _words(flight.height_takeoff_m / _FEET, 1)),
        ("altitude_above_seaLevel(feet)", _words(flight.height_sea_m / _FEET, 1)),
        (" xSpeed(mph)", _words(north / _MILES_H, 3)),
        (" ySpeed(mph)", _words(east / _MILES_H, 3)),
        (" zSpeed(mph)", _words(-up / _MILES_H, 3)),
        (" compass_heading(degrees)", _words(np.rad2deg(flight.aircraft.yaw_rad) % 360, 1)),
        (" pitch(degrees)", _words(np.rad2deg(flight.aircraft.pitch_rad), 1)),
        (" roll(degrees)", _words(np.rad2deg(flight.aircraft.roll_rad), 1)),
        ("isVideo", [str(max(r, 0)) for r in flight.is_recording]),
        ("gimbal_heading(degrees)", _words(np.rad2deg(flight.gimbal.yaw_rad) % 360, 1)),
        ("gimbal_pitch(degrees)", _words(np.rad2deg(flight.gimbal.pitch_rad), 1)),
    ]
    return _table(columns)


def _litchi(flight: Flight) -> bytes:
    """Litchi: metres, raw angles in tenths of a degree."""
    east, north, up = flight.velocity_enu_mps.T
    columns = [
        *_places(flight, "latitude", "longitude"),
        ("altitude(m)", _words(flight.height_takeoff_m, 1)),
        ("time(millisecond)", [str(round(1000 * t)) for t in flight.t_s]),
        ("datetime(utc)", [m.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] for m in _moments(flight)]),
        *[(f"velocity{axis}(mps)", _words(v, 3)) for axis, v in zip("XYZ", (north, east, -up), strict=True)],
        *[
            (f"{name}(deg)", _words(np.rad2deg(getattr(flight.aircraft, f"{name}_rad")), 1))
            for name in ("pitch", "roll", "yaw")
        ],
        ("isTakingVideo", [str(max(r, 0)) for r in flight.is_recording]),
    ]
    for of, angles in (("{}Raw", flight.aircraft), ("gimbal{}Raw", flight.gimbal)):
        for name in ("pitch", "roll", "yaw"):
            label = of.format(name if of == "{}Raw" else name.title())
            columns.append((label, _words(10 * np.rad2deg(getattr(angles, f"{name}_rad")), 0)))
    return _table(columns)


def _srt(flight: Flight) -> bytes:
    """Subtitles of a newer aircraft, with the gimbal's angles as the Avata 360 writes them."""
    blocks = []
    for row, moment in enumerate(_moments(flight)):
        start = timedelta(seconds=float(flight.t_s[row]))
        yaw, pitch, roll = (np.rad2deg(getattr(flight.gimbal, f"{name}_rad")[row]) for name in ("yaw", "pitch", "roll"))
        blocks.append(
            f"{row + 1}\n{_stamp(start)} --> {_stamp(start + timedelta(milliseconds=33))}\n"
            f'<font size="28">FrameCnt: {row + 1}, DiffTime: 33ms\n{moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]}\n'
            f"[focal_len: 24.00] [latitude: {np.nan_to_num(flight.lat_deg[row]):.6f}] "
            f"[longitude: {np.nan_to_num(flight.lon_deg[row]):.6f}] "
            f"[rel_alt: {flight.height_takeoff_m[row]:.3f} abs_alt: {flight.height_sea_m[row]:.3f}] "
            f"[gb_yaw: {yaw:.1f} gb_pitch: {pitch:.1f} gb_roll: {roll:.1f}] </font>\n"
        )
    return "\n".join(blocks).encode()


def _stamp(span: timedelta) -> str:
    """``00:00:01,234``."""
    ms = round(span.total_seconds() * 1000)
    return f"{ms // 3600000:02d}:{ms // 60000 % 60:02d}:{ms // 1000 % 60:02d},{ms % 1000:03d}"


DIALECTS: dict[str, Callable[[Flight], bytes]] = {
    "txt_log_to_csv": _txt_log_to_csv,
    "flight_reader": _flight_reader,
    "flight_reader_metric": _flight_reader_metric,
    "log_parser": _log_parser,
    "airdata": _airdata,
    "litchi": _litchi,
    "srt": _srt,
}
"""Notations by name."""
