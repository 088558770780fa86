"""Taking connections in: so many at once, and an orderly end to all of them."""

import asyncio
import logging
import socket
import ssl
from collections import Counter
from contextlib import suppress
from typing import final

from sightline.errors import SightlineError
from sightline.server.limits.rate import address_of
from sightline.server.tcp.session import Session, Shared
from sightline.server.tcp.wire import PIECE, Ends, HungUpError, Wire

_HANDSHAKE_S = 10.0
_CLOSE_S = 5.0
"""How long a connection may take to end."""
_PAUSE_S = 0.2
"""Before it is tried again where the system had no more sockets to give."""
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))
"""After two minutes, clients whose machine is gone are taken for gone."""
_log = logging.getLogger(__name__)


@final
class Listening:
    """All connections of a server."""

    def __init__(self, shared: Shared, *, silence_s: float, shutdown_s: float, tls: ssl.SSLContext | None) -> None:
        self._shared, self._silence_s, self._shutdown_s, self._tls = shared, silence_s, shutdown_s, tls
        self._tasks: dict[asyncio.Task[None], Session | None] = {}
        self._per_address: Counter[str] = Counter()
        self._is_over = False

    async def until(self, stop: asyncio.Event, listener: socket.socket) -> None:
        """Takes in whoever comes, until told to stop; then lets requests under way end, for a while."""
        listener.setblocking(False)
        self._open(listener)
        try:
            await stop.wait()
        finally:
            self._is_over = True
            asyncio.get_running_loop().remove_reader(listener)
            await self._end()

    @property
    def n_connections(self) -> int:
        """How many there are now."""
        return len(self._tasks)

    def _open(self, listener: socket.socket) -> None:
        if not self._is_over:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        """Takes in who waits at the door. No task does this: one that is cancelled may drop whom it has let in."""
        try:
            peer, address = listener.accept()
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:  # no more files to open, or a client that left at once
            _log.warning("nobody can be taken in: %s", error.strerror)
            loop = asyncio.get_running_loop()
            loop.remove_reader(listener)
            loop.call_later(_PAUSE_S, self._open, listener)
            return
        peer.setblocking(False)
        self._take_in(peer, address[0])

    def _take_in(self, peer: socket.socket, address: str) -> None:
        limits, group = self._shared.limits, address_of({"client": (address, 0)})
        if len(self._tasks) >= limits.connections or self._per_address[group] >= limits.connections_per_address:
            _log.warning("too many connections: address=%s from_there=%d", address, self._per_address[group])
            peer.close()
            return
        self._per_address[group] += 1
        task = asyncio.create_task(self._converse(peer, address, group))
        self._tasks[task] = None
        task.add_done_callback(lambda task: self._forget(task, group))
        task.add_done_callback(lambda _: peer.close())  # also of a task that was cancelled before it began

    def _forget(self, task: asyncio.Task[None], group: str) -> None:
        del self._tasks[task]
        self._per_address[group] -= 1
        if not self._per_address[group]:
            del self._per_address[group]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("fault=%s", type(error).__name__, exc_info=error)

    async def _converse(self, peer: socket.socket, address: str, group: str) -> None:
        """All of one connection."""
        with peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _KEEPALIVE:
                peer.setsockopt(socket.IPPROTO_TCP, option, value)
            reader = asyncio.StreamReader(limit=PIECE)
            ends = Ends(reader)
            try:
                transport = await _connected(peer, ends, self._tls)
            except OSError as error:
                _log.info("no connection: address=%s %s", address, type(error).__name__)
                return
            writer = asyncio.StreamWriter(transport, ends, reader, asyncio.get_running_loop())
            session = Session(Wire(reader, writer, self._silence_s), ends.lost, (address, group), self._shared)
            self._note(session)
            try:
                await session.run(lambda: self._is_over)
            except (HungUpError, SightlineError) as error:  # the latter where the database does not answer
                _log.info("hung up: address=%s %s", address, error)
                transport.abort()  # what it was sent and did not take, it will not take in a moment either
            finally:
                await _close(transport, ends)

    def _note(self, session: Session) -> None:
        """Notes who talks in the task that is running."""
        if (task := asyncio.current_task()) is not None:
            self._tasks[task] = session

    async def _end(self) -> None:
        """Ends those who wait for nothing, then waits for the others, then ends them too."""
        for task, session in self._tasks.items():
            if session is None or session.is_idle:
                task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(list(self._tasks), timeout=self._shutdown_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)


async def _connected(peer: socket.socket, ends: Ends, tls: ssl.SSLContext | None) -> asyncio.Transport:
    """The connection, after agreeing on its secrets.

    Raises:
        OSError: the client speaks no TLS, or not in time.
    """
    loop = asyncio.get_running_loop()
    if tls is None:
        transport, _ = await loop.connect_accepted_socket(lambda: ends, peer)
    else:
        transport, _ = await loop.connect_accepted_socket(
            lambda: ends, peer, ssl=tls, ssl_handshake_timeout=_HANDSHAKE_S, ssl_shutdown_timeout=_CLOSE_S
        )
    return transport


async def _close(transport: asyncio.Transport, ends: Ends) -> None:
    """Lets go of a connection, whether the client takes part or not."""
    transport.close()
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await ends.lost.wait()
    finally:
        transport.abort()
