"""Every hub: what it promises, wherever it is."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from sightline.live import Hub

from .hubs import PATIENCE_S, looped, opened, read, read_until, said, until_async


@pytest.fixture(params=["memory", "redis"])
def url(request):
    return "memory://" if request.param == "memory" else request.getfixturevalue("shared_server").url


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
