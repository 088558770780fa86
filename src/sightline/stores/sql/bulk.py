"""Many rows at once, in and out, as columns."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from pyarrow import csv
from sqlalchemy import BigInteger, Boolean, Connection, Double, Integer, Select, Table

from sightline.errors import StoreError

_AT_ONCE = 65_536
"""Rows handed over at a time."""
_INTEGERS = Integer, BigInteger, Boolean


def put(connection: Connection, table: Table, rows: pa.Table) -> None:
    """Adds rows, whose columns have the names of the table's; NaN is kept as unknown.

    Raises:
        StoreError: PostgreSQL went away meanwhile.
        OperationalError: it was away, or the file of SQLite cannot be written.
    """
    names = ", ".join(rows.column_names)
    for batch in rows.to_batches(max_chunksize=_AT_ONCE):
        if connection.dialect.name == "postgresql":
            _copied(connection, f"COPY {table.name} ({names}) FROM STDIN WITH (FORMAT csv)", batch)
        else:
            marks = ", ".join("?" * len(rows.column_names))
            values = list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
            if values:
                connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", values)  # noqa: S608


def _copied(connection: Connection, command: str, batch: pa.RecordBatch) -> None:
    sink = pa.BufferOutputStream()
    csv.write_csv(pa.Table.from_batches([batch]), sink, csv.WriteOptions(include_header=False))
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(command) as copy:
            copy.write(sink.getvalue().to_pybytes())
    except psycopg.OperationalError as error:
        raise StoreError(f"database: {str(error).strip().partition(chr(10))[0]}") from error


def columns(**named: Any) -> pa.Table:
    """Rows from columns: arrays, lists, or one value for all of them."""
    n = max((len(one) for one in named.values() if not isinstance(one, str | int | float)), default=0)
    full = {
        name: pa.array([one] * n if isinstance(one, str | int | float) else one, from_pandas=True)
        for name, one in named.items()
    }
    return pa.table(full)


def fetched(connection: Connection, wanted: Select[Any]) -> dict[str, np.ndarray]:
    """What a query finds, by column: numbers as numbers, NaN where unknown; texts as objects."""
    pieces = [_arrays(wanted, []), *in_turn(connection, wanted)]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def in_turn(connection: Connection, wanted: Select[Any]) -> Iterator[dict[str, np.ndarray]]:
    """The same some rows at a time: no more of them are in memory."""
    if connection.dialect.name == "sqlite":  # which streams by itself: its own rows, without a wrapper for each
        cursor: Any = connection.execute(wanted).cursor
        several = iter(partial(cursor.fetchmany, _AT_ONCE), [])
    else:
        several = connection.execution_options(yield_per=_AT_ONCE).execute(wanted).partitions()
    for rows in several:
        yield _arrays(wanted, rows)


def _arrays(wanted: Select[Any], rows: Sequence[Sequence[Any]]) -> dict[str, np.ndarray]:
    found = list(zip(*rows, strict=True))
    arrays = {}
    for place, column in enumerate(wanted.selected_columns):
        values = found[place] if found else ()
        if isinstance(column.type, Double):
            arrays[column.name] = np.array(values, np.float64)
        elif isinstance(column.type, _INTEGERS):
            arrays[column.name] = np.array(values, np.int64)
        else:
            arrays[column.name] = np.array(values, object)
    return arrays
