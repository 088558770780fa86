"""A part of a video, or so much of a stream, as a job: copied as it is, not encoded again."""

from typing import Annotated, Any

from pydantic import Field

from sightline.executors.local import Stopped, Tell
from sightline.files import whole
from sightline.jobs.footage import opened
from sightline.jobs.kept import kept
from sightline.jobs.kinds.kind import Kind, Params, Step, Task
from sightline.jobs.kinds.track import Source


class ClipParams(Params):
    """What to record."""

    source: Source
    start_s: Annotated[float, Field(ge=0)] = 0.0
    """Seconds into a file; it begins at the keyframe before. Streams begin at their next keyframe."""
    duration_s: Annotated[float, Field(gt=0, le=24 * 3600)] = 10.0
    """How long, from ``start_s`` on."""
    name: Annotated[str, Field(pattern=r"^[\w-][\w .-]{0,100}\.mp4$")] = "clip.mp4"
    """What to call it."""
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    """Of streams, silence after which to give up."""


def clip(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """Copies the part and keeps it.

    Raises:
        SightlineError: the source cannot be read, or has nothing there.
        OSError: it cannot be written.
    """
    from contextlib import closing  # noqa: PLC0415

    from sightline.jobs.copying import copied, open_live  # noqa: PLC0415  (whoever takes jobs in needs no decoder)
    from sightline.sources.opening import open_file  # noqa: PLC0415

    asked = ClipParams.model_validate(task.params)
    longest_s = min(asked.duration_s, task.settings.video_pipeline.record_seconds)
    with opened(task, tell, stopped) as place, whole(task.folder / asked.name) as path:
        if place.path is not None:
            source, start_s = open_file(place.path), asked.start_s
        else:
            source, start_s = open_live(place.url or "", place.shown, asked.timeout_s), None
        with closing(source):
            summary = copied(source, path, place.shown, start_s, longest_s, tell, stopped)
    return {"summary": summary, "artifacts": kept(task, [task.folder / asked.name], tell, stopped)}


CLIP = Kind(
    name="clip",
    about="Copies a part of a video, or so much of a stream, without loss; gives an MP4 file.",
    queue="light",
    params=ClipParams,
    steps=(Step(name="clip", shown="recording", share=1.0, work=clip),),
)
