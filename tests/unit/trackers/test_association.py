"""Crossing, hiding, a moving camera: what the association core makes of them."""

import numpy as np
import pytest

from sightline.estimation import kalman
from sightline.geometry.boxes import giou, grown, iou, iou_widened
from sightline.model.detections import Detections
from sightline.model.frame import Moment
from sightline.model.tracks import Tracks
from sightline.trackers.botsort import BotSort
from sightline.trackers.bytetrack import ByteTrack
from sightline.trackers.likeness import likeness
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


def test_widening_both_boxes_of_a_pair_is_growing_them():
    rng = np.random.default_rng(1)
    a, b = (boxes(*rng.uniform(0, 60, (n, 2))) for n in (5, 7))
    margin = rng.uniform(0, 30, (5, 2))
    expected = [iou(wide(a[i : i + 1], margin[i]), wide(b, margin[i]))[0] for i in range(5)]
    np.testing.assert_allclose(iou_widened(a, b, margin), expected, rtol=1e-12)
    np.testing.assert_allclose(iou_widened(a, b, np.zeros((5, 2))), iou(a, b), rtol=1e-12)


def wide(xyxy, margin):
    return xyxy + np.concatenate([-margin, margin])


def doubted(a, b, *, after_s=0.0, looks=40):
    """How alike ``a``, seen ``looks`` times in quick succession and then not for ``after_s``, is to each of ``b``."""
    motion, measured = kalman.Motion(), kalman.measured_from_xyxy(a)
    belief = kalman.begun(measured, motion)
    for _ in range(looks - 1):
        belief = kalman.updated(kalman.predicted(belief, 0.02, motion), measured, motion)
    belief = kalman.predicted(belief, after_s, motion)
    return likeness("doubted", a, belief, b, kalman.measured_from_xyxy(b))[0]


def test_where_a_thing_was_just_seen_there_is_no_doubt():
    here = boxes((0, 0))
    np.testing.assert_allclose(doubted(here, here), 1.0)
    apart = boxes((41, 0))
    assert doubted(here, apart, after_s=0.02) < 0.05


def test_after_one_look_a_thing_may_be_a_width_away_in_the_next_picture():
    here, there = boxes((0, 0)), boxes((35, 0))
    assert iou(here, there)[0, 0] < 0.1
    assert doubted(here, there, after_s=1 / 7, looks=1)[0] > 0.2


def test_a_vague_forecast_takes_nothing_from_a_sharp_one():
    here, near = boxes((0, 0)), boxes((8, 0))
    assert doubted(here, here, after_s=1.0)[0] < doubted(here, near, after_s=0.05)[0]


def test_who_meet_keep_their_own_height():
    """Two boxes overlap a forecast equally well; one has its height, the other stands elsewhere."""
    here = boxes((0, 0))
    beside, lower = boxes((8, 0)), boxes((0, 20))
    np.testing.assert_allclose(iou(here, beside), iou(here, lower))
    to_beside, to_lower = doubted(here, np.vstack([beside, lower]), after_s=0.1)
    assert to_beside > 1.1 * to_lower


@pytest.mark.parametrize("fps", [4.0, 7.0, 25.0])
def test_walkers_are_followed_from_birth_at_any_rate(fps):
    """Ten people walk at 0.7 heights per second past each other, 1.5 widths from lane to lane."""
    rng, tracker, seen = np.random.default_rng(3), BotSort(), []
    start, way = rng.uniform(0, 1200, 10), np.where(np.arange(10) % 2, 70.0, -70.0)
    for k in range(int(6 * fps)):
        xyxy = boxes(*np.stack([start + way * k / fps, 60.0 * np.arange(10)], axis=1)) + rng.normal(0, 1.5, (10, 4))
        found = Detections(xyxy, np.full(10, 0.9), np.zeros(10, np.int64))
        seen.append(tracker.update(Moment("door", k, k / fps), found))
    tracks = Tracks.joined("door", seen)
    for who in range(10):
        assert len(set(tracks.number[tracks.detection == who])) == 1
    assert len(tracks) == 10 * int(6 * fps)
