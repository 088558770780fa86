"""``sightline site``: files that describe places with several cameras."""

import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from sightline.cli.console import out, print_json
from sightline.errors import OptionError
from sightline.formats.sites.toml import read, shipped
from sightline.model.site import Site, Watch

_FAR_M = 0.5
"""Pairs of points that miss by more make positions nobody should rely on."""

app = typer.Typer(
    no_args_is_help=True,
    help="Sites: places that several cameras watch, as TOML files. Start with [bold]sightline site example factory > "
    "my-site.toml[/bold], edit it, then [bold]sightline site check my-site.toml[/bold].",
)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A site, as TOML.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Tell what a site file says, how good its points are, and what is odd about it.

    Each pair of points is checked against all the others: the miss is how far its click lands from where it should
    when it has no say itself. Pairs that the others contradict are named, and left out.
    """
    site = read(file)
    oddities = [f"{watch.id}: {text}" for watch in site.watches for text in _odd(site, watch)] + _odd_map(site)
    if as_json:
        rows = [_row(watch) for watch in site.watches]
        counted = {"zones": [zone.id for zone in site.zones], "lines": [line.id for line in site.lines]}
        print_json({"id": site.id, "name": site.name, "cameras": rows, **counted, "warnings": oddities})
        return
    unit = "m" if site.map.metres_per_unit is not None else "units"
    table = Table("camera", "videos", "pairs used", f"miss, median ({unit})", "largest", box=box.SIMPLE_HEAD)
    for watch in site.watches:
        row, scale = _row(watch), site.map.metres_per_unit or 1.0
        misses = [_shown(row[name], scale) for name in ("miss_median", "miss_largest")]
        table.add_row(escape(watch.id), str(row["videos"]), f"{row['pairs_used']} of {row['pairs']}", *misses)
    out.print(f"[bold]{escape(site.name)}[/bold] ({escape(site.id)})")
    out.print(table)
    for word, ids in (("zones", [zone.id for zone in site.zones]), ("lines", [line.id for line in site.lines])):
        if ids:
            out.print(f"{word}: {escape(', '.join(ids))}", soft_wrap=True)
    for text in oddities:
        out.print(f"[yellow]{escape(text)}", soft_wrap=True)


@app.command()
def example(
    name: Annotated[str, typer.Argument(help="factory or campus.")] = "factory",
) -> None:
    """Print a site file that comes with Sightline, to begin with."""
    files = shipped()
    if name not in files:
        raise OptionError(f"no site {name!r} comes with this; there are {', '.join(files)}")
    sys.stdout.write(files[name].read_text("utf-8"))


def _row(watch: Watch) -> dict[str, Any]:
    """One camera, in the map's unit."""
    plane = watch.plane
    row: dict[str, Any] = {"id": watch.id, "videos": len(watch.videos), "has_plane": plane is not None}
    if plane is None or plane.is_used is None or plane.off_map is None:
        return row | {"pairs": 0, "pairs_used": 0, "miss_median": None, "miss_largest": None}
    misses = plane.off_map[plane.is_used]
    known = misses[np.isfinite(misses)]
    return row | {
        "pairs": len(plane.is_used),
        "pairs_used": int(plane.is_used.sum()),
        "miss_median": float(np.median(known)) if len(known) else None,
        "miss_largest": float(known.max()) if len(known) else None,
    }


def _shown(value: float | None, scale: float) -> str:
    return "" if value is None else f"{value * scale:.3g}"


def _odd(site: Site, watch: Watch) -> list[str]:
    """What somebody should look at."""
    odd = [f"video {video} is not there" for video in watch.videos if "://" not in video and not Path(video).is_file()]
    if not watch.videos:
        odd.append("has no videos")
    plane, scale = watch.plane, site.map.metres_per_unit
    if plane is None:
        return [*odd, "has no points: nobody in it can be placed on the map"]
    if plane.is_used is None or plane.off_px is None or plane.off_map is None:
        return odd
    if len(plane.is_used) == 4:
        odd.append("four pairs of points cannot be checked; give at least six")
    for name, used, px, off in zip(plane.names, plane.is_used, plane.off_px, plane.off_map, strict=True):
        far = f"{off * (scale or 1):.3g} {'m' if scale else 'units of the map'}, {px:.0f} px"
        if not used:
            odd.append(f"{name} is off by {far}, and was left out; was it clicked in the wrong place?")
        elif scale and off * scale > _FAR_M:
            odd.append(f"{name} is off by {far}; check it, or add pairs near it")
    return odd


def _odd_map(site: Site) -> list[str]:
    odd = []
    if any(watch.plane for watch in site.watches) and site.map.metres_per_unit is None:
        odd.append("map.metres_per_unit is not given: positions are in the map's own unit, without metres or speeds")
    if (site.zones or site.lines) and site.map.metres_per_unit is None:
        odd.append("map.metres_per_unit is not given: nobody is counted in zones and at lines")
    if site.map.picture is not None and not Path(site.map.picture).is_file():
        odd.append(f"map.picture {site.map.picture} is not there")
    return odd
