"""PLY: a cloud of points with normals, colours and confidence, as meshing and splatting programs read it.

Source: Turk, The PLY Polygon File Format, 1994.
"""

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Float32, Shaped, UInt8

from sightline.errors import FormatError
from sightline.files import whole
from sightline.formats.scenes.about import about, json_text
from sightline.model.scene import DensePoints, Scene

COMMENT = "sightline "
"""Begins the header's comment that says what made the points, in JSON."""
_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float32": "f4", "float64": "f8",
}  # fmt: skip
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_LONGEST_HEADER = 1 << 20
_ROWS = 1 << 16
_PLACE, _NORMAL = ("x", "y", "z"), ("nx", "ny", "nz")
_COLOURS = (("red", "green", "blue"), ("r", "g", "b"), ("diffuse_red", "diffuse_green", "diffuse_blue"))


def write(scene: Scene, points: DensePoints, path: Path) -> None:
    """Puts ``points`` of ``scene`` into the file: binary, little endian; normals that are not known are 0 0 0.

    ``x y z nx ny nz`` (float), ``red green blue`` (uchar): what splatting trainers start from; then ``confidence`` and
    ``view`` where the points have them, as float, since COLMAP takes no file with integers in it.
    A comment says what made the scene.

    Raises:
        FormatError: settings that JSON cannot say.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    kinds = [*((name, "<f4") for name in (*_PLACE, *_NORMAL)), *((name, "u1") for name in _COLOURS[0])]
    kinds += [("confidence", "<f4")] if points.confidence is not None else []
    kinds += [("view", "<f4")] if points.view is not None else []
    names = {"<f4": "float", "u1": "uchar"}
    header = ["ply", "format binary_little_endian 1.0", f"comment {COMMENT}{json_text(path, about(scene))}"]
    header += [f"element vertex {len(points)}", *(f"property {names[kind]} {name}" for name, kind in kinds)]
    with whole(path) as partial, partial.open("wb") as stream:
        stream.write("\n".join([*header, "end_header\n"]).encode())
        for start in range(0, len(points), _ROWS):
            stream.write(_rows(points, slice(start, start + _ROWS), np.dtype(kinds)).data)


def _rows(points: DensePoints, which: slice, kind: np.dtype) -> Shaped[np.ndarray, " n"]:
    """Some points as the file has them."""
    xyz = points.xyz_scene[which]
    rows = np.zeros(len(xyz), kind)
    for k in range(3):
        rows[_PLACE[k]] = xyz[:, k]
        rows[_COLOURS[0][k]] = points.rgb[which, k]
        if points.normal_scene is not None:
            rows[_NORMAL[k]] = np.nan_to_num(points.normal_scene[which, k])
    if points.confidence is not None:
        rows["confidence"] = points.confidence[which]
    if points.view is not None:
        rows["view"] = points.view[which]
    return rows


@dataclass(frozen=True, slots=True)
class _Element:
    """One kind of thing in the file."""

    name: str
    """Such as vertex."""
    count: int
    """How many."""
    properties: tuple[tuple[str, str], ...]
    """Names and types; the type of a list is empty."""


def read(path: Path) -> DensePoints:
    """The points in the file, ASCII or binary, also those that others wrote; faces and the like are passed over.

    White where there is no colour. Normals of 0 0 0 come back as NaN; where all are, as none.

    Raises:
        FormatError: names the file and what was expected in it.
        OSError: the file cannot be read.
    """
    with path.open("rb") as stream:
        order, elements = _header(path, stream)
        for element in elements:
            if element.name == "vertex":
                return _points(path, _table(path, stream, order, element))
            _table(path, stream, order, element)
    raise FormatError(f"{path}: no element 'vertex'; it holds {', '.join(e.name for e in elements) or 'nothing'}")


def _header(path: Path, stream: BinaryIO) -> tuple[str, list[_Element]]:
    """The byte order (empty: ASCII) and the kinds of things."""
    if stream.readline(_LONGEST_HEADER).strip() != b"ply":
        raise FormatError(f"{path}: not PLY, which begins with a line 'ply'")
    order: str | None = None
    elements: list[_Element] = []
    for number in range(2, _LONGEST_HEADER):
        line = stream.readline(_LONGEST_HEADER).decode("utf-8", "replace")
        words = line.split()
        where = f"{path}: header line {number}: {line.strip()[:60]!r}"
        match words:
            case [] if not line:
                raise FormatError(f"{path}: the header has no line 'end_header'")
            case ["end_header"] if order is not None:
                return order, elements
            case ["format", name, *_] if name in _ORDERS:
                order = _ORDERS[name]
            case ["element", name, count] if count.isdecimal():
                elements.append(_Element(name, int(count), ()))
            case ["property", *kind, name] if elements:
                elements[-1] = _with(elements[-1], name, kind, where)
            case [] | ["comment" | "obj_info", *_]:
                pass
            case _:
                raise FormatError(f"{where}, expected format, element, property or comment")
    raise FormatError(f"{path}: the header does not end")


def _with(element: _Element, name: str, kind: Sequence[str], where: str) -> _Element:
    """The element with one more property."""
    if kind[:1] == ["list"]:
        return _Element(element.name, element.count, (*element.properties, (name, "")))
    if len(kind) != 1 or kind[0] not in _TYPES:
        raise FormatError(f"{where}, expected a type such as float or uchar, and a name")
    if name in dict(element.properties):
        raise FormatError(f"{where}, but there is a property {name!r} already")
    return _Element(element.name, element.count, (*element.properties, (name, _TYPES[kind[0]])))


def _table(path: Path, stream: BinaryIO, order: str, element: _Element) -> Shaped[np.ndarray, " n"]:
    """All things of one kind."""
    if "" in dict(element.properties).values():
        if element.name == "vertex" or order:
            raise FormatError(f"{path}: lists in element {element.name!r}, before or among the points")
        for _ in zip(range(element.count), stream, strict=False):
            pass
        return np.zeros(0)
    if not element.properties:
        raise FormatError(f"{path}: element {element.name!r} has no properties")
    kind = np.dtype([(name, f"{order or '='}{of}") for name, of in element.properties])
    if not order:
        return _ascii(path, stream, element, kind)
    here = stream.tell()
    left = stream.seek(0, io.SEEK_END) - here
    stream.seek(here)
    if element.count * kind.itemsize > left:
        says = f"{element.count:,} rows of {kind.itemsize} bytes in element {element.name!r}"
        raise FormatError(f"{path}: cut off: the header says {says}, {left:,} bytes are left")
    return np.fromfile(stream, kind, element.count)


def _ascii(path: Path, stream: BinaryIO, element: _Element, kind: np.dtype) -> Shaped[np.ndarray, " n"]:
    """All things of one kind, one per line."""
    if not element.count:
        return np.zeros(0, kind)
    lines = (line for line in stream if line.strip())
    first = list(islice(lines, 1))
    if not first:
        raise FormatError(f"{path}: element {element.name!r}: the file ends, expected {element.count} lines")
    try:
        numbers = np.loadtxt(
            chain(first, lines), np.float64, comments=None, max_rows=min(element.count, sys.maxsize), ndmin=2
        )
    except ValueError as error:
        raise FormatError(f"{path}: element {element.name!r}: {str(error).splitlines()[0]}") from None
    if numbers.shape != (element.count, len(kind.fields or ())):
        found, wide = numbers.shape
        expected = f"{element.count} lines of {len(kind.fields or ())} numbers"
        raise FormatError(f"{path}: element {element.name!r}: {found} lines of {wide}, expected {expected}")
    table = np.zeros(element.count, kind)
    for k, name in enumerate(kind.names or ()):
        table[name] = numbers[:, k]
    return table


def _points(path: Path, table: Shaped[np.ndarray, " n"]) -> DensePoints:
    """The columns that mean something here."""
    there = set(table.dtype.names or ())
    if not there >= {*_PLACE}:
        missing = ", ".join(name for name in _PLACE if name not in there)
        raise FormatError(f"{path}: element 'vertex' has no property {missing}")
    normal = _columns(table, _NORMAL) if there >= {*_NORMAL} else None
    if normal is not None:
        unknown = (normal == 0).all(axis=1)
        normal[unknown] = np.nan
        normal = None if unknown.all() else normal
    return DensePoints(
        _columns(table, _PLACE),
        _colours(table),
        normal,
        table["confidence"].astype(np.float32) if "confidence" in there else None,
        table["view"].astype(np.int64) if "view" in there else None,
    )


def _columns(table: Shaped[np.ndarray, " n"], names: tuple[str, ...]) -> Float32[np.ndarray, "n 3"]:
    joined = np.empty((len(table), len(names)), np.float32)
    for k, name in enumerate(names):
        joined[:, k] = table[name]
    return joined


def _colours(table: Shaped[np.ndarray, " n"]) -> UInt8[np.ndarray, "n 3"]:
    """Bytes as they stand; fractions are of 255."""
    rgb = np.full((len(table), 3), 255, np.uint8)
    for names in _COLOURS:
        if {*names} <= set(table.dtype.names or ()):
            for k, name in enumerate(names):
                column = table[name]
                is_byte = column.dtype.kind != "f"
                rgb[:, k] = column if is_byte else np.clip(np.nan_to_num(column) * 255 + 0.5, 0, 255)
            break
    return rgb
