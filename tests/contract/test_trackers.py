"""What every tracker must do, whichever it is."""

from inspect import signature

import numpy as np
import pytest

from sightline.errors import OptionError
from sightline.model.detections import Detections
from sightline.model.frame import Moment
from sightline.model.tracks import Tracks
from sightline.wiring import ENGINES, build

CLASSES = ("person", "car")


@pytest.fixture(params=ENGINES["tracker"])
def make(request):
    return lambda **options: build("tracker", request.param, options)


def found(xyxy, label=None, score=0.9, **extra):
    xyxy = np.asarray(xyxy, float).reshape(-1, 4)
    label = np.zeros(len(xyxy), np.int64) if label is None else np.asarray(label)
    return Detections(xyxy, np.full(len(xyxy), score), label, CLASSES, extra)


def walkers(t_s, n=3):
    """Boxes of people 100 px high, 150 px apart, at half a height per second."""
    left = 50 + 150 * np.arange(n) + 50 * t_s
    return np.stack([left, np.full(n, 100.0), left + 40, np.full(n, 200.0)], axis=1)


def followed(tracker, times_s, see=walkers):
    """All that was tracked, seeing ``see(t_s)`` at each time."""
    moments = [Moment("door", k, float(t)) for k, t in enumerate(times_s)]
    return Tracks.joined("door", [tracker.update(m, found(see(m.t_s))) for m in moments], CLASSES)


def test_people_walking_side_by_side_keep_their_numbers(make):
    tracks = followed(make(), np.arange(40) / 20)
    assert set(tracks.number) == {1, 2, 3}
    for number in (1, 2, 3):
        own = tracks.rows(tracks.number == number)
        expected = walkers(own.t_s[0])[np.abs(walkers(own.t_s[0])[:, 0] - own.xyxy_px[0, 0]).argmin()]
        np.testing.assert_allclose(own.xyxy_px[0], expected)
        np.testing.assert_allclose(np.diff(own.xyxy_px[:, 0]), 2.5)
        assert len(own) >= 36


def test_rows_come_in_the_order_of_the_detections_with_all_they_brought(make):
    tracker, rng = make(), np.random.default_rng(0)
    for k in range(12):
        order = rng.permutation(3)
        plates = np.array(["ab", "cd", "ef"])[order]
        vectors = rng.normal(size=(3, 5))
        moment = Moment("door", 10 * k, k / 10)
        seen = found(walkers(k / 10)[order], plate=plates, vector=vectors)
        tracks = tracker.update(moment, seen)
        np.testing.assert_array_equal(tracks.detection, np.sort(tracks.detection))
        np.testing.assert_array_equal(tracks.xyxy_px, seen.xyxy_px[tracks.detection])
        np.testing.assert_array_equal(tracks.extra["plate"], plates[tracks.detection])
        np.testing.assert_array_equal(tracks.extra["vector"], vectors[tracks.detection])
        assert (tracks.frame_index == 10 * k).all()
        assert (tracks.t_s == k / 10).all()
        assert (tracks.camera, tracks.classes) == ("door", CLASSES)
    assert len(tracks) == 3
    numbers = dict(zip(plates[tracks.detection], tracks.number, strict=True))
    tracks = tracker.update(Moment("door", 120, 1.2), found(walkers(1.2), plate=np.array(["ab", "cd", "ef"])))
    assert dict(zip(tracks.extra["plate"], tracks.number, strict=True)) == numbers


def test_input_is_not_written(make):
    tracker = make()
    for k in range(5):
        seen = found(walkers(k / 10))
        before = seen.xyxy_px.copy()
        tracker.update(Moment("door", k, k / 10), seen)
        np.testing.assert_array_equal(seen.xyxy_px, before)


@pytest.mark.parametrize(
    "bad", [[np.nan] * 4, [0, 0, np.inf, 9], [-np.inf, 0, np.inf, 9], [50, 20, 40, 90], [5, 5, 5, 9]], ids=str
)
def test_broken_boxes_are_never_tracked_and_disturb_nobody(make, bad):
    clean = followed(make(), np.arange(20) / 10)
    mixed = followed(make(), np.arange(20) / 10, lambda t_s: np.vstack([[bad], walkers(t_s)]))
    np.testing.assert_array_equal(mixed.xyxy_px, clean.xyxy_px)
    np.testing.assert_array_equal(mixed.number, clean.number)
    np.testing.assert_array_equal(mixed.detection, clean.detection + 1)


def test_nothing_seen_nothing_tracked(make):
    tracker = make()
    for k in range(3):
        none = tracker.update(Moment("door", k, float(k)), Detections.none(CLASSES))
        assert len(none) == 0
        assert none.classes == CLASSES
    assert len(followed(make(), [0, 0.1], lambda t_s: np.zeros((0, 4)))) == 0


def test_two_in_one_process_know_nothing_of_each_other(make):
    alone = followed(make(), np.arange(20) / 10)
    one, other = make(), make()
    parts = []
    for k in range(20):
        parts.append(one.update(Moment("door", k, k / 10), found(walkers(k / 10))))
        other.update(Moment("yard", k, k / 10), found(walkers(k / 10, 5)[::-1] + 30))
    together = Tracks.joined("door", parts, CLASSES)
    np.testing.assert_array_equal(together.number, alone.number)
    np.testing.assert_array_equal(together.xyxy_px, alone.xyxy_px)


def test_uneven_times_are_as_good_as_even_ones(make):
    rng = np.random.default_rng(1)
    uneven = np.cumsum(rng.uniform(0.02, 0.2, 40))
    tracks = followed(make(), uneven)
    assert set(tracks.number) == {1, 2, 3}
    assert (np.bincount(tracks.number)[1:] >= 36).all()


@pytest.mark.parametrize("fps", [7, 30])
def test_pictures_per_second_do_not_matter(make, fps):
    """Hidden for a second on the way, and still the same three."""

    def see(t_s):
        return walkers(t_s)[: 0 if 2 <= t_s < 3 else 3]

    tracks = followed(make(), np.arange(5 * fps) / fps, see)
    assert set(tracks.number) == {1, 2, 3}
    assert set(tracks.number[tracks.t_s >= 3]) == {1, 2, 3}


def test_who_is_away_for_longer_than_the_wait_comes_back_as_another(make):
    see = lambda t_s: walkers(0.0)[: 0 if 1 <= t_s < 2.5 else 3]  # noqa: E731
    times = np.arange(40) / 10
    assert set(followed(make(lost_s=2.0), times, see).number) == {1, 2, 3}
    assert set(followed(make(lost_s=1.0), times, see).number) == {1, 2, 3, 4, 5, 6}


def test_a_hole_in_the_recording_ends_tracks_too(make):
    times = [*np.arange(10) / 10, *(60 + np.arange(10) / 10)]
    tracks = followed(make(), times, lambda t_s: walkers(0.0))
    assert set(tracks.number[tracks.t_s < 1]) == {1, 2, 3}
    assert set(tracks.number[tracks.t_s > 1]) == {4, 5, 6}


def test_tracks_keep_their_class_unless_told_otherwise(make):
    def numbers(**options):
        tracker, given = make(**options), []
        for k in range(20):
            label = np.full(3, int(k >= 10))
            given.append(tracker.update(Moment("door", k, k / 10), found(walkers(0.0), label)))
        tracks = Tracks.joined("door", given, CLASSES)
        return set(tracks.number[tracks.label == 0]), set(tracks.number[tracks.label == 1])

    assert numbers() == ({1, 2, 3}, {4, 5, 6})
    assert numbers(across_classes=True) == ({1, 2, 3}, {1, 2, 3})


def test_numbers_have_no_holes_although_ghosts_flicker(make):
    rng, tracker, seen = np.random.default_rng(2), make(), []
    for k in range(60):
        ghost = rng.uniform([0, 400], [2000, 2400], (2, 2))
        boxes = np.vstack([np.hstack([ghost, ghost + np.array([40, 90])]), walkers(k / 20, 1 + k // 20)])
        seen += list(tracker.update(Moment("door", k, k / 20), found(boxes)).number)
    assert set(seen) == set(range(1, max(seen) + 1))


def test_pictures_may_shrink_and_boxes_may_lie_outside(make):
    def see(t_s):
        return walkers(t_s) - 400 if t_s < 1 else walkers(t_s) / 2 - [300, 900, 300, 900]

    tracks = followed(make(), np.arange(40) / 20, see)
    assert set(tracks.number[tracks.t_s < 1]) == {1, 2, 3}
    assert len(set(tracks.number[tracks.t_s > 1.5])) == 3


@pytest.mark.parametrize("t_s", [1.0, 0.5, np.nan])
def test_time_must_rise(make, t_s):
    tracker = make()
    tracker.update(Moment("door", 0, 1.0), found(walkers(0)))
    with pytest.raises(ValueError, match=r"picture 7 of 'door' is at .* not after the one before it"):
        tracker.update(Moment("door", 7, t_s), found(walkers(0)))


@pytest.mark.parametrize("overlap", ["iou", "giou", "buffered", "doubted"])
def test_every_kind_of_overlap_follows(make, overlap):
    assert set(followed(make(overlap=overlap), np.arange(30) / 20).number) == {1, 2, 3}


def test_single_precision_is_welcome_and_kept(make):
    tracker = make()
    for k in range(5):
        seen = Detections(
            walkers(k / 10).astype(np.float32), np.full(3, 0.9, np.float32), np.zeros(3, np.int32), CLASSES
        )
        tracks = tracker.update(Moment("door", k, k / 10), seen)
    assert len(tracks) == 3
    assert tracks.xyxy_px.dtype == np.float32


@pytest.mark.parametrize("options", [{"lost_s": -1.0}, {"lost_s": np.nan}, {"confirm_hits": 0}], ids=str)
def test_options_that_cannot_be_meant_are_refused_by_name(make, options):
    with pytest.raises(OptionError, match=next(iter(options))):
        make(**options)


def test_a_score_above_one_is_refused(make):
    with pytest.raises(OptionError, match=r"score = 1.5 must be between 0 and 1"):
        make(**{"birth_score": 1.5} if "birth_score" in signature(type(make())).parameters else {"strong_score": 1.5})
