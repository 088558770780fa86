"""Passwords, tokens and secrets, and where a server may listen."""

import asyncio
import stat
import subprocess
import sys
import time

import httpx
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from sightline.errors import OptionError, RefusedError, StoreError
from sightline.model.user import Role
from sightline.server.app import create_app
from sightline.server.auth.guard import check_bind, is_near
from sightline.server.auth.passwords import Passwords
from sightline.server.auth.tokens import Tokens, secret_of
from sightline.server.installation import opened
from sightline.settings import load
from sightline.stores.sql.database import database_at
from sightline.stores.sql.keys import ApiKeys
from sightline.stores.sql.users import Users

from .conftest import PASSWORD

SECRET = "s" * 64


@pytest.fixture(scope="module")
def passwords():
    return Passwords()


def test_a_hash_is_argon2id_of_64_mebibytes_and_never_twice_the_same(passwords, password_hash):
    assert password_hash.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert passwords.hash(PASSWORD) != password_hash
    assert passwords.check(PASSWORD, password_hash) == (True, None)
    assert passwords.check(PASSWORD + " ", password_hash) == (False, None)
    assert passwords.check(PASSWORD, None)[0] is False


@pytest.mark.parametrize("password", ["", "123456789"])
def test_short_passwords_are_refused(passwords, password):
    with pytest.raises(OptionError, match="at least 10 characters"):
        passwords.hash(password)


def test_any_ten_characters_do(passwords):
    odd = "\ud800  änß\0\u202e \n"
    assert len(odd) == 10
    assert passwords.check(odd, passwords.hash(odd))[0] is True


def test_nobodys_password_costs_as_much_as_somebodys(passwords, password_hash):
    def took_s(known):
        began_s = time.process_time()
        passwords.check("wrong horse", known)
        return time.process_time() - began_s

    nobodys, somebodys = (min(took_s(known) for _ in range(4)) for known in (None, password_hash))
    assert nobodys == pytest.approx(somebodys, rel=0.35)


def test_a_hash_of_lesser_cost_is_replaced_at_the_next_login(serve, password_hash):
    weaker = PasswordHash((Argon2Hasher(1, 8 << 10, 1),)).hash(PASSWORD)
    server = serve()
    server.add("ann", "viewer", weaker)
    with server.client() as client:
        token = client.post("/api/v1/auth/login", json={"username": "ann", "password": PASSWORD}).json()["access_token"]
    kept = server.guard.accounts.users.get("ann").password_hash
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    with server.client(token) as client:
        assert client.get("/api/v1/auth/me").status_code == 200  # the token outlives it


def test_twenty_logins_at_once_do_not_hold_up_the_loop(tmp_path, password_hash):
    """A hash takes longer than 50 ms; what the loop itself does between two turns is less, whatever else runs."""

    async def delays_s(app):
        busy, late = [], []

        async def watch():
            while True:
                began_s, worked_s = time.perf_counter(), time.thread_time()
                await asyncio.sleep(0.002)
                late.append(time.perf_counter() - began_s - 0.002)
                busy.append(time.thread_time() - worked_s)

        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
            given = {"username": "ann", "password": PASSWORD}
            await client.post("/api/v1/auth/login", json=given)  # whatever is done once is done
            watching = asyncio.create_task(watch())
            logins = []
            for _ in range(20):
                logins.append(asyncio.create_task(client.post("/api/v1/auth/login", json=given)))
                await asyncio.sleep(0.005)  # a client's work, in this process only for the test, is not all at once
            answers = await asyncio.gather(*logins)
            watching.cancel()
        assert {answer.status_code for answer in answers} == {200}
        return busy, late

    with opened(load(data_folder=tmp_path, auth={"logins_per_minute": 1000})) as installation:
        Users(installation.engine).add("ann", password_hash, Role.VIEWER)
        busy, late = asyncio.run(delays_s(create_app(installation)))
    assert len(late) > 50
    assert max(busy) < 0.05
    assert sorted(late)[int(0.9 * len(late))] < 0.05  # nobody holds the interpreter, either


def test_a_crowd_that_logs_in_is_turned_away_rather_than_queued_for_ever(password_hash):
    async def crowd():
        few = Passwords(at_once=1, most_waiting=3)
        return await asyncio.gather(*(few.checked(PASSWORD, password_hash) for _ in range(5)), return_exceptions=True)

    found = asyncio.run(crowd())
    assert found[:3] == [(True, None)] * 3
    assert [(one.status_code, one.headers) for one in found[3:]] == [(503, {"retry-after": "5"})] * 2


def test_tokens_say_who_and_until_when():
    tokens = Tokens(SECRET, 600.0)
    now = time.time()
    token = tokens.read(tokens.login("ann", Role.ADMIN, now))
    assert (token.subject, token.issued_utc_s) == ("ann", now)
    assert token.expires_utc_s == now + 600.0
    assert tokens.read(tokens.login("ann", Role.ADMIN, now - 601.0)) is None
    assert Tokens("t" * 64, 600.0).read(tokens.login("ann", Role.ADMIN, now)) is None
    assert tokens.login("ann", Role.ADMIN, now) != tokens.login("ann", Role.ADMIN, now)


def test_tickets_are_no_tokens_and_tokens_no_tickets():
    tokens = Tokens(SECRET, 600.0)
    ticket = tokens.ticket("ann", Role.ADMIN, "/a", time.time())
    assert tokens.read(ticket) is None
    assert tokens.read_ticket(ticket, "/a").subject == "ann"
    assert tokens.read_ticket(ticket, "/a/") is None
    assert tokens.read_ticket(tokens.login("ann", Role.ADMIN, time.time()), "/a") is None


def test_processes_that_begin_together_draw_one_secret(tmp_path):
    program = (
        "import sys; from pathlib import Path; from sightline.server.auth.tokens import secret_of; "
        "sys.stdin.read(1); print(secret_of(None, Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "data")]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for one in started:
        one.stdin.write("x")
        one.stdin.flush()
    drawn = {one.communicate(timeout=60)[0] for one in started}
    assert len(drawn) == 1
    assert len(drawn.pop().strip()) == 64
    (kept,) = (tmp_path / "data").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_secret_is_given_or_kept_but_neither_short_nor_known_to_others(tmp_path):
    assert secret_of(SECRET, tmp_path) == SECRET
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OptionError, match=r"auth\.secret: give at least 32") as error:
        secret_of("hunter2", tmp_path)
    assert "hunter2" not in str(error.value)
    kept = secret_of(None, tmp_path)
    assert secret_of(None, tmp_path) == kept
    path = tmp_path / "token.secret"
    path.chmod(0o644)
    with pytest.raises(StoreError, match=r"others can read it.*chmod 600"):
        secret_of(None, tmp_path)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(StoreError, match="too short"):
        secret_of(None, tmp_path)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_near_is_this_machine(host):
    assert is_near(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "10.0.0.1", "example.org", "localhost.example.org", "127.1.x"])
def test_all_else_is_not(host):
    assert not is_near(host)


@pytest.fixture
def engine(tmp_path):
    engine = database_at(f"sqlite:///{tmp_path / 'rows.db'}")
    yield engine
    engine.dispose()


NEAR, WIDE = {"host": "127.0.0.1"}, {"host": "0.0.0.0"}
OFF, ON, INSECURE = {"auth": {"mode": "off"}}, {"auth": {"mode": "on"}}, {"insecure": True}


@pytest.mark.parametrize("given", [NEAR, NEAR | OFF, WIDE | INSECURE, WIDE | INSECURE | OFF])
def test_a_server_for_all_stays_on_this_machine_unless_somebody_insists(tmp_path, engine, given):
    check_bind(load(data_folder=tmp_path, **given), engine)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (WIDE, "no user and no key.*sightline users add NAME --role admin.*--insecure"),
        (WIDE | OFF, "auth.mode is off.*--host 127.0.0.1.*--insecure"),
        (NEAR | ON, "auth.mode is on.*sightline users add NAME --role admin"),
        (WIDE | ON | INSECURE, "auth.mode is on.*users add"),
    ],
)
def test_a_server_that_all_or_nobody_could_use_does_not_start(tmp_path, engine, given, why):
    with pytest.raises(RefusedError, match=why):
        check_bind(load(data_folder=tmp_path, **given), engine)


@pytest.mark.parametrize("kind", ["user", "key"])
def test_with_somebody_to_log_in_it_may_listen_anywhere(tmp_path, engine, kind):
    _ = Users(engine).add("ann", "hash", Role.ADMIN) if kind == "user" else ApiKeys(engine).create("x", Role.ADMIN)
    for given in (WIDE, WIDE | ON, NEAR | ON):
        check_bind(load(data_folder=tmp_path, **given), engine)
    with pytest.raises(RefusedError):
        check_bind(load(data_folder=tmp_path, **(WIDE | OFF)), engine)
