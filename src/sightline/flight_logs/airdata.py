"""Logs as AirData exports them: a table with units in parentheses behind the names."""

from pathlib import Path
from typing import final

import numpy as np

from sightline.errors import FormatError
from sightline.flight_logs.clock import read_clock
from sightline.flight_logs.draft import Column, Draft, flags
from sightline.flight_logs.table import Table, read_table
from sightline.model.flight import Flight


@final
class Airdata:
    """One table by AirData."""

    def read(self, path: Path) -> Flight:
        """The flight in the table.

        Raises:
            FormatError: it is not such a table, or something in it cannot be read; names line and column.
            OSError: it cannot be read.
        """
        table = read_table(path)
        if table.key("time") is None or table.key("height_above_takeoff") is None:
            raise FormatError(f"{path}: there is no column time(millisecond) or height_above_takeoff; not from AirData")
        t_s = table.required("time", "time")
        utc_ns, said = _utc_ns(table, t_s)
        key = table.key("isVideo")
        sonar = table.number("length", "height_sonar")
        return Draft(
            path=path,
            log="AirData table",
            t_s=t_s,
            utc_ns=utc_ns,
            lat_deg=table.required("angle", "latitude"),
            lon_deg=table.required("angle", "longitude"),
            height_takeoff_m=table.number("length", "height_above_takeoff"),
            height_sea_m=table.number("length", "altitude_above_seaLevel"),
            height_ground_m=np.where(sonar > 0, sonar, np.nan),
            aircraft_deg=_three(table, "compass_heading", "pitch", "roll", kind="angle"),
            gimbal_deg=_three(table, "gimbal_heading", "gimbal_pitch", "gimbal_roll", kind="angle"),
            north_east_down_mps=_three(table, "xSpeed", "ySpeed", "zSpeed", kind="speed"),
            is_recording=None if key is None else flags(table.texts[key], path, "isVideo", table.first_line),
            warnings=tuple(said),
        ).flight()


def _three(table: Table, *names: str, kind: str) -> tuple[Column, Column, Column]:
    """Three columns."""
    first, second, third = (table.number(kind, name) for name in names)
    return first, second, third


def _utc_ns(table: Table, t_s: Column) -> tuple[int | None, list[str]]:
    """When milliseconds count from. The clock shows whole seconds: the moment is one that fits all rows.

    A clock that shows s at millisecond m began between s - m and s + 1 - m.
    """
    clock = read_clock(table.text("datetime") or [])
    shown = clock.t_s - t_s if len(clock.t_s) else np.full(1, np.nan)
    known = np.isfinite(shown)
    if not known.any() or clock.day is None:
        return None, ["the log has no date, so UTC is unknown"]
    row = int(np.flatnonzero(known)[0])
    moment = clock.utc_ns(row, "UTC")
    if moment is None:
        return None, []
    earliest, latest = float(np.nanmax(shown)), float(np.nanmin(shown)) + 1.0
    began, said = (earliest + latest) / 2, []
    if latest < earliest:
        began = float(shown[row])
        said.append(f"the log's clock and its milliseconds drift apart by {earliest - latest:.1f} s")
    return moment + round((began - float(clock.t_s[row])) * 1e9), said
