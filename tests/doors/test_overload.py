"""Many at once, slow ones, and ones that never read: the server goes on answering, and ends when it is told to."""

import asyncio
import re
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from .conftest import wait_for


@pytest.fixture
def server(serve):
    return serve(
        workers=0,
        SIGHTLINE_LIMITS__REQUESTS_PER_MINUTE=0,
        SIGHTLINE_LIMITS__CHUNK_TIMEOUT_S=2,
        SIGHTLINE_SHUTDOWN_S=3,
    )


def address(server):
    host, port = re.fullmatch(r"http://(.+):(\d+)", server.url).groups()
    return host, int(port)


def wire(server, stack, said=b""):
    """A connection on which that was said."""
    opened = stack.enter_context(socket.create_connection(address(server), 20))
    opened.sendall(said)
    return opened


def asking(path):
    return f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()


def slowest(server, n=20):
    """Seconds of the slowest of some requests on connections of their own."""
    taken = []
    for _ in range(n):
        began = time.monotonic()
        assert httpx.get(f"{server.url}/health", timeout=10).status_code == 200
        taken.append(time.monotonic() - began)
    return max(taken)


def is_ended(opened):
    """Whether the other side has ended a connection, after what it had to say."""
    opened.settimeout(0.01)
    try:
        while opened.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
    return True


def brought(server, n_bytes):
    """Address of a kept file of that many bytes."""
    answer = httpx.post(f"{server.url}/api/v1/artifacts", files={"file": ("big.bin", bytes(n_bytes))}, timeout=60)
    return answer.json()["url"]


def test_connections_that_hardly_say_anything_are_ended(server):
    with ExitStack() as stack:
        silent = [wire(server, stack) for _ in range(100)]
        halves = [wire(server, stack, b"GET /health HTTP/1.1\r\nhost: loc") for _ in range(100)]
        later = [wire(server, stack, asking("/health") + b"GET /hea") for _ in range(10)]
        body = b"POST /api/v1/artifacts HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\n--b"
        bodies = [wire(server, stack, body) for _ in range(100)]
        assert slowest(server) < 2.0
        began = time.monotonic()
        while time.monotonic() - began < 2.5:  # one letter at a time is no header either
            for one in halves:
                try:
                    one.send(b"a")
                except (BrokenPipeError, ConnectionResetError):
                    continue
            time.sleep(0.25)
        wait_for(lambda: all(map(is_ended, [*silent, *halves, *later, *bodies])), 15)
    assert slowest(server) < 2.0


def test_a_keeper_of_a_connection_is_not_ended_while_it_is_answered(server):
    missing = f"/api/v1/jobs/{'0' * 32}/events"
    with httpx.Client(base_url=server.url) as client, client.stream("GET", "/api/v1/jobs/events") as events:
        assert events.status_code == 200
        time.sleep(3.0)  # longer than a header may take
        assert client.get(missing).status_code == 404
        assert not events.is_closed
        ask = client.post("/api/v1/jobs", json={"kind": "look", "params": {"source": "/nowhere.mp4"}})
        assert ask.status_code == 202
        assert ask.json()["id"] in next(line for line in events.iter_lines() if line.startswith("data:"))


def test_five_hundred_who_wait_and_two_hundred_who_ask(serve):
    server = serve(workers=0, SIGHTLINE_LIMITS__REQUESTS_PER_MINUTE=0)

    async def asked():
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits) as client:
            paths = ["/api/v1/jobs", "/api/v1/artifacts", "/health/ready", "/metrics"] * 50
            return [answer.status_code for answer in await asyncio.gather(*map(client.get, paths))]

    with ExitStack() as stack:
        for _ in range(500):
            wire(server, stack)
        assert asyncio.run(asked()) == [200] * 200
        assert slowest(server) < 2.0


def test_those_who_never_read_hold_nobody_up_and_fill_no_memory(server):
    url = brought(server, 40 << 20)
    before = rss_mib(server)
    with ExitStack() as stack:
        for _ in range(60):
            wire(server, stack, asking(url))
        for _ in range(60):
            wire(server, stack, asking("/api/v1/jobs/events"))
        assert slowest(server) < 2.0
        for _ in range(20):
            asked = httpx.post(f"{server.url}/api/v1/jobs", json={"kind": "look", "params": {"source": "/x.mp4"}})
            assert asked.status_code == 202
        assert httpx.get(f"{server.url}{url}", timeout=60).content == bytes(40 << 20)
        assert rss_mib(server) < before + 200.0


def rss_mib(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def test_it_ends_in_time_whoever_is_still_there(server):
    url = brought(server, 40 << 20)
    with ExitStack() as stack:
        wires = [wire(server, stack, asking("/api/v1/jobs/events")) for _ in range(5)]
        wires += [wire(server, stack, asking(url)) for _ in range(5)]
        wires += [wire(server, stack, b"POST /api/v1/artifacts HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n")]
        wires += [wire(server, stack)]
        assert slowest(server, 3) < 2.0
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 8.0
    assert "Traceback" not in server.log.read_text()


def test_streams_end_as_soon_as_the_server_is_told_to(serve):
    server = serve(workers=0, SIGHTLINE_SHUTDOWN_S=60)
    with httpx.Client(base_url=server.url) as client, client.stream("GET", "/api/v1/jobs/events") as events:
        assert events.status_code == 200
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 8.0
        assert list(events.iter_lines()) == []


def test_recordings_that_are_waited_for_hold_nobody_up(serve, clip):
    server = serve(
        workers=0,
        SIGHTLINE_FETCHING__MEDIA_FOLDERS=clip.parent,
        SIGHTLINE_LIMITS__REQUESTS_PER_MINUTE=0,
        SIGHTLINE_SHUTDOWN_S=2,
    )
    asked = f'{{"video_url": "{clip}", "duration": 3000}}'.encode()
    head = "POST /api/v1/video-pipeline/record/ HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    with ExitStack() as stack:
        for _ in range(80):  # twice as many as there are threads
            wire(server, stack, f"{head}content-length: {len(asked)}\r\n\r\n".encode() + asked)
        wait_for(lambda: len(httpx.get(f"{server.url}/api/v1/jobs?limit=100").json()["jobs"]) == 80)
        began = time.monotonic()
        assert httpx.get(f"{server.url}/api/v1/artifacts", timeout=20).status_code == 200
        assert time.monotonic() - began < 5.0
        assert server.stop() == 0
        assert time.monotonic() - began < 15.0
    assert "Traceback" not in server.log.read_text()
