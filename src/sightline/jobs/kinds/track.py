"""Tracking, as a job: a video or a stream to tracks."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sightline import wiring
from sightline.executors.local import Stopped, Tell
from sightline.files import whole
from sightline.jobs.footage import fetch, is_live, opened
from sightline.jobs.kept import keep
from sightline.jobs.kinds.kind import Kind, Params, Step, Task

_READS_FILES = frozenset({"mot_file"})
"""Engines that are told a file of this machine, which is not for strangers to name."""
_PLACES = frozenset({"path", "pattern", "url", "listen", "camera"})
"""Options of sources that say what to read; the job itself says that."""
Source = Annotated[
    str,
    Field(
        min_length=1,
        max_length=4096,
        description="`artifact:ID` of an upload, an address (http, https, s3, rtsp, rtsps), or a path that may be read",
    ),
]


class TrackParams(Params):
    """What to track, and how."""

    source: Source
    detector: str = "motion"
    """Name of a detector."""
    tracker: str = "botsort"
    """Name of a tracker."""
    stabilizer: str | None = "flow"
    """Name of a stabilizer; null: the camera is known to be at rest."""
    options: Annotated[dict[str, dict[str, Any]], Field(default_factory=dict)]
    """By kind of engine (source, detector, tracker, stabilizer, format, offline), its options."""
    formats: Annotated[tuple[str, ...], Field(max_length=8)] = ("mot", "csv")
    """Names of the formats to write."""
    refine: bool | None = None
    """Whether to link and fill tracks afterwards; null: for recordings yes, for streams no."""
    draw: bool = True
    """Whether to write the annotated video."""
    batch: Annotated[int, Field(ge=1, le=64)] = 1
    """Pictures given to the detector at a time."""
    privacy: Literal["none", "faces", "bodies"] = "none"
    """What the annotated video hides of everybody who was detected, at least what the installation wants."""
    duration_s: Annotated[float, Field(gt=0, le=24 * 3600)] = 60.0
    """Of streams, how long to watch."""

    @model_validator(mode="after")
    def _known(self) -> "TrackParams":
        """All engines are there, and no option names a file."""
        for kind in ("detector", "tracker", "stabilizer"):
            name = getattr(self, kind)
            if name is not None and name not in set(wiring.names(kind)) - _READS_FILES:
                raise ValueError(f"no {kind} {name!r}")
        for name in self.formats:
            if name not in wiring.names("format"):
                raise ValueError(f"no format {name!r}")
        for kind, options in self.options.items():
            if kind not in {"source", "detector", "tracker", "stabilizer", "format", "offline"}:
                raise ValueError(f"options.{kind}: no such kind of engine")
            for option, value in options.items():
                if kind == "source" and option in _PLACES:
                    raise ValueError(f"options.source.{option}: what to read is said by 'source'")
                if not is_harmless(value):
                    raise ValueError(f"options.{kind}.{option}: paths are not taken; give the name of shelved weights")
        return self


def is_harmless(value: Any) -> bool:
    """Whether it is a number, a flag or a plain name, or a list of such: nothing that could name a file."""
    if isinstance(value, list):
        return all(map(is_harmless, value))
    if isinstance(value, str):
        return not (set("/\\~") & set(value) or value.startswith(".") or value.lower().endswith(".onnx"))
    return value is None or isinstance(value, bool | int | float)


def track(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """The step that tracks.

    Raises:
        SightlineError: the source cannot be read, or an engine or option is wrong.
        OSError: a result cannot be written.
    """
    from sightline.formats.privacy import stricter  # noqa: PLC0415
    from sightline.jobs.track import TrackJob, run  # noqa: PLC0415  (whoever only takes jobs in needs no engines)

    asked = TrackParams.model_validate(task.params)
    options = {kind: dict(given) for kind, given in asked.options.items()}
    if is_live(asked.source):
        options["source"] = {"duration_s": asked.duration_s, **options.get("source", {})}
    else:
        options["source"] = {"camera": Path(task.source_name).stem or "camera", **options.get("source", {})}
    with opened(task, tell, stopped) as place:
        job = TrackJob(
            source=str(place.path) if place.url is None else place.url,
            folder=task.folder,
            detector=asked.detector,
            tracker=asked.tracker,
            stabilizer=asked.stabilizer,
            options=options,
            formats=asked.formats,
            refine=asked.refine,
            draw=asked.draw,
            batch=asked.batch,
            privacy=stricter(task.settings.privacy, asked.privacy),
        )
        result = run(job, tell, stopped)
    files = [path.name for path in result.files]
    _say_nothing_of_here(task.folder / "run.json", place.shown, files)
    return {"summary": result.summary() | {"files": files}, "files": [*files, "run.json"]}


def _say_nothing_of_here(record: Path, shown: str, files: list[str]) -> None:
    """Takes the paths of this machine out of the record of a run."""
    said = json.loads(record.read_text(encoding="utf-8"))
    said["source"], said["result"]["files"] = shown, files
    for option in _PLACES - {"camera"}:
        said["engines"]["source"]["options"].pop(option, None)
    with whole(record) as path:
        path.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")


TRACK = Kind(
    name="track",
    about="Finds and follows everything that moves in a video or stream; gives tracks, and a video with them drawn.",
    queue="heavy",
    params=TrackParams,
    steps=(
        Step(name="fetch", shown="fetching the source", share=0.05, work=fetch),
        Step(name="track", shown="tracking", share=0.9, work=track),
        Step(name="keep", shown="keeping files", share=0.05, work=keep),
    ),
)
