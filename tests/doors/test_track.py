"""``sightline track`` as a user meets it."""

import csv
import functools
import http.server
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import pytest


def one_line(result, *words):
    """The run failed for a reason of the user's, told in one line that holds ``words``."""
    assert result.returncode == 2, result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert result.stderr.startswith("sightline: ")
    for word in words:
        assert word in result.stderr
    return True


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_video_becomes_tracks_and_a_video_that_shows_them(sightline, clip, tmp_path):
    done = sightline("track", clip, "-o", "out", "--json", "--format", "all")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["frames"], summary["tracks"], summary["complete"]) == (75, 2, True)
    out = tmp_path / "out"
    names = {"tracks.txt", "tracks.csv", "tracks.parquet", "tracks.json", "tracks.coco.json", "annotated.mp4"}
    assert {path.name for path in out.iterdir()} == {*names, "run.json"}
    with av.open(str(out / "annotated.mp4")) as video:
        assert video.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in video.decode(video=0)) == 75
    assert json.loads((out / "tracks.json").read_text())["metadata"]["source_resolution"] == {
        "width": 320,
        "height": 240,
    }
    record = json.loads((out / "run.json").read_text())
    names = {kind: ran["name"] for kind, ran in record["engines"].items()}
    assert names == {"source": "video", "detector": "motion", "tracker": "botsort", "stabilizer": "flow"}
    assert record["engines"]["tracker"]["options"]["lost_s"] > 0
    last = [row for row in rows(out / "tracks.csv") if row["frame_index"] == "70"]
    assert len(last) == 2
    assert sorted(float(row["x1"]) for row in last) == pytest.approx([135, 135], abs=6)


def test_sampling_and_ranges_keep_the_numbers_of_the_whole_video(here, clip, tmp_path):
    done = here("track", clip, "-o", "out", "--fps", 5, "--start", 1.2, "--end", 2.6, "--no-video")
    assert done.returncode == 0, done.stderr
    times = {float(row["t_s"]) for row in rows(tmp_path / "out" / "tracks.csv")}
    assert times
    assert all(1.2 <= t < 2.6 for t in times)
    index = {(row["frame_index"], row["t_s"]) for row in rows(tmp_path / "out" / "tracks.csv")}
    assert all(int(i) == round(float(t) * 25) for i, t in index)


def test_nothing_is_printed_over_a_pipe_but_the_result(sightline, clip):
    done = sightline("track", clip, "-o", "out", "--no-video")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith("2 tracks in 75 frames")


def test_earlier_results_are_not_replaced_unasked(here, clip):
    assert here("track", clip, "-o", "out", "--no-video").returncode == 0
    one_line(here("track", clip, "-o", "out", "--no-video"), "out", "--force")
    assert here("track", clip, "-o", "out", "--no-video", "--force").returncode == 0


def test_a_missing_file_is_named(here):
    one_line(here("track", "nowhere.mp4"), "nowhere.mp4", "no such file")


def test_a_text_file_in_disguise_is_named(here, tmp_path):
    (tmp_path / "notes.mp4").write_text("not a video\n" * 100)
    one_line(here("track", "notes.mp4"), "notes.mp4")


def test_a_folder_without_pictures_is_named(here, tmp_path):
    (tmp_path / "empty").mkdir()
    one_line(here("track", "empty"), "empty")


def test_an_unknown_engine_lists_those_there_are(here, clip):
    one_line(here("track", clip, "--tracker", "deepsort"), "deepsort", "sort, bytetrack, ocsort, botsort")


def test_an_unknown_option_lists_those_there_are(here, clip):
    one_line(here("track", clip, "--set", "tracker.lots_s=3"), "lots_s", "did you mean 'lost_s'")


def test_a_setting_without_a_kind_says_how_it_is_written(here, clip):
    one_line(here("track", clip, "--set", "lost_s=3"), "KIND.OPTION=VALUE")


def test_a_setting_of_an_engine_that_has_no_part_in_it_is_refused(here, clip):
    one_line(here("track", clip, "--set", "identifier.lost_s=3"), "identifier", "one of source, stabilizer, detector")


def test_nothing_is_left_behind_by_a_run_that_never_began(here, tmp_path):
    one_line(here("track", "nowhere.mp4", "-o", "out"))
    assert not (tmp_path / "out").exists()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def served(clip):
    """The clip's folder, by HTTP on this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=clip.parent)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_stream_is_tracked_and_its_password_written_nowhere(sightline, served, tmp_path):
    done = sightline("track", f"http://ann:hush@127.0.0.1:{served}/yard.mp4?token=hush", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["frames"] == 75
    (folder,) = tmp_path.glob("*-tracks")
    assert (folder / "annotated.mp4").exists()
    written = "".join(path.read_text() for path in folder.iterdir() if path.suffix != ".mp4")
    told = done.stdout + done.stderr + folder.name + written
    assert "yard.mp4" in told
    assert "hush" not in told


def begun(child, video):
    """Waits until the child has had the video open for a moment."""
    for _ in range(600):
        if any(os.path.realpath(fd) == str(video) for fd in Path(f"/proc/{child.pid}/fd").iterdir()):
            break
        time.sleep(0.1)
    time.sleep(1)


def test_ctrl_c_keeps_a_valid_part_and_says_so(long_clip, tmp_path):
    command = [sys.executable, "-m", "sightline", "track", str(long_clip), "-o", "out", "--set", "source.fps=25"]
    child = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    begun(child, long_clip)
    child.send_signal(signal.SIGINT)
    stdout, stderr = child.communicate(timeout=60)
    assert child.returncode == 130, stderr
    assert "stopped early" in stdout
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert not record["result"]["complete"]
    assert 0 < record["result"]["frames"] < 1500
    frames = {int(row["frame_index"]) for row in rows(tmp_path / "out" / "tracks.csv")}
    assert all(index < record["result"]["frames"] for index in frames)


def test_a_full_disk_leaves_no_half_file(clip, tmp_path):
    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    command = [sys.executable, "-m", "sightline", "track", str(clip), "-o", "out", "--format", "csv"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=small_files,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    one_line(done, "tracks.csv", "File too large")
    assert list((tmp_path / "out").iterdir()) == []
