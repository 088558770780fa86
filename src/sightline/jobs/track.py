"""One video to tracks: what was asked, doing it, and what came of it."""

import inspect
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import numpy as np

from sightline import __version__, weights, wiring
from sightline.errors import SightlineError
from sightline.executors.local import Stopped, Tell
from sightline.files import whole
from sightline.formats.annotated_video import AnnotatedVideo
from sightline.formats.privacy import Privacy
from sightline.model.arrays import Boxes
from sightline.model.frame import Footage
from sightline.model.tracks import Tracks
from sightline.pipeline.track import Gathered, Sight, track
from sightline.ports import Source
from sightline.sources.stream import without_secrets
from sightline.trackers.offline import refined

SUFFIXES = {"mot": ".txt", "csv": ".csv", "parquet": ".parquet", "coco": ".coco.json", "tracking_json": ".json"}
"""File endings of the formats; others' formats end in their own name."""


@dataclass(frozen=True, slots=True)
class TrackJob:
    """What was asked for."""

    source: str
    """A video file, a folder or glob of images, or a stream's URL."""
    folder: Path
    """Where results go."""
    detector: str = "motion"
    """Name of a detector."""
    tracker: str = "botsort"
    """Name of a tracker."""
    stabilizer: str | None = "flow"
    """Name of a stabilizer; None: the camera is known to be at rest."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By kind of engine, its options."""
    formats: tuple[str, ...] = ("mot", "csv")
    """Names of the formats to write."""
    refine: bool | None = None
    """Whether to link and fill tracks afterwards; None: for recordings yes, for streams no."""
    draw: bool = True
    """Whether to write the annotated video."""
    batch: int = 1
    """Pictures given to the detector at a time."""
    privacy: Privacy = "none"
    """What the annotated video hides of everybody who was detected."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackResult:
    """What came of it."""

    tracks: Tracks
    """All of them."""
    footage: Footage
    """What was read."""
    n_frames: int
    """Pictures read."""
    n_lost: int
    """Pictures that could not be decoded."""
    n_detections: int
    """Boxes the detector gave."""
    cpu_s: float
    """Processor seconds of reading, detecting and tracking."""
    wall_s: float
    """Seconds of the same by the clock."""
    complete: bool
    """False when stopped or broken off before the end."""
    files: tuple[Path, ...]
    """What was written."""
    failure: str | None = None
    """Why it broke off."""

    def summary(self) -> dict[str, Any]:
        """The result in numbers, for people and machines."""
        return {
            "camera": self.tracks.camera,
            "frames": self.n_frames,
            "frames_lost": self.n_lost,
            "detections": self.n_detections,
            "tracks": len(np.unique(self.tracks.number)),
            "rows": len(self.tracks),
            "seconds": round(self.wall_s, 3),
            "cpu_seconds": round(self.cpu_s, 3),
            "frames_per_second": round(self.n_frames / max(self.wall_s, 1e-9), 2),
            "complete": self.complete,
            "failure": self.failure,
            "files": [str(path) for path in self.files],
        }


def run(job: TrackJob, tell: Tell, stopped: Stopped) -> TrackResult:
    """Does the job. When ``stopped`` turns true, or the source breaks off, what is done so far is kept.

    Raises:
        SightlineError: the source gave nothing at all, or an engine or option is wrong.
        OSError: a result cannot be written; none is left half written.
    """
    live = wiring.source_name(job.source) == "stream"
    source = _source(job)
    linking = wiring.check("offline", _LINKING, job.options.get("offline", {}))
    footage = source.about()  # asked once: a stream would connect again
    seen = _Seen(Gathered(footage.name))
    with _video(job) if job.draw and live else nullcontext() as drawing:

        def show(sight: Sight) -> None:
            if drawing:
                drawing.add(sight.frame, sight.tracks, sight.found.xyxy_px)
            elif job.draw and job.privacy != "none":
                seen.boxes.append(sight.found.xyxy_px)

        _watch(_sights(job, source), seen, show, lambda done: tell("tracking", done, footage.n_frames), stopped)
        seen.lost = source.n_lost()
    tracks = seen.tracks.all()
    if job.refine or (job.refine is None and not live):
        tracks = refined(tracks, **linking)
    files = [_write(job, name, tracks, footage) for name in job.formats]
    if job.draw and live:
        files.append(job.folder / "annotated.mp4")
    if job.draw and not live and not stopped():
        files.append(_draw(job, tracks, seen, tell, stopped))
    result = TrackResult(
        tracks=tracks,
        footage=footage,
        n_frames=seen.frames,
        n_lost=seen.lost,
        n_detections=seen.detections,
        cpu_s=seen.cpu_s,
        wall_s=seen.wall_s,
        complete=seen.complete,
        files=tuple(files),
        failure=seen.failure,
    )
    _record(job, result)
    return result


@dataclass(slots=True)
class _Seen:
    """What watching the source has come to so far."""

    tracks: Gathered
    frames: int = 0
    lost: int = 0
    detections: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    complete: bool = False
    failure: str | None = None
    boxes: list[Boxes] = field(default_factory=list)


_LINKING = dict(inspect.signature(refined, eval_str=True).parameters)
del _LINKING["tracks"]  # the rest is what the offline stage may be told


def _source(job: TrackJob) -> Source:
    """The source that was asked for, found by what its name looks like."""
    return wiring.build("source", wiring.source_name(job.source), _given(job, "source"))


def _sights(job: TrackJob, source: Source) -> Iterator[Sight]:
    """The recipe, its engines built from their names."""

    def built(kind: str, name: str) -> Any:
        return wiring.build(kind, name, _given(job, kind))

    stabilizer = built("stabilizer", job.stabilizer) if job.stabilizer else None
    return track(source, built("detector", job.detector), built("tracker", job.tracker), stabilizer, batch=job.batch)


def _watch(
    sights: Iterator[Sight],
    seen: _Seen,
    show: Callable[[Sight], None],
    tell: Callable[[int], None],
    stopped: Stopped,
) -> None:
    """Takes what comes to its end, or until ``stopped`` or broken off, and keeps what was seen.

    Raises:
        SightlineError: it broke off before the first picture.
    """
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    try:
        for sight in sights:
            seen.tracks.add(sight.tracks)
            seen.frames += 1
            seen.detections += len(sight.found)
            show(sight)
            tell(seen.frames)
            if stopped():
                break
        else:
            seen.complete = True
    except SightlineError as error:
        if not seen.frames:
            raise
        seen.failure = str(error)
    seen.cpu_s = time.process_time() - began_cpu_s
    seen.wall_s = time.monotonic() - began_s


def _draw(job: TrackJob, tracks: Tracks, seen: _Seen, tell: Tell, stopped: Stopped) -> Path:
    """Writes the annotated video by reading the source once more, now that tracks are final."""
    frames = islice(_source(job).frames(), seen.frames)
    with _video(job) as video:
        for done, frame in enumerate(takewhile(lambda _: not stopped(), frames), 1):
            first, last = np.searchsorted(tracks.frame_index, [frame.moment.index, frame.moment.index + 1])
            video.add(frame, tracks.rows(slice(first, last)), seen.boxes[done - 1] if seen.boxes else None)
            tell("drawing", done, seen.frames)
    return job.folder / "annotated.mp4"


def _video(job: TrackJob) -> AnnotatedVideo:
    return AnnotatedVideo(job.folder / "annotated.mp4", privacy=job.privacy)


def _write(job: TrackJob, name: str, tracks: Tracks, footage: Footage) -> Path:
    """Writes the tracks in one format, which is told of the footage what it has a place for."""
    path = job.folder / f"tracks{SUFFIXES.get(name, f'.{name}')}"
    known = {"width": footage.width, "height": footage.height, "fps": footage.fps}
    told = {option: known[option] for option in wiring.options("format", name) if known.get(option) is not None}
    wiring.build("format", name, {**told, **job.options.get("format", {})}).write(tracks, path)
    return path


def _record(job: TrackJob, result: TrackResult) -> None:
    """Writes ``run.json``: what was asked, which engines ran with which options, and what came of it."""
    ran = {"source": wiring.source_name(job.source), "detector": job.detector, "tracker": job.tracker}
    if job.stabilizer:
        ran["stabilizer"] = job.stabilizer
    record = {
        "sightline": __version__,
        "source": _shown(job.source),
        "footage": {name: getattr(result.footage, name) for name in result.footage.__slots__},
        "engines": {kind: {"name": name, "options": _settled(job, kind, name)} for kind, name in ran.items()},
        "weights": _weights(job),
        "privacy": job.privacy,
        "result": result.summary(),
    }
    with whole(job.folder / "run.json") as path:
        path.write_text(json.dumps(record, indent=2, default=str) + "\n", encoding="utf-8")


def _settled(job: TrackJob, kind: str, name: str) -> dict[str, Any]:
    """The options an engine ran with: its own, and above them those that were given."""
    known = wiring.options(kind, name)
    own = {option: p.default for option, p in known.items() if p.default is not p.empty}
    settled = own | wiring.check(f"{kind} {name}", known, _given(job, kind))
    return {option: _shown(value) if option == "url" else value for option, value in settled.items()}


def _shown(source: str) -> str:
    """The source as it may be written down: a camera's password is nobody's business."""
    return without_secrets(source) if wiring.source_name(source) == "stream" else source


def _given(job: TrackJob, kind: str) -> dict[str, Any]:
    """The options that were given to a kind of engine; a source is also given what it reads."""
    given = dict(job.options.get(kind, {}))
    if kind != "source":
        return given
    key = {"video": "path", "images": "pattern", "stream": "url"}[wiring.source_name(job.source)]
    return {key: job.source.removeprefix("file://"), **given}


def _weights(job: TrackJob) -> dict[str, Any] | None:
    """Which weights the detector ran with, and whose they are; None for one without."""
    name = job.options.get("detector", {}).get("weights")
    if name is None:
        return None
    path = weights.find(name).path
    card = weights.on_shelf().get(name)
    return {"name": name, "sha256": weights.sha256_of(path), "licence": card.licence if card else "unknown"}
