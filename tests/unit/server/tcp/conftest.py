"""The service over real sockets, on a loop of its own. Only the reconstruction itself is a stand-in, a quick one."""

import asyncio
import hashlib
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from functools import partial

import pytest
from sqlalchemy import Engine

from sightline.errors import AbsentError, EngineError, UnknownError
from sightline.model.user import Role
from sightline.server.auth.guard import Guard
from sightline.server.tcp.listening import Listening
from sightline.server.tcp.members import Members
from sightline.server.tcp.reconstructions import Found
from sightline.server.tcp.session import Shared
from sightline.server.tcp.uploads import incoming
from sightline.settings import load
from sightline.stores.sql.database import database_at

JPEG = b"\xff\xd8\xff\xe0 a picture"
PNG = b"\x89PNG\r\n\x1a\n another"
MP4 = b"\0\0\0\x18ftypisom" + bytes(range(256))
PASSWORD = "correct horse"


def glb(n_bytes, seed=b""):
    """A GLB that holds nothing, of this size."""
    text = b'{"asset":{"version":"2.0"}}'
    text += b" " * (-len(text) % 4)
    rest = max(n_bytes - 20 - len(text) - 8, len(seed)) // 4 * 4
    data = seed.ljust(rest, b"\0")
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(data), 0x004E4942) + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


class Quick:
    """Stands in for the port ``Reconstructions``: a small real GLB for whatever comes, at once or when let go on."""

    def __init__(self):
        self.made, self.asked, self.near, self.wrong = {}, [], [], set()
        self.n_bytes = 400
        self.go_on = threading.Event()
        self.go_on.set()
        self.fails = False
        self.gone = set()

    async def submit(self, files, owner, *, is_near):
        contents = [(file.name, file.read_bytes()) for file in files]
        self.asked.append((owner, contents))
        self.near.append(is_near)
        made = glb(self.n_bytes, hashlib.sha256(repr(contents).encode()).digest())
        return self.keep(made)

    async def result(self, number):
        while not self.go_on.is_set():
            await asyncio.sleep(0.01)
        if self.fails:
            raise EngineError("too few images fit together")
        return await self.find(number)

    async def find(self, digits):
        if digits not in self.made:
            raise UnknownError("no reconstruction has this hash")
        if digits in self.gone:
            raise AbsentError("no artifact")
        made = self.made[digits]
        return Found(digits, len(made), partial(self.pieces, made))

    def pieces(self, made):
        return (made[i : i + 100_000] for i in range(0, len(made), 100_000))

    def keep(self, made):
        digits = hashlib.sha256(made).hexdigest()
        self.made[digits] = made
        return digits


@dataclass
class Service:
    """A running service."""

    port: int
    works: Quick
    listening: Listening
    guard: Guard
    engine: Engine
    folder: object
    loop: asyncio.AbstractEventLoop
    stop: object
    clients: list = field(default_factory=list)

    def connect(self, *, log_in=False):
        client = Client(socket.create_connection(("127.0.0.1", self.port), timeout=20))
        self.clients.append(client)
        if log_in:
            assert client.log_in() == b"[true, false]"
        return client

    def add(self, name="ann", role=Role.OPERATOR, password=PASSWORD):
        user = self.guard.accounts.users.add(
            name, HASHES.setdefault(password, self.guard.passwords.hash(password)), role
        )
        self.guard.accounts.forget()
        return user

    def uploads(self):
        return sorted(self.folder.rglob("*"))

    def settles(self, n_connections=0):
        """Once nobody but so many is connected, and nothing of the others is left."""
        wait_for(lambda: self.listening.n_connections == n_connections, what="the end of connections")
        if not n_connections:
            wait_for(lambda: not self.uploads(), what="the end of uploads")


HASHES: dict[str, str] = {}
"""Slow to make, so made once."""


class Client:
    """What a client says and hears."""

    def __init__(self, peer):
        self.peer = peer

    def say(self, command, payload=b"", n_bytes=None):
        self.peer.sendall(request(command, payload, n_bytes))

    def hear(self):
        """A reply of one part."""
        (n_bytes,) = struct.unpack(">I", self.exactly(4))
        return self.exactly(n_bytes)

    def hear_two(self):
        return self.hear(), self.hear()

    def ask(self, command, payload=b""):
        self.say(command, payload)
        return self.hear_two() if command in {2, 3} else self.hear()

    def log_in(self, name="ann", password=PASSWORD):
        return self.ask(1, credentials(name, password))

    def exactly(self, n_bytes):
        data = bytearray()
        while len(data) < n_bytes:
            piece = self.peer.recv(n_bytes - len(data))
            if not piece:
                raise EOFError(f"{len(data)} of {n_bytes} bytes")
            data += piece
        return bytes(data)

    def is_hung_up(self):
        """Waits for the other side to end the connection."""
        try:
            return self.peer.recv(1) == b""
        except ConnectionResetError:
            return True

    def vanish(self):
        """Ends the connection as a crash would."""
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.peer.close()

    def close(self):
        self.peer.close()


def request(command, payload=b"", n_bytes=None):
    return struct.pack(">BI", command, len(payload) if n_bytes is None else n_bytes) + payload


def credentials(name="ann", password=PASSWORD):
    return json.dumps({"u": name, "p": password}).encode()


def images(*pictures, count=None):
    counted = [struct.pack(">I", len(picture)) + picture for picture in pictures]
    return struct.pack(">I", len(pictures) if count is None else count) + b"".join(counted)


@pytest.fixture
def start(tmp_path):
    """Starts services; they end with the test, whatever became of it."""
    running = []

    def started(*, tls=None, silence_s=20.0, **tcp):
        settings = load(data_folder=tmp_path, tcp=tcp, **({"auth": tcp.pop("auth")} if "auth" in tcp else {}))
        ready, box = threading.Event(), {}

        async def serve():
            engine = database_at(settings.database_url())
            guard, works, stop = Guard(settings, engine), Quick(), asyncio.Event()
            with incoming(tmp_path / "incoming") as folder, socket.socket() as listener:
                listener.bind(("127.0.0.1", 0))
                listener.listen(128)
                shared = Shared(settings.tcp, Members(settings, guard), works, folder)
                listening = Listening(shared, silence_s=silence_s, shutdown_s=1.0, tls=tls)
                loop = asyncio.get_running_loop()
                port = listener.getsockname()[1]
                box["service"] = Service(port, works, listening, guard, engine, folder, loop, stop)
                loop.call_soon(ready.set)
                await listening.until(stop, listener)
                box["left"] = len(asyncio.all_tasks()) - 1
            await guard.close()
            engine.dispose()

        thread = threading.Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        running.append((thread, box))
        assert ready.wait(20)
        return box["service"]

    yield started
    for thread, box in running:
        service = box["service"]
        service.works.go_on.set()
        if thread.is_alive():
            service.loop.call_soon_threadsafe(service.stop.set)
        thread.join(20)
        for client in service.clients:
            client.close()
        assert not thread.is_alive()
        assert box["left"] == 0


@pytest.fixture
def service(start):
    """A service at which nobody needs to log in."""
    return start()


@pytest.fixture
def guarded(start):
    """A service with one user, ann."""
    service = start()
    service.add()
    return service


def wait_for(condition, seconds=20.0, what="it"):
    """Until the condition holds; its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"{what} did not come within {seconds} s"
        time.sleep(0.01)
    return value
