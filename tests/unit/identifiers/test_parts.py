"""Long recordings, looked at in parts."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.identifiers.ground import Ground
from sightline.identifiers.parts import OVERLAP_S, PART_S, linked, parts
from sightline.model.identities import Sightings


@given(first_s=st.floats(-1e5, 1e5), length_s=st.floats(0, 1e5))
def test_every_moment_counts_in_one_part_that_holds_it(first_s, length_s):
    every = list(parts(first_s, first_s + length_s))
    t_s = np.linspace(first_s, first_s + length_s, 500)
    counts = np.array([part.counts(t_s) for part in every])
    assert (counts.sum(axis=0) == 1).all()
    assert all(part.holds(t_s)[mine].all() for part, mine in zip(every, counts, strict=True))
    assert max(part.end_s - part.begin_s for part in every) <= PART_S + 1e-6
    assert all(a.end_s - b.begin_s >= OVERLAP_S - 1e-6 for a, b in pairwise(every))


NUMBERS = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=60)


@given(pairs=NUMBERS)
def test_no_two_become_one_and_new_ones_have_new_numbers(pairs):
    before, after = np.array(pairs, np.int64).reshape(-1, 2).T
    name = linked(before, after, 6, 7)
    assert len(set(name.tolist())) == 7
    assert name[0] == 0
    assert set(name[1:].tolist()) <= set(range(1, 13))


def test_a_number_goes_on_where_most_of_its_sightings_do():
    before = np.array([1, 1, 1, 2, 2, -1, 3])
    after = np.array([2, 2, 1, 1, 1, 3, -1])
    assert linked(before, after, 4, 4).tolist() == [0, 2, 1, 4, 5]


def test_who_stays_longer_than_a_part_is_one_and_who_comes_later_is_another():
    t_s = np.arange(0, 3000, 5.0)
    who = np.repeat(np.arange(4), len(t_s))
    t_s = np.tile(t_s, 4)
    there = (who < 2) | ((who == 2) & (t_s < 1000)) | ((who == 3) & (t_s > 2700))
    who, t_s = np.tile(who[there], 2), np.tile(t_s[there], 2)
    camera, n = np.repeat([0, 1], there.sum()), len(who)
    rng = np.random.default_rng(0)
    xy_m = np.column_stack([3.0 * who, np.zeros(n)]) + rng.normal(0, 0.1, (n, 2))
    seen = Sightings(
        ("a", "b"), camera, t_s, np.full(n, -1), xy_m, np.tile(0.01 * np.eye(2), (n, 1, 1)), np.ones(n, bool),
        np.zeros((n, 0)), np.full((n, 4), np.nan),
    )  # fmt: skip
    found = Ground().identify(seen)
    of = [found.number[who == k] for k in range(4)]
    names = [int(np.bincount(number[number > 0]).argmax()) for number in of]
    assert sorted(names) == [1, 2, 3, 4]
    assert names[3] == 4  # by first appearance
    assert all(np.isin(number, [name, -1]).all() for number, name in zip(of, names, strict=True))
    assert (found.number == -1).mean() < 0.01
    assert set(found.paths.number.tolist()) == {1, 2, 3, 4}
    stays = found.paths.t_s[found.paths.number == names[0]]
    assert (np.diff(stays) > 0).all()
    assert (stays[0], stays[-1]) == (0, 2995)
