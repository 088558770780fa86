"""What one process hears from Redis: one connection, whatever the number of channels and of subscribers.

Each channel that somebody listens to has a twin in this process, which holds the state as Redis has it and hands
every message on. Messages carry numbers that grow by one per channel. When a channel is taken up (at the first
subscriber, and after every outage):

1. SUBSCRIBE, and wait until Redis says it is done: from here on no message is missed;
2. read the state, which carries the number of the last message that is in it;
3. PING on the first connection: of what arrives before its answer, messages up to that number are in the state already
   and are passed over. After the answer nothing can be older than the state.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, final

from redis.asyncio import Connection
from redis.exceptions import RedisError

from sightline.errors import StoreError
from sightline.live.channel import Channel
from sightline.live.mailbox import Message
from sightline.live.outage import Outage

TROUBLE = (RedisError, OSError, ValueError)
"""What goes wrong between here and Redis; ValueError is what its reader makes of an answer that is none."""
FORGET = b"forget"
"""Told instead of a message when the state is forgotten."""
_OPEN_S = 5.0
"""Longest wait for a channel to be taken up."""
_SILENCE_S = 10.0
"""After so long without a word Redis is asked whether it is there, and is given up after as long again."""

State = tuple[int, list[Message]]
"""The number of the last message, and the newest message of every key."""


def decoded(payload: bytes) -> tuple[int, Message] | None:
    """The number and the message in ``payload``: number, size of the key, key and data; None if that is not there."""
    try:
        number, size, rest = payload.split(b" ", 2)
        n_key = int(size)
        return int(number), Message(rest[:n_key].decode(), rest[n_key:])
    except ValueError:
        return None


def reason_of(error: Exception) -> str:
    """What went wrong, in a line. Servers quote what they did not understand, perhaps a password: that is left out."""
    return str(error).partition(", with args")[0].strip().rstrip(".") or type(error).__name__


@dataclass(eq=False, slots=True)
class _Twin:
    """A channel that somebody in this process listens to."""

    channel: Channel
    """Its subscribers and state here."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the state is here, or cannot be had."""
    trouble: str | None = None
    """Why it cannot be had."""
    n_users: int = 0
    """How many listen or are about to."""
    n_asked: int = 0
    """Times SUBSCRIBE was sent and not yet answered."""
    known: int = 0
    """Messages up to this number are in the state already; 0 when all that comes is new."""
    token: bytes = b""
    """What the PING said whose answer ends the passing over."""


@final
class Feed:
    """Keeps the twins fed, over outages too; runs one task, and only while somebody listens."""

    def __init__(
        self,
        *,
        connection: Callable[[], Any],
        state: Callable[[str], Awaitable[State]],
        prefix: str,
        outage: Outage,
        most_keys: int,
    ) -> None:
        self._new_connection = connection
        self._state = state
        self._prefix = prefix
        self._outage = outage
        self._most_keys = most_keys
        self._twins: dict[str, _Twin] = {}
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._n_pings = 0
        self._got_through = False
        self._closed = False

    @asynccontextmanager
    async def channel(self, name: str) -> AsyncIterator[Channel]:
        """The channel of that name with the state as it is, fed for as long as this lasts.

        Raises:
            StoreError: Redis cannot be reached.
        """
        twin = self._twins.get(name) or _Twin(Channel(self._most_keys))
        if self._closed:
            twin.channel.end()
            yield twin.channel
            return
        self._twins[name] = twin
        twin.n_users += 1
        try:
            if twin.n_users == 1:
                await self._begin(name, twin)
            await self._opened(twin)
            yield twin.channel
        finally:
            twin.n_users -= 1
            if not twin.n_users:
                await self._leave(name, twin)

    async def close(self) -> None:
        """Ends every subscription, and the task."""
        self._closed = True
        for twin in self._twins.values():
            twin.channel.end()
            twin.ready.set()
        await self._stop()

    async def _begin(self, name: str, twin: _Twin) -> None:
        if self._task is None or self._task.done():
            self._got_through = False
            self._task = asyncio.create_task(self._run(), name="live messages from Redis")
        elif self._connection is not None:
            twin.n_asked += 1
            await self._send(self._connection, "SUBSCRIBE", self._prefix + name)

    async def _opened(self, twin: _Twin) -> None:
        try:
            async with asyncio.timeout(_OPEN_S):
                await twin.ready.wait()
        except TimeoutError:
            raise StoreError(f"the live hub does not answer within {_OPEN_S:.0f} s") from None
        if twin.trouble is not None:
            raise StoreError(twin.trouble)

    async def _leave(self, name: str, twin: _Twin) -> None:
        if self._twins.get(name) is not twin:
            return
        del self._twins[name]
        if not self._twins:
            await self._stop()
        elif self._connection is not None:
            await self._send(self._connection, "UNSUBSCRIBE", self._prefix + name)

    async def _stop(self) -> None:
        task, self._task = self._task, None
        while task is not None and not task.done():
            task.cancel()  # again if need be: what lies between here and the socket may lose a cancellation
            await asyncio.wait([task], timeout=1.0)

    async def _send(self, connection: Connection, *words: str | bytes) -> None:
        """If it does not get through, the task notices by itself, and asks for everything again."""
        with suppress(*TROUBLE):
            if connection.is_connected:
                async with asyncio.timeout(_OPEN_S):
                    await connection.send_command(*words, check_health=False)

    async def _run(self) -> None:
        """Listens until cancelled; gives up only where it never got through at all."""
        while True:
            connection: Any = self._new_connection()
            try:
                async with asyncio.timeout(_OPEN_S):
                    await connection.connect()
                    await self._take_up(connection)
                await self._listen(connection)
            except TROUBLE as error:
                trouble = reason_of(error)
            finally:
                if self._connection is connection:
                    self._connection = None
                await connection.disconnect()
            if not self._got_through:
                return self._give_up(trouble)
            self._outage.failed(trouble)
            await asyncio.sleep(self._outage.left_s)

    def _give_up(self, trouble: str) -> None:
        for twin in self._twins.values():
            twin.trouble = f"the live hub cannot be reached: {trouble}; is Redis running, and is its URL right?"
            twin.ready.set()
        self._twins.clear()

    async def _take_up(self, connection: Connection) -> None:
        """Asks for all channels; from now on others are asked for as they come."""
        self._connection = connection
        for twin in self._twins.values():
            twin.n_asked, twin.known, twin.token = 1, 0, b""
        if self._twins:
            await connection.send_command(
                "SUBSCRIBE", *(self._prefix + name for name in self._twins), check_health=False
            )

    async def _listen(self, connection: Connection) -> None:
        asked = False
        while True:
            answer: Any = await connection.read_response(timeout=_SILENCE_S)
            if answer is None:
                if asked:
                    raise TimeoutError(f"Redis has been silent for {2 * _SILENCE_S:.0f} s")
                await connection.send_command("PING", check_health=False)
            asked = answer is None
            if isinstance(answer, list):
                await self._hear(connection, *answer)

    async def _hear(self, connection: Connection, kind: bytes, name: bytes, payload: Any = None) -> None:
        if kind == b"pong":
            for twin in self._twins.values():
                if twin.token == name:
                    twin.known, twin.token = 0, b""
            return
        plain = name.decode().removeprefix(self._prefix)
        found = self._twins.get(plain)
        if found is None:
            return
        if kind == b"message":
            self._pass_on(found, payload)
        elif kind == b"subscribe":
            found.n_asked -= 1
            if found.n_asked == 0:
                await self._restore(connection, plain, found)

    def _pass_on(self, twin: _Twin, payload: bytes) -> None:
        if payload == FORGET:
            twin.known = 0
            twin.channel.forget()
            return
        heard = decoded(payload)
        if heard is not None and heard[0] > twin.known:
            twin.channel.say(heard[1])

    async def _restore(self, connection: Connection, name: str, twin: _Twin) -> None:
        number, messages = await self._state(name)
        self._n_pings += 1
        twin.known, twin.token = number, b"%d" % self._n_pings
        twin.channel.restore(messages)
        twin.ready.set()
        self._got_through = True
        self._outage.ended()
        await connection.send_command("PING", twin.token, check_health=False)
