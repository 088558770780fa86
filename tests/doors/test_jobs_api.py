"""Jobs and kept files over HTTP, with a worker beside the server."""

import hashlib
import io
import json
import time
import zipfile

import pytest

from .conftest import wait_for

FAST = {"detector": "motion"}


@pytest.fixture(scope="module")
def server(serve_all):
    return serve_all()


def bring(client, path):
    with path.open("rb") as file:
        answer = client.post("/api/v1/artifacts", files={"file": (path.name, file, "video/mp4")})
    assert answer.status_code == 201, answer.text
    return answer.json()


def ask(client, kind, **params):
    answer = client.post("/api/v1/jobs", json={"kind": kind, "params": params})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/v1/jobs/{answer.json()['id']}"
    return answer.json()["id"]


def ended(client, job, seconds=60):
    def look():
        found = client.get(f"/api/v1/jobs/{job}").json()
        return found if found["status"] in {"completed", "failed", "cancelled"} else None

    return wait_for(look, seconds, "the end of the job")


def test_a_video_goes_in_and_its_tracks_come_out(server, clip):
    with server.client() as client:
        video = bring(client, clip)
        assert video["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
        job = ended(client, ask(client, "track", source=f"artifact:{video['id']}"))
        assert (job["status"], job["progress"], job["error"]) == ("completed", 1.0, None)
        assert job["result"]["summary"]["frames"] == 75
        assert job["result"]["summary"]["tracks"] >= 2
        files = client.get("/api/v1/artifacts", params={"job_id": job["id"]}).json()["artifacts"]
        assert {"tracks.csv", "tracks.txt", "annotated.mp4", "run.json"} <= {file["name"] for file in files}
        table = next(file for file in files if file["name"] == "tracks.csv")
        content = client.get(table["url"])
        assert hashlib.sha256(content.content).hexdigest() == table["sha256"]
        assert content.text.count("\n") > 50
        assert content.headers["x-content-type-options"] == "nosniff"


def test_parts_of_a_file_can_be_had(server, clip):
    whole = clip.read_bytes()
    with server.client() as client:
        url = bring(client, clip)["url"]
        first = client.get(url, headers={"range": "bytes=0-9"})
        assert (first.status_code, first.content) == (206, whole[:10])
        assert first.headers["content-range"] == f"bytes 0-9/{len(whole)}"
        assert client.get(url, headers={"range": "bytes=-5"}).content == whole[-5:]
        assert client.get(url, headers={"range": f"bytes={len(whole) - 3}-"}).content == whole[-3:]
        beyond = client.get(url, headers={"range": f"bytes={len(whole)}-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole)}")
        assert client.get(url, headers={"if-none-match": first.headers["etag"]}).status_code == 304
        assert client.head(url).headers["content-length"] == str(len(whole))
        stale = client.get(url, headers={"range": "bytes=0-9", "if-range": '"other"'})
        assert (stale.status_code, stale.content) == (200, whole)


def test_names_of_uploads_are_only_labels(server, clip):
    with server.client() as client, clip.open("rb") as file:
        answer = client.post("/api/v1/artifacts", files={"file": ("../../../tmp/evil\n.mp4", file, "text/html")}).json()
        assert answer["name"] in {"evil.mp4", "evil%0A.mp4"}
        shown = client.get(answer["url"]).headers
        assert shown["content-type"] == "application/octet-stream"
        assert "evil" in shown["content-disposition"]
        assert client.delete(f"/api/v1/artifacts/{answer['id']}").status_code == 204
        assert client.get(answer["url"]).status_code == 404


def test_pictures_come_as_one_archive(server, clip):
    with server.client() as client:
        job = ended(client, ask(client, "extract", source=f"artifact:{bring(client, clip)['id']}", fps=5.0))
        assert job["status"] == "completed", job
        (file,) = job["result"]["artifacts"]
        archive = zipfile.ZipFile(io.BytesIO(client.get(f"/api/v1/artifacts/{file['id']}/content").content))
        assert archive.namelist()[:2] == ["frame_0001.jpg", "frame_0002.jpg"]
        assert len([name for name in archive.namelist() if name.endswith(".jpg")]) == 15
        assert archive.testzip() is None


@pytest.mark.parametrize(
    ("kind", "params", "status", "why"),
    [
        ("nothing", {}, 400, "no job 'nothing'; there are: track"),
        ("track", {}, 400, "track: source"),
        ("track", {"source": "x", "fps": "many"}, 400, "track: fps"),
        ("track", {"source": "x", "colour": 1}, 400, "track: colour"),
    ],
)
def test_what_cannot_be_asked_for_is_named(server, kind, params, status, why):
    with server.client() as client:
        answer = client.post("/api/v1/jobs", json={"kind": kind, "params": params})
        assert (answer.status_code, why in answer.json()["detail"]) == (status, True), answer.text


def test_a_job_that_fails_says_why_and_can_be_tried_again(server, tmp_path):
    (tmp_path / "text.mp4").write_text("this is no video")
    with server.client() as client:
        job = ask(client, "track", source=f"artifact:{bring(client, tmp_path / 'text.mp4')['id']}")
        failed = ended(client, job)
        assert failed["status"] == "failed"
        assert "text.mp4" in failed["error"]
        assert str(server.data) not in failed["error"]
        again = client.post(f"/api/v1/jobs/{job}/retry")
        assert (again.status_code, again.json()["attempt"], again.json()["status"]) == (202, 2, "queued")
        assert ended(client, job)["attempt"] == 2
        assert client.delete(f"/api/v1/jobs/{job}").status_code == 200
        assert client.get(f"/api/v1/jobs/{job}").status_code == 404


def test_a_job_is_cancelled_within_two_seconds(server, long_clip):
    with server.client() as client:
        job = ask(client, "track", source=f"artifact:{bring(client, long_clip)['id']}", detector="people_hog")
        wait_for(lambda: (client.get(f"/api/v1/jobs/{job}").json()["progress"] or 0) > 0.01, 60)
        began = time.monotonic()
        assert client.delete(f"/api/v1/jobs/{job}").status_code == 200
        assert ended(client, job)["status"] == "cancelled"
        assert time.monotonic() - began < 2.0
        again = client.get("/health")
        assert again.status_code == 200


def test_changes_are_told_as_they_happen(server, clip):
    with server.client() as client:
        job = ask(client, "track", source=f"artifact:{bring(client, clip)['id']}")
        with client.stream("GET", f"/api/v1/jobs/{job}/events") as lines:
            assert lines.headers["content-type"].startswith("text/event-stream")
            data = (line.removeprefix("data:") for line in lines.iter_lines() if line.startswith("data:"))
            seen = [json.loads(text) for text in data]
        assert seen[-1]["status"] == "completed"
        assert len(seen) >= 2
        progress = [change["progress"] or 0 for change in seen]
        assert progress == sorted(progress)
        assert client.get(f"/api/v1/jobs/{'0' * 32}/events").status_code == 404


def test_pages_follow_each_other(server):
    with server.client() as client:
        asked = [ask(client, "look", source="/nowhere.mp4") for _ in range(5)]
        limits = {"limit": 2, "kind": "look"}
        first = client.get("/api/v1/jobs", params=limits).json()
        second = client.get("/api/v1/jobs", params={**limits, "before": first["next"]}).json()
        third = client.get("/api/v1/jobs", params={**limits, "before": second["next"]}).json()
        found = [job["id"] for page in (first, second, third) for job in page["jobs"]]
        assert found == asked[::-1]
        assert third["next"] is None


def test_secrets_of_addresses_are_not_shown(serve):
    server = serve()
    with server.client() as client:
        job = ask(client, "look", source="rtsp://ann:hush@127.0.0.1:9/gate?key=hush")
        shown = ended(client, job)
        assert shown["params"]["source"] == "rtsp://127.0.0.1:9/gate"
        assert "hush" not in json.dumps(shown)
        assert "hush" not in client.get("/api/v1/jobs").text
    server.stop()
    assert "hush" not in server.log.read_text()
