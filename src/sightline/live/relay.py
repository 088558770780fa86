"""From worker processes of this machine to the hub of its server, over a Unix socket.

One direction only: length-prefixed channel, key and message. The socket belongs to the user the server runs as, and
only processes of the same user may connect. Servers and workers on several machines share Redis instead.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import struct
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, Protocol, final, runtime_checkable

from sightline.errors import StoreError

_HEAD = struct.Struct(">HHI")
_LARGEST: Final = 16 << 20
"""Bytes of a message; nobody sends more."""
_LONGEST_PATH: Final = 100
"""Characters; the system's own limit is a little more."""
_PATIENCE_S: Final = 0.5
_AGAIN_S: Final = 0.5
"""Before a server that was not there is looked for again."""


@runtime_checkable
class Publishing(Protocol):
    """What says messages: a hub, or the way to one."""

    async def publish(self, channel: str, key: str, message: bytes) -> None:
        """Says a message, and returns soon whatever is broken."""
        ...

    async def close(self) -> None:
        """Lets go of what it holds."""
        ...


def relay_path(data_folder: Path) -> Path:
    """Where the server that keeps its data there takes messages from its workers."""
    path = data_folder.absolute() / "live.sock"
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"sightline-{os.getuid()}-{digest}.sock"


@asynccontextmanager
async def relayed(path: Path, hub: Publishing) -> AsyncIterator[None]:
    """Takes in messages for ``hub`` while the context lasts.

    Raises:
        StoreError: another server listens there already, or the socket cannot be made.
    """
    tasks: set[asyncio.Task[None]] = set()

    def take_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_pass_on(reader, writer, hub))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    with _alone(path):
        server = await _listening(path, take_in)
        try:
            yield
        finally:
            server.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _listening(
    path: Path, take_in: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]
) -> asyncio.AbstractServer:
    """A server that only this user's processes can reach."""
    before = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(take_in, str(path))
    except OSError as error:
        raise StoreError(f"{path}: workers' messages cannot be taken in ({error.strerror})") from None
    finally:
        os.umask(before)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keeps others from listening at ``path``, and removes what a server that was killed has left there."""
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"{path}: another server takes messages in there; give each its own data_folder") from None
        path.unlink(missing_ok=True)
        yield
        path.unlink(missing_ok=True)
    finally:
        os.close(lock)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: Publishing) -> None:
    """All that one worker says, until it goes."""
    try:
        while True:
            n_channel, n_key, n_data = _HEAD.unpack(await reader.readexactly(_HEAD.size))
            if n_data > _LARGEST:
                return
            whole = await reader.readexactly(n_channel + n_key + n_data)
            channel, key = whole[:n_channel], whole[n_channel : n_channel + n_key]
            await hub.publish(channel.decode(), key.decode(), whole[n_channel + n_key :])
    except (OSError, EOFError, UnicodeDecodeError):  # gone; what it had to say next, it says when it is back
        return
    finally:
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()


@final
class RelayedHub:
    """The hub of this machine's server, as a worker can reach it: to say something, not to listen.

    While no server is there, what is said is lost and counted.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: asyncio.StreamWriter | None = None
        self._next_try_s = 0.0
        self.n_lost = 0
        """Messages that nobody took."""

    async def publish(self, channel: str, key: str, message: bytes) -> None:
        """To everybody who listens at the server."""
        name, about = channel.encode(), key.encode()
        writer = await self._connected()
        if writer is None:
            self.n_lost += 1
            return
        try:
            writer.write(_HEAD.pack(len(name), len(about), len(message)) + name + about + message)
            async with asyncio.timeout(_PATIENCE_S):
                await writer.drain()
        except (OSError, TimeoutError):
            self.n_lost += 1
            await self.close()

    async def close(self) -> None:
        """Ends the connection."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _connected(self) -> asyncio.StreamWriter | None:
        """The connection; None where there is no server, or it is not ours."""
        now = asyncio.get_running_loop().time()
        if self._writer is not None or now < self._next_try_s:
            return self._writer
        self._next_try_s = now + _AGAIN_S
        try:
            if self._path.stat().st_uid == os.getuid():
                self._writer = (await asyncio.open_unix_connection(str(self._path)))[1]
        except OSError:
            return None
        return self._writer
