"""Document 003, from outside: runs over HTTP, with a worker beside the server and an engine with known answers."""

import json
import re
import struct
import time

import numpy as np
import pytest

from sightline.formats.scenes import npz

from .conftest import wait_for
from .runs import SCRIPTED, bring, brought, done, ended, environment, glb_of, made, n_files, n_points, photos, picture

DEFAULTS = {
    "confThreshold": 45,
    "predictionMode": "pointmap",
    "maskBlackBg": False,
    "maskWhiteBg": False,
    "maskSky": False,
    "showCameras": True,
}
ORDER = ["queued", "uploading", "processing", "fetching", "completed"]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """The folder of the engine that all tests share."""
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="module")
def server(serve_all, engine):
    """One server with a worker for all tests that do not end it."""
    return serve_all(SCRIPTED_CALLS=engine / "calls.txt", **environment(engine))


@pytest.fixture
def client(server):
    with server.client() as client:
        yield client


@pytest.fixture
def calls(engine):
    """How often the engine was asked."""
    file = engine / "calls.txt"

    def count():
        return len(file.read_text().split()) if file.exists() else 0

    return count


def test_the_documented_flow(client, server):
    """Create, upload, process, poll, download."""
    created = client.post("/api/runs", json={"settings": SCRIPTED | {"confThreshold": 30}}).json()
    run = created["runId"]
    assert created == {"runId": run, "status": "queued"}
    assert re.fullmatch(r"run_\d{13}_[0-9a-z]{7}", run)
    empty = client.get(f"/api/runs/{run}").json()
    assert empty["settings"] == DEFAULTS | SCRIPTED | {"confThreshold": 30}
    assert (empty["images"], empty["artifacts"]) == ([], {})
    assert MOMENT.fullmatch(empty["requestedAt"])
    assert not {"startedAt", "finishedAt", "error"} & set(empty)

    files = photos()
    parts = {f"img{i}": (name, files[name]) for i, name in enumerate(sorted(files, reverse=True))}
    uploaded = client.post(f"/api/runs/{run}/images", files=parts).json()
    assert uploaded == {"runId": run, "imagesUploaded": 3, "images": ["image1.jpg", "image2.jpg", "image3.jpg"]}
    assert client.get(f"/api/runs/{run}").json()["status"] == "uploading"

    started = client.post(f"/api/runs/{run}/process")
    assert (started.status_code, started.json()) == (
        200,
        {"runId": run, "status": "processing", "message": "Processing started"},
    )
    run_ = ended(client, run)
    assert (run_["status"], run_["images"]) == ("completed", ["image1.jpg", "image2.jpg", "image3.jpg"])
    assert run_["artifacts"]["glb"] == f"/api/runs/{run}/artifacts/glb"
    assert run_["artifacts"]["predictions"] == f"/api/runs/{run}/artifacts/predictions"
    assert run_["requestedAt"] <= run_["startedAt"] <= run_["finishedAt"]
    glb = client.get(run_["artifacts"]["glb"])
    assert (glb.headers["content-type"], glb.content[:4]) == ("model/gltf-binary", b"glTF")
    assert struct.unpack_from("<I", glb.content, 8)[0] == len(glb.content)
    part = client.get(run_["artifacts"]["glb"], headers={"range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"glTF")

    folder = server.data / "storage" / "runs" / run
    wait_for((folder / "scene.glb").exists)
    assert sorted(path.name for path in (folder / "images").iterdir()) == ["image1.jpg", "image2.jpg", "image3.jpg"]
    assert (folder / "images" / "image2.jpg").read_bytes() == files["image2.jpg"]
    assert (folder / "scene.glb").read_bytes() == glb.content
    assert (folder / "predictions.npz").read_bytes() == client.get(run_["artifacts"]["predictions"]).content
    told = wait_for(lambda: json.loads((folder / "metadata.json").read_text()), what="metadata")
    assert {name: told[name] for name in ("runId", "status", "images")} == {
        "runId": run,
        "status": "completed",
        "images": ["image1.jpg", "image2.jpg", "image3.jpg"],
    }


def test_a_length_that_is_known_makes_metres(client):
    known = {"distance": {"images": ["image1.jpg", "image3.jpg"], "metres": 5}}
    run = done(client, known=known)
    assert (run["status"], run["summary"]["scale"], run["settings"]["known"]) == ("completed", "distance", known)
    cameras = client.get(f"/api/runs/{run['runId']}/cameras").json()["cameras"]
    assert [camera["position"][0] for camera in cameras] == [0.0, 2.5, 5.0]
    wrong = client.post("/api/runs", json={"settings": {"known": {"lens": "FOV 64 48 1 2 3"}}})
    assert wrong.status_code == 400
    assert "settings.known: lens: 'FOV' is no lens model" in wrong.json()["details"]
    lost = done(client, known={"distance": {"images": ["image1.jpg", "image9.jpg"], "metres": 5}})
    assert (lost["status"], lost["error"]) == (
        "failed",
        "distance: no picture 'image9.jpg'; the first is 'image1.jpg'",
    )


def test_predictions_have_the_names_and_shapes_of_the_demonstration(client, tmp_path):
    run = done(client)
    (tmp_path / "predictions.npz").write_bytes(client.get(run["artifacts"]["predictions"]).content)
    arrays = np.load(tmp_path / "predictions.npz")
    assert (arrays["extrinsic"].shape, arrays["intrinsic"].shape) == ((3, 3, 4), (3, 3, 3))
    assert (arrays["images"].shape, arrays["depth"].shape) == ((3, 3, 12, 16), (3, 12, 16, 1))
    assert npz.read(tmp_path / "predictions.npz").views.names == ("image1.jpg", "image2.jpg", "image3.jpg")
    cameras = client.get(f"/api/runs/{run['runId']}/cameras").json()
    assert (cameras["numFrames"], cameras["hasDepth"], cameras["depthShape"]) == (3, True, [3, 12, 16, 1])
    assert [camera["index"] for camera in cameras["cameras"]] == [0, 1, 2]
    assert cameras["cameras"][1]["position"] == [1.0, 0.0, 0.0]
    assert len(cameras["cameras"][1]["threeMatrix"]) == 16


def test_states_follow_each_other_and_are_told_as_they_happen(client):
    run = made(client, options={"pace_s": 0.3})
    brought(client, run)
    assert client.post(f"/api/runs/{run}/process").status_code == 200
    with client.stream("GET", f"/api/runs/{run}/stream") as lines:
        assert lines.headers["content-type"].startswith("text/event-stream")
        data = (line.removeprefix("data:") for line in lines.iter_lines() if line.startswith("data:"))
        seen = [json.loads(text) for text in data]
    states = [ORDER.index(one["status"]) for one in seen]
    assert states == sorted(states)
    assert "processing" in {one["status"] for one in seen}
    exported = [one["step"] for one in seen if one["status"] == "fetching"]
    assert not [step for step in exported if step.startswith("looking")]
    assert seen[-1]["status"] == "completed"
    progress = [one["progress"] for one in seen if one.get("progress") is not None]
    assert progress == sorted(progress)


def test_another_view_of_a_run_needs_no_inference(client, calls):
    before = calls()
    first = done(client, confThreshold=0)
    assert calls() == before + 1
    answer = client.post(f"/api/runs/{first['runId']}/rerun", json={"settings": {"confThreshold": 50, "frame": 1}})
    again = answer.json()
    assert again == {"runId": again["runId"], "status": "processing", "parentRunId": first["runId"], "images": 3}
    second = ended(client, again["runId"])
    assert (second["status"], second["parentRunId"]) == ("completed", first["runId"])
    assert second["settings"] == first["settings"] | {"confThreshold": 50, "frame": 1}
    assert second["images"] == first["images"]
    assert calls() == before + 1
    assert n_points(glb_of(client, first["runId"])) == 3 * 12 * 16
    assert n_points(glb_of(client, second["runId"])) == 12 * 8
    assert (
        client.get(second["artifacts"]["predictions"]).content == client.get(first["artifacts"]["predictions"]).content
    )
    third = client.post(f"/api/runs/{first['runId']}/rerun", json={"settings": {"options": {"pace_s": 0.01}}}).json()
    assert ended(client, third["runId"])["status"] == "completed"
    assert calls() == before + 2


def test_reruns_outlive_the_run_that_they_repeat(client):
    first = done(client)
    again = client.post(f"/api/runs/{first['runId']}/rerun").json()["runId"]
    assert client.delete(f"/api/runs/{first['runId']}").status_code == 200
    assert ended(client, again)["status"] == "completed"
    assert glb_of(client, again)[:4] == b"glTF"
    more = client.post(f"/api/runs/{again}/rerun", json={"settings": {"formats": ["colmap"]}}).json()["runId"]
    assert "colmap" in ended(client, more)["artifacts"]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("page.jpg", b"<html><script>alert(1)</script>", "page.jpg: no picture"),
        ("IMG_1.HEIC", b"\x00\x00\x00\x18ftypheic" + bytes(64), "IMG_1.HEIC: HEIC is not read here; save it as JPEG"),
        ("empty.png", b"", "empty.png: the file is empty"),
        (
            "bomb.png",
            b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 65000, 65000) + bytes(20),
            "65000x65000",
        ),
    ],
)
def test_uploads_that_are_no_pictures_are_refused_and_nothing_is_kept(client, name, content, why):
    run, before = made(client), n_files(client)
    answer = bring(client, run, [("good.jpg", picture()), (name, content)])
    assert (answer.status_code, answer.json()["error"]) == (400, "Failed to upload images")
    assert why in answer.json()["details"]
    assert client.get(f"/api/runs/{run}").json()["images"] == []
    assert n_files(client) == before


def test_names_are_made_safe_and_unlike(client, server):
    run = made(client)
    files = [
        ("../../../../etc/cron.d/evil.jpg", picture(1)),
        ("..\\..\\boot.jpg", picture(2)),
        (".hidden.JPG", picture(3)),
        ("same.jpg", picture(4)),
        ("same.jpg", picture(5)),
        ("really a png.jpg", picture(6, "PNG")),
        ("no suffix", picture(7, "WEBP", lossless=True)),
        ("a" * 300 + ".jpg", picture(8)),
    ]
    names = bring(client, run, files).json()["images"]
    assert names == sorted(
        [
            "evil.jpg", "boot.jpg", "hidden.JPG", "same.jpg", "same-2.jpg", "really a png.png", "no suffix.webp",
            "a" * 116 + ".jpg",
        ]
    )  # fmt: skip
    folder = server.data / "storage" / "runs" / run
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == sorted([*names, "metadata.json"])


def test_uploads_add_up_replace_and_are_not_kept_twice(client, server):
    run, before = made(client), n_files(client)
    assert brought(client, run, {"a.jpg": picture(1), "b.jpg": picture(2)})["images"] == ["a.jpg", "b.jpg"]
    more = brought(client, run, {"b.jpg": picture(3), "c.jpg": picture(4), "copy.jpg": picture(1)})
    assert (more["imagesUploaded"], more["images"], more["duplicates"]) == (
        2,
        ["a.jpg", "b.jpg", "c.jpg"],
        ["copy.jpg"],
    )
    again = brought(client, run, {"c.jpg": picture(4)})
    assert (again["imagesUploaded"], again["images"]) == (1, ["a.jpg", "b.jpg", "c.jpg"])
    assert (server.data / "storage" / "runs" / run / "images" / "b.jpg").read_bytes() == picture(3)
    assert n_files(client) == before + 3


def test_what_makes_no_sense_now_is_refused_in_words_that_clients_know(client):
    unknown = "/api/runs/run_1_abcdefg"
    for method, path in [
        ("GET", ""), ("GET", "/artifacts/glb"), ("GET", "/cameras"), ("GET", "/stream"), ("POST", "/process"),
        ("POST", "/cancel"), ("DELETE", ""),
    ]:  # fmt: skip
        answer = client.request(method, unknown + path)
        assert (answer.status_code, answer.json()["error"]) == (404, "Run not found"), path
    assert bring(client, "run_1_abcdefg", photos().items()).json()["error"] == "Run not found"
    assert client.post(f"{unknown}/rerun").json() == {"error": "Source run not found"}
    run = made(client, options={"pace_s": 30.0})
    none = client.post(f"/api/runs/{run}/process")
    said = {"error": "Failed to start processing", "details": "No images uploaded for this run"}
    assert (none.status_code, none.json()) == (400, said)
    assert client.post(f"/api/runs/{run}/rerun").json() == {"error": "Source run has no images to reprocess"}
    assert client.get(f"/api/runs/{run}/artifacts/exe").json()["error"] == "Invalid artifact type"
    assert client.get(f"/api/runs/{run}/artifacts/exe").status_code == 400
    missing = client.get(f"/api/runs/{run}/artifacts/glb")
    assert (missing.status_code, missing.json()) == (404, {"error": "Artifact not found"})
    assert client.get(f"/api/runs/{run}/cameras").json() == {"error": "Predictions file not found for this run"}
    assert client.post(f"/api/runs/{run}/images", files={}, data={"note": "x"}).status_code == 400
    brought(client, run)
    assert client.post(f"/api/runs/{run}/process").status_code == 200
    wait_for(lambda: client.get(f"/api/runs/{run}").json()["status"] == "processing")
    twice = client.post(f"/api/runs/{run}/process")
    said = {"error": "Failed to start processing", "details": "Run is already processing"}
    assert (twice.status_code, twice.json()) == (400, said)
    late = bring(client, run, photos().items())
    assert (late.status_code, late.json()["details"]) == (400, "Run is already processing")
    began = time.monotonic()
    assert client.post(f"/api/runs/{run}/cancel").status_code == 200
    cancelled = ended(client, run)
    assert time.monotonic() - began < 5
    assert (cancelled["status"], cancelled["error"]) == ("failed", "cancelled")
    assert client.post(f"/api/runs/{run}/cancel").status_code == 400


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"confThreshold": 101}, "settings.confThreshold"),
        ({"predictionMode": "guess"}, "settings.predictionMode"),
        ({"maskSky": "maybe"}, "settings.maskSky"),
        ({"colour": 1}, "settings.colour"),
    ],
)
def test_settings_that_make_no_sense_are_named(client, settings, why):
    answer = client.post("/api/runs", json={"settings": settings})
    assert (answer.status_code, answer.json()["error"]) == (400, "Failed to create run")
    assert answer.json()["details"].startswith(why)
    run = made(client)
    brought(client, run)
    again = client.post(f"/api/runs/{run}/rerun", json={"settings": settings})
    assert (again.status_code, again.json()["details"].startswith(why)) == (400, True)


def test_an_engine_that_is_not_there_is_named(client):
    run = made(client, engine="magic")
    brought(client, run)
    answer = client.post(f"/api/runs/{run}/process")
    assert (answer.status_code, "no reconstructor 'magic'" in answer.json()["details"]) == (400, True)
    assert client.get(f"/api/runs/{run}").json()["status"] == "uploading"


def test_a_run_without_a_body_has_the_defaults(client):
    run = client.post("/api/runs").json()["runId"]
    assert client.get(f"/api/runs/{run}").json()["settings"] == DEFAULTS


def test_a_run_that_fails_says_why_and_what_there_is_can_be_had(client):
    run = done(client, options={"blind": True})
    assert (run["status"], run["error"]) == ("failed", "the pictures do not overlap; take them closer together")
    assert list(run["artifacts"]) == ["partial"]
    assert client.get(run["artifacts"]["partial"]).content[:2] == b"PK"
    assert client.post(f"/api/runs/{run['runId']}/process").status_code == 400


def test_a_video_is_a_run_too(client, clip):
    run = made(client, videoFps=5.0)
    with clip.open("rb") as file:
        answer = client.post(f"/api/runs/{run}/video", files={"video": ("../yard.mp4", file, "video/mp4")})
    assert (answer.status_code, answer.json()) == (200, {"runId": run, "video": "yard.mp4"})
    assert bring(client, run, photos().items()).json()["details"] == "the run has a video"
    text = client.post(f"/api/runs/{made(client)}/video", files={"video": ("a.mp4", b"no video", "video/mp4")})
    assert (text.status_code, text.json()["error"]) == (400, "Failed to upload video")
    assert client.post(f"/api/runs/{run}/process").status_code == 200
    finished = ended(client, run)
    # The clip's camera is at rest, so its pictures show nothing new: an honest failure, not a scene of nothing.
    assert finished["status"] == "failed"
    assert finished["error"].startswith("yard.mp4: 1 pictures")
    assert "move the camera" in finished["error"]


def test_runs_are_listed_newest_first_page_by_page(client):
    runs = [made(client) for _ in range(5)]
    first = client.get("/api/runs", params={"limit": 2}).json()
    second = client.get("/api/runs", params={"limit": 2, "before": first["next"]}).json()
    third = client.get("/api/runs", params={"limit": 2, "before": second["next"]}).json()
    found = [run["runId"] for page in (first, second, third) for run in page["runs"]]
    assert found[:5] == runs[::-1]
    assert first["total"] >= 5
    rest = client.get("/api/runs", params={"limit": 500}).json()
    assert (len(rest["runs"]), "next" in rest) == (rest["total"], False)


def test_a_run_goes_with_all_that_it_had(client, server):
    before, total = n_files(client), client.get("/api/runs").json()["total"]
    run = done(client)["runId"]
    folder = server.data / "storage" / "runs" / run
    assert n_files(client) == before + 3 + 2 * 3
    assert client.delete(f"/api/runs/{run}").json() == {"runId": run, "message": "Run deleted"}
    assert client.get("/api/runs").json()["total"] == total
    assert client.get(f"/api/runs/{run}").status_code == 404
    assert not folder.exists()
    assert n_files(client) == before


def test_a_run_that_goes_while_it_is_worked_on_is_worked_on_no_more(client, server):
    run = made(client, options={"pace_s": 30.0})
    brought(client, run)
    client.post(f"/api/runs/{run}/process")
    wait_for(lambda: client.get(f"/api/runs/{run}").json()["status"] == "processing")
    assert client.delete(f"/api/runs/{run}").status_code == 200
    newest = "/api/v1/jobs?limit=1&kind=reconstruct"
    wait_for(lambda: client.get(newest).json()["jobs"][0]["status"] == "cancelled")
    assert not (server.data / "storage" / "runs" / run).exists()


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "run_1_abc%00", "x" * 500])
def test_numbers_of_runs_lead_nowhere(client, name):
    for path in ("", "/artifacts/glb", "/cameras"):
        answer = client.get(f"/api/runs/{name}{path}")
        assert answer.status_code in {400, 404}, path
        assert "root:" not in answer.text
    assert client.get("/api/runs/x/artifacts/..%2f..%2fmetadata.json").status_code in {400, 404}


def test_what_came_of_runs_outlives_their_jobs(client):
    run = done(client)
    (job,) = client.get("/api/v1/jobs", params={"limit": 1}).json()["jobs"]
    assert client.delete(f"/api/v1/jobs/{job['id']}").status_code == 200
    assert client.get(f"/api/runs/{run['runId']}").json() == run
    assert glb_of(client, run["runId"])[:4] == b"glTF"


def test_large_pictures_come_in(client):
    run = made(client)
    large = {f"{i}.png": picture(i, "PNG", size=(1600, 1200)) for i in range(3)}
    assert sum(map(len, large.values())) > 10 << 20
    assert brought(client, run, large)["imagesUploaded"] == 3
    assert client.get("/api/test/vggt-connection").json()["engines"][-1] == "scripted"
