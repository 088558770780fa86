"""The server as whoever installs it meets it."""

import json
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from .conftest import wait_for


def alive(pid):
    try:
        with Path(f"/proc/{pid}/stat").open() as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(pid):
    """Processes that a process started, and those that they started."""
    found = []
    for name in (path.name for path in Path("/proc").iterdir()):
        if name.isdigit():
            try:
                with Path(f"/proc/{name}/stat").open() as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == pid:
                found += [int(name), *children(int(name))]
    return found


def test_it_answers_and_ends_when_told(serve):
    server = serve(workers=0)
    with server.client() as client:
        assert client.get("/health").json()["status"] == "healthy"
        assert client.get("/health/live").status_code == 200
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        assert "sightline_http_requests_total" in client.get("/metrics").text
        assert client.get("/docs").status_code == 200
        assert client.get("/openapi.json").json()["info"]["title"] == "Sightline"
    assert server.stop() == 0


def test_errors_have_the_fields_shape_and_every_answer_a_number(serve):
    server = serve(workers=0)
    with server.client() as client:
        missing = client.get("/nothing/here")
        assert (missing.status_code, missing.json()) == (404, {"detail": "Not Found"})
        assert re.fullmatch("[0-9a-f]{16}", missing.headers["x-request-id"])
        mine = client.get("/health", headers={"x-request-id": "mine-1"})
        assert mine.headers["x-request-id"] == "mine-1"
        forged = client.get("/health", headers={"x-request-id": "a b" * 50})
        assert forged.headers["x-request-id"] != "a b" * 50
        wrong = client.get("/api/v1/jobs?limit=0")
        assert wrong.status_code == 422
        assert wrong.json()["detail"][0]["loc"] == ["query", "limit"]


def test_log_lines_carry_the_number_of_their_request(serve):
    server = serve(workers=0, SIGHTLINE_LOG_FORMAT="json")
    with server.client() as client:
        client.get("/api/v1/jobs", headers={"x-request-id": "look-for-me"})
    server.stop()
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    assert any(line.get("request") == "look-for-me" for line in lines)


def test_secrets_of_the_settings_are_not_printed(serve):
    server = serve(
        workers=0,
        SIGHTLINE_AUTH__SECRET="hush-hush-hush-hush-hush-hush-hush",
        SIGHTLINE_REDIS="redis://:pw@localhost/0",
    )
    server.stop()
    said = server.log.read_text()
    assert "hush" not in said
    assert ":pw@" not in said
    assert "redis://" in said


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--only", "nothing"], "there is no surface 'nothing'; there are: video-pipeline"),
        (["--host", "0.0.0.0"], "sightline users add"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(sightline, tmp_path, options, why):
    result = sightline("serve", "--data", tmp_path / "data", *options)
    assert result.returncode == 2
    assert why in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_that_is_taken_is_named(sightline, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = sightline("serve", "--data", tmp_path / "data", "--port", port)
    assert result.returncode == 2
    assert f"127.0.0.1:{port}" in result.stderr
    assert "choose another --port" in result.stderr


def test_a_file_of_settings_is_read_and_its_faults_are_named(here, tmp_path):
    absent = here("serve", "--config", "absent.toml")
    assert (absent.returncode, absent.stderr) == (2, "sightline: absent.toml: No such file or directory\n")
    assert "setting port" in here("serve", "--port", "70000").stderr
    (tmp_path / "site.toml").write_text("[video_pipeline]\nqualty = 3\n")
    result = here("serve", "--config", "site.toml", "--data", tmp_path / "data")
    assert result.returncode == 2
    assert "video_pipeline.qualty" in result.stderr


def test_a_database_that_is_not_there_is_named_without_its_password(sightline, tmp_path):
    environment = os.environ | {"SIGHTLINE_DATABASE": "postgresql://ann:hush@127.0.0.1:1/x"}
    result = sightline("serve", "--data", tmp_path / "data", env=environment)
    assert result.returncode == 2
    assert "127.0.0.1:1" in result.stderr
    assert "hush" not in result.stderr


def test_nothing_is_left_running_when_the_server_is_killed(serve):
    server = serve(workers=1)
    family = wait_for(lambda: children(server.process.pid))
    server.stop(signal.SIGKILL)
    wait_for(lambda: not any(alive(pid) for pid in family), 20, "the end of the workers")


def test_one_surface_can_be_served_alone(serve):
    server = serve("--only", "video-pipeline", workers=0)
    with server.client() as client:
        assert client.get("/api/v1/video-pipeline/health/").json() == {
            "status": "healthy",
            "service": "video-pipeline",
        }
