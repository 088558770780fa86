"""Everything that was seen on a site, as Parquet: written as it comes, read again when work is taken up."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Float, Int

from sightline.files import whole
from sightline.model.arrays import Boxes, Scores
from sightline.model.identities import Sightings

_AT_ONCE = 4096
"""Rows that are gathered before they are written."""
_SHARES = ("left_share", "top_share", "right_share", "bottom_share")
_END = "moments"
"""Key in the file's own notes."""
_COLUMNS = ("x_m", "y_m", "xx_m2", "xy_m2", "yy_m2", "left", "top", "right", "bottom")


@final
class SeenFile:
    """Writes rows as they come; the file is there, whole, once the ``with`` is left without an exception."""

    def __init__(self, path: Path, cameras: Sequence[str]) -> None:
        self._whole, self._cameras = whole(path), list(cameras)
        self._parts: list[pa.Table] = []
        self._n = 0
        self._end = 0
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> "SeenFile":
        self._path = self._whole.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            if self._writer is None and not self._parts:
                none = np.zeros(0, np.int64)
                self._parts.append(_table(nothing(self._cameras), none, none, np.zeros((0, 4)), np.zeros(0)))
            self._flush()
        if self._writer is not None:
            self._writer.add_key_value_metadata({_END: str(self._end)})
            self._writer.close()
        self._whole.__exit__(kind, error, trace)

    def add(
        self, index: int, sightings: Sightings, number: Int[np.ndarray, " n"], xyxy_px: Boxes, score: Scores
    ) -> None:
        """The rows of one moment: what was seen, who it was said to be, and where in the picture."""
        self._end = index + 1
        if not len(sightings):
            return
        self._parts.append(_table(sightings, np.full(len(sightings), index), number, xyxy_px, score))
        self._n += len(sightings)
        if self._n >= _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if not self._parts:
            return
        table = pa.concat_tables(self._parts)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)
        self._parts, self._n = [], 0


def end_of(path: Path) -> int:
    """The moment after the last that was watched, whether anybody was seen in it or not."""
    metadata = pq.read_metadata(path).metadata or {}
    return int(metadata[_END.encode()])


def nothing(cameras: Sequence[str], width: int = 0) -> Sightings:
    """Nobody, seen by these cameras; appearance would have so many numbers."""
    none = np.zeros(0, np.int64)
    places = np.zeros((0, 2)), np.zeros((0, 2, 2))
    seen = np.zeros(0, bool), np.zeros((0, width)), np.zeros((0, 4))
    return Sightings(tuple(cameras), none, np.zeros(0), none, *places, *seen)


def read(path: Path, cameras: Sequence[str]) -> tuple[Int[np.ndarray, " n"], Sightings, Int[np.ndarray, " n"]]:
    """Moments, sightings and who they were said to be, in the order in which they were seen."""
    table = pq.read_table(path)
    return table["moment"].to_numpy(), sightings_of(table, cameras), table["identity"].to_numpy()


def sightings_of(table: pa.Table, cameras: Sequence[str]) -> Sightings:
    """The sightings in rows of such a file."""
    column = {name: table[name].to_numpy() for name in table.column_names if name not in {"camera", "look"}}
    xy = np.column_stack([column["x_m"], column["y_m"]])
    cov = np.stack([column["xx_m2"], column["xy_m2"], column["xy_m2"], column["yy_m2"]], axis=1).reshape(-1, 2, 2)
    shares = np.column_stack([column[name] for name in _SHARES])
    seen = column["whole"].astype(bool), looks_of(table).astype(np.float64), shares
    return Sightings(tuple(cameras), camera_of(table, cameras), column["t_s"], column["track"], xy, cov, *seen)


def looks_of(table: pa.Table) -> Float[np.ndarray, "n d"]:
    """Appearance in rows of such a file, in single precision; NaN: not looked at."""
    if "look" not in table.column_names:
        return np.zeros((len(table), 0), np.float32)
    kind = table.schema.field("look").type
    flat = table["look"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.astype(np.float32, copy=False).reshape(len(table), kind.list_size)


def camera_of(table: pa.Table, cameras: Sequence[str]) -> Int[np.ndarray, " n"]:
    """The index of each row's camera among ``cameras``."""
    return np.asarray(pc.index_in(table["camera"], pa.array(cameras, pa.string())).to_numpy(), np.int64)


def by_moment(moments: Int[np.ndarray, " n"], sightings: Sightings) -> Iterator[Sightings]:
    """The rows of each moment, one moment after the other."""
    edges = np.flatnonzero(np.diff(moments, prepend=-1, append=-1)).tolist()
    for first, last in pairwise(edges):
        yield sightings.rows(slice(first, last))


def _table(
    sightings: Sightings,
    moment: Int[np.ndarray, " n"],
    number: Int[np.ndarray, " n"],
    xyxy_px: Boxes,
    score: Scores,
) -> pa.Table:
    n, width = len(sightings), sightings.look.shape[1]
    cov = sightings.cov_enu_m2
    floats = np.column_stack([sightings.xy_enu_m, cov[:, 0, 0], cov[:, 0, 1], cov[:, 1, 1], xyxy_px]).astype(np.float64)
    columns: dict[str, Any] = {
        "moment": moment.astype(np.int64),
        "t_s": sightings.t_s,
        "camera": pa.array(np.array(sightings.cameras, object)[sightings.camera], pa.string()),
        "track": sightings.track.astype(np.int64),
        "identity": number.astype(np.int64),
        "score": np.asarray(score, np.float32),
        "whole": sightings.whole,
    }
    columns |= dict(zip(_COLUMNS, floats.T, strict=True)) | dict(zip(_SHARES, sightings.xyxy_share.T, strict=True))
    if width:
        flat = pa.array(np.ascontiguousarray(sightings.look, np.float32).reshape(n * width))
        columns["look"] = pa.FixedSizeListArray.from_arrays(flat, width)
    return pa.table(columns)
