"""``sightline track``: one video to tracks."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import typer

from sightline import wiring
from sightline.cli.console import Meter, err, out, print_json, progress, stopping, tell_lines
from sightline.errors import OptionError, SourceError

EXAMPLES = """
[bold]Examples[/bold]

  sightline track street.mp4
  sightline track street.mp4 --detector people_hog --start 60 --end 120
  sightline track street.mp4 --weights yolox-nano-416 --classes person
  sightline track rtsp://10.0.0.7/main --set source.duration_s=60
  sightline track frames/ --fps 7 --set tracker.lost_s=3 --format parquet
"""
_KINDS = ("source", "stabilizer", "detector", "tracker", "offline", "format")
"""Kinds of engines with a part in it, and the second look, whose options may be set."""


def _listed(kind: str) -> str:
    """The engines of a kind, for the help text."""
    return ", ".join(wiring.names(kind))


_Source = Annotated[
    str, typer.Argument(metavar="SOURCE", help="Video file, folder or glob of images, or a stream's URL.")
]
_Output = Annotated[Path | None, typer.Option("-o", "--output", help="Folder for the results (default: NAME-tracks)")]
_Detector = Annotated[
    str | None, typer.Option(help=f"Engine: {_listed('detector')} (default: motion, or onnx with --weights)")
]
_Weights = Annotated[str | None, typer.Option(help="ONNX file, or a name from [bold]sightline models list[/bold].")]
_Classes = Annotated[str | None, typer.Option(help="Keep only these classes, comma-separated.")]
_Tracker = Annotated[str, typer.Option(help=f"Engine: {_listed('tracker')}.")]
_Stabilizer = Annotated[str, typer.Option(help="Camera motion: flow looks for it, none says the camera is at rest.")]
_Fps = Annotated[float | None, typer.Option(help="Sample so many pictures per second of video (default: all)")]
_Start = Annotated[float | None, typer.Option(help="Begin at this second of the video.")]
_End = Annotated[float | None, typer.Option(help="End at this second of the video.")]
_Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KIND.OPTION=VALUE", help=f"Any option of {', '.join(_KINDS)}; repeat as needed."),
]
_Formats = Annotated[
    list[str] | None,
    typer.Option("--format", help=f"Repeat for more: {_listed('format')}, all (default: mot, csv)"),
]
_Refine = Annotated[
    bool | None,
    typer.Option("--refine/--no-refine", help="Link broken tracks and fill gaps (default: yes for recordings)"),
]
_Video = Annotated[bool, typer.Option("--video/--no-video", help="Write the annotated MP4.")]
_Batch = Annotated[int, typer.Option(min=1, max=256, help="Pictures per detector call; more helps GPUs.")]
_Privacy = Annotated[
    Literal["none", "faces", "bodies"],
    typer.Option(envvar="SIGHTLINE_PRIVACY", help="What the MP4 hides of everybody who was detected."),
]
_Force = Annotated[bool, typer.Option("--force", help="Replace results that are there.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def track(
    source: _Source,
    output: _Output = None,
    detector: _Detector = None,
    weights: _Weights = None,
    classes: _Classes = None,
    tracker: _Tracker = "botsort",
    stabilizer: _Stabilizer = "flow",
    fps: _Fps = None,
    start: _Start = None,
    end: _End = None,
    settings: _Set = None,
    formats: _Formats = None,
    refine: _Refine = None,
    video: _Video = True,
    batch: _Batch = 1,
    privacy: _Privacy = "none",
    force: _Force = False,
    as_json: _Json = False,
) -> None:
    """Follow everything that moves through a video: boxes, ids, an annotated MP4.

    Results go to a folder: [bold]tracks.*[/bold] in the chosen formats,
    [bold]annotated.mp4[/bold] with boxes, ids and trails,
    and [bold]run.json[/bold], which says what ran.
    Ctrl-C keeps what is done so far.
    """
    from sightline.jobs.track import TrackJob, run  # noqa: PLC0415 - engines load only when there is work

    given: dict[str, dict[str, Any]] = {
        "source": {"fps": fps, "start_s": start, "end_s": end},
        "detector": {"weights": weights, "classes": classes},
    }
    job = TrackJob(
        source=source,
        folder=_folder(source, output, force),
        detector=detector or ("onnx" if weights else "motion"),
        tracker=tracker,
        stabilizer=None if stabilizer == "none" else stabilizer,
        options=merged(given, parsed(settings or [], _KINDS)),
        formats=tuple(wiring.ENGINES["format"] if formats == ["all"] else formats or ("mot", "csv")),
        refine=refine,
        draw=video,
        batch=batch,
        privacy=privacy,
    )
    with stopping() as stopped, progress() as shown:
        result = run(job, Meter(shown), stopped)
    if as_json:
        print_json(result.summary())
    else:
        _tell(job, result)
    if result.failure:
        raise SourceError(f"{result.failure}; what was read before is kept in {job.folder}")
    if not result.complete:
        raise typer.Exit(130)


def parsed(settings: list[str], kinds: Sequence[str]) -> dict[str, dict[str, str]]:
    """``KIND.OPTION=VALUE`` texts, by kind; ``kinds`` are those that the command has a use for.

    Raises:
        OptionError: a text is not of that form, or of another kind.
    """
    options: dict[str, dict[str, str]] = {}
    for text in settings:
        match = re.fullmatch(r"(\w+)\.(\w+)=(.*)", text, re.DOTALL)
        if not match or match[1] not in kinds:
            raise OptionError(f"--set {text!r} is not KIND.OPTION=VALUE with KIND one of {', '.join(kinds)}")
        options.setdefault(match[1], {})[match[2]] = match[3]
    return options


def merged(flags: dict[str, dict[str, Any]], settings: dict[str, dict[str, str]]) -> dict[str, dict[str, Any]]:
    """What the flags say, where they say anything, and above it what ``--set`` says."""
    said = {kind: {k: v for k, v in given.items() if v is not None} for kind, given in flags.items()}
    return {kind: {**said.get(kind, {}), **settings.get(kind, {})} for kind in {**said, **settings}}


def _folder(source: str, output: Path | None, force: bool) -> Path:
    """Where results go.

    Raises:
        SourceError: results of an earlier run are there.
    """
    parts = urlsplit(source)
    name = f"{parts.hostname or ''}{parts.path}" if "://" in source else Path(source.rstrip("/")).stem
    stem = re.sub(r"[^\w.-]+", "-", name)
    folder = output or Path(f"{stem.strip('-') or 'video'}-tracks")
    if (folder / "run.json").exists() and not force:
        raise SourceError(
            f"{folder} holds the results of an earlier run; choose another folder with -o, or say --force"
        )
    return folder


def _tell(job: Any, result: Any) -> None:
    """The result for a person."""
    summary = result.summary()
    state = "" if result.complete else " [yellow](stopped early: a valid part)[/yellow]"
    out.print(
        f"[bold]{summary['tracks']}[/bold] tracks in {summary['frames']} frames"
        f" ({summary['detections']} detections, {summary['frames_per_second']} frames/s){state}"
    )
    if result.n_lost:
        err.print(f"[yellow]{result.n_lost} damaged pictures were left out")
    tell_lines(result.files)
    if not summary["tracks"] and job.detector == "motion":
        err.print("nothing moved enough; try --detector people_hog, or --weights (see sightline models list)")
