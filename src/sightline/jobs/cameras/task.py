"""What one camera's decoding is told, and what it tells."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sightline.sources.opening import Hardware

CameraState = Literal["running", "waiting", "completed", "error"]
"""Pictures come; they do not, but will be asked for again; the file was read to its end; it gave up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraTask:
    """What to decode, where to, and how. It can be sent to another process."""

    source: str
    """Path of a file, or address of a stream; checked, with its secrets, its host replaced by the address found."""
    shown: str
    """The same as it may be shown: without user, password and query."""
    is_live: bool
    """Whether it is a stream, which is begun again whenever it ends, rather than a file."""
    folder: Path
    """Where its pictures go."""
    fps: float
    """Pictures to write per second of video."""
    start_s: float | None = None
    """Where in a file to begin."""
    end_s: float | None = None
    """Where in a file to end."""
    hardware: Hardware = "none"
    """What is to decode; the processor does where that does not work."""
    quality: int = 90
    """Of the JPEG files, from 1 to 100."""
    keep_count: int | None = None
    """Most pictures to keep."""
    keep_age_s: float | None = None
    """How old they may become."""
    keep_bytes: int | None = None
    """How large they may be together."""
    first_number: int = 1
    """Number of its first picture. Those from there on that are in the folder already are its own, too."""
    last_number: int = 0
    """Highest number that was reported: numbers go on behind it even where the pictures were deleted."""
    last_index: int = -1
    """Place in the file of the last picture that was reported, for the same case."""
    restart_count: int = 0
    """How often it was begun again before this process."""
    connect_timeout_s: float = 5.0
    """How long a camera has to answer."""
    read_timeout_s: float = 5.0
    """Silence after which a stream is begun again."""
    stall_timeout_s: float = 20.0
    """Time without a picture that was due, though data comes, after which a stream is begun again."""
    first_wait_s: float = 1.0
    """Longest wait before beginning again; it doubles from try to try."""
    most_wait_s: float = 8.0
    """What it doubles to at most; with time to connect, cameras are back within 15 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraReport:
    """How far it is."""

    state: CameraState
    """Where it stands."""
    n_written: int
    """Pictures of this task written so far, by earlier processes too."""
    last_number: int
    """Number of the newest."""
    last_index: int
    """Place of the newest among all pictures of the file or of the present connection; -1 where there is none."""
    last_t_s: float | None
    """When the newest was taken, in seconds since the file or the present connection began."""
    restart_count: int
    """How often it was begun again."""
    last_error: str | None
    """What last went wrong, in one line and without secrets; stays when all is well again."""
    fallback: str | None
    """Why the processor decodes although a device was asked for."""
