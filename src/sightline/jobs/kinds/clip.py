"""A part of a video, or so much of a stream, as a job: copied as it is, and encoded again only to cover people."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from sightline.executors.local import Stopped, Tell
from sightline.files import whole
from sightline.jobs.footage import opened
from sightline.jobs.kept import kept
from sightline.jobs.kinds.kind import Kind, Params, Step, Task
from sightline.jobs.kinds.track import Source

if TYPE_CHECKING:
    from sightline.jobs.covering import Cover


class ClipParams(Params):
    """What to record."""

    source: Source
    start_s: Annotated[float, Field(ge=0)] = 0.0
    """Seconds into a file; it begins at the keyframe before. Streams begin at their next keyframe."""
    duration_s: Annotated[float, Field(gt=0, le=24 * 3600)] = 10.0
    """How long, from ``start_s`` on."""
    name: Annotated[str, Field(pattern=r"^[\w-][\w .-]{0,100}\.mp4$")] = "clip.mp4"
    """What to call it."""
    privacy: Literal["none", "faces", "bodies"] = "none"
    """What is covered of everybody whom a network finds; at least what the installation wants.

    Where it is anything, the video is encoded again, begins where it should, and has no sound.
    """
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    """Of streams, silence after which to give up."""


def clip(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """Copies the part and keeps it.

    Raises:
        SightlineError: the source cannot be read, or has nothing there, or people in it cannot be covered.
        OSError: it cannot be written.
    """
    from contextlib import closing  # noqa: PLC0415

    from sightline.jobs.copying import copied, open_live  # noqa: PLC0415  (whoever takes jobs in needs no decoder)
    from sightline.jobs.covering import cover_for  # noqa: PLC0415
    from sightline.sources.opening import open_file  # noqa: PLC0415

    asked = ClipParams.model_validate(task.params)
    longest_s = min(asked.duration_s, task.settings.video_pipeline.record_seconds)
    cover = cover_for(task.settings, asked.privacy)
    if cover is not None:
        summary = _covered(task, asked, longest_s, cover, tell, stopped)
        return {"summary": summary, "artifacts": kept(task, [task.folder / asked.name], tell, stopped)}
    with opened(task, tell, stopped) as place, whole(task.folder / asked.name) as path:
        if place.path is not None:
            source, start_s = open_file(place.path), asked.start_s
        else:
            source, start_s = open_live(place.url or "", place.shown, asked.timeout_s), None
        with closing(source):
            summary = copied(source, path, place.shown, start_s, longest_s, tell, stopped)
    return {"summary": summary, "artifacts": kept(task, [task.folder / asked.name], tell, stopped)}


def _covered(
    task: Task, asked: ClipParams, longest_s: float, cover: "Cover", tell: Tell, stopped: Stopped
) -> dict[str, Any]:
    """The part, looked through picture by picture."""
    from sightline.sources.stream import Stream  # noqa: PLC0415
    from sightline.sources.video import Video  # noqa: PLC0415

    with opened(task, tell, stopped) as place:
        source: Video | Stream
        if place.path is not None:
            source = Video(place.path, start_s=asked.start_s or None, end_s=asked.start_s + longest_s)
        else:
            source = Stream(place.url or "", timeout_s=asked.timeout_s, duration_s=longest_s)
        length_s = cover.film(source.frames(), task.folder / asked.name, longest_s, tell, stopped)
        start_s = asked.start_s if place.path is not None else None
    return {"start_s": start_s, "duration_s": round(length_s, 6), "complete": True, "failure": None}


CLIP = Kind(
    name="clip",
    about="Copies a part of a video, or so much of a stream, without loss; gives an MP4 file.",
    queue="light",
    params=ClipParams,
    steps=(Step(name="clip", shown="recording", share=1.0, work=clip),),
)
