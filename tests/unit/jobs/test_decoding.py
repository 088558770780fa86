"""One camera's decoding: files with kills in the middle, streams from a server that fails in every way."""

import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest

from sightline.formats.jpeg import comment_of
from sightline.jobs.cameras.decoding import decode_camera
from sightline.jobs.cameras.task import CameraTask
from sightline.stores.frames import FrameFolder

SERVER = Path(__file__).parents[2] / "rtsp_server.py"
WORK = """
import sys
from pathlib import Path
from sightline.jobs.cameras.decoding import decode_camera
from sightline.jobs.cameras.task import CameraTask
task = CameraTask(source=sys.argv[1], shown="gate.mp4", is_live=False, folder=Path(sys.argv[2]), fps=10.0)
decode_camera(task, lambda report: print(report.n_written, flush=True), lambda: False)
"""


def encode(path, n, **options):
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=30, options={"g": "30", "preset": "ultrafast", **options})
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        grain = np.random.default_rng(0).integers(0, 60, (192, 320, 3), np.uint8)
        for index in range(n):
            grain[:, index % 300 : index % 300 + 20] = index % 200
            file.mux(stream.encode(av.VideoFrame.from_ndarray(grain, format="rgb24")))
        file.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return encode(tmp_path_factory.mktemp("clips") / "gate.mp4", 150, bf="0", tune="zerolatency")


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    return encode(tmp_path_factory.mktemp("clips") / "long.mp4", 1200, bf="2")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.jpg")}


def decoded(source, folder, stopped=lambda: False, **options):
    """All reports of a decoding that ends."""
    options = {"shown": "gate", "is_live": False, "fps": 10.0} | options
    reports = []
    decode_camera(CameraTask(source=str(source), folder=folder, **options), reports.append, stopped)
    return reports


def test_a_file_is_decoded_to_its_end(clip, tmp_path):
    last = decoded(clip, tmp_path / "gate")[-1]
    assert (last.state, last.n_written, last.last_number, last.last_index) == ("completed", 50, 50, 147)
    assert (last.last_t_s, last.restart_count, last.last_error, last.fallback) == (4.9, 0, None, None)
    files = contents(tmp_path / "gate")
    assert sorted(files) == [f"frame_{n:04d}.jpg" for n in range(1, 51)]
    assert json.loads(comment_of(files["frame_0011.jpg"])) == {"index": 30, "t_s": 1.0}


@pytest.mark.parametrize("seed", range(3))
def test_kills_lose_nothing_and_repeat_nothing(long_clip, tmp_path, seed):
    decoded(long_clip, tmp_path / "calm")
    kill_after = random.Random(seed)
    for _ in range(3):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORK, long_clip, tmp_path / "killed"], stdout=subprocess.PIPE, text=True
        )
        try:
            start, n_more = None, kill_after.randrange(100)
            for line in worker.stdout:
                start = int(line) if start is None else start
                if int(line) - start >= n_more:
                    break
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait(10)
            worker.stdout.close()
    before = len(contents(tmp_path / "killed"))
    last = decoded(long_clip, tmp_path / "killed")[-1]
    assert (last.state, last.n_written) == ("completed", 400)
    assert 0 < before <= 400
    assert contents(tmp_path / "killed") == contents(tmp_path / "calm")


def test_a_finished_file_is_not_decoded_again(clip, tmp_path):
    decoded(clip, tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.jpg")}
    assert [report.state for report in decoded(clip, tmp_path)] == ["running", "completed"]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.jpg")} == times


def test_the_next_file_goes_on_with_the_numbers(clip, tmp_path):
    decoded(clip, tmp_path)
    last = decoded(clip, tmp_path, first_number=51, fps=1.0)[-1]
    assert (last.n_written, last.last_number) == (5, 55)
    assert len(contents(tmp_path)) == 55


def test_old_pictures_go_and_the_rest_still_tells_where_to_go_on(clip, tmp_path):
    done = []
    reports = decoded(clip, tmp_path, lambda: len(done.append(0) or done) > 20, keep_count=7)
    assert reports[-1].state == "running"
    assert reports[-1].n_written == 20
    assert decoded(clip, tmp_path, keep_count=7)[-1].n_written == 50
    assert sorted(contents(tmp_path)) == [f"frame_{n:04d}.jpg" for n in range(44, 51)]


def test_where_pictures_were_deleted_it_goes_on_behind_what_was_reported(clip, tmp_path):
    last = decoded(clip, tmp_path, first_number=3, last_number=12, last_index=27)[-1]
    assert (last.n_written, last.last_number) == (50, 52)
    assert min(contents(tmp_path)) == "frame_0013.jpg"


def test_faults_of_files_are_told_without_the_path(clip, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    for source in (tmp_path / "none.mp4", tmp_path / "broken.mp4"):
        last = decoded(source, tmp_path / "gate", shown="gate.mp4")[-1]
        assert last.state == "error"
        assert last.last_error.startswith("gate.mp4: ")
        assert str(tmp_path) not in last.last_error
    with FrameFolder(tmp_path / "gate"):
        (last,) = decoded(clip, tmp_path / "gate")
        assert last.state == "error"
        assert "another process" in last.last_error
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "frame_0001.jpg").write_bytes(b"x")
    assert "frame_0001.jpg" in decoded(clip, foreign)[-1].last_error


@pytest.mark.parametrize("hardware", ["cuda", "vaapi"])
def test_without_the_device_the_processor_decodes_and_the_reason_is_told(clip, tmp_path, hardware):
    from sightline.sources.acceleration import working

    if hardware in working():
        pytest.skip(f"{hardware} works here")
    last = decoded(clip, tmp_path, hardware=hardware)[-1]
    assert (last.state, last.n_written) == ("completed", 50)
    assert hardware in last.fallback
    assert last.last_error == last.fallback


class Camera:
    """A server of a clip that can be ended and begun again on its port."""

    def __init__(self, clip):
        self.clip, self.process = clip, None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"rtsp://me:secret@127.0.0.1:{self.port}/gate?token=secret"

    def start(self, *options):
        command = [sys.executable, SERVER, str(self.port), self.clip, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self.process.stdout.readline()

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process.stdout.close()
            self.process = None


@pytest.fixture
def camera(clip):
    camera = Camera(clip)
    yield camera
    camera.end()


class Watch:
    """Decodes a camera in a thread."""

    def __init__(self, camera, folder, **options):
        options = {"fps": 5.0, "read_timeout_s": 2.0, "connect_timeout_s": 3.0, "most_wait_s": 1.0} | options
        shown = f"rtsp://127.0.0.1:{camera.port}/gate"
        task = CameraTask(source=camera.url, shown=shown, is_live=True, folder=folder, **options)
        self.reports, self.stop = [], threading.Event()
        self.thread = threading.Thread(target=decode_camera, args=(task, self.reports.append, self.stop.is_set))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.stop.set()
        self.thread.join(15)
        assert not self.thread.is_alive()

    def until(self, condition, seconds=20):
        """The first report that meets the condition."""
        begin, n_seen = time.monotonic(), 0
        while time.monotonic() - begin < seconds:
            for report in self.reports[n_seen:]:
                n_seen += 1
                if condition(report):
                    return report
            time.sleep(0.02)
        raise AssertionError(self.reports[-3:])


def test_a_camera_that_goes_and_comes_back_is_taken_up_again(camera, tmp_path):
    with Watch(camera, tmp_path) as watch:
        refused = watch.until(lambda report: report.restart_count >= 1)
        assert (refused.state, refused.n_written) == ("waiting", 0)
        assert refused.last_error.startswith(f"rtsp://127.0.0.1:{camera.port}/gate: ")
        camera.start()
        first = watch.until(lambda report: report.n_written >= 5)
        assert first.state == "running"
        camera.end()
        watch.until(lambda report: report.state == "waiting" and report.n_written >= 5)
        camera.start()
        back = watch.until(lambda report: report.state == "running" and report.restart_count > first.restart_count)
        assert back.last_number > first.last_number
        n = len(watch.reports)
        watch.stop.set()
    assert len(watch.reports) >= n
    assert watch.reports[-1].n_written == len(contents(tmp_path))
    assert "secret" not in repr(watch.reports)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("silent:20", "nothing came for 2 s"),
        ("keyless:35", "no picture for 1 s, although data came"),
        ("close:20", "gate"),
        ("mute", "gate"),
    ],
)
def test_whatever_a_stream_does_it_is_begun_again(camera, tmp_path, fault, why):
    camera.start("1", fault)
    slow = {"fps": 0.5, "stall_timeout_s": 1.0} if fault.startswith("keyless") else {}
    with Watch(camera, tmp_path, **slow) as watch:
        again = watch.until(lambda report: report.state == "waiting" and report.last_error is not None)
        assert why in again.last_error
        camera.end()
        camera.start()
        watch.until(lambda report: report.state == "running" and report.restart_count > again.restart_count)


def test_timestamps_that_go_back_stop_nothing(camera, tmp_path):
    camera.start("1", "jump:40")
    with Watch(camera, tmp_path) as watch:
        last = watch.until(lambda report: report.n_written >= 20)
    assert (last.restart_count, last.last_error) == (0, None)


@pytest.mark.parametrize("state", ["none there", "mute", "silent:20", ""])
def test_it_stops_soon_whatever_it_waits_for(camera, tmp_path, state):
    if state != "none there":
        camera.start("1", state)
    with Watch(camera, tmp_path, most_wait_s=60.0, first_wait_s=60.0) as watch:
        if state in {"silent:20", ""}:
            watch.until(lambda report: report.n_written >= 2)
        else:
            watch.until(lambda report: report.state == "waiting")
        watch.stop.set()
        watch.thread.join(30)  # half of what it was told to wait
        assert not watch.thread.is_alive()


def test_a_device_that_is_not_there_does_not_keep_a_stream_from_coming(camera, tmp_path):
    camera.start()
    with Watch(camera, tmp_path, hardware="vaapi") as watch:
        report = watch.until(lambda report: report.n_written >= 2)
    assert "vaapi" in report.fallback
    assert "secret" not in report.fallback
