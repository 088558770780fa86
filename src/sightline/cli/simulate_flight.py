"""``sightline simulate-flight``: a drone's flight over a made-up town, filmed, with its log and the truth."""

import inspect
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from sightline import wiring
from sightline.cli.console import Meter, out, progress, stopping, tell_lines
from sightline.cli.simulate import size_of
from sightline.errors import OptionError
from sightline.simulation.flight.logs import DIALECTS
from sightline.simulation.flight.paths import FlightPlan


def simulate_flight(
    output: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go.")] = Path("simulated-flight"),
    path: Annotated[str, typer.Option(help="How it flies: hover, line, orbit or climb.")] = "orbit",
    height: Annotated[float, typer.Option(help="Metres above take-off.")] = 60.0,
    pitch: Annotated[float, typer.Option(help="Of the camera, degrees; straight down is -90.")] = -45.0,
    speed: Annotated[float, typer.Option(help="Of the aircraft, metres per second.")] = 5.0,
    ground: Annotated[str, typer.Option(help="flat, slope or hill.")] = "flat",
    seconds: Annotated[float, typer.Option(min=1, max=600, help="Length of the video.")] = 20.0,
    fps: Annotated[float, typer.Option(help="Pictures per second.")] = 12.5,
    size: Annotated[str, typer.Option(metavar="WxH", help="Width and height of the pictures, both even.")] = "1280x720",
    people: Annotated[int, typer.Option(help="People.")] = 16,
    vehicles: Annotated[int, typer.Option(help="Cars and vans, a third of them parked.")] = 12,
    seed: Annotated[int, typer.Option(help="Another number, another flight; the same number, the same flight.")] = 0,
    log: Annotated[str, typer.Option(help=f"Notation of the log: {', '.join(DIALECTS)}.")] = "log_parser",
    yaw_off: Annotated[float, typer.Option(help="Degrees that the gimbal's yaw is off from north.")] = 0.0,
    late: Annotated[float, typer.Option(help="Seconds that the recording flag rises after the video began.")] = 0.0,
    noise: Annotated[
        bool, typer.Option("--noise", help="Errors of a consumer drone in place, height, angles.")
    ] = False,
    blip: Annotated[bool, typer.Option("--blip", help="The recording flag flickers before it rises.")] = False,
) -> None:
    """Film a town from a drone; write the video, the log with its faults, subtitles, and the exact truth.

    [bold]flight.mp4[/bold], [bold]log.csv[/bold], [bold]flight.srt[/bold]; [bold]truth.parquet[/bold] has all boxes,
    places and speeds; [bold]flight.json[/bold] lens, origin and plan.
    """
    from sightline.locators.doubts import CONSUMER  # noqa: PLC0415
    from sightline.simulation.flight.faults import NONE, Faults  # noqa: PLC0415
    from sightline.simulation.flight.rendered.film import FilmPlan  # noqa: PLC0415 - rendering loads on demand
    from sightline.simulation.flight.rendered.writing import LOG, VIDEO, Wrong, write  # noqa: PLC0415

    if log not in DIALECTS:
        raise OptionError(f"--log {log!r}: there are: {', '.join(DIALECTS)}")
    angle, film_s = math.radians(pitch), {"duration_s": seconds + 12.0, "recorded_s": (8.0, 8.0 + seconds)}
    flown = _checked(FlightPlan, path=path, height_m=height, pitch_rad=angle, speed_mps=speed, **film_s)
    filmed = _checked(FilmPlan, ground=ground, n_people=people, n_vehicles=vehicles, seed=seed, fps=fps)
    plan = FilmPlan(flight=FlightPlan(**flown), size=size_of(size), **filmed)
    wrong = Wrong(Faults(math.radians(yaw_off), late, blip), CONSUMER if noise else NONE, log)
    with stopping() as stopped, progress() as shown:
        files = write(plan, output, wrong, progress=Meter(shown), stopped=stopped)
    if files is None:
        raise KeyboardInterrupt
    tell_lines(files)
    out.print("\nNext:", style="bold")
    tell_lines([f"sightline drone {output / VIDEO} {output / LOG} --fov-deg {plan.fov_deg:g}"])


def _checked(made: type, **given: Any) -> dict[str, Any]:
    """What is given, checked against what the plan takes.

    Raises:
        OptionError: something of it is of the wrong kind.
    """
    return wiring.check("simulate-flight", inspect.signature(made, eval_str=True).parameters, given)
