"""What only Redis can do to a hub: be away, be wrong, be shared, hang."""

import asyncio
import logging
import time

import pytest
import redis

from sightline.errors import StoreError
from sightline.live.redis import RedisHub

from .hubs import RedisServer, looped, opened, published, read, read_until, said, until_async


@pytest.fixture
def server(tmp_path):
    """A Redis of the test's own, to be killed and started."""
    own = RedisServer(tmp_path)
    own.start()
    yield own
    own.kill()


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
