"""A table in any of the formats that other programs read."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float
from pyarrow import csv, parquet

from sightline.errors import FormatError
from sightline.files import whole
from sightline.formats import xlsx

TableFormat = Literal["csv", "json", "parquet", "xlsx"]
_FORMULA = "^[=+\\-@\t\r\n]"
_AT_ONCE = 10_000


def write(table: pa.Table, path: Path, kind: TableFormat, json_columns: tuple[str, ...] = ()) -> None:
    """Puts a table into a file, as ``write_in_turn`` does."""
    write_in_turn([table], path, kind, json_columns)


def write_in_turn(tables: Iterable[pa.Table], path: Path, kind: TableFormat, json_columns: tuple[str, ...] = ()) -> int:
    """Puts rows into a file as they come, at least one table of them, all of one schema; how many there were.

    In memory is one table at a time; in XLSX, all that a sheet can hold.

    In CSV, texts that a spreadsheet would calculate (those that begin with = + - @, a tab or a line's end) begin with
    an apostrophe. In JSON, an array of objects; texts in ``json_columns`` are JSON and become part of it.

    Raises:
        FormatError: more rows than a sheet of XLSX can hold.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    if kind == "xlsx":
        return _write_sheet(tables, path)
    rest = iter(tables)
    first, n = next(rest), 0
    with whole(path) as partial, _opened(partial, kind, first.schema, json_columns) as write_table:
        for table in chain([first], rest):
            write_table(table)
            n += len(table)
    return n


@contextmanager
def _opened(
    path: Path, kind: TableFormat, schema: pa.Schema, json_columns: tuple[str, ...]
) -> Iterator[Callable[[pa.Table], object]]:
    """What takes the rows of a file, table by table."""
    if kind == "csv":
        with csv.CSVWriter(str(path), schema) as rows:
            yield lambda table: rows.write_table(defused(table))
    elif kind == "parquet":
        with parquet.ParquetWriter(path, schema, compression="zstd") as groups:
            yield groups.write_table
    else:
        with path.open("wb") as file:
            file.write(b"[")
            yield lambda table: file.writelines(_json(table, json_columns, is_first=file.tell() == 1))
            file.write(b"\n]\n")


def _write_sheet(tables: Iterable[pa.Table], path: Path) -> int:
    together, n = list[pa.Table](), 0
    for table in tables:
        together.append(table)
        n += len(table)
        if n > xlsx.MOST_ROWS:
            raise FormatError(f"{path.name}: more than {xlsx.MOST_ROWS:,} rows do not fit a sheet; take csv or parquet")
    xlsx.write({path.stem: pa.concat_tables(together)}, path)
    return n


def defused(table: pa.Table) -> pa.Table:
    """The same; texts that a spreadsheet would calculate begin with an apostrophe."""
    for place, column in enumerate(table.columns):
        if pa.types.is_string(column.type):
            is_formula = pc.fill_null(pc.match_substring_regex(column, _FORMULA), False)
            said = pc.if_else(is_formula, pc.binary_join_element_wise("'", column, ""), column)
            table = table.set_column(place, table.field(place), said)
    return table


def _json(table: pa.Table, json_columns: tuple[str, ...], *, is_first: bool) -> Iterator[bytes]:
    for first in range(0, len(table), _AT_ONCE):
        rows = table.slice(first, _AT_ONCE).to_pylist()
        for row in rows:
            row |= {name: orjson.Fragment(row[name]) for name in json_columns if row[name] is not None}
        yield (b"" if is_first and not first else b",") + b"\n" + orjson.dumps(rows)[1:-1]


def times(t_s: Float[np.ndarray, " n"], begins_utc_s: float | None) -> pa.Array:
    """ISO 8601 in UTC, to the millisecond; nothing where the beginning is not known."""
    if begins_utc_s is None:
        return pa.nulls(len(t_s), pa.string())
    moments = np.rint((t_s + begins_utc_s) * 1000).astype(np.int64).astype("datetime64[ms]")
    return pa.array(np.datetime_as_string(moments, timezone="UTC"), pa.string())
