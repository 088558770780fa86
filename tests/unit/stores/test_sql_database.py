"""Opening a database, and bringing it up to date."""

import socket
import stat
import subprocess
import sys
from importlib.resources import files

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, make_url, text

from sightline.errors import StoreError
from sightline.model.user import Role
from sightline.stores.sql.database import database_at, migrate
from sightline.stores.sql.tables import METADATA
from sightline.stores.sql.users import Users

OPENING = (
    "import sys; from sightline.stores.sql.database import database_at; sys.stdin.read(1); database_at(sys.argv[1])"
)


def alembic(engine, action, *arguments):
    """What a person would do with alembic's own command."""
    config = Config()
    config.set_main_option("script_location", str(files("sightline.stores.sql") / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        action(config, *arguments)


def tables(engine):
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_an_empty_database_gets_all_tables(engine):
    assert tables(engine) == set(METADATA.tables)


def test_the_tables_are_what_the_program_thinks_they_are(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_doing_it_twice_changes_nothing(url):
    database_at(url).dispose()
    engine = database_at(url)
    ann = Users(engine).add("ann", "hash", Role.ADMIN)
    migrate(engine)
    assert Users(engine).all() == [ann]
    engine.dispose()


def test_processes_that_open_it_at_the_same_time_all_succeed(url):
    starting = [
        subprocess.Popen([sys.executable, "-c", OPENING, url], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        for process in starting:
            process.stdin.write("x")
            process.stdin.flush()
        ends = [(process.communicate(timeout=120)[1], process.returncode) for process in starting]
    finally:
        for process in starting:
            process.kill()
    assert ends == [("", 0)] * 2
    engine = database_at(url)
    assert tables(engine) == set(METADATA.tables)
    engine.dispose()


def test_it_can_go_back_and_forth(engine):
    alembic(engine, command.downgrade, "base")
    assert tables(engine) == set()
    alembic(engine, command.upgrade, "head")
    assert tables(engine) == set(METADATA.tables)


def test_a_database_of_a_newer_version_is_left_alone(url):
    engine = database_at(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match="newer version"):
        database_at(url)


@pytest.mark.parametrize("url", ["", "nothing", "mysql://u:secret@h/d", "postgresql://u:secret@h:port/d"])
def test_what_is_no_database_is_refused_without_repeating_it(url):
    with pytest.raises(StoreError, match=r"database: give sqlite:///FILE or postgresql://") as error:
        database_at(url)
    assert "secret" not in str(error.value)


def test_an_absent_server_is_named_without_the_password():
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(StoreError, match=r"database postgresql.*127\.0\.0\.1") as error:
            database_at(f"postgresql://ann:s3cret@127.0.0.1:{taken.getsockname()[1]}/rows")
    assert "s3cret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_wrong_password_is_refused_without_repeating_it(postgres_url):
    """The server of the tests trusts everybody, so a role that may not log in stands in for a wrong password."""
    engine = database_at(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE stranger NOLOGIN"))
    try:
        at = make_url(postgres_url).set(username="stranger", password="s3cret")
        with pytest.raises(StoreError, match="stranger") as error:
            database_at(at.render_as_string(hide_password=False))
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP ROLE stranger"))
        engine.dispose()
    assert "s3cret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "rows.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match=r"rows\.db: file is not a database"):
        database_at(f"sqlite:///{path}")


def test_a_new_file_is_for_its_owner_only(tmp_path):
    path = tmp_path / "new" / "rows.db"
    database_at(f"sqlite:///{path}").dispose()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_readers_do_not_wait_for_a_writer(engine):
    reading = engine.execution_options(reads=True)
    Users(engine).add("ann", "hash", Role.ADMIN)
    with engine.begin() as writer:
        writer.execute(text("DELETE FROM users"))
        with reading.connect() as reader:
            assert reader.execute(text("SELECT count(*) FROM users")).scalar_one() == 1
    with reading.connect() as reader:
        assert reader.execute(text("SELECT count(*) FROM users")).scalar_one() == 0
