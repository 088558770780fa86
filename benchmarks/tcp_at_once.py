"""Many clients of the TCP service at once, from login to scene.

``python benchmarks/tcp_at_once.py [--clients 50]`` has 50 clients ask ``sightline tcp``, a process of its own with a
worker, at once: each logs in, sends three pictures of its own, gets its scene back, and again by its hash from a new
connection. All answers must be right, and nothing left. The engine is the tests' quick one.
"""

import argparse
import hashlib
import io
import os
import random
import re
import runpy
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from PIL import Image
from tcp import images, part, request


def at_once(n_clients):
    """Whether so many got what is theirs from a service in processes of its own."""
    folder = Path(tempfile.mkdtemp(prefix="tcp-"))
    engine = runpy.run_path(str(Path(__file__).parents[1] / "tests" / "scripted_reconstructor.py"))["install"](folder)
    words = [sys.executable, "-m", "sightline"]
    subprocess.run([*words, "users", "create", "ann", "whatever", "--data", folder / "data"], check=True)
    with (folder / "log").open("wb") as log:
        service = subprocess.Popen(
            [*words, "tcp", "--port", "0", "--data", folder / "data"],
            env=os.environ | {"PYTHONPATH": str(engine), "SIGHTLINE_TCP__ENGINE": "scripted"}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        while b"listening on" not in (said := (folder / "log").read_bytes()):
            time.sleep(0.05)
        port = int(re.search(rb"listening on tcp://127.0.0.1:(\d+)", said)[1])
        one_of_many(port, n_clients)  # modules are imported on the way
        before, began_s = open_of(service.pid), time.monotonic()
        with ThreadPoolExecutor(n_clients) as pool:
            took_s = list(pool.map(lambda number: one_of_many(port, number), range(n_clients)))
        took = time.monotonic() - began_s
        end_s = time.monotonic() + 20.0
        while open_of(service.pid) > before and time.monotonic() < end_s:
            time.sleep(0.1)
        after, left = open_of(service.pid), sum(one.is_file() for one in (folder / "data/incoming-tcp").rglob("*"))
        most_mb = int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{service.pid}/status").read_text())[1]) / 1e3
        print(f"{n_clients} clients at once: all right in {took:.1f} s, the first after {min(took_s):.1f} s; ", end="")
        print(f"server's memory {most_mb:.0f} MB at most; sockets {before} before, {after} after; files left {left}")
        return after <= before and not left
    finally:
        service.terminate()
        service.wait(30)
        shutil.rmtree(folder)


def one_of_many(port, number):
    """One client's whole business; how long it took."""
    draw, began_s = random.Random(number), time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=300) as peer:
        peer.sendall(request(1, b'{"u": "ann", "p": "whatever"}'))
        assert part(peer) == b"[true, false]"
        peer.sendall(request(2, images(*(photo(draw) for _ in range(3)))))
        name, made = part(peer), part(peer)
    assert name == f"{hashlib.sha256(made).hexdigest()}.glb".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=300) as peer:
        peer.sendall(request(4, name.removesuffix(b".glb")))
        assert part(peer) == made
    return time.monotonic() - began_s


def photo(draw):
    """A picture that nobody else has."""
    file = io.BytesIO()
    Image.frombytes("RGB", (64, 48), draw.randbytes(64 * 48 * 3)).save(file, "JPEG")
    return file.getvalue()


def open_of(pid):
    """Open sockets of a process."""
    shown = []
    for one in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            shown.append(str(one.readlink()))
    return sum(one.startswith("socket:") for one in shown)


if __name__ == "__main__":
    asking = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asking.add_argument("--clients", type=int, default=50)
    sys.exit(not at_once(asking.parse_args().clients))
