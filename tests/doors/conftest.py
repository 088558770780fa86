"""A small real video, and the command line as a user calls it."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import httpx
import numpy as np
import pytest

from sightline.cli import main

FPS = 25
SECONDS = 3


def written(path, n_frames=FPS * SECONDS, size=(320, 240), fps=FPS):
    """An H.264 file in which two blocks cross a textured floor."""
    rng = np.random.default_rng(0)
    floor = rng.integers(60, 130, (size[1] // 8, size[0] // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = Fraction(1, fps)
        for i in range(n_frames):
            picture = floor.copy()
            if i >= fps:  # one second of empty floor first
                left = 3 * (i - fps)
                picture[60:110, left : left + 24] = (230, 60, 40)
                picture[150:210, 270 - left : 296 - left] = (30, 60, 220)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Three seconds: an empty floor, then two things that move."""
    return written(tmp_path_factory.mktemp("clip") / "yard.mp4")


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory):
    """A minute of the same floor."""
    return written(tmp_path_factory.mktemp("clip") / "long.mp4", n_frames=60 * FPS, size=(640, 480))


@pytest.fixture
def sightline(tmp_path):
    """Runs the command line in a process of its own; the result has ``returncode``, ``stdout`` and ``stderr``."""

    def call(*words, **more):
        command = [sys.executable, "-m", "sightline", *map(str, words)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False, **more)

    return call


@pytest.fixture
def here(tmp_path, monkeypatch, capfd):
    """Runs the command line likewise, without the cost of a process: for what a process would not change."""

    def call(*words, given=""):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["sightline", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        return subprocess.CompletedProcess(words, left.value.code or 0, *capfd.readouterr())

    return call


@dataclass
class Served:
    """A server in processes of its own."""

    process: subprocess.Popen
    url: str
    data: Path
    log: Path

    def stop(self, number=signal.SIGTERM):
        """Its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)

    def client(self, **more):
        return httpx.Client(base_url=self.url, timeout=60, **more)


@contextmanager
def serving(folder):
    """Starts ``sightline serve`` on free ports, in a folder; all are ended afterwards."""
    started = []

    def start(*options, data=folder / "data", workers=1, **environment):
        log = folder / f"server-{len(started)}.log"
        command = [sys.executable, "-m", "sightline", "serve", "--port", "0", "--data", data, "--workers", workers]
        environment = {name: str(value) for name, value in environment.items()}
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*map(str, command), *map(str, options)],
                stderr=file,
                stdout=file,
                env=os.environ | environment,
                cwd=folder,
                start_new_session=True,
            )
        started.append(process)
        wait_for(lambda: "listening on" in log.read_text() or process.poll() is not None, 30)
        found = re.search(r"listening on (http://\S+)", log.read_text())
        assert found, log.read_text()
        server = Served(process, found[1], Path(data), log)
        wait_for(lambda: answers(f"{server.url}/health"), 30)
        return server

    try:
        yield start
    finally:
        for process in started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def serve(tmp_path):
    """Starts servers for one test."""
    with serving(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def serve_all(tmp_path_factory):
    """Starts servers for all tests of a module."""
    with serving(tmp_path_factory.mktemp("server")) as start:
        yield start


def answers(url):
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def wait_for(condition, seconds=20.0, what="it"):
    """Until the condition holds; its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"{what} did not come within {seconds} s"
        time.sleep(0.05)
    return value
