"""Reconstruction, as a job: pictures or a video to a scene, and a scene to files."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from sightline import wiring
from sightline.errors import EngineError, FormatError, ReconstructionError, SightlineError
from sightline.executors.local import Stopped, Tell
from sightline.files import whole
from sightline.formats.scenes import Form
from sightline.jobs.footage import is_live, opened
from sightline.jobs.kept import kept
from sightline.jobs.kinds.kind import Kind, Params, Step, Task
from sightline.jobs.kinds.known import KnownParams, told
from sightline.jobs.kinds.track import Source, is_harmless
from sightline.stores.artifacts import artifacts_at

if TYPE_CHECKING:
    from sightline.jobs.album import Album

Kept = Annotated[str, Field(pattern=r"^artifact:([0-9a-f]{32}|[0-9a-f]{64})$")]
"""``artifact:`` and the number of an upload, or the SHA-256 of its content."""

EXPORTING = ("reading the scene", "making files", "keeping files")
"""What the last step tells of itself."""


class FilterParams(Params):
    """What to leave out of the scene that is shown; what was reconstructed keeps all of it."""

    mode: Annotated[str, Field(pattern="^(depth|pointmap)$")] = "depth"
    """Where points come from: each pixel's depth, or the engine's own points."""
    confidence_percentile: Annotated[float, Field(ge=0, le=100)] = 50.0
    """Percentage of the points that are too doubtful to be shown."""
    view: Annotated[int | None, Field(ge=0)] = None
    """The one picture, counted from 0, whose points and camera are shown; null: all."""
    hide_black: bool = False
    """Leave out what is black."""
    hide_white: bool = False
    """Leave out what is white."""
    hide_sky: bool = False
    """Leave out what is sky."""
    show_cameras: bool = True
    """Draw where the pictures were taken."""
    max_points: Annotated[int | None, Field(ge=1)] = None
    """Most points that are shown, drawn by lot; null: ten million."""


class ReconstructParams(Params):
    """What to reconstruct, and how."""

    sources: Annotated[tuple[Kept, ...], Field(max_length=5000)] = ()
    """Uploads of pictures, in their order; or of one video."""
    source: Source | None = None
    """Instead, a video."""
    scene: Kept | None = None
    """A ``predictions.npz`` of before: only files are made of it, nothing is reconstructed again."""
    engine: str = "sfm"
    """Name of a reconstructor."""
    options: Annotated[dict[str, Any], Field(default_factory=dict)]
    """Its options."""
    video_fps: Annotated[float | None, Field(gt=0, le=60)] = None
    """Pictures to take from each second of a video; null: two, or fewer of a long one."""
    max_pictures: Annotated[int, Field(ge=2, le=5000)] = 200
    """Most pictures to take from a video."""
    known: KnownParams = KnownParams()
    """What is known of the pictures beforehand."""
    filters: FilterParams = FilterParams()
    """What to leave out of the scene that is shown."""
    formats: Annotated[tuple[Form, ...], Field(max_length=8)] = ()
    """What to make besides GLB."""
    privacy: Literal["none", "faces", "bodies"] = "none"
    """What is covered of everybody whom a network finds, before anything is made of the pictures; at least what the
    installation wants."""
    mesh: bool = False
    """Lay a surface through the points, too; it takes depth."""

    @model_validator(mode="after")
    def _known(self) -> "ReconstructParams":
        """There is one thing to work on, the engine is there, and no option names a file."""
        if bool(self.sources) == bool(self.source) and (self.sources or self.scene is None):
            raise ValueError("sources: give pictures or one video in 'sources', or a video in 'source'")
        if self.source is not None and is_live(self.source):
            raise ValueError("source: a stream does not end; record a part of it first")
        if self.engine not in wiring.names("reconstructor"):
            there = ", ".join(wiring.names("reconstructor"))
            raise ValueError(f"engine: no reconstructor {self.engine[:64]!r}; there are: {there}")
        for option, value in self.options.items():
            if not is_harmless(value):
                raise ValueError(f"options.{option}: paths are not taken")
        return self


def prepare(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """The step that gathers the pictures, each known to be one.

    Raises:
        SightlineError: there are too few, or the video cannot be read.
        OSError: they cannot be written.
    """
    from sightline.jobs.covering import cover_for  # noqa: PLC0415  (whoever takes jobs in needs no decoder)

    asked = ReconstructParams.model_validate(task.params)
    if not asked.sources and asked.source is None:
        return {}
    cover = cover_for(task.settings, asked.privacy)
    album = _gathered(task, asked, tell, stopped)
    if cover is not None:
        album = cover.album(album, task.folder / "covered", tell, stopped)
    return album.said()


def _gathered(task: Task, asked: ReconstructParams, tell: Tell, stopped: Stopped) -> "Album":
    """The pictures as they were taken."""
    from sightline.jobs.album import of_pictures, of_video  # noqa: PLC0415  (whoever takes jobs in needs no decoder)

    folder = task.folder / "pictures"
    if asked.source is not None:
        with opened(task, tell, stopped) as place:
            return of_video(place.path or Path(), folder, asked.video_fps, asked.max_pictures, tell, stopped)
    files = _brought(task, asked.sources, tell, stopped)
    if len(files) == 1 and not _is_picture(files[0][1]):
        name, path = files[0]
        with _named(path, name):
            return of_video(path, folder, asked.video_fps, asked.max_pictures, tell, stopped)
    return of_pictures(files, asked.engine, tell, stopped)


def reconstruct(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """The step that reconstructs; pictures that make no scene are an outcome, too, with what there is of one.

    Raises:
        SightlineError: the engine or an option is wrong, what is known does not fit, or the engine gave up.
        OSError: the scene cannot be written.
    """
    from sightline.formats.scenes import npz  # noqa: PLC0415
    from sightline.formats.scenes.about import about  # noqa: PLC0415
    from sightline.jobs.album import Album  # noqa: PLC0415
    from sightline.jobs.known import scaled, with_known  # noqa: PLC0415
    from sightline.jobs.scene_files import PREDICTIONS  # noqa: PLC0415
    from sightline.model.scene import Scene  # noqa: PLC0415

    asked = ReconstructParams.model_validate(task.params)
    if asked.scene is not None:
        return {}
    engine = wiring.build("reconstructor", asked.engine, asked.options)
    try:
        with told(asked.known, task.folder / "known") as known:
            taken = with_known(Album.heard(dict(task.earlier["prepare"])), known)
            scene = scaled(engine.reconstruct(taken, tell, stopped), known, taken)
    except ReconstructionError as error:
        if not isinstance(error.scene, Scene):
            raise
        path = task.folder / "partial.npz"
        npz.write(error.scene, path)
        return {"failure": str(error), "artifacts": kept(task, [path], tell, stopped)}
    npz.write(scene, task.folder / PREDICTIONS)
    return {"summary": about(scene)}


def export(task: Task, tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """The step that makes files of the scene.

    Raises:
        SightlineError: there is no scene, no such view, or a kept scene cannot be read.
        OSError: a file cannot be written.
    """
    from sightline.formats.scenes import npz  # noqa: PLC0415
    from sightline.formats.scenes.about import about  # noqa: PLC0415
    from sightline.formats.scenes.filters import Filters, Mode  # noqa: PLC0415
    from sightline.jobs.scene_files import CAMERAS, NAMES, PREDICTIONS, write_cameras, written  # noqa: PLC0415
    from sightline.reconstructors.meshing import meshed  # noqa: PLC0415

    failure = task.earlier["reconstruct"].get("failure")
    if failure is not None:
        raise EngineError(str(failure))
    asked = ReconstructParams.model_validate(task.params)
    filters = Filters(**{**asked.filters.model_dump(), "mode": Mode(asked.filters.mode)})
    with _predictions(task, asked, PREDICTIONS) as predictions:
        tell(EXPORTING[0], 0, None)
        scene = npz.read(predictions)
        if asked.mesh and scene.mesh is None:
            scene = meshed(scene)
        tell(EXPORTING[1], 0, None)
        forms = [form for form in NAMES if form in asked.formats]
        written(scene, filters, forms, task.folder, _pictures(task, scene.views.names))
        write_cameras(scene, task.folder / CAMERAS)
        summary = {
            **about(scene),
            "points": len(scene.dense) or len(scene.sparse),
            "left_out": list(task.earlier["prepare"].get("left_out", ())),
            "pictures": list(scene.views.names),
        }
        paths = [task.folder / name for name in ("scene.glb", CAMERAS, *(NAMES[form] for form in forms))]
        return {"summary": summary, "artifacts": kept(task, [*paths, predictions], tell, stopped)}


@contextmanager
def _predictions(task: Task, asked: ReconstructParams, name: str) -> Iterator[Path]:
    """Where the scene is."""
    if asked.scene is None:
        yield task.folder.with_name("reconstruct") / name
        return
    with artifacts_at(task.settings.artifacts_url()).path(task.files[asked.scene].key) as path:
        here = _linked(path, task.folder / name)
        with _named(here, task.files[asked.scene].name):
            yield here


def _pictures(task: Task, names: tuple[str, ...]) -> Any:
    """Gives the picture of a view; None where the pictures are not there."""
    from sightline.jobs.album import Album, shots  # noqa: PLC0415

    if not task.earlier["prepare"]:
        return None
    by_name = {shot.name: shot.read for shot in shots(Album.heard(dict(task.earlier["prepare"]))).shots}
    return lambda view: by_name[names[view]]()


def _brought(task: Task, sources: tuple[str, ...], tell: Tell, stopped: Stopped) -> list[tuple[str, Path]]:
    """Names and files of the uploads, brought here under numbers; no name is there twice."""
    store = artifacts_at(task.settings.artifacts_url())
    found: dict[str, Path] = {}
    for number, source in enumerate(sources):
        if stopped():
            break
        tell("fetching pictures", number, len(sources))
        file = task.files[source]
        with store.path(file.key) as path:
            place = _linked(path, task.folder / "pictures" / f"{number:05d}")
        found[_unlike(file.name, found)] = place
    return list(found.items())


def _unlike(name: str, others: dict[str, Path]) -> str:
    """The name, safe for any folder, and with a number behind it where others have it."""
    last = "".join(c if c.isprintable() and c not in '\\/:*?"<>|' else "_" for c in PurePosixPath(name).name)
    path = PurePosixPath(last.lstrip(".") or "picture")
    number, unlike = 1, str(path)
    while unlike in others:
        number += 1
        unlike = f"{path.stem}-{number}{path.suffix}"
    return unlike


def _linked(path: Path, place: Path) -> Path:
    """The kept file under another name, without a copy where that can be."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, place)
    except OSError:  # another file system, or one without links
        with whole(place) as meantime:
            shutil.copyfile(path, meantime)
    return place


def _is_picture(path: Path) -> bool:
    from sightline.formats.picture import look  # noqa: PLC0415

    try:
        look(path, "")
    except FormatError:
        return False
    return True


@contextmanager
def _named(path: Path, shown: str) -> Iterator[None]:
    """Errors raised inside tell no path of this machine."""
    try:
        yield
    except SightlineError as error:
        if str(path) not in str(error):
            raise
        raise type(error)(str(error).replace(str(path), shown)) from None


_PASSES: tuple[dict[str, float], ...] = (
    {
        "features": 15.0,
        "glancing": 2.0,
        "matching": 25.0,
        "verifying": 6.0,
        "mapping": 4.0,
        "straightening": 3.0,
        "depth": 40.0,
        "refining": 20.0,
        "agreeing": 3.0,
    },
    {"loading weights": 5.0, "reading pictures": 5.0, "looking": 90.0},
)
"""Of ``sfm``, measured on 25 pictures, and of networks. Another engine's passes count as one, the first."""

RECONSTRUCT = Kind(
    name="reconstruct",
    about="Rebuilds a scene from pictures or a video; gives cameras, depth and points as GLB, NPZ and more.",
    queue="heavy",
    params=ReconstructParams,
    steps=(
        Step(name="prepare", shown="gathering pictures", share=0.1, work=prepare),
        Step(name="reconstruct", shown="reconstructing", share=0.8, work=reconstruct, passes=_PASSES),
        Step(name="export", shown=EXPORTING[1], share=0.1, work=export),
    ),
)
"""Steps are known to the run server, which calls them uploading, processing and fetching."""
