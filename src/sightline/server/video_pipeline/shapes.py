"""What goes in and out, as documented."""

import re
from typing import Annotated, Any, Literal

from fastapi import Form, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

_CAMERA = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"
_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,2}):([0-9]{1,2}(?:\.[0-9]+)?)")
_LONGEST_S = 1e7
_NAMED = "Identifies the camera, and names its folder: letters, digits, '.', '_' and '-'."
CameraInForm = Annotated[str, Form(pattern=_CAMERA, description=_NAMED, examples=["camera_1"])]
"""A camera's name in a form."""
OptionalCameraInForm = Annotated[str | None, Form(pattern=_CAMERA, description=_NAMED, examples=["camera_1"])]
"""The same where it may be left out."""
CameraInQuery = Annotated[str, Query(pattern=_CAMERA, description=_NAMED, examples=["camera_1"])]
"""A camera's name in a query."""
Privacy = Literal["none", "faces", "bodies"]
"""What may be covered of everybody in a picture."""
_COVERED = "What is covered of everybody whom a network finds; at least what the installation wants."
Format = Literal["cuda", "qsv", "vaapi", "none", "auto"]
"""What may be asked to decode."""


def seconds(value: Any) -> float:
    """Seconds, from a number or from a text such as ``12.5``, ``01:30`` or ``00:01:30.5``.

    Raises:
        ValueError: it is neither.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        text = str(value).strip()
        if match := _CLOCK.fullmatch(text):
            hours, minutes, rest = match.groups()
            return int(hours or 0) * 3600 + int(minutes) * 60 + float(rest)
        return float(text)
    except (ValueError, OverflowError):
        raise ValueError("give seconds, or HH:MM:SS") from None


def _basename(value: str) -> str:
    """Only a label: nothing is ever written to a path that a client names."""
    return value.replace("\\", "/").rpartition("/")[2][:255]


_AsNumber = Annotated[float, Field(ge=0, le=_LONGEST_S)]
_AsText = Annotated[
    str, Field(pattern=r"^([0-9]{1,7}|([0-9]{1,4}:)?[0-9]{1,2}:[0-9]{1,2})(\.[0-9]+)?$", examples=["00:01:30"])
]
Seconds = Annotated[
    float,
    Field(ge=0, le=_LONGEST_S, allow_inf_nan=False),
    BeforeValidator(seconds, json_schema_input_type=_AsNumber | _AsText),
]
"""A point in, or a length of, a video."""
Label = Annotated[str, Field(max_length=4096), AfterValidator(_basename)]
"""The last part of the path that was asked for: what the file is called when it is downloaded."""


class Started(BaseModel):
    """A camera that decodes."""

    message: str
    """For people."""
    camera_id: str
    """Which."""
    output_folder: str
    """Where its pictures go."""
    status: Literal["started", "already_running"]
    """Whether this request had it begin."""


class Status(BaseModel):
    """How far a camera is."""

    camera_id: str
    """Which."""
    status: Literal["not_started", "running", "completed", "error", "stopped"]
    """Where it stands."""
    frame_count: int
    """Pictures in its folder."""
    last_error: str | None = None
    """What last went wrong."""
    restart_count: int = 0
    """How often the stream had to be begun again."""


class CameraMessage(BaseModel):
    """Something was done to a camera."""

    message: str
    """What."""
    camera_id: str
    """To which."""


class Message(BaseModel):
    """Something was done."""

    message: str
    """What."""


class Facts(BaseModel):
    """What a video is; ``unknown`` and 0 where it does not say."""

    format: str
    """Its container, or ``rtsp``."""
    codec: str
    """How pictures are compressed."""
    width: int
    """Pixels across, upright."""
    height: int
    """Pixels down, upright."""
    fps: float
    """Pictures per second."""
    duration: float
    """Seconds; 0 of a stream."""


class Info(BaseModel):
    """What a video is."""

    message: str
    """For people."""
    info: Facts
    """What it is."""


class Accelerations(BaseModel):
    """What decodes in hardware here."""

    available_hw_accelerations: list[str]
    """Names, each proved by decoding a picture."""


class Capabilities(BaseModel):
    """What decodes in hardware here."""

    message: Accelerations
    """Under this name for the sake of clients that look for it there."""


class SnapshotAsked(BaseModel):
    """One picture of a video."""

    video_url: str = Field(min_length=1, max_length=4096, description="A file's or a stream's address.")
    timestamp: Seconds = Field(0.0, description="Seconds or HH:MM:SS; of streams, the first picture is taken.")
    privacy: Privacy = Field("none", description=_COVERED)
    output_image: Label = Field("snapshot.jpg", description="What to call it; nothing is written to a path.")


class RecordingAsked(BaseModel):
    """A part of a video."""

    video_url: str = Field(min_length=1, max_length=4096, description="A file's or a stream's address.")
    start_time: Seconds = Field(0.0, description="Seconds or HH:MM:SS; of streams, recording begins now.")
    duration: Seconds = Field(10.0, description="Seconds or HH:MM:SS.")
    privacy: Privacy = Field("none", description=f"{_COVERED} A video in which it is anything has no sound.")
    output_path: Label = Field("recording.mp4", description="What to call it; nothing is written to a path.")


class Output(BaseModel):
    """A picture or a recording that was kept."""

    message: str
    """For people."""
    output: str
    """Where to download it."""
    artifact_id: str
    """Its number among the kept files."""


class Health(BaseModel):
    """Whether the surface works."""

    status: Literal["healthy"]
    """Always this, from a surface that answers."""
    service: Literal["video-pipeline"]
    """Which."""


class Debug(BaseModel):
    """What runs here, for who looks for a fault."""

    status: str
    """Whether it runs."""
    service: str
    """Which surface."""
    hostname: str
    """On which machine."""
    port: int
    """Where it is set to listen."""
    environment: dict[str, Any]
    """What it is set to; no secrets."""
