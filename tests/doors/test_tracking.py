"""The multi-camera service, as its clients use it: start, status, and everything live."""

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from base64 import b64decode
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import av
import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
import simplejpeg
import websockets
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from sightline.simulation import simulate, write

from .conftest import wait_for

TASKS = "/api/v1/processing-tasks"


@pytest.fixture(scope="module")
def yard(tmp_path_factory):
    """A made-up site, filmed by two cameras for four seconds; its videos are cut into two parts by name only."""
    folder = tmp_path_factory.mktemp("yard")
    write(simulate(seed=3, n_people=4, n_vehicles=0, n_cameras=2, duration_s=4.0, fps=5.0, size=(320, 180)), folder)
    text = (folder / "site.toml").read_text()
    (folder / "site.toml").write_text(re.sub(r'videos = \["(cam\d).mp4"\]', r'videos = ["\1.mp4", "\1.mp4"]', text))
    lame = re.sub(r'videos = \["cam2.mp4", "cam2.mp4"\]', 'videos = ["gone.mp4"]', (folder / "site.toml").read_text())
    (folder / "lame.toml").write_text(lame.replace('id = "simulated"', 'id = "lame"'))
    (folder / "odd.toml").write_text('id = "odd"\n[[cameras]]\nid = "one"\ncolour = 3\n')
    return folder


@pytest.fixture(scope="module")
def server(serve_all, yard):
    wanted = {"SIGHTLINE_AUTH__MODE": "off", "SIGHTLINE_PRIVACY": "bodies"}
    return serve_all("--only", "tracking", SIGHTLINE_SITES_FOLDER=yard, **wanted)


def started(server, **asked):
    answer = httpx.post(f"{server.url}{TASKS}/start", json={"detector": "motion", "fps": 5.0, **asked})
    assert answer.status_code == 202, answer.text
    return answer.json()


def until_end(server, task, seconds=120):
    """What it says of itself when it has ended."""

    def end():
        said = httpx.get(f"{server.url}{task['status_url']}").json()
        return said if said["status"] in {"COMPLETED", "FAILED"} else None

    return wait_for(end, seconds, "the end of the task")


@pytest.fixture(scope="module")
def done(server):
    """A task that is completed."""
    task = started(server, environment_id="simulated")
    assert until_end(server, task)["status"] == "COMPLETED"
    return task


def sightings(server, task):
    """The table of a completed task."""
    job = httpx.get(f"{server.url}/api/v1/jobs/{UUID(task['task_id']).hex}").json()
    files = {one["name"]: one["id"] for one in job["result"]["artifacts"]}
    assert set(files) == {"sightings.parquet", "paths.csv"}
    data = httpx.get(f"{server.url}/api/v1/artifacts/{files['sightings.parquet']}/content").content
    return pq.read_table(io.BytesIO(data))


def kill_workers(server):
    """All of them, without a word."""
    workers = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=True)
    for number in workers.stdout.split():
        os.kill(int(number), signal.SIGKILL)


async def heard(server, task, most_s=120):
    """All messages until the task has ended."""
    messages = []
    url = server.url.replace("http", "ws") + task["websocket_url"]
    async with asyncio.timeout(most_s), websockets.connect(url, origin=server.url, ping_interval=20) as socket:
        async for text in socket:
            messages.append(json.loads(text))
            if messages[-1]["type"] == "status_update" and messages[-1]["payload"]["status"] in {"COMPLETED", "FAILED"}:
                return messages
    return messages


def assert_covered(updates, film):
    """Where anybody is, pictures are unlike what was filmed; elsewhere they are not."""
    with av.open(str(film)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    update = max(updates, key=lambda one: len(one["cameras"]["cam1"]["tracks"]))
    picture = simplejpeg.decode_jpeg(b64decode(update["cameras"]["cam1"]["frame_image_base64"]))
    inside = np.zeros(picture.shape[:2], bool)
    for track in update["cameras"]["cam1"]["tracks"]:
        left, top, right, bottom = np.array(track["bbox_xyxy"]).clip(0).astype(int)
        inside[top:bottom, left:right] = True
    off = np.abs(picture.astype(int) - frames[update["frame_index"] % len(frames)].astype(int)).mean(axis=2)
    assert off[inside].mean() > 4 * off[~inside].mean()


def test_a_client_starts_a_task_and_hears_everything(server, yard):
    task = started(server, environment_id="simulated", images=True)
    number = task["task_id"]
    assert str(UUID(number)) == number
    assert task["message"] == "Processing task for environment 'simulated' initiated."
    assert task["status_url"] == f"{TASKS}/{number}/status"
    assert task["websocket_url"] == f"/ws/tracking/{number}"
    messages = asyncio.run(heard(server, task))
    kinds = [message["type"] for message in messages]
    assert set(kinds) == {"status_update", "tracking_update", "identities_refined"}
    status = [message["payload"] for message in messages if message["type"] == "status_update"]
    assert [one["progress"] for one in status] == sorted(one["progress"] for one in status)
    assert {one["status"] for one in status} <= {
        "QUEUED",
        "INITIALIZING",
        "DOWNLOADING_DATA",
        "PROCESSING",
        "COMPLETED",
    }
    assert any(
        re.fullmatch(r"Processing sub-video 2, frame batch \d+ \(Global Index: \d+\)", s["current_step"])
        for s in status
    )
    assert status[-1]["total_sub_video_batches"] == status[-1]["completed_sub_video_batches"] == 2
    updates = [message["payload"] for message in messages if message["type"] == "tracking_update"]
    assert [one["frame_index"] for one in updates] == sorted({one["frame_index"] for one in updates})
    assert updates[-1]["frame_index"] == updates[-1]["global_frame_index"] == 39
    assert all(set(one["cameras"]) == {"cam1", "cam2"} for one in updates)
    assert updates[-1]["cameras"]["cam1"]["image_source"] == "000039.jpg"
    tracks = [track for one in updates for camera in one["cameras"].values() for track in camera["tracks"]]
    assert tracks
    for track in tracks:
        documented = {"track_id", "global_id", "bbox_xyxy", "confidence", "class_id", "map_coords"}
        assert set(track) == documented | {"lat_lon"}  # ours, where the map has a place on earth
        assert (track["lat_lon"] is None) == (track["map_coords"] is None)
        assert track["lat_lon"] is None or track["lat_lon"] == pytest.approx([46.519, 6.632], abs=1e-3)
        assert track["class_id"] == 1
        assert track["global_id"] is None or str(UUID(track["global_id"])) == track["global_id"]
        assert track["map_coords"] is None or np.isfinite(track["map_coords"]).all()
    assert any(track["global_id"] for track in tracks)
    assert_covered(updates, yard / "cam1.mp4")
    mapping = next(message["payload"]["mapping"] for message in messages if message["type"] == "identities_refined")
    assert set(mapping) <= {track["global_id"] for track in tracks}
    assert all(mapping[one] == one for one in mapping.values() if one in mapping)  # no id goes to somebody else
    said = until_end(server, task)
    assert said == {
        "task_id": number,
        "status": "COMPLETED",
        "progress": 1.0,
        "current_step": "All Processing Complete",
        "details": None,
    }


def test_the_client_script_prints_everything_until_the_task_has_ended(server):
    def client(*words):
        script = Path(__file__).parents[2] / "scripts" / "websocket_client_test.py"
        command = [sys.executable, script, "--url", server.url, "--detector", "motion", "--fps", "5", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    done = client("--environment", "simulated", "--images")
    assert done.returncode == 0, done.stderr
    number = re.search(r"INFO:websocket_client:Task (\S+):", done.stderr)[1]
    assert f"INFO:websocket_client:[TASK {number}][STATUS_UPDATE]\n" in done.stderr
    assert re.search(r"INFO:websocket_client:  Status: PROCESSING\n", done.stderr)
    assert re.search(r"INFO:websocket_client:  Progress: \d+\.\d\d%\n", done.stderr)
    assert "INFO:websocket_client:  Current Step: All Processing Complete\n" in done.stderr
    assert f"INFO:websocket_client:[TASK {number}][TRACKING_UPDATE]\n" in done.stderr
    assert re.search(r"Camera cam1 \(0000\d\d\.jpg\): \d tracks, picture of \d+ characters", done.stderr)
    refused = client("--environment", "moon")
    assert refused.returncode == 1
    assert "answered 404: no environment 'moon'; there are: campus" in refused.stderr


def test_who_comes_late_gets_how_it_stands(server, done):
    messages = asyncio.run(heard(server, done))
    assert messages[0]["payload"]["status"] == "COMPLETED"
    assert messages[0]["payload"]["processed_frames_count"] == 40


def test_results_are_kept_with_everybodys_identity(server, done):
    table = sightings(server, done)
    assert {"moment", "camera", "global_id", "x_m", "xx_m2"} <= set(table.column_names)
    assert set(table["moment"].to_pylist()) <= set(range(40))


def test_work_goes_on_after_a_crash_where_a_part_was_done_and_everybody_stays_who_they_were(server, done):
    task = started(server, environment_id="simulated")
    status = f"{server.url}{task['status_url']}"
    wait_for(lambda: "sub-video 2" in httpx.get(status).json()["current_step"], 120, "the second part")
    kill_workers(server)
    assert until_end(server, task)["status"] == "COMPLETED"
    messages = asyncio.run(heard(server, task))
    assert messages[0]["payload"]["processed_frames_count"] == 40
    same = ["moment", "camera", "track", "identity", "left", "top", "right", "bottom"]
    assert sightings(server, task).select(same).equals(sightings(server, done).select(same))


class Player:
    """A client that listens to a task, and steers it."""

    def __init__(self, client, task):
        self._client, self._number = client, task["task_id"]
        self._url = str(client.base_url).replace("http", "ws").rstrip("/") + task["websocket_url"]
        self.messages = []

    def control(self, what, **asked):
        answer = self._client.post(f"/api/v1/controls/{self._number}/{what}", json=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def status(self):
        return self._client.get(f"/api/v1/controls/{self._number}/status").json()

    def moments(self):
        return [one["payload"]["frame_index"] for one in self.messages if one["type"] == "tracking_update"]

    def playback(self):
        return [one["payload"]["playback"] for one in self.messages if one["type"] == "status_update"]

    def picture(self, camera, **asked):
        """The first of a camera's pictures, as it comes over the wire."""
        held = b""
        url = f"/api/v1/stream/{self._number}/{camera}"
        with self._client.stream("GET", url, params=asked) as answer:
            assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
            for piece in answer.iter_raw():
                held += piece
                head, _, body = held.removeprefix(b"--frame\r\n").partition(b"\r\n\r\n")
                size = re.fullmatch(rb"Content-Type: image/jpeg\r\nContent-Length: (\d+)", head)
                if size and len(body) >= int(size[1]) + 11:
                    assert body[int(size[1]) :].startswith(b"\r\n--frame\r\n")
                    return simplejpeg.decode_jpeg(body[: int(size[1])])
        raise AssertionError("the stream ended")

    @contextmanager
    def listening(self):
        """Hears everything meanwhile."""
        with connect(self._url, max_size=None) as socket:
            ear = threading.Thread(target=self._hear, args=(socket,))
            ear.start()
            try:
                yield
            finally:
                socket.close()
                ear.join()

    def _hear(self, socket):
        for text in socket:
            self.messages.append(json.loads(text))


def test_a_task_stands_still_and_goes_elsewhere_as_it_is_told_even_over_a_crash(server):
    with server.client() as client:
        player = Player(client, task := started(server, environment_id="simulated", speed=1.0))
        with player.listening():
            wait_for(lambda: max(player.moments(), default=0) >= 6, 60, "some moments")
            player.control("pause")
            wait_for(lambda: player.playback()[-1] == "paused", 20, "a pause")
            stands = wait_for(lambda: player.status() if player.status()["last_frame_index"] else None)
            assert (stands["state"], stands["total_frames"]) == ("paused", 40)
            at = stands["last_frame_index"]
            late = Player(client, task)
            with late.listening():
                wait_for(lambda: len(late.messages) >= 2, 20, "how it stands")
            assert late.playback() == ["paused"]
            assert late.moments() == [at]
            plain, boxed = player.picture("cam1"), player.picture("cam1", boxes=True)
            assert plain.shape == boxed.shape == (180, 320, 3)
            player.control("seek", frame_index=2)
            wait_for(lambda: player.moments()[-1] == 2, 20, "a moment again")
            first, again = (one["payload"] for one in player.messages if one.get("payload", {}).get("frame_index") == 2)
            assert first["cameras"] == again["cameras"]
            kill_workers(server)
            wait_for(lambda: player.moments()[-1] == at, 60, "the moment that it stood still at")
            assert player.status()["state"] == "paused"
            player.control("seek", frame_index=30)
            wait_for(lambda: player.moments()[-1] == 30, 60, "a moment of the second part")
            assert player.status()["state"] == "paused"
            assert player.control("resume")["state"] == "playing"
            assert until_end(server, task)["status"] == "COMPLETED"
            wait_for(lambda: player.playback()[-1] == "stopped", 20, "the end")
        assert set(player.moments()) == {*range(at + 1), *range(30, 40)}
        assert client.get(f"/api/v1/controls/{task['task_id']}/status").status_code == 404
        assert client.get(f"/api/v1/stream/{task['task_id']}/cam1").status_code == 404


def test_where_a_task_cannot_go_is_said(server):
    with server.client() as client:
        player = Player(client, task := started(server, environment_id="simulated", speed=1.0))
        wait_for(lambda: player.status()["total_frames"], 60, "the number of moments")
        controls = f"/api/v1/controls/{task['task_id']}"
        past = client.post(f"{controls}/seek", json={"frame_index": 40})
        assert (past.status_code, past.json()["detail"]) == (400, "frame_index: 40 is past the end; the last is 39")
        assert client.post(f"{controls}/seek", json={"frame_index": -1}).status_code == 422
        unknown = client.get(f"/api/v1/stream/{task['task_id']}/cam9")
        assert (unknown.status_code, unknown.json()["detail"]) == (404, "no camera 'cam9'; there are: cam1, cam2")
        assert client.post(f"/api/v1/controls/{uuid4()}/pause").json() == {"detail": "Processing task not found."}
        player.control("pause")
        client.delete(f"{TASKS}/{task['task_id']}").raise_for_status()
        assert until_end(server, task)["details"] == "Task cancelled."


def test_a_camera_without_its_video_is_left_out_and_named(server):
    said = until_end(server, started(server, environment_id="lame"))
    assert said["status"] == "COMPLETED"
    assert "cam2" in said["details"]
    assert "gone.mp4" in said["details"]


def test_what_is_not_there_is_refused_and_named(server):
    def start(**asked):
        return httpx.post(f"{server.url}{TASKS}/start", json=asked)

    unknown = start(environment_id="moon")
    assert unknown.status_code == 404
    assert unknown.json()["detail"] == "no environment 'moon'; there are: campus, factory, lame, odd, simulated"
    assert start().status_code == 422
    assert start(environment_id="simulated", detector="magic").status_code == 400
    assert start(environment_id="odd").json()["detail"].startswith("odd.toml: cameras[1].colour: is not known here")
    assert httpx.get(f"{server.url}{TASKS}/{uuid4()}/status").json() == {"detail": "Processing task not found."}
    assert httpx.get(f"{server.url}{TASKS}/nothing/status").status_code == 422
    listed = {one["environment_id"]: one for one in httpx.get(f"{server.url}/api/v1/environments").json()}
    assert listed["factory"]["cameras"] == ["c09", "c12", "c13", "c16"]
    assert "colour" in listed["odd"]["fault"]


def test_a_stranger_to_the_task_is_not_let_listen(server):
    async def main(number):
        with pytest.raises(InvalidStatus) as caught:
            async with websockets.connect(f"{server.url.replace('http', 'ws')}/ws/tracking/{number}"):
                pass
        return caught.value.response.status_code

    assert asyncio.run(main(uuid4())) == 404
    assert asyncio.run(main("nonsense")) == 404


def test_a_task_can_be_cancelled(server):
    task = started(server, environment_id="simulated", fps=5.0)
    httpx.delete(f"{server.url}{TASKS}/{task['task_id']}").raise_for_status()
    said = until_end(server, task)
    assert (said["status"], said["details"]) == ("FAILED", "Task cancelled.")


def test_listening_needs_a_login_where_there_is_one(serve, yard, sightline, tmp_path):
    key = sightline("keys", "create", "program", "--role", "operator", "--data", tmp_path / "data").stdout.strip()
    server = serve("--only", "tracking", SIGHTLINE_SITES_FOLDER=yard)
    with server.client(headers={"X-API-Key": key}) as client:
        task = client.post(f"{TASKS}/start", json={"environment_id": "simulated"}).json()
    url = server.url.replace("http", "ws") + task["websocket_url"]

    async def main(**more):
        async with websockets.connect(url, **more) as socket:
            return json.loads(await asyncio.wait_for(socket.recv(), 30))["type"]

    with pytest.raises(InvalidStatus, match="401"):
        asyncio.run(main())
    assert asyncio.run(main(additional_headers={"X-API-Key": key})) == "status_update"
