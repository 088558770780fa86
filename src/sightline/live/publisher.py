"""Live messages from code that waits for nobody and runs no event loop: a worker in the middle of a video."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, final

from sightline.live.mailbox import Mailbox, Message
from sightline.live.relay import Publishing, RelayedHub

_MOST: Final = 512
"""Messages that wait at most; more, and those of one key replace each other anyway."""
_LAST_S: Final = 2.0
"""How long what was said last may take to get out."""


@final
class Publisher:
    """Says messages on one channel, in a thread of its own; ``say`` returns at once, whatever is slow or broken."""

    def __init__(self, channel: str, way: Publishing, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self._channel, self._way, self._loop = channel, way, loop
        self._waiting, self._lock = Mailbox(most), threading.Lock()
        self._news = asyncio.Event()
        self._is_over = False

    def say(self, key: str, data: bytes) -> None:
        """Says ``data``; a newer message of the same key may go in its place. The empty key: it stands for itself."""
        with self._lock:
            self._waiting.put(Message(key, data))
        self._loop.call_soon_threadsafe(self._news.set)

    def end(self) -> None:
        """What waits is still said; nothing after that."""
        self._is_over = True
        self._loop.call_soon_threadsafe(self._news.set)

    async def run(self) -> None:
        """Hands on what is said, until ``end``."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                while (message := self._taken()) is not None:
                    await self._way.publish(self._channel, message.key, message.data)
                if self._is_over:
                    return
        finally:
            await self._way.close()

    def _taken(self) -> Message | None:
        with self._lock:
            return self._waiting.take()


@contextmanager
def publisher(channel: str, *, redis_url: str | None, relay: Path, most: int = _MOST) -> Iterator[Publisher]:
    """Says messages on a channel while the context lasts: through Redis where there is one, else to the server here.

    ``most`` wait at most: give less where they are large.
    """
    way: Publishing
    if redis_url is not None:
        from sightline.live.redis import RedisHub  # noqa: PLC0415 - a tenth of a second that only its users should pay

        way = RedisHub(redis_url)
    else:
        way = RelayedHub(relay)
    loop = asyncio.new_event_loop()
    said = Publisher(channel, way, loop, most)
    thread = threading.Thread(target=loop.run_until_complete, args=(said.run(),), name="live", daemon=True)
    thread.start()
    try:
        yield said
    finally:
        said.end()
        thread.join(_LAST_S)
        if not thread.is_alive():
            loop.close()
