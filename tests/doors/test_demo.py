"""``sightline demo`` as a user meets it."""

import json
import re
import signal
import subprocess
import sys
import time

import pytest


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    words = ["demo", "-o", "out", "--seconds", "4", "--cameras", "2", "--people", "6", "--detector", "motion", "--json"]
    words += ["--privacy", "bodies"]
    command = [sys.executable, "-m", "sightline", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "out", json.loads(done.stdout)


def test_it_finds_most_of_what_moves(demo):
    _, told = demo
    assert set(told["cameras"]) == {"cam1", "cam2"}
    assert told["combined"]["HOTA"] > 0.15
    assert told["combined"]["n_truth_ids"] == sum(camera["n_truth_ids"] for camera in told["cameras"].values())


def test_everybody_is_put_on_the_map(demo):
    _, told = demo
    assert told["map"]["identities"] > 0
    assert told["map"]["median_m"] < 1.0
    assert 0 < told["map"]["idf1"] <= 1


def test_what_the_drone_saw_is_put_on_the_map_too(demo):
    folder, told = demo
    flight = told["drone"]
    assert flight["n_true"] > 0
    assert flight["median_m"] < 2 * flight["told_m"]
    assert flight["yaw_constant_deg"] == pytest.approx(-12.0, abs=1.0)
    assert (folder / "drone" / "places" / "positions.geojson").stat().st_size > 100
    assert f"{flight['median_m']:.2f} m" in (folder / "report.html").read_text()


def test_the_report_shows_videos_that_are_there_and_fetches_nothing(demo):
    folder, told = demo
    page = (folder / "report.html").read_text()
    shown = re.findall(r'(?:src|poster|href)="(?!data:)([^"#]+)"', page)
    assert {"cam1/annotated.mp4", "cam2/annotated.mp4"} <= set(shown)
    assert all((folder / name).is_file() for name in shown)
    assert "http" not in page.replace("http://www.w3.org", "")
    assert f"{100 * told['combined']['HOTA']:.1f} %" in page


def test_its_videos_hide_who_is_to_be_hidden(demo):
    folder, _ = demo
    assert json.loads((folder / "cam1" / "run.json").read_text())["privacy"] == "bodies"


def test_evaluating_its_files_gives_its_numbers_back(demo, here):
    folder, told = demo
    done = here("evaluate", folder / "cam1" / "tracks.txt", folder / "site" / "cam1.gt.txt", "--json")
    assert done.returncode == 0, done.stderr
    (scores,) = json.loads(done.stdout)["sequences"].values()
    assert scores["HOTA"] == pytest.approx(told["cameras"]["cam1"]["HOTA"], abs=0.05)


def test_a_folder_of_something_else_is_left_alone(here, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    done = here("demo", "-o", "mine")
    assert done.returncode == 2
    assert "mine is not empty" in done.stderr


def test_ctrl_c_ends_it_soon_and_leaves_no_half_video(tmp_path):
    command = [sys.executable, "-m", "sightline", "demo", "-o", "out", "--cameras", "1", "--people", "2"]
    child = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for _ in range(600):
        if any((tmp_path / "out" / "site").glob(".cam*.mp4")):
            break
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    _, stderr = child.communicate(timeout=60)
    assert child.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert not list((tmp_path / "out").rglob("*.mp4"))
