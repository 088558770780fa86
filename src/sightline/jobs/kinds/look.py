"""What a video or stream is, as a job: for those that must be fetched before anybody can tell."""

from typing import Any

from sightline.executors.local import Stopped, Tell
from sightline.jobs.footage import opened
from sightline.jobs.kinds.kind import Kind, Params, Step, Task
from sightline.jobs.kinds.track import Source


class LookParams(Params):
    """What to look at."""

    source: Source


def look(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """What it is.

    Raises:
        SightlineError: it is not allowed, not there, or no video.
    """
    from sightline.jobs.looking import file_facts, stream_facts  # noqa: PLC0415  (needs a decoder)

    with opened(task, tell, stopped) as place:
        if place.path is not None:
            return file_facts(place.path)
        return stream_facts(place.url or "", task.settings.video_pipeline.connect_timeout_s)


LOOK = Kind(
    name="look",
    about="Tells what a video or stream is: container, codec, size, rate and length.",
    queue="light",
    params=LookParams,
    steps=(Step(name="look", shown="looking at it", share=1.0, work=look),),
)
