"""Frames of a video that make a scene."""

import weakref

import cv2
import numpy as np
import pytest

from sightline.model.frame import Frame, Moment
from sightline.reconstructors.choosing import chosen


def pan(n, step, blurred=lambda _: False, fps=10.0, by=9):
    """A camera that slides along a patterned wall, some frames blurred."""
    wall = np.random.default_rng(3).integers(0, 255, (40, 400, 3)).astype(np.uint8)
    wall = cv2.resize(wall, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    for k in range(n):
        rgb = np.ascontiguousarray(wall[:, round(k * step) : round(k * step) + 480])
        yield Frame(Moment("c", k, k / fps), cv2.blur(rgb, (by, 1)) if blurred(k) else rgb)


def indices(frames):
    return [frame.moment.index for frame in frames]


def test_a_camera_at_rest_gives_one_frame():
    assert indices(chosen(pan(40, 0.0))) == [0]


def test_no_frames_give_none():
    assert list(chosen([])) == []


def test_frames_are_as_far_apart_as_the_picture_moves():
    slow, fast = indices(chosen(pan(60, 2.0, fps=100.0))), indices(chosen(pan(60, 6.0, fps=100.0)))
    assert np.diff(slow).mean() == pytest.approx(3 * np.diff(fast).mean(), rel=0.35)


def test_of_neighbours_the_sharp_one_is_taken():
    taken = indices(chosen(pan(60, 2.5, blurred=lambda k: k % 3 != 0)))
    assert len(taken) > 5
    assert all(k % 3 == 0 for k in taken[:-1])


def test_a_moment_in_which_all_are_blurred_is_waited_out():
    taken = indices(chosen(pan(80, 3.0, blurred=lambda k: 30 <= k < 36, by=25)))
    assert not [k for k in taken if 30 <= k < 36]
    assert max(np.diff(taken)) <= 13


def test_where_it_stays_blurred_frames_are_taken_all_the_same():
    taken = indices(chosen(pan(90, 3.0, blurred=lambda k: k >= 30, by=25)))
    assert len([k for k in taken if k >= 30]) > 3


def test_the_rate_has_a_limit():
    taken = list(chosen(pan(60, 12.0), least_apart_s=1.0))
    assert min(np.diff([frame.moment.t_s for frame in taken])) >= 1 - 1e-9


def test_after_a_cut_frames_go_on():
    frames = [
        *pan(10, 3.0),
        *(Frame(Moment("c", 10 + f.moment.index, 1 + f.moment.t_s), 255 - f.rgb) for f in pan(10, 3.0)),
    ]
    assert any(index >= 10 for index in indices(chosen(frames)))


def test_frames_are_let_go():
    alive, most = [], 0

    def watched():
        nonlocal most
        for frame in pan(50, 1.0):
            alive.append(weakref.ref(frame.rgb))
            most = max(most, sum(ref() is not None for ref in alive))
            yield frame

    for _ in chosen(watched()):
        pass
    assert len(alive) == 50
    assert most <= 4
