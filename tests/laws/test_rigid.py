"""Laws of rigid motions and of cameras made from them."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sightline.geometry.camera import axis, depths, eye, intrinsics, pixels, rays
from sightline.geometry.homography import map_from_px, px_from_map
from sightline.geometry.rigid import inverse, looking_at, moved
from sightline.geometry.warp import warped
from sightline.model.camera import Camera

metres = st.floats(-50, 50, allow_nan=False, width=32)
points = arrays(np.float64, (7, 3), elements=metres)


@st.composite
def poses(draw):
    eye_m = np.array([draw(metres), draw(metres), draw(st.floats(2, 12))])
    target = np.array([draw(metres), draw(metres), draw(st.floats(-1, 1))])
    assume(np.linalg.norm((target - eye_m)[:2]) > 1.0)
    return looking_at(eye_m, target), eye_m, target


@st.composite
def cameras(draw):
    cam_from_enu, _, _ = draw(poses())
    width, height = draw(st.integers(100, 4000)), draw(st.integers(100, 3000))
    return Camera("cam", width, height, intrinsics(width, height, draw(st.floats(0.3, 2.2))), cam_from_enu)


@given(poses(), points)
def test_there_and_back_is_the_identity(pose, xyz_m):
    cam_from_enu = pose[0]
    assert np.allclose(moved(inverse(cam_from_enu), moved(cam_from_enu, xyz_m)), xyz_m, atol=1e-9)
    assert np.allclose(inverse(inverse(cam_from_enu)), cam_from_enu, atol=1e-12)


@given(poses(), points)
def test_distances_and_handedness_are_kept(pose, xyz_m):
    there = moved(pose[0], xyz_m)
    assert np.allclose(np.linalg.norm(np.diff(there, axis=0), axis=1), np.linalg.norm(np.diff(xyz_m, axis=0), axis=1))
    assert np.isclose(np.linalg.det(pose[0][:3, :3]), 1.0)


@given(poses())
def test_a_camera_looks_at_its_target_and_stands_upright(pose):
    cam_from_enu, eye_m, target = pose
    seen = moved(cam_from_enu, target[None])[0]
    assert np.allclose(seen[:2], 0, atol=1e-9)
    assert np.isclose(seen[2], np.linalg.norm(target - eye_m))
    camera = Camera("cam", 100, 100, np.eye(3), cam_from_enu)
    assert np.allclose(eye(camera), eye_m, atol=1e-9)
    assert abs(axis(camera, "right")[2]) < 1e-12
    assert axis(camera, "down")[2] < 0


@given(cameras(), arrays(np.float64, (9, 2), elements=metres))
def test_ground_to_pixels_and_back_within_a_micrometre(camera, map_m):
    ground = np.column_stack([map_m, np.zeros(len(map_m))])
    ahead = depths(camera, ground) > 0.5
    px = pixels(camera, ground)[ahead]
    assert np.allclose(px, warped(px_from_map(camera), map_m[ahead]), atol=1e-6)
    back = warped(map_from_px(camera), px)
    assert np.abs(back - map_m[ahead]).max(initial=0) < 1e-6


@given(cameras(), st.floats(0.5, 60), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_ray_passes_through_the_pixel_it_was_made_for(camera, far_m, across, down):
    px = np.array([[across * camera.width, down * camera.height]])
    point = eye(camera) + far_m * rays(camera, px)
    assert np.allclose(pixels(camera, point), px, atol=1e-6)
