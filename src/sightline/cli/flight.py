"""``sightline flight``: what a flight log says, and what is odd about it."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from sightline import wiring
from sightline.cli.console import err, out, print_json
from sightline.errors import FormatError, OptionError
from sightline.flight_logs.recordings import Recording, recordings
from sightline.flight_logs.telling import log_name
from sightline.formats.places import WAYS, write_way
from sightline.formats.report import CameraPart, Chart, Curve, GroundMap, Number, ReportPage, Trail
from sightline.formats.report import write as write_report
from sightline.geodesy.enu import enu_from_wgs84
from sightline.locators.eyes import origin_of
from sightline.locators.pointing import Pointing, pointing
from sightline.model.flight import Flight

EXAMPLES = """[bold]Examples[/bold]\n
  sightline flight DJIFlightRecord.csv\n
  sightline flight DJI_0001.SRT --report flight.html\n
  sightline flight log.csv --timezone Europe/London --json\n
  sightline flight log.csv --way flown.kmz --way flown.gpx
"""


def flight(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="Flight log: CSV, SRT, MP4 with telemetry, KLV or ULog.")],
    kind: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(wiring.ENGINES['flight_log'])} (default: what the file itself tells)"),
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Of a local clock, for example Europe/London.")] = None,
    altitude_is: Annotated[
        str | None, typer.Option(help="What [altitude: ] in subtitles counts from: takeoff or sea.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page with the flight's track and height here.")] = None,
    way: Annotated[
        list[Path] | None, typer.Option(help=f"Write the way flown here: {', '.join(WAYS)}. Repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Tell what a flight log says: times, places, heights, angles, recordings, and what is odd about it."""
    given = {name: value for name, value in (("timezone", timezone), ("altitude_is", altitude_is)) if value is not None}
    found = wiring.build("flight_log", kind or log_name(log), given).read(log)
    parts = recordings(found)
    try:
        looks, missing = pointing(found), ""
    except OptionError as error:
        looks, missing = None, str(error)
    said = (*found.warnings, *(looks.warnings if looks else (missing,)))
    rows = _rows(found, looks)
    if report is not None:
        write_report(report, _page(log, found, parts, rows, said))
        err.print(f"written: {report}", markup=False, soft_wrap=True)
    for path in way or []:
        write_way(path, found)
        err.print(f"written: {path}", markup=False, soft_wrap=True)
    if as_json:
        print_json({"log": str(log), "kind": found.log, **_values(found, looks, parts), "warnings": list(said)})
        return
    out.print(_table(rows))
    for number, part in enumerate(parts, 1):
        out.print(f"  recording {number}: {part.length_s:.1f} s, from {part.start_s:.1f} s to {part.end_s:.1f} s")
    for warning in said:
        out.print(f"[yellow]{escape(warning)}", soft_wrap=True)


def _rows(found: Flight, looks: Pointing | None) -> list[tuple[str, str]]:
    """What is known, in words."""
    steps = np.diff(found.t_s)
    utc = "unknown" if found.utc_ns is None else f"{np.datetime64(found.utc_ns, 'ns').astype('datetime64[ms]')} UTC"
    clock = "the video's own" if found.is_video_time else "the log's"
    rows = [
        ("kind", found.log),
        (
            "rows",
            f"{len(found)}, {1 / float(np.median(steps)):.1f} per second, over {found.t_s[-1] - found.t_s[0]:.1f} s",
        ),
        ("time", f"{clock}; begins {utc}"),
        ("positions", f"{int(found.has_place.sum())} of {len(found)} rows"),
        ("latitude", _range(found.lat_deg, "°", 6)),
        ("longitude", _range(found.lon_deg, "°", 6)),
        ("height above take-off", _range(found.height_takeoff_m, " m")),
        ("height above the sea", _range(found.height_sea_m, " m")),
        ("speed", _range(np.hypot(*found.velocity_enu_mps[:, :2].T), " m/s")),
        ("heading of the aircraft", _known(found.aircraft.yaw_rad)),
        ("gimbal's pitch", _range(np.rad2deg(found.gimbal.pitch_rad), "°")),
        ("gimbal's yaw", _known(found.gimbal.yaw_rad)),
        ("focal length", _range(found.focal_35mm, " mm (of 36)")),
    ]
    if looks is not None:
        off = "" if np.isnan(looks.constant_rad) else f" (off by {np.rad2deg(looks.constant_rad):+.1f}°)"
        rows.append(("camera's yaw from", looks.source + off))
    return rows


def _table(rows: list[tuple[str, str]]) -> Table:
    """Two columns."""
    table = Table(box=box.SIMPLE_HEAD, show_header=False)
    table.add_column(style="bold")
    table.add_column()
    for name, text in rows:
        table.add_row(name, escape(text))
    return table


def _range(column: np.ndarray, unit: str, decimals: int = 1) -> str:
    """From least to most."""
    known = column[np.isfinite(column)]
    if not len(known):
        return "unknown"
    return f"{known.min():.{decimals}f} to {known.max():.{decimals}f}{unit}"


def _known(column: np.ndarray) -> str:
    """How many rows say something."""
    n = int(np.isfinite(column).sum())
    return f"in {n} of {len(column)} rows" if n else "unknown"


def _values(found: Flight, looks: Pointing | None, parts: list[Recording]) -> dict[str, Any]:
    """The same for machines; None where it is unknown."""

    def span(column: np.ndarray) -> list[float] | None:
        known = column[np.isfinite(column)]
        return [float(known.min()), float(known.max())] if len(known) else None

    return {
        "rows": len(found),
        "seconds": float(found.t_s[-1] - found.t_s[0]),
        "is_video_time": found.is_video_time,
        "utc_ns": found.utc_ns,
        "positions": int(found.has_place.sum()),
        "latitude_deg": span(found.lat_deg),
        "longitude_deg": span(found.lon_deg),
        "height_takeoff_m": span(found.height_takeoff_m),
        "height_sea_m": span(found.height_sea_m),
        "gimbal_pitch_deg": span(np.rad2deg(found.gimbal.pitch_rad)),
        "yaw_source": None if looks is None else looks.source,
        "yaw_constant_deg": None
        if looks is None or np.isnan(looks.constant_rad)
        else float(np.rad2deg(looks.constant_rad)),
        "recordings": [{"start_s": p.start_s, "end_s": p.end_s, "seconds": p.length_s} for p in parts],
    }


def _page(
    log: Path, found: Flight, parts: list[Recording], rows: list[tuple[str, str]], said: tuple[str, ...]
) -> ReportPage:
    """The flight from above, recordings in colour, and its height over time."""
    height = found.height_takeoff_m
    known = np.isfinite(height)
    chart = None
    if known.any():
        chart = Chart("Metres above take-off", (Curve("height", found.t_s[known], height[known]),))
    numbers = [Number("rows", str(len(found))), Number("seconds", f"{found.t_s[-1] - found.t_s[0]:.1f}")]
    part = CameraPart(log.name, numbers=tuple(numbers), chart=chart, ground=_map(found, parts), warnings=said)
    lead = f"{found.log}, {len(parts)} recording{'' if len(parts) == 1 else 's'}."
    return ReportPage(
        title=f"Flight {log.stem}", lead=lead, cameras=(part,), made=tuple(rows), command=f"sightline flight {log}"
    )


def _map(found: Flight, parts: list[Recording]) -> GroundMap | None:
    """The way flown; None where no row has a place."""
    try:
        origin = origin_of(found)
    except FormatError:
        return None
    xy = enu_from_wgs84(origin, found.lat_deg, found.lon_deg, np.full(len(found), origin.height_m))[:, :2]
    inside = [(found.t_s >= part.start_s) & (found.t_s <= part.end_s) for part in parts]
    trails = tuple(Trail(k, xy[rows]) for k, rows in enumerate(inside, 1) if rows.any())
    caption = "The flight from above in grey, its recordings in colour." if trails else "The flight from above."
    return GroundMap(truth=(Trail(0, xy),), found=trails, caption=caption)
