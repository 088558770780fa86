"""``sightline extract`` from outside."""

import json
import subprocess
import sys

import pytest

from .conftest import wait_for
from .test_video_pipeline import camera, footage  # noqa: F401  (fixtures)


def names(folder):
    return sorted(path.name for path in folder.glob("*.jpg"))


def test_pictures_come_at_the_rate_that_was_asked_for(sightline, clip, tmp_path):
    result = sightline("extract", clip, "-o", "out", "--fps", 5, "--json")
    assert json.loads(result.stdout) == {"folder": "out", "frames": 15, "restarts": 0}, result.stderr
    assert names(tmp_path / "out") == [f"frame_{i:04d}.jpg" for i in range(1, 16)]
    part = sightline("extract", clip, "-o", "part", "--fps", 5, "--start", 1, "--end", 2)
    assert "5 pictures in part" in part.stdout


def test_what_was_broken_off_goes_on(long_clip, tmp_path, sightline):
    command = [sys.executable, "-m", "sightline", "extract", str(long_clip), "-o", "out", "--fps", "25"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: len(names(tmp_path / "out")) > 20, 60)
    process.kill()
    process.wait()
    before = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in names(tmp_path / "out")}
    assert len(before) < 1500
    assert "1500 pictures" in sightline(*command[3:]).stdout
    after = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in names(tmp_path / "out")}
    assert len(after) == 1500
    assert before == {name: after[name] for name in before}, "what was there is not written again"


def test_a_camera_is_read_for_as_long_as_was_asked(sightline, camera, tmp_path):  # noqa: F811
    url, _ = camera()
    result = sightline("extract", url, "-o", "out", "--fps", 5, "--duration", 4)
    assert result.returncode == 0, result.stderr
    assert 5 <= len(names(tmp_path / "out")) <= 25
    assert "hush" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["absent.mp4"], "absent.mp4: no such file"),
        (["."], "already pictures"),
        (["rtsp://127.0.0.1:1/x", "--duration", "1"], "rtsp://127.0.0.1:1/x: connection refused"),
        (["rtsp://127.0.0.1:1/x", "--start", "1"], "--start and --end are for files"),
        (["absent.mp4", "--hardware", "magic"], "there are none, auto, cuda"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(here, words, why):
    result = here("extract", *words)
    assert (result.returncode, why in result.stderr) == (2, True), result.stderr
    assert "Traceback" not in result.stderr
