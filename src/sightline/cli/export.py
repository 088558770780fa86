"""``sightline export``: places on earth in other formats, or sent to a situation display."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from sightline.cli.console import err
from sightline.errors import FormatError, OptionError
from sightline.formats.places import ENDINGS, About, write
from sightline.formats.places.cot import events
from sightline.formats.places.paths import read_paths
from sightline.formats.places.table import read_parquet
from sightline.live.sending import send
from sightline.model.positions import Positions

EXAMPLES = """
[bold]Examples[/bold]

    sightline export positions.parquet cars.kmz cars.gpx cars.geojson

    sightline export yard-run/paths.csv people.kmz                            of a site: see sightline run

    sightline export positions.parquet --send udp://239.2.3.1:6969 --now      to TAK, as if it happened now

    sightline export positions.parquet --send tcp://10.0.0.9:8087 --speed 4
"""


def export(
    places: Annotated[
        Path, typer.Argument(metavar="PLACES", help="positions.parquet of a drone's video, or paths.csv of a site.")
    ],
    to: Annotated[list[Path] | None, typer.Argument(metavar="FILES", help=f"Ending in {', '.join(ENDINGS)}.")] = None,
    address: Annotated[
        str | None, typer.Option("--send", help="Send Cursor on Target to udp://HOST:PORT or tcp://HOST:PORT.")
    ] = None,
    speed: Annotated[float, typer.Option(min=0.01, help="Of --send: how many times as fast as it happened.")] = 1.0,
    now: Annotated[bool, typer.Option("--now", help="Of --send: times of day as if it began now.")] = False,
) -> None:
    """Write places that sightline found into files for maps and navigation, or send them to a situation display.

    Displays leave out what is long past: a recording is shown with --now only.
    """
    if not to and address is None:
        raise OptionError(f"say where to: files ending in {', '.join(ENDINGS)}, or --send udp://HOST:PORT")
    positions, about = _read(places)
    for path in to or []:
        write(path, positions, about)
        err.print(f"written: {path}", markup=False, soft_wrap=True)
    if address is not None:
        known = positions.t_s[np.isfinite(positions.t_s) & positions.is_known]
        begins_s, ends_s = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        if now:
            about = replace(about, utc_ns=time.time_ns() - round(begins_s * 1e9))
        err.print(f"sending to {address}: takes {(ends_s - begins_s) / speed:.0f} s", markup=False)
        n = send(events(positions, about), address, speed=speed)
        err.print(f"sent: {n} events to {address}", markup=False, soft_wrap=True)


def _read(places: Path) -> tuple[Positions, About]:
    """What the file holds.

    Raises:
        FormatError: it is neither of those that can be read.
    """
    if places.name.lower().endswith(".parquet"):
        return read_parquet(places)
    if places.name == "paths.csv":
        return read_paths(places)
    raise FormatError(
        f"{places}: give positions.parquet (sightline drone --export parquet) or paths.csv (sightline run)"
    )
