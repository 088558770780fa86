"""Places from a drone's video, as a job: a video, its log and perhaps tracks to where things were."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from sightline import wiring
from sightline.errors import FormatError, OptionError, RefusedError, SourceError, UnknownEngineError
from sightline.executors.local import Stopped, Tell
from sightline.fetching import download
from sightline.jobs.drone.options import DroneOptions
from sightline.jobs.footage import fetch as fetch_video
from sightline.jobs.footage import is_live, opened, policy_of
from sightline.jobs.kept import keep
from sightline.jobs.kinds.kind import Kind, Params, Step, Task
from sightline.jobs.kinds.track import Source, is_harmless
from sightline.stores.artifacts import artifacts_at

if TYPE_CHECKING:
    from sightline.jobs.drone.running import DroneJob

UNFIT = "what was given will not do: "
"""How the error of a job begins whose files or options are at fault."""
UNFETCHED, FORBIDDEN = "cannot be fetched: ", "may not be fetched: "
"""What stands behind the name of a file that could not be had, or may not be."""
CALLED = {"source": "video", "log": "flight log", "tracks": "tracks", "scene": "scene"}
"""What files are called in messages."""
_BESIDE = ("log", "tracks", "scene")
"""Files besides the video."""
_AT_FAULT = (FormatError, OptionError, SourceError, UnknownEngineError)


class DroneParams(Params):
    """What to place, and how."""

    source: Source
    log: Source | None = None
    """The flight's log, as ``source`` is given; null: the video itself holds telemetry."""
    tracks: Source | None = None
    """Tracks of the video (JSON, MOT text, CSV or Parquet), given likewise; null: the video is watched."""
    scene: Annotated[str | None, Field(pattern=r"^artifact:([0-9a-f]{32}|[0-9a-f]{64})$")] = None
    """``artifact:`` and the number of the ``predictions.npz`` of a reconstruction of this video; null: none."""
    options: DroneOptions = Field(default_factory=DroneOptions)
    """How places are found."""
    engines: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """For a video that is watched, by kind of engine (detector, tracker, stabilizer): its ``name`` and options."""
    exports: Annotated[tuple[str, ...], Field(max_length=12)] = ()
    """What to write besides the answer: csv, geojson, kml, ..."""
    reference: dict[str, int | str] = Field(default_factory=dict)
    """What the client calls it; handed back untouched."""

    @model_validator(mode="after")
    def _known(self) -> "DroneParams":
        """All names are known, no option names a file, and nothing is a stream."""
        from sightline.formats.places import ENDINGS  # noqa: PLC0415

        for field in CALLED:
            if is_live(getattr(self, field) or ""):
                raise ValueError(f"{field}: a stream does not end; record a part of it first")
        for name in self.exports:
            if name not in ENDINGS:
                raise ValueError(f"exports: no format {name[:40]!r}; there are: {', '.join(ENDINGS)}")
        for kind, given in self.engines.items():
            if kind not in {"detector", "tracker", "stabilizer"}:
                raise ValueError(f"engines.{kind[:40]}: no such kind of engine")
            engine = given.get("name")
            if engine is not None and engine not in set(wiring.names(kind)) - {"mot_file"}:
                raise ValueError(f"engines.{kind}.name: there are: {', '.join(wiring.names(kind))}")
            for option, value in given.items():
                if not is_harmless(value):
                    raise ValueError(f"engines.{kind}.{option}: paths are not taken; give the name of shelved weights")
        return self


def steps(params: Mapping[str, Any]) -> tuple[Step, ...]:
    """Watching is left out where nobody needs it."""
    fetching = Step(name="fetch", shown="fetching the video, the log and the tracks", share=0.1, work=fetch)
    watching = Step(name="watch", shown="watching the video", share=0.75, work=watch)
    placing = Step(name="place", shown="placing", share=0.1, work=place)
    keeping = Step(name="keep", shown="keeping files", share=0.05, work=keep)
    is_watched = params.get("tracks") is None or (params.get("options") or {}).get("time_offset") == "auto"
    return (fetching, *((watching,) if is_watched else ()), placing, keeping)


def fetch(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """The step that brings all files here.

    Raises:
        SightlineError: one is not allowed, or not there; says which.
    """
    found: dict[str, Any] = {}
    with _blamed("source"):
        found |= fetch_video(task, tell, stopped)
    for field in _BESIDE:
        source = task.params.get(field)
        if source is not None and not stopped():
            with _blamed(field):
                found[field] = str(_brought(task, field, source, tell, stopped))
    return found


def watch(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """The step that looks at the pictures.

    Raises:
        SightlineError: the log or the options will not do, the video cannot be read, or an engine failed.
        OSError: a result cannot be written.
    """
    from sightline.jobs.drone.running import first_look  # noqa: PLC0415  (whoever takes jobs in needs no decoder)
    from sightline.jobs.drone.running import watch as look  # noqa: PLC0415

    with _job(task, tell, stopped) as job:
        first_look(job)
        look(job, task.folder, tell, stopped)
    return {}


def place(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """The step that tells where everything was.

    Raises:
        SightlineError: something given will not do.
        OSError: a result cannot be written.
    """
    from sightline.jobs.drone import running  # noqa: PLC0415

    with _job(task, tell, stopped) as job:
        result = running.place(job, task.folder.with_name("watch"), tell, stopped)
    return {"summary": result.story, "files": [path.name for path in result.files]}


@contextmanager
def _job(task: Task, tell: Tell, stopped: Stopped) -> Iterator["DroneJob"]:
    """What is to be done, its files here; errors that are the client's are told so, without paths of this machine."""
    from sightline.jobs.drone.running import DroneJob  # noqa: PLC0415

    asked, here = DroneParams.model_validate(task.params), task.earlier["fetch"]
    files = {field: Path(here[field]) for field in _BESIDE if field in here}
    try:
        with opened(task, tell, stopped) as video:
            path = video.path or Path()
            yield DroneJob(
                video=path,
                folder=task.folder,
                log=files.get("log", path),
                tracks=files.get("tracks"),
                scene=files.get("scene"),
                options=asked.options,
                engines=asked.engines,
                exports=asked.exports,
                name=PurePosixPath(task.source_name).stem,
            )
    except _AT_FAULT as error:
        said = str(error)
        for file in files.values():
            said = said.replace(str(file), file.name)
        raise type(error)(UNFIT + said) from None


@contextmanager
def _blamed(field: str) -> Iterator[None]:
    """Errors raised inside say whose fault it is."""
    try:
        yield
    except RefusedError as error:
        raise RefusedError(f"{CALLED[field]} {FORBIDDEN}{error}") from None
    except SourceError as error:
        raise SourceError(f"{CALLED[field]} {UNFETCHED}{error}") from None


def _brought(task: Task, field: str, source: str, tell: Tell, stopped: Stopped) -> Path:
    """The file, in the step's folder, under its own name as far as that does no harm.

    Raises:
        SightlineError: it is not allowed, or not there.
    """
    file = task.files.get(source)
    place = task.folder / field / _safe(urlsplit(source).path if file is None else file.name, field)
    place.parent.mkdir(parents=True, exist_ok=True)
    if file is not None:
        with artifacts_at(task.settings.artifacts_url()).path(file.key) as kept:
            shutil.copyfile(kept, place)
        return place
    path = download(source, place.parent, policy_of(task.settings), tell, stopped, media=False)
    if path is None:
        return place
    if path.parent == place.parent:
        path.replace(place)
    else:
        shutil.copyfile(path, place)  # a file of this machine, which is its owner's
    return place


def _safe(name: str, otherwise: str) -> str:
    """The last part of a name, with nothing that means something to a file system."""
    last = os.fsencode(PurePosixPath(name.replace("\\", "/")).name).decode("utf-8", "replace")
    kept = "".join(c if c.isprintable() and c not in '\\/:*?"<>|' else "_" for c in last).lstrip(".")
    return kept[-100:] or otherwise


DRONE = Kind(
    name="drone",
    about="Tells where on earth things in a drone's video were: from the video, its flight log, and tracks if any.",
    queue="heavy",
    params=DroneParams,
    steps=steps,
)
