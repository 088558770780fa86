"""What ``sightline users`` and ``sightline keys`` share: the database that the settings name.

Libraries of servers and databases take long to load, so nothing here does before it is needed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from sightline.stores.sql.keys import ApiKeys
    from sightline.stores.sql.users import Users

Config = Annotated[Path | None, typer.Option(help="TOML file of settings, the one of the server.")]
Data = Annotated[Path | None, typer.Option(help="Folder for everything that is kept, the one of the server.")]


@contextmanager
def the_users(config: Path | None, data: Path | None) -> Iterator["Users"]:
    """The server's users, for a while.

    Raises:
        SightlineError: a setting makes no sense, or the database cannot be reached.
    """
    from sightline.stores.sql.users import Users  # noqa: PLC0415

    with _database(config, data) as engine:
        yield Users(engine)


@contextmanager
def the_keys(config: Path | None, data: Path | None) -> Iterator["ApiKeys"]:
    """The server's keys, for a while.

    Raises:
        SightlineError: a setting makes no sense, or the database cannot be reached.
    """
    from sightline.stores.sql.keys import ApiKeys  # noqa: PLC0415

    with _database(config, data) as engine:
        yield ApiKeys(engine)


@contextmanager
def _database(config: Path | None, data: Path | None) -> Iterator["Engine"]:
    from sightline.settings import load  # noqa: PLC0415
    from sightline.stores.sql.database import database_at  # noqa: PLC0415

    settings = load(config, data_folder=data)
    settings.data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = database_at(settings.database_url())
    try:
        yield engine
    finally:
        engine.dispose()


def shown(utc_s: float | None) -> str:
    """A time for people; nothing where there is none."""
    return "" if utc_s is None else datetime.fromtimestamp(utc_s, UTC).strftime("%Y-%m-%d %H:%M")
