"""Pictures and the masks that go with them."""

import cv2
import numpy as np
import pytest

from sightline.geometry.boxes import iou
from sightline.geometry.camera import eye, pixels
from sightline.geometry.homography import map_from_px
from sightline.geometry.warp import warped
from sightline.simulation import simulate
from sightline.simulation.rendering.hiding import in_front
from sightline.simulation.rendering.looks import looks
from sightline.simulation.rendering.view import NOBODY

OPEN_SPOT = (-20.0, 3.5)
BEHIND_KIOSK = (-12.9, -3.4)
KINDS = {"person": 0, "cyclist": 1, "car": 2, "van": 3}


def changed(view, poses):
    """Pixels that differ from the empty site."""
    with_them, empty = view.shot(poses, 0.0, 0), view.shot([], 0.0, 0)
    return np.abs(with_them.rgb.astype(int) - empty.rgb).max(axis=2) > 24, with_them


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_hold_the_silhouette_and_no_more(plain_view, pose, kind):
    pixels_changed, shot = changed(plain_view, [pose(*OPEN_SPOT, label=KINDS[kind], look=3)])
    rows, columns = np.nonzero(pixels_changed)
    extent = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    off = extent - shot.xyxy_px[0]
    assert np.all(off[:2] > -2.0)
    assert np.all(off[2:] < 2.0)
    assert np.all(np.abs(off) < 6.0)


def test_who_stands_in_the_open_is_seen_whole(plain_view, pose):
    shot = plain_view.shot([pose(*OPEN_SPOT)], 0.0, 0)
    assert shot.visibility.tolist() == [1.0]


def test_who_stands_behind_a_wall_is_not_seen(plain_view, pose):
    _, shot = changed(plain_view, [pose(*BEHIND_KIOSK)])
    assert shot.visibility[0] < 0.5
    assert len(shot.xyxy_px) == 1


def test_who_is_fully_hidden_is_listed_and_changes_no_pixel(plain_view, pose):
    pixels_changed, shot = changed(plain_view, [pose(12.0, 0.0)])
    assert shot.visibility.tolist() == [0.0]
    assert not pixels_changed.any()


def test_the_nearer_one_hides_the_other(plain_view, pose):
    away = np.array(OPEN_SPOT) - eye(plain_view.camera)[:2]
    behind = np.array(OPEN_SPOT) + 0.9 * away / np.linalg.norm(away)
    shot = plain_view.shot([pose(*OPEN_SPOT), pose(*behind, look=5)], 0.0, 0)
    visibility = dict(zip(shot.mover.tolist(), shot.visibility.tolist(), strict=True))
    assert visibility[0] == 1.0
    assert 0.02 < visibility[1] < 0.8


def test_the_order_in_which_movers_are_given_changes_nothing(plain_view, pose):
    poses = [pose(*OPEN_SPOT), pose(-19.5, 3.0, look=5), pose(-15.0, -12.0, label=2, look=2)]
    one, other = plain_view.shot(poses, 0.0, 0), plain_view.shot(poses[::-1], 0.0, 0)
    assert np.array_equal(one.rgb, other.rgb)


def test_the_masks_alone_are_those_of_the_picture(plain_view, pose):
    poses = [pose(*OPEN_SPOT), pose(*BEHIND_KIOSK, look=5)]
    painted, bare = plain_view.shot(poses, 0.0, 0), plain_view.shot(poses, 0.0, 0, paint=False)
    assert np.array_equal(painted.owner, bare.owner)
    assert np.array_equal(painted.xyxy_px, bare.xyxy_px)
    assert not bare.rgb.any()


def test_the_cut_off_part_counts_as_unseen(plain_view, pose):
    camera = plain_view.camera
    on_the_edge = warped(map_from_px(camera), np.array([[camera.width - 1.0, 170.0]]))[0]
    shot = plain_view.shot([pose(*on_the_edge)], 0.0, 0)
    assert shot.xyxy_px[0, 2] > camera.width
    assert 0 < shot.visibility[0] < 0.95


def test_owners_lie_in_their_boxes(plain_view, pose):
    shot = plain_view.shot([pose(*OPEN_SPOT), pose(-22.0, 1.0, look=4)], 0.0, 0)
    for row, box in enumerate(shot.xyxy_px):
        rows, columns = np.nonzero(shot.owner == row)
        assert box[0] - 1 <= columns.min() <= columns.max() + 1 <= box[2] + 1
        assert box[1] - 1 <= rows.min() <= rows.max() + 1 <= box[3] + 1
    assert (shot.owner == NOBODY).mean() > 0.9


def test_feet_are_where_the_ground_point_says(plain_view, pose):
    shot = plain_view.shot([pose(*OPEN_SPOT, speed_mps=0.0)], 0.0, 0)
    foot = pixels(plain_view.camera, np.array([[*OPEN_SPOT, 0.0]]))[0]
    left, _, right, bottom = shot.xyxy_px[0]
    assert left < foot[0] < right
    assert abs(bottom - foot[1]) < 0.12 * (bottom - shot.xyxy_px[0, 1])


def test_a_shadow_darkens_the_ground_and_belongs_to_nobody(pose):
    from sightline.simulation import Plan, Simulation

    day = Simulation(Plan(n_people=0, n_vehicles=0, n_cameras=1, duration_s=0.1, noise=0.0, size=(320, 180)))
    view = day._view(day.cameras[0])
    someone, empty = view.shot([pose(*OPEN_SPOT)], 0.0, 0), view.shot([], 0.0, 0)
    ground = someone.owner == NOBODY
    change = someone.rgb.astype(int).sum(axis=2) - empty.rgb.astype(int).sum(axis=2)
    assert (change[ground] < -60).sum() > 20
    assert (change[ground] > 60).sum() < 15


@pytest.mark.parametrize(
    ("eye_m", "is_in_front"),
    [((0.0, -20.0, 5.0), True), ((0.0, 20.0, 5.0), False), ((-20.0, 0.1, 5.0), None)],
)
def test_a_wall_hides_from_one_side_only(eye_m, is_in_front):
    low, high = np.array([[-3.0, 1.0, 0.0]]), np.array([[3.0, 1.4, 3.0]])
    front = in_front(np.array([0.0, 0.0]), 0.3, 0, np.array(eye_m), low, high)
    assert is_in_front is None or front.tolist() == [is_in_front]


def test_a_roof_hides_from_above_only():
    low, high = np.array([[-3.0, -3.0, 2.5]]), np.array([[3.0, 3.0, 2.7]])
    spot = np.array([0.0, 0.0])
    assert not in_front(spot, 0.0, 0, np.array([0.0, -4.0, 6.0]), low, high)[0]
    assert in_front(spot, 0.0, 0, np.array([0.0, -9.0, 1.6]), low, high)[0]


def test_looks_are_varied_and_the_same_for_the_same_seed():
    some = looks(14, 0, np.random.default_rng(0))
    assert some == looks(14, 0, np.random.default_rng(0))
    tops = np.array([look.top for look in some])
    apart = np.abs(tops[:, None] - tops[None]).max(axis=2) + 255 * np.eye(14)
    assert apart.min() > 8
    assert all(1.55 <= look.height_m <= 1.95 for look in some)


@pytest.mark.slow
def test_a_people_detector_trained_on_photographs_finds_most_of_them():
    """HOG and a linear SVM (Dalal and Triggs, 2005): nothing here was made for it."""
    world = simulate(seed=2, n_people=16, n_vehicles=0, n_cameras=1, size=(1280, 720), duration_s=16.0, fps=0.5)
    hog = cv2.HOGDescriptor()
    hog.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())
    found = asked = 0
    for frame, rows in world.recording("cam1"):
        tall = rows.xyxy_px[:, 3] - rows.xyxy_px[:, 1] >= 100
        for box in rows.xyxy_px[(rows.label == 0) & (rows.extra["visibility"] > 0.9) & tall]:
            x, y = ((box[:2] + box[2:]) / 2).astype(int)
            half = int(1.1 * (box[3] - box[1]))
            top, left = max(y - half, 0), max(x - half, 0)
            crop = np.ascontiguousarray(frame.rgb[top : y + half, left : x + half, ::-1])
            windows, _ = hog.detectMultiScale(crop, winStride=(8, 8), scale=1.05, groupThreshold=1)
            windows = np.array(windows, float).reshape(-1, 4)
            middle, size = windows[:, :2] + windows[:, 2:] / 2, windows[:, 2:] * (0.6, 0.84)
            people = np.concatenate([middle - size / 2, middle + size / 2], axis=1) + np.array([left, top, left, top])
            asked, found = asked + 1, found + bool((iou(box[None], people) > 0.4).any())
    assert asked >= 8
    assert found / asked > 0.6
