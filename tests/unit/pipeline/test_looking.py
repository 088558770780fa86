"""When it is looked at whom."""

import numpy as np

from sightline.embedders.colour import Colour
from sightline.model.frame import Frame, Moment
from sightline.model.tracks import Tracks
from sightline.pipeline.looking import Looking

FREE, FRONT, BEHIND = [20.0, 20, 60, 120], [100.0, 30, 140, 130], [104.0, 20, 144, 120]


def frame(t_s):
    checks = np.indices((200, 200)).sum(axis=0) // 4 % 2
    return Frame(
        Moment(camera="gate", index=round(10 * t_s), t_s=t_s), (checks[:, :, None] * [200, 90, 40]).astype(np.uint8)
    )


def tracks(t_s, *boxes):
    n = len(boxes)
    index, zero = np.full(n, round(10 * t_s)), np.zeros(n, np.int64)
    return Tracks(
        "gate", index, np.full(n, t_s), np.arange(1, n + 1), np.array(boxes).reshape(-1, 4), np.ones(n), zero, zero
    )


def looked(looking, t_s, *boxes):
    return np.isfinite(looking.looks(frame(t_s), tracks(t_s, *boxes))).all(axis=1).tolist()


def test_everybody_is_looked_at_twice_a_second():
    looking = Looking(Colour())
    assert [looked(looking, t_s, FREE) for t_s in (0.0, 0.2, 0.4, 0.6, 0.8, 1.2)] == [[x] for x in (1, 0, 0, 1, 0, 1)]


def test_who_is_hidden_is_looked_at_as_soon_as_that_is_over():
    looking = Looking(Colour())
    assert looked(looking, 0.0, FRONT, BEHIND) == [True, False]
    assert looked(looking, 0.1, FRONT, FREE) == [False, True]


def test_small_boxes_are_looked_at_and_tiny_ones_are_not():
    assert looked(Looking(Colour()), 0.0, [20.0, 20, 38, 60], [100.0, 20, 109, 40]) == [True, False]


def test_boxes_are_looked_at_whatever_they_show_where_that_is_asked():
    assert looked(Looking(Colour(), least_worth=0.0), 0.0, FRONT, BEHIND) == [True, True]


def test_nobody_gives_no_looks():
    assert Looking(Colour()).looks(frame(0.0), tracks(0.0)).shape == (0, 108)
