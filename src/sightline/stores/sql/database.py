"""Opening a database and bringing it up to date."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from enum import EnumType
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, NoSuchModuleError, OperationalError

from sightline.errors import StoreError

_LOCK = 0x5167_4711
"""Number of the advisory lock under which PostgreSQL is migrated."""
Row = TypeVar("Row")


def database_at(url: str) -> Engine:
    """A database, opened and up to date. SQLite files are made where missing, readable for their owner only.

    ``url`` begins with ``sqlite:///`` or ``postgresql://``.

    Raises:
        StoreError: nobody answers there, or it is no such database; says which, without the password.
    """
    shown = url
    try:
        at = _driven(make_url(url))
        shown = at.render_as_string(hide_password=True)
        engine = _engine(at)
        with ExitStack() as otherwise:
            otherwise.callback(engine.dispose)
            engine.connect().close()
            migrate(engine)
            otherwise.pop_all()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise StoreError("database: give sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME") from None
    except (OperationalError, DatabaseError, OSError) as error:
        raise StoreError(f"database {shown}: {_line(error)}") from None
    return engine


def migrate(engine: Engine) -> None:
    """Brings the tables up to date; several processes may ask at once.

    Raises:
        StoreError: the database was made by a newer version.
    """
    config = Config()
    config.set_main_option("script_location", str(files("sightline.stores.sql") / "migrations"))
    with _alone(engine) as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(f"database: {_line(error)}; was it made by a newer version?") from None


def row_of(kind: type[Row], mapping: Mapping[Any, Any]) -> Row:
    """A row as the dataclass ``kind``, whose fields have the columns' names; enumerations are restored."""
    made: dict[str, Any] = {}
    for one in fields(kind):  # type: ignore[arg-type]
        value = mapping[one.name]
        made[one.name] = one.type(value) if isinstance(one.type, EnumType) and value is not None else value
    return kind(**made)


def _driven(url: URL) -> URL:
    """With the driver that is installed."""
    if url.drivername in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ArgumentError
    return url


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20)
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30}, pool_size=10, max_overflow=20)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _record: Any) -> None:
    """Readers never wait for the writer; what is committed outlives the process (not a power cut's last moments)."""
    connection.isolation_level = None  # transactions are begun by us
    for line in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {line}")


def _begin(connection: Connection) -> None:
    """Whoever writes waits at the beginning: one that reads first would fail when it comes to write."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if not connection.get_execution_options().get("reads") else "BEGIN")


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other process has at the same time."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        yield connection


def _line(error: Exception) -> str:
    why = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return (str(why).strip() or type(why).__name__).splitlines()[0]
