"""``sightline run``: all cameras of a site, everybody with one identity on its map."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.markup import escape

from sightline import wiring
from sightline.cli.console import Meter, err, out, print_json, progress, stopping
from sightline.cli.track import merged, parsed
from sightline.errors import SourceError
from sightline.formats.sites.toml import read

EXAMPLES = """
[bold]Examples[/bold]

  sightline simulate -o yard && sightline run yard/site.toml
  sightline run factory.toml --fps 5 --detector onnx --set detector.weights=yolox-nano-416
"""

_KINDS = ("detector", "tracker", "embedder", "identifier")
"""Kinds of engines whose options may be set."""
_OURS = {"sightings.parquet", "paths.csv", "report.html"}


def run(
    site: Annotated[Path, typer.Argument(metavar="SITE.toml", help="The site: see [bold]sightline site[/bold].")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Folder for the results (default: yard-run for yard.toml and yard/site.toml)"
        ),
    ] = None,
    detector: Annotated[str, typer.Option(help=f"Engine: {', '.join(wiring.names('detector'))}.")] = "people_hog",
    tracker: Annotated[str, typer.Option(help=f"Engine: {', '.join(wiring.names('tracker'))}.")] = "botsort",
    fps: Annotated[float, typer.Option(min=0.1, max=120, help="Moments per second at which all are looked at.")] = 10.0,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KIND.OPTION=VALUE", help=f"Any option of {', '.join(_KINDS)}; repeat as needed."
        ),
    ] = None,
    privacy: Annotated[
        Literal["none", "faces", "bodies"],
        typer.Option(envvar="SIGHTLINE_PRIVACY", help="What the report hides of everybody who was detected."),
    ] = "none",
    force: Annotated[bool, typer.Option("--force", help="Begin anew, whatever is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Watch all recordings of a site in step; find out who is who across its cameras, and where everybody went.

    Results go to a folder: [bold]sightings.parquet[/bold], every box with identity, place and covariance;
    [bold]paths.csv[/bold], one smooth path for everybody; [bold]report.html[/bold], the map and everybody's pictures,
    to look at.
    Ctrl-C loses only the part that is being watched: the same command goes on with it.
    """
    from sightline.jobs.sites.reporting import late_clocks  # noqa: PLC0415 - engines load only when there is work
    from sightline.jobs.sites.running import run as run_site  # noqa: PLC0415
    from sightline.jobs.sites.running import task_of  # noqa: PLC0415
    from sightline.jobs.sites.watching import Watching  # noqa: PLC0415

    described = read(site)
    folder = output or Path(f"{_name(site)}-run")
    _make_room(folder, force)
    given: dict[str, dict[str, Any]] = merged({}, parsed(settings or [], _KINDS))
    how = Watching(task_id=task_of(described, folder), fps=fps, detector=detector, tracker=tracker, options=given)
    with stopping() as stopped, progress() as shown:
        result = run_site(described, how, folder, Meter(shown), stopped, privacy)
    if not result.complete:
        err.print("stopped; the same command goes on with the part that was being watched")
        raise typer.Exit(130)
    if as_json:
        print_json(result.summary | {"files": [str(path) for path in result.files]})
        return
    said = result.summary
    for camera, why in said["missing"].items():
        out.print(f"[yellow]{escape(camera)} was left out: {escape(why)}", soft_wrap=True)
    for line in late_clocks(described, said["late_s"]):
        out.print(f"[yellow]{escape(line)}", soft_wrap=True)
    out.print(
        f"[bold]{said['identities']} identities[/bold] in {said['sightings']:,} sightings, {said['moments']:,} moments"
    )
    out.print(f"Results: [bold]{escape(str(folder))}[/bold]: {', '.join(path.name for path in result.files)}")


def _name(site: Path) -> str:
    """What a run is called after: the site's file, or where that says nothing, the folder that it is in."""
    return site.absolute().parent.name or "site" if site.stem == "site" else site.stem


def _make_room(folder: Path, force: bool) -> None:
    """Refuses a folder of somebody else's; empties ours where that is asked for."""
    there = list(folder.iterdir()) if folder.is_dir() else []
    ours = [path for path in there if path.name.startswith("seen-") or path.name in _OURS]
    if there and not ours and {path.name for path in there} - {"videos"}:
        raise SourceError(f"{folder} is not empty and holds no earlier run; choose another folder with -o")
    for path in ours if force else []:
        path.unlink()
