"""Both databases, for real: every test that asks for ``engine`` runs on SQLite and on PostgreSQL."""

import pytest

from sightline.stores.sql.database import database_at


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
