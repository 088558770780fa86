"""How often somebody did something lately, counted in this process or, for several servers, in Redis."""

import logging
import time
from dataclasses import dataclass
from typing import Protocol, final, runtime_checkable

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

_REDIS_TIMEOUT_S = 0.5
_PAUSE_S = 5.0
"""How long nobody asks a Redis that did not answer."""
_log = logging.getLogger(__name__)


@runtime_checkable
class Counts(Protocol):
    """Counts by key in windows of time."""

    async def add(self, key: str, window_s: int, number: int, amount: int) -> tuple[int, int]:
        """What ``key`` has in the window of this number after adding ``amount``, and what it had in the one before."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...


@final
class MemoryCounts:
    """Counts in this process. All of a window are dropped together, so their number costs nothing."""

    def __init__(self) -> None:
        self._windows: dict[int, dict[int, dict[str, int]]] = {}

    async def add(self, key: str, window_s: int, number: int, amount: int) -> tuple[int, int]:
        """What ``key`` has in this window now, and what it had in the one before."""
        numbered = self._windows.setdefault(window_s, {})
        if number not in numbered:
            for old in [one for one in numbered if one != number - 1]:
                del numbered[old]
            numbered[number] = {}
        now = numbered[number].get(key, 0) + amount
        numbered[number][key] = now
        return now, numbered.get(number - 1, {}).get(key, 0)

    async def close(self) -> None:
        """Nothing to let go of."""


@final
class RedisCounts:
    """Counts that several servers share. While Redis does not answer, each counts for itself."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=_REDIS_TIMEOUT_S,
            socket_connect_timeout=_REDIS_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._own = MemoryCounts()
        self._silent_until_s = 0.0

    async def add(self, key: str, window_s: int, number: int, amount: int) -> tuple[int, int]:
        """What ``key`` has in this window now, and what it had in the one before."""
        if time.monotonic() < self._silent_until_s:
            return await self._own.add(key, window_s, number, amount)
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.incrby(_name(key, window_s, number), amount)
                pipe.expire(_name(key, window_s, number), 2 * window_s)
                pipe.get(_name(key, window_s, number - 1))
                now, _, before = await pipe.execute()
        except (RedisError, OSError) as error:
            _log.warning("rates are counted apart for %g s: redis: %s", _PAUSE_S, type(error).__name__)
            self._silent_until_s = time.monotonic() + _PAUSE_S
            return await self._own.add(key, window_s, number, amount)
        return int(now), int(before or 0)

    async def close(self) -> None:
        """Lets go of the connections."""
        await self._redis.aclose()


def counts_at(url: str | None) -> Counts:
    """Counts in Redis, or in this process where there is no ``url``."""
    return MemoryCounts() if url is None else RedisCounts(url)


@dataclass(frozen=True, slots=True)
class Budget:
    """What somebody may still do."""

    is_left: bool
    """Whether this was within the limit."""
    limit: int
    """How often it may be done."""
    n_left: int
    """How often still."""
    reset_s: int
    """Seconds after which the limit is somewhat or wholly free again."""

    def headers(self) -> dict[str, str]:
        """As clients know it."""
        shown = {"limit": self.limit, "remaining": self.n_left, "reset": self.reset_s}
        told = {f"ratelimit-{name}": str(value) for name, value in shown.items()}
        return told if self.is_left else {**told, "retry-after": str(self.reset_s)}


@final
class Rate:
    """So many within any minute: what the minute before had counts by how much of it is less than a minute ago."""

    def __init__(self, counts: Counts, name: str, limit: int, window_s: int = 60) -> None:
        self._counts = counts
        self._name = name
        self._limit = limit
        self._window_s = window_s

    async def take(self, key: str) -> Budget:
        """Does it once, if that is within the limit; what was refused is not counted."""
        number, passed_s = divmod(time.time(), self._window_s)
        at = (f"{self._name}:{key}", self._window_s, int(number))
        now, before = await self._counts.add(*at, 1)
        older = before * (1.0 - passed_s / self._window_s)
        is_left = now + older <= self._limit
        if not is_left:
            await self._counts.add(*at, -1)
        n_left = max(0, int(self._limit - now - older))
        reset_s = max(1, int(self._window_s - passed_s + 0.999))
        return Budget(is_left, self._limit, n_left if is_left else 0, reset_s)


def _name(key: str, window_s: int, number: int) -> str:
    return f"sightline:rate:{key}:{window_s}:{number}"
