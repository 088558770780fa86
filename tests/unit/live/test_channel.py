import asyncio

import pytest

from sightline.live.channel import Channel
from sightline.live.mailbox import Message


def test_two_tasks_cannot_share_a_subscription():
    async def told():
        channel = Channel(9)
        with channel.subscribed(4, replay=False) as subscription:
            first = asyncio.ensure_future(anext(subscription))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="subscribe once for each"):
                await anext(subscription)
            channel.say(Message("k", b"1"))
            assert (await first).data == b"1"

    asyncio.run(told())


def test_what_another_keeper_knows_replaces_what_was_kept_and_is_told():
    async def told():
        channel = Channel(9)
        channel.say(Message("gone", b"0"))
        with channel.subscribed(1, replay=False) as subscription:
            channel.restore([Message("a", b"1"), Message("b", b"2")])
            assert [(await anext(subscription)).key for _ in range(2)] == ["a", "b"]
        assert [message.key for message in channel.last()] == ["a", "b"]

    asyncio.run(told())


def test_a_subscription_that_was_left_ends():
    async def told():
        channel = Channel(9)
        with channel.subscribed(4, replay=False) as subscription:
            channel.say(Message("k", b"1"))
        channel.say(Message("k", b"2"))
        assert [message.data async for message in subscription] == [b"1"]
        assert channel.n_subscriptions == 0

    asyncio.run(told())


def test_how_things_stand_can_be_taken_before_anything_is_newer():
    async def told():
        channel = Channel(9)
        channel.say(Message("a", b"1"))
        channel.say(Message("b", b"2"))
        with channel.subscribed(4, replay=True) as subscription:
            assert [message.key for message in subscription.taken()] == ["a", "b"]
            assert subscription.taken() == []
            channel.say(Message("a", b"3"))
            assert (await anext(subscription)).data == b"3"

    asyncio.run(told())
