"""``sightline simulate``: a made-up site, filmed, with the truth."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from sightline.cli.console import Meter, out, print_json, progress, stopping, tell_lines
from sightline.errors import OptionError


def simulate(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the files.")] = Path("simulated-site"),
    seed: Annotated[int, typer.Option(help="Another number, another day; the same number, the same day.")] = 0,
    people: Annotated[int, typer.Option(help="People who come and go.")] = 8,
    vehicles: Annotated[int, typer.Option(help="Cars, cyclists and vans.")] = 2,
    cameras: Annotated[int, typer.Option(help="Fixed cameras, up to 6; 1 and 2 see the same square.")] = 4,
    seconds: Annotated[float, typer.Option(help="How long it lasts.")] = 20.0,
    fps: Annotated[float, typer.Option(help="Pictures per second.")] = 12.5,
    size: Annotated[str, typer.Option(metavar="WxH", help="Width and height of the pictures, both even.")] = "640x360",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that render, one camera each.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Film a made-up site with people and vehicles; write the videos and the exact truth.

    Each camera gets a video (MP4) and its truth (MOT text, and Parquet with visibility, identity and metres);
    [bold]site.json[/bold] holds poses, homographies and the origin, [bold]movers.csv[/bold] everyone's way.
    """
    from sightline import simulation  # noqa: PLC0415 - rendering loads only when there is work

    plan = simulation.Plan(
        seed=seed,
        n_people=people,
        n_vehicles=vehicles,
        n_cameras=cameras,
        duration_s=seconds,
        fps=fps,
        size=size_of(size),
    )
    with stopping() as stopped, progress() as shown:
        world = simulation.Simulation(plan)
        meter = Meter(shown)
        for camera in world.cameras:
            meter(camera.name, 0, plan.n_frames)
        files = simulation.write(world, output, workers=workers, progress=meter, stopped=stopped)
    if as_json:
        print_json({"folder": str(output), "frames": plan.n_frames, "files": [str(path) for path in files]})
        return
    out.print(
        f"{len(world.cameras)} cameras, {plan.n_frames} pictures each, in [bold]{escape(str(output))}[/bold]",
        soft_wrap=True,
    )
    tell_lines(files)
    first = world.cameras[0].name
    out.print("\nNext:", style="bold")
    at = output / first
    tell_lines([f"sightline track {at}.mp4 -o {at}-tracks", f"sightline evaluate {at}-tracks/tracks.txt {at}.gt.txt"])


def size_of(text: str) -> tuple[int, int]:
    """``640x360`` as numbers.

    Raises:
        OptionError: it is not of that form.
    """
    match = re.fullmatch(r"(\d{1,5})[x*](\d{1,5})", text.strip().lower())
    if not match:
        raise OptionError(f"--size {text!r} is not WIDTHxHEIGHT, as in 640x360")
    return int(match[1]), int(match[2])
