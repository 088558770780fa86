"""GPX: a track for each thing, for navigation programs.

Source: GPX 1.1 (topografix.com); speed and course as in Garmin's TrackPointExtension v2. ``ele`` is above the sea.
"""

from collections.abc import Iterator
from pathlib import Path

from sightline.files import whole as whole_file
from sightline.formats.places.about import About
from sightline.formats.places.rows import Rows, bundles, edges_of, flown, names_of, rows_of
from sightline.formats.places.text import either, fixed, lines, moments, optional, runs_of, short, xml
from sightline.model.positions import Positions

_BEGIN = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="sightline" xmlns="http://www.topografix.com/GPX/1/1" \
xmlns:tpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">
<metadata><name>{}</name></metadata>
"""


def write(path: Path, positions: Positions, about: About) -> None:
    """One ``trk`` for each track and one for the aircraft's way, if known; times where they are known.

    Raises:
        FormatError: the positions have no place on earth.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    followed = rows_of(positions, about).followed
    with whole_file(path) as partial, partial.open("wb") as stream:
        stream.write(_BEGIN.format(xml(about.name)).encode())
        if about.flight is not None:
            way = flown(about.flight)
            stream.writelines(_tracks(way, ["aircraft"] if len(way) else []))
        for part in bundles(followed):
            stream.writelines(_tracks(part, names_of(part, about)))
        stream.write(b"</gpx>\n")


def _tracks(rows: Rows, names: list[str]) -> Iterator[bytes]:
    """One for each number, with a segment for each stretch in which it was seen."""
    edges = edges_of(rows)
    course = optional("<tpx:course>", short(rows.heading_deg, 2), "</tpx:course>")
    moving = lines(
        "<extensions><tpx:TrackPointExtension><tpx:speed>", short(rows.speed_mps, 3), "</tpx:speed>", course,
        "</tpx:TrackPointExtension></extensions>",
    )  # fmt: skip
    points = lines(
        '<trkpt lat="', fixed(rows.lat_deg, 7), '" lon="', fixed(rows.lon_deg, 7), '">',
        optional("<ele>", short(rows.height_sea_m, 2), "</ele>"),
        optional("<time>", moments(rows.utc), "</time>"),
        either(moving, ""), "</trkpt>\n",
    )  # fmt: skip
    begins = dict(zip(edges[:-1].tolist(), names, strict=True))
    cuts = edges_of(rows, cut=True)
    for first, after, inner in zip(cuts[:-1].tolist(), cuts[1:].tolist(), runs_of(points, cuts), strict=True):
        if first in begins:
            yield f"<trk><name>{xml(begins[first])}</name><number>{rows.number[first]}</number>\n".encode()
        yield b"<trkseg>\n" + inner + b"</trkseg>\n"
        if after in begins or after == len(rows):
            yield b"</trk>\n"
