"""Where on earth things are: metres at a named origin, with how well that is known."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from sightline.model.arrays import readonly

_COLUMNS = ("frame_index", "t_s", "number", "xyz_enu_m", "cov_enu_m2", "velocity_enu_mps", "cov_velocity_m2ps2")


@dataclass(frozen=True, slots=True)
class Origin:
    """The point that metres east, north and up are counted from.

    Latitude and longitude stay in degrees wherever they are: they are an address, not an angle to compute with.
    """

    lat_deg: float
    """Degrees north, WGS84."""
    lon_deg: float
    """Degrees east, WGS84."""
    height_m: float = 0.0
    """Metres above the ellipsoid; that above the sea will do: lengths change by 1 in 100,000."""
    name: str = "take-off"
    """What is there."""

    def __post_init__(self) -> None:
        if not (abs(self.lat_deg) <= 90 and abs(self.lon_deg) <= 180 and np.isfinite(self.height_m)):
            raise ValueError(f"no place on earth: {self.lat_deg}, {self.lon_deg}, {self.height_m} m")


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """N sightings of followed things, one row each, in the order of the tracks that they were made of."""

    origin: Origin | None
    """What the metres are counted from; None: a map of its own, whose place on earth is not known."""
    frame_index: Int[np.ndarray, " n"]
    """Position of the picture in the stream, from 0."""
    t_s: Float[np.ndarray, " n"]
    """When, in the stream's own seconds."""
    number: Int[np.ndarray, " n"]
    """Which track."""
    xyz_enu_m: Float[np.ndarray, "n 3"]
    """Metres east, north and up; NaN where it could not be told."""
    cov_enu_m2: Float[np.ndarray, "n 3 3"]
    """How well that is known, all that is common to neighbouring rows (aircraft, compass) included."""
    velocity_enu_mps: Float[np.ndarray, "n 3"]
    """Metres per second east, north and up; NaN where only single places are known."""
    cov_velocity_m2ps2: Float[np.ndarray, "n 3 3"]
    """How well that is known."""

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            object.__setattr__(self, name, readonly(getattr(self, name)))

    def __len__(self) -> int:
        return len(self.number)

    @property
    def is_known(self) -> np.ndarray:
        """Which rows have a place."""
        return np.isfinite(self.xyz_enu_m).all(axis=1)
