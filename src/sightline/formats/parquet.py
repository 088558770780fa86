"""Parquet: the same columns as CSV, small, fast and typed, for DuckDB, pandas, Spark and the like."""

import json
import math
from pathlib import Path
from typing import Any, final

import numpy as np
import pyarrow as pa
from jaxtyping import Shaped
from pyarrow import parquet

from sightline.errors import FormatError
from sightline.files import whole
from sightline.formats import native
from sightline.formats.columns import NAMES
from sightline.formats.table import table, tracks_in
from sightline.model.tracks import Tracks

KEY = b"sightline"
"""Of the file's metadata: a JSON object with ``version``, ``camera`` and ``classes``."""
SHAPE = b"shape"
"""Of an extra column's metadata: the shape of one row, such as ``[2, 3]``."""
VERSION = 1


@final
class Parquet:
    """The columns of CSV with their types, packed by Zstandard; camera and class as dictionaries.

    Everything comes back: class names that no row has, types and shapes of extra columns. One of several numbers
    per row is a list of fixed length; its shape stands in the column's metadata.
    """

    def __init__(self, *, level: int = 3) -> None:
        """``level`` is Zstandard's: 1 is fast, 19 small."""
        self._level = level

    def write(self, tracks: Tracks, path: Path) -> None:
        """Puts the tracks into the file.

        Raises:
            FormatError: an extra column that Arrow has no type for.
            OSError: the file cannot be written; nothing is left under its name then.
        """
        full = table(tracks, path)
        for name, column in tracks.extra.items():
            field, values = _packed(name, column, path)
            full = full.append_column(field, values)
        about = {"version": VERSION, "camera": tracks.camera, "classes": tracks.classes}
        full = full.replace_schema_metadata({KEY: json.dumps(about).encode()})
        with whole(path) as partial:
            parquet.write_table(full, partial, compression="zstd", compression_level=self._level)

    def read(self, path: Path) -> Tracks:
        """The tracks in the file, oldest picture first. Columns are needed and made up for as in CSV.

        Raises:
            FormatError: names the file, the row (from 1) and the column, and what was expected there.
            OSError: the file cannot be read.
        """
        with native.opened(path) as stream:
            try:
                found = parquet.read_table(stream)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
                raise FormatError(f"{path}: not a sound Parquet file ({str(error).splitlines()[0]})") from None
        about = _about(path, found)
        extra = {name: _unpacked(found, name, path) for name in found.column_names if name not in NAMES}
        classes = about.get("classes")
        tracks = tracks_in(found, path, lambda row: f"{path}: row {row + 1}", extra, classes)
        return tracks if len(tracks) or not about else _empty(tracks, about)


def _packed(name: str, column: Shaped[np.ndarray, "n ..."], path: Path) -> tuple[pa.Field, pa.Array]:
    """An extra column as Arrow has it: flat, or as lists of fixed length."""
    shape, width = column.shape[1:], math.prod(column.shape[1:])
    try:
        values = pa.array(np.ascontiguousarray(column).reshape(-1))
        if shape:
            values = pa.FixedSizeListArray.from_arrays(values, width) if width else None
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        values = None
    if values is None:
        raise FormatError(f"{path}: extra column {name!r} ({column.dtype}, {shape} per row) has no Parquet type")
    return pa.field(name, values.type, metadata={SHAPE: json.dumps(shape).encode()}), values


def _unpacked(found: pa.Table, name: str, path: Path) -> Shaped[np.ndarray, "n ..."]:
    """An extra column as numpy has it."""
    field, column = found.schema.field(name), found[name].combine_chunks()
    if not pa.types.is_fixed_size_list(field.type):
        return _array(column)
    if column.null_count:
        raise FormatError(f"{path}: column {name!r} has empty rows, expected {field.type.list_size} numbers in each")
    shape = json.loads((field.metadata or {}).get(SHAPE, b"null")) or [field.type.list_size]
    return _array(column.flatten()).reshape(len(column), *shape)


def _array(column: pa.Array) -> Shaped[np.ndarray, " n"]:
    values = column.to_numpy(zero_copy_only=False)
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return values.astype(str) if is_text and not column.null_count else values


def _about(path: Path, found: pa.Table) -> dict[str, Any]:
    """What the file says of itself; nothing in a file that others wrote."""
    text = (found.schema.metadata or {}).get(KEY)
    if text is None:
        return {}
    try:
        about: dict[str, Any] = json.loads(text)
        later = about["version"] > VERSION
        about = {"camera": str(about["camera"]), "classes": tuple(map(str, about["classes"]))}
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{path}: metadata {KEY.decode()!r} is damaged ({error!r}); write the file again") from None
    if later:
        raise FormatError(f"{path}: written by a later version of sightline; update it")
    return about


def _empty(tracks: Tracks, about: dict[str, Any]) -> Tracks:
    """No rows, which cannot say whose they are; the file's metadata can."""
    return Tracks(**({name: getattr(tracks, name) for name in Tracks.__slots__} | about))
