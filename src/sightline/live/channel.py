"""One channel inside this process: who listens, and the newest message of every key."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import final

from sightline.live.mailbox import Mailbox, Message


@final
class Subscription:
    """Messages as they come, for one reader: ``async for message in subscription``.

    Ends when the hub is closed, after what was waiting. Giving up on a message (a timeout, a cancelled task)
    loses none.
    """

    __slots__ = ("_ended", "_mailbox", "_waiting")

    def __init__(self, most: int) -> None:
        self._mailbox = Mailbox(most)
        self._waiting: asyncio.Future[None] | None = None
        self._ended = False

    @property
    def n_dropped(self) -> int:
        """Messages lost so far because this reader was too slow."""
        return self._mailbox.n_dropped

    def put(self, message: Message) -> None:
        """Lets a message wait for the reader."""
        self._mailbox.put(message)
        if self._waiting is not None:
            self._wake()

    def put_state(self, state: list[Message]) -> None:
        """Lets the newest message of every key wait, all of them however many."""
        self._mailbox.make_room(len(state))
        for message in state:
            self.put(message)

    def taken(self) -> list[Message]:
        """All that waits now, without waiting for more: after a replay, how things stand, before anything is newer."""
        return list(iter(self._mailbox.take, None))

    def end(self) -> None:
        """Nothing more will come."""
        self._ended = True
        self._wake()

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        while True:
            message = self._mailbox.take()
            if message is not None:
                return message
            if self._ended:
                raise StopAsyncIteration
            if self._waiting is not None:
                raise RuntimeError("two tasks read from one subscription; subscribe once for each")
            waiting = self._waiting = asyncio.get_running_loop().create_future()
            try:
                await waiting
            finally:
                if self._waiting is waiting:
                    self._waiting = None

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


@final
class Channel:
    """Hands what is said to all who listen, and keeps the newest message of every key.

    ``most_keys`` bounds what is kept: beyond it, the key that was silent for longest is forgotten.
    """

    __slots__ = ("_ended", "_last", "_most_keys", "_subscriptions")

    def __init__(self, most_keys: int) -> None:
        self._most_keys = most_keys
        self._last: OrderedDict[str, Message] = OrderedDict()
        self._subscriptions: dict[Subscription, None] = {}
        self._ended = False

    @property
    def n_subscriptions(self) -> int:
        """How many listen."""
        return len(self._subscriptions)

    def say(self, message: Message) -> None:
        """To everybody; waits for nobody."""
        if message.key:
            self._keep(message)
        for subscription in self._subscriptions:
            subscription.put(message)

    def last(self) -> list[Message]:
        """The newest message of every key, the newest of all at the end."""
        return list(self._last.values())

    def forget(self) -> None:
        """Keeps nothing of what was said; who listens goes on listening."""
        self._last.clear()

    def restore(self, state: Iterable[Message]) -> None:
        """Takes over what another keeper of this channel knows, and tells everybody who listens."""
        self._last.clear()
        for message in state:
            self._keep(message)
        for subscription in self._subscriptions:
            subscription.put_state(self.last())

    @contextmanager
    def subscribed(self, most: int, *, replay: bool) -> Iterator[Subscription]:
        """A subscription for as long as this lasts.

        Nothing runs between the replay and the start, so between the two nothing is missed or said twice.
        """
        subscription = Subscription(most)
        if replay:
            subscription.put_state(self.last())
        self._subscriptions[subscription] = None
        if self._ended:
            subscription.end()
        try:
            yield subscription
        finally:
            self._subscriptions.pop(subscription, None)
            subscription.end()

    def end(self) -> None:
        """Ends every subscription, those to come too."""
        self._ended = True
        for subscription in self._subscriptions:
            subscription.end()

    def _keep(self, message: Message) -> None:
        self._last[message.key] = message
        self._last.move_to_end(message.key)
        if len(self._last) > self._most_keys:
            self._last.popitem(last=False)
