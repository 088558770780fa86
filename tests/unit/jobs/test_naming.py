"""Which numbers settled identities have: those that were said at once, wherever that can be."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.jobs.sites.naming import homes, lasting


def counts(*rows):
    return np.array(rows, np.int64).reshape(-1, 3)


PAIRS = st.dictionaries(st.tuples(st.integers(1, 9), st.integers(1, 9)), st.integers(1, 6), max_size=30)


@given(pairs=PAIRS)
def test_a_number_never_means_somebody_else_than_whom_it_mostly_meant(pairs):
    told = counts(*((said, settled, n) for (said, settled), n in pairs.items()))
    number = lasting(told, 9, 9)
    home = {said: settled for said, settled, _ in homes(told).tolist()}
    assert len(set(number.tolist())) == 9
    for settled, one in enumerate(number.tolist(), 1):
        assert home[one] == settled if one <= 9 else settled not in home.values()
    assert sorted(number[number > 9].tolist()) == list(range(10, 10 + (number > 9).sum()))


@given(order=st.permutations(range(1, 7)))
def test_who_was_never_mistaken_keeps_the_number(order):
    told = counts(*((said, settled, 5) for settled, said in enumerate(order, 1)))
    assert lasting(told, 6, 6).tolist() == order


def test_of_several_numbers_of_one_person_the_most_said_stays():
    assert lasting(counts((1, 1, 20), (2, 1, 50), (3, 2, 10)), 3, 2).tolist() == [2, 3]


def test_of_one_number_of_several_people_the_most_seen_keeps_it():
    assert lasting(counts((1, 1, 20), (1, 2, 50)), 4, 2).tolist() == [5, 1]


def test_a_number_is_not_handed_on_to_whom_it_meant_less_often():
    """1 mostly meant A, and A goes on as 2; that B was called 1 now and then does not make B number 1."""
    assert lasting(counts((1, 1, 10), (2, 1, 12), (1, 2, 9)), 2, 2).tolist() == [2, 3]


def test_where_nothing_was_said_numbers_count_from_1():
    assert lasting(counts(), 0, 3).tolist() == [1, 2, 3]
