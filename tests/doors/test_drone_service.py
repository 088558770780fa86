"""The drone service, as its clients use it: the client of its guide, files by address and in forms, bad input."""

import asyncio
import json
import os
import signal
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict  # noqa: UP035  (as in the guide)

import httpx
import numpy as np
import pytest

from .conftest import wait_for
from .flown import FOV_DEG, GIMBAL_OFF, flown

NEAR = "127.0.0.0/8"


@pytest.fixture(scope="module")
def flight(tmp_path_factory):
    """A flight whose gimbal is 165 degrees off."""
    return flown(tmp_path_factory.mktemp("flight"), faults=GIMBAL_OFF)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_words):
        pass


@pytest.fixture(scope="module")
def shelf(flight):
    """Where the backend serves the flight's files: an address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(flight.folder))) as web:
        thread = threading.Thread(target=web.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{web.server_port}"
        web.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(serve_all):
    return serve_all("--only", "drone", SIGHTLINE_AUTH__MODE="off", SIGHTLINE_FETCHING__PRIVATE_NETWORKS=NEAR)


# The guide's client, as it stands there; but for the address.
VGGT_URL = "http://vggt-service-host:8000"  # Set in .env


# fmt: off
async def call_vggt_service(
    job_id: int,
    video_url: str,
    flight_log_url: str,
    tracking_json_url: str,
    file_id: str,
    parameters: Dict[str, Any] = None  # noqa: RUF013, UP006
) -> Dict[str, Any]:  # noqa: UP006
    if parameters is None:
        parameters = {
            "fps": 5.0,
            "batch_size": 5,
            "kf_sigma_a": 0.5,
            "kf_sigma_meas_h": 5.0,
            "kf_sigma_meas_v": 2.0,
            "yaw_offset": 0.0,
            "magnetic_declination": 0.0,
            "add_drone_yaw": False,
            "use_osd_yaw": False
        }

    payload = {
        "job_id": job_id,
        "input_file_url": video_url,
        "flight_log_url": flight_log_url,
        "tracking_json_url": tracking_json_url,
        "file_id": file_id,
        "parameters": parameters
    }

    async with httpx.AsyncClient(timeout=600.0) as client:
        response = await client.post(
            f"{VGGT_URL}/process",
            json=payload
        )
        response.raise_for_status()
        return response.json()
# fmt: on


def asked(shelf, **more):
    return {
        "job_id": 7,
        "input_file_url": f"{shelf}/flight.mp4",
        "flight_log_url": f"{shelf}/log.csv",
        "tracking_json_url": f"{shelf}/tracks.json",
        "file_id": "f1",
        "parameters": {"fov_deg": FOV_DEG, **more},
    }


def posted(server, body, path="/process"):
    return httpx.post(f"{server.url}{path}", json=body, timeout=120)


def test_the_guides_client_gets_what_the_guide_says(server, flight, shelf, monkeypatch):
    monkeypatch.setitem(globals(), "VGGT_URL", server.url)
    urls = [f"{shelf}/{name}" for name in ("flight.mp4", "log.csv", "tracks.json")]
    found = asyncio.run(call_vggt_service(1, *urls, "f1"))
    about, tracks = found["metadata"], found["tracks"]
    assert about["source_resolution"] == {"width": 1280, "height": 720}
    assert set(about["depth_resolution"]) == {"width", "height"}
    assert about["fps"] == 5.0
    assert about["total_frames"] == 60
    assert set(about["home_position"]) == {"latitude", "longitude", "altitude"}
    assert (
        about["kalman_filter"].items()
        >= {
            "enabled": True,
            "sigma_a": 0.5,
            "sigma_meas_h": 5.0,
            "sigma_meas_v": 2.0,
        }.items()
    )
    brought = json.loads(flight.tracks.read_text())["tracks"]
    assert [(one["frame_id"], one["track_id"]) for one in tracks] == sorted(
        (one["frame_id"], one["track_id"]) for one in brought
    )
    assert [tracks[0]["confidence"], tracks[1]["confidence"]] == [None, 0.9]
    for one in tracks:
        numbers = [one[name] for name in ("lat", "lon", "depth_m", "speed_mps", "heading_deg")]
        assert all(isinstance(number, float) for number in [*numbers, *one["pos_ned"], *one["vel_ned"]])
        assert one["colour"] == {"name": "red", "sure": None}
        assert one["class_name"] == "car"
        assert one["density"] >= 0
    assert np.median(flight.errors_m(tracks)) < 8.0  # the lens is assumed: 24 mm for 25
    assert any("lens is not known" in warning for warning in about["warnings"])


def test_places_are_right_where_the_lens_is_known(server, flight, shelf):
    tracks = posted(server, asked(shelf, anchor="foot")).json()["tracks"]
    assert np.median(flight.errors_m(tracks)) < 1.5
    last = {one["track_id"]: one for one in tracks}
    for one in last.values():
        rows = flight.truth.tracks.number == one["track_id"]
        true = flight.truth.velocity_enu_mps[np.flatnonzero(rows)[-1]]
        assert one["speed_mps"] == pytest.approx(np.hypot(*true[:2]), abs=1.5)
    flat = flight.plan.height_m
    assert all(abs(one["pos_ned"][2]) < 0.1 for one in tracks)
    assert all(flat * 0.9 < one["depth_m"] < flat * 4 for one in tracks)


def test_both_ways_of_asking_give_the_same(server, flight, shelf):
    by_address = posted(server, asked(shelf), "/vggt_p/process").json()
    with flight.video.open("rb") as video, flight.log.open("rb") as log, flight.tracks.open("rb") as tracks:
        files = {"video": video, "flight_log": log, "tracking_json": tracks}
        form = {"fov_deg": str(FOV_DEG), "fps": "5.0", "add_drone_yaw": "false", "file_id": "f1"}
        sent = httpx.post(f"{server.url}/process-upload", files=files, data=form, timeout=120)
    assert sent.status_code == 200, sent.text
    assert sent.json()["tracks"] == by_address["tracks"]
    mine = f"{server.url}/api/v1/artifacts?job_id={sent.headers['x-job-id']}"
    names = {one["name"] for one in httpx.get(mine).json()["artifacts"]}
    assert names == {"flight.mp4", "log.csv", "tracks.json", "positions.json", "run.json"}
    httpx.delete(f"{server.url}/api/v1/jobs/{sent.headers['x-job-id']}").raise_for_status()
    assert not httpx.get(mine).json()["artifacts"]


def test_the_aircraft_and_nulls_come_only_when_asked_for(server, flight, shelf):
    found = posted(server, asked(shelf, include_aircraft=True, null_heading=True)).json()["tracks"]
    own = [one for one in found if one["track_id"] == 0]
    assert len(own) == 60
    assert {one["class_name"] for one in own} == {"UAV"}
    assert own[0]["bbox"] is own[0]["depth_m"] is own[0]["density"] is None
    assert own[30]["pos_ned"][2] == pytest.approx(-flight.plan.height_m, abs=0.2)
    assert own[30]["speed_mps"] == pytest.approx(flight.plan.speed_mps, abs=0.3)
    others = [one for one in found if one["track_id"]]
    assert all((one["heading_deg"] is None) == (one["speed_mps"] < 0.3) for one in others)
    assert any(one["heading_deg"] is None for one in others)


def test_who_does_not_wait_finds_the_job_and_its_files(server, shelf):
    answer = httpx.post(f"{server.url}/process?async=1", json=asked(shelf))
    assert answer.status_code == 202
    url = server.url + answer.json()["status_url"]
    job = wait_for(lambda: (j := httpx.get(url).json())["status"] == "completed" and j, 60, "the job")
    assert job["params"]["reference"] == {"job_id": 7, "file_id": "f1"}
    files = {one["name"]: one["id"] for one in job["result"]["artifacts"]}
    content = httpx.get(f"{server.url}/api/v1/artifacts/{files['positions.json']}/content").json()
    assert content["tracks"]


def test_a_client_that_leaves_does_not_lose_the_job(server, shelf):
    body = asked(shelf) | {"file_id": "left"}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.url}/process", json=body, timeout=httpx.Timeout(30, read=0.05))

    def done():
        jobs = httpx.get(f"{server.url}/api/v1/jobs?kind=drone").json()["jobs"]
        mine = [job for job in jobs if job["params"]["reference"].get("file_id") == "left"]
        return mine and mine[0]["status"] == "completed"

    wait_for(done, 60, "the job that nobody waits for")


def test_health_is_told_in_everybodys_words(server):
    for path in ("/health", "/vggt_p/health"):
        said = httpx.get(f"{server.url}{path}").json()
        assert said["status"] == "healthy"
        assert said["model_loaded"] is True
        assert isinstance(said["device"], str)
        assert isinstance(said["gpu_available"], bool)
        assert said["service"] == "sightline"
    assert "/vggt_p/process" in httpx.get(f"{server.url}/vggt_p/").json()["endpoints"]


@pytest.mark.parametrize(
    ("change", "status", "why"),
    [
        ({"job_id": "seven"}, 422, "int_parsing"),
        ({"flight_log_url": None}, 422, "string_type"),
        ({"parameters": {"fps": "often"}}, 422, "float_parsing"),
        ({"parameters": {"yaw_source": "nose"}}, 422, "literal_error"),
        ({"flight_log_url": "{shelf}/absent.csv"}, 404, "flight log cannot be fetched"),
        ({"tracking_json_url": "http://127.0.0.1:9/tracks.json"}, 502, "tracks cannot be fetched"),
        ({"input_file_url": "http://10.1.2.3/flight.mp4"}, 403, "add its network to fetching.private_networks"),
        ({"input_file_url": "ftp://example.com/flight.mp4"}, 403, "ftp"),
        ({"input_file_url": "{shelf}/log.csv"}, 400, "text, not a video"),
        ({"flight_log_url": "{shelf}/tracks.json"}, 400, "no known flight log"),
        ({"tracking_json_url": "{shelf}/log.csv"}, 400, "log.csv"),
        ({"tracking_json_url": "{shelf}/none.json"}, 400, "no tracks found"),
        ({"tracking_json_url": None}, 500, "nothing was found in the video"),  # so it was watched
        ({"flight_log_url": "{shelf}/furlongs.csv"}, 400, "furlongs"),
        ({"flight_log_url": "{shelf}/off.csv"}, 400, "no recording flag is on"),
        ({"parameters": {"fps": 1.0}}, 400, "give tracking_fps"),
        ({"parameters": {"time_offset": 900.0}}, 400, "nothing can be placed"),
    ],
)
def test_what_is_wrong_is_said_with_the_status_that_fits(server, flight, shelf, change, status, why):
    log = flight.log.read_bytes().decode("utf-8-sig")
    (flight.folder / "none.json").write_text('{"tracks": []}')
    (flight.folder / "furlongs.csv").write_text(log.replace("OSD.height [ft]", "OSD.height [furlongs]"))
    (flight.folder / "off.csv").write_text(log.replace(",True", ","))
    body = asked(shelf)
    body |= {k: v.replace("{shelf}", shelf) if isinstance(v, str) else v for k, v in change.items()}
    answer = posted(server, body)
    assert answer.status_code == status, answer.text
    assert why in answer.text
    assert set(answer.json()) == {"detail"}
    assert str(server.data) not in answer.text


def test_a_field_that_is_missing_is_named(server, shelf):
    body = asked(shelf)
    del body["tracking_json_url"]
    (fault,) = posted(server, body).json()["detail"]
    assert (fault["type"], fault["loc"], fault["msg"]) == ("missing", ["body", "tracking_json_url"], "Field required")
    sent = httpx.post(f"{server.url}/process-upload", files={"video": b"", "flight_log": b""}, data={"fps": "x"})
    assert sent.status_code == 422
    assert sent.json()["detail"][0]["loc"] == ["body", "tracking_json"]


def test_what_nobody_here_knows_is_left_out_and_told(server, shelf):
    found = posted(server, asked(shelf, min_cluster_size=5)).json()
    assert any("min_cluster_size" in warning for warning in found["metadata"]["warnings"])


def test_work_goes_on_after_the_worker_was_killed(server, shelf):
    job = httpx.post(f"{server.url}/process?async=1", json=asked(shelf)).json()
    url = server.url + job["status_url"]
    wait_for(lambda: httpx.get(url).json()["status"] != "queued", 30, "the beginning")
    workers = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=True)
    for number in workers.stdout.split():
        os.kill(int(number), signal.SIGKILL)
    wait_for(lambda: httpx.get(url).json()["status"] == "completed", 60, "the job")
