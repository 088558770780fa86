"""Laws of similarities."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sightline.geometry.rigid import moved
from sightline.geometry.umeyama import is_line, posed_alike, robust_umeyama, scale_of, seen_from, umeyama

seeds = st.integers(0, 2**32 - 1)


def made(seed, n=12):
    """A similarity and points of both frames."""
    rng = np.random.default_rng(seed)
    b_from_a = np.eye(4)
    b_from_a[:3, :3] = np.exp(rng.uniform(-3, 3)) * Rotation.random(random_state=rng).as_matrix()
    b_from_a[:3, 3] = rng.normal(0, 20, 3)
    xyz_a = rng.normal(0, 3, (n, 3))
    return rng, b_from_a, xyz_a, moved(b_from_a, xyz_a)


@given(seeds)
def test_exact_points_give_the_similarity_they_were_made_with(seed):
    _, b_from_a, xyz_a, xyz_b = made(seed)
    assert np.allclose(umeyama(xyz_a, xyz_b), b_from_a, rtol=1e-8, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_a_third_of_wrong_points_changes_nothing(seed):
    rng, b_from_a, xyz_a, xyz_b = made(seed)
    xyz_b[:4] += rng.normal(0, 100 * scale_of(b_from_a), (4, 3))
    assert np.allclose(robust_umeyama(xyz_a, xyz_b, rng), b_from_a, rtol=1e-6, atol=1e-6)


@given(seeds)
def test_it_never_mirrors(seed):
    _, _, xyz_a, xyz_b = made(seed)
    mirrored = xyz_b * [1, 1, -1]
    assert np.linalg.det(umeyama(xyz_a, mirrored)[:3, :3]) > 0


@given(seeds)
def test_a_camera_sees_the_same_from_either_frame(seed):
    rng, b_from_a, xyz_a, xyz_b = made(seed)
    cam_from_a = np.eye(4)
    cam_from_a[:3, :3] = Rotation.random(random_state=rng).as_matrix()
    cam_from_a[:3, 3] = rng.normal(0, 5, 3)
    there = moved(seen_from(cam_from_a, b_from_a), xyz_b)
    assert np.allclose(there, scale_of(b_from_a) * moved(cam_from_a, xyz_a), rtol=1e-8, atol=1e-6)


@given(seeds, st.integers(2, 9), st.booleans())
def test_cameras_tell_the_similarity_though_they_are_two_or_on_a_line(seed, n, on_a_line):
    rng, b_from_a, _, _ = made(seed)
    poses = np.tile(np.eye(4), (n, 1, 1))
    poses[:, :3, :3] = Rotation.random(n, random_state=rng).as_matrix()
    eyes = rng.normal(0, 3, (n, 3)) if not on_a_line else rng.normal(0, 3, 3) + np.arange(n)[:, None]
    poses[:, :3, 3] = -np.einsum("nij,nj->ni", poses[:, :3, :3], eyes)
    there = np.array([seen_from(pose, b_from_a) for pose in poses])
    assert np.allclose(posed_alike(poses, there), b_from_a, rtol=1e-6, atol=1e-6)


def test_cameras_in_one_place_tell_no_similarity():
    poses = np.tile(np.eye(4), (3, 1, 1))
    assert np.isnan(posed_alike(poses, poses)).any()


@given(seeds)
def test_points_on_a_line_leave_the_turn_open(seed):
    rng = np.random.default_rng(seed)
    line = rng.normal(0, 5, 3) + np.linspace(0, 1, 9)[:, None] * rng.normal(0, 5, 3)
    assert is_line(line)
    assert not is_line(line + rng.normal(0, 3, (9, 3)))


def test_fewer_than_three_points_say_nothing():
    assert np.isnan(robust_umeyama(np.zeros((2, 3)), np.ones((2, 3)), np.random.default_rng(0))).all()
