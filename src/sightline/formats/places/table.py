"""Tables of places: CSV for spreadsheets, and GeoParquet, which holds everything and is read back.

Source: GeoParquet 1.1.0 (points as WKB in a column ``geometry``; no ``crs`` means longitude and latitude of WGS84).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float, Int
from pyarrow import parquet

from sightline.errors import FormatError
from sightline.files import whole as whole_file
from sightline.formats import native
from sightline.formats.places.about import About
from sightline.formats.places.rows import AT_ONCE, Rows, rows_of
from sightline.formats.places.text import Texts, chosen, either, fixed, lines, moments, put, short, whole
from sightline.model.positions import Origin, Positions

KEY = b"sightline"
"""Of the file's metadata: a JSON object with version, origin, name, UTC, what heights count from, and classes."""
VERSION = 1
_LATEST_NS = 2**63
_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("lon_lat", "<f8", 2)])
_AXES = ("east", "north", "up")
_UPPER = tuple(zip(*np.triu_indices(3), strict=True))
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COMPUTED = ("height_ellipsoid_m", "height_sea_m", "ce90_m", "speed_mps", "heading_deg")
_NAMES = (
    "track", "class", "frame", "t_s", "time", "latitude", "longitude", *_COMPUTED, *(f"{axis}_m" for axis in _AXES)
)  # fmt: skip


def write_csv(path: Path, positions: Positions, about: About) -> None:
    """One line for each row, in their order; what is not known is empty. Texts that look like formulas get a quote.

    Raises:
        FormatError: the positions have no place on earth.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    rows = rows_of(positions, about)
    classes = [_quoted(f"'{name}" if name.startswith(_FORMULA) else name) for name in about.classes]
    with whole_file(path) as partial, partial.open("wb") as stream:
        stream.write((",".join(_NAMES) + "\n").encode())
        for first in range(0, len(rows), AT_ONCE):
            which = slice(first, first + AT_ONCE)
            put(stream, _csv_lines(rows.rows(which), positions.xyz_enu_m[which], classes))


def _csv_lines(rows: Rows, xyz_enu_m: Float[np.ndarray, "n 3"], classes: list[str]) -> Texts:
    """The rows as CSV has them."""
    columns = [
        whole(rows.number),
        chosen(classes, rows.label),
        whole(rows.frame_index),
        short(rows.t_s, 4),
        moments(rows.utc),
        fixed(rows.lat_deg, 7),
        fixed(rows.lon_deg, 7),
        *(short(getattr(rows, name), 3) for name in _COMPUTED),
        *(short(column, 3) for column in xyz_enu_m.T),
    ]
    pieces = [piece for column in columns for piece in (",", either(column, ""))]
    return lines(*pieces[1:], "\n")


def _quoted(name: str) -> str:
    """A text as CSV has it."""
    return '"' + name.replace('"', '""') + '"' if any(mark in name for mark in '",\r\n') else name


def write_parquet(path: Path, positions: Positions, about: About) -> None:
    """One row for each, in their order, with a point for GIS, and all that ``read_parquet`` gives back.

    Raises:
        FormatError: the positions have no place on earth.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    rows = rows_of(positions, about)
    columns = {
        "track": pa.array(positions.number),
        "class": pa.DictionaryArray.from_arrays(pa.array(rows.label, pa.int32()), pa.array(about.classes, pa.string())),
        "frame": pa.array(positions.frame_index),
        "t_s": _nullable(positions.t_s),
        "time": pa.array(rows.utc).cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC")),
        "latitude": _nullable(rows.lat_deg),
        "longitude": _nullable(rows.lon_deg),
        **{name: _nullable(getattr(rows, name)) for name in _COMPUTED},
        **_own(positions),
        "geometry": _points(rows),
    }
    table = pa.table(columns).replace_schema_metadata({b"geo": _geo(rows), KEY: _about(positions, about)})
    with whole_file(path) as partial:
        parquet.write_table(table, partial, compression="zstd")


def read_parquet(path: Path) -> tuple[Positions, About]:
    """What ``write_parquet`` wrote; the aircraft's way is not in it.

    Raises:
        FormatError: the file is not one of those, or of a later version.
        OSError: it cannot be read.
    """
    with native.opened(path) as stream:
        try:
            table = parquet.read_table(stream)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            raise FormatError(f"{path}: not a sound Parquet file ({str(error).splitlines()[0]})") from None
    text = (table.schema.metadata or {}).get(KEY)
    try:
        said: dict[str, Any] = json.loads(text or "{}")
        is_later = said.get("version", VERSION) > VERSION
        found = None if is_later else (_read(table, Origin(**said["origin"])), _told(table, **said["about"]))
    except (KeyError, TypeError, AttributeError, ValueError, pa.ArrowException) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(f"{path}: holds no places as sightline writes them ({why})") from None
    if found is None:
        raise FormatError(f"{path}: written by a later version of sightline; update it")
    return found


def _told(table: pa.Table, name: str, utc_ns: int | None, height_is: Any, classes: list[str]) -> About:
    """What is to be known of the places besides.

    Raises:
        ValueError: it makes no sense.
    """
    label = table["class"].combine_chunks().indices.to_numpy().astype(np.int64)
    if not all(isinstance(one, str) for one in (name, *classes)) or not {*label.tolist()} <= {*range(len(classes))}:
        raise ValueError("names or classes")
    if not (utc_ns is None or abs(utc_ns) < _LATEST_NS) or height_is not in {"ellipsoid", "sea", "unknown"}:
        raise ValueError("utc_ns or height_is")
    return About(name=name, utc_ns=utc_ns, height_is=height_is, classes=tuple(classes), label=label)


def _own(positions: Positions) -> dict[str, pa.Array]:
    """Metres about the origin, and covariances."""
    columns = {f"{axis}_m": positions.xyz_enu_m[:, k] for k, axis in enumerate(_AXES)}
    columns |= {f"velocity_{axis}_mps": positions.velocity_enu_mps[:, k] for k, axis in enumerate(_AXES)}
    for i, j in _UPPER:
        columns[f"cov_{_AXES[i]}_{_AXES[j]}_m2"] = positions.cov_enu_m2[:, i, j]
    for i, j in _UPPER:
        columns[f"cov_velocity_{_AXES[i]}_{_AXES[j]}_m2ps2"] = positions.cov_velocity_m2ps2[:, i, j]
    return {name: _nullable(column) for name, column in columns.items()}


def _read(table: pa.Table, origin: Origin) -> Positions:
    """The positions in the table."""

    def column(name: str) -> Float[np.ndarray, " n"]:
        return table[name].to_numpy().astype(float)

    def covariance(name: str, unit: str) -> Float[np.ndarray, "n 3 3"]:
        cov = np.empty((len(table), 3, 3))
        for i, j in _UPPER:
            cov[:, i, j] = cov[:, j, i] = column(f"{name}_{_AXES[i]}_{_AXES[j]}_{unit}")
        return cov

    def whole_numbers(name: str) -> Int[np.ndarray, " n"]:
        return pc.cast(table[name], pa.int64()).to_numpy()

    return Positions(
        origin=origin,
        frame_index=whole_numbers("frame"),
        t_s=column("t_s"),
        number=whole_numbers("track"),
        xyz_enu_m=np.stack([column(f"{axis}_m") for axis in _AXES], axis=1),
        cov_enu_m2=covariance("cov", "m2"),
        velocity_enu_mps=np.stack([column(f"velocity_{axis}_mps") for axis in _AXES], axis=1),
        cov_velocity_m2ps2=covariance("cov_velocity", "m2ps2"),
    )


def _nullable(column: Float[np.ndarray, " n"]) -> pa.Array:
    """Null for NaN."""
    return pa.array(np.ascontiguousarray(column), from_pandas=True)


def _points(rows: Rows) -> pa.Array:
    """WKB, null where there is no place."""
    known = np.isfinite(rows.lat_deg)
    points = np.zeros(int(known.sum()), _POINT)
    points["order"], points["kind"] = 1, 1  # little-endian, Point
    points["lon_lat"] = np.stack([rows.lon_deg[known], rows.lat_deg[known]], axis=1)
    ends = np.concatenate([[0], np.cumsum(known)]).astype(np.int32) * _POINT.itemsize
    valid = pa.array(known).buffers()[1]
    return pa.Array.from_buffers(pa.binary(), len(rows), [valid, pa.py_buffer(ends), pa.py_buffer(points)])


def _geo(rows: Rows) -> bytes:
    """What GeoParquet says of its columns."""
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": ["Point"]}
    placed = rows.placed
    if len(placed):
        sides = [placed.lon_deg.min(), placed.lat_deg.min(), placed.lon_deg.max(), placed.lat_deg.max()]
        column["bbox"] = [float(side) for side in sides]
    return json.dumps({"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}).encode()


def _about(positions: Positions, about: About) -> bytes:
    """What the columns do not hold."""
    origin = positions.origin
    if origin is None:
        raise FormatError(f"{about.name}: these positions have no place on earth")
    place = {name: getattr(origin, name) for name in Origin.__slots__}
    words = {name: getattr(about, name) for name in ("name", "utc_ns", "height_is", "classes")}
    return json.dumps({"version": VERSION, "origin": place, "about": words}).encode()
