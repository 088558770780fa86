"""Keys for programs."""

import re
import time

import pytest
from sqlalchemy import text, update

from sightline.errors import OptionError, UnknownError
from sightline.model.user import Role
from sightline.stores.sql.keys import ApiKeys
from sightline.stores.sql.tables import API_KEYS


@pytest.fixture
def keys(engine):
    return ApiKeys(engine)


def test_a_key_is_found_by_its_text_which_is_not_kept(keys, engine):
    assert not keys.exist()
    key, secret = keys.create("dashboard", Role.OPERATOR)
    assert keys.exist()
    assert re.fullmatch(rf"slk_{key.id}_[A-Za-z0-9_-]{{43}}", secret)
    assert keys.find(secret) == key
    with engine.connect() as connection:
        kept = str(connection.execute(text("SELECT * FROM api_keys")).all())
    assert key.id in kept
    assert secret.split("_", 2)[2] not in kept


def test_texts_that_are_not_quite_right_are_none(keys):
    _, secret = keys.create("one", Role.ADMIN)
    other, _ = keys.create("two", Role.ADMIN)
    swapped = f"slk_{other.id}_{secret.split('_', 2)[2]}"
    last = "A" if secret[-1] != "A" else "B"
    unknown = f"slk_{'0' * 12}_{secret.split('_', 2)[2]}"
    for wrong in ("", "slk_", secret[:-1], secret + "x", secret[:-1] + last, secret.upper(), swapped, unknown, "\0"):
        assert keys.find(wrong) is None, wrong


def test_two_keys_have_nothing_in_common(keys):
    (one, first), (two, second) = keys.create("same", Role.VIEWER), keys.create("same", Role.VIEWER)
    assert one.id != two.id
    assert first.split("_", 2)[2] != second.split("_", 2)[2]


def test_a_key_taken_back_is_good_no_more_but_still_listed(keys):
    key, secret = keys.create("old", Role.VIEWER)
    revoked = keys.revoke(key.id)
    assert revoked.revoked_utc_s is not None
    assert keys.find(secret) is None
    assert keys.all() == [revoked]
    assert keys.exist()
    assert keys.revoke(key.id) == revoked
    for unknown in ("0" * 12, "nothing", "", "\0"):
        with pytest.raises(UnknownError, match="no key"):
            keys.revoke(unknown)


@pytest.mark.parametrize("label", ["", "x" * 256, "two\nlines", "nul\0"])
def test_labels_are_for_people(keys, label):
    with pytest.raises(OptionError, match="key label"):
        keys.create(label, Role.VIEWER)


def test_use_is_noted_at_most_once_a_minute(keys, engine):
    key, secret = keys.create("busy", Role.VIEWER)
    keys.touch(key)
    first = keys.look_up(key.id).last_used_utc_s
    assert abs(first - time.time()) < 30
    keys.touch(key)  # the caller's copy is old: the database knows better
    keys.touch(keys.find(secret))
    assert keys.look_up(key.id).last_used_utc_s == first
    with engine.begin() as connection:
        connection.execute(update(API_KEYS).values(last_used_utc_s=first - 61.0))
    keys.touch(keys.find(secret))
    assert keys.look_up(key.id).last_used_utc_s >= first
