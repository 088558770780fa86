"""The history over HTTP and from the command line: asked, exported, put right and forgotten, after a real task."""

import csv
import io
import json
import re
import zipfile

import av
import pytest
from websockets.sync.client import connect

from sightline.simulation import simulate, write

from .conftest import wait_for

COUNTED = """
[[zones]]
id = "everywhere"
corners = [[-99.0, -99.0], [99.0, -99.0], [99.0, 99.0], [-99.0, 99.0]]

[[lines]]
id = "far"
ends = [[-99.0, -99.0], [-99.0, 99.0]]
inside = [0.0, 0.0]
"""


@pytest.fixture(scope="module")
def yard(tmp_path_factory):
    """A made-up site, filmed by two cameras for three seconds, twice over by name."""
    folder = tmp_path_factory.mktemp("yard")
    write(simulate(seed=3, n_people=5, n_vehicles=0, n_cameras=2, duration_s=3.0, fps=5.0, size=(320, 180)), folder)
    text = (folder / "site.toml").read_text()
    text = re.sub(r'videos = \["(cam\d).mp4"\]', r'videos = ["\1.mp4", "\1.mp4"]', text)
    (folder / "site.toml").write_text(text + COUNTED)
    return folder


@pytest.fixture(scope="module")
def server(serve_all, yard):
    only = ("--only", "tracking", "--only", "analytics")
    free = {"SIGHTLINE_AUTH__MODE": "off", "SIGHTLINE_LIMITS__REQUESTS_PER_MINUTE": 0}
    return serve_all(*only, SIGHTLINE_SITES_FOLDER=yard, **free)


def watched(server):
    """The number of a task that has ended well, and all tracks that it told of live."""
    tracks = []
    with server.client() as client:
        asked = {"environment_id": "simulated", "detector": "motion", "fps": 5.0}
        task = client.post("/api/v1/processing-tasks/start", json=asked).json()
        with connect(server.url.replace("http", "ws") + task["websocket_url"], max_size=None) as socket:
            status = None
            while status not in {"COMPLETED", "FAILED"}:
                message = json.loads(socket.recv(120))
                status = message["payload"].get("status", status)
                for camera in message["payload"].get("cameras", {}).values():
                    tracks += camera["tracks"]
        assert status == "COMPLETED"
        return task["task_id"], tracks


@pytest.fixture(scope="module")
def task(server):
    number, tracks = watched(server)
    assert not [one for one in tracks if "name" in one]
    return number


@pytest.fixture
def client(server):
    with server.client() as client:
        yield client


def asked(client, name, **about):
    answer = client.get(f"/api/v1/analytics/{name}", params=about)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (set(said), said["status"]) == ({"status", "data", "timestamp"}, "success")
    return said["data"]


def exported(client, kind, **what):
    """The export and its file."""
    job = client.post(f"/api/v1/export/{kind}", json=what)
    assert job.status_code == 202, job.text
    status = f"/api/v1/export/jobs/{job.json()['job_id']}/status"
    wait_for(lambda: client.get(status).json()["status"] not in {"pending", "processing"}, 60, "the export")
    view = client.get(status).json()
    assert view["status"] == "completed", view
    return view, client.get(view["download_url"])


def test_what_was_watched_can_be_asked_about(client, task):
    assert task in {one["task_id"] for one in asked(client, "tasks")["tasks"]}
    people = asked(client, "people", task_id=task)["people"]
    assert people
    assert asked(client, "people", environment_id="simulated")["people"]
    board = asked(client, "dashboard", task_id=task)
    assert board["summary"]["total_people"] == len(people)
    assert {one["camera_id"] for one in board["cameras"]} <= {"cam1", "cam2"}
    assert board["summary"]["tasks"][0]["length_s"] == pytest.approx(6.0)
    (zone,) = asked(client, "dwell", task_id=task)["zones"]
    assert zone["total_s"] == pytest.approx(sum(one["there_s"] or 0 for one in people), abs=0.1)
    assert asked(client, "lines", task_id=task)["lines"][0]["in"] == 0
    assert asked(client, "people", task_id=task, to_s=-1.0)["people"] == []
    for name in ("trajectories", "visits", "occupancy", "flow", "speeds", "meetings", "heatmap"):
        asked(client, name, task_id=task)
    picture = client.get("/api/v1/analytics/heatmap.png", params={"task_id": task})
    assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")
    assert asked(client, "system/statistics")["watched_tasks"] >= 1
    assert asked(client, "real-time/metrics") == {"active_tasks": 0, "active_persons": 0, "tasks": []}


def test_files_are_made_downloaded_and_removed(client, task):
    view, file = exported(client, "tracking-data", task_id=task, format="csv")
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert list(rows[0])[:3] == ["person_id", "timestamp", "camera_id"]
    assert {row["timestamp"] for row in rows} == {""}  # nobody said when the recordings began
    assert (view["export_type"], view["format"], view["file_size"]) == ("tracking-data", "csv", len(file.content))
    assert "tracking-data.csv" in file.headers["content-disposition"]
    _, book = exported(client, "analytics-report", environment_id="simulated", format="excel")
    assert "xl/workbook.xml" in zipfile.ZipFile(io.BytesIO(book.content)).namelist()
    _, video = exported(client, "video-with-overlays", task_id=task)
    with zipfile.ZipFile(io.BytesIO(video.content)) as archive:
        assert archive.namelist() == ["cam1.mp4", "cam2.mp4"]
        with av.open(io.BytesIO(archive.read("cam1.mp4"))) as container:
            assert sum(1 for _ in container.decode(video=0)) == 30
    assert view["job_id"] in {one["job_id"] for one in client.get("/api/v1/export/jobs").json()["jobs"]}
    url = f"/api/v1/export/jobs/{view['job_id']}"
    assert client.delete(url).json()["message"] == "Export deleted"
    assert client.get(f"{url}/status").status_code == client.get(f"{url}/download").status_code == 404


def test_what_cannot_be_exported_is_refused_or_fails_and_says_why(client, task):
    def refused(kind, **what):
        answer = client.post(f"/api/v1/export/{kind}", json=what)
        return answer.status_code, str(answer.json()["detail"])

    assert refused("tracking-data") == (400, "export: params: give either task_id or site")
    assert refused("analytics-report", task_id=task, format="pdf")[0] == 422
    job = client.post("/api/v1/export/tracking-data", json={"task_id": "0" * 32}).json()
    url = f"/api/v1/export/jobs/{job['job_id']}"
    wait_for(lambda: client.get(f"{url}/status").json()["status"] == "failed", 60, "the end")
    assert "no task" in client.get(f"{url}/status").json()["error"]
    assert client.get(f"{url}/download").status_code == 400
    assert client.get("/api/v1/export/jobs/" + "0" * 32 + "/status").status_code == 404


def test_what_was_put_right_holds_in_the_next_task_and_who_is_forgotten_is_gone(server, client, task, sightline):
    people = sorted(asked(client, "people", task_id=task)["people"], key=lambda one: -one["n_sightings"])
    first, last = people[0]["person_id"], people[-1]["person_id"]
    name = client.post(f"/api/v1/identities/{first}/name", json={"name": "Anna"})
    assert name.status_code == 201
    assert client.post("/api/v1/identities/merge", json={"person_id": last, "into": "x"}).status_code == 404
    again, tracks = watched(server)
    called = [one for one in tracks if one.get("name") == "Anna"]
    assert {one["person_id"] for one in called} == {first}
    assert len({one["global_id"] for one in called}) == 1
    assert len(called) > 0.5 * people[0]["n_sightings"]
    there = asked(client, "people", task_id=again)["people"]
    assert [one["person_id"] for one in there if one["name"] == "Anna"] == [first]
    where = ("--task", again, "--data", server.data)
    told = sightline("history", "people", "--json", *where)
    assert {one["person_id"] for one in json.loads(told.stdout)["people"]} == {one["person_id"] for one in there}
    wrong = sightline("history", "export", "video", "-o", "out.avi", *where)
    assert (wrong.returncode, wrong.stderr) == (2, "sightline: out.avi: video ends in .mp4\n")
    assert client.delete(f"/api/v1/identities/{first}").status_code == 200
    for number in (task, again):
        assert first not in {one["person_id"] for one in asked(client, "people", task_id=number)["people"]}
    job = client.get(f"/api/v1/jobs/{task.replace('-', '')}").json()
    for file in job["result"]["artifacts"]:
        assert first.encode() not in client.get(f"/api/v1/artifacts/{file['id']}/content").content
    undone = client.delete(f"/api/v1/identities/corrections/{name.json()['correction_id']}")
    assert undone.status_code == 404  # the name is gone with who had it
    assert client.delete(f"/api/v1/analytics/tasks/{again}").status_code == 204
    assert client.get("/api/v1/analytics/people", params={"task_id": again}).status_code == 404
