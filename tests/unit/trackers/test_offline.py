"""The second look: pieces joined, gaps filled, nothing joined that cannot be."""

import numpy as np
import pytest

from sightline.model.tracks import UNTRACKED, Tracks
from sightline.trackers.linking import linked
from sightline.trackers.offline import refined
from sightline.trackers.paths import Paths

FPS = 20.0


def piece(number, frames, left, top=100.0, label=0, height=100.0, every=1, **extra):
    """A track whose left edge at frame k is ``left(k)``."""
    frames = np.asarray(frames)
    x = np.array([left(k) for k in frames], float)
    y = np.full(len(frames), top)
    box = np.stack([x, y, x + 0.4 * height, y + height], axis=1)
    n = len(frames)
    return Tracks(
        "door", frames * every, frames / FPS, np.full(n, number), box, np.full(n, 0.5 + 0.1 * number),
        np.full(n, label), np.arange(n), ("person", "car"), {name: column[:n] for name, column in extra.items()},
    )  # fmt: skip


def walk(k):
    return 10 + 2.5 * k


def all_of(*pieces):
    joined = Tracks.joined("door", pieces, ("person", "car"))
    return joined.rows(np.argsort(joined.frame_index, kind="stable"))


def passer_by(number=9):
    """Someone far away who is seen in every picture."""
    return piece(number, range(100), lambda k: 900 - 2 * k, top=600.0)


def test_two_pieces_of_one_walk_become_one():
    better = refined(all_of(piece(3, range(30), walk), piece(5, range(50, 90), walk), passer_by()))
    own = better.rows(better.xyxy_px[:, 1] < 300)
    assert set(own.number) == {1}
    np.testing.assert_array_equal(own.frame_index, np.arange(90))


@pytest.mark.parametrize("smooth", [True, False])
def test_a_gap_at_constant_speed_is_filled_within_a_pixel(smooth):
    tracks = all_of(piece(3, [*range(30), *range(50, 90)], walk), passer_by())
    better = refined(tracks, link_s=0.0, smooth=smooth)
    filled = better.rows(better.detection == UNTRACKED)
    np.testing.assert_array_equal(filled.frame_index, np.arange(30, 50))
    np.testing.assert_allclose(filled.xyxy_px[:, 0], walk(filled.frame_index), atol=1.0)
    np.testing.assert_allclose(filled.xyxy_px[:, 1], 100, atol=1.0)
    np.testing.assert_allclose(filled.t_s, filled.frame_index / FPS)


def test_filled_rows_say_so_and_hold_what_was_seen_before():
    first = piece(1, range(30), walk, plate=np.array(["ab"] * 100))
    second = piece(4, range(40, 70), walk, plate=np.array(["cd"] * 100))
    better = refined(all_of(first, second))
    filled = better.rows(better.detection == UNTRACKED)
    assert len(filled) == 10
    assert set(filled.extra["plate"]) == {"ab"}
    assert set(filled.score) == {0.6}
    assert set(better.extra["plate"][better.frame_index >= 40]) == {"cd"}


def test_detections_stay_as_they_were_when_not_smoothed():
    rng = np.random.default_rng(0)
    tracks = all_of(piece(1, range(40), lambda k: walk(k) + rng.normal(0, 2)))
    np.testing.assert_allclose(refined(tracks, smooth=False).xyxy_px, tracks.xyxy_px, atol=1e-9)


def test_smoothing_brings_boxes_nearer_to_the_truth():
    rng = np.random.default_rng(0)
    tracks = all_of(piece(1, range(200), lambda k: walk(k) + rng.normal(0, 4)))
    better = refined(tracks)
    errors = [np.abs(t.xyxy_px[:, 0] - walk(t.frame_index)).mean() for t in (tracks, better)]
    assert errors[1] < 0.7 * errors[0]


def test_who_were_there_at_the_same_time_are_never_one():
    tracks = all_of(piece(1, range(50), walk), piece(2, range(45, 90), walk))
    assert len(set(refined(tracks).number)) == 2


def test_a_person_does_not_become_a_car():
    tracks = all_of(piece(1, range(30), walk), piece(2, range(35, 90), walk, label=1))
    assert len(set(refined(tracks).number)) == 2


def test_nobody_jumps_across_the_picture():
    tracks = all_of(piece(1, range(30), walk), piece(2, range(35, 90), lambda k: 900 + k), passer_by())
    assert len(set(refined(tracks).number)) == 3


def test_gaps_beyond_the_limits_stay():
    tracks = all_of(piece(1, range(30), walk), piece(2, range(60, 90), walk), passer_by())
    assert len(set(refined(tracks, link_s=1.0).number)) == 3
    better = refined(tracks, fill_s=1.0)
    assert len(set(better.number)) == 2
    assert not (better.detection == UNTRACKED).any()


def test_of_two_who_cross_unseen_each_goes_on_his_way():
    right, left = walk, lambda k: 260 - 2.5 * k
    before = [piece(1, range(40), right), piece(2, range(40), left)]
    after = [piece(3, range(60, 100), left), piece(4, range(60, 100), right)]
    better = refined(all_of(*before, *after))
    assert set(better.number) == {1, 2}
    for number in (1, 2):
        step = np.sign(np.diff(better.xyxy_px[better.number == number, 0]))
        assert len(set(step)) == 1


def test_being_hidden_behind_someone_excuses_a_longer_absence():
    """The same gap: linked where someone stands in front all along, not linked in the open."""
    gone, back = piece(1, range(20), lambda k: 300.0), piece(2, range(80, 100), lambda k: 305.0, height=102.0)
    births = [piece(10 + i, range(i, i + 8), lambda k, i=i: 40.0 * i, top=900.0) for i in range(60)]
    waiting = piece(5, range(100), lambda k: 290.0, top=110.0, height=150.0)

    def joined(*others):
        tracks = all_of(gone, back, *births, *others)
        paths = Paths.of(tracks, tracks.number)
        first = linked(paths, 5.0)
        return first[1] == 0

    assert joined(waiting)
    assert not joined()


def test_a_turning_camera_breaks_no_link():
    """Everything swings 60 px to and fro; who is hidden meanwhile is found again where the camera points."""
    rng = np.random.default_rng(4)

    def swung(at):
        return lambda k: at + 60 * np.sin(k / 12) + rng.normal(0, 0.3)

    others = [piece(10 + i, range(120), swung(150.0 * i), top=400.0) for i in range(8)]
    tracks = all_of(piece(1, range(50), swung(500.0)), piece(2, range(75, 120), swung(500.0)), *others)
    better = refined(tracks)
    assert len(set(better.number)) == 9
    filled = better.rows(better.detection == UNTRACKED)
    np.testing.assert_allclose(filled.xyxy_px[:, 0], 500 + 60 * np.sin(filled.frame_index / 12), atol=6)


def test_sampled_video_is_filled_at_the_pictures_that_were_looked_at():
    tracks = all_of(piece(1, [*range(10), *range(14, 30)], walk, every=6))
    better = refined(tracks)
    np.testing.assert_array_equal(better.frame_index, 6 * np.arange(30))
    np.testing.assert_allclose(better.t_s, np.arange(30) / FPS)


def test_numbers_count_from_one_by_first_appearance():
    better = refined(all_of(passer_by(40), piece(7, range(50, 90), walk)))
    assert better.number[0] == 1
    assert set(better.number) == {1, 2}
    assert (np.diff(better.frame_index) >= 0).all()


def test_rows_of_no_track_are_left_out():
    tracks = all_of(piece(UNTRACKED, range(5), walk), passer_by())
    assert set(refined(tracks).number) == {1}


def test_nothing_gives_nothing_and_one_row_gives_itself():
    assert len(refined(Tracks.none("door"))) == 0
    one = piece(4, [7], walk)
    np.testing.assert_allclose(refined(one).xyxy_px, one.xyxy_px)


def test_rows_without_time_are_refused():
    tracks = Tracks.none("door").joined("door", [piece(1, range(3), walk)])
    undated = Tracks(
        "door", tracks.frame_index, np.full(3, np.nan), tracks.number, tracks.xyxy_px, tracks.score, tracks.label,
        tracks.detection, tracks.classes,
    )  # fmt: skip
    with pytest.raises(ValueError, match="without times cannot be refined"):
        refined(undated)


@pytest.mark.parametrize("option", ["link_s", "fill_s"])
def test_negative_times_are_refused(option):
    with pytest.raises(ValueError, match="neither can be negative"):
        refined(passer_by(), **{option: -1.0})
