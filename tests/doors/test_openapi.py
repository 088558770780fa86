"""The server and its own description of itself: requests made from it, right and wrong ones, and who may send them."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,allow_header_conformance,missing_required_header"
)
FOR_VIEWERS = {  # besides all that only looks
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/ticket",
    "POST /api/v1/video-pipeline/video-info/",
}
NOT_FOR_VIEWERS = {"GET /api/v1/users", "GET /api/v1/keys", "GET /api/v1/video-pipeline/debug/"}
FOR_ADMINS = {
    "GET /api/v1/users",
    "POST /api/v1/users",
    "PATCH /api/v1/users/{name}",
    "DELETE /api/v1/users/{name}",
    "GET /api/v1/keys",
    "POST /api/v1/keys",
    "DELETE /api/v1/keys/{key_id}",
}
FOR_ALL = {"GET /", "GET /health", "GET /health/ready", "GET /api/v1/video-pipeline/health/"} | {
    "POST /api/v1/auth/login"
}


@pytest.fixture
def served(serve):
    def start(**environment):
        only = ("--only", "video-pipeline", "--only", "analytics")
        return serve(*only, workers=0, SIGHTLINE_LIMITS__REQUESTS_PER_MINUTE=0, **environment)

    return start


def key(here, tmp_path, role):
    made = here("keys", "create", role, "--role", role, "--data", tmp_path / "data")
    return made.stdout.strip()


def fuzzed(server, folder, checks, *options):
    """What requests made from the description found, for so many seconds at most."""
    command = [Path(sys.executable).with_name("schemathesis"), "run", f"{server.url}/openapi.json", "--no-color"]
    command += ["--generation-deterministic", "--seed", "1", "--max-time", "6", "--checks", checks]
    command += ["--warnings", "off", "--request-timeout", "40"]
    command += ["--exclude-path", "/api/v1/jobs/events", "--exclude-path", "/api/v1/jobs/{job_id}/events"]
    return subprocess.run(
        [*map(str, command), *options], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_answers_are_as_described_whatever_is_sent(served, tmp_path):
    server = served(SIGHTLINE_AUTH__MODE="off")
    result = fuzzed(server, tmp_path, CHECKS)
    assert result.returncode == 0, result.stdout
    assert server.stop() == 0
    log = server.log.read_text()
    assert "fault=" not in log
    assert "Traceback" not in log


def test_who_must_log_in_gets_answers_as_described(served, here, tmp_path):
    text = key(here, tmp_path, "operator")
    server = served()
    result = fuzzed(server, tmp_path, f"{CHECKS},ignored_auth", "--header", f"X-API-Key: {text}")
    assert result.returncode == 0, result.stdout


def statuses(server, given):
    """Of every operation, with an empty request."""
    with httpx.Client(base_url=server.url, headers=given, timeout=30) as client:
        described = client.get("/openapi.json").json()["paths"]
        found = {}
        for path, methods in described.items():
            for method in methods:
                filled = re.sub(r"\{\w+\}", "0" * 32, path)
                with client.stream(method.upper(), filled) as answer:
                    found[f"{method.upper()} {path}"] = answer.status_code
        return found


def test_each_role_may_do_what_it_should_and_nothing_else(served, here, tmp_path):
    keys = {role: key(here, tmp_path, role) for role in ("viewer", "operator", "admin")}
    server = served()
    viewer = statuses(server, {"x-api-key": keys["viewer"]})
    looks = {name for name in viewer if name.startswith("GET ")} - NOT_FOR_VIEWERS
    assert {name for name, status in viewer.items() if status != 403} == looks | FOR_VIEWERS
    operator = statuses(server, {"x-api-key": keys["operator"]})
    assert {name for name, status in operator.items() if status == 403} == FOR_ADMINS
    assert 403 not in statuses(server, {"x-api-key": keys["admin"]}).values()
    stranger = statuses(server, {})
    assert {name for name, status in stranger.items() if status != 401} == FOR_ALL
    assert statuses(server, {"x-api-key": keys["admin"][:-1]}) == stranger
