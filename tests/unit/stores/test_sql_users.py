"""People with passwords."""

import time
from importlib.resources import files

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import column, create_engine, make_url, table

from sightline.errors import ConflictError, OptionError, UnknownError
from sightline.model.user import Role
from sightline.stores.sql.database import database_at
from sightline.stores.sql.users import Users


@pytest.fixture
def users(engine):
    return Users(engine)


def test_who_is_added_is_found(users):
    assert not users.exist()
    added = users.add("ann@example.com", "hash", Role.OPERATOR)
    assert users.exist()
    assert users.get("ann@example.com") == added == users.find("ann@example.com")
    assert (added.role, added.is_disabled, added.password_hash) == (Role.OPERATOR, False, "hash")
    assert abs(added.created_utc_s - time.time()) < 30
    assert added.changed_utc_s == added.created_utc_s


def test_nobody_is_added_twice(users):
    users.add("ann", "first", Role.VIEWER)
    with pytest.raises(ConflictError, match="user 'ann' already"):
        users.add("ann", "second", Role.ADMIN)
    assert users.get("ann").password_hash == "first"


@pytest.mark.parametrize("name", ["", "a b", "ann\n", "ann:1", "x" * 65, "ann\0", "änn", "../ann", "\ud800"])
def test_odd_names_are_refused_and_never_found(users, name):
    with pytest.raises(OptionError, match="user name"):
        users.add(name, "hash", Role.VIEWER)
    assert users.find(name) is None
    with pytest.raises(UnknownError, match="no user"):
        users.get(name)


def test_everybody_is_listed_by_name(users):
    for name in ("cid", "ann", "bob"):
        users.add(name, "hash", Role.VIEWER)
    assert [user.name for user in users.all()] == ["ann", "bob", "cid"]


def test_who_was_added_first_is_number_1(users):
    for name in ("cid", "ann", "2"):
        users.add(name, "hash", Role.VIEWER)
    assert [user.name for user in users.in_order()] == ["cid", "ann", "2"]
    assert [users.known_as(text).name for text in ("1", "2", "3", "ann")] == ["cid", "2", "2", "ann"]
    for nobody in ("0", "4", "eve", "²", ""):
        with pytest.raises(UnknownError, match="no user"):
            users.known_as(nobody)


@pytest.mark.parametrize(
    ("change", "value", "field"),
    [("set_password", "new", "password_hash"), ("set_role", Role.ADMIN, "role"), ("set_disabled", True, "is_disabled")],
)
def test_a_change_is_kept_with_its_time_and_touches_nobody_else(users, change, value, field):
    before, other = users.add("ann", "hash", Role.VIEWER), users.add("bob", "hash", Role.VIEWER)
    changed = getattr(users, change)("ann", value)
    assert getattr(changed, field) == value
    assert changed.changed_utc_s > before.changed_utc_s
    assert users.get("ann") == changed
    assert users.get("bob") == other
    with pytest.raises(UnknownError, match="no user 'eve'"):
        getattr(users, change)("eve", value)


def test_a_newer_hash_of_the_same_password_changes_nothing_else(users):
    before = users.add("ann", "old", Role.VIEWER)
    users.rehash(before, "new")
    after = users.get("ann")
    assert (after.password_hash, after.changed_utc_s) == ("new", before.changed_utc_s)


def test_a_newer_hash_never_brings_back_a_password_that_was_changed_meanwhile(users):
    before = users.add("ann", "old", Role.VIEWER)
    users.set_password("ann", "other")
    users.rehash(before, "old again")
    assert users.get("ann").password_hash == "other"


def test_who_is_special_is_so_until_the_moment_said_and_keeps_their_tokens(users):
    before, other = users.add("ann", "hash", Role.VIEWER), users.add("bob", "hash", Role.VIEWER)
    assert not before.is_vip_at(1.0)
    for_ever = users.set_vip("ann", is_vip=True)
    assert for_ever.is_vip_at(1e12)
    until = users.set_vip("ann", is_vip=True, expires_utc_s=100.0)
    assert (until.is_vip_at(99.0), until.is_vip_at(100.0)) == (True, False)
    assert until.changed_utc_s == before.changed_utc_s
    assert users.get("ann") == until
    assert users.get("bob") == other
    assert not users.set_vip("ann", is_vip=False).is_vip_at(1.0)
    with pytest.raises(UnknownError, match="no user 'eve'"):
        users.set_vip("eve", is_vip=True)


def test_people_kept_before_anybody_was_special_still_are(url):
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg") if "postgresql" in url else url)
    config = Config()
    config.set_main_option("script_location", str(files("sightline.stores.sql") / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        kept = {"name": "ann", "password_hash": "hash", "role": "viewer"}
        kept |= {"is_disabled": False, "created_utc_s": 1.0, "changed_utc_s": 1.0}
        connection.execute(table("users", *map(column, kept)).insert().values(kept))
    engine.dispose()
    engine = database_at(url)
    try:
        ann = Users(engine).get("ann")
        assert (ann.is_vip, ann.expires_utc_s, ann.changed_utc_s) == (False, None, 1.0)
    finally:
        engine.dispose()
