"""The run server's errors have its clients' shape, whoever it is that refuses."""

import httpx
import pytest

from .conftest import wait_for


@pytest.fixture
def client(serve, here, tmp_path):
    """Of a server that knows one key, with little patience."""
    key = here("keys", "create", "phone", "--role", "operator", "--data", tmp_path / "data").stdout.strip()
    server = serve("--only", "runs", workers=0, SIGHTLINE_LIMITS__REQUESTS_PER_MINUTE=40)
    with server.client(headers={"x-api-key": key}) as client:
        yield client


def said(answer, status, error):
    """The details of an error of this kind."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert set(answer.json()) <= {"error", "details"}
    assert answer.json()["error"] == error
    return answer.json().get("details", "")


def test_every_refusal_has_the_same_shape(client):
    known, url = dict(client.headers), f"{client.base_url}/api/runs"
    json = {"content-type": "application/json"}
    assert "log in" in said(httpx.get(url), 401, "Unauthorized")
    assert "larger than" in said(client.post("/api/runs", content=bytes(2 << 20)), 413, "Request Entity Too Large")
    foreign = client.post("/api/runs", headers={"origin": "https://evil.example"})
    assert "cors_origins" in said(foreign, 403, "Forbidden")
    assert said(client.get("/api/runs/a/b/c"), 404, "Not Found") == ""
    wrong = client.put("/api/runs")
    assert said(wrong, 405, "Method Not Allowed") == ""
    assert wrong.headers["allow"] == "GET, POST"
    assert said(client.get("/api/runs", params={"limit": 0}), 400, "Failed").startswith("limit: ")
    cut = client.post("/api/runs", content='{"settings": ', headers=json)
    assert said(cut, 400, "Failed to create run").startswith("body: no JSON from character 13 on")
    form = client.post("/api/runs", data={"settings": "x"})
    assert said(form, 400, "Failed to create run") == "body: send JSON, and say so: content-type: application/json"
    names = httpx.Headers(known | {f"x-{number}": "" for number in range(120)})
    assert "header" in said(httpx.get(url, headers=names), 431, "Request Header Fields Too Large")
    busy = wait_for(lambda: (answer := client.get("/api/runs")).status_code == 429 and answer)
    assert "try again in" in said(busy, 429, "Too Many Requests")
    assert int(busy.headers["retry-after"]) > 0


def test_other_paths_keep_their_shape(client):
    assert set(httpx.get(f"{client.base_url}/api/v1/jobs").json()) == {"detail"}
    assert set(client.get("/api/runner").json()) == {"detail"}


def test_an_open_server_is_not_served_under_other_names(serve):
    server = serve("--only", "runs", workers=0)
    answer = httpx.get(f"{server.url}/api/runs", headers={"host": "evil.example"})
    assert "allowed_hosts" in said(answer, 421, "Misdirected Request")
