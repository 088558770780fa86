"""``sightline reconstruct``, as a user calls it, with an engine whose answers are known."""

import hashlib
import json
import os
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ENGINE = Path(__file__).parents[1] / "scripted_reconstructor.py"


@pytest.fixture
def photos(tmp_path):
    """Five pictures, one of them damaged."""
    folder = tmp_path / "yard"
    folder.mkdir()
    for n in (1, 2, 3, 10):
        rgb = np.random.default_rng(n).integers(30, 220, (48, 64, 3), np.uint8)
        Image.fromarray(rgb).save(folder / f"{n}.jpg")
    (folder / "notes.txt").write_text("not a picture")
    (folder / "4.jpg").write_bytes(b"<html>")
    return folder


@pytest.fixture
def site(tmp_path):
    """The folder of the scripted engine."""
    site = tmp_path / "site"
    site.mkdir()
    return runpy.run_path(str(ENGINE))["install"](site)


@pytest.fixture
def rebuild(here, site, tmp_path, monkeypatch):
    """Calls it with the scripted engine."""
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("SCRIPTED_CALLS", str(tmp_path / "calls.txt"))
    yield lambda *words: here("reconstruct", *words, "--engine", "scripted")
    sys.modules.pop("scripted_reconstructor", None)


def extras(glb):
    data = glb.read_bytes()
    document = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])
    return document["asset"]["extras"], [node.get("name") for node in document["nodes"]]


def test_a_folder_of_pictures_becomes_a_scene(sightline, site, photos, tmp_path):
    engine = os.environ | {"PYTHONPATH": str(site)}
    done = sightline("reconstruct", photos, "--format", "all", "--engine", "scripted", env=engine)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 pictures placed" in done.stdout
    assert "left out: 4.jpg: no picture" in done.stderr
    names = {path.name for path in (tmp_path / "yard-scene").iterdir()}
    assert names == {"scene.glb", "predictions.npz", "cameras.json", "points.ply", "colmap.zip", "nerfstudio.zip"}
    said = json.loads((tmp_path / "yard-scene" / "cameras.json").read_text())
    assert [camera["image"] for camera in said["cameras"]] == ["1.jpg", "2.jpg", "3.jpg", "10.jpg"]


def test_results_are_shown_in_another_way_without_inference(rebuild, photos, tmp_path):
    assert rebuild(photos).returncode == 0
    before = (tmp_path / "yard-scene" / "predictions.npz").stat()
    again = rebuild(
        "yard-scene", "--conf-thres", 50, "--frame-filter", "1: 2.jpg", "--show-cam", "--max-points", 50, "--json"
    )
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["files"][0] == "yard-scene/scene.glb"
    assert (tmp_path / "calls.txt").read_text().split() == ["4"]
    assert (tmp_path / "yard-scene" / "predictions.npz").stat().st_mtime_ns == before.st_mtime_ns
    about, names = extras(tmp_path / "yard-scene" / "scene.glb")
    assert (about["filters"]["confidence_percentile"], about["filters"]["view"]) == (50.0, "2.jpg")
    assert about["filters"]["max_points"] == 50
    assert "2.jpg camera" in names


def test_the_flags_of_the_script_that_it_replaces_are_understood(rebuild, photos, tmp_path):
    flags = ["--conf_thres", 10, "--frame_filter", "All", "--mask_black_bg", "--mask_white_bg", "--show_cam"]
    mode = ["--prediction_mode", "Depthmap and Camera", "--fps", "1.0"]
    done = rebuild("--images_dir", photos, "--out", "out/my.glb", "--work_dir", "work", *flags, *mode)
    assert done.returncode == 0, done.stderr
    about, _ = extras(tmp_path / "out" / "my.glb")
    assert about["filters"]["mode"] == "depth"
    assert about["filters"]["hide_black"]
    assert (tmp_path / "work" / "predictions.npz").exists()


def test_one_file_is_all_that_is_left_where_one_was_asked_for(rebuild, photos, tmp_path):
    done = rebuild(photos / "1.jpg", photos / "2.jpg", "-o", "my.glb", "--json")
    assert json.loads(done.stdout)["files"] == ["my.glb"]
    assert {path.name for path in tmp_path.iterdir()} == {"yard", "site", "calls.txt", "my.glb"}


def test_a_scene_can_be_kept_for_clients_of_the_tcp_service(rebuild, photos, here, tmp_path):
    data = ("--data", tmp_path / "data")
    assert here("users", "create", "ann", "correct horse", *data).returncode == 0
    keep = ("--save_to_db", "--original_name", "demo.glb", *data)
    nobody = rebuild(photos, *keep, "--user_id", "bob")
    assert (nobody.returncode, "no user 'bob'" in nobody.stderr) == (2, True)
    kept = rebuild(photos, *keep, "--user_id", "1", "--json")
    assert kept.returncode == 0, kept.stderr
    digits = json.loads(kept.stdout)["hash"]
    assert digits == hashlib.sha256((tmp_path / "yard-scene" / "scene.glb").read_bytes()).hexdigest()
    assert (tmp_path / "data" / "artifacts" / digits[:2] / digits[2:]).is_file()
    unnamed = rebuild(photos, "--save_to_db")
    assert "--save-to-db needs --user-id and --original-name" in " ".join(unnamed.stderr.split())


def test_names_may_hold_what_would_be_markup(rebuild, photos, tmp_path):
    photos = photos.rename(tmp_path / "yard [old]")
    (photos / "4.jpg").rename(photos / "4 [bold].jpg")
    done = rebuild(photos)
    assert done.returncode == 0, done.stderr
    assert "yard [old]-scene/scene.glb" in done.stdout
    assert "left out: 4 [bold].jpg: no picture" in done.stderr


def test_pictures_that_make_no_scene_leave_what_there_is(rebuild, photos, tmp_path):
    done = rebuild(photos, "--set", "reconstructor.blind=true")
    assert done.returncode == 2
    assert "do not overlap; take them closer together; what there is of a scene is in yard-scene/partial.npz" in (
        " ".join(done.stderr.split())
    )
    assert [path.name for path in (tmp_path / "yard-scene").iterdir()] == ["partial.npz"]
    assert rebuild(photos).returncode == 0
    assert not (tmp_path / "yard-scene" / "partial.npz").exists(), "of a run before, and of no use any more"


def test_a_run_that_fails_leaves_an_earlier_scene_as_it_was_and_says_so(rebuild, photos, tmp_path):
    assert rebuild(photos, "--format", "ply").returncode == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "yard-scene").iterdir()}
    for wrong in (["--set", "reconstructor.blind=true"], ["--frame-filter", "7"]):
        failed = rebuild(photos, *wrong)
        assert failed.returncode == 2
        assert "; yard-scene/scene.glb is of an earlier run" in " ".join(failed.stderr.split())
        after = {path.name: path.read_bytes() for path in (tmp_path / "yard-scene").iterdir()}
        after.pop("partial.npz", None)
        assert after == before
    assert rebuild(photos).returncode == 0
    assert not (tmp_path / "yard-scene" / "points.ply").exists(), "of another scene than the others"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "nothing to reconstruct"),
        (["nowhere"], "nowhere: no such file"),
        (["yard/1.jpg"], "1 of 1 pictures can be used, it takes at least two"),
        (["yard", "--frame-filter", "best"], "--frame-filter 'best'"),
        (["yard", "--prediction_mode", "guess"], "--prediction-mode 'guess'"),
        (["yard", "--format", "exe"], "--format exe"),
        (["yard", "--set", "detector.x=1"], "is not KIND.OPTION=VALUE with KIND one of reconstructor"),
        (["yard", "--set", "reconstructor.x=1"], "has no option 'x'"),
        (["yard", "--frame-filter", "7"], "view must be 0 to 3, not 7"),
        (["yard/notes.txt"], "notes.txt"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(rebuild, photos, words, why):
    done = rebuild(*words)
    assert done.returncode == 2, done.stdout
    assert why in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_known_distance_gives_metres_and_is_told(rebuild, photos, tmp_path):
    done = rebuild(photos, "--distance", "1.jpg", "10.jpg", 12)
    assert "in metres from the distance given" in done.stdout
    about, _ = extras(tmp_path / "yard-scene" / "scene.glb")
    assert (about["scale"], about["is_metric"]) == ("distance", True)
    positions = [
        camera["position"] for camera in json.loads((tmp_path / "yard-scene/cameras.json").read_text())["cameras"]
    ]
    assert np.allclose(np.diff(positions, axis=0), [[4, 0, 0]] * 3)


def test_what_is_known_but_does_not_fit_is_named(rebuild, photos, tmp_path):
    (tmp_path / "where.csv").write_text("image,x,y,z\nother.jpg,1,2,3\n")
    for words, why in {
        ("--distance", "1.jpg", "9.jpg", 2): "distance: no picture '9.jpg'; the first is '1.jpg'",
        ("--positions", "where.csv"): "where.csv: says nothing of these pictures; it has 'other.jpg' first",
        ("--poses", "site"): "site: no COLMAP model",
        ("--lens", "PINHOLE 1 2"): "lens: 0 numbers, PINHOLE has 4",
    }.items():
        done = rebuild(photos, *words)
        assert (done.returncode, why in " ".join(done.stderr.split())) == (2, True), done.stderr
    assert not (tmp_path / "calls.txt").exists()


def test_markers_that_nobody_sees_leave_the_scale_unknown(rebuild, photos):
    done = rebuild(photos, "--marker-size", 0.2)
    assert "without a known scale" in done.stdout
    assert "scale: markers were not used: 0 seen" in done.stderr
