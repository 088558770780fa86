import cv2
import numpy as np
import pytest

from sightline.detectors.motion import Motion
from sightline.model.frame import Footage, Frame, Moment
from sightline.model.tracks import Tracks
from sightline.pipeline.drone_tracks import movers, tracked
from sightline.stabilizers.flow import Flow
from sightline.trackers.botsort import BotSort

N = 40


class Flight:
    """A camera that slides over a yard in which one dark box walks to the right."""

    def __init__(self):
        rng = np.random.default_rng(2)
        coarse = cv2.resize(rng.normal(0, 25, (30, 60, 3)), (600, 300), interpolation=cv2.INTER_CUBIC)
        self._yard = np.clip(coarse + rng.normal(0, 8, (300, 600, 3)) + 130, 0, 255).astype(np.uint8)

    def about(self):
        return Footage("flight", 320, 180, 10.0, N / 10, N)

    def frames(self):
        for k in range(N):
            rgb = self._yard[20:200, 20 + 4 * k : 340 + 4 * k].copy()
            rgb[70:110, 10 + 6 * k : 26 + 6 * k] = (25, 30, 60)
            yield Frame(Moment("flight", k, k / 10), rgb)

    def n_lost(self):
        return 0


def watched(stopped=lambda: False):
    told = []
    out = tracked(Flight(), Motion(), BotSort(), Flow(), tell=lambda *step: told.append(step), stopped=stopped)
    return out, told


def test_the_walker_is_followed_and_the_camera_s_own_motion_is_told():
    out, told = watched()
    longest = np.bincount(out.tracks.number).argmax()
    path = out.tracks.rows(out.tracks.number == longest)
    assert len(path) > 0.7 * N
    true = 18 + 6 * path.frame_index
    assert np.median(np.abs(path.xyxy_px[:, [0, 2]].mean(axis=1) - true)) < 3
    slid = [moment.px_from_before[0, 2] for moment in out.moments[1:]]
    assert np.median(slid) == pytest.approx(-4.0, abs=0.2)
    assert told[-1] == ("tracking", N, N)
    assert out.complete


def test_stopping_keeps_what_was_seen():
    seen = iter([False] * 9 + [True] * N)
    out, _ = watched(stopped=lambda: next(seen))
    assert (len(out.moments), out.complete) == (10, False)


def rows(number, xy, t_s):
    n = len(t_s)
    box = np.column_stack([xy - 5, xy + 5]).astype(float)
    nothing = np.zeros(n, np.int64)
    return Tracks("drone", np.arange(n), t_s, np.full(n, number), box, np.ones(n), nothing, np.arange(n))


def test_of_nameless_things_those_that_rest_on_the_ground_are_left_out():
    n, slide = 30, 4.0
    t_s = np.arange(n) / 10
    warp = np.array([[1, 0, -slide], [0, 1, 0], [0, 0, 1.0]])
    moments = [Moment("drone", k, t, warp if k else np.eye(3)) for k, t in enumerate(t_s.tolist())]
    k = np.arange(n)[:, None]
    resting = rows(3, np.array([150, 50]) - k * [slide, 0], t_s)
    walking = rows(7, np.array([20, 80]) + k * [0.0, 3.0], t_s)
    brief = rows(9, np.array([20, 80]) + k[:5] * [0.0, 9.0], t_s[:5])
    both = Tracks.joined("drone", [resting, walking, brief])
    kept = movers(both.rows(np.lexsort((both.number, both.frame_index))), moments)
    assert np.unique(kept.number).tolist() == [1]
    np.testing.assert_array_equal(kept.xyxy_px, walking.xyxy_px)
    assert len(movers(Tracks.none("drone"), moments)) == 0
