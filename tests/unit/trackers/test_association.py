"""Crossing, hiding, a moving camera: what the association core makes of them."""

import numpy as np
import pytest

from sightline.geometry.boxes import giou, grown, iou
from sightline.model.detections import Detections
from sightline.model.frame import Moment
from sightline.model.tracks import Tracks
from sightline.trackers.botsort import BotSort
from sightline.trackers.bytetrack import ByteTrack
from sightline.trackers.momentum import agreement
from sightline.trackers.ocsort import OcSort
from sightline.trackers.sort import Sort
from sightline.trackers.sway import common

TRACKERS = [Sort, ByteTrack, OcSort, BotSort]
FPS = 20.0


def boxes(*left_top):
    xy = np.array(left_top, float).reshape(-1, 2)
    return np.hstack([xy, xy + np.array([40, 100])])


def followed(tracker, n, see, score=lambda k: 0.9, warp=lambda k: None):
    parts = []
    for k in range(n):
        xyxy = see(k)
        found = Detections(xyxy, np.broadcast_to(score(k), len(xyxy)).astype(float), np.zeros(len(xyxy), np.int64))
        parts.append(tracker.update(Moment("door", k, k / FPS, warp(k)), found))
    return Tracks.joined("door", parts)


@pytest.mark.parametrize("make", TRACKERS)
def test_who_cross_keep_their_numbers(make):
    """One to the right, one to the left, 25 px apart in height, detection noise of a pixel."""
    rng = np.random.default_rng(0)
    tracks = followed(make(), 60, lambda k: boxes((4 * k, 100), (240 - 4 * k, 125)) + rng.normal(0, 1, (2, 1)))
    assert set(tracks.number) == {1, 2}
    for number in (1, 2):
        assert len(set(tracks.detection[tracks.number == number])) == 1


@pytest.mark.parametrize("make", TRACKERS)
def test_who_is_hidden_for_a_second_keeps_the_number(make):
    tracks = followed(make(), 80, lambda k: boxes((3 * k, 100))[: 0 if 30 <= k < 50 else 1])
    assert set(tracks.number) == {1}
    assert len(tracks) >= 57


@pytest.mark.parametrize("make", [ByteTrack, BotSort])
def test_weak_detections_carry_a_track_but_begin_none(make):
    faint = lambda k: 0.3 if 20 <= k < 40 else 0.9  # noqa: E731
    tracks = followed(make(), 60, lambda k: boxes((3 * k, 100)), score=faint)
    assert set(tracks.number) == {1}
    assert len(tracks) == 60
    assert len(followed(make(), 20, lambda k: boxes((3 * k, 100)), score=lambda k: 0.3)) == 0


def jerked(k):
    """A camera that jerks 90 px to the right and back every fourth picture."""
    return 90.0 * (k // 4 % 2)


def crowd(k):
    return boxes(*[(300 * i + 2 * k - jerked(k), 100 + 60 * (i % 2)) for i in range(4)])


def test_a_jerking_camera_is_followed_where_its_motion_is_told():
    def warp(k):
        px_from_before = np.eye(3)
        px_from_before[0, 2] = jerked(k - 1) - jerked(k)
        return px_from_before

    told = followed(BotSort(), 40, crowd, warp=warp)
    assert set(told.number) == {1, 2, 3, 4}
    assert len(told) == 160
    assert len(set(followed(Sort(), 40, crowd, warp=warp).number)) > 4


def test_who_is_hidden_while_the_camera_turns_shares_the_motion_of_the_others():
    """Nobody tells the camera's motion; it speeds up while the first of six is hidden."""

    def see(k):
        shift = 0.12 * np.clip(k - 20, 0, 30) ** 2
        all_six = boxes(*[(150 * i + shift, 100) for i in range(6)])
        return all_six[1:] if 22 <= k < 45 else all_six

    assert set(followed(BotSort(), 70, see).number) == set(range(1, 7))
    assert len(set(followed(ByteTrack(), 70, see).number)) > 6


def test_direction_decides_where_overlap_cannot():
    trail = np.array([[[30.0, 0], [20, 0], [10, 0], [0, 0]], [[5, 5], [5, 5], [5, 5], [5, 5]]])
    ahead = agreement(trail, np.array([[40.0, 0], [30, 10], [20, 0], [30, 0]]))
    np.testing.assert_allclose(ahead[0], [0.5, 0, -0.5, 0], atol=1e-12)
    np.testing.assert_allclose(ahead[1], 0, atol=1e-12)


def test_common_is_what_nearly_all_do():
    rng = np.random.default_rng(0)
    moves = rng.normal([30, 0], 0.5, (20, 2))
    moves[:3] += 100
    np.testing.assert_allclose(common(moves), [30, 0], atol=0.5)
    np.testing.assert_array_equal(common(moves[:3]), [0, 0])
    alone = rng.normal(0, 5, (2000, 8, 2))
    assert np.mean([np.abs(common(m)).mean() for m in alone]) < 0.7 * np.abs(np.median(alone, axis=1)).mean()


def test_giou_tells_how_far_apart():
    a = boxes((0, 0))
    apart = giou(a, boxes((0, 0), (40, 0), (80, 0), (400, 0)))[0]
    np.testing.assert_allclose(apart, [1, 0, -1 / 3, -(440 - 80) / 440])
    shifted = boxes((10, 20))
    np.testing.assert_allclose(iou(a, shifted), 2400 / 5600)
    np.testing.assert_allclose(giou(a, shifted), 2400 / 5600 - (6000 - 5600) / 6000)


def test_grown_boxes_keep_their_middle():
    np.testing.assert_allclose(grown(boxes((0, 0)), 0.25), [[-10, -25, 50, 125]])
