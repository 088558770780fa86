"""What the drone service takes and gives, as documented."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sightline.jobs.drone.options import DroneOptions
from sightline.jobs.kinds.kind import Params

_FIELDS = frozenset(DroneOptions.model_fields)
Url = Annotated[str, Field(min_length=1, max_length=4096)]


class Parameters(DroneOptions):
    """How places are found; what is not known here is left out, and named in the warnings of the answer."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)

    fps: Annotated[float | None, Field(gt=0, le=1000)] = 5.0
    """Pictures per second that ``frame_id`` counts by."""
    batch_size: Annotated[int, Field(ge=1, le=10_000)] = 5
    """Pictures looked at together; places do not depend on it."""
    assume_lens: bool = True
    """Whether a lens that nobody tells is taken as a drone's usual one (24 mm), with a tenth of doubt."""

    def options(self, focal_35mm: float | None) -> dict[str, Any]:
        """The same for a job; ``focal_35mm`` stands in where nothing tells the lens."""
        known = {name: value for name, value in self.model_dump(mode="json").items() if name in _FIELDS}
        is_told = focal_35mm is None or {self.lens, self.fov_deg, self.focal_35mm, self.camera} != {None}
        lens = {} if is_told else {"focal_35mm": focal_35mm}
        return {**known, **lens, "ignored": sorted(str(name)[:64] for name in self.model_extra or {})[:64]}


class Asked(BaseModel):
    """What to place."""

    model_config = ConfigDict(extra="ignore")  # clients may send more

    job_id: int = Field(description="The client's own number.", examples=[7])
    input_file_url: Url = Field(description="Where the video is.", examples=["https://example.com/flight.mp4"])
    flight_log_url: Url = Field(description="Where the flight's log is.", examples=["https://example.com/log.csv"])
    tracking_json_url: Url | None = Field(
        description="Where the tracks are; null: the video is watched.", examples=["https://example.com/tracks.json"]
    )
    file_id: str = Field(max_length=1024, description="The client's own name for it.", examples=["f1"])
    parameters: Parameters | None = Field(None, description="How.")


class Taken(BaseModel):
    """A job that was taken in, for clients that do not wait."""

    job_id: str = Field(description="Number of the job.")
    status: str = Field(description="Where it stands.")
    status_url: str = Field(description="Where to ask how far it is, and in the end for its files.")


class Size(Params):
    """A picture's size."""

    width: int
    """Pixels across."""
    height: int
    """Pixels down."""


class Home(Params):
    """What metres are counted from: where the drone took off."""

    latitude: float
    """Degrees north."""
    longitude: float
    """Degrees east."""
    altitude: float
    """Metres above the sea, as far as the log tells; else 0."""


class Filter(Params):
    """What the filter took."""

    enabled: bool
    """Always."""
    sigma_a: float
    """Accelerations, metres per second squared."""
    sigma_meas_h: float
    """Measured places, metres."""
    sigma_meas_v: float
    """Measured heights, metres."""
    smooth: bool
    """Whether each entry knows the whole path."""


class Metadata(Params):
    """What holds for all entries."""

    source_resolution: Size
    """Size of the pictures that boxes are in."""
    depth_resolution: Size
    """Size of the pictures that depth was found in."""
    fps: float | None
    """Pictures per second that ``frame_id`` counts by."""
    total_frames: int
    """Pictures."""
    home_position: Home
    """What metres are counted from."""
    kalman_filter: Filter
    """What the filter took."""
    depth_source: str
    """What depth came from."""
    story: dict[str, Any]
    """How places came about."""
    warnings: list[str]
    """What a reader must know before trusting them."""


class Entry(BaseModel):
    """One sighting; all else that came with the track stands in it too."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)

    frame_id: int
    """Number of the picture, from 0."""
    track_id: int
    """Number of the track; 0: the aircraft."""
    bbox: list[float] | None
    """Left, top, right, bottom."""
    lat: float
    """Degrees north, WGS84."""
    lon: float
    """Degrees east."""
    depth_m: float | None
    """How far before the lens, along its axis; null: the aircraft."""
    pos_ned: list[float]
    """Metres north, east and down of home."""
    vel_ned: list[float | None]
    """Metres per second; null where only one sighting is known."""
    speed_mps: float | None
    """Over the ground."""
    heading_deg: float | None
    """Of the motion, 0 north, 90 east. Means little where ``is_moving`` is false."""
    is_moving: bool
    """Whether it moves fast enough (0.3 m/s) for a heading."""
    density: int | None
    """Others within 10 m in the same picture."""
    ce90_m: float | None = None
    """Radius of the circle that holds the true place in nine cases of ten."""


class Answered(BaseModel):
    """Where everything was."""

    metadata: Metadata = Field(description="What holds for all.")
    tracks: list[Entry] = Field(description="Sorted by picture, then by track.")
