"""Streams over 127.0.0.1 only; the pushing side is another process, since two threads of one would hang."""

import functools
import http.server
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from sightline.errors import SourceError
from sightline.sources.stream import Stream

from .conftest import X264_B, X264_IPPP, video

PUSH = """
import sys, time, av
path, url, pause_s = sys.argv[1], sys.argv[2], float(sys.argv[3])
for attempt in range(50):
    try:
        out = av.open(url, "w", format="rtsp", options={"rtsp_transport": "tcp"})
        source = av.open(path)
        stream = out.add_stream_from_template(source.streams.video[0])
        out.start_encoding()
        break
    except (OSError, av.FFmpegError):
        time.sleep(0.1)
for packet in source.demux(video=0):
    if packet.dts is not None:
        packet.stream = stream
        out.mux(packet)
        time.sleep(0.002)
time.sleep(pause_s)
out.close()
"""


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def push():
    """Starts a process that pushes a clip by RTSP; ended with the test."""
    started = []

    def start(path, url, pause_s=0.0):
        command = [sys.executable, "-c", PUSH, str(path), url, str(pause_s)]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    yield start
    for process in started:
        process.kill()
        process.wait(10)


@pytest.fixture
def served(tmp_path):
    """A folder served by HTTP: (folder, address)."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_rtsp_is_read_to_its_end(clip, port, push):
    path = clip("p.mp4", **X264_IPPP, n=90)
    url = f"rtsp://127.0.0.1:{port}/gate"
    push(path, url)
    source = Stream(url, listen=True, timeout_s=15.0)
    about = source.about()
    assert (about.name, about.width, about.height, about.duration_s) == ("127.0.0.1/gate", 160, 96, None)
    frames = list(source.frames())
    assert len(frames) >= 88
    times = np.array([f.moment.t_s for f in frames])
    assert (np.diff(times) > 0).all()
    assert np.median(np.diff(times)) == pytest.approx(1 / 30, abs=2e-3)
    assert np.array_equal(frames[0].rgb, next(video(path).frames()).rgb)


def test_a_silent_camera_is_told_in_time(clip, port, push):
    url = f"rtsp://127.0.0.1:{port}/gate"
    push(clip("p.mp4", **X264_IPPP, n=90), url, pause_s=60.0)
    source = Stream(url, listen=True, timeout_s=3.0)
    frames, start = [], time.monotonic()
    with pytest.raises(SourceError, match=rf"rtsp://127\.0\.0\.1:{port}/gate: the stream broke off"):
        frames.extend(source.frames())
    assert frames
    assert time.monotonic() - start < 25


def test_http_is_sampled_and_cut_by_time(clip, served):
    folder, url = served
    (folder / "b.ts").write_bytes(clip("b.ts", **X264_B, n=100).read_bytes())
    source = Stream(f"{url}/b.ts", fps=5.0, duration_s=2.0, camera="gate")
    frames = list(source.frames())
    assert [f.moment.t_s for f in frames] == pytest.approx([k / 5 for k in range(10)])
    assert source.n_lost() == 0
    assert source.about().n_frames == 10
    expected = list(video(clip("b.ts", **X264_B, n=100), fps=5, end_s=2).frames())
    assert all(np.array_equal(a.rgb, b.rgb) for a, b in zip(frames, expected, strict=True))


def test_no_secret_is_told(served, port):
    _, url = served
    for address in (
        f"rtsp://me:secret@127.0.0.1:{port}/cam?token=secret",
        url.replace("//", "//me:secret@") + "/none.ts?k=secret",
    ):
        source = Stream(address, timeout_s=3.0)
        with pytest.raises(SourceError) as caught:
            source.about()
        assert "secret" not in str(caught.value)
        assert "127.0.0.1" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_who_never_answers_is_left_in_time():
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(1)
        start = time.monotonic()
        with pytest.raises(SourceError, match=r"127\.0\.0\.1"):
            Stream(f"rtsp://127.0.0.1:{mute.getsockname()[1]}/cam", timeout_s=1.0).about()
        assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    "url", ["concat:/etc/hosts|x", "file:///etc/hosts", "/etc/hosts", "rtsp://", "http://[x/y", ""]
)
def test_only_addresses_of_streams_are_taken(url):
    with pytest.raises(SourceError):
        Stream(url)


def test_a_playlist_may_not_name_local_files(clip, served):
    folder, url = served
    local = clip("b.ts", **X264_B, n=100)
    (folder / "list.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile://{local}\n#EXT-X-ENDLIST\n")
    with pytest.raises(SourceError):
        list(Stream(f"{url}/list.m3u8", timeout_s=3.0).frames())
