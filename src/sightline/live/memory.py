"""The hub inside one process."""

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import final

from sightline.live.channel import Channel, Subscription
from sightline.live.mailbox import Message

MOST_KEYS = 1024
"""Keys whose newest message a channel keeps."""
KEEP_S = 3600.0
"""How long a channel on which nothing happens keeps them."""


@dataclass(slots=True)
class _Open:
    """A channel and its age."""

    channel: Channel
    """What is said there."""
    active_s: float
    """When something was last said, or somebody last listened."""


@final
class MemoryHub:
    """Tells everybody in this process who listens; belongs to one event loop, as asyncio's own queues do.

    A channel is there from its first message or subscriber. It is gone when nobody listens and it has nothing to
    keep, or after ``keep_s`` seconds without a message.
    """

    def __init__(
        self, *, most_keys: int = MOST_KEYS, keep_s: float = KEEP_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_keys = most_keys
        self._keep_s = keep_s
        self._clock = clock
        self._channels: OrderedDict[str, _Open] = OrderedDict()
        self._closed = False

    @property
    def n_channels(self) -> int:
        """How many channels there are."""
        return len(self._channels)

    async def publish(self, channel: str, key: str, message: bytes) -> None:
        """To everybody who listens to ``channel``; waits for nobody. See ``Hub``."""
        if not self._closed:
            self._opened(channel).say(Message(key, message))
            self._leave_if_empty(channel)

    @asynccontextmanager
    async def subscribe(self, channel: str, *, most: int = 64, replay: bool = False) -> AsyncIterator[Subscription]:
        """What is said on ``channel`` from now on. See ``Hub``."""
        try:
            with self._opened(channel).subscribed(most, replay=replay) as subscription:
                try:
                    yield subscription
                finally:
                    self._opened(channel)
        finally:
            self._leave_if_empty(channel)

    async def last(self, channel: str) -> list[Message]:
        """The newest message of every key, the newest of all at the end."""
        self._expire()
        return self._channels[channel].channel.last() if channel in self._channels else []

    async def forget(self, channel: str) -> None:
        """Keeps nothing of what was said on ``channel``."""
        if channel in self._channels:
            self._channels[channel].channel.forget()
            self._leave_if_empty(channel)

    async def ping(self) -> None:
        """Memory is always there."""

    async def close(self) -> None:
        """Ends every subscription; nothing is kept or told from now on."""
        self._closed = True
        for opened in self._channels.values():
            opened.channel.end()
        self._channels.clear()

    def _opened(self, name: str) -> Channel:
        """The channel, which something happens on now."""
        self._expire()
        found = self._channels.get(name)
        if found is None:
            found = self._channels[name] = _Open(Channel(self._most_keys), 0.0)
            if self._closed:
                found.channel.end()
        found.active_s = self._clock()
        self._channels.move_to_end(name)
        return found.channel

    def _expire(self) -> None:
        """Forgets what has been silent for too long; channels are in the order of what happened last."""
        now = self._clock()
        while self._channels:
            name, oldest = next(iter(self._channels.items()))
            if now - oldest.active_s < self._keep_s:
                return
            if oldest.channel.n_subscriptions:
                oldest.active_s = now
                self._channels.move_to_end(name)
            else:
                del self._channels[name]

    def _leave_if_empty(self, name: str) -> None:
        found = self._channels.get(name)
        if found and not found.channel.n_subscriptions and not found.channel.last():
            del self._channels[name]
