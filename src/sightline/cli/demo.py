"""``sightline demo``: everything there is, on a made-up site, with a report."""

import time
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from sightline.cli.console import Meter, out, print_json, progress, stopping
from sightline.errors import SourceError

if TYPE_CHECKING:
    from sightline.jobs.demo import DemoResult


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.")] = Path("sightline-demo"),
    seed: Annotated[int, typer.Option(help="Another number, another day on the site.")] = 0,
    seconds: Annotated[float, typer.Option(help="Length of each camera's film.")] = 16.0,
    people: Annotated[int, typer.Option(help="People who come and go.")] = 12,
    cameras: Annotated[int, typer.Option(help="Fixed cameras, up to 6; 1 and 2 see the same square.")] = 4,
    detector: Annotated[str, typer.Option(help="Engine that finds people, or whatever moves (motion).")] = "people_hog",
    privacy: Annotated[
        Literal["none", "faces", "bodies"],
        typer.Option(envvar="SIGHTLINE_PRIVACY", help="What videos and pictures hide of everybody who was found."),
    ] = "none",
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Simulate a site, track every camera, find who is who, place what a drone sees, measure it all, write a report.

    Needs no video, no weights and no network; takes about a minute on two cores.
    """
    from sightline.jobs.demo import DemoJob, run  # noqa: PLC0415 - engines load only when there is work
    from sightline.simulation import Plan  # noqa: PLC0415

    if output.exists() and any(output.iterdir()) and not (output / "report.html").exists():
        raise SourceError(f"{output} is not empty and holds no earlier demo; choose another folder with -o")
    began_s = time.monotonic()
    plan = Plan(seed=seed, n_people=people, n_cameras=cameras, duration_s=seconds)
    with stopping() as stopped, progress() as shown:
        result = run(DemoJob(output, plan, detector, privacy=privacy), Meter(shown), stopped)
    if result is None:
        raise KeyboardInterrupt
    spent_s = time.monotonic() - began_s
    if as_json:
        print_json(_said(result, spent_s))
        return
    for camera in result.cameras:
        out.print(f"  {camera.name}: HOTA {camera.scores.hota:.1%}, IDF1 {camera.scores.idf1:.1%}")
    total = result.scores
    out.print(f"[bold]All cameras: HOTA {total.hota:.1%}, IDF1 {total.idf1:.1%}, MOTA {total.mota:.1%}[/bold]")
    places = result.places
    out.print(
        f"[bold]On the map: {result.n_identities} identities, IDF1 {places.idf1:.1%} within 1 m; half of the places are"
        f" {places.median_m:.2f} m off or less, nine in ten {places.p90_m:.2f} m[/bold]"
    )
    seen = result.flight
    out.print(
        f"[bold]From a drone's video and log: {seen.n_tracks} things followed; half of the places are"
        f" {seen.median_m:.1f} m off or less, nine in ten {seen.p90_m:.1f} m[/bold]"
        f" (told: {seen.told_m:.1f} m; {seen.yaw_constant_deg:+.0f} degrees in the gimbal's yaw found and taken out)"
    )
    out.print(f"{spent_s:.0f} s. Report: [bold]{escape(str(result.page.resolve()))}[/bold]", soft_wrap=True)


def _said(result: "DemoResult", spent_s: float) -> dict[str, Any]:
    """The result for machines."""
    scored = {name: value if isfinite(value) else None for name, value in asdict(result.places).items()}
    return {
        "report": str(result.page),
        "seconds": round(spent_s, 1),
        "cameras": {camera.name: camera.scores.numbers() for camera in result.cameras},
        "combined": result.scores.numbers(),
        "map": scored | {"identities": result.n_identities},
        "drone": _flight(result.flight),
    }


def _flight(seen: Any) -> dict[str, float | int | None]:
    """The drone's numbers."""
    told = {name: getattr(seen, name) for name in seen.__slots__ if name != "part"}
    return {name: value if isfinite(value) else None for name, value in told.items()}
