"""What every source promises, asked of each engine of the table."""

import socket
import subprocess
import sys
import time
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest

from sightline import wiring
from sightline.errors import SightlineError
from sightline.model.frame import Footage

N = 24
SERVE = "import sys, http.server as h; h.test(h.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind='127.0.0.1')"


def pictures():
    for index in range(N):
        rgb = np.full((48, 64, 3), 60, np.uint8)
        rgb[:, 2 * index : 2 * index + 12] = (220, 180, 20)
        yield rgb


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The same pictures as a video and as images, and a broken one of each."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / "stills").mkdir()
    with av.open(str(folder / "clip.ts"), "w") as file:
        stream = file.add_stream("libx264", rate=12, options={"bf": "2", "g": "8"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index, rgb in enumerate(pictures()):
            cv2.imwrite(str(folder / "stills" / f"{index}.png"), rgb[:, :, ::-1])
            file.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        file.mux(stream.encode(None))
    return folder


@pytest.fixture(scope="module")
def address(folder):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([sys.executable, "-c", SERVE, str(port)], cwd=folder, **quiet)
    for _ in range(100):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.kill()
    server.wait(10)


@pytest.fixture(params=list(wiring.ENGINES["source"]))
def make(request, folder, address):
    """Builds the source as a command line would; what it may be given more goes in ``options``."""
    where = {
        "video": {"path": str(folder / "clip.ts")},
        "images": {"pattern": str(folder / "stills"), "fps": "12"},
        "stream": {"url": f"{address}/clip.ts"},
    }[request.param]
    return lambda **options: wiring.build("source", request.param, where | options)


def test_pictures_come_in_order_with_times_that_rise(make):
    source = make()
    frames = list(source.frames())
    assert [f.moment.index for f in frames] == list(range(N))
    assert all(a.moment.t_s < b.moment.t_s for a, b in pairwise(frames))
    assert frames[0].moment.t_s == 0
    assert frames[-1].moment.t_s == pytest.approx((N - 1) / 12, abs=1e-3)
    assert source.n_lost() == 0


def test_pictures_are_upright_rgb_that_nobody_can_write(make):
    for frame, truth in zip(make().frames(), pictures(), strict=True):
        assert frame.rgb.dtype == np.uint8
        assert not frame.rgb.flags.writeable
        assert np.abs(frame.rgb.astype(int) - truth).mean() < 12


def test_what_is_said_before_is_what_comes(make):
    about = make().about()
    assert isinstance(about, Footage)
    assert (about.width, about.height) == (64, 48)
    assert about.fps == pytest.approx(12)
    assert about.n_frames in {None, N}
    assert about.duration_s is None or about.duration_s == pytest.approx(2, abs=0.1)


def test_the_camera_can_be_named(make):
    source = make(camera="gate")
    assert source.about().name == "gate"
    assert next(source.frames()).moment.camera == "gate"


def test_reading_again_starts_again(make):
    source = make()
    first, second = ([f.rgb.copy() for f in source.frames()] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_two_sources_do_not_know_of_each_other(make):
    together = zip(make().frames(), make().frames(), strict=True)
    assert all(a.moment.index == b.moment.index and np.array_equal(a.rgb, b.rgb) for a, b in together)


def test_a_kept_picture_stays_as_it_was(make):
    frames = make().frames()
    kept = next(frames)
    before = kept.rgb.copy()
    for _ in frames:
        pass
    assert np.array_equal(kept.rgb, before)


def test_leaving_in_the_middle_does_no_harm(make):
    source = make()
    frames = source.frames()
    next(frames)
    frames.close()
    assert source.n_lost() == 0
    assert len(list(source.frames())) == N


def test_what_is_not_there_is_told_in_one_line(make, folder, address):
    lost = {"path": str(folder / "none"), "pattern": str(folder / "none"), "url": f"{address}/none"}
    taken = next(name for name in lost if name in wiring.options("source", make().__class__.__name__.lower()))
    with pytest.raises(SightlineError, match="none") as caught:
        make(**{taken: lost[taken]}).about()
    assert "\n" not in str(caught.value)
