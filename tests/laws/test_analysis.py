"""Where people went: times and distances that must add up, whoever walks where."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.analysis.heat import added, heat
from sightline.analysis.lines import crossings
from sightline.analysis.meetings import SLOT_S, meetings
from sightline.analysis.movement import movement
from sightline.analysis.paths import GAP_S, Paths, steps
from sightline.analysis.zones import flows, inside, presence, visits
from sightline.errors import OptionError

SQUARE = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]


@st.composite
def walks(draw):
    """A few people who wander about for a while, some of them away in between, as rows in no order."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n = draw(st.integers(0, 120))
    person = rng.integers(1, 5, n)
    t_s = np.cumsum(rng.choice([0.2, 0.5, 5.0], n, p=[0.6, 0.35, 0.05]))
    xy_m = np.cumsum(rng.normal(0, 0.8, (n, 2)), axis=0) + rng.uniform(-3, 12, 2)
    order = rng.permutation(n)
    return Paths.of(person[order], t_s[order], xy_m[order])


def straight(start, end, seconds=10.0, person=1, n=51, begin_s=0.0):
    """One person who walks a straight line."""
    part = np.linspace(0, 1, n)
    xy_m = np.array(start) + part[:, None] * (np.array(end, float) - np.array(start))
    return Paths.of(np.full(n, person), begin_s + part * seconds, xy_m)


def together(*all_paths):
    return Paths.of(*(np.concatenate([getattr(one, name) for one in all_paths]) for name in ("person", "t_s", "xy_m")))


@given(walks())
def test_areas_that_share_the_ground_share_the_time(paths):
    walked = steps(paths)
    far = 1000.0
    halves = [[(-far, -far), (2.5, -far), (2.5, far), (-far, far)], [(2.5, -far), (far, -far), (far, far), (2.5, far)]]
    stays = [visits(walked, half) for half in halves]
    spent_s = sum((one.leave_s - one.enter_s).sum() for one in stays)
    assert spent_s == pytest.approx(walked.lasts_s.sum())
    assert heat(walked, 0.7).seconds.sum() == pytest.approx(walked.lasts_s.sum())
    assert movement(paths, walked).there_s.sum() == pytest.approx(walked.lasts_s.sum())


@given(walks(), st.integers(1, 60))
def test_some_people_at_a_time_are_all_of_them(paths, n_rows):
    pieces = list(paths.in_turn(n_rows))
    assert np.array_equal(together(*pieces).xy_m, paths.xy_m)
    others = [set(piece.person.tolist()) for piece in pieces]
    assert sum(map(len, others)) == len(np.unique(paths.person))
    whole, summed = heat(steps(paths), 0.7), added([heat(steps(piece), 0.7) for piece in pieces], 0.7)
    assert summed.low_m == whole.low_m
    np.testing.assert_allclose(summed.seconds, whole.seconds, atol=1e-9)


@given(walks())
def test_who_went_in_and_not_out_is_in(paths):
    walked = steps(paths, gap_s=1e9)
    passed = crossings(walked, ((2.0, -1e6), (2.0, 1e6)), (5.0, 0.0))
    for person in np.unique(paths.person):
        way = paths.xy_m[paths.person == person, 0]
        mine = passed.is_in[passed.person == person]
        assert int(mine.sum()) - int((~mine).sum()) == int(way[-1] >= 2) - int(way[0] >= 2)


@given(walks(), st.floats(-50, 50), st.floats(0, 6.28))
def test_nothing_depends_on_where_the_map_lies_and_how_it_is_turned(paths, shift, angle):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = Paths.of(paths.person, paths.t_s, paths.xy_m @ turn.T + shift)
    before, after = movement(paths, steps(paths)), movement(moved, steps(moved))
    assert np.allclose(before.distance_m, after.distance_m)
    there = [tuple(np.array(corner) @ turn.T + shift) for corner in [(-5.1, 2.03), (7.2, -4.4), (9.3, 8.8)]]
    stays = [visits(steps(p), c) for p, c in ((paths, [(-5.1, 2.03), (7.2, -4.4), (9.3, 8.8)]), (moved, there))]
    assert np.allclose(stays[0].enter_s, stays[1].enter_s)
    met = [meetings(p, 1.503, 1.0) for p in (paths, moved)]
    assert np.array_equal(met[0].pair, met[1].pair)


@given(walks())
def test_as_many_are_there_as_steps_are_under_way(paths):
    walked = steps(paths)
    edges_s = np.linspace(-1.0, 200.0, 30)
    n = presence(walked.from_s, walked.to_s, edges_s)
    overlap_s = np.minimum(walked.to_s[:, None], edges_s[1:]) - np.maximum(walked.from_s[:, None], edges_s[:-1])
    assert np.allclose(n * np.diff(edges_s), np.maximum(overlap_s, 0).sum(axis=0), atol=1e-6)


@given(walks())
def test_a_meeting_is_mutual_and_as_near_as_was_asked(paths):
    met = meetings(paths, 1.5, 1.0)
    assert (met.pair[:, 0] < met.pair[:, 1]).all()
    assert (met.nearest_m <= 1.5).all()
    assert (met.lasts_s >= 1.0).all()


def test_who_walks_straight_goes_as_far_as_it_is():
    paths = straight((0, 0), (30, 40))
    one = movement(paths, steps(paths))
    assert one.distance_m[0] == pytest.approx(50)
    assert (one.mean_mps[0], one.fastest_mps[0]) == (pytest.approx(5), pytest.approx(5))


def test_time_away_does_not_count():
    paths = together(straight((0, 0), (1, 0)), straight((1, 0), (2, 0), begin_s=100.0))
    walked = steps(paths)
    assert walked.lasts_s.max() <= GAP_S
    one = movement(paths, walked)
    assert (one.there_s[0], one.last_s[0]) == (pytest.approx(20), pytest.approx(110))


def test_a_line_is_passed_between_its_ends_only_and_the_moment_is_told():
    walked = steps(straight((0, 0), (10, 0), n=7))
    through = crossings(walked, ((4.0, -1.0), (4.0, 1.0)), (9.0, 0.0))
    assert through.is_in.tolist() == [True]
    assert through.t_s[0] == pytest.approx(4.0)
    assert not len(crossings(walked, ((4.0, 1.0), (4.0, 3.0)), (9.0, 0.0)).t_s)
    assert crossings(walked, ((4.0, -1.0), (4.0, 1.0)), (0.0, 0.0)).is_in.tolist() == [False]


def test_a_concave_area_is_told_from_its_bay():
    bay = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (5.0, 2.0), (0.0, 10.0)]
    assert inside(np.array([[5.0, 1.0], [5.0, 5.0], [1.0, 5.0], [11.0, 1.0]]), bay).tolist() == [
        True,
        False,
        True,
        False,
    ]


def test_ways_from_area_to_area_are_counted():
    east = [(20.0, 0.0), (30.0, 0.0), (30.0, 10.0), (20.0, 10.0)]
    there = together(
        straight((5, 5), (25, 5)), straight((25, 5), (5, 5), begin_s=10.2), straight((5, 5), (6, 5), person=2)
    )
    stays = [visits(steps(there), zone) for zone in (SQUARE, east)]
    assert flows(stays).tolist() == [[0, 1], [1, 0]]
    assert [len(one.person) for one in stays] == [3, 1]


def test_two_who_walk_side_by_side_meet_once_and_as_long_as_they_walk():
    met = meetings(together(straight((0, 0), (9, 0)), straight((0, 1), (9, 1), person=7)), 1.2, 3.0)
    assert met.pair.tolist() == [[1, 7]]
    assert met.lasts_s[0] == pytest.approx(10.0, abs=2 * SLOT_S)
    assert met.nearest_m[0] == pytest.approx(1.0)
    apart = together(straight((0, 0), (9, 0)), straight((0, 1), (9, 1), person=7, begin_s=50.0))
    assert not len(meetings(apart, 1.2, 1.0).pair)


def test_time_lies_in_the_cell_where_it_was_spent():
    paths = straight((2.3, 7.1), (2.4, 7.2))
    warm = heat(steps(paths), 1.0)
    assert (warm.low_m, warm.seconds.tolist()) == ((2.0, 7.0), [[pytest.approx(10.0)]])


def test_cells_too_small_for_the_ground_are_refused():
    with pytest.raises(OptionError, match="cell_m"):
        heat(steps(straight((0, 0), (9000, 9000))), 0.01)


def test_nobody_is_nowhere():
    nobody = Paths.of(np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 2)))
    walked = steps(nobody)
    assert not len(movement(nobody, walked).person)
    assert not len(visits(walked, SQUARE).person)
    assert heat(walked, 1.0).seconds.size == 0
    assert not len(meetings(nobody, 1.0, 1.0).pair)
