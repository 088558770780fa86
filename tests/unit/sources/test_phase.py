"""The grid that leans on keyframes, offered made-up times."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.sources.phase import Aligned


def taken(fps, rate, n, keys, jitter=lambda i: 0):
    """(time, is keyframe) of the pictures taken; ``keys(i)``: whether picture i is a keyframe."""
    grid = Aligned(Fraction(fps), Fraction(0), is_keyframe=lambda item: item[1])
    out = []
    for i in range(n):
        t = Fraction(i) / Fraction(rate) + (Fraction(jitter(i)) if i else 0)
        out += [item for item, is_taken in grid.offer(t, (t, keys(i))) if is_taken]
    return out


def share(pictures):
    return sum(is_key for _, is_key in pictures) / len(pictures)


@pytest.mark.parametrize(
    ("rate", "n"), [(30, 3000), ("29.97", 33_000), ("30.03", 33_000), ("29.8", 9000), ("30.2", 9000)]
)
def test_a_keyframe_per_step_means_keyframes_only_even_where_they_drift(rate, n):
    """So many pictures that keyframes drift once through all phases of the grid."""
    pictures = taken(1, rate, n, lambda i: i % 30 == 0)
    assert share(pictures[4:]) > 0.97
    assert len(pictures) >= n / Fraction(rate) - 1


@pytest.mark.parametrize(("rate", "n"), [(25, 3000), ("24.95", 27_000), ("25.05", 27_000)])
def test_every_other_is_a_keyframe_where_they_are_two_steps_apart(rate, n):
    pictures = taken(1, rate, n, lambda i: i % 50 == 0)
    assert 0.48 <= share(pictures[8:]) <= 0.52
    assert len(pictures) >= n / Fraction(rate) - 1


@pytest.mark.parametrize("rate", [25, "24.95", "25.05"])
def test_keyframes_only_where_there_are_several_per_step(rate):
    pictures = taken(1, rate, 6000, lambda i: i % 5 == 0)
    assert share(pictures[4:]) > 0.95
    assert 6000 / Fraction(rate) - 1 <= len(pictures) <= 1.01 * 6000 / 25


def test_a_phase_that_lies_between_keyframes_is_left():
    pictures = taken(1, 30, 3000, lambda i: i in {0, 10} or i % 30 == 17)
    assert share(pictures[8:]) == 1


def test_where_keyframes_do_not_fit_it_is_the_plain_grid():
    pictures = taken(1, 30, 3000, lambda i: i % 25 == 0)
    assert [t for t, _ in pictures] == list(range(100))


def test_a_pause_of_the_stream_is_not_made_up_for():
    pictures = taken(1, 30, 600, lambda i: i % 30 == 0, jitter=lambda i: 100 if i >= 300 else 0)
    assert len(pictures) == 20


@settings(deadline=None, max_examples=60)
@given(
    fps=st.sampled_from(["0.5", "1", "2", "5", "7.5"]),
    rate=st.fractions(12, 60, max_denominator=50),
    gop=st.integers(1, 120),
    cut=st.integers(1, 400),
    shake=st.lists(st.fractions(-1, 1, max_denominator=9), min_size=8, max_size=8),
)
def test_pictures_come_evenly_and_never_fewer_than_due(fps, rate, gop, cut, shake):
    def keys(i):
        return (i % gop == 0) if i < cut else ((i - cut) % gop == 0)

    pictures = taken(fps, rate, 900, keys, jitter=lambda i: shake[i % 8] / 5 / rate)
    times = [t for t, _ in pictures]
    step, frame = 1 / Fraction(fps), Fraction("1.4") / rate
    assert all(b - a <= step * Fraction(5, 4) + frame for a, b in pairwise(times))
    for k, t in enumerate(times):
        assert t <= k * step + step / 4 + frame * (k + 1 if step < 2 * frame else 1)
