"""Laws of how scenes are judged: what was done to the truth is what the numbers say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sightline.evaluation.scenes import (
    camera_errors,
    cloud,
    cloud_errors,
    depth_errors,
    path_size,
    scene_size,
    sparse_errors,
    thinned,
    truth_from_found,
)
from sightline.geometry.rigid import inverse, looking_at, moved
from sightline.geometry.umeyama import scale_of, seen_from
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import MadeBy, Maps, Scene, SparsePoints, Views

seeds = st.integers(0, 2**32 - 1)
STRAIGHT = Lens.pinhole(64, 48, np.array([[60.0, 0, 32], [0, 60.0, 24], [0, 0, 1]]))


def made(rng, n=10, line=False, lens=STRAIGHT):
    """Cameras over a ground with a step in it, and what they see of it."""
    eyes = rng.uniform(-3, 3, (n, 3)) * (0.0 if line else 1.0) + [0, 0, 6.0]
    eyes[:, 0] += np.linspace(-3, 3, n)
    targets = eyes * [1, 1, 0] + rng.uniform(-0.7, 0.7, (n, 3)) * [1, 1, 0] + [0, 0.5, 0]
    poses = np.stack([looking_at(eye, target) for eye, target in zip(eyes, targets, strict=True)])
    views = Views(tuple(f"{k}.png" for k in range(n)), np.zeros(n, np.int64), poses, np.ones(n, bool))
    maps = tuple(Maps(STRAIGHT, depth=ground(pose, STRAIGHT)) for pose in poses)
    return Scene((lens,), views, MadeBy("truth", "1"), maps)


def ground(pose, lens):
    """Depth of the plane z = 0, exactly."""
    x, y = np.meshgrid(np.arange(lens.width) + 0.5, np.arange(lens.height) + 0.5)
    flat = (np.stack([x, y], -1) - lens.centre_px) / lens.focal_px
    rays = np.concatenate([flat, np.ones((*x.shape, 1))], -1) @ pose[:3, :3]
    depth = -inverse(pose)[2, 3] / rays[..., 2]
    return np.where(depth > 0, depth, np.nan).astype(np.float32)


def similarity(rng):
    b_from_a = np.eye(4)
    b_from_a[:3, :3] = np.exp(rng.uniform(-2, 2)) * Rotation.random(random_state=rng).as_matrix()
    b_from_a[:3, 3] = rng.normal(0, 20, 3)
    return b_from_a


def elsewhere(scene, b_from_a):
    """The same scene in another frame and unit."""
    poses = np.stack([seen_from(pose, b_from_a) for pose in scene.views.cam_from_scene])
    scale = np.float32(scale_of(b_from_a))
    maps = tuple(m and replace(m, depth=m.depth * scale) for m in scene.maps)
    return replace(scene, views=replace(scene.views, cam_from_scene=poses), maps=maps)


def judged(truth, found, rng):
    laid = truth_from_found(truth, found, rng)
    return camera_errors(truth, found, laid), depth_errors(truth, found, laid)


@settings(max_examples=6, deadline=None)
@given(seeds, st.booleans())
def test_a_scene_in_another_frame_and_unit_is_without_error(seed, line):
    rng = np.random.default_rng(seed)
    truth = made(rng, line=line)
    cameras, depth = judged(truth, elsewhere(truth, similarity(rng)), rng)
    assert cameras.is_placed.all()
    assert cameras.rotation_rad.max() < 1e-6
    assert cameras.position.max() < 1e-6
    assert depth.relative.max() < 1e-5
    assert np.allclose(depth.density, 1)
    assert np.allclose(depth.within, 1)


@settings(max_examples=6, deadline=None)
@given(seeds, st.floats(1e-5, 3.0))
def test_a_camera_turned_so_far_is_said_to_be(seed, angle):
    rng = np.random.default_rng(seed)
    truth = made(rng)
    poses = truth.views.cam_from_scene.copy()
    axis = rng.normal(0, 1, 3)
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec(angle * axis / np.linalg.norm(axis)).as_matrix()
    poses[4] = turn @ poses[4]
    turned = replace(truth, views=replace(truth.views, cam_from_scene=poses))
    found = elsewhere(turned, similarity(rng))
    cameras, _ = judged(truth, found, rng)
    assert cameras.rotation_rad[4] == pytest.approx(angle, rel=1e-4)
    assert np.delete(cameras.rotation_rad, 4).max() < 1e-6
    assert cameras.position.max() < 1e-6


@settings(max_examples=6, deadline=None)
@given(seeds, st.floats(0.5, 50.0))
def test_a_camera_shifted_so_far_is_said_to_be_and_drags_no_other_along(seed, distance):
    rng = np.random.default_rng(seed)
    truth = made(rng)
    poses = truth.views.cam_from_scene.copy()
    way = rng.normal(0, 1, 3)
    poses[7, :3, 3] += distance * way / np.linalg.norm(way)
    shifted = replace(truth, views=replace(truth.views, cam_from_scene=poses))
    found = elsewhere(shifted, similarity(rng))
    cameras, _ = judged(truth, found, rng)
    assert cameras.position[7] == pytest.approx(distance, rel=1e-5)
    assert np.delete(cameras.position, 7).max() < 1e-6


@settings(max_examples=6, deadline=None)
@given(seeds, st.floats(0.001, 0.4), st.floats(0.05, 0.9))
def test_depth_so_wrong_and_so_dense_is_said_to_be(seed, wrong, kept):
    rng = np.random.default_rng(seed)
    truth = made(rng)
    maps = []
    for m in truth.maps:
        depth = m.depth * rng.choice(np.float32([1 + wrong, 1 - wrong]), m.depth.shape)
        gone = rng.random(depth.shape) > kept
        maps.append(replace(m, depth=np.where(gone, rng.choice([np.nan, 0.0]), depth).astype(np.float32)))
    _, depth = judged(truth, elsewhere(replace(truth, maps=tuple(maps)), similarity(rng)), rng)
    assert np.allclose(depth.relative, wrong, rtol=2e-3)
    assert np.allclose(depth.density, kept, atol=0.06)
    assert np.allclose(depth.within[:, 0], depth.density * (wrong < 0.01), atol=1e-9) or abs(wrong - 0.01) < 1e-4


@settings(max_examples=6, deadline=None)
@given(seeds, st.floats(1e-4, 0.3))
def test_sparse_points_so_far_off_along_their_rays_are_said_to_be(seed, off):
    rng = np.random.default_rng(seed)
    truth = made(rng)
    view, (x, y) = 3, rng.uniform(2, 46, (2, 20))
    maps, pose = truth.maps[view], truth.views.cam_from_scene[view]
    rays = np.column_stack([(x - 32) / 60, (y - 24) / 60, np.ones(20)])
    height, down = inverse(pose)[2, 3], (rays @ pose[:3, :3])[:, 2]
    cam = rays * (height / -down)[:, None]
    on_ground = (down < 0) & np.isfinite(maps.depth[y.astype(int), x.astype(int)])
    cam, seen = cam[on_ground] * (1 + off), np.column_stack([x, y])[on_ground]
    n = len(cam)
    points = SparsePoints(
        moved(inverse(pose), cam), np.zeros((n, 3), np.uint8), np.zeros(n), np.arange(n + 1), np.full(n, view), seen
    )
    wrong = sparse_errors(truth, replace(truth, sparse=points), np.eye(4))
    assert n > 0
    assert np.allclose(wrong, off, rtol=1e-2, atol=1e-5)


@settings(max_examples=6, deadline=None)
@given(seeds)
def test_maps_of_another_size_and_through_a_bent_lens_are_compared_where_they_belong(seed):
    rng = np.random.default_rng(seed)
    bent = Lens(LensModel.SIMPLE_RADIAL, 128, 96, np.array([121.0, 63.0, 49.0, -0.08]))
    truth = made(rng, lens=bent)
    small = Lens.pinhole(40, 31, np.array([[37.0, 0, 21.0], [0, 38.0, 15.0], [0, 0, 1]]))
    poses = truth.views.cam_from_scene
    found = replace(truth, maps=tuple(Maps(small, depth=ground(pose, small)) for pose in poses))
    depth = depth_errors(truth, found, np.eye(4))
    assert depth.relative.max() < 1e-4
    assert depth.within[:, 0].min() > 0.97


@given(seeds)
@settings(max_examples=6, deadline=None)
def test_views_are_told_by_name_and_those_without_a_place_do_not_count(seed):
    rng = np.random.default_rng(seed)
    truth = made(rng)
    order = rng.permutation(len(truth.views))
    placed = np.ones(len(order), bool)
    placed[:3] = False
    poses = np.where(placed[:, None, None], truth.views.cam_from_scene[order], np.nan)
    views = Views(tuple(truth.views.names[k] for k in order), np.zeros(len(order), np.int64), poses, placed)
    found = replace(truth, views=views, maps=tuple(truth.maps[k] for k in order))
    cameras, depth = judged(truth, found, rng)
    assert set(np.flatnonzero(~cameras.is_placed)) == set(order[:3])
    assert np.nanmax(cameras.position) < 1e-6
    assert (depth.density == 0).sum() == 3
    assert np.isnan(depth.relative).sum() == 3


def test_fewer_than_three_cameras_cannot_be_laid_upon_the_truth():
    rng = np.random.default_rng(0)
    truth = made(rng, n=2)
    laid = truth_from_found(truth, truth, rng)
    assert np.isnan(laid).all()
    assert not camera_errors(truth, truth, laid).is_placed.any()


@given(seeds, st.floats(0.01, 0.2))
@settings(max_examples=6, deadline=None)
def test_points_off_by_so_much_are_near_from_there_on(seed, off):
    rng = np.random.default_rng(seed)
    true = np.stack(np.meshgrid(np.arange(8.0), np.arange(8.0), [0.0]), -1).reshape(-1, 3)
    found = true[:32] + np.array([0, 0, off])
    errors = cloud_errors(true, found, (0.9 * off, 1.1 * off))
    assert errors.precision.tolist() == [0, 1]
    assert errors.completeness.tolist() == [0, 0.5]
    assert errors.f_score == pytest.approx([0, 2 / 3])
    turned = similarity(rng)
    again = cloud_errors(
        moved(turned, true), moved(turned, found), tuple(scale_of(turned) * off * k for k in (0.9, 1.1))
    )
    assert np.allclose(again.precision, errors.precision)
    assert np.allclose(again.completeness, errors.completeness)


def test_no_points_are_nowhere_near():
    errors = cloud_errors(np.ones((4, 3)), np.zeros((0, 3)), (1.0,))
    assert np.isnan(errors.precision[0])
    assert errors.completeness[0] == 0


def test_a_scene_is_as_large_as_what_is_seen_of_it():
    rng = np.random.default_rng(1)
    truth = made(rng)
    assert 0.5 < scene_size(truth) / np.linalg.norm(np.ptp(cloud(truth), axis=0)) < 1
    assert scene_size(replace(truth, maps=())) == path_size(truth)
    larger = np.diag([3.0, 3.0, 3.0, 1.0])
    assert scene_size(elsewhere(truth, larger)) == pytest.approx(3 * scene_size(truth), rel=1e-4)


def test_thinning_leaves_one_point_in_each_cube():
    xyz = np.array([[0.1, 0.1, 0.1], [0.2, 0.1, 0.3], [1.1, 0.0, 0.0], [-0.1, 0.0, 0.0]])
    assert thinned(xyz, 1.0).tolist() == xyz[[0, 2, 3]].tolist()
