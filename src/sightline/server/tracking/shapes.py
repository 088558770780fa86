"""What the multi-camera service takes and gives."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sightline.jobs.sites.messages import Playback, Status


class Start(BaseModel):
    """What to watch, and how."""

    model_config = ConfigDict(extra="ignore")  # clients of the older service may send more

    environment_id: str = Field(min_length=1, max_length=64, description="Id of a site.", examples=["factory"])
    detector: str | None = Field(None, max_length=64, description="Name of a detector; unsaid, people_hog.")
    tracker: str | None = Field(None, max_length=64, description="Name of a tracker; unsaid, botsort.")
    fps: float | None = Field(None, gt=0, le=120, description="Moments per second; unsaid, 23.")
    images: bool | None = Field(None, description="Whether live messages hold the pictures.")
    privacy: Literal["none", "faces", "bodies"] | None = Field(
        None, description="What is covered of everybody in pictures that are sent; unsaid, nothing."
    )
    speed: float | None = Field(
        None, gt=0, le=100, description="How much faster than real time; unsaid, as fast as can be."
    )


class Started(BaseModel):
    """A task that was taken in."""

    task_id: str = Field(description="Its number.")
    message: str = Field(description="For people.")
    status_url: str = Field(description="Where to ask how far it is.")
    websocket_url: str = Field(description="Where to listen.")


class StatusView(BaseModel):
    """How far a task is."""

    task_id: str = Field(description="Its number.")
    status: Status = Field(description="In one word.")
    progress: float = Field(description="From 0 to 1.")
    current_step: str = Field(description="What is being done, for people.")
    details: str | None = Field(description="Why it failed, or which cameras were left out.")


class Seek(BaseModel):
    """Where to go."""

    frame_index: int = Field(ge=0, lt=2**53, description="The moment, as in `tracking_update`.", examples=[230])


class PlaybackView(BaseModel):
    """How a task is played."""

    task_id: str = Field(description="Its number.")
    state: Playback = Field(description="`stopped`: no worker has begun it.")
    last_transition_at: str = Field(description="When it was last paused or resumed, else when it began.")
    last_frame_index: int | None = Field(description="The moment that was last shown; null: none yet.")
    last_error: str | None = Field(description="What went wrong last.")
    total_frames: int | None = Field(description="How many moments there are, about; null: nobody knows.")


class Environment(BaseModel):
    """A site."""

    environment_id: str = Field(description="What to ask for.")
    name: str = Field(description="What people call it.")
    cameras: list[str] = Field(description="Ids of its cameras.")
    camera_count: int = Field(description="How many those are.")
    fault: str | None = Field(None, description="What is wrong with its file, where something is.")
