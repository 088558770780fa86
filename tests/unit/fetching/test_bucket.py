"""Files from a real S3 endpoint."""

import os
import socket
import subprocess
import sys
import time

import httpx
import pytest

from sightline.errors import RefusedError, SourceError
from sightline.fetching import Policy, download
from sightline.fetching.bucket import where

VIDEO = os.urandom(20_000_000)
POLICY = Policy(buckets=("open-*",), timeout_s=20.0)


@pytest.fixture(scope="module")
def endpoint():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], **quiet)
    try:
        for _ in range(400):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        url = f"http://127.0.0.1:{port}"
        files = {"": None, "/a/video-b.mp4": VIDEO, "/empty.mp4": b"", "/list.mp4": b"#EXTM3U\n/etc/passwd\n"}
        for bucket in ("open-bucket", "closed-bucket"):
            for name, body in files.items():
                httpx.put(f"{url}/{bucket}{name}", content=body, trust_env=False).raise_for_status()
        yield url
    finally:
        server.kill()
        server.wait(10)


@pytest.fixture
def s3(endpoint):
    return {"endpoint": endpoint, "access_key_id": "some", "secret_access_key": "hush", "region": "us-east-1"}


def fetch(url, folder, s3, *, policy=POLICY, stopped=lambda: False):
    return download(url, folder, policy, lambda *_: None, stopped, s3=s3)


def test_an_object_comes_whole(tmp_path, s3):
    path = fetch("s3://open-bucket/a/video-b.mp4", tmp_path, s3)
    assert path.read_bytes() == VIDEO
    assert path.suffix == ".media"


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "S3_ENDPOINT_URL"])
def test_the_surroundings_may_say_where_s3_is(tmp_path, s3, monkeypatch, variable):
    for name, value in s3.items():
        monkeypatch.setenv(variable if name == "endpoint" else f"AWS_{name.upper()}", value)
    assert fetch("s3://open-bucket/a/video-b.mp4", tmp_path, None).stat().st_size == len(VIDEO)


def test_the_usual_name_of_an_endpoint_goes_before_the_older_one(monkeypatch):
    monkeypatch.setenv("S3_ENDPOINT_URL", "http://older")
    assert where({}) == {"endpoint": "http://older"}
    assert where({"endpoint": "http://said"}) == {"endpoint": "http://said"}
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://usual")
    assert where({}) == {}


@pytest.mark.parametrize(
    ("name", "why"), [("none.mp4", "no such"), ("empty.mp4", "empty"), ("list.mp4", "playlist"), ("a", "no such")]
)
def test_what_is_no_file_leaves_none(tmp_path, s3, name, why):
    with pytest.raises(SourceError, match=why):
        fetch(f"s3://open-bucket/{name}", tmp_path, s3)
    assert list(tmp_path.iterdir()) == []


def test_too_much_is_refused(tmp_path, s3):
    policy = Policy(buckets=("*",), max_bytes=len(VIDEO) - 1)
    with pytest.raises(RefusedError, match="max_bytes"):
        fetch("s3://open-bucket/a/video-b.mp4", tmp_path, s3, policy=policy)
    assert list(tmp_path.iterdir()) == []


def test_other_buckets_are_not_read_with_our_keys(tmp_path, s3):
    with pytest.raises(RefusedError, match="buckets"):
        fetch("s3://closed-bucket/a/video-b.mp4", tmp_path, s3)


def test_an_endpoint_that_is_not_there_is_said_without_keys(tmp_path, s3):
    with pytest.raises(SourceError, match="cannot be read from S3") as caught:
        fetch("s3://open-bucket/a/video-b.mp4", tmp_path, s3 | {"endpoint": "http://127.0.0.1:9"})
    assert "hush" not in str(caught.value)


def test_it_stops_within_a_second_when_told_to(tmp_path, s3):
    """At an endpoint that takes the connection and says nothing."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url, began = f"http://127.0.0.1:{deaf.getsockname()[1]}", time.monotonic()
        stopped = lambda: time.monotonic() > began + 0.3  # noqa: E731
        assert fetch("s3://open-bucket/a.mp4", tmp_path, s3 | {"endpoint": url}, stopped=stopped) is None
        assert time.monotonic() - began < 1.3
