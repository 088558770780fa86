"""``sightline reconstruct``: pictures or a video to a scene."""

import logging
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from sightline import wiring
from sightline.cli.console import Meter, err, out, print_json, progress, stopping, tell_lines
from sightline.cli.track import parsed
from sightline.errors import EngineError, OptionError, SourceError

if TYPE_CHECKING:
    from sightline.formats.scenes.filters import Mode
    from sightline.jobs.rebuild import RebuildJob

EXAMPLES = """
[bold]Examples[/bold]

    sightline reconstruct photos/                                   to photos-scene/scene.glb and more

    sightline reconstruct a.jpg b.jpg c.jpg -o scene --format colmap

    sightline reconstruct photos/ --distance a.jpg b.jpg 2.5        in metres; see also --marker-size, --positions

    sightline reconstruct walk.mp4 --fps 2 --mask-sky --show-cam

    sightline reconstruct photos-scene/ --conf-thres 50             the same scene shown in another way, at once
"""
_FORMS = ("ply", "colmap", "nerfstudio")
_Sources = Annotated[
    list[Path] | None,
    typer.Argument(metavar="SOURCE...", help="Images, folders of them, one video, or results of before."),
]
_Output = Annotated[
    Path | None, typer.Option("-o", "--out", "--output", help="Folder, or a .glb file (default: NAME-scene)")
]
_ImagesDir = Annotated[Path | None, typer.Option("--images-dir", "--images_dir", help="The same as SOURCE.")]
_VideoPath = Annotated[Path | None, typer.Option("--video-path", "--video_path", help="The same as SOURCE.")]
_Engine = Annotated[str, typer.Option(help=f"Engine: {', '.join(wiring.names('reconstructor'))}.")]
_Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="reconstructor.OPTION=VALUE", help="Any option of the engine; repeat as needed."),
]
_Conf = Annotated[
    float,
    typer.Option("--conf-thres", "--conf_thres", min=0, max=100, help="Leave out so many percent: the most doubtful."),
]
_Frame = Annotated[
    str, typer.Option("--frame-filter", "--frame_filter", help="Show only this picture's points: its number from 0.")
]
_Black = Annotated[bool, typer.Option("--mask-black-bg", "--mask_black_bg", help="Leave out what is black.")]
_White = Annotated[bool, typer.Option("--mask-white-bg", "--mask_white_bg", help="Leave out what is white.")]
_Sky = Annotated[bool, typer.Option("--mask-sky", "--mask_sky", help="Leave out what is sky.")]
_Cameras = Annotated[bool, typer.Option("--show-cam", "--show_cam", help="Draw where the pictures were taken.")]
_Points = Annotated[
    int | None,
    typer.Option("--max-points", min=1, help="Show so many points at most, drawn by lot (default: 10 million)"),
]
_Mode = Annotated[
    str,
    typer.Option(
        "--prediction-mode", "--prediction_mode", help="Points from: 'Depthmap and Camera', or a 'Pointmap' if any."
    ),
]
_Fps = Annotated[
    float | None, typer.Option(min=0.001, max=60, help="Most pictures per second of a video (default: as it moves)")
]
_Most = Annotated[int, typer.Option(min=2, help="Most pictures of a video.")]
_Format = Annotated[
    list[str] | None, typer.Option("--format", help=f"Make these, too: {', '.join(_FORMS)}, all; repeat for more.")
]
_WorkDir = Annotated[
    Path | None, typer.Option("--work-dir", "--work_dir", help="Where all else goes if --out is a .glb file.")
]
_Checkpoint = Annotated[
    str | None,
    typer.Option("--weights", "--checkpoint", help="For engines that have any: a name from models list, or a file."),
]
_Save = Annotated[
    bool,
    typer.Option(
        "--save-to-db", "--save_to_db", help="Keep the GLB where clients of [bold]sightline tcp[/bold] find it."
    ),
]
_User = Annotated[
    str | None, typer.Option("--user-id", "--user_id", help="With --save-to-db: whose it is, by name or number.")
]
_Name = Annotated[
    str | None, typer.Option("--original-name", "--original_name", help="With --save-to-db: what it is called.")
]
_Data = Annotated[Path | None, typer.Option("--data", help="With --save-to-db: folder for everything that is kept.")]
_Config = Annotated[Path | None, typer.Option("--config", help="With --save-to-db: TOML file of settings.")]
_Lens = Annotated[
    str | None,
    typer.Option(
        metavar="'MODEL WIDTH HEIGHT NUMBERS'", help="The calibrated lens, as a line of COLMAP's cameras.txt has it."
    ),
]
_Poses = Annotated[
    Path | None,
    typer.Option(help="Where the cameras stood, and their lenses: a COLMAP model's folder, or a transforms.json."),
]
_Positions = Annotated[
    Path | None, typer.Option(help="CSV of where pictures were taken: image,x,y,z or image,latitude,longitude,height.")
]
_Distance = Annotated[
    tuple[str, str, float] | None,
    typer.Option(metavar="IMAGE IMAGE METRES", help="How far apart two pictures were taken."),
]
_Marker = Annotated[
    float | None,
    typer.Option("--marker-size", metavar="METRES", help="Side of the ArUco or AprilTag markers in the scene."),
]
_Quality = Annotated[
    str | None,
    typer.Option(help="How fine depth is, with sfm: sparse (none), draft, normal or high (default: draft)"),
]
_Minutes = Annotated[
    float | None,
    typer.Option(min=0.1, help="With sfm, instead of --quality: depth as fine as there is time for."),
]
_Mesh = Annotated[bool, typer.Option("--mesh", help="Lay a surface through the points, too.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def reconstruct(
    sources: _Sources = None,
    output: _Output = None,
    images_dir: _ImagesDir = None,
    video_path: _VideoPath = None,
    engine: _Engine = "sfm",
    settings: _Set = None,
    conf_thres: _Conf = 3.0,
    frame_filter: _Frame = "All",
    mask_black_bg: _Black = False,
    mask_white_bg: _White = False,
    mask_sky: _Sky = False,
    show_cam: _Cameras = False,
    max_points: _Points = None,
    prediction_mode: _Mode = "Pointmap Regression",
    fps: _Fps = None,
    max_pictures: _Most = 200,
    formats: _Format = None,
    work_dir: _WorkDir = None,
    checkpoint: _Checkpoint = None,
    save_to_db: _Save = False,
    user_id: _User = None,
    original_name: _Name = None,
    data: _Data = None,
    config: _Config = None,
    lens: _Lens = None,
    poses: _Poses = None,
    positions: _Positions = None,
    distance: _Distance = None,
    marker_size: _Marker = None,
    quality: _Quality = None,
    minutes: _Minutes = None,
    mesh: _Mesh = False,
    as_json: _Json = False,
) -> None:
    """Rebuild a scene from pictures of it: cameras, depth, points, a GLB to look at.

    Results go to a folder: [bold]scene.glb[/bold] as the filters say, [bold]predictions.npz[/bold] with everything,
    [bold]cameras.json[/bold]. That folder, given as SOURCE, is shown in another way without being rebuilt.
    """
    from sightline.formats.scenes.filters import Filters  # noqa: PLC0415  (engines load when there is work)
    from sightline.jobs.known import Known  # noqa: PLC0415
    from sightline.jobs.rebuild import RebuildJob  # noqa: PLC0415

    given = _given(*(sources or ()), images_dir, video_path)
    if save_to_db and not (user_id and original_name):
        raise OptionError("--save-to-db needs --user-id and --original-name")
    target = output or Path(f"{given[0].resolve().stem.removesuffix('-scene')}-scene")
    hide = {"hide_black": mask_black_bg, "hide_white": mask_white_bg, "hide_sky": mask_sky}
    filters = Filters(mode=_mode(prediction_mode), confidence_percentile=conf_thres, view=_view(frame_filter), **hide)
    filters = replace(filters, show_cameras=show_cam, max_points=max_points)
    known = Known(lens=lens, poses=poses, positions=positions, distance=distance, marker_side_m=marker_size)
    options, forms = _options(settings, checkpoint) | _depth(quality, minutes), _forms(formats)
    job = RebuildJob(sources=given, folder=target, engine=engine, options=options, filters=filters, forms=forms)
    job = replace(job, fps=fps, max_pictures=max_pictures, known=known, mesh=mesh)
    keep = partial(_saved, original_name or "", user_id or "", data, config) if save_to_db else None
    result = _delivered(job, target, work_dir, keep)
    print_json(result) if as_json else _tell(result)


def _given(*paths: Path | None) -> tuple[Path, ...]:
    """Those that are.

    Raises:
        OptionError: none is.
    """
    given = tuple(path for path in paths if path is not None)
    if not given:
        raise OptionError("nothing to reconstruct: give images, folders of them, or a video")
    return given


def _delivered(
    job: "RebuildJob", target: Path, work_dir: Path | None, keep: Callable[[Path], str] | None
) -> dict[str, Any]:
    """What came of it, where it was asked for.

    Raises:
        SightlineError: it cannot be done; says why.
        OSError: a file cannot be written.
    """
    logging.getLogger("sightline").addHandler(logging.NullHandler())
    with TemporaryDirectory(prefix="sightline-") as meantime:
        is_file = target.suffix.lower() == ".glb"
        job = replace(job, folder=(work_dir or Path(meantime)) if is_file else target)
        result = _done(job, (target if is_file else target / "scene.glb",))
        if is_file:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(job.folder / "scene.glb", target)
            result["files"] = [str(target), *(result["files"] if work_dir else ())]
        return result | ({} if keep is None else {"hash": keep(job.folder / "scene.glb")})


def _done(job: "RebuildJob", results: Sequence[Path]) -> dict[str, Any]:
    """What came of it; ``results`` are where it is looked for, and earlier ones may be.

    Raises:
        SightlineError: it cannot be done; says why.
    """
    from sightline.jobs.rebuild import earlier_told, run  # noqa: PLC0415

    with stopping() as stopped, progress() as shown:
        try:
            with earlier_told(results):
                return run(job, Meter(shown), stopped)
        except (EngineError, SourceError) as error:
            if not stopped():
                raise
            err.print(escape(str(error)), soft_wrap=True, highlight=False)
            raise typer.Exit(130) from None


def _saved(name: str, user: str, data: Path | None, config: Path | None, glb: Path) -> str:
    """The hash by which the kept file is found.

    Raises:
        SightlineError: there is no such user, or a store cannot be reached.
    """
    from sightline import settings as all_settings  # noqa: PLC0415
    from sightline.jobs.rebuild import save  # noqa: PLC0415

    return save(all_settings.load(config, data_folder=data), glb, name, user)


def _options(settings: list[str] | None, checkpoint: str | None) -> dict[str, Any]:
    """The engine's.

    Raises:
        OptionError: one is another engine's.
    """
    given = parsed(settings or [], ("reconstructor",))
    weights = {} if checkpoint is None else {"weights": checkpoint}
    return {**weights, **given.get("reconstructor", {})}


def _depth(quality: str | None, minutes: float | None) -> dict[str, Any]:
    """Options on how fine depth is.

    Raises:
        OptionError: both are given.
    """
    if quality and minutes:
        raise OptionError("--quality, --minutes: give one of them")
    return {name: value for name, value in (("quality", quality), ("minutes", minutes)) if value is not None}


def _mode(said: str) -> "Mode":
    """Any name with ``pointmap`` or ``depth`` in it, as the demonstrations have several.

    Raises:
        OptionError: it is neither.
    """
    from sightline.formats.scenes.filters import Mode  # noqa: PLC0415

    for mode in Mode:
        if mode.value in said.lower():
            return mode
    raise OptionError(f"--prediction-mode {said!r}: give 'Pointmap Regression' or 'Depthmap and Camera'")


def _view(frame_filter: str) -> int | None:
    """``All``, a number, or a number and a name as the demonstrations list them.

    Raises:
        OptionError: it is neither.
    """
    if frame_filter.strip().lower() == "all":
        return None
    match = re.match(r"\s*(\d+)\s*(:|$)", frame_filter)
    if match is None:
        raise OptionError(f"--frame-filter {frame_filter!r}: give All, or the number of a picture, from 0")
    return int(match[1])


def _forms(formats: list[str] | None) -> Any:
    """The forms in their order.

    Raises:
        OptionError: there is no such form.
    """
    asked = set(_FORMS) if formats == ["all"] else set(formats or ())
    if unknown := asked - set(_FORMS):
        raise OptionError(f"--format {min(unknown)}: there are {', '.join(_FORMS)} and all")
    return tuple(form for form in _FORMS if form in asked)


def _warnings(result: dict[str, Any]) -> list[str]:
    """What did not go as it might have, a line each."""
    others = [list(names) for names in result["settings"].get("other_models", ())]
    lost = [name for name in result["unplaced"] if not any(name in names for names in others)]
    return [
        *(f"left out: {why}" for why in result["left_out"]),
        *(f"another scene, not connected and not used: {_some(names)}" for names in others),
        *([f"without a place: {_some(lost)}"] if lost else []),
        *(f"scale: {note}" for note in result["settings"].get("scale_notes", ())),
        *result["settings"].get("doubts", ()),
    ]


def _some(names: list[str]) -> str:
    """How many, and the first few."""
    return f"{len(names)} pictures ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"


def _tell(result: dict[str, Any]) -> None:
    """The result for a person."""
    sources = {
        "poses": "poses or positions given",
        "gps": "GPS",
        "distance": "the distance given",
        "model": "the network",
    }
    source = sources.get(result["scale"], result["scale"])
    scale = f"in metres from {source}" if result["is_metric"] else "without a known scale"
    out.print(
        f"[bold]{result['views_registered']}[/bold] of {result['views']} pictures placed, "
        f"[bold]{result['points']:,}[/bold] points, {scale} ({result['engine']}, {result['seconds']:.1f} s)"
    )
    for line in _warnings(result):
        err.print(f"[yellow]{escape(line)}", soft_wrap=True, highlight=False)
    if "hash" in result:
        out.print(f"kept as {result['hash']}", soft_wrap=True)
    tell_lines(result["files"])
