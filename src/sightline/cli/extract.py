"""``sightline extract``: a video or a camera to numbered JPEG files."""

import logging
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.markup import escape

from sightline import wiring
from sightline.cli.console import Meter, err, out, print_json, progress, stopping
from sightline.errors import OptionError, SourceError
from sightline.jobs.cameras.task import CameraReport, CameraTask
from sightline.sources.opening import Hardware
from sightline.sources.stream import without_secrets
from sightline.stores.frames import newest

EXAMPLES = """
[bold]Examples[/bold]

    sightline extract street.mp4                                    one picture per second, to street-frames/

    sightline extract street.mp4 -o frames --fps 5 --start 60 --end 120

    sightline extract rtsp://10.0.0.7/main --fps 1 --keep 3600      until Ctrl-C; the last hour is kept

    sightline extract rtsp://10.0.0.7/main --duration 60
"""
_Source = Annotated[str, typer.Argument(metavar="SOURCE", help="Video file, or a stream's URL.")]
_Output = Annotated[Path | None, typer.Option("-o", "--output", help="Folder for the pictures (default: NAME-frames)")]
_Fps = Annotated[float, typer.Option(min=0.0001, max=1000, help="Pictures per second of video.")]
_Start = Annotated[float | None, typer.Option(min=0, help="Begin at this second of a file.")]
_End = Annotated[float | None, typer.Option(min=0, help="End at this second of a file.")]
_Duration = Annotated[float | None, typer.Option(min=0, help="Of streams, stop after so many seconds.")]
_Quality = Annotated[int, typer.Option(min=1, max=100, help="Of the JPEG files.")]
_Keep = Annotated[int | None, typer.Option(min=1, help="Keep only the newest so many pictures.")]
_Hardware = Annotated[str, typer.Option(help="What decodes: none, auto, cuda, qsv, vaapi; falls back and says so.")]
_Again = Annotated[bool, typer.Option("--again", help="Remove the pictures that are there, and begin at 1.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def extract(
    source: _Source,
    output: _Output = None,
    fps: _Fps = 1.0,
    start: _Start = None,
    end: _End = None,
    duration: _Duration = None,
    quality: _Quality = 90,
    keep: _Keep = None,
    hardware: _Hardware = "none",
    again: _Again = False,
    as_json: _Json = False,
) -> None:
    """Write pictures of a video or camera as frame_0001.jpg, frame_0002.jpg ...

    What was broken off goes on where it stopped when it is called again. A stream that breaks is begun again until
    Ctrl-C. Every file is whole; names sort by time.
    """
    from sightline.jobs.cameras.decoding import decode_camera  # noqa: PLC0415  (engines load when there is work)
    from sightline.stores.frames import remove_all  # noqa: PLC0415

    task = _task(source, output, fps, start, end, quality, keep, hardware)
    logging.getLogger("sightline").addHandler(logging.NullHandler())  # what a person should know is said below
    if again:
        remove_all(task.folder)
    total = None if task.is_live else _expected(task)
    with stopping() as stopped, progress() as shown:
        watch = _Watch(Meter(shown), total, task)
        end_s = None if duration is None else time.monotonic() + duration
        decode_camera(task, watch, lambda: stopped() or (end_s is not None and time.monotonic() > end_s))
    last = watch.last
    if last is None or last.state == "error" or (task.is_live and not last.n_written):
        raise SourceError((last and last.last_error) or f"{task.shown}: nothing came")
    if as_json:
        print_json({"folder": str(task.folder), "frames": last.n_written, "restarts": last.restart_count})
    else:
        out.print(f"[bold]{last.n_written}[/bold] pictures in {escape(str(task.folder))}", soft_wrap=True)
    if stopped() and not task.is_live:
        err.print("stopped early; the same command goes on from here")
        raise typer.Exit(130)


@dataclass
class _Watch:
    """Shows how far it is, and every new trouble once."""

    meter: Meter
    total: int | None
    task: CameraTask
    last: CameraReport | None = None
    _troubles: set[str] = field(default_factory=set)

    def __call__(self, report: CameraReport) -> None:
        self.last = report
        self.meter("extracting", report.n_written, self.total)
        why = report.last_error
        if why and report.state != "error" and why not in self._troubles:
            self._troubles.add(why)
            more = "" if report.fallback == why else "; trying again"
            err.print(f"[yellow]{escape(why)}{more}", soft_wrap=True)


def _task(
    source: str,
    output: Path | None,
    fps: float,
    start: float | None,
    end: float | None,
    quality: int,
    keep: int | None,
    hardware: str,
) -> CameraTask:
    """What to do.

    Raises:
        OptionError: an option makes no sense.
        SourceError: the source is neither a file nor a stream.
    """
    kind = wiring.source_name(source)
    if kind == "images":
        raise SourceError(f"{source}: already pictures; give a video file or a stream's URL")
    is_live = kind == "stream"
    if is_live and (start is not None or end is not None):
        raise SourceError("--start and --end are for files; for streams say --duration")
    shown = without_secrets(source) if is_live else source.removeprefix("file://")
    name = re.sub(r"[^\w.-]+", "-", shown.partition("://")[2]).strip("-") if is_live else Path(shown).stem
    folder = output or Path(f"{name}-frames")
    found = newest(folder)
    return CameraTask(
        source=source if is_live else shown,
        shown=shown,
        is_live=is_live,
        folder=folder,
        fps=fps,
        start_s=start,
        end_s=end,
        hardware=_device(hardware),
        quality=quality,
        keep_count=keep,
        last_number=int(found[0].stem.removeprefix("frame_")) if found and is_live else 0,
    )


def _device(name: str) -> Hardware:
    """What is to decode.

    Raises:
        OptionError: there is no such thing.
    """
    for known in get_args(Hardware):
        if known == name:
            return known
    raise OptionError(f"--hardware {name}: there are {', '.join(get_args(Hardware))}")


def _expected(task: CameraTask) -> int | None:
    """How many pictures a file should give.

    Raises:
        SourceError: it is no video.
    """
    from sightline.sources.video import Video  # noqa: PLC0415

    return Video(Path(task.source), fps=task.fps, start_s=task.start_s, end_s=task.end_s).about().n_frames
