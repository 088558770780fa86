"""What a flight log says, row by row: when, where, how high above what, and which way everything looked."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float, Int

from sightline.model.arrays import readonly
from sightline.model.positions import Origin

Column = Float[np.ndarray, " n"]
_COLUMNS = (
    "t_s", "lat_deg", "lon_deg", "height_takeoff_m", "height_sea_m", "height_ellipsoid_m", "height_ground_m",
    "velocity_enu_mps", "gimbal_mode", "is_recording", "focal_35mm",
)  # fmt: skip
UNKNOWN = -1
"""In columns of whole numbers: the log does not say. In columns of real numbers that is NaN."""


class GimbalMode(IntEnum):
    """What the gimbal's yaw goes with."""

    UNKNOWN = UNKNOWN
    """The log does not say."""
    FOLLOW = 0
    """With the aircraft's heading."""
    FREE = 1
    """With nothing: it keeps its direction while the aircraft turns."""
    FPV = 2
    """With the aircraft's heading, and its roll too."""


@dataclass(frozen=True, slots=True, eq=False)
class Angles:
    """Yaw clockwise from north, pitch up from the horizon, roll clockwise; NaN where the log does not say."""

    yaw_rad: Column
    """Of the log's own north, from -pi to pi."""
    pitch_rad: Column
    """Straight down is -pi/2."""
    roll_rad: Column
    """Level is 0."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, readonly(getattr(self, name)))

    def rows(self, which: np.ndarray | slice) -> "Angles":
        """Those rows."""
        return Angles(self.yaw_rad[which], self.pitch_rad[which], self.roll_rad[which])


@dataclass(frozen=True, slots=True, eq=False)
class Flight:
    """N rows of one flight log, oldest first; ``t_s`` rises strictly. What the log does not say is NaN, None or -1."""

    log: str
    """What kind of log it was."""
    t_s: Column
    """Seconds since the log's first row; of a log inside a video or beside it, the video's own seconds."""
    is_video_time: bool
    """Whether ``t_s`` is the video's own time, so that nothing is left to be aligned."""
    utc_ns: int | None
    """Nanoseconds of 1970 (UTC) at ``t_s`` = 0; None: the log's clock is local, or has no date."""
    lat_deg: Column
    """Degrees north."""
    lon_deg: Column
    """Degrees east."""
    height_takeoff_m: Column
    """Metres above where the aircraft took off; not above the ground."""
    height_sea_m: Column
    """Metres above the sea, in whichever datum the aircraft keeps: of many, tens of metres wrong."""
    height_ellipsoid_m: Column
    """Metres above the WGS84 ellipsoid."""
    height_ground_m: Column
    """Metres above the ground right below, as a sensor measured."""
    aircraft: Angles
    """Of the aircraft's body."""
    gimbal: Angles
    """Of the camera, as the log has it: its yaw may be off by a constant."""
    gimbal_mode: Int[np.ndarray, " n"]
    """A ``GimbalMode``."""
    velocity_enu_mps: Float[np.ndarray, "n 3"]
    """Metres per second east, north and up."""
    is_recording: Int[np.ndarray, " n"]
    """Whether video was recorded: 1, 0, or -1 for unknown; as the log has it, blips included."""
    focal_35mm: Column
    """Focal length of the lens, of a picture 36 mm wide."""
    home: Origin | None = None
    """Where it took off, or calls home; its height as the log has it, 0 where it has none."""
    warnings: tuple[str, ...] = ()
    """What a reader must know before trusting it, one line each."""

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            column = getattr(self, name)
            if len(column) != len(self.t_s):
                raise ValueError(f"{name} has {len(column)} rows, t_s {len(self.t_s)}")
            object.__setattr__(self, name, readonly(column))
        if not (np.diff(self.t_s) > 0).all():
            raise ValueError("t_s does not rise strictly")

    def __len__(self) -> int:
        return len(self.t_s)

    @property
    def has_place(self) -> np.ndarray:
        """Which rows say where the aircraft was."""
        return np.isfinite(self.lat_deg) & np.isfinite(self.lon_deg)
