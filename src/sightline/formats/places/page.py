"""A page that shows places without a network: ways from above with their circles, and a line for each track."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from sightline.formats.places.about import About
from sightline.formats.places.rows import Rows, edges_of, flown, names_of, rows_of
from sightline.formats.report import GroundMap, Listing, Number, ReportPage, Trail
from sightline.formats.report import write as write_report
from sightline.geodesy.enu import enu_from_wgs84
from sightline.model.positions import Origin, Positions

_MEANING = {
    "90 % circle": "The true place is within it in nine cases of ten; half of all places are known better than this. "
    "On the map it is drawn where a track ends.",
}
_POINTS = 60_000
"""Of all lines of the map together."""
_POINTS_OF_ONE = 500
"""Of one line; a plot would thin more by itself, breaks and all."""
_LINES = 500
"""Of the table."""
_HEAD = ("Track", "From", "To", "Way", "Mean speed", "Top speed", "90 % circle", "Last seen at")


def write(path: Path, positions: Positions, about: About) -> None:
    """One HTML file; nothing is fetched from elsewhere.

    Raises:
        FormatError: the positions have no place on earth.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    everything = rows_of(positions, about)
    rows, origin = everything.followed, positions.origin or Origin(0.0, 0.0)
    edges, names = edges_of(rows), names_of(rows, about)
    told = list(_lines(rows, edges, names, origin))
    longest = np.argsort(edges[:-1] - edges[1:], kind="stable")[:_LINES]
    rest = len(told) - len(longest)
    page = ReportPage(
        title=f"Places in {about.name}",
        lead=_lead(everything, len(told)),
        numbers=_numbers(everything, len(told)),
        ground=GroundMap(
            truth=_way(about, origin, rows.t_s), found=_trails(rows, edges, origin), caption=_caption(about)
        ),
        listing=Listing(
            "Tracks",
            _HEAD,
            tuple(told[k] for k in sorted(longest)),
            f"The {len(longest)} longest; {rest} more are not shown." if rest else "",
        ),
        meaning=_MEANING,
        made=(("Metres are counted from", f"{origin.lat_deg:.6f}, {origin.lon_deg:.6f} ({origin.name})"),),
        warnings=about.warnings,
    )
    write_report(path, page)


def _lead(rows: Rows, n_tracks: int) -> str:
    """What there is."""
    known = rows.utc[~np.isnat(rows.utc)]
    when = f", from {str(known.min()).replace('T', ' ')} UTC" if len(known) else ""
    return f"{n_tracks} track{'' if n_tracks == 1 else 's'} placed on the ground{when}."


def _numbers(rows: Rows, n_tracks: int) -> tuple[Number, ...]:
    """Those of the whole."""
    placed = np.isfinite(rows.lat_deg)
    numbers = [Number.count("tracks", n_tracks), Number.count("rows", len(rows))]
    if len(rows):
        numbers.append(Number.percent("placed", float(placed.mean())))
    circles = rows.ce90_m[np.isfinite(rows.ce90_m)]
    if len(circles):
        numbers.append(Number("90 % circle", f"{float(np.median(circles)):.1f} m"))
    return tuple(numbers)


def _caption(about: About) -> str:
    return "Tracks in colour; the circles hold the true place in nine cases of ten." + (
        " The aircraft's way is grey." if about.flight is not None else ""
    )


def _trails(rows: Rows, edges: np.ndarray, origin: Origin) -> tuple[Trail, ...]:
    """One for each track, thinned to what can be seen, and broken where it was not seen for a while."""
    xy = _xy(rows, origin)
    stretch = np.searchsorted(edges_of(rows, cut=True), np.arange(len(rows)), side="right")
    most = int(np.clip(_POINTS // max(len(edges) - 1, 1), 10, _POINTS_OF_ONE))
    trails = []
    for first, after in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        which = np.unique(np.linspace(first, after - 1, min(after - first, most)).astype(int))
        circle = float(rows.ce90_m[after - 1])
        line = np.insert(xy[which], np.flatnonzero(np.diff(stretch[which])) + 1, np.nan, axis=0)
        trails.append(Trail(int(rows.number[first]), line, circle if np.isfinite(circle) else None))
    return tuple(trails)


def _way(about: About, origin: Origin, t_s: Float[np.ndarray, " n"]) -> tuple[Trail, ...]:
    """Where the aircraft was while these were seen; all its way where that is not known."""
    if about.flight is None:
        return ()
    way = flown(about.flight)
    known = t_s[np.isfinite(t_s)]
    if about.log_from_video_s is not None and len(known):
        first, last = np.array([known.min(), known.max()]) + about.log_from_video_s
        way = way.rows((way.t_s >= first) & (way.t_s <= last))
    return (Trail(0, _xy(way, origin)),)


def _xy(rows: Rows, origin: Origin) -> Float[np.ndarray, "n 2"]:
    """Metres east and north."""
    return enu_from_wgs84(origin, rows.lat_deg, rows.lon_deg, np.full(len(rows), origin.height_m))[:, :2]


def _lines(rows: Rows, edges: np.ndarray, names: list[str], origin: Origin) -> Iterator[tuple[str, ...]]:
    """A line of the table for each track."""
    xy = _xy(rows, origin)
    for name, first, after in zip(names, edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = slice(first, after)
        way = float(np.hypot(*np.diff(xy[part], axis=0).T).sum())
        yield (
            name,
            _moment(rows, first),
            _moment(rows, after - 1),
            f"{way:.1f} m",
            _middle(rows.speed_mps[part], np.mean, "m/s"),
            _middle(rows.speed_mps[part], np.max, "m/s"),
            _middle(rows.ce90_m[part], np.median, "m"),
            f"{rows.lat_deg[after - 1]:.6f}, {rows.lon_deg[after - 1]:.6f}",
        )


def _moment(rows: Rows, k: int) -> str:
    """Time of day if known, else seconds."""
    return f"{rows.t_s[k]:.1f} s" if np.isnat(rows.utc[k]) else f"{str(rows.utc[k])[11:21]}"


def _middle(values: np.ndarray, of: Callable[[np.ndarray], np.floating], unit: str) -> str:
    """One number for all that are known."""
    known = values[np.isfinite(values)]
    return f"{float(of(known)):.1f} {unit}" if len(known) else "unknown"
