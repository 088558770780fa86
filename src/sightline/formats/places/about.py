"""What must be known beside positions to write them down for others."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int

from sightline.model.arrays import readonly
from sightline.model.flight import Flight
from sightline.model.tracks import Tracks


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class About:
    """Whose positions these are, when, and of what."""

    name: str = "positions"
    """Of the whole, such as the video's."""
    utc_ns: int | None = None
    """Nanoseconds of 1970 (UTC) at ``t_s`` = 0; None: not known, and then no row has a time of day."""
    height_is: Literal["ellipsoid", "sea", "unknown"] = "unknown"
    """What the origin's height counts from; of "unknown" none is written."""
    classes: tuple[str, ...] = ("object",)
    """What things are called."""
    label: Int[np.ndarray, " n"] | None = None
    """Index into ``classes``, one for each position; None: all are of the first."""
    flight: Flight | None = None
    """The aircraft's own way, for the formats that draw lines."""

    def __post_init__(self) -> None:
        if self.label is not None:
            object.__setattr__(self, "label", readonly(self.label))

    @classmethod
    def seen(cls, tracks: Tracks, flight: Flight, log_from_video_s: float) -> "About":
        """That of positions of tracks in a video that lies so far into the log of the flight it was made on."""
        at_0_ns = None if flight.utc_ns is None else flight.utc_ns + round(log_from_video_s * 1e9)
        return cls(
            name=tracks.camera,
            utc_ns=at_0_ns,
            height_is=height_of(flight),
            classes=tracks.classes,
            label=tracks.label,
            flight=flight,
        )


def height_of(flight: Flight) -> Literal["ellipsoid", "sea", "unknown"]:
    """What the height of the flight's origin counts from, as ``locators.eyes.origin_of`` takes it."""
    if np.isfinite(flight.height_ellipsoid_m - flight.height_takeoff_m).any():
        return "ellipsoid"
    return "sea" if np.isfinite(flight.height_sea_m - flight.height_takeoff_m).any() else "unknown"
