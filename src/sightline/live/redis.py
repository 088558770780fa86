"""The hub that several processes share, in Redis.

Kept there, under ``sightline:live:``, are for each channel a hash of the newest message of every key, and the order of
those keys; both expire an hour after the last message.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, final

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from sightline.errors import StoreError
from sightline.live.channel import Subscription
from sightline.live.feed import FORGET, TROUBLE, Feed, State, reason_of
from sightline.live.mailbox import Message
from sightline.live.memory import KEEP_S, MOST_KEYS
from sightline.live.outage import Outage

_PUBLISH_S = 0.5
"""Longest that a producer waits for Redis."""
_ANSWER_S = 2.0
"""Longest that anybody else does."""

_SAY = """
local number = redis.call('HINCRBY', KEYS[1], '', 1)
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[2], number .. ' ' .. ARGV[3])
  redis.call('ZADD', KEYS[2], number, ARGV[2])
  if redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[4]) then
    redis.call('HDEL', KEYS[1], redis.call('ZPOPMIN', KEYS[2])[1])
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('PUBLISH', ARGV[1], number .. ' ' .. #ARGV[2] .. ' ' .. ARGV[2] .. ARGV[3])
"""
"""Numbers, keeps and publishes in one step and one round trip. The empty field of the hash counts messages."""


@final
class RedisHub:
    """Tells everybody who listens, in this process and in others; belongs to one event loop.

    While Redis is away, what is published is lost and counted (``n_lost``), the first time with a line in the log;
    subscribers wait, and get the state again when it is back.
    """

    def __init__(self, url: str, *, most_keys: int = MOST_KEYS, keep_s: float = KEEP_S) -> None:
        """Connects to nothing yet.

        Raises:
            StoreError: the URL has a fault.
        """
        self._pool = _pool(url)
        self._redis = Redis(connection_pool=self._pool)
        self._say = self._redis.register_script(_SAY)
        self._most_keys = most_keys
        self._keep_s = keep_s
        self._line = asyncio.Lock()
        self._closed = False
        self._sending = Outage("sending live messages to Redis")
        self._feed = Feed(
            connection=self._pool.make_connection,
            state=self._state,
            prefix=self._told(""),
            outage=Outage("hearing live messages from Redis"),
            most_keys=most_keys,
        )
        self.n_lost = 0
        """Messages that were published while Redis was away."""

    async def publish(self, channel: str, key: str, message: bytes) -> None:
        """To everybody who listens to ``channel``; waits half a second at most. See ``Hub``."""
        if self._closed:
            return
        words: list[Any] = [self._told(channel), key, message, self._most_keys, int(1000 * self._keep_s)]
        try:
            async with asyncio.timeout(_PUBLISH_S), self._line:  # one at a time: so they keep their order
                if self._sending.left_s:
                    self.n_lost += 1
                    return
                await self._say(keys=self._kept(channel), args=words)
        except TROUBLE as error:
            self.n_lost += 1
            self._sending.failed(reason_of(error))
        else:
            self._sending.ended()

    @asynccontextmanager
    async def subscribe(self, channel: str, *, most: int = 64, replay: bool = False) -> AsyncIterator[Subscription]:
        """What is said on ``channel`` from now on. See ``Hub``."""
        async with self._feed.channel(channel) as twin:
            with twin.subscribed(most, replay=replay) as subscription:
                yield subscription

    async def last(self, channel: str) -> list[Message]:
        """The newest message of every key, the newest of all at the end. See ``Hub``."""
        if self._closed:
            return []
        try:
            return (await self._state(channel))[1]
        except TROUBLE as error:
            raise self._unreachable(error) from None

    async def forget(self, channel: str) -> None:
        """Keeps nothing of what was said on ``channel``. While Redis is away nothing happens: it will expire."""
        if self._closed:
            return
        try:
            async with asyncio.timeout(_PUBLISH_S), self._line, self._redis.pipeline() as steps:
                if not self._sending.left_s:
                    steps.delete(*self._kept(channel))
                    steps.publish(self._told(channel), FORGET)
                    await steps.execute()
        except TROUBLE as error:
            self._sending.failed(reason_of(error))

    async def ping(self) -> None:
        """Returns if Redis answers. See ``Hub``."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self._redis.ping()
        except TROUBLE as error:
            raise self._unreachable(error) from None

    async def close(self) -> None:
        """Ends every subscription, and all connections. See ``Hub``."""
        self._closed = True
        await self._feed.close()
        await self._redis.aclose()
        await self._pool.aclose()

    async def _state(self, channel: str) -> State:
        async with asyncio.timeout(_ANSWER_S):
            kept: Any = await self._redis.hgetall(self._kept(channel)[0])
        last_number = int(kept.pop(b"", 0))
        numbered = [(*value.split(b" ", 1), key) for key, value in kept.items()]
        numbered.sort(key=lambda entry: int(entry[0]))
        return last_number, [Message(key.decode(), data) for _, data, key in numbered]

    def _kept(self, channel: str) -> tuple[str, str]:
        """Where the state and the order of its keys are."""
        return f"sightline:live:last:{channel}", f"sightline:live:order:{channel}"

    def _told(self, channel: str) -> str:
        """Where messages are published: publishing knows no databases, so the name says which one is meant."""
        return f"sightline:live:{self._pool.connection_kwargs.get('db', 0)}:{channel}"

    def _unreachable(self, error: Exception) -> StoreError:
        return StoreError(
            f"the live hub cannot be reached: {reason_of(error)}; is Redis running, and is its URL right?"
        )


def _pool(url: str) -> ConnectionPool:
    """Connections that never try twice by themselves: how long anything takes is decided here."""
    try:
        asked: dict[str, Any] = {**parse_url(url)}
        str(asked.get("host", "")).encode("idna")
        ours = {
            "decode_responses": False,
            "protocol": 2,
            "retry": Retry(NoBackoff(), 0),
            "socket_timeout": None,  # with one, Python 3.11 can lose a cancellation; time is kept by who asks
            "socket_connect_timeout": _ANSWER_S,
            "health_check_interval": 0,
        }
        pool: Any = ConnectionPool(**{**asked, **ours, "max_connections": 64})
        pool.make_connection()
    except (ValueError, TypeError, OSError, ssl.SSLError):
        raise StoreError(
            "the URL of the live hub is not one of a Redis: redis://[user:password@]host[:port][/number], "
            "rediss://... for TLS, or unix:///path"
        ) from None
    return pool
