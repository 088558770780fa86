"""What goes in and out, as documented; what is ours beyond that is optional, and absent where it was not asked for."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sightline.formats.scenes import Form
from sightline.jobs.kinds.known import KnownParams

Status = Literal["queued", "uploading", "processing", "fetching", "completed", "failed"]
"""Where a run stands; they follow each other in this order."""


class Settings(BaseModel):
    """How to reconstruct, and what to leave out of the scene that is shown."""

    model_config = ConfigDict(extra="forbid")

    confThreshold: Annotated[int | float, Field(ge=0, le=100)] = 45  # noqa: N815  (clients' names)
    """Percentage of the points that are too doubtful to be shown."""
    predictionMode: Literal["pointmap", "depth"] = "pointmap"  # noqa: N815
    """Where points come from: the engine's own, or each pixel's depth."""
    maskBlackBg: bool = False  # noqa: N815
    """Leave out what is black."""
    maskWhiteBg: bool = False  # noqa: N815
    """Leave out what is white."""
    maskSky: bool = False  # noqa: N815
    """Leave out what is sky."""
    showCameras: bool = True  # noqa: N815
    """Draw where the pictures were taken."""
    maxPoints: Annotated[int | None, Field(ge=1)] = None  # noqa: N815
    """Most points that are shown, drawn by lot."""
    frame: Annotated[int | None, Field(ge=0)] = None
    """The one picture, counted from 0, whose points and camera are shown."""
    formats: Annotated[list[Form] | None, Field(max_length=8)] = None
    """What to make besides GLB and NPZ."""
    mesh: bool | None = None
    """Lay a surface through the points, too; it takes depth."""
    engine: Annotated[str | None, Field(max_length=64)] = None
    """Name of a reconstructor."""
    options: dict[str, Any] | None = None
    """Its options."""
    videoFps: Annotated[float | None, Field(gt=0, le=60)] = None  # noqa: N815
    """Pictures to take from each second of a video."""
    maxPictures: Annotated[int | None, Field(ge=2, le=5000)] = None  # noqa: N815
    """Most pictures to take from a video."""
    known: KnownParams | None = None
    """What is known of the pictures beforehand: lens, poses, positions, a distance, the size of markers."""

    def said(self) -> dict[str, Any]:
        """As clients know it: six settings, and what else was asked for."""
        return self.model_dump(mode="json", exclude_none=True)

    def params(self) -> dict[str, Any]:
        """What the job is told, but for the pictures."""
        return {
            **self.inference(),
            "formats": self.formats or [],
            "mesh": bool(self.mesh),
            "filters": {
                "mode": self.predictionMode,
                "confidence_percentile": float(self.confThreshold),
                "view": self.frame,
                "hide_black": self.maskBlackBg,
                "hide_white": self.maskWhiteBg,
                "hide_sky": self.maskSky,
                "show_cameras": self.showCameras,
                "max_points": self.maxPoints,
            },
        }

    def inference(self) -> dict[str, Any]:
        """The part of it on which the scene itself depends, and not only what is shown of it."""
        given: Mapping[str, Any] = {
            "engine": self.engine,
            "options": self.options,
            "video_fps": self.videoFps,
            "max_pictures": self.maxPictures,
            "known": None if self.known is None else self.known.model_dump(mode="json"),
        }
        return {name: value for name, value in given.items() if value is not None}


class CreateAsked(BaseModel):
    """A new run."""

    settings: Settings = Field(default_factory=Settings, description="How; what is left out has its default.")


class RerunAsked(BaseModel):
    """The same pictures, in another way."""

    settings: dict[str, Any] = Field(default_factory=dict, description="What is different from the run before.")


class Created(BaseModel):
    """A run that was made."""

    runId: str = Field(description="Its number.")  # noqa: N815
    status: Status = Field(description="Where it stands.")


class Uploaded(BaseModel):
    """Pictures that came in."""

    runId: str = Field(description="The run.")  # noqa: N815
    imagesUploaded: int = Field(description="How many came just now.")  # noqa: N815
    images: list[str] = Field(description="All that the run has, sorted; names are made safe and unlike.")
    duplicates: list[str] | None = Field(None, description="Those left out because the run has the same picture.")


class VideoUploaded(BaseModel):
    """A video that came in."""

    runId: str = Field(description="The run.")  # noqa: N815
    video: str = Field(description="What it is called.")


class Started(BaseModel):
    """A run whose work begins."""

    runId: str = Field(description="The run.")  # noqa: N815
    status: Status = Field(description="Where it stands.")
    message: str = Field(description="For people.")


class Rerun(BaseModel):
    """A run that repeats another one."""

    runId: str = Field(description="The new run.")  # noqa: N815
    status: Status = Field(description="Where it stands.")
    parentRunId: str = Field(description="The run before.")  # noqa: N815
    images: int = Field(description="How many pictures it has.")


class RunView(BaseModel):
    """A run. What is not known yet is absent."""

    runId: str = Field(description="Its number.")  # noqa: N815
    status: Status = Field(description="Where it stands.")
    settings: dict[str, Any] = Field(description="How it is done.")
    images: list[str] = Field(description="Its pictures, sorted; of a video, those that were taken from it.")
    requestedAt: str = Field(description="When it was made.")  # noqa: N815
    startedAt: str | None = Field(None, description="When its work began.")  # noqa: N815
    finishedAt: str | None = Field(None, description="When it ended.")  # noqa: N815
    error: str | None = Field(None, description="Why it failed.")
    artifacts: dict[str, str] = Field(default_factory=dict, description="What came of it: `glb`, `predictions`, ...")
    parentRunId: str | None = Field(None, description="The run that this one repeats.")  # noqa: N815
    video: str | None = Field(None, description="Its video.")
    progress: float | None = Field(None, description="How much of the work is done, from 0 to 1.")
    step: str | None = Field(None, description="What is being done, for people.")
    summary: dict[str, Any] | None = Field(None, description="What the scene is: engine, scale, views, points.")


class Page(BaseModel):
    """Some runs, newest first."""

    runs: list[RunView] = Field(description="Newest first.")
    total: int = Field(description="How many there are in all.")
    next: str | None = Field(None, description="Give this as `before` for those that follow; absent at the end.")


class Deleted(BaseModel):
    """A run that is gone."""

    runId: str = Field(description="Which one it was.")  # noqa: N815
    message: str = Field(description="For people.")


class Health(BaseModel):
    """Whether the server works."""

    status: str = Field(description="`ok`.")
    timestamp: str = Field(description="What time it is here.")


class Connection(BaseModel):
    """Whether anything could reconstruct."""

    status: str = Field(description="`ok`.")
    engines: list[str] = Field(description="Names of the reconstructors.")
