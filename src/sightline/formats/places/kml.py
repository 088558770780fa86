"""KML and KMZ: a coloured way for each track, with time where it is known, for Google Earth and its kin.

Source: OGC KML 2.2; ``gx:Track`` of Google's extensions: all moments, then all coordinates, then all values.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sightline.files import whole as whole_file
from sightline.formats.drawing import colour
from sightline.formats.places.about import About
from sightline.formats.places.rows import Rows, bundles, edges_of, flown, names_of, rows_of
from sightline.formats.places.text import chosen, either, fixed, lines, moments, runs_of, short, xml
from sightline.model.positions import Positions

_VALUES = {"speed_mps": "speed (m/s)", "heading_deg": "heading (degrees)", "ce90_m": "90 % circle (m)"}
_AIRCRAFT_RGB = (255, 255, 255)


def write_kml(path: Path, positions: Positions, about: About) -> None:
    """One placemark for each track and one for the aircraft's way, if known; several where one was lost for a while.

    Things lie on the ground; the aircraft flies at its height above the sea, where the log tells that. A track of
    which no time of day is known is a plain line.

    Raises:
        FormatError: the positions have no place on earth.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    followed = rows_of(positions, about).followed
    with whole_file(path) as partial, partial.open("wb") as stream:
        stream.writelines(_document(followed, about))


def write_kmz(path: Path, positions: Positions, about: About) -> None:
    """The same, packed.

    Raises:
        FormatError: the positions have no place on earth.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    followed = rows_of(positions, about).followed
    with whole_file(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        inside = zipfile.ZipInfo("doc.kml")  # of a fixed date, so that equal places make equal files
        inside.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(inside, "w", force_zip64=True) as stream:
            stream.writelines(_document(followed, about))


def _document(rows: Rows, about: About) -> Iterator[bytes]:
    """All of it, piece by piece."""
    fields = "".join(
        f'<gx:SimpleArrayField name="{name}" type="float"><displayName>{shown}</displayName></gx:SimpleArrayField>'
        for name, shown in _VALUES.items()
    )
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2">\n'
        f'<Document>\n<name>{xml(about.name)}</name>\n<Schema id="of-each">{fields}</Schema>\n'.encode()
    )
    if about.flight is not None:
        way = flown(about.flight)
        yield from _placemarks(way, ["aircraft"] * (len(edges_of(way, cut=True)) - 1), _AIRCRAFT_RGB)
    for part in bundles(rows):
        yield from _placemarks(part, names_of(part, about, cut=True), None)
    yield b"</Document>\n</kml>\n"


def _placemarks(rows: Rows, names: list[str], rgb: tuple[int, int, int] | None) -> Iterator[bytes]:
    """One for each line."""
    edges = edges_of(rows, cut=True)
    flies = rgb is not None and bool(np.isfinite(rows.height_sea_m).all())
    height = short(rows.height_sea_m, 2) if flies else chosen(["0"], np.zeros(len(rows), np.int64))
    mode = b"<altitudeMode>absolute</altitudeMode>\n" if flies else b"<altitudeMode>clampToGround</altitudeMode>\n"
    lon, lat = fixed(rows.lon_deg, 7), fixed(rows.lat_deg, 7)
    whens = runs_of(either(lines("<when>", moments(rows.utc), "</when>\n"), ""), edges)
    coords = runs_of(lines("<gx:coord>", lon, " ", lat, " ", height, "</gx:coord>\n"), edges)
    tuples = runs_of(lines(lon, ",", lat, ",", height, "\n"), edges)
    of_each = [
        runs_of(lines("<gx:value>", either(short(getattr(rows, name), 3), ""), "</gx:value>"), edges)
        for name in _VALUES
    ]
    known = ~np.isnat(rows.utc)
    for k, name in enumerate(names):
        when, coord, plain, values = next(whens), next(coords), next(tuples), [next(value) for value in of_each]
        shape = _track(mode, when, coord, values) if known[edges[k] : edges[k + 1]].all() else _line(mode, plain)
        shade = colour(int(rows.number[edges[k]])) if rgb is None else rgb
        yield _begin(name, shade) + shape + b"</Placemark>\n"


def _begin(name: str, rgb: tuple[int, int, int]) -> bytes:
    """The head of a placemark; KML's colours are alpha, blue, green, red."""
    shade = "ff{2:02x}{1:02x}{0:02x}".format(*rgb)
    return (
        f"<Placemark><name>{xml(name)}</name><Style><IconStyle><color>{shade}</color><scale>0.7</scale></IconStyle>"
        f"<LineStyle><color>{shade}</color><width>3</width></LineStyle></Style>\n"
    ).encode()


def _track(mode: bytes, when: bytes, coord: bytes, values: list[bytes]) -> bytes:
    """A way with time."""
    arrays = b"".join(
        b'<gx:SimpleArrayData name="' + name.encode() + b'">' + value + b"</gx:SimpleArrayData>\n"
        for name, value in zip(_VALUES, values, strict=True)
    )
    data = b'<ExtendedData><SchemaData schemaUrl="#of-each">\n' + arrays + b"</SchemaData></ExtendedData>"
    return b"<gx:Track>\n" + mode + when + coord + data + b"</gx:Track>\n"


def _line(mode: bytes, coordinates: bytes) -> bytes:
    """A way without; a point where there is only one place."""
    shape = b"LineString" if coordinates.count(b"\n") > 1 else b"Point"
    tessellate = b"<tessellate>1</tessellate>" if shape == b"LineString" else b""
    inside = tessellate + mode + b"<coordinates>" + coordinates + b"</coordinates>"
    return b"<" + shape + b">" + inside + b"</" + shape + b">\n"
