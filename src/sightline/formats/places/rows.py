"""Positions in the terms of those who read maps: degrees, UTC, compass bearings, circles of 90 %."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from sightline.errors import FormatError
from sightline.estimation.circle import LINEAR_90, ce90_m
from sightline.formats.places.about import About
from sightline.geodesy.course import headings_rad, speeds_mps
from sightline.geodesy.enu import wgs84_from_enu
from sightline.model.flight import Flight
from sightline.model.positions import Positions

Column = Float[np.ndarray, " n"]
AT_ONCE = 1 << 16
"""Rows that are made into text at once."""
_GAP_S = 2.0
"""A line over a longer time than this, in which nothing was seen, would be made up."""
AIRCRAFT = 0
"""The track number of the aircraft's own way."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """N places on earth; NaN (NaT) where something is not known."""

    number: Int[np.ndarray, " n"]
    """Which track; -1: none."""
    label: Int[np.ndarray, " n"]
    """Index into the names of classes."""
    frame_index: Int[np.ndarray, " n"]
    """Position of the picture in the stream."""
    t_s: Column
    """Seconds of the stream."""
    utc: Shaped[np.ndarray, " n"]
    """``datetime64[ms]``."""
    lat_deg: Column
    """Degrees north."""
    lon_deg: Column
    """Degrees east, from -180 to 180."""
    height_ellipsoid_m: Column
    """Metres above the WGS84 ellipsoid."""
    height_sea_m: Column
    """Metres above the sea."""
    ce90_m: Column
    """Radius of the circle that holds the true place in nine cases of ten."""
    le90_m: Column
    """The same for the height, up and down."""
    speed_mps: Column
    """Over the ground."""
    heading_deg: Column
    """Of the motion, clockwise from north, 0 up to 360; NaN for what hardly moves."""

    def __len__(self) -> int:
        return len(self.number)

    def rows(self, which: Bool[np.ndarray, " n"] | Int[np.ndarray, " m"] | slice) -> "Rows":
        """Those rows."""
        return Rows(*(getattr(self, field.name)[which] for field in fields(self)))

    @property
    def placed(self) -> "Rows":
        """Those that have a place."""
        return self.rows(np.isfinite(self.lat_deg))

    @property
    def followed(self) -> "Rows":
        """Those that have a place and a track, by track and time."""
        kept = np.flatnonzero(np.isfinite(self.lat_deg) & (self.number >= 0))
        return self.rows(kept[np.lexsort((self.t_s[kept], self.number[kept]))])


def rows_of(positions: Positions, about: About) -> Rows:
    """The positions, in their order.

    Raises:
        FormatError: they are on a map whose place on earth is not known.
    """
    n = len(positions)
    if positions.origin is None:
        raise FormatError(f"{about.name}: these positions are metres on a map of its own; it has no place on earth")
    lat_deg, lon_deg, height_m = wgs84_from_enu(positions.origin, positions.xyz_enu_m)
    unknown = np.full(n, np.nan)
    known = np.isfinite(lat_deg)
    variance = positions.cov_enu_m2[:, 2, 2]
    return Rows(
        number=positions.number,
        label=np.zeros(n, np.int64) if about.label is None else about.label,
        frame_index=positions.frame_index,
        t_s=positions.t_s,
        utc=_utc(positions.t_s, about.utc_ns),
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        height_ellipsoid_m=height_m if about.height_is == "ellipsoid" else unknown,
        height_sea_m=height_m if about.height_is == "sea" else unknown,
        ce90_m=np.where(known, ce90_m(positions.cov_enu_m2[:, :2, :2]), np.nan),
        le90_m=np.where(known & (variance >= 0), LINEAR_90 * np.sqrt(np.abs(variance)), np.nan),
        speed_mps=speeds_mps(positions),
        heading_deg=np.rad2deg(headings_rad(positions)),
    )


def flown(flight: Flight) -> Rows:
    """The aircraft's own way, rows without a place left out."""
    n, velocity = len(flight), flight.velocity_enu_mps
    course = np.rad2deg(np.arctan2(velocity[:, 0], velocity[:, 1])) % 360
    unknown = np.full(n, np.nan)
    return Rows(
        number=np.full(n, AIRCRAFT, np.int64),
        label=np.zeros(n, np.int64),
        frame_index=np.arange(n),
        t_s=flight.t_s,
        utc=_utc(flight.t_s, flight.utc_ns),
        lat_deg=flight.lat_deg,
        lon_deg=flight.lon_deg,
        height_ellipsoid_m=flight.height_ellipsoid_m,
        height_sea_m=flight.height_sea_m,
        ce90_m=unknown,
        le90_m=unknown,
        speed_mps=np.hypot(velocity[:, 0], velocity[:, 1]),
        heading_deg=course,
    ).placed


def _utc(t_s: Column, utc_ns: int | None) -> Shaped[np.ndarray, " n"]:
    """Times of day to the millisecond."""
    utc = np.full(len(t_s), np.datetime64("NaT", "ms"))
    known = np.isfinite(t_s)
    if utc_ns is not None:
        utc[known] = (utc_ns // 1_000_000 + np.rint(t_s[known] * 1e3).astype(np.int64)).astype("datetime64[ms]")
    return utc


def edges_of(rows: Rows, *, cut: bool = False) -> Int[np.ndarray, " k1"]:
    """Where each track begins among rows by track, and the end of the last.

    ``cut``: also where one was not seen for a while, and where it crosses the 180th meridian.
    """
    if not len(rows):
        return np.zeros(1, np.int64)
    breaks = np.diff(rows.number) != 0
    if cut:
        steps_s = np.diff(rows.t_s)
        usual_s = steps_s[~breaks & np.isfinite(steps_s)]
        breaks |= steps_s > max(_GAP_S, 3 * float(np.median(usual_s)) if len(usual_s) else 0.0)
        breaks |= np.abs(np.diff(rows.lon_deg)) > 180
    return np.concatenate([[0], np.flatnonzero(breaks) + 1, [len(rows)]])


def bundles(rows: Rows) -> Iterator[Rows]:
    """Rows by track, some whole tracks at a time, so that memory stays small."""
    first = 0
    for after in edges_of(rows)[1:].tolist():
        if after - first >= AT_ONCE or after == len(rows):
            yield rows.rows(slice(first, after))
            first = after


def names_of(rows: Rows, about: About, *, cut: bool = False) -> list[str]:
    """Number and class of each line among rows by track, lines as in ``edges_of``."""
    return [f"{rows.number[k]} {about.classes[rows.label[k]]}" for k in edges_of(rows, cut=cut)[:-1].tolist()]
