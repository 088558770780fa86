"""GeoJSON: a point for each place, or a line for each track.

Source: RFC 7946: longitude first, degrees of WGS84, lines cut at the 180th meridian, heights above the ellipsoid only.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Int

from sightline.files import whole as whole_file
from sightline.formats.places.about import About
from sightline.formats.places.rows import Rows, bundles, edges_of, flown, rows_of
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
)
from sightline.model.positions import Positions

_END = b"\n]}\n"


def write_points(path: Path, positions: Positions, about: About) -> None:
    """One point for each row that has a place, in their order, with time, speed, heading and circle.

    Raises:
        FormatError: the positions have no place on earth.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    placed = rows_of(positions, about).placed
    names = [json.dumps(name) for name in about.classes]
    with whole_file(path) as partial, partial.open("wb") as stream:
        stream.write(_begin(about))
        for k, part in enumerate(parts(placed)):
            texts = _points(part, names)
            put(stream, lines("" if k == 0 else ",\n", texts.slice(0, 1)))
            put(stream, lines(",\n", texts.slice(1)))
        stream.write(_END)


def write_lines(path: Path, positions: Positions, about: About) -> None:
    """One line for each track, with times, speeds, headings and circles as lists beside its coordinates.

    A track of one place is a point; one that crosses the 180th meridian, or was not seen for a while, is several
    features of one number. The aircraft's way, if known, comes first, as track 0 of class "aircraft".

    Raises:
        FormatError: the positions have no place on earth.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    followed = rows_of(positions, about).followed
    with whole_file(path) as partial, partial.open("wb") as stream:
        stream.write(_begin(about))
        n = 0
        if about.flight is not None:
            n += _put_lines(stream, flown(about.flight), ("aircraft",), n)
        for part in bundles(followed):
            n += _put_lines(stream, part, about.classes, n)
        stream.write(_END)


def _begin(about: About) -> bytes:
    name = json.dumps(about.name)
    return f'{{"type":"FeatureCollection","name":{name},"features":[\n'.encode()


def _coordinates(rows: Rows) -> Texts:
    """Longitude, latitude, and the height where that above the ellipsoid is known."""
    height = optional(",", short(rows.height_ellipsoid_m, 2), "")
    return lines("[", fixed(rows.lon_deg, 7), ",", fixed(rows.lat_deg, 7), height, "]")


def _points(rows: Rows, names: list[str]) -> Texts:
    """Features."""
    time = either(lines('"', moments(rows.utc), '"'), "null")
    return lines(
        '{"type":"Feature","geometry":{"type":"Point","coordinates":', _coordinates(rows),
        '},"properties":{"track":', whole(rows.number), ',"class":', chosen(names, rows.label),
        ',"frame":', whole(rows.frame_index), ',"t_s":', either(short(rows.t_s, 4), "null"), ',"time":', time,
        ',"speed_mps":', either(short(rows.speed_mps, 3), "null"),
        ',"heading_deg":', either(short(rows.heading_deg, 2), "null"),
        ',"ce90_m":', either(short(rows.ce90_m, 3), "null"), "}}",
    )  # fmt: skip


def _put_lines(stream: BinaryIO, rows: Rows, classes: tuple[str, ...], n_before: int) -> int:
    """Writes a feature for each line; how many that were."""
    edges = edges_of(rows, cut=True)
    stream.writelines(
        (b",\n" if k else b"") + feature for k, feature in enumerate(_features(rows, edges, classes), n_before)
    )
    return len(edges) - 1


def _features(rows: Rows, edges: Int[np.ndarray, " k1"], classes: tuple[str, ...]) -> Iterator[bytes]:
    """One for each line."""
    columns: dict[str, Texts] = {
        "times": lines('"', moments(rows.utc), '"'),
        "t_s": short(rows.t_s, 4),
        "speeds_mps": short(rows.speed_mps, 3),
        "headings_deg": short(rows.heading_deg, 2),
        "ce90s_m": short(rows.ce90_m, 3),
    }
    lists = [list(runs_of(lines(either(texts, "null"), ","), edges)) for texts in columns.values()]
    for k, places in enumerate(runs_of(lines(_coordinates(rows), ","), edges)):
        first, after = int(edges[k]), int(edges[k + 1])
        point = after - first == 1
        about: dict[str, Any] = {"track": int(rows.number[first]), "class": classes[rows.label[first]]}
        shape = b"Point" if point else b"LineString"
        inside = places[:-1] if point else b"[" + places[:-1] + b"]"
        said = b",".join(
            b'"' + name.encode() + b'":[' + values[k][:-1] + b"]" for name, values in zip(columns, lists, strict=True)
        )
        yield (
            b'{"type":"Feature","geometry":{"type":"' + shape + b'","coordinates":' + inside
            + b'},"properties":' + json.dumps(about, separators=(",", ":"))[:-1].encode() + b"," + said + b"}}"
        )  # fmt: skip
