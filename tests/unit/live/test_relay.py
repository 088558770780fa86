"""What a worker says reaches who listens at the server, and nobody waits when somebody is missing."""

import asyncio
import stat

import pytest

from sightline.errors import StoreError
from sightline.live.memory import MemoryHub
from sightline.live.publisher import publisher
from sightline.live.relay import relay_path, relayed


def talk(path, words, channel="tracking"):
    with publisher(channel, redis_url=None, relay=path) as to_all:
        for key, data in words:
            to_all.say(key, data)


async def heard(subscription, n):
    async with asyncio.timeout(10):
        return [await anext(subscription) for _ in range(n)]


def test_messages_of_a_worker_are_heard_at_the_server(tmp_path):
    async def main():
        hub, path = MemoryHub(), relay_path(tmp_path)
        async with relayed(path, hub), hub.subscribe("tracking") as messages:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            words = [(f"camera {i}", bytes([i]) * 100_000) for i in range(20)]
            await asyncio.to_thread(talk, path, words)
            assert [(one.key, one.data) for one in await heard(messages, 20)] == words
        assert not path.exists()

    asyncio.run(main())


def test_a_worker_without_a_server_goes_on_and_is_heard_when_one_comes(tmp_path):
    async def main():
        hub, path = MemoryHub(), relay_path(tmp_path)
        await asyncio.to_thread(talk, path, [("lost", b"")] * 1000)
        with publisher("tracking", redis_url=None, relay=path) as to_all:
            to_all.say("early", b"perhaps lost")
            async with relayed(path, hub), hub.subscribe("tracking") as messages:
                while not await hub.last("tracking"):
                    to_all.say("state", b"now")
                    await asyncio.sleep(0.05)
                async with asyncio.timeout(10):
                    while (await anext(messages)).data != b"now":
                        to_all.say("state", b"now")
            to_all.say("late", b"")

    asyncio.run(main())


def test_a_socket_left_by_a_server_that_was_killed_is_no_hindrance(tmp_path):
    async def main():
        path = relay_path(tmp_path)
        server = await asyncio.start_unix_server(lambda *_: None, str(path))
        server.close()
        assert path.exists()
        async with relayed(path, MemoryHub()):
            with pytest.raises(StoreError, match="another server"):
                async with relayed(path, MemoryHub()):
                    pass

    asyncio.run(main())


def test_nonsense_ends_that_connection_only(tmp_path):
    async def main():
        hub, path = MemoryHub(), relay_path(tmp_path)
        async with relayed(path, hub):
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(b"\xff" * 64)
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
            await asyncio.to_thread(talk, path, [("a", b"b")])
            async with asyncio.timeout(10):
                while not (last := await hub.last("tracking")):
                    await asyncio.sleep(0.01)
            assert [one.data for one in last] == [b"b"]

    asyncio.run(main())


def test_long_folders_have_a_socket_too(tmp_path):
    path = relay_path(tmp_path / ("long" * 40))
    assert len(str(path)) < 108
    assert path != relay_path(tmp_path / ("long" * 41))
