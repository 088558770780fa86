"""Weeks of large tables in PostgreSQL, each in a partition of its own.

Tables with a column ``utc_ms`` are Timescale's where that extension is, which makes its own. SQLite has none.
"""

from sqlalchemy import Connection, text

WEEK_MS = 7 * 24 * 3600 * 1000
_LOCK = 0x5167_4712
"""Number of the advisory lock under which they are made."""


def make_rooms(connection: Connection, table: str, first_ms: int, last_ms: int) -> None:
    """Sees to it that rows of these times, both included, have a place; several processes may ask at once."""
    if not _is_partitioned(connection, table):
        return
    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    for week in range(first_ms // WEEK_MS, last_ms // WEEK_MS + 1):
        there = {"low": week * WEEK_MS, "high": (week + 1) * WEEK_MS}
        connection.execute(
            text(
                f"CREATE TABLE IF NOT EXISTS {table}_w{week} PARTITION OF {table}"
                f" FOR VALUES FROM ({there['low']}) TO ({there['high']})"
            )
        )


def drop_empty_rooms(connection: Connection, table: str) -> None:
    """Lets go of weeks that nothing is left of."""
    if not _is_partitioned(connection, table):
        return
    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    children = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:name AS regclass)")
    for child in connection.execute(children, {"name": table}).scalars().all():
        if not connection.execute(text(f"SELECT EXISTS (SELECT 1 FROM {child})")).scalar_one():  # noqa: S608
            connection.execute(text(f"DROP TABLE {child}"))


def _is_partitioned(connection: Connection, table: str) -> bool:
    if connection.dialect.name != "postgresql":
        return False
    kind = text("SELECT relkind = 'p' FROM pg_class WHERE oid = CAST(:name AS regclass)")
    return bool(connection.execute(kind, {"name": table}).scalar_one())
