"""Who is who, and for how long."""

import asyncio
import time

import pytest
from sqlalchemy import text

from sightline.model.user import Role

from .conftest import MP4, PASSWORD, Client, credentials, wait_for
from .test_messages import STRANGER, is_named

NO = b"[false, false]"
YES = b"[true, false]"


def forget(service):
    """What the service remembers for some seconds of users, it asks for again."""
    service.guard.accounts.forget()


def test_where_nobody_is_known_everybody_may(service):
    client = service.connect()
    assert is_named(client.ask(3, MP4))
    assert client.log_in("whoever", "whatever") == YES
    assert client.ask(1, b"no credentials") == NO
    assert is_named(service.connect().ask(3, MP4))


def test_who_came_in_before_anybody_was_known_must_log_in_once_somebody_is(service):
    client = service.connect()
    assert is_named(client.ask(3, MP4))
    service.add()
    assert client.ask(3, MP4) == STRANGER
    assert client.log_in() == YES
    assert is_named(client.ask(3, MP4))


def test_being_special_is_told_until_it_ends(guarded):
    users = guarded.guard.accounts.users
    users.set_vip("ann", is_vip=True)
    client = guarded.connect()
    assert client.log_in() == b"[true, true]"
    users.set_vip("ann", is_vip=True, expires_utc_s=time.time() - 1.0)
    assert client.log_in() == YES
    users.set_vip("ann", is_vip=True, expires_utc_s=time.time() + 1000.0)
    assert client.log_in() == b"[true, true]"


def test_who_is_locked_out_cannot_log_in_and_not_go_on(guarded):
    client = guarded.connect(log_in=True)
    guarded.guard.accounts.users.set_disabled("ann", is_disabled=True)
    forget(guarded)
    assert client.ask(3, MP4) == STRANGER
    assert client.log_in() == NO
    assert not guarded.works.asked


def test_a_changed_password_ends_logins_with_the_old_one(guarded):
    client = guarded.connect(log_in=True)
    guarded.guard.accounts.users.set_password("ann", guarded.guard.passwords.hash("another horse"))
    forget(guarded)
    assert client.ask(3, MP4) == STRANGER
    assert client.log_in() == NO
    assert client.log_in(password="another horse") == YES
    assert is_named(client.ask(3, MP4))


def test_viewers_may_look_and_not_ask_for_work(start):
    service = start(downloads_need_login=True)
    service.add(role=Role.VIEWER)
    hashed = service.works.keep(b"glTF").encode()
    client = service.connect()
    assert client.log_in() == YES
    assert client.ask(3, MP4) == STRANGER
    assert client.ask(4, hashed) == b"glTF"


def test_logins_are_of_one_connection_only(guarded):
    member, stranger = guarded.connect(log_in=True), guarded.connect()
    assert stranger.ask(3, MP4) == STRANGER
    assert is_named(member.ask(3, MP4))
    assert guarded.connect().ask(3, MP4) == STRANGER


def test_old_clients_can_have_one_connection_for_each_request(start):
    service = start(inherit_login_by_address=True)
    service.add()
    assert service.connect().ask(3, MP4) == STRANGER
    service.connect(log_in=True).close()
    for _ in range(2):
        client = service.connect()
        assert is_named(client.ask(3, MP4))
        client.close()
    assert service.works.asked[0][0] == "ann"
    assert service.connect().log_in(password="wrong") == NO
    assert is_named(service.connect().ask(3, MP4))
    service.guard.accounts.users.set_disabled("ann", is_disabled=True)
    forget(service)
    assert service.connect().ask(3, MP4) == STRANGER


def test_what_was_inherited_is_not_good_for_ever(start):
    service = start(inherit_login_by_address=True, auth={"token_minutes": 1.0 / 60.0})
    service.add()
    service.connect(log_in=True)

    def is_a_stranger():
        with service.connect().peer as peer:
            return Client(peer).ask(3, MP4) == STRANGER

    wait_for(is_a_stranger, what="the end of the login")


def test_while_the_database_does_not_answer_nobody_is_let_in_and_it_is_no_fault(guarded, caplog):
    client = guarded.connect(log_in=True)
    with guarded.engine.begin() as connection:
        connection.execute(text("ALTER TABLE users RENAME TO away"))
    forget(guarded)
    assert client.ask(3, MP4) == (b"", b"ERROR_VIDEO_REQUEST")
    assert client.log_in() == NO
    assert guarded.connect().is_hung_up()
    with guarded.engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO users"))
    assert client.log_in() == YES
    assert is_named(client.ask(3, MP4))
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("name", ["ann", "nobody"])
def test_guessing_ends_after_some_attempts_whatever_comes_then(guarded, name):
    client = guarded.connect()
    for _ in range(5):
        assert client.log_in(name, "a wrong guess") == NO
    for _ in range(5):
        assert client.log_in(name, PASSWORD) == NO
        assert guarded.connect().log_in(name, PASSWORD) == NO


def test_right_logins_are_never_too_many(guarded):
    for _ in range(7):
        guarded.connect(log_in=True).close()


def test_guesses_made_at_once_do_not_get_more_attempts(guarded):
    clients = [guarded.connect() for _ in range(12)]
    for client in clients:
        client.say(1, credentials("ann", "a wrong guess"))
    assert {client.hear() for client in clients} == {NO}
    looking = guarded.guard.counts.add("tcp-login:127.0.0.1", 60, int(time.time() / 60), 0)
    assert sum(asyncio.run_coroutine_threadsafe(looking, guarded.loop).result(20)) == 5
    assert guarded.connect().log_in() == NO
