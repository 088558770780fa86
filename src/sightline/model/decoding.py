"""A camera whose pictures are being put on a shared volume."""

from dataclasses import dataclass
from enum import StrEnum


class DecodingState(StrEnum):
    """Where a camera's decoding stands."""

    RUNNING = "running"
    """Pictures come, or are being waited for."""
    COMPLETED = "completed"
    """The file was read to its end."""
    ERROR = "error"
    """It cannot go on; ``last_error`` says why."""
    STOPPED = "stopped"
    """Somebody stopped it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraRecord:
    """One camera of the video pipeline: what was asked for, and how far it is."""

    camera_id: str
    """Its name, which is also the name of its folder."""
    source: str
    """What it reads: an address, with its secrets, or ``artifact:KEY`` for an uploaded file."""
    shown: str
    """The same as it may be shown: without user, password and query."""
    is_live: bool
    """Whether it is a stream rather than a file."""
    fps: float
    """Pictures to write per second of video."""
    force_format: str | None
    """What was asked to decode; None: whatever is best."""
    is_wanted: bool
    """Whether it should be decoding; the rest says what is."""
    generation: int
    """1, and one more for each time it was started anew: reports of earlier ones are void."""
    state: DecodingState
    """Where it stands."""
    n_written: int = 0
    """Pictures written since it was started."""
    last_number: int = 0
    """Number of the newest picture."""
    last_written_utc_s: float | None = None
    """When the newest picture was written."""
    restart_count: int = 0
    """How often it had to be begun again since it was started."""
    last_error: str | None = None
    """What last went wrong."""
    holder: str | None = None
    """The worker that is at it."""
    lease_until_utc_s: float = 0.0
    """When others may take it over."""
    started_utc_s: float = 0.0
    """When it was started."""
    updated_utc_s: float = 0.0
    """When anything of this last changed."""
