"""Logs of the Litchi app: a table with units in parentheses, and raw angles in tenths of a degree."""

from pathlib import Path
from typing import final

import numpy as np

from sightline.errors import FormatError
from sightline.flight_logs.clock import read_clock
from sightline.flight_logs.draft import Column, Draft, flags
from sightline.flight_logs.table import Table, read_table
from sightline.model.flight import Flight
from sightline.model.positions import Origin


@final
class Litchi:
    """One table by Litchi."""

    def read(self, path: Path) -> Flight:
        """The flight in the table.

        Raises:
            FormatError: it is not such a table, or something in it cannot be read; names line and column.
            OSError: it cannot be read.
        """
        table = read_table(path)
        if table.key("isTakingVideo") is None or table.key("gimbalYawRaw", "gimbalPitchRaw") is None:
            raise FormatError(f"{path}: there is no column isTakingVideo or gimbalPitchRaw; this is no table by Litchi")
        scale, said = _raw_scale(table)
        t_s = table.required("time", "time")
        clock = read_clock(table.text("datetime", unit="utc") or [])
        moment = clock.utc_ns(0, "UTC") if len(clock.t_s) else None
        sonar = table.number("length", "ultrasonicHeight")
        gimbal = [scale * table.number("", name) for name in ("gimbalYawRaw", "gimbalPitchRaw", "gimbalRollRaw")]
        aircraft = [table.number("angle", name) for name in ("yaw", "pitch", "roll")]
        speeds = [table.number("speed", f"velocity{axis}") for axis in "XYZ"]
        return Draft(
            path=path,
            log="Litchi table",
            t_s=t_s,
            utc_ns=None if moment is None else moment - round(float(t_s[0]) * 1e9),
            lat_deg=table.required("angle", "latitude"),
            lon_deg=table.required("angle", "longitude"),
            height_takeoff_m=table.number("length", "altitude"),
            height_ground_m=np.where(sonar > 0, sonar, np.nan),
            aircraft_deg=(aircraft[0], aircraft[1], aircraft[2]),
            gimbal_deg=(gimbal[0], gimbal[1], gimbal[2]),
            north_east_down_mps=(speeds[0], speeds[1], speeds[2]),
            is_recording=flags(table.text("isTakingVideo"), path, "isTakingVideo", table.first_line),
            home=_home(table),
            warnings=tuple(said),
        ).flight()


def _raw_scale(table: Table) -> tuple[float, list[str]]:
    """Degrees in one unit of the raw angles: told by the aircraft's own, which stand there both ways."""
    raw, degrees = (_together(table, names) for names in (("yawRaw", "pitchRaw", "rollRaw"), ("yaw", "pitch", "roll")))
    large = np.isfinite(raw) & np.isfinite(degrees) & (np.abs(degrees) > 2)
    if not large.any():
        return 0.1, ["the unit of raw gimbal angles cannot be checked; taken as tenths of a degree"]
    ratio = float(np.median(raw[large] / degrees[large]))
    if 8 < ratio < 12:
        return 0.1, []
    if 0.8 < ratio < 1.2:
        return 1.0, []
    raise FormatError(f"{table.path}: yawRaw is {ratio:.2f} times yaw(deg); neither degrees nor tenths of them")


def _together(table: Table, names: tuple[str, ...]) -> Column:
    """Several columns one after the other."""
    return np.concatenate([table.number("", name) for name in names])


def _home(table: Table) -> Origin | None:
    """Where it calls home."""
    lat, lon = table.number("angle", "home_latitude"), table.number("angle", "home_longitude")
    there = np.flatnonzero(np.isfinite(lat) & np.isfinite(lon) & ~((lat == 0) & (lon == 0)))
    return Origin(float(lat[there[0]]), float(lon[there[0]]), 0.0, "home") if len(there) else None
