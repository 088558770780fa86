"""Document 004, from outside: a real server, real files, a camera that speaks RTSP."""

import io
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from PIL import Image

from .conftest import wait_for, written

BASE = "/api/v1/video-pipeline"
CAMERA = Path(__file__).parents[1] / "rtsp_server.py"


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """A folder whose files may be read by path."""
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="module")
def server(serve_all, media):
    return serve_all(SIGHTLINE_FETCHING__PRIVATE_NETWORKS="127.0.0.0/8", SIGHTLINE_FETCHING__MEDIA_FOLDERS=media)


@pytest.fixture
def client(server):
    """Speaks to the server; leaves no camera behind."""
    with server.client() as client:
        yield client
        for camera in client.get(f"{BASE}/cameras/").json():
            client.post(f"{BASE}/decode/stop/", data={"camera_id": camera["camera_id"]})


@pytest.fixture(scope="session")
def footage(tmp_path_factory):
    """Ten seconds for a camera to show."""
    return written(tmp_path_factory.mktemp("camera") / "camera.mp4", n_frames=250)


@pytest.fixture
def camera(footage):
    """Starts a camera on a port of its own: (address, process); the same port again with ``port``."""
    started = []

    def start(port=None):
        if port is None:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
        command = [sys.executable, str(CAMERA), str(port), str(footage)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        started.append(process)
        wait_for(lambda: listens(port))
        return f"rtsp://ann:hush@127.0.0.1:{port}/gate?key=hush", process

    yield start
    for process in started:
        process.kill()
        process.wait()


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def status(client, camera_id="camera_1"):
    return client.get(f"{BASE}/decode/status/", params={"camera_id": camera_id}).json()


def decode(client, camera_id="camera_1", files=None, **fields):
    return client.post(f"{BASE}/decode/", data={"camera_id": camera_id, **fields}, files=files)


def decoded(client, path, fps=5, camera_id="camera_1"):
    """Has a file decoded to its end."""
    with path.open("rb") as file:
        answer = decode(client, camera_id, files={"file": (path.name, file)}, fps=fps)
    assert answer.status_code == 200, answer.text
    wait_for(lambda: status(client, camera_id)["status"] == "completed", 60)
    return answer.json()


def size(path):
    with Image.open(path) as picture:
        return picture.size


def frames(server, camera_id="camera_1"):
    return sorted((server.data / "frames" / camera_id).glob("*.jpg"))


def test_a_file_becomes_pictures_that_stay(server, client, clip):
    answer = decoded(client, clip)
    assert answer == {
        "message": "Decoding started",
        "camera_id": "camera_1",
        "output_folder": str(server.data / "frames" / "camera_1"),
        "status": "started",
    }
    assert status(client) == {
        "camera_id": "camera_1",
        "status": "completed",
        "frame_count": 15,
        "last_error": None,
        "restart_count": 0,
    }
    assert [path.name for path in frames(server)] == [f"frame_{i:04d}.jpg" for i in range(1, 16)]
    assert {size(path) for path in frames(server)} == {(320, 240)}
    latest = client.get(f"{BASE}/latest-frame/", params={"camera_id": "camera_1"})
    assert latest.headers["content-type"] == "image/jpeg"
    assert latest.content == frames(server)[-1].read_bytes()
    assert int(latest.headers["age"]) >= 0
    known = client.get(
        f"{BASE}/latest-frame/", params={"camera_id": "camera_1"}, headers={"if-none-match": latest.headers["etag"]}
    )
    assert (known.status_code, known.content) == (304, b"")
    covered = client.get(f"{BASE}/latest-frame/", params={"camera_id": "camera_1", "privacy": "faces"})
    assert covered.status_code == 400, "nothing is set that finds faces"
    assert "privacy_weights" in covered.json()["detail"]


def test_starting_anew_begins_at_one_and_cleanup_removes(server, client, clip):
    decoded(client, clip, fps=5)
    decoded(client, clip, fps=1)
    assert [path.name for path in frames(server)] == ["frame_0001.jpg", "frame_0002.jpg", "frame_0003.jpg"]
    assert client.post(f"{BASE}/cleanup/").status_code == 200
    assert len(frames(server)) == 3, "a finished file keeps its pictures until they are named"
    assert client.post(f"{BASE}/cleanup/", data={"camera_id": "camera_1"}).status_code == 200
    assert not frames(server)
    gone = client.get(f"{BASE}/latest-frame/", params={"camera_id": "camera_1"})
    assert gone.status_code == 404
    assert gone.json()["detail"] in {
        "Output folder does not exist for this camera.",
        "No frames available. Camera may not be streaming.",
    }


def test_a_stream_runs_until_it_is_stopped(server, client, camera):
    url, _ = camera()
    assert decode(client, url=url, fps=5).json()["status"] == "started"
    again = decode(client, url=url, fps=5)
    assert (again.status_code, again.json()["status"]) == (200, "already_running")
    assert again.json()["message"] == "Decoding already running"
    wait_for(lambda: status(client)["frame_count"] >= 10, 30)
    assert status(client)["status"] == "running"
    assert client.get(f"{BASE}/latest-frame/", params={"camera_id": "camera_1"}).status_code == 200
    stopped = client.post(f"{BASE}/decode/stop/", data={"camera_id": "camera_1"})
    assert stopped.json() == {"message": "Decoding stopped", "camera_id": "camera_1"}
    assert status(client)["status"] == "stopped"
    assert not frames(server)
    time.sleep(0.5)
    assert not frames(server), "nobody writes any more"
    assert client.post(f"{BASE}/decode/stop/", data={"camera_id": "camera_1"}).status_code == 200


def test_a_camera_that_comes_back_is_found_again_and_numbers_go_on(server, client, camera):
    url, process = camera()
    port = int(re.search(r":(\d+)/", url)[1])
    decode(client, url=url, fps=5)
    wait_for(lambda: status(client)["frame_count"] >= 5, 30)
    process.kill()
    process.wait()
    wait_for(lambda: status(client)["restart_count"] >= 1, 30)
    broken = status(client)
    assert broken["status"] == "running"
    assert broken["last_error"]
    assert "hush" not in broken["last_error"]
    before = len(frames(server))
    camera(port)
    wait_for(lambda: len(frames(server)) >= before + 5, 30)
    numbers = [int(path.stem[6:]) for path in frames(server)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_everything_goes_on_after_the_server_was_killed(serve, tmp_path, camera):
    allowed = {"SIGHTLINE_FETCHING__PRIVATE_NETWORKS": "127.0.0.0/8"}
    url, _ = camera()
    first = serve(data=tmp_path / "kept", **allowed)
    with first.client() as client:
        decode(client, url=url, fps=5)
        wait_for(lambda: status(client)["frame_count"] >= 5, 30)
    first.stop(signal.SIGKILL)
    before = len(frames(first))
    second = serve(data=tmp_path / "kept", **allowed)
    with second.client() as client:
        assert status(client)["status"] == "running"
        wait_for(lambda: status(client)["frame_count"] >= before + 5, 30)
    numbers = [int(path.stem[6:]) for path in frames(second)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_secrets_of_addresses_stay_out_of_answers_and_logs(server, client, camera):
    url, process = camera()
    decode(client, url=url, fps=5)
    wait_for(lambda: status(client)["frame_count"] >= 1, 30)
    process.kill()
    wait_for(lambda: status(client)["last_error"], 30)
    said = [client.get(f"{BASE}{path}").text for path in ("/cameras/", "/debug/")] + [client.get("/metrics").text]
    said.append(server.log.read_text())
    assert not [text for text in said if "hush" in text]


@pytest.mark.parametrize(
    ("fields", "code", "why"),
    [
        ({}, 400, "Either a file or a URL must be provided."),
        ({"url": ""}, 400, "Either a file or a URL must be provided."),
        ({"url": "/etc/passwd"}, 403, "fetching.media_folders"),
        ({"url": "file:///etc/passwd"}, 403, "fetching.media_folders"),
        ({"url": "concat:/etc/passwd"}, 403, "never opened"),
        ({"url": "rtsp://10.1.2.3/x"}, 403, "fetching.private_networks"),
        ({"url": "gopher://example.com/x"}, 403, "never opened"),
        ({"url": "nonsense"}, 400, "give a URL"),
        ({"url": "rtsp://127.0.0.1/x", "fps": "0"}, 422, "greater than 0"),
        ({"url": "rtsp://127.0.0.1/x", "force_format": "magic"}, 422, "cuda"),
        ({"url": "rtsp://127.0.0.1/x", "camera_id": "../up"}, 422, "camera_id"),
        ({"url": "rtsp://127.0.0.1/x", "camera_id": ".hidden"}, 422, "camera_id"),
    ],
)
def test_what_cannot_be_decoded_is_refused_with_the_reason(server, client, fields, code, why):
    answer = client.post(f"{BASE}/decode/", data={"camera_id": "camera_1", **fields})
    assert (answer.status_code, why in answer.text) == (code, True), answer.text
    assert not list((server.data / "frames").glob("*/*.jpg"))


def test_an_upload_that_is_no_video_is_refused_and_not_kept(server, client):
    answer = decode(client, "wrong", files={"file": ("movie.mp4", io.BytesIO(b"no movie at all"))})
    assert answer.status_code == 400
    assert "movie.mp4" in answer.json()["detail"]
    assert str(server.data) not in answer.text
    assert status(client, "wrong")["status"] == "not_started"
    assert not list((server.data / "incoming").glob("*"))


def test_unknown_cameras(client):
    assert status(client, "nobody") == {
        "camera_id": "nobody",
        "status": "not_started",
        "frame_count": 0,
        "last_error": None,
        "restart_count": 0,
    }
    for answer in (
        client.post(f"{BASE}/decode/stop/", data={"camera_id": "nobody"}),
        client.get(f"{BASE}/latest-frame/", params={"camera_id": "nobody"}),
    ):
        assert (answer.status_code, answer.json()) == (404, {"detail": "No decode task found for this camera."})


def test_what_a_video_is(client, clip, camera):
    with clip.open("rb") as file:
        answer = client.post(f"{BASE}/video-info/", files={"video": ("yard.mp4", file)})
    assert answer.json()["message"] == "Video information retrieved"
    info = answer.json()["info"]
    assert (info["codec"], info["width"], info["height"], info["fps"], info["duration"]) == ("h264", 320, 240, 25, 3)
    url, _ = camera()
    info = client.post(f"{BASE}/video-info-url/", data={"url": url}).json()["info"]
    assert (info["format"], info["codec"], info["width"], info["duration"]) == ("rtsp", "h264", 320, 0)


def test_a_picture_and_a_part_are_kept_and_never_written_where_the_client_says(client, clip, tmp_path, camera, media):
    source = media / "yard.mp4"
    source.write_bytes(clip.read_bytes())
    wanted = tmp_path / "elsewhere" / "shot.jpg"
    shot = client.post(
        f"{BASE}/snapshot/", json={"video_url": str(source), "timestamp": "00:00:02", "output_image": str(wanted)}
    )
    assert shot.json()["message"] == "Snapshot captured", shot.text
    assert Image.open(io.BytesIO(client.get(shot.json()["output"]).content)).size == (320, 240)
    assert not wanted.exists()
    url, _ = camera()
    for video_url, length in ((str(source), 1.0), (url, 2.0)):
        part = client.post(
            f"{BASE}/record/",
            json={"video_url": video_url, "start_time": 0, "duration": length, "output_path": "../../part.mp4"},
        )
        assert part.json()["message"] == "Recording successful", part.text
        kept = client.get(f"/api/v1/artifacts/{part.json()['artifact_id']}").json()
        assert kept["name"] == "part.mp4"
        recorded = tmp_path / "part.mp4"
        recorded.write_bytes(client.get(part.json()["output"]).content)
        with recorded.open("rb") as file:
            info = client.post(f"{BASE}/video-info/", files={"video": ("part.mp4", file)}).json()["info"]
        assert info["duration"] == pytest.approx(length, abs=0.5)


def test_a_device_that_is_not_there_is_fallen_back_from_with_the_reason(client, clip):
    if "cuda" in client.get(f"{BASE}/hw-accel-cap/").json()["message"]["available_hw_accelerations"]:
        pytest.skip("this machine has the device")
    with clip.open("rb") as file:
        assert decode(client, files={"file": ("yard.mp4", file)}, fps=1, force_format="cuda").status_code == 200
    wait_for(lambda: status(client)["status"] == "completed", 60)
    assert status(client)["frame_count"] == 3
    assert "cuda" in status(client)["last_error"]


def test_the_documented_commands_work_as_they_are_written(server, client, camera, tmp_path):
    """Curl calls of the document, with our host, camera and file in place of theirs."""
    url, _ = camera()
    document = [
        (
            'curl -X POST "http://localhost:8002/api/v1/video-pipeline/decode/" '
            '-F "camera_id=camera_1" -F "url=rtsp://camera.example.com/stream" -F "fps=5"'
        ),
        'curl "http://localhost:8002/api/v1/video-pipeline/decode/status/?camera_id=camera_1"',
        'curl "http://localhost:8002/api/v1/video-pipeline/latest-frame/?camera_id=camera_1" --output latest_frame.jpg',
        "curl http://localhost:8002/api/v1/video-pipeline/hw-accel-cap/",
    ]
    for number, command in enumerate(document):
        ours = command.replace("http://localhost:8002", server.url).replace("rtsp://camera.example.com/stream", url)
        result = subprocess.run(ours, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
        if number == 0:
            assert '"status":"started"' in result.stdout
            wait_for(lambda: status(client)["frame_count"] >= 2, 30)
    assert size(tmp_path / "latest_frame.jpg") == (320, 240)


def test_the_documented_reader_finds_the_newest_picture(server, client, clip):
    """The document's snippet for the shared volume, with our folder in place of theirs."""
    decoded(client, clip)
    frames_dir = Path(server.data / "frames")
    camera_dir = frames_dir / "camera_1"

    # Get latest frame
    jpg_files = sorted(camera_dir.glob("*.jpg"))
    if jpg_files:
        latest_frame = Image.open(jpg_files[-1])

    with latest_frame:
        assert latest_frame.size == (320, 240)
    assert jpg_files[-1].name == "frame_0015.jpg"


def test_the_documented_backend_call_works(server, clip, media, client):
    """Option 1 of the document: a backend forwards a camera by form."""
    source = media / "yard.mp4"
    source.write_bytes(clip.read_bytes())
    response = httpx.post(
        f"{server.url}/api/v1/video-pipeline/decode/",
        data={"camera_id": str(7), "url": str(source), "fps": 1},
    )
    assert response.json()["status"] == "started"
    wait_for(lambda: status(client, "7")["status"] == "completed", 60)
    health = httpx.get(f"{server.url}/api/v1/video-pipeline/health/")
    assert health.json()["status"] == "healthy"


def test_two_cameras_decode_side_by_side_and_are_listed(server, client, camera):
    url, _ = camera()
    for name in ("gate", "yard"):
        assert decode(client, name, url=url, fps=5).json()["status"] == "started"
    for name in ("gate", "yard"):
        wait_for(lambda name=name: status(client, name)["frame_count"] >= 3, 30)
    listed = {one["camera_id"]: one["status"] for one in client.get(f"{BASE}/cameras/").json()}
    assert (listed["gate"], listed["yard"]) == ("running", "running")
    assert 'sightline_camera_running{camera="gate"} 1.0' in client.get("/metrics").text
    assert (server.data / "frames" / "gate").is_dir()
