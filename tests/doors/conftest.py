"""A small real video, and the command line as a user calls it."""

import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

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
