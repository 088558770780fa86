"""Reconstruction on this machine, now: pictures, a video, or a scene of before, to files in a folder."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from sightline import wiring
from sightline.errors import EngineError, ReconstructionError, SightlineError, SourceError
from sightline.executors.local import Stopped, Tell
from sightline.formats.scenes import Form, npz
from sightline.formats.scenes.about import about
from sightline.formats.scenes.filters import Filters
from sightline.jobs.album import Album, of_pictures, of_video, shots
from sightline.jobs.known import Known, scaled, with_known
from sightline.jobs.scene_files import CAMERAS, NAMES, PREDICTIONS, SCENE, Pictures, write_cameras, written
from sightline.model.artifact import Artifact
from sightline.model.job import Job, JobState
from sightline.model.scene import Scene
from sightline.reconstructors.meshing import meshed
from sightline.settings import Settings
from sightline.stores.artifacts import artifacts_at
from sightline.stores.sql.artifacts import ArtifactRecords
from sightline.stores.sql.database import database_at
from sightline.stores.sql.jobs import Jobs
from sightline.stores.sql.users import Users

_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp", ".avif", ".gif", ".heic", ".heif"})
PARTIAL = "partial.npz"
"""What there is of a scene where pictures do not make one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildJob:
    """What to rebuild, and how."""

    sources: tuple[Path, ...]
    """Pictures and folders of them, or one video, or one ``predictions.npz``."""
    folder: Path
    """Where files go."""
    engine: str = "sfm"
    """Name of the reconstructor."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Its options."""
    fps: float | None = None
    """Most pictures to take from each second of a video."""
    max_pictures: int = 200
    """Most pictures to take from a video."""
    filters: Filters = field(default_factory=Filters)
    """What to leave out of the scene that is shown."""
    forms: tuple[Form, ...] = ()
    """What to make besides GLB and NPZ."""
    mesh: bool = False
    """Whether to lay a surface through the points."""
    known: Known = field(default_factory=Known)
    """What is known of the pictures beforehand."""


def run(job: RebuildJob, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """Does it; what came of it, as JSON can say it. Files appear all at once, or not at all.

    Raises:
        ReconstructionError: the pictures make no scene; what there is of one is in the folder.
        SightlineError: a source cannot be read, or an engine or option is wrong.
        OSError: a file cannot be written.
    """
    began_s = time.monotonic()
    kept = _kept(job.sources)
    album = None if kept else _gathered(job, tell, stopped)
    scene = npz.read(kept) if kept else _rebuilt(job, album or Album((), is_sequence=False), tell, stopped)
    if job.mesh and scene.mesh is None:
        tell("making a surface", 0, None)
        scene = meshed(scene)
    tell("making files", 0, None)
    names = [SCENE, PREDICTIONS, CAMERAS, *(NAMES[form] for form in job.forms)]
    with _together(job.folder, () if kept else (*NAMES.values(), PARTIAL)) as meantime:
        predictions = job.folder / PREDICTIONS
        if kept is None or not predictions.exists() or not predictions.samefile(kept):
            npz.write(scene, meantime / PREDICTIONS)
        written(scene, job.filters, job.forms, meantime, None if album is None else _pictures(album))
        write_cameras(scene, meantime / CAMERAS)
    placed = scene.views.is_registered
    return {
        **about(scene),
        "unplaced": [name for name, is_placed in zip(scene.views.names, placed, strict=True) if not is_placed],
        "points": len(scene.dense) or len(scene.sparse),
        "left_out": list(album.left_out) if album else [],
        "seconds": round(time.monotonic() - began_s, 3),
        "files": [str(job.folder / name) for name in names],
    }


@contextmanager
def earlier_told(files: Iterable[Path]) -> Iterator[None]:
    """Errors raised inside say which of these files is there, of an earlier run: else it would be taken for this one's.

    Raises:
        SightlineError, OSError: what was raised inside, with that.
    """
    try:
        yield
    except (SightlineError, OSError) as error:
        older = next((path for path in files if path.is_file()), None)
        if older is None:
            raise
        told = f"{older} is of an earlier run"
        if isinstance(error, SightlineError):
            raise type(error)(f"{error}; {told}") from None
        raise OSError(error.errno, f"{error.strerror}; {told}", error.filename) from None


@contextmanager
def _together(folder: Path, stale: Iterable[str]) -> Iterator[Path]:
    """A folder inside ``folder`` to write to: on success all files in it go to ``folder``, on any failure none does.

    Files of the names in ``stale`` that are not among them are removed: they are of a scene that is no more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".meantime-") as inside:
        yield Path(inside)
        made = sorted(Path(inside).iterdir())
        for name in set(stale) - {path.name for path in made}:
            (folder / name).unlink(missing_ok=True)
        for path in made:
            path.replace(folder / path.name)


def save(settings: Settings, glb: Path, name: str, owner: str) -> str:
    """Keeps a GLB as if a job of the user's had made it; the hash by which clients of the TCP service find it.

    ``owner`` is a name, or the number that ``sightline users list`` shows.

    Raises:
        UnknownError: there is no such user.
        StoreError: it cannot be kept.
    """
    engine = database_at(settings.database_url())
    try:
        owner = Users(engine).known_as(owner).name
        stored = artifacts_at(settings.artifacts_url()).put(glb)
        now_s = time.time()
        done = Job(id=uuid4().hex, kind="reconstruct", owner=owner, state=JobState.COMPLETED, step="done")
        done = replace(done, started_utc_s=now_s, finished_utc_s=now_s)
        file = Artifact(
            id=uuid4().hex,
            key=stored.key,
            name=f"{Path(name).name.removesuffix('.glb')}.glb",
            media_type="model/gltf-binary",
            n_bytes=stored.n_bytes,
            owner=owner,
            job_id=Jobs(engine).add(done).id,
        )
        return ArtifactRecords(engine).add(file).key
    finally:
        engine.dispose()


def _kept(sources: Sequence[Path]) -> Path | None:
    """The scene of before, if that is what is given: the file, or a folder that results went to."""
    if len(sources) != 1:
        return None
    inside = sources[0] / PREDICTIONS
    if sources[0].is_dir() and inside.is_file() and not _images_in(sources[0]):
        return inside
    return sources[0] if sources[0].suffix.lower() == ".npz" else None


def _gathered(job: RebuildJob, tell: Tell, stopped: Stopped) -> Album:
    """The pictures.

    Raises:
        SourceError: a source is not there, or there are too few pictures.
    """
    if len(job.sources) == 1 and job.sources[0].is_file() and job.sources[0].suffix.lower() not in _SUFFIXES:
        return of_video(job.sources[0], job.folder / "pictures", job.fps, job.max_pictures, tell, stopped)
    files: list[Path] = []
    for source in job.sources:
        if not source.exists():
            raise SourceError(f"{source}: no such file or folder")
        files += _images_in(source) if source.is_dir() else [source]
    names = {path: path.name for path in files}
    if len(set(names.values())) < len(names):  # of several folders: told apart by the folders' names
        names = {path: f"{path.parent.name}/{path.name}" for path in files}
    return of_pictures([(names[path], path) for path in dict.fromkeys(files)], job.engine, tell, stopped)


def _images_in(folder: Path) -> list[Path]:
    """Pictures in a folder, 2 before 10."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file()]

    def natural(path: Path) -> list[tuple[int, str]]:
        parts = re.split(r"(\d+)", path.name)
        return [(int(part), "") if part.isdigit() else (-1, part.lower()) for part in parts]

    return sorted(found, key=natural)


def _rebuilt(job: RebuildJob, album: Album, tell: Tell, stopped: Stopped) -> Scene:
    """The scene.

    Raises:
        ReconstructionError: the pictures make none; what there is of one is in the folder.
        EngineError: stopped.
        FormatError, OptionError: what is said to be known of the pictures makes no sense, or not for them.
    """
    if stopped():
        raise EngineError("stopped before there was a scene")
    taken = with_known(album, job.known)
    try:
        scene: Scene = wiring.build("reconstructor", job.engine, job.options).reconstruct(taken, tell, stopped)
    except ReconstructionError as error:
        if not isinstance(error.scene, Scene):
            raise
        npz.write(error.scene, job.folder / PARTIAL)
        raise ReconstructionError(f"{error}; what there is of a scene is in {job.folder / PARTIAL}") from None
    if job.known.marker_side_m is not None:
        tell("looking for markers", 0, None)
    return scaled(scene, job.known, taken)


def _pictures(album: Album) -> Pictures:
    """Gives the picture of a view."""
    taken = shots(album).shots
    return lambda view: taken[view].read()
