"""A place that several cameras watch, and how they belong together."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from sightline.model.arrays import Warp, readonly

Side = Literal["left", "right", "up", "down"]
"""Of a picture: the half through which somebody leaves."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Who leaves a picture on one side comes up in other cameras next."""

    to: tuple[str, ...]
    """The cameras."""
    side: Side | None = None
    """Half of the picture that who leaves is in; None: anywhere."""
    share: float = 0.4
    """How much of the box must be in that half."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """The ground as a camera sees it, and how sure that is."""

    map_from_px: Warp
    """Takes pixels to the map; its third coordinate is positive for what is before the horizon."""
    names: tuple[str, ...] = ()
    """Of the pairs of points that it comes from; none where it was given as it is."""
    is_used: Bool[np.ndarray, " n"] | None = None
    """Which pairs agree."""
    off_px: Float[np.ndarray, " n"] | None = None
    """How far from its click each point of the map appears, in pixels."""
    off_map: Float[np.ndarray, " n"] | None = None
    """How far each click lands from its point of the map when it has no say itself; in the map's unit."""

    def __post_init__(self) -> None:
        for name in ("map_from_px", "is_used", "off_px", "off_map"):
            if (array := getattr(self, name)) is not None:
                object.__setattr__(self, name, readonly(array))


@dataclass(frozen=True, slots=True)
class Watch:
    """One camera of a site."""

    id: str
    """What it is called in messages."""
    videos: tuple[str, ...]
    """Paths or addresses of what it recorded, one after the other."""
    offset_s: float = 0.0
    """What must be added to its own clock to get the site's."""
    size: tuple[int, int] | None = None
    """Width and height of the pictures that its plane speaks of; None: those of the video."""
    plane: Plane | None = None
    """The ground in its pictures; None: it cannot say where things are."""
    overlaps: tuple[str, ...] = ()
    """Cameras that see some of the same ground."""
    hand_overs: tuple[HandOver, ...] = ()
    """Where to look for who leaves."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where on earth a map lies."""

    lat_rad: float
    """Latitude of the map's (0, 0), WGS84."""
    lon_rad: float
    """Longitude of it."""
    x_bearing_rad: float
    """Compass direction of the map's x axis; a quarter turn for east."""
    is_y_down: bool = False
    """Whether y runs to the right of x, as in pictures, rather than to its left."""


@dataclass(frozen=True, slots=True)
class SiteMap:
    """The plane that all cameras of a site share."""

    metres_per_unit: float | None = 1.0
    """Length of one unit of the map; None: nobody knows, and nothing can be said in metres."""
    picture: str | None = None
    """Path of a picture of it."""
    picture_from_map: tuple[tuple[float, float, float], ...] | None = None
    """Takes the map to pixels of that picture (2 rows of 3); None: they are the same."""
    anchor: Anchor | None = None
    """Where on earth it is."""


@dataclass(frozen=True, slots=True)
class Zone:
    """An area of the map that it is asked of who was in it, and how long."""

    id: str
    """What it is called in answers."""
    name: str
    """What people call it."""
    corners: tuple[tuple[float, float], ...]
    """Corners of its outline, in order, in the map's unit; at least three."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line across the map that it is asked of who passed it, and which way."""

    id: str
    """What it is called in answers."""
    name: str
    """What people call it."""
    ends: tuple[tuple[float, float], tuple[float, float]]
    """Where it begins and ends, in the map's unit."""
    inside: tuple[float, float]
    """A point on the side that counts as in, anywhere off the line."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place, its map and its cameras."""

    id: str
    """What it is asked for by."""
    name: str
    """What people call it."""
    map: SiteMap
    """What positions are given on."""
    watches: tuple[Watch, ...]
    """Its cameras, in the order of the file."""
    zones: tuple[Zone, ...] = ()
    """Areas that are counted."""
    lines: tuple[Line, ...] = ()
    """Lines that are counted."""
    begins_utc_s: float | None = None
    """When the site's clock was 0, in seconds since 1970; None: nobody knows."""
