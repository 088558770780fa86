"""The TCP service under people who mean no good, and under many who do.

``python benchmarks/tcp.py [--seconds 300] [--clients 48] [--seed 0]`` sends what should not be sent: requests with
bits turned over, cut off, with false lengths, in crumbs, too slowly, of other protocols, by clients that vanish or
never read. All the while a well-behaved client asks once a second, and must be answered rightly. At the end nothing
may be left: no connection, no task, no file, no open descriptor; and no fault may have been logged. Else it fails.

``python benchmarks/tcp.py --throughput`` has 1 and then 50 clients send video at once: how fast it comes in, and how
much memory the server takes.

The service is the real one over real sockets, in this process; in the place of reconstruction stands what answers at
once, since what is tried here is the talking (``tcp_at_once.py`` tries all of it). The rates are of client and server
together.
"""

import argparse
import asyncio
import ctypes
import hashlib
import logging
import os
import random
import resource
import shutil
import socket
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path

from sightline.errors import EngineError, UnknownError
from sightline.model.user import Role
from sightline.server.auth.guard import Guard
from sightline.server.tcp.listening import Listening
from sightline.server.tcp.members import Members
from sightline.server.tcp.reconstructions import Found
from sightline.server.tcp.session import Shared
from sightline.server.tcp.uploads import incoming
from sightline.settings import load
from sightline.stores.sql.database import database_at
from sightline.stores.sql.users import Users

JPEG = b"\xff\xd8\xff\xe0" + bytes(200)
MP4 = b"\0\0\0\x18ftypisom" + bytes(range(256)) * 8
RESULT = b"glTF" + os.urandom(60_000)
HASH = hashlib.sha256(RESULT).hexdigest()
SILENCE_S = 1.0
PATIENCE_S = 30.0
"""Longest that the well-behaved client waits for an answer."""


class AtOnce:
    """In the place of reconstruction: one GLB for all, soon; now and then it fails."""

    def __init__(self, pause_s):
        self.pause_s, self.n, self.n_bytes = pause_s, 0, 0

    async def submit(self, files, owner, *, is_near):  # noqa: ARG002  (as the service calls it)
        """Counts what came."""
        self.n += 1
        self.n_bytes += sum(file.stat().st_size for file in files)
        return "fails" if self.pause_s and len(files) == 3 else HASH

    async def result(self, number):
        """The one result."""
        await asyncio.sleep(self.pause_s)
        if number == "fails":
            raise EngineError("three images never fit together")
        return await self.find(number)

    async def find(self, digits):
        """The one result, by its hash."""
        if digits != HASH:
            raise UnknownError("no such reconstruction")
        return Found(HASH, len(RESULT), lambda: iter([RESULT[:30_000], RESULT[30_000:]]))


class Faults(logging.Handler):
    """Counts what the server logs as its own fault."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.seen = []

    def emit(self, record):
        """Keeps it."""
        self.seen.append(record.getMessage())


class Running:
    """A service on a loop of its own, and what it holds."""

    def __init__(self, folder, *, pause_s, **settings):
        self.settings = load(data_folder=folder, **settings)
        if self.settings.auth.mode == "on":
            engine = database_at(self.settings.database_url())
            Users(engine).add("ann", "no password has this hash", Role.OPERATOR)
            engine.dispose()
        self.works = AtOnce(pause_s)
        self.ready = threading.Event()
        self.thread = threading.Thread(target=asyncio.run, args=(self._serve(),), daemon=True)
        self.thread.start()
        assert self.ready.wait(30)

    async def _serve(self):
        self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()
        engine = database_at(self.settings.database_url())
        guard = Guard(self.settings, engine)
        with incoming(self.settings.data_folder / "incoming") as self.folder, socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(128)
            self.port = listener.getsockname()[1]
            shared = Shared(self.settings.tcp, Members(self.settings, guard), self.works, self.folder)
            silence_s = self.settings.limits.chunk_timeout_s
            self.listening = Listening(shared, silence_s=silence_s, shutdown_s=1.0, tls=None)
            self.loop.call_soon(self.ready.set)
            await self.listening.until(self.stop, listener)
        await guard.close()
        engine.dispose()

    def end(self):
        """Has it end."""
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(30)

    def holds(self):
        """Connections, tasks, files on their way, open descriptors of the process."""

        async def n_tasks():
            return len(asyncio.all_tasks()) - 1

        tasks = asyncio.run_coroutine_threadsafe(n_tasks(), self.loop).result(30)
        n_files = sum(1 for _ in self.folder.rglob("*"))
        return {"connections": self.listening.n_connections, "tasks": tasks, "files": n_files, "descriptors": n_open()}


def n_open():
    """Open descriptors, but for those of the databases, whose pools grow to their bound."""
    shown = []
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            shown.append(str(one.readlink()))
    return sum("sightline.db" not in one for one in shown)


@contextmanager
def running(**settings):
    folder = Path(tempfile.mkdtemp(prefix="tcp-"))
    service = Running(folder, **settings)
    try:
        yield service
    finally:
        service.end()
        shutil.rmtree(folder)


def request(command, payload=b"", n_bytes=None):
    return struct.pack(">BI", command, len(payload) if n_bytes is None else n_bytes) + payload


def images(*pictures):
    return struct.pack(">I", len(pictures)) + b"".join(struct.pack(">I", len(one)) + one for one in pictures)


def exactly(peer, n_bytes):
    data = bytearray()
    while len(data) < n_bytes:
        piece = peer.recv(n_bytes - len(data))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def part(peer):
    return exactly(peer, struct.unpack(">I", exactly(peer, 4))[0])


def behave(port):
    """One well-behaved conversation; how long it took."""
    began_s = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as peer:
        peer.sendall(request(1, b'{"u": "ann", "p": "whatever"}') + request(2, images(JPEG, JPEG)))
        assert part(peer) == b"[true, false]"
        assert (part(peer), part(peer)) == (f"{HASH}.glb".encode(), RESULT)
        peer.sendall(request(3, MP4) + request(4, HASH.encode()) + request(4, b"a" * 64) + request(99))
        assert (part(peer), part(peer)) == (f"{HASH}.glb".encode(), RESULT)
        assert part(peer) == RESULT
        assert (part(peer), part(peer)) == (b"ERROR_HASH_NOT_FOUND", b"UNKNOWN_COMMAND")
        peer.sendall(request(2, images(JPEG, JPEG, JPEG)) + request(2, images()))
        assert [part(peer) for _ in range(4)] == [b"", b"ERROR_IMAGE_REQUEST"] * 2
    return time.monotonic() - began_s


def nonsense(draw):
    """Bytes that a client of this mind sends."""
    sound = [
        request(1, b'{"u": "ann", "p": "x"}'),
        request(2, images(*[JPEG] * draw.randint(0, 6))),
        request(3, MP4 * draw.randint(1, 60)),
        request(4, HASH.encode()),
        request(draw.randint(0, 255), draw.randbytes(draw.randint(0, 300))),
    ]
    data = bytearray(b"".join(draw.choices(sound, k=draw.randint(1, 5))))
    match draw.randrange(8):
        case 0:
            for _ in range(draw.randint(1, 30)):
                data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        case 1:
            del data[draw.randrange(len(data)) :]
        case 2:
            data[1:5] = struct.pack(">I", draw.choice([0, 1, 2**16, 2**20, 2**31, 2**32 - 1, draw.getrandbits(32)]))
        case 3:
            data = bytearray(draw.randbytes(draw.randint(1, 5000)))
        case 4:
            at = draw.randrange(len(data))
            data[at : at + draw.randint(0, 40)] = draw.randbytes(draw.randint(0, 40))
        case 5:
            data = bytearray(request(2, struct.pack(">I", draw.choice([1, 7, 1000, 2**32 - 1])) + draw.randbytes(99)))
        case 6:
            data = bytearray(draw.choice([b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\0" * 5000]))
    return bytes(data)


def misbehave(port, draw, told):
    """One client that means no good."""
    data = nonsense(draw)
    with socket.socket() as peer, suppress(OSError, EOFError):
        peer.settimeout(draw.choice([0.05, 0.05, 0.5, 3.0]))
        if draw.random() < 0.1:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(("127.0.0.1", port))
        size = draw.choice([1, 3, 100, 1 << 20, 1 << 20, 1 << 20])
        for at in range(0, len(data) if size > 3 else min(len(data), 600), size):
            told["bytes"] += peer.send(data[at : at + size])
            if draw.random() < 0.01:
                time.sleep(draw.random() * 0.3)
        ending = draw.randrange(6)
        if ending == 0:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif ending == 1:
            peer.shutdown(socket.SHUT_WR)
        elif ending == 2:
            time.sleep(draw.random() * 2.0 * SILENCE_S)
        if ending not in {0, 3}:
            peer.settimeout(draw.choice([0.05, 0.1, 3.0]))
            while piece := peer.recv(1 << 16):
                told["answered"] += len(piece)
    told["connections"] += 1


def fuzz(seconds, n_clients, seed):
    """Whether nothing broke and nothing was left."""
    faults = Faults()
    logging.getLogger("sightline").addHandler(faults)
    logging.getLogger("asyncio").addHandler(faults)
    tcp = {"login_s": 2.0, "idle_s": 2.0, "payload_bytes": 1 << 20, "images": 10, "connections_per_address": 200}
    common = {"pause_s": 0.02, "tcp": tcp, "limits": {"chunk_timeout_s": SILENCE_S}}
    with running(**common) as service, running(**common, auth={"mode": "on"}) as closed:
        for _ in range(3):
            behave(service.port)  # threads are started and modules are imported on the way
        with socket.create_connection(("127.0.0.1", closed.port), timeout=PATIENCE_S) as peer:
            peer.sendall(request(1, b'{"u": "ann", "p": "x"}'))
            assert part(peer) == b"[false, false]"
        services = (service, closed)
        before, memory_mb = held(services, [{"connections": 0, "tasks": 2}] * 2), [rss_mb()]
        told, end_s, waits_s = Counter(), time.monotonic() + seconds, []

        def client(number):
            draw = random.Random(seed * 1000 + number)
            while time.monotonic() < end_s:
                misbehave(draw.choice(services).port, draw, told)

        with ThreadPoolExecutor(n_clients) as pool:
            clients = [pool.submit(client, number) for number in range(n_clients)]
            while time.monotonic() < end_s:
                waits_s.append(behave(service.port))
                memory_mb.append(rss_mb())
                time.sleep(1.0)
            for one in clients:
                one.result()
        after = held(services, before)
        print(f"{told['connections']} odd clients in {seconds:g} s; {told['bytes'] / 1e6:.1f} MB said, ", end="")
        print(f"{told['answered'] / 1e6:.1f} MB heard; {service.works.n} requests got as far as reconstruction")
        print(f"well-behaved: {len(waits_s)} conversations, all right, the longest {max(waits_s):.2f} s")
        print(f"before: {before}\nafter:  {after}")
        quarters = [memory_mb[i * (len(memory_mb) - 1) // 4] for i in range(5)]
        print(f"memory before and after each quarter: {' '.join(f'{one:.0f}' for one in quarters)} MB, ", end="")
        ctypes.CDLL(None).malloc_trim(0)  # what is free between what is not would else count
        print(f"{rss_mb():.0f} MB once free memory is given back")
        print(f"faults: {faults.seen or 'none'}")
        return is_within(after, before) and not faults.seen and not closed.works.n


def held(services, wanted):
    """What each service holds, once that is no more than wanted, or when it should be."""
    end_s = time.monotonic() + 20.0
    while True:
        holds = [service.holds() for service in services]
        if is_within(holds, wanted) or time.monotonic() > end_s:
            return holds
        time.sleep(0.1)


def is_within(holds, wanted):
    """Whether they hold no more than that."""
    return all(now[name] <= most[name] for now, most in zip(holds, wanted, strict=True) for name in most)


def throughput():
    for n_clients, megabytes in ((1, 400), (50, 20)):
        with running(pause_s=0.0) as service:
            video = MP4 + bytes(megabytes * 1_000_000)
            before = rss_mb()

            def send(_, port=service.port, video=video):
                with socket.create_connection(("127.0.0.1", port), timeout=300) as peer:
                    peer.sendall(request(3, b"", len(video)))
                    peer.sendall(video)
                    assert (part(peer), part(peer)) == (f"{HASH}.glb".encode(), RESULT)

            began_s = time.monotonic()
            most_mb = before
            with ThreadPoolExecutor(n_clients) as pool:
                clients = [pool.submit(send, number) for number in range(n_clients)]
                while wait(clients, 0.05).not_done:
                    most_mb = max(most_mb, rss_mb())
            took_s = time.monotonic() - began_s
            for one in clients:
                one.result()
            rate = n_clients * megabytes / took_s
            print(f"{n_clients:3} x {megabytes} MB: {rate:.0f} MB/s, memory up by {most_mb - before:.0f} MB at most")


def rss_mb():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    asking = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asking.add_argument("--seconds", type=float, default=300.0)
    asking.add_argument("--clients", type=int, default=48)
    asking.add_argument("--seed", type=int, default=0)
    asking.add_argument("--throughput", action="store_true")
    asked = asking.parse_args()
    if asked.throughput:
        throughput()
    else:
        sys.exit(not fuzz(asked.seconds, asked.clients, asked.seed))
