"""Where people went, just at the edges: pauses of a meeting, a single leap, the borders that areas share."""

import numpy as np

from sightline.analysis.meetings import meetings
from sightline.analysis.movement import movement
from sightline.analysis.paths import Paths, steps
from sightline.analysis.zones import inside


def side_by_side(away_s):
    """Two who are near each other for five seconds, apart for a while, and near again."""
    t_s = np.arange(0.25, 10.0 + away_s, 0.5)
    is_away = (t_s > 5) & (t_s < 5 + away_s)
    ours = np.stack([t_s, np.zeros(len(t_s))], axis=1)
    theirs = ours + np.stack([np.zeros(len(t_s)), np.where(is_away, 9.0, 1.0)], axis=1)
    return Paths.of(np.repeat([1, 7], len(t_s)), np.tile(t_s, 2), np.concatenate([ours, theirs]))


def test_two_who_part_for_a_moment_meet_once_and_for_longer_twice():
    assert meetings(side_by_side(1.5), 1.2, 1.0).lasts_s.tolist() == [10.0]  # the pause left out
    assert meetings(side_by_side(3.0), 1.2, 1.0).lasts_s.tolist() == [5.0, 5.0]


def test_a_single_leap_is_not_how_fast_somebody_is_but_running_for_a_while_is():
    def fastest(speeds_mps):
        x = np.concatenate([[0.0], np.cumsum(speeds_mps)])
        paths = Paths.of(np.ones(len(x), np.int64), np.arange(len(x), dtype=float), np.stack([x, 0 * x], axis=1))
        return movement(paths, steps(paths)).fastest_mps[0]

    assert fastest([1.0] * 20 + [30.0] + [1.0] * 20) == 1.0
    assert fastest([1.0] * 36 + [4.0] * 4) == 4.0


def test_whoever_stands_on_a_border_is_in_one_of_the_areas_that_share_it():
    squares = [[(x, y), (x + 2.0, y), (x + 2.0, y + 2.0), (x, y + 2.0)] for x in (-2.0, 0.0) for y in (-2.0, 0.0)]
    across = np.array([(x, y) for x in (-1.0, 0.0, 1.0) for y in (-1.0, 0.0, 1.0)])
    assert sum(inside(across, square).astype(int) for square in squares).tolist() == [1] * 9
    diamond = [(0.0, -2.0), (2.0, 0.0), (0.0, 2.0), (-2.0, 0.0)]  # rays from its middle meet a corner
    assert inside(np.array([[0.0, 0.0], [-1.0, 0.0], [-3.0, 0.0], [3.0, 0.0]]), diamond).tolist() == [
        True,
        True,
        False,
        False,
    ]
