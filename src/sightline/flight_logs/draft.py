"""A log as it was read, in its own degrees and order, and the flight that it makes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.errors import FormatError
from sightline.flight_logs.doubts import checked
from sightline.geodesy.attitude import upright, wrapped
from sightline.model.flight import UNKNOWN, Angles, Flight
from sightline.model.positions import Origin

Column = Float[np.ndarray, " n"]
_FAR_DEG = 1.0
"""A row this far from the others did not fly there: it is a receiver's start value or a slip."""
_GAP_S = 2.0


def home_at(lat_deg: float, lon_deg: float, height_m: float) -> Origin | None:
    """The home that a log names; None: there is no such place, since the row is damaged or from before a fix."""
    is_there = abs(lat_deg) <= 90 and abs(lon_deg) <= 180 and np.isfinite(height_m)
    return Origin(lat_deg, lon_deg, height_m, "home") if is_there else None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Draft:
    """Columns in file order, as long as ``t_s``; None: there is no such column."""

    path: Path
    """The file, for messages."""
    log: str
    """What kind of log it is."""
    t_s: Column
    """Seconds on any clock; rows of NaN, repeated or falling time are left out."""
    utc_ns: int | None = None
    """Nanoseconds since 1970 where that clock shows 0."""
    is_video_time: bool = False
    """Whether that clock is the video's own."""
    lat_deg: Column | None = None
    """Degrees north."""
    lon_deg: Column | None = None
    """Degrees east."""
    height_takeoff_m: Column | None = None
    """Metres."""
    height_sea_m: Column | None = None
    """Metres."""
    height_ellipsoid_m: Column | None = None
    """Metres."""
    height_ground_m: Column | None = None
    """Metres."""
    aircraft_deg: tuple[Column | None, Column | None, Column | None] = (None, None, None)
    """Yaw, pitch, roll."""
    gimbal_deg: tuple[Column | None, Column | None, Column | None] = (None, None, None)
    """Yaw, pitch, roll."""
    gimbal_mode: Int[np.ndarray, " n"] | None = None
    """As in ``Flight``."""
    north_east_down_mps: tuple[Column | None, Column | None, Column | None] = (None, None, None)
    """Metres per second."""
    is_recording: Int[np.ndarray, " n"] | None = None
    """As in ``Flight``."""
    focal_35mm: Column | None = None
    """As in ``Flight``."""
    home: Origin | None = None
    """As in ``Flight``."""
    warnings: tuple[str, ...] = ()
    """What was met on the way."""

    def flight(self) -> Flight:
        """The flight: rising time from 0, radians, metres east, north and up, with what looks odd said.

        Raises:
            FormatError: no two rows have a time.
        """
        kept = rising(self.t_s)
        if len(kept) < 2:
            raise FormatError(f"{self.path}: fewer than two rows have a time; it cannot be laid beside a video")
        t_s = self.t_s[kept]
        lat_deg, lon_deg, lost = self._places(kept)
        north, east, down = (self._column(c, kept) for c in self.north_east_down_mps)
        flight = Flight(
            log=self.log,
            t_s=t_s if self.is_video_time else t_s - t_s[0],
            is_video_time=self.is_video_time,
            utc_ns=self._utc_ns(float(t_s[0])),
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            height_takeoff_m=self._column(self.height_takeoff_m, kept),
            height_sea_m=self._column(self.height_sea_m, kept),
            height_ellipsoid_m=self._column(self.height_ellipsoid_m, kept),
            height_ground_m=self._column(self.height_ground_m, kept),
            aircraft=self._angles(self.aircraft_deg, kept),
            gimbal=self._angles(self.gimbal_deg, kept),
            gimbal_mode=_whole(self.gimbal_mode, kept),
            velocity_enu_mps=np.stack([east, north, -down], axis=1),
            is_recording=_whole(self.is_recording, kept),
            focal_35mm=self._column(self.focal_35mm, kept),
            home=self.home,
            warnings=(*self.warnings, *self._said(t_s, len(self.t_s) - len(kept), lost)),
        )
        return checked(flight)

    def _utc_ns(self, first_s: float) -> int | None:
        """When the flight's own seconds are 0."""
        if self.utc_ns is None or self.is_video_time:
            return self.utc_ns
        return self.utc_ns + round(first_s * 1e9)

    def _column(self, column: Column | None, kept: Int[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
        """Those rows, or NaN."""
        return np.full(len(kept), np.nan) if column is None else column[kept]

    def _angles(self, degrees: tuple[Column | None, ...], kept: Int[np.ndarray, " k"]) -> Angles:
        """Radians; a gimbal turned past straight down is told the upright way."""
        yaw, pitch, roll = (np.deg2rad(self._column(column, kept)) for column in degrees)
        yaw, pitch, roll = upright(wrapped(yaw), pitch, wrapped(roll))
        return Angles(yaw, pitch, roll)

    def _places(self, kept: Int[np.ndarray, " k"]) -> tuple[np.ndarray, np.ndarray, int]:
        """Latitude and longitude, NaN where there is no fix; and how many rows have none."""
        lat, lon = (self._column(c, kept).copy() for c in (self.lat_deg, self.lon_deg))
        if np.isfinite(lat).any() and (np.nanmax(np.abs(lat)) > 90 or np.nanmax(np.abs(lon)) > 360):
            raise FormatError(
                f"{self.path}: a latitude is beyond 90 degrees or a longitude beyond 360; is it in degrees?"
            )
        bad = ~(np.isfinite(lat) & np.isfinite(lon)) | ((lat == 0) & (lon == 0))
        if (~bad).any():
            off_lat = np.abs(lat - np.median(lat[~bad]))
            off_lon = np.abs((lon - np.median(lon[~bad]) + 180) % 360 - 180)
            with np.errstate(invalid="ignore"):
                bad |= (off_lat > _FAR_DEG) | (off_lon * np.cos(np.deg2rad(np.nan_to_num(lat))) > _FAR_DEG)
        lat[bad] = lon[bad] = np.nan
        return lat, (lon + 180) % 360 - 180, int(bad.sum())

    def _said(self, t_s: Column, n_dropped: int, n_lost: int) -> list[str]:
        """What a reader must know of times and places."""
        said = []
        if n_dropped:
            said.append(f"{n_dropped} rows repeat the time of another, go back in time or have none; left out")
        if n_lost == len(t_s):
            said.append("no row has a position (latitude and longitude)")
        elif n_lost:
            said.append(f"{n_lost} of {len(t_s)} rows have no position: no fix, or zeroes")
        gaps = np.diff(t_s)
        gaps = gaps[gaps > max(_GAP_S, 5 * float(np.median(gaps)))]
        if len(gaps):
            said.append(
                f"{len(gaps)} gaps in the log, the longest of {gaps.max():.1f} s; nothing is placed within them"
            )
        return said


def rising(t_s: Column) -> Int[np.ndarray, " k"]:
    """The rows to keep so that time rises strictly: the last of equal times, none that falls back."""
    rows = np.flatnonzero(np.isfinite(t_s))
    highest = np.maximum.accumulate(t_s[rows])
    rows = rows[t_s[rows] >= highest]
    return rows[np.append(np.diff(t_s[rows]) > 0, True)] if len(rows) else rows


def flags(words: list[str] | None, path: Path, name: str, first_line: int) -> Int[np.ndarray, " n"] | None:
    """1 where video is recorded, else 0; None where no word is written at all.

    Raises:
        FormatError: a word says neither yes nor no.
    """
    if words is None or not any(word.strip() for word in words):
        return None
    yes = {"recording", "true", "yes", "on", "1", "1.0"}
    no = {"", "stop", "stopped", "false", "no", "off", "0", "0.0", "none", "idle"}
    lowered = [word.strip().lower() for word in words]
    for row, word in enumerate(lowered):
        if word not in yes and word not in no:
            line = first_line + row
            raise FormatError(
                f"{path}: line {line}: {name} is {word[:40]!r}; write Recording or Stop, true or false, 1 or 0"
            )
    return np.array([int(word in yes) for word in lowered], np.int64)


def _whole(column: Int[np.ndarray, " n"] | None, kept: Int[np.ndarray, " k"]) -> Int[np.ndarray, " k"]:
    """Those rows, or unknown."""
    return np.full(len(kept), UNKNOWN, np.int64) if column is None else column[kept]


def any_finite(column: Column) -> bool:
    """Whether a column says anything."""
    known: Bool[np.ndarray, " n"] = np.isfinite(column)
    return bool(known.any())
