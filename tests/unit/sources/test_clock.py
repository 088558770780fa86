import itertools
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from sightline.sources.clock import Clock


def times(stamps, **options):
    clock = Clock(Fraction(1, 1000), Fraction(1, 25), **options)
    return [float(clock.next(pts, index)) for index, pts in enumerate(stamps)]


def test_it_counts_from_the_first_timestamp():
    assert times([6000, 6040, 6100]) == [0, 0.04, 0.1]


def test_a_missing_timestamp_is_one_step_after_the_one_before():
    assert times([0, None, 80]) == [0, 0.04, 0.08]
    assert times([None, 40, 80]) == [0, 0.04, 0.08]


def test_a_repeated_timestamp_is_half_a_step_after():
    assert times([0, 40, 40, 80]) == [0, 0.04, 0.06, 0.08]


def test_a_clock_that_starts_again_goes_on():
    assert times([0, 40, 5000, 0, 40]) == [0, 0.04, 5.0, 5.04, 5.08]


def test_assumed_times_look_at_no_timestamp():
    assert times([0, 7, 7], is_assumed=True) == [0, 0.04, 0.08]


@given(st.lists(st.none() | st.integers(-(10**9), 10**9), max_size=50))
def test_times_rise_strictly_whatever_comes(stamps):
    risen = times(stamps)
    assert all(a < b for a, b in itertools.pairwise(risen))
    assert not risen or risen[0] == 0
