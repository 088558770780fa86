"""The real app behind a real uvicorn, on a free port, with a data folder of its own."""

import contextlib
import itertools
import socket
import threading
import time
from dataclasses import dataclass
from typing import Annotated

import httpx
import pytest
import uvicorn
from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse

from sightline.model.user import Role
from sightline.server.app import create_app
from sightline.server.auth.guard import Guard, Principal
from sightline.server.auth.passwords import Passwords
from sightline.server.installation import Installation, opened
from sightline.settings import load

PASSWORD = "correct horse"
_NUMBERS = itertools.count()


@dataclass
class Served:
    """A server in this process."""

    url: str
    installation: Installation
    guard: Guard
    """Another guard of the same installation: what it issues is good, what it changes goes the long way."""

    def client(self, token=None, **headers):
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given |= {"authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=given, timeout=30)

    def add(self, name, role, password_hash="unused"):
        return self.guard.accounts.users.add(name, password_hash, Role(role))

    def token(self, name, role="viewer", issued_utc_s=None):
        return self.guard.tokens.login(name, Role(role), issued_utc_s or time.time())

    def key(self, role="viewer"):
        return self.guard.accounts.keys.create("for a test", Role(role))


@pytest.fixture(scope="session")
def password_hash():
    """Of PASSWORD: made once, as it is slow on purpose."""
    return Passwords().hash(PASSWORD)


@pytest.fixture
def serve(tmp_path):
    """Starts servers; they end with the test."""
    with contextlib.ExitStack() as stack:

        def start(data=tmp_path, **settings):
            return stack.enter_context(served(data, **settings))

        yield start


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server for all tests that leave it as it is, but for users and keys of their own. ``root`` is an admin."""
    with served(tmp_path_factory.mktemp("server"), auth={"logins_per_minute": 10_000}) as shared:
        shared.add("root", "admin")
        yield shared


@pytest.fixture
def ann():
    """A name that nobody has."""
    return f"ann-{next(_NUMBERS)}"


@pytest.fixture
def root(server):
    """A client that may do everything."""
    with server.client(server.token("root")) as client:
        yield client


@contextlib.contextmanager
def served(data, **settings):
    with opened(load(data_folder=data, **settings)) as installation:
        app = create_app(installation)
        guard = Guard(installation.settings, installation.engine)
        add_probes(app, guard)
        with listening(app) as url:
            yield Served(url, installation, guard)


@contextlib.contextmanager
def listening(app):
    """The address of the app, served by a thread."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, ws="websockets-sansio", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            end = time.monotonic() + 20
            while not server.started:
                assert thread.is_alive()
                assert time.monotonic() < end
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def add_probes(app: FastAPI, guard: Guard) -> None:
    """Routes that show what gets through."""
    viewer = Annotated[Principal, Depends(guard.allow(Role.VIEWER))]
    operator = Annotated[Principal, Depends(guard.allow(Role.OPERATOR))]

    @app.get("/probe/forgotten")  # nobody asked the guard
    async def forgotten() -> str:
        return "seen"

    @app.post("/probe/bytes")
    async def count(request: Request) -> int:
        return len(await request.body())

    @app.post("/probe/swallow")
    async def swallow(request: Request) -> str:
        try:
            await request.body()
        except Exception:  # noqa: BLE001  (as careless as can be)
            return "never mind"
        return "fine"

    @app.post("/probe/work")
    async def work(who: operator) -> str:
        return who.name

    @app.get("/probe/stream")
    async def stream(_who: viewer) -> StreamingResponse:
        return StreamingResponse(iter([b"a", b"b"]))

    @app.websocket("/probe/socket")
    async def talk(socket: WebSocket, who: operator) -> None:
        await socket.accept()
        await socket.send_text(who.name)
        await socket.receive_text()
        await socket.send_text("still" if await guard.is_still(socket) else "gone")
        await socket.close()
