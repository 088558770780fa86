from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.sources.grid import sampling


def taken(times, grid="start", fps=None, *, end=None, **options):
    span = sampling(grid, None if fps is None else float(fps), **options)
    verdicts = [v for t in times for v in span.offer(Fraction(t), t)]
    verdicts += span.close(Fraction(end if end is not None else times[-1]))
    assert [t for t, _ in verdicts] == list(times)
    return [t for t, is_taken in verdicts if is_taken]


NTSC = [Fraction(1001 * i, 30_000) for i in range(900)]


@pytest.mark.parametrize("grid", ["start", "ffmpeg"])
def test_ntsc_video_sampled_at_5_gives_exactly_5_in_each_second(grid):
    times = taken(NTSC, grid, 5, end=Fraction(1001 * 900, 30_000))
    offset = 0 if grid == "start" else Fraction(1, 10)
    for second in range(30):
        assert sum(second <= t + offset < second + 1 for t in times) == 5


def test_without_a_rate_everything_is_taken():
    assert taken(NTSC) == NTSC


def test_the_grid_of_ffmpeg_is_the_last_of_each_rounded_slot():
    times = [Fraction(i, 30) for i in range(1800)]
    assert [t * 30 for t in taken(times, "ffmpeg", 5, end=60)][:3] == [2, 8, 14]
    one = taken(times, "ffmpeg", 1, end=60)
    assert [t * 30 for t in one][:2] == [14, 44]
    assert len(one) == 60


def test_a_gap_repeats_nothing():
    times = [0, Fraction(1, 10), Fraction(21, 10), Fraction(22, 10), 3]
    assert taken(times, "start", 1) == [0, Fraction(21, 10), 3]
    assert taken(times, "ffmpeg", 1, end=4) == [Fraction(1, 10), Fraction(22, 10), 3]


def test_milliseconds_rounded_down_still_meet_the_grid():
    times = [Fraction(round(i * 1000 / 30), 1000) for i in range(90)]
    picked = taken(times, "start", 3, tick=Fraction(1, 1000))
    assert [times.index(t) for t in picked] == list(range(0, 90, 10))


def test_a_span_counts_from_its_start_and_ends_before_its_end():
    times = [Fraction(i, 10) for i in range(100)]
    assert taken(times, "start", 1, start_s=2.5, end_s=5.5) == [Fraction(5, 2), Fraction(7, 2), Fraction(9, 2)]
    assert taken(times, start_s=1.0, end_s=1.2) == [1, Fraction(11, 10)]


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=60, unique=True).map(sorted),
    st.sampled_from([0.5, 1, 3, 7.5, 25]),
    st.sampled_from(["start", "ffmpeg"]),
)
def test_no_slot_gives_two_and_no_slot_with_pictures_gives_none(ms, fps, grid):
    times = [Fraction(t, 1000) for t in ms]
    half = Fraction(1, 2) if grid == "ffmpeg" else 0
    slots = [int(t * Fraction(fps) + half) for t in times]
    picked = [int(t * Fraction(fps) + half) for t in taken(times, grid, fps, end=100)]
    assert picked == sorted(set(slots))
