"""Pictures of a video, as a job: one archive of numbered JPEG files."""

import zipfile
from typing import Annotated, Any, Literal

from pydantic import Field

from sightline.executors.local import Stopped, Tell
from sightline.files import whole
from sightline.jobs.footage import fetch, opened
from sightline.jobs.kept import keep
from sightline.jobs.kinds.kind import Kind, Params, Step, Task
from sightline.jobs.kinds.track import Source

_MOST_BYTES = 16 << 30
_EPOCH = (1980, 1, 1, 0, 0, 0)


class ExtractParams(Params):
    """What to take pictures of, and how many."""

    source: Source
    fps: Annotated[float | None, Field(gt=0, le=1000)] = 1.0
    """Pictures per second of video; null: all of them."""
    start_s: Annotated[float, Field(ge=0)] = 0.0
    """Where to begin, in files."""
    end_s: Annotated[float | None, Field(gt=0)] = None
    """Where to end, in files."""
    duration_s: Annotated[float, Field(gt=0, le=24 * 3600)] = 60.0
    """Of streams, how long to watch."""
    quality: Annotated[int, Field(ge=1, le=100)] = 90
    """Of the JPEG files."""
    privacy: Literal["none", "faces", "bodies"] = "none"
    """What is covered of everybody whom a network finds; at least what the installation wants."""
    max_pictures: Annotated[int, Field(ge=1, le=200_000)] = 50_000
    """After so many it ends."""


def extract(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """The step that takes the pictures.

    Raises:
        SightlineError: the source cannot be read, or people cannot be covered.
        OSError: the archive cannot be written.
    """
    from sightline.formats.jpeg import encoded  # noqa: PLC0415  (whoever only takes jobs in needs no decoder)
    from sightline.jobs.covering import cover_for  # noqa: PLC0415
    from sightline.sources.stream import Stream  # noqa: PLC0415
    from sightline.sources.video import Video  # noqa: PLC0415

    asked = ExtractParams.model_validate(task.params)
    cover = cover_for(task.settings, asked.privacy)
    times, n_bytes, is_complete = ["name,t_s\n"], 0, True
    with opened(task, tell, stopped) as place, whole(task.folder / "frames.zip") as path:
        source: Video | Stream
        if place.path is not None:
            source = Video(place.path, fps=asked.fps, start_s=asked.start_s or None, end_s=asked.end_s)
        else:
            source = Stream(place.url or "", fps=asked.fps, duration_s=asked.duration_s)
        total = source.about().n_frames
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for number, planes in enumerate(source.planes(), 1):
                picture = encoded(planes, asked.quality)
                if cover is not None:
                    picture = cover.jpeg(picture, asked.quality)
                n_bytes += len(picture)
                archive.writestr(_entry(f"frame_{number:04d}.jpg"), picture)
                times.append(f"frame_{number:04d}.jpg,{planes.moment.t_s:.6f}\n")
                tell("taking pictures", number, total)
                if stopped() or number >= asked.max_pictures or n_bytes >= _MOST_BYTES:
                    is_complete = False
                    break
            archive.writestr(_entry("frames.csv"), "".join(times))
    summary = {"pictures": len(times) - 1, "pictures_lost": source.n_lost(), "bytes": n_bytes, "complete": is_complete}
    return {"summary": summary, "files": ["frames.zip"]}


def _entry(name: str) -> zipfile.ZipInfo:
    """The same pictures make the same archive, whenever it is made."""
    return zipfile.ZipInfo(name, _EPOCH)


EXTRACT = Kind(
    name="extract",
    about="Takes pictures of a video or stream at a rate; gives an archive of JPEG files and a table of their times.",
    queue="heavy",
    params=ExtractParams,
    steps=(
        Step(name="fetch", shown="fetching the source", share=0.1, work=fetch),
        Step(name="extract", shown="taking pictures", share=0.85, work=extract),
        Step(name="keep", shown="keeping files", share=0.05, work=keep),
    ),
)
