import numpy as np
import pytest

from sightline.detectors.foreground import Foreground, carried, cover, small_warp
from sightline.geometry.warp import warped
from sightline.model.frame import Frame, Moment


def frame(rgb, k=0, fps=10.0, warp=None):
    return Frame(Moment("a", k, k / fps, warp), rgb)


@pytest.fixture
def yard():
    return np.random.default_rng(0).integers(90, 160, (60, 80, 3), dtype=np.uint8)


def test_the_first_picture_is_fresh_and_empty(yard):
    look = Foreground(history_s=5.0).look(frame(yard))
    assert look.fresh
    assert look.mask.sum() == 0
    assert look.small_per_px == 1


def test_what_is_held_is_not_learnt(yard):
    held, free = Foreground(history_s=1.0), Foreground(history_s=1.0)
    thing = yard.copy()
    thing[20:40, 20:40] = 20
    hold = np.zeros(yard.shape[:2], np.uint8)
    hold[15:45, 15:45] = 1
    for k in range(100):
        rgb = yard if k < 10 else thing
        looks = held.look(frame(rgb, k)), free.look(frame(rgb, k))
        held.learn(hold=hold)
        free.learn()
    assert looks[0].mask[22:38, 22:38].all()
    assert not looks[1].mask.any()


def test_exposure_is_followed(yard):
    model = Foreground(history_s=5.0)
    for k in range(20):
        look = model.look(frame((yard * (1 + 0.02 * k)).astype(np.uint8), k))
        model.learn()
        assert look.mask.mean() < 0.01


def test_large_pictures_are_shrunk():
    model = Foreground(history_s=5.0, side_px=100)
    look = model.look(frame(np.zeros((200, 400, 3), np.uint8)))
    assert look.mask.shape == (50, 100)
    assert look.small_per_px == 0.25


def test_a_known_shift_of_the_camera_is_no_change():
    wide = np.random.default_rng(0).integers(90, 160, (60, 200, 3), dtype=np.uint8)
    model = Foreground(history_s=5.0)
    warp = np.array([[1, 0, -3.0], [0, 1, 0], [0, 0, 1]])
    for k in range(20):
        look = model.look(frame(np.ascontiguousarray(wide[:, 3 * k : 3 * k + 80]), k, warp=warp if k else None))
        model.learn()
        assert look.mask[:, 3:-3].sum() == 0  # the rim is smoothed without its neighbours
        assert look.fresh == (k == 0)


def test_small_warp_is_the_same_motion_in_the_small_picture():
    warp = np.array([[1.01, 0.02, -30.0], [-0.02, 1.01, 12.0], [1e-5, 0, 1]])
    xy_px = np.array([[100.0, 40], [640, 360], [1280, 10]])
    scale = 0.25
    small = warped(small_warp(warp, scale), xy_px * scale - 0.5)
    np.testing.assert_allclose((small + 0.5) / scale, warped(warp, xy_px), atol=1e-9)
    assert small_warp(np.eye(3), scale) is None
    assert small_warp(None, scale) is None


def test_carried_moves_a_map_and_fills_what_is_new():
    there = np.zeros((4, 6), np.float32)
    there[1, 1] = 5
    moved = carried(there, np.array([[1, 0, 2.0], [0, 1, 1], [0, 0, 1]]), -1.0, smooth=False)
    assert moved[2, 3] == 5
    assert (moved[:, :2] == -1).all()
    assert (moved[0] == -1).all()


def test_cover_is_the_share_of_each_box():
    mask = np.zeros((10, 10), np.uint8)
    mask[2:6, 3:5] = 1
    boxes = np.array([[3.0, 2, 5, 6], [3, 2, 7, 6], [0, 0, 2, 2], [4, 4, 4, 4], [-5, 2, 5, 6]])
    np.testing.assert_allclose(cover(mask, boxes), [1, 0.5, 0, 0, 0.4])
