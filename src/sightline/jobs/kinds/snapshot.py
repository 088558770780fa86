"""One picture of a video or stream, as a job."""

from typing import Annotated, Any, Literal

from pydantic import Field

from sightline.errors import SourceError
from sightline.executors.local import Stopped, Tell
from sightline.files import whole
from sightline.jobs.footage import opened
from sightline.jobs.kept import kept
from sightline.jobs.kinds.kind import Kind, Params, Step, Task
from sightline.jobs.kinds.track import Source


class SnapshotParams(Params):
    """What to take a picture of, and when."""

    source: Source
    t_s: Annotated[float, Field(ge=0)] = 0.0
    """Seconds into a file: the first picture at or after it is taken. Streams give their first one."""
    quality: Annotated[int, Field(ge=1, le=100)] = 90
    """Of the JPEG file."""
    name: Annotated[str, Field(pattern=r"^[\w-][\w .-]{0,100}\.jpe?g$")] = "snapshot.jpg"
    """What to call it."""
    privacy: Literal["none", "faces", "bodies"] = "none"
    """What is covered of everybody whom a network finds; at least what the installation wants."""
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    """Of streams, silence after which to give up."""


def snapshot(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """Takes the picture and keeps it.

    Raises:
        SightlineError: the source cannot be read, or has no picture then, or people in it cannot be covered.
        OSError: the picture cannot be written.
    """
    from sightline.formats.jpeg import encoded  # noqa: PLC0415  (whoever only takes jobs in needs no decoder)
    from sightline.jobs.covering import cover_for  # noqa: PLC0415
    from sightline.sources.stream import Stream  # noqa: PLC0415
    from sightline.sources.video import Video  # noqa: PLC0415

    asked = SnapshotParams.model_validate(task.params)
    cover = cover_for(task.settings, asked.privacy)
    with opened(task, tell, stopped) as place:
        if place.path is not None:
            pictures = Video(place.path, start_s=asked.t_s or None, parallel=False).planes()
        else:
            pictures = Stream(place.url or "", timeout_s=asked.timeout_s).planes()
        planes = next(pictures, None)
        if planes is None:
            raise SourceError(f"{place.shown}: no picture at {asked.t_s:g} s; it ends before")
        data, t_s = encoded(planes, asked.quality), planes.moment.t_s
        height, width = planes.y.shape
        del planes, pictures
    if cover is not None:
        data = cover.jpeg(data, asked.quality)
    with whole(task.folder / asked.name) as path:
        path.write_bytes(data)
    summary = {"t_s": t_s, "width": width, "height": height}
    return {"summary": summary, "artifacts": kept(task, [task.folder / asked.name], tell, stopped)}


SNAPSHOT = Kind(
    name="snapshot",
    about="Takes one picture of a video or stream; gives a JPEG file.",
    queue="light",
    params=SnapshotParams,
    steps=(Step(name="snapshot", shown="taking a picture", share=1.0, work=snapshot),),
)
