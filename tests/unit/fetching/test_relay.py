"""Streams by way of the relay: real ones by libav, and servers that would send the reader elsewhere."""

import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sightline.errors import RefusedError, SourceError
from sightline.fetching import Address, relayed
from sightline.sources.stream import Stream

N = 40
TABLE = Path("/proc/net/tcp")
PUSH = """
import sys, time, av, numpy as np
out = av.open(sys.argv[1], "w", format="rtsp", options={"rtsp_transport": "tcp"})
stream = out.add_stream("libx264", rate=20, options={"g": "10", "tune": "zerolatency"})
stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
for index in range(int(sys.argv[2])):
    frame = av.VideoFrame.from_ndarray(np.random.default_rng(index).integers(0, 255, (96, 160, 3), np.uint8), "rgb24")
    for packet in stream.encode(frame):
        out.mux(packet)
    time.sleep(0.005)
out.mux(stream.encode(None))
time.sleep(0.5)
out.close()
"""


def address(port, scheme="rtsp", user=""):
    url = f"{scheme}://{user}127.0.0.1:{port}/gate?x=1"
    return Address(
        scheme=scheme,
        shown=f"{scheme}://camera:{port}/gate",
        url=url,
        host="camera",
        port=port,
        ips=("127.0.0.1",),
        pinned_url=url,
    )


def knock(url):
    return socket.create_connection(("127.0.0.1", urlsplit(url).port), 5)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Camera:
    """Answers every request with the next of ``answers``, byte for byte; ``{cseq}`` is filled in."""

    def __init__(self, answers, wrap=None, pause_s=0.0):
        self.door = socket.create_server(("127.0.0.1", 0))
        self.door.settimeout(0.05)
        self.port = self.door.getsockname()[1]
        self.asked = []
        self.answers, self.wrap, self.pause_s = answers, wrap, pause_s
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while not self.is_over.is_set():
            try:
                wire, _ = self.door.accept()
            except TimeoutError:
                continue
            with self.wrap(wire) if self.wrap else wire as wire:
                wire.settimeout(0.05)
                self.talk(wire)

    def talk(self, wire):
        answers, request = iter(self.answers), b""
        while not self.is_over.is_set():
            try:
                piece = wire.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            request += piece
            if not piece:
                return
            if not request.endswith(b"\r\n\r\n"):
                continue
            self.asked.append(request)
            cseq = request.lower().split(b"cseq:")[1].split()[0]
            for part in next(answers, b"").replace(b"{cseq}", cseq).split(b"|"):
                try:
                    wire.sendall(part)
                except OSError:
                    return
                time.sleep(self.pause_s)
            request = b""

    def close(self):
        self.is_over.set()
        self.thread.join(5)
        self.door.close()


@pytest.fixture
def camera():
    running = []

    def start(*answers, **more):
        running.append(Camera(answers, **more))
        return running[-1]

    yield start
    for one in running:
        one.close()


@pytest.fixture
def inner(camera):
    """Where nobody is to be sent."""
    return camera()


FINE = b"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nPublic: DESCRIBE\r\n\r\n"
MOVED = b"RTSP/1.0 302 Found\r\nCSeq: {cseq}\r\nLocation: rtsp://127.0.0.1:%d/inner\r\n\r\n"


def test_without_the_relay_libav_goes_where_it_is_sent(camera, inner):
    """What the relay is for; when this fails, it can go."""
    outer = camera(FINE, MOVED % inner.port)
    with pytest.raises(SourceError):
        Stream(f"rtsp://127.0.0.1:{outer.port}/gate", timeout_s=3.0).about()
    assert inner.asked


@pytest.mark.parametrize(
    "answers",
    [
        (MOVED,),
        (FINE, MOVED),
        (FINE, MOVED.replace(b"RTSP/1.0 302", b"RT\rSP/1.0 \t +03\r02")),
        (FINE, FINE.replace(b"\r\n", b"\n") + MOVED),
        (FINE, b"$\x00\x00\x05abcde" + MOVED),
        (FINE, MOVED.replace(b"302", b"3|0|2")),
        (FINE, MOVED.replace(b"302", b"4294967598")),
        (FINE, MOVED.replace(b"302", b"302\x00x")),
        (FINE, MOVED.replace(b"302", b"-42949|66994")),
        (FINE, MOVED.replace(b"SP/1.0", b"S|P/1|.0")),
        (FINE, MOVED.replace(b"1.0 302", b"x" * 3000 + b" 302")),
    ],
)
def test_nobody_is_sent_elsewhere(camera, inner, answers):
    outer = camera(*(a % inner.port if b"%d" in a else a for a in answers), pause_s=0.02)
    told = f"rtsp://camera:{outer.port}/gate: the server sends us elsewhere"
    with pytest.raises(RefusedError, match=told), relayed(address(outer.port)) as url:
        Stream(url, timeout_s=3.0).about()
    assert outer.asked
    assert inner.asked == []


def test_what_is_asked_for_stays_the_same(camera):
    outer = camera(FINE, b"RTSP/1.0 404 Not Found\r\nCSeq: {cseq}\r\n\r\n")
    with relayed(address(outer.port, user="me:p%40ss@")) as url:
        with pytest.raises(SourceError) as caught:
            Stream(url, timeout_s=3.0).about()
        assert url.startswith("rtsp://me:p%40ss@127.0.0.1:")
    assert not isinstance(caught.value, RefusedError)
    assert outer.asked[1].split()[:2] == [b"DESCRIBE", url.replace("me:p%40ss@", "").encode()]


def test_video_goes_through_whole():
    """The one who pushes goes by way of the relay: all its bytes come, in order."""
    port, frames, failed = free_port(), [], []

    def read():
        try:
            frames.extend(Stream(f"rtsp://127.0.0.1:{port}/gate", listen=True, timeout_s=20.0).frames())
        except SourceError as error:
            failed.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    until = time.monotonic() + 10
    while f":{port:04X} 00000000:0000 0A" not in TABLE.read_text():
        assert time.monotonic() < until
        time.sleep(0.02)
    with relayed(address(port)) as url:
        subprocess.run([sys.executable, "-c", PUSH, url, str(N)], check=True, timeout=30)
        reader.join(20)
    assert not failed
    assert len(frames) >= N - 2


def test_a_server_that_is_not_there_is_noticed_at_once():
    began = time.monotonic()
    with pytest.raises(SourceError), relayed(address(free_port())) as url:
        Stream(url, timeout_s=5.0).about()
    assert time.monotonic() - began < 5


def test_encrypted_streams_are_decrypted_here(camera, tmp_path):
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=c",
            "-keyout",
            tmp_path / "key",
            "-out",
            tmp_path / "certificate",
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    outer = camera(FINE, wrap=lambda wire: context.wrap_socket(wire, server_side=True))
    with relayed(address(outer.port, scheme="rtsps")) as url, knock(url) as wire:
        wire.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n")
        assert wire.recv(100).startswith(b"RTSP/1.0 200 OK\r\nCSeq: 7")


def test_only_streams_are_relayed():
    with pytest.raises(SourceError, match="not a stream"), relayed(Address(scheme="file", shown="a", url="file:///a")):
        pass


def test_nothing_is_left_running(camera):
    outer = camera(FINE)
    with relayed(address(outer.port)) as url:
        wire = knock(url)
    with wire, suppress(ConnectionResetError):
        assert wire.recv(10) == b""
    assert not [t for t in threading.enumerate() if t.name == "relay"]
    with pytest.raises(ConnectionRefusedError):
        knock(url)
