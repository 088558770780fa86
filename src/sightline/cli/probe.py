"""``sightline probe``: what video files are."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from sightline.cli.console import err, out, print_json
from sightline.errors import SourceError
from sightline.sources.probe import Probed
from sightline.sources.probe import probe as probed


def probe(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Video files.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Tell what video files are: codec, size, times, keyframes, and what is odd about them.

    Reads them whole but decodes one picture only. Files that cannot be read are named; the exit code is 2 then.
    """
    videos, failures = [], []
    for file in files:
        try:
            videos.append(probed(file))
        except SourceError as error:
            failures.append(str(error))
    if as_json:
        print_json({"videos": [asdict(video) for video in videos], "errors": failures})
    elif videos:
        out.print(_table(videos))
        for video in videos:
            for warning in video.warnings:
                out.print(f"[yellow]{escape(video.path)}: {escape(warning)}", soft_wrap=True)
    for failure in failures:
        err.print(f"[bold red]sightline:[/bold red] {escape(failure)}", soft_wrap=True)
    if failures:
        raise typer.Exit(2)


def _table(videos: list[Probed]) -> Table:
    """One column each."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("", style="bold")
    for video in videos:
        table.add_column(escape(Path(video.path).name))
    columns = [_column(video) for video in videos]
    for name in columns[0]:
        table.add_row(name, *(escape(column[name]) for column in columns))
    return table


def _column(video: Probed) -> dict[str, str]:
    """The lines of one video."""
    turned = f"turned {video.rotation_deg}°" if video.rotation_deg else "as stored"
    times = "variable" if video.is_variable else "constant"
    return {
        "container": video.container,
        "codec": f"{video.codec} {video.profile or ''}".strip(),
        "size": f"{video.width} x {video.height}, {turned}{', mirrored' if video.is_mirrored else ''}",
        "pixels": f"{video.pixel_format}, {video.pixel_aspect}",
        "rate": "unknown" if video.fps is None else f"{video.fps:.3f} per second, {times}",
        "length": "unknown" if video.duration_s is None else f"{video.duration_s:.2f} s",
        "pictures": str(video.n_frames),
        "bit rate": "unknown" if video.bit_rate is None else f"{video.bit_rate / 1e6:.2f} Mbit/s",
        "B-frames": "yes" if video.has_b_frames else "no",
        "keyframes": "none" if video.keyframe_distance is None else f"at most {video.keyframe_distance} pictures apart",
        "sound": ", ".join(video.audio) or "none",
        "created": video.created or "unknown",
    }
