"""The TCP service as its clients meet it: processes of its own, real sockets, jobs done by a worker.

How a scene is reconstructed is not tried here: the engine is one that another package brings, which is quick and knows.
"""

import hashlib
import json
import os
import re
import runpy
import signal
import socket
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from pwdlib import PasswordHash

from sightline.errors import OptionError
from sightline.model.user import Role
from sightline.server.tcp.running import tls_of
from sightline.settings import load
from sightline.stores.sql.database import database_at
from sightline.stores.sql.users import Users

from .conftest import wait_for

CLIENT = r"""
import json, socket, struct, pathlib
video_path = r"D:\PythonProjects\VGGT\1.mp4"   # Replace with your test video path
output_glb = pathlib.Path("test_return.glb")
with socket.create_connection(("127.0.0.1", 4567)) as s:
    # Login
    login_payload = json.dumps({"u": "demo", "p": "123456"}).encode()
    s.sendall(struct.pack(">BI", 1, len(login_payload)) + login_payload)
    resp_len = struct.unpack(">I", s.recv(4))[0]
    resp = s.recv(resp_len)
    print("Login reply:", resp)
    
    # Send Video
    data = pathlib.Path(video_path).read_bytes()
    s.sendall(struct.pack(">BI", 3, len(data)))
    s.sendall(data)
    
    # Receive Filename + GLB
    name_len = struct.unpack(">I", s.recv(4))[0]
    raw_name = s.recv(name_len)
    file_name = raw_name.decode("utf-8", errors="ignore") or raw_name.hex()
    resp_len = struct.unpack(">I", s.recv(4))[0]
    glb_bytes = s.recv(resp_len)
    output_glb.write_bytes(glb_bytes)
    print("Server file name:", file_name)
    print("Saved GLB to:", output_glb.resolve())
"""  # noqa: W293  (as people have it)
ENGINE = Path(__file__).parents[1] / "scripted_reconstructor.py"


@dataclass
class Tcp:
    """A service in processes of its own."""

    process: subprocess.Popen
    port: int
    data: Path
    log: Path

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def leftovers(self):
        return [path for path in (self.data / "incoming-tcp").rglob("*") if path.is_file()]

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The engine, as pip would leave it."""
    return runpy.run_path(str(ENGINE))["install"](tmp_path_factory.mktemp("site"))


@pytest.fixture
def data(tmp_path):
    """A data folder that knows demo, whose password is shorter than new ones may be."""
    folder = tmp_path / "data"
    folder.mkdir()
    engine = database_at(f"sqlite:///{folder / 'sightline.db'}")
    users = Users(engine)
    users.add("demo", PasswordHash.recommended().hash("123456"), Role.OPERATOR)
    users.set_vip("demo", is_vip=True)
    engine.dispose()
    return folder


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """Three seconds of walking along a wall: pictures without motion would be refused."""
    path = tmp_path_factory.mktemp("walk") / "walk.mp4"
    wall = np.random.default_rng(0).integers(0, 255, (30, 90, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for left in range(0, 300, 10):
            picture = np.ascontiguousarray(wall[:, left : left + 320])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def start(tmp_path, data, site):
    """Starts ``sightline tcp`` on a free port; ended with the test."""
    started = []

    def begin(workers=1, **environment):
        log = tmp_path / f"tcp-{len(started)}.log"
        words = ["-m", "sightline", "tcp", "--port", 0, "--data", data, "--workers", workers]
        more = filter(None, (str(site), os.environ.get("PYTHONPATH")))
        environment |= {"PYTHONPATH": os.pathsep.join(more), "SIGHTLINE_TCP__ENGINE": "scripted"}
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, *map(str, words)],
                stdout=file,
                stderr=file,
                env=os.environ | environment,
                start_new_session=True,
            )
        started.append(process)
        wait_for(lambda: "listening on" in log.read_text() or process.poll() is not None, 60)
        found = re.search(r"listening on \w+://127.0.0.1:(\d+)", log.read_text())
        assert found, log.read_text()
        return Tcp(process, int(found[1]), data, log)

    yield begin
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def say(peer, command, payload):
    peer.sendall(struct.pack(">BI", command, len(payload)) + payload)


def hear(peer):
    (n_bytes,) = struct.unpack(">I", exactly(peer, 4))
    return exactly(peer, n_bytes)


def exactly(peer, n_bytes):
    data = b""
    while len(data) < n_bytes:
        piece = peer.recv(n_bytes - len(data))
        assert piece, f"hung up after {len(data)} of {n_bytes} bytes"
        data += piece
    return data


def log_in(peer):
    say(peer, 1, json.dumps({"u": "demo", "p": "123456"}).encode())
    return hear(peer)


def images(*pictures):
    return struct.pack(">I", len(pictures)) + b"".join(struct.pack(">I", len(one)) + one for one in pictures)


def photo(number, suffix=".jpg"):
    """A picture, as a file's bytes."""
    picture = np.random.default_rng(number).integers(0, 255, (32, 48, 3), np.uint8)
    return cv2.imencode(suffix, picture)[1].tobytes()


def about(made):
    """What a GLB says of itself."""
    magic, version, n_bytes, n_text, _ = struct.unpack_from("<4sIIII", made)
    assert (magic, version, n_bytes) == (b"glTF", 2, len(made))
    return json.loads(made[20 : 20 + n_text])


def test_the_client_that_people_have_works_unchanged_and_so_does_the_guides(start, walk, tmp_path):
    server = start()
    (tmp_path / r"D:\PythonProjects\VGGT\1.mp4").write_bytes(walk.read_bytes())
    client = CLIENT.replace("4567", str(server.port))  # all tests take free ports
    done = subprocess.run(
        [sys.executable, "-"], input=client, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Login reply: b'[true, true]'" in done.stdout, server.log.read_text()
    made = (tmp_path / "test_return.glb").read_bytes()
    (tmp_path / "test_return.glb").unlink()
    assert f"Server file name: {hashlib.sha256(made).hexdigest()}.glb" in done.stdout, server.log.read_text()
    assert about(made)["asset"]["version"] == "2.0"

    guide = (Path(__file__).parents[2] / "docs" / "guides" / "tcp.md").read_text()
    client = re.search(r"```python\n(.*?)```", guide, re.DOTALL)[1].replace("4567", str(server.port))
    (tmp_path / "walk.mp4").write_bytes(walk.read_bytes())
    client = client.replace("correct horse", "123456")
    subprocess.run([sys.executable, "-"], input=client, cwd=tmp_path, text=True, timeout=90, check=True)
    (found,) = tmp_path.glob("*.glb")
    assert found.read_bytes() == made


def test_images_that_are_none_fail_and_results_are_found_after_a_restart(start):
    server = start()
    with server.connect() as peer:
        assert log_in(peer) == b"[true, true]"
        say(peer, 2, images(photo(1), photo(2, ".png"), photo(3, ".webp")))
        name, made = hear(peer), hear(peer)
        assert name == f"{hashlib.sha256(made).hexdigest()}.glb".encode()
        assert about(made)["meshes"]
        say(peer, 2, images(photo(1)[:200], photo(2)[:3] + bytes(500)))
        assert (hear(peer), hear(peer)) == (b"", b"ERROR_IMAGE_REQUEST")
    assert server.stop() == 0
    assert re.search("images: .* failed: .*img_00", server.log.read_text())
    assert not server.leftovers()
    with start(workers=0).connect() as peer:
        say(peer, 4, name.removesuffix(b".glb"))
        assert hear(peer) == made
        say(peer, 2, images(photo(1)))
        assert (hear(peer), hear(peer)) == (b"", b"ERROR_NOT_LOGGED_IN")


def test_nothing_secret_is_logged(start):
    server = start(workers=0, SIGHTLINE_LOG_LEVEL="debug")
    with server.connect() as peer:
        log_in(peer)
        say(peer, 1, b'{"u": "demo", "p": "a wrong guess"}')
        hear(peer)
    server.stop()
    said = server.log.read_text()
    assert "login refused" in said
    assert "123456" not in said
    assert "wrong guess" not in said


def test_many_are_answered_while_some_wait_for_the_worker(start):
    server = start(SIGHTLINE_TCP__INHERIT_LOGIN_BY_ADDRESS="true")
    with server.connect() as peer:
        log_in(peer)
    waiting = [server.connect() for _ in range(3)]
    for number, peer in enumerate(waiting):
        say(peer, 2, images(photo(number), photo(number + 9)))

    def ask(_):
        with server.connect() as peer:
            say(peer, 4, b"0" * 64)
            return hear(peer)

    with ThreadPoolExecutor(40) as pool:
        assert set(pool.map(ask, range(40))) == {b"ERROR_HASH_NOT_FOUND"}
    assert len({(hear(peer), hear(peer)) for peer in waiting}) == 3
    for peer in waiting:
        peer.close()


def test_a_killed_service_leaves_nothing_for_long(start):
    server = start(workers=0)
    with closing(server.connect()) as peer:
        log_in(peer)
        peer.sendall(struct.pack(">BI", 3, 10_000_000) + b"\0\0\0\x18ftyp" + bytes(2_000_000))
        wait_for(server.leftovers, what="the upload")
        server.stop(signal.SIGKILL)
    assert server.leftovers()
    assert not start(workers=0).leftovers()


@pytest.mark.parametrize(
    ("options", "environment", "why"),
    [
        (["--host", "0.0.0.0"], {}, "sightline users add"),
        ([], {"SIGHTLINE_TCP__CERTIFICATE": "absent.pem"}, "absent.pem"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(sightline, tmp_path, options, environment, why):
    result = sightline("tcp", "--data", tmp_path / "empty", *options, env=os.environ | environment)
    assert result.returncode == 2
    assert why in result.stderr
    assert "Traceback" not in result.stderr


def test_settings_that_make_no_sense_are_named(here, monkeypatch):
    assert "setting tcp.port" in here("tcp", "--port", "70000").stderr
    monkeypatch.setenv("SIGHTLINE_TCP__PAYLOAD_BYTES", "5 GB")
    assert "setting tcp.payload_bytes" in here("tcp").stderr


@pytest.mark.parametrize(
    ("tcp", "why"),
    [({"key": "site.key"}, "give tcp.certificate too"), ({"certificate": __file__}, "setting tcp.certificate")],
)
def test_what_no_tls_can_be_spoken_with_is_named(tcp, why):
    with pytest.raises(OptionError, match=why):
        tls_of(load(tcp=tcp).tcp)


def test_a_port_that_is_taken_is_named(sightline, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = sightline("tcp", "--data", tmp_path / "empty", "--port", port)
    assert result.returncode == 2
    assert f"127.0.0.1:{port}" in result.stderr
    assert "choose another --port" in result.stderr


def test_people_who_mean_no_good_break_nothing_and_leave_nothing(tmp_path):
    benchmark = Path(__file__).parents[2] / "benchmarks" / "tcp.py"
    command = [sys.executable, benchmark, "--seconds", "10"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "faults: none" in done.stdout
