from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.live.mailbox import Mailbox, Message

KEYS = st.sampled_from(["", "a", "b", "c"])
STEPS = st.lists(st.one_of(KEYS, st.none()), max_size=80)
"""Put a message of that key, or take one (None)."""


def played(steps, most):
    """What was put and what was taken, each with its number, and the mailbox."""
    mailbox, put, taken = Mailbox(most), [], []
    for number, key in enumerate(steps):
        if key is None:
            taken += [mailbox.take()] if len(mailbox) else []
        else:
            put.append(Message(key, str(number).encode()))
            mailbox.put(put[-1])
        assert len(mailbox) <= most
    return put, taken, mailbox


def rest_of(mailbox):
    return [mailbox.take() for _ in range(len(mailbox))]


@given(STEPS, st.integers(1, 9))
def test_messages_of_one_key_are_read_in_their_order(steps, most):
    put, taken, mailbox = played(steps, most)
    read = taken + rest_of(mailbox)
    for key in ("", "a", "b", "c"):
        numbers = [int(message.data) for message in read if message.key == key]
        assert numbers == sorted(set(numbers))
    assert set(read) <= set(put)


@given(STEPS)
def test_with_room_enough_the_newest_of_every_key_and_all_without_a_key_arrive(steps):
    put, taken, mailbox = played(steps, 100)
    read = taken + rest_of(mailbox)
    newest = {message.key: message for message in put if message.key}
    assert set(newest.values()) <= set(read)
    assert [m for m in read if not m.key] == [m for m in put if not m.key]
    assert mailbox.n_dropped == 0


@given(STEPS, st.integers(1, 9))
def test_what_was_put_is_read_replaced_or_counted_as_dropped(steps, most):
    put, taken, mailbox = played(steps, most)
    n_dropped, read = mailbox.n_dropped, taken + rest_of(mailbox)
    assert len(read) + n_dropped <= len(put)
    unkeyed = Counter(bool(message.key) for message in put)[False]
    if unkeyed == len(put):
        assert len(read) + n_dropped == len(put)


@given(st.integers(1, 9), st.integers(0, 30))
def test_too_many_push_out_the_oldest(most, n):
    put, _, mailbox = played([""] * n, most)
    assert mailbox.n_dropped == max(n - most, 0)
    assert rest_of(mailbox) == put[-most:]


@given(st.integers(1, 12), st.integers(1, 40))
def test_a_slow_reader_gets_all_keys_in_turn(n_keys, n_rounds):
    mailbox = Mailbox(n_keys)
    turns = []
    for number in range(n_rounds):
        for key in range(n_keys):
            mailbox.put(Message(f"k{key}", str(number).encode()))
        turns.append(mailbox.take().key)
    counts = Counter(turns)
    assert max(counts.values()) - min(counts[f"k{key}"] for key in range(n_keys)) <= 1


def test_a_newer_message_takes_the_place_of_the_waiting_one():
    mailbox = Mailbox(3)
    for key, data in [("a", b"old"), ("b", b"1"), ("", b"2"), ("a", b"new")]:
        mailbox.put(Message(key, data))
    assert [m.data for m in rest_of(mailbox)] == [b"new", b"1", b"2"]
    assert mailbox.n_dropped == 0


def test_room_can_be_made_but_not_taken_away():
    mailbox = Mailbox(2)
    mailbox.make_room(4)
    mailbox.make_room(1)
    for number in range(5):
        mailbox.put(Message(str(number), b""))
    assert (len(mailbox), mailbox.n_dropped) == (4, 1)


def test_an_empty_mailbox_gives_nothing():
    assert Mailbox(1).take() is None


@pytest.mark.parametrize("most", [0, -1])
def test_a_mailbox_without_room_is_refused(most):
    with pytest.raises(ValueError, match="at least 1"):
        Mailbox(most)
