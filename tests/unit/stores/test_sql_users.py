"""People with passwords."""

import time

import pytest

from sightline.errors import ConflictError, OptionError, UnknownError
from sightline.model.user import Role
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
