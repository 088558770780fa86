"""``sightline drone``: a drone's video and its log to places on earth."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich import box
from rich.markup import escape
from rich.table import Table

from sightline import wiring
from sightline.cli.console import Meter, err, out, print_json, progress, stopping, tell_lines
from sightline.cli.track import merged, parsed
from sightline.errors import EngineError, OptionError, SourceError

EXAMPLES = """
[bold]Examples[/bold]

  sightline drone flight.mp4 log.csv --fov 71.5
  sightline drone flight.mp4 log.csv --tracks tracks.json --fps 5 --export geojson,kml
  sightline drone flight.mp4 --time-offset auto              telemetry in the video, or DJI_0001.SRT beside it
  sightline drone flight.mp4 log.csv --dem tile.tif --option yaw_offset=3 --option doubts.gps_m=0.05
"""

_WATCHING = ("detector", "tracker", "stabilizer")
"""Kinds of engines that look at a video, whose options may be set."""
_SECONDS = "constrained-float"
"""What pydantic calls the number of an option that may be a number or ``auto``."""
_Video = Annotated[Path, typer.Argument(metavar="VIDEO", help="Video of the drone.")]
_Log = Annotated[
    Path | None,
    typer.Argument(metavar="[LOG]", help="Its flight log (default: subtitles beside the video, or telemetry in it)"),
]
_Tracks = Annotated[
    Path | None,
    typer.Option(help="Tracks of the video: JSON, MOT text, CSV or Parquet (default: the video is watched)"),
]
_Out = Annotated[Path | None, typer.Option("-o", "--out", help="Folder for the results (default: VIDEO-places)")]
_Export = Annotated[str, typer.Option(help="Comma-separated: csv, geojson, kml, ...; see the guide.")]
_Fps = Annotated[
    float | None, typer.Option(help="Pictures per second of the tracks, where they tell no times; or to be watched.")
]
_Offset = Annotated[str, typer.Option(help="Seconds from the video's to the log's, or auto: by the pictures.")]
_Recording = Annotated[int | None, typer.Option(help="Which recording of the log the video is, from 1.")]
_Fov = Annotated[
    float | None, typer.Option("--fov", "--fov-deg", help="Angle of view from left edge to right, degrees.")
]
_Focal = Annotated[
    float | None, typer.Option("--focal", "--focal-35mm", help="Equivalent focal length (of 36 mm) instead.")
]
_Camera = Annotated[str | None, typer.Option(help="Name of the camera or drone instead, such as 'Mavic 3E'.")]
_Scene = Annotated[
    Path | None, typer.Option(help="predictions.npz of a reconstruction of this video: places by depth.")
]
_Photo = Annotated[Path | None, typer.Option(help="A photo of the same camera, which notes its focal length.")]
_Yaw = Annotated[str, typer.Option("--yaw", help="Whose yaw: auto, gimbal, aircraft, sum.")]
_Anchor = Annotated[str, typer.Option(help="Where things stand in their boxes: base, foot, centre.")]
_Dem = Annotated[Path | None, typer.Option(help="Elevation model: GeoTIFF in degrees.")]
_Size = Annotated[str | None, typer.Option("--boxes-in", metavar="WxH", help="Size of the pictures that boxes are in.")]
_Smooth = Annotated[bool, typer.Option("--smooth/--no-smooth", help="Smooth paths, or filter them forwards only.")]
_Learn = Annotated[bool, typer.Option("--learn", help="Learn the filter's noise from the paths: better speeds.")]
_Option = Annotated[
    list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help="Any option of the recipe; see the guide.")
]
_Kind = Annotated[str | None, typer.Option("--log-kind", help="Kind of log (default: what the file itself tells)")]
_Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KIND.OPTION=VALUE", help="Any option of detector, tracker, stabilizer."),
]
_Detector = Annotated[str | None, typer.Option(help="For watching: name of a detector.")]
_Force = Annotated[bool, typer.Option("--force", help="Replace results that are there.")]
_Json = Annotated[bool, typer.Option("--json", help="Print how it came about as JSON.")]


def drone(
    video: _Video,
    log: _Log = None,
    tracks: _Tracks = None,
    output: _Out = None,
    export: _Export = "csv",
    fps: _Fps = None,
    time_offset: _Offset = "0",
    recording: _Recording = None,
    fov: _Fov = None,
    focal: _Focal = None,
    camera: _Camera = None,
    photo: _Photo = None,
    yaw: _Yaw = "auto",
    anchor: _Anchor = "base",
    dem: _Dem = None,
    scene: _Scene = None,
    boxes_in: _Size = None,
    smooth: _Smooth = True,
    learn: _Learn = False,
    options: _Option = None,
    log_kind: _Kind = None,
    detector: _Detector = None,
    settings: _Set = None,
    force: _Force = False,
    as_json: _Json = False,
) -> None:
    """Tell where on earth things in a drone's video were, how fast they moved, and how surely that is known.

    Results go to a folder: [bold]positions.json[/bold] as the drone service answers, [bold]positions.*[/bold] in the
    formats asked for, and [bold]run.json[/bold], which says how they came about.
    """
    from sightline.jobs.drone.running import DroneJob, checked, run  # noqa: PLC0415 - engines load only for work

    given: dict[str, Any] = {"fps": fps, "time_offset": time_offset, "recording": recording, "camera": camera}
    given |= {"fov_deg": fov, "focal_35mm": focal, "yaw_source": yaw, "anchor": anchor}
    given |= {"source_resolution": _size(boxes_in), "smooth": smooth, "kf_learn": learn}
    job = DroneJob(
        video=video,
        folder=_folder(video, output, force),
        log=log or _own_log(video),
        log_kind=log_kind,
        tracks=tracks,
        options=_options(given, options or []),
        elevations=dem,
        photo=photo,
        scene=scene,
        exports=checked(name.strip() for name in export.split(",") if name.strip()),
        engines=merged({"detector": {"name": detector}}, parsed(settings or [], _WATCHING)),
    )
    with stopping() as stopped, progress() as shown:
        try:
            result = run(job, Meter(shown), stopped)
        except EngineError:
            if stopped():
                raise typer.Exit(130) from None
            raise
    _tell(result, as_json=as_json)


def _tell(result: Any, *, as_json: bool) -> None:
    """The result, for a person or a machine."""
    if as_json:
        print_json({**result.story, "files": [str(path) for path in result.files]})
        return
    out.print(_table(result.story))
    tell_lines(result.files)
    for warning in result.story["warnings"]:
        err.print(f"[yellow]{escape(warning)}", soft_wrap=True)


def _options(given: dict[str, Any], more: list[str]) -> Any:
    """The recipe's options: of flags, and above them those by name.

    Raises:
        OptionError: one is unknown or makes no sense; names it.
    """
    from sightline.jobs.drone.options import DroneOptions  # noqa: PLC0415

    for text in more:
        name, equals, value = text.partition("=")
        if not equals:
            raise OptionError(f"--option {text!r} is not NAME=VALUE")
        if name.startswith("doubts."):
            given.setdefault("doubts", {})[name.removeprefix("doubts.")] = value
        else:
            given[name] = value
    try:
        return DroneOptions.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name, *inside = map(str, first["loc"])
        if inside == [_SECONDS]:
            raise OptionError(f"{name}: {first['msg'][:1].lower()}{first['msg'][1:]}; or give auto") from None
        name = ".".join([name, *inside[:1]])
        there = f"; there are: {', '.join(DroneOptions.model_fields)}" if first["type"] == "extra_forbidden" else ""
        raise OptionError(f"{name}: {first['msg'].removeprefix('Value error, ')}{there}") from None


def _size(text: str | None) -> dict[str, str] | None:
    """``1280x720`` as the options have it.

    Raises:
        OptionError: it is not written so.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text.lower())
    if match is None:
        raise OptionError(f"--boxes-in {text!r} is not WxH, such as 1280x720")
    return {"width": match[1], "height": match[2]}


def _own_log(video: Path) -> Path:
    """Subtitles beside the video, else the video itself."""
    beside = [video.with_suffix(suffix) for suffix in (".SRT", ".srt")]
    return next((path for path in beside if path.is_file()), video)


def _folder(video: Path, output: Path | None, force: bool) -> Path:
    """Where results go.

    Raises:
        SourceError: results of an earlier run are there, or the video is none that can be placed.
    """
    if wiring.source_name(str(video)) != "video":
        raise SourceError(f"{video}: give one video file; a flight's pictures have to be one recording")
    folder = output or Path(f"{video.stem}-places")
    if (folder / "run.json").exists() and not force:
        raise SourceError(f"{folder} holds the results of an earlier run; choose another with -o, or say --force")
    return folder


def _table(story: dict[str, Any]) -> Table:
    """How it came about, in two columns."""
    constant = story["yaw_constant_deg"]
    placed = f"{story['placed']} of {story['rows']} sightings, {story['tracks']} tracks"
    unplaced = "; ".join(f"{n}: {why}" for why, n in story["unplaced"].items())
    rows = [
        ("placed", placed),
        ("not placed", unplaced or "none"),
        ("circle of 90 %", f"{story['ce90_m']} m in the middle"),
        ("log", story["log"]),
        ("video in the log", f"{story['recording']}; begins at {story['log_from_video_s']:.2f} s"),
        ("camera's yaw from", story["yaw_source"] + ("" if constant is None else f" (off by {constant:+.1f}°)")),
        ("lens", f"{story['lens_from']}, {story['fov_deg']}° across"),
        ("ground", story["ground"]),
    ]
    table = Table(box=box.SIMPLE_HEAD, show_header=False)
    table.add_column(style="bold")
    table.add_column()
    for name, text in rows:
        table.add_row(name, escape(str(text)))
    return table
