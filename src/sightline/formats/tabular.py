"""A table in any of the formats that other programs read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float
from pyarrow import csv, parquet

from sightline.files import whole
from sightline.formats import xlsx

TableFormat = Literal["csv", "json", "parquet", "xlsx"]
_FORMULA = "^[=+\\-@\t\r\n]"
_AT_ONCE = 10_000


def write(table: pa.Table, path: Path, kind: TableFormat, json_columns: tuple[str, ...] = ()) -> None:
    """Puts a table into a file.

    In CSV, texts that a spreadsheet would calculate (those that begin with = + - @, a tab or a line's end) begin with
    an apostrophe. In JSON, an array of objects; texts in ``json_columns`` are JSON and become part of it.

    Raises:
        FormatError: more rows than a sheet of XLSX can hold.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    if kind == "xlsx":
        xlsx.write({path.stem: table}, path)
        return
    with whole(path) as partial:
        if kind == "csv":
            csv.write_csv(defused(table), str(partial))
        elif kind == "parquet":
            parquet.write_table(table, partial, compression="zstd")
        else:
            with partial.open("wb") as file:
                file.writelines(_json(table, json_columns))


def defused(table: pa.Table) -> pa.Table:
    """The same; texts that a spreadsheet would calculate begin with an apostrophe."""
    for place, column in enumerate(table.columns):
        if pa.types.is_string(column.type):
            is_formula = pc.fill_null(pc.match_substring_regex(column, _FORMULA), False)
            said = pc.if_else(is_formula, pc.binary_join_element_wise("'", column, ""), column)
            table = table.set_column(place, table.field(place), said)
    return table


def _json(table: pa.Table, json_columns: tuple[str, ...]) -> Iterator[bytes]:
    yield b"["
    for first in range(0, len(table), _AT_ONCE):
        rows = table.slice(first, _AT_ONCE).to_pylist()
        for row in rows:
            row |= {name: orjson.Fragment(row[name]) for name in json_columns if row[name] is not None}
        yield (b"," if first else b"") + b"\n" + orjson.dumps(rows)[1:-1]
    yield b"\n]\n"


def times(t_s: Float[np.ndarray, " n"], begins_utc_s: float | None) -> pa.Array:
    """ISO 8601 in UTC, to the millisecond; nothing where the beginning is not known."""
    if begins_utc_s is None:
        return pa.nulls(len(t_s), pa.string())
    moments = np.rint((t_s + begins_utc_s) * 1000).astype(np.int64).astype("datetime64[ms]")
    return pa.array(np.datetime_as_string(moments, timezone="UTC"), pa.string())
