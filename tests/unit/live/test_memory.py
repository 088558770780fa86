import asyncio

from sightline.live.memory import MemoryHub


class Clock:
    """Time that passes when told to."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


def test_a_silent_channel_is_forgotten():
    async def told():
        clock = Clock()
        hub = MemoryHub(keep_s=60.0, clock=clock)
        await hub.publish("old", "k", b"1")
        clock.now_s += 59
        await hub.publish("new", "k", b"2")
        assert [m.data for m in await hub.last("old")] == [b"1"]
        clock.now_s += 1
        assert await hub.last("old") == []
        assert [m.data for m in await hub.last("new")] == [b"2"]
        assert hub.n_channels == 1

    asyncio.run(told())


def test_a_channel_that_somebody_listens_to_is_kept_however_silent():
    async def told():
        clock = Clock()
        hub = MemoryHub(keep_s=60.0, clock=clock)
        async with hub.subscribe("c") as subscription:
            clock.now_s += 1000
            await hub.publish("other", "k", b"")
            await hub.publish("c", "k", b"still")
            assert (await anext(subscription)).data == b"still"
            clock.now_s += 1000
        assert [m.data for m in await hub.last("c")] == [b"still"]
        clock.now_s += 60
        assert await hub.last("c") == []

    asyncio.run(told())


def test_channels_with_nothing_to_keep_leave_nothing_behind():
    async def told():
        hub = MemoryHub()
        for number in range(50):
            await hub.publish(f"c{number}", "", b"not keyed")
            async with hub.subscribe(f"c{number}"):
                assert hub.n_channels == 1
        assert hub.n_channels == 0
        await hub.publish("c", "k", b"")
        await hub.forget("c")
        assert hub.n_channels == 0

    asyncio.run(told())


def test_a_channel_keeps_so_many_keys_and_forgets_the_most_silent():
    async def told():
        hub = MemoryHub(most_keys=3)
        for key in ("a", "b", "c", "a", "d"):
            await hub.publish("c", key, key.encode())
        assert [m.key for m in await hub.last("c")] == ["c", "a", "d"]

    asyncio.run(told())
