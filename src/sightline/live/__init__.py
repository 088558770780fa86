"""Live messages: said on a channel, heard by all who listen there, the newest of every key kept for who comes late.

A hub never makes a producer wait for a consumer: what a slow reader has not read is replaced by what is newer
(messages of one key), and dropped when it is too much. So messages carry state ("camera 3 is running"), not steps that
must all arrive; what must not be lost belongs in a store.

From a thread: ``asyncio.run_coroutine_threadsafe(hub.publish(...), loop)``.
"""

from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from sightline.errors import StoreError
from sightline.live.channel import Subscription
from sightline.live.mailbox import Message
from sightline.live.memory import MemoryHub

__all__ = ["Hub", "Message", "Subscription", "hub_at"]


@runtime_checkable
class Hub(Protocol):
    """Publish and subscribe. Channels need not be made or removed."""

    async def publish(self, channel: str, key: str, message: bytes) -> None:
        """Hands ``message`` to everybody who listens to ``channel``, and keeps it as the newest of its key.

        Returns soon, whoever is slow and whatever is broken. The empty key means "not keyed": such a message is
        neither kept nor replaced.
        """
        ...

    def subscribe(
        self, channel: str, *, most: int = 64, replay: bool = False
    ) -> AbstractAsyncContextManager[Subscription]:
        """What is said on ``channel`` while the context lasts; at most ``most`` messages wait for the reader.

        Messages of one key come in the order in which they were published. With ``replay`` the newest message of
        every key comes first, without a gap or a message twice between it and what follows.

        Raises:
            StoreError: the hub is somewhere else and cannot be reached.
        """
        ...

    async def last(self, channel: str) -> list[Message]:
        """The newest message of every key, the newest of all at the end; none after an hour of silence.

        Raises:
            StoreError: the hub is somewhere else and cannot be reached.
        """
        ...

    async def forget(self, channel: str) -> None:
        """Keeps nothing of what was said on ``channel``; who listens goes on listening. Never raises."""
        ...

    async def ping(self) -> None:
        """Returns if the hub works.

        Raises:
            StoreError: it is somewhere else and cannot be reached; with what to look at.
        """
        ...

    async def close(self) -> None:
        """Ends every subscription after what is waiting; what is published from now on goes nowhere."""
        ...


def hub_at(url: str | None) -> Hub:
    """The hub at ``url``: this process (None, ``memory://``) or Redis (``redis://``, ``rediss://``, ``unix://``).

    Nothing is connected yet; ``ping`` tells whether it can be.

    Raises:
        StoreError: there is no hub of that kind, or the URL has a fault.
    """
    if url is None or url == "memory://":
        return MemoryHub()
    if url.startswith(("redis://", "rediss://", "unix://")):
        from sightline.live.redis import RedisHub  # noqa: PLC0415 - a tenth of a second that only its users should pay

        return RedisHub(url)
    raise StoreError("the URL of the live hub starts with none of memory://, redis://, rediss://, unix://")
