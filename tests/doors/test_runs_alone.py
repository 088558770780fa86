"""Runs on servers that are killed, and on one where nobody may come in."""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from .conftest import wait_for
from .runs import brought, done, environment, glb_of, made, photos


def below(pid):
    """All processes that a process has begun, and those have."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [int(word) for task in tasks for word in (task / "children").read_text().split()]
    return [*children, *(one for child in children for one in below(child))]


@pytest.fixture
def installed(tmp_path):
    """For servers that a test has to itself."""
    return environment(tmp_path)


def test_a_run_goes_on_after_everything_was_killed_and_gives_the_same(serve, installed):
    first = serve(**installed)
    with first.client() as client:
        unharmed = glb_of(client, done(client, options={"pace_s": 0.0})["runId"])
        run = made(client, options={"pace_s": 1.0})
        brought(client, run)
        client.post(f"/api/runs/{run}/process")
        wait_for(lambda: client.get(f"/api/runs/{run}").json()["status"] == "processing")
        metadata = first.data / "storage" / "runs" / run / "metadata.json"
        wait_for(lambda: json.loads(metadata.read_text())["status"] == "processing")
    for pid in (first.process.pid, *below(first.process.pid)):
        with suppress(ProcessLookupError):  # it ended with the one before
            os.kill(pid, signal.SIGKILL)
    first.process.wait(20)
    second = serve(data=first.data, **installed)
    with second.client() as client, client.stream("GET", f"/api/runs/{run}/stream") as lines:
        seen = [json.loads(line.removeprefix("data:")) for line in lines.iter_lines() if line.startswith("data:")]
        assert {one["status"] for one in seen} <= {"processing", "fetching", "completed"}
        assert seen[-1]["status"] == "completed"
        progress = [one["progress"] for one in seen]
        assert progress == sorted(progress)
        assert glb_of(client, run) == unharmed
    wait_for(lambda: json.loads(metadata.read_text())["status"] == "completed")


def test_strangers_get_no_further_than_the_door(serve, here, tmp_path):
    data = ("--data", tmp_path / "data")
    here("users", "add", "ann", "--role", "admin", "--password-stdin", *data, given="correct horse\n")
    server = serve(workers=0)
    with server.client() as client:
        assert client.get("/api/health").json()["status"] == "ok"
        assert client.get("/api/runs").status_code == 401
        assert client.get("/api/test/vggt-connection").status_code == 401
    assert httpx.post(f"{server.url}/api/runs/run_1_abcdefg/images", files=photos()).status_code == 401
