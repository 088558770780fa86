"""What must be known beside positions to write them down for others."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int

from sightline.model.arrays import readonly
from sightline.model.flight import Flight


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
    log_from_video_s: float | None = None
    """Where ``t_s`` = 0 lies in the seconds of the flight; None: not known."""
    warnings: tuple[str, ...] = ()
    """What a reader must know before trusting any of it."""

    def __post_init__(self) -> None:
        if self.label is not None:
            object.__setattr__(self, "label", readonly(self.label))


def height_of(flight: Flight) -> Literal["ellipsoid", "sea", "unknown"]:
    """What the height of a flight's origin counts from, as ``locators.eyes.origin_of`` takes it.

    That is the first whose difference to the height above take-off is known: a log may have a height of a kind in rows
    that lack the other, and then nothing tells where the take-off was.
    """
    if np.isfinite(flight.height_ellipsoid_m - flight.height_takeoff_m).any():
        return "ellipsoid"
    return "sea" if np.isfinite(flight.height_sea_m - flight.height_takeoff_m).any() else "unknown"
