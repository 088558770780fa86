"""What waits for one reader: bounded, the newest of every key, never a reason for anybody else to wait."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import final


@dataclass(frozen=True, slots=True)
class Message:
    """Something said on a channel; the same bytes go to everybody."""

    key: str
    """What it is about: a newer message of the same key makes this one worthless. Empty: it stands for itself."""
    data: bytes
    """The message, encoded."""


@final
class Mailbox:
    """At most so many messages, in the order in which they will be read.

    A message whose key is waiting takes the place of the waiting one rather than going to the end: who reads slowly
    then gets all keys in turn. At the end, a key that is renewed faster than it is read would never have its turn.
    The price is that messages of *different* keys may change their order; those of one key never do.
    A message too many pushes out the one that would have been read next.
    """

    __slots__ = ("_most", "_n_unkeyed", "_waiting", "n_dropped")

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError(f"a mailbox for {most} messages; it needs room for at least 1")
        self._most = most
        self._waiting: OrderedDict[str | int, Message] = OrderedDict()
        self._n_unkeyed = 0
        self.n_dropped = 0
        """Messages pushed out so far. Those replaced by a newer one of their key are not counted: nothing was lost."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: Message) -> None:
        """Lets ``message`` wait; never refuses."""
        place: str | int = message.key
        if not place:
            self._n_unkeyed = place = self._n_unkeyed + 1
        self._waiting[place] = message
        if len(self._waiting) > self._most:
            self._waiting.popitem(last=False)
            self.n_dropped += 1

    def take(self) -> Message | None:
        """The next message, which then waits no more; None if there is none."""
        return self._waiting.popitem(last=False)[1] if self._waiting else None

    def make_room(self, n: int) -> None:
        """Room for ``n`` messages at least, from now on: a state that is replayed must fit, however large."""
        self._most = max(self._most, n)
