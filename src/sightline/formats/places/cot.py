"""Cursor on Target: one XML event for each place, for TAK and other situation displays.

Source: the CoT base schema 2.0 (MITRE): ``point`` with circle and linear error, ``9999999.0`` where unknown; ``track``
of the detail schema. ``ce`` and ``le`` are radii of 90 %, which the programs show; the schema itself says one sigma.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sightline.errors import FormatError
from sightline.files import whole as whole_file
from sightline.formats.places.about import About
from sightline.formats.places.rows import Rows, rows_of
from sightline.formats.places.text import (
    Texts,
    chosen,
    either,
    fixed,
    lines,
    moments,
    optional,
    parts,
    put,
    runs_of,
    short,
    whole,
    xml,
)
from sightline.model.positions import Positions

UNKNOWN = "9999999.0"
STALE_S = 10
"""An event is out of date so long after its own time."""
_GROUND = "a-u-G"
"""An atom of unknown affiliation on the ground: what a camera from above can tell of anybody."""
_TYPES = {
    **dict.fromkeys(("car", "van", "truck", "bus", "vehicle", "tractor", "trailer"), "a-u-G-E-V"),
    **dict.fromkeys(("boat", "ship"), "a-u-S"),
    **dict.fromkeys(("airplane", "plane", "helicopter", "drone"), "a-u-A"),
}
"""By class: ground equipment that is a vehicle, on the sea, in the air; all else is ``_GROUND``."""


def write(path: Path, positions: Positions, about: About) -> None:
    """All events in one ``events`` element, oldest first.

    Raises:
        FormatError: no time of day is known, or the positions have no place on earth.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    rows = _timed(positions, about)
    with whole_file(path) as partial, partial.open("wb") as stream:
        stream.write(b'<?xml version="1.0" encoding="UTF-8"?>\n<events>\n')
        for part in parts(rows):
            put(stream, _events(part, about))
        stream.write(b"</events>\n")


def events(positions: Positions, about: About) -> Iterator[tuple[float, bytes]]:
    """Each event as XML of its own with its time in seconds of the stream, oldest first: what is sent.

    Raises:
        FormatError: no time of day is known, or the positions have no place on earth.
    """
    rows = _timed(positions, about)
    for part in parts(rows):
        yield from zip(part.t_s.tolist(), runs_of(_events(part, about), np.arange(len(part) + 1)), strict=True)


def _timed(positions: Positions, about: About) -> Rows:
    """Those with a track, a place and a time, oldest first."""
    if about.utc_ns is None:
        raise FormatError(
            f"{about.name}: Cursor on Target needs the time of day (UTC), which is not known; "
            "give the timezone of the log's clock"
        )
    rows = rows_of(positions, about).followed
    rows = rows.rows(~np.isnat(rows.utc))
    return rows.rows(np.argsort(rows.t_s, kind="stable"))


def _events(rows: Rows, about: About) -> Texts:
    """One event, one line each."""
    kinds = [_TYPES.get(name.lower(), _GROUND) for name in about.classes]
    name, start = xml(about.name), moments(rows.utc)
    stale = moments(rows.utc + np.timedelta64(STALE_S, "s"))
    course = optional(' course="', short(rows.heading_deg, 2), '"')
    return lines(
        f'<event version="2.0" uid="{name}.', whole(rows.number), '" type="', chosen(kinds, rows.label),
        '" how="m-f" time="', start, '" start="', start, '" stale="', stale,
        '"><point lat="', fixed(rows.lat_deg, 7), '" lon="', fixed(rows.lon_deg, 7),
        '" hae="', either(short(rows.height_ellipsoid_m, 2), UNKNOWN),
        '" ce="', either(short(rows.ce90_m, 2), UNKNOWN), '" le="', either(short(rows.le90_m, 2), UNKNOWN),
        '"/><detail><contact callsign="', chosen([xml(name) for name in about.classes], rows.label), " ",
        whole(rows.number), '"/>',
        either(lines("<track", course, ' speed="', short(rows.speed_mps, 3), '"/>'), ""),
        "</detail></event>\n",
    )  # fmt: skip
