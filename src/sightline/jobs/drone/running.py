"""A drone's video to places: what was asked, doing it step by step, and what came of it."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sightline import __version__, wiring
from sightline.errors import EngineError, FormatError, OptionError
from sightline.executors.local import Stopped, Tell
from sightline.files import whole
from sightline.formats import elevation, places
from sightline.formats.parquet import Parquet
from sightline.formats.scenes import npz
from sightline.jobs.drone import motion
from sightline.jobs.drone.options import ANSWER, DroneOptions
from sightline.jobs.drone.reading import Given, clip_of, flight_of, lens_for, tracks_of
from sightline.jobs.drone.telling import answer_of, story_of, told_depth
from sightline.locators.depth import Depth
from sightline.locators.syncing import synced
from sightline.model.frame import Footage, Moment
from sightline.model.lens import Lens
from sightline.model.tracks import Tracks
from sightline.pipeline.drone import Aim, Clip, Placed, Wishes, aimed, later, placed
from sightline.pipeline.drone_tracks import tracked
from sightline.pipeline.track import steadied

STORY, TRACKS, MOTION = "run.json", "tracks.parquet", "motion.npz"
"""Names of the files that are written."""
_NUMBERED = re.compile(r"frame_(\d+)")
_LOOK_FPS = 10.0
"""Pictures per second that are enough to see how the camera moved, and to follow what is on the ground."""
_FINER = {("stabilizer", "flow"): {"side_px": 960, "rest_px": 0.0}}
"""Options that suit the view from above: coarser, half of what seems to move does not; and what flies never rests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DroneJob:
    """What was asked for."""

    video: Path
    """The video."""
    folder: Path
    """Where results go."""
    log: Path
    """The flight's log; the video itself where it holds telemetry."""
    log_kind: str | None = None
    """Name of the engine that reads it; None: what the file itself tells."""
    tracks: Path | None = None
    """Tracks of the video; None: it is watched."""
    options: DroneOptions = field(default_factory=DroneOptions)
    """How places are found."""
    elevations: Path | None = None
    """An elevation model, GeoTIFF in degrees."""
    photo: Path | None = None
    """A photo of the same camera, for its focal length."""
    scene: Path | None = None
    """``predictions.npz`` of a reconstruction of the video, to place things by their depth."""
    exports: tuple[str, ...] = ("csv",)
    """What else to write: endings of ``formats.places``."""
    engines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By kind of engine (detector, tracker, stabilizer), its ``name`` and options, for a video that is watched."""
    name: str = ""
    """What to call it; unsaid, as the video."""

    @property
    def is_to_watch(self) -> bool:
        """Whether pictures have to be looked at."""
        return self.tracks is None or self.options.time_offset == "auto"


@dataclass(frozen=True, slots=True, eq=False)
class DroneResult:
    """What came of it."""

    placed: Placed
    """The places."""
    aim: Aim
    """The camera."""
    tracks: Tracks
    """What was placed, boxes as they came."""
    story: dict[str, Any]
    """How the places came about, in words and numbers."""
    files: tuple[Path, ...]
    """What was written."""


def run(job: DroneJob, tell: Tell, stopped: Stopped) -> DroneResult:
    """Does all of it.

    Raises:
        SightlineError: something given cannot be read, does not fit the rest, or an option makes no sense.
        EngineError: it was stopped.
        OSError: a result cannot be written.
    """
    if job.is_to_watch:
        first_look(job)
        watch(job, job.folder, tell, stopped)
    return place(job, job.folder, tell, stopped)


def first_look(job: DroneJob) -> None:
    """Finds out what is wrong with the log and the options before hours are spent on the video.

    Raises:
        SightlineError: something is.
    """
    clip, _ = clip_of(job.video)
    flight = flight_of(job.log, job.options, job.log_kind)
    lens, how, _ = lens_for(clip, flight, job.options, job.photo)
    aimed(flight, clip, lens, job.options.wishes(elevations=None, is_lens_known=how != "assumed"))


def watch(job: DroneJob, folder: Path, tell: Tell, stopped: Stopped) -> None:
    """Looks at the pictures: how the camera moved, and unless there are tracks, who was where; into ``folder``.

    Raises:
        SightlineError: the video cannot be read, or an engine or option is wrong.
        EngineError: it was stopped.
        OSError: a result cannot be written.
    """
    stabilizer = _engine(job, "stabilizer", "flow")
    if job.tracks is not None:
        moments = _moved(job, stabilizer, tell, stopped)
    else:
        source = wiring.build("source", "video", {"path": job.video, **_fps(job)})
        detector, tracker = _engine(job, "detector", "aerial"), _engine(job, "tracker", "botsort")
        seen = tracked(source, detector, tracker, stabilizer, tell=tell, stopped=stopped)
        moments = seen.moments
        if not stopped():
            Parquet().write(seen.tracks, folder / TRACKS)
    if stopped():
        raise EngineError("stopped before it was done")
    motion.write(moments, folder / MOTION)


def _fps(job: DroneJob) -> dict[str, float]:
    """How many pictures per second are watched: as asked for, but not too few to see the camera and things move."""
    fps = job.options.tracking_fps or job.options.fps
    return {"fps": max(fps or 0.0, _LOOK_FPS)}


def _engine(job: DroneJob, kind: str, otherwise: str) -> Any:
    """The engine that was asked for."""
    given = dict(job.engines.get(kind, {}))
    name = given.pop("name", otherwise)
    return wiring.build(kind, name, {**_FINER.get((kind, name), {}), **given})


def _moved(job: DroneJob, stabilizer: Any, tell: Tell, stopped: Stopped) -> tuple[Moment, ...]:
    """How the camera moved, at a few pictures per second."""
    source = wiring.build("source", "video", {"path": job.video, "fps": _LOOK_FPS})
    total, moments = source.about().n_frames, []
    for frame in steadied(source.frames(), stabilizer):
        moments.append(frame.moment)
        tell("looking at the camera's motion", len(moments), total)
        if stopped():
            break
    return tuple(moments)


def place(job: DroneJob, watched: Path, tell: Tell, stopped: Stopped) -> DroneResult:
    """Places what was tracked; ``watched`` is the folder with what came of ``watch``.

    Raises:
        SightlineError: something given cannot be read, does not fit the rest, or an option makes no sense.
        EngineError: it was stopped.
        OSError: a result cannot be written.
    """
    step = "placing"
    tell(step, 0, 4)
    clip, about = clip_of(job.video)
    flight = flight_of(job.log, job.options, job.log_kind)
    lens, how, said = lens_for(clip, flight, job.options, job.photo)
    given = _given(job, clip, about, watched)
    tell(step, 1, 4)
    shape = None if job.elevations is None else elevation.read(job.elevations)
    wishes = job.options.wishes(elevations=shape, is_lens_known=how != "assumed")
    aim = aimed(flight, clip, lens, wishes)
    if job.options.time_offset == "auto":
        wishes, more = _later(aim, lens, wishes, watched, job.options)
        aim, said = aimed(flight, clip, lens, wishes), (*said, more)
    tell(step, 2, 4)
    deep = None if job.scene is None else _deep(job.scene, aim, about)
    found = placed(aim, given.tracks, wishes, None if deep is None else deep.locate(given.tracks))
    if stopped():
        raise EngineError("stopped before it was done")
    tell(step, 3, 4)
    story = story_of(job.options, clip, aim, given, found, wishes) | {"lens_from": how}
    if deep is not None and found.agreed is not None:
        story["depth"] = told_depth(deep.size, found.agreed)
        said = (*said, *deep.size.warnings)
    story["warnings"] = list(
        dict.fromkeys((*_ignored(job.options), *aim.flight.warnings, *aim.warnings, *said, *given.warnings))
    )
    files = _written(job, clip, aim, given, found, story)
    tell(step, 4, 4)
    return DroneResult(found, aim, given.told, story, tuple(files))


def _ignored(options: DroneOptions) -> tuple[str, ...]:
    """What is to be said of parameters that nothing here takes."""
    return (f"parameters that are not known here, left out: {', '.join(options.ignored)}",) if options.ignored else ()


def _later(aim: Aim, lens: Lens, wishes: Wishes, watched: Path, options: DroneOptions) -> tuple[Wishes, str]:
    """The wishes with the offset that the pictures tell."""
    moments = motion.read(watched / MOTION)
    return later(wishes, synced(aim.ground, lens, moments, options.ground_m))


def _deep(path: Path, aim: Aim, about: Footage) -> Depth:
    """Places by the depth maps of a scene, whose views are named by their pictures' numbers.

    Raises:
        FormatError: the file is no scene, or its views are no pictures of a video.
        OptionError: there is no depth, or nothing tells how long its unit is.
    """
    scene = npz.read(path)
    numbers = [_NUMBERED.search(name) for name in scene.views.names]
    if about.fps is None or not all(numbers):
        raise FormatError(f"{path}: its views are not named frame_NUMBER, so when they were taken is not known")
    t_s = np.array([int(number[1]) / about.fps for number in numbers if number])
    return Depth(scene=scene, t_s=t_s, over=aim.ground, near_s=0.55 / about.fps)


def _given(job: DroneJob, clip: Clip, about: Footage, watched: Path) -> Given:
    """The tracks, brought or seen."""
    if job.tracks is not None:
        return tracks_of(job.tracks, job.options, clip, about.fps)
    tracks = Parquet().read(watched / TRACKS)
    if not len(tracks):
        raise EngineError("nothing was found in the video that moves or is known; try another detector")
    return Given(tracks, tracks, (clip.width, clip.height))


def _written(job: DroneJob, clip: Clip, aim: Aim, given: Given, found: Placed, story: dict[str, Any]) -> Iterable[Path]:
    """All files."""
    from sightline.formats import drone_answer  # noqa: PLC0415

    files = [job.folder / ANSWER]
    drone_answer.write(answer_of(job.options, clip, aim, given, found, story), files[0])
    about = _about(job, aim, given, story)
    for ending in job.exports:
        files.append(job.folder / f"positions.{ending}")
        places.write(files[-1], found.positions, about)
    files.append(job.folder / STORY)
    with whole(files[-1]) as path:
        record = {"sightline": __version__, "options": job.options.model_dump(mode="json"), **story}
        path.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return files


def _about(job: DroneJob, aim: Aim, given: Given, story: dict[str, Any]) -> places.About:
    """What must be known beside positions to write them down."""
    utc = aim.flight.utc_ns
    return places.About(
        name=job.name or job.video.stem,
        utc_ns=None if utc is None else utc + round(aim.alignment.log_from_video_s * 1e9),
        height_is=places.height_of(aim.flight),
        classes=given.tracks.classes,
        label=given.tracks.label,
        flight=aim.flight,
        log_from_video_s=aim.alignment.log_from_video_s,
        warnings=tuple(story["warnings"]),
    )


def checked(exports: Iterable[str]) -> tuple[str, ...]:
    """Names of exports, each known.

    Raises:
        OptionError: one is not; lists those there are.
    """
    wanted = tuple(dict.fromkeys(exports))
    for name in wanted:
        if name not in places.ENDINGS:
            raise OptionError(f"export: no format {name[:40]!r}; there are: {', '.join(places.ENDINGS)}")
    return wanted
