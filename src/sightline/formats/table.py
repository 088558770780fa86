"""Tracks as an Arrow table, one row per sighting: what CSV and Parquet have in common."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Int

from sightline.errors import FormatError
from sightline.formats.columns import BOX, NAMES, Where, camera_from, refuse, tracks_from
from sightline.model.detections import Extra
from sightline.model.tracks import Tracks

REQUIRED = ("frame_index", "track", *BOX)
"""Columns without which a table is no tracks."""
TEXT = pa.dictionary(pa.int32(), pa.string())
TYPES = {"frame_index": pa.int64(), "track": pa.int64(), "detection": pa.int64(), "camera": TEXT, "class": TEXT}
"""Types of our columns; those not named are float64."""


def table(tracks: Tracks, path: Path) -> pa.Table:
    """The sightings under the names ``NAMES``; extra columns are left to the format. ``path`` is for messages.

    Raises:
        FormatError: an extra column has the name of one of ours.
    """
    for name in tracks.extra:
        if name in NAMES:
            raise FormatError(f"{path}: extra column {name!r} has the name of a column of ours; rename it")
    columns = {
        "camera": _named(np.zeros(len(tracks), np.int64), (tracks.camera,)),
        "frame_index": tracks.frame_index,
        "t_s": pa.array(tracks.t_s, from_pandas=True),
        "track": tracks.number,
        **{name: np.ascontiguousarray(tracks.xyxy_px[:, k]) for k, name in enumerate(BOX)},
        "score": tracks.score,
        "class": _named(tracks.label, tracks.classes),
        "detection": tracks.detection,
    }
    return pa.table(columns)


def _named(which: Int[np.ndarray, " n"], names: tuple[str, ...]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(which, pa.int32()), pa.array(names, pa.string()))


def tracks_in(
    found: pa.Table, path: Path, where: Where, extra: Extra, classes: tuple[str, ...] | None = None
) -> Tracks:
    """The sightings in a table that was read; ``classes``, where given, are the names that labels index.

    Raises:
        FormatError: a column is missing, of the wrong type, or has a number that means nothing.
    """
    missing = [name for name in REQUIRED if name not in found.column_names]
    if missing:
        there = ", ".join(found.column_names)
        raise FormatError(f"{path}: no column {missing[0]!r}; needed are {', '.join(REQUIRED)}; there are: {there}")
    columns = {name: _column(found, name, path, where) for name in NAMES if name in found.column_names}
    camera, kind = (_indexed(columns.pop(name, None)) for name in ("camera", "class"))
    numbers = {name: column.to_numpy() for name, column in columns.items()}
    refuse(where, numbers)
    label, names = kind or (np.zeros(len(found), np.int64), ("object",))
    if classes is not None and {*names} <= {*classes}:
        label, names = np.array([classes.index(name) for name in names], np.int64)[label], classes
    return tracks_from(camera_from(path, *camera, where) if camera else path.stem, numbers, label, names, extra)


def _column(found: pa.Table, name: str, path: Path, where: Where) -> pa.ChunkedArray:
    """One column of ours, of our type and without gaps."""
    column, wanted = found[name], TYPES.get(name, pa.float64())
    kinds = pa.types.is_string, pa.types.is_large_string, pa.types.is_dictionary
    fits = any(kind(column.type) for kind in kinds) == (wanted == TEXT)
    try:
        column = column.cast(wanted) if fits else None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        fits = False
    if not fits:
        raise FormatError(f"{path}: column {name!r} is of type {found[name].type}, expected {wanted}")
    if column.null_count and name != "t_s":
        row = int(np.argmax(column.is_null().to_numpy()))
        raise FormatError(f"{where(row)}: {name} is empty")
    return column


def _indexed(column: pa.ChunkedArray | None) -> tuple[Int[np.ndarray, " n"], tuple[str, ...]] | None:
    """Texts as indices into the different ones, in the order in which they come up."""
    if column is None or not len(column):
        return None
    texts = column.combine_chunks()
    texts = texts if isinstance(texts, pa.DictionaryArray) else column.unify_dictionaries().combine_chunks()
    return texts.indices.to_numpy().astype(np.int64), tuple(texts.dictionary.to_pylist())
