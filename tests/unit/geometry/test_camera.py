import numpy as np
import pytest

from sightline.geometry.camera import eye, intrinsics, pixels
from sightline.geometry.homography import map_from_px
from sightline.geometry.rigid import looking_at
from sightline.geometry.warp import warped
from sightline.model.camera import Camera


@pytest.fixture
def camera():
    pose = looking_at(np.array([0.0, 0.0, 5.0]), np.array([0.0, 10.0, 0.0]))
    return Camera("cam", 640, 360, intrinsics(640, 360, np.pi / 2), pose)


def test_what_a_camera_looks_at_is_in_the_middle_of_its_picture(camera):
    assert np.allclose(pixels(camera, np.array([[0.0, 10.0, 0.0]])), [[320, 180]])


def test_east_is_right_and_up_is_up_for_a_camera_that_looks_north(camera):
    east, up = pixels(camera, np.array([[1.0, 10.0, 0.0], [0.0, 10.0, 1.0]]))
    assert east[0] > 320
    assert up[1] < 180


def test_points_behind_the_lens_have_no_pixel(camera):
    assert np.isnan(pixels(camera, np.array([[0.0, -10.0, 5.0]]))).all()


def test_the_edges_of_the_picture_see_half_the_angle(camera):
    side = eye(camera) + 3 * (camera.cam_from_enu[2, :3] + camera.cam_from_enu[0, :3])
    assert np.isclose(pixels(camera, side[None])[0, 0], 640)


def test_pixels_above_the_horizon_are_nowhere_on_the_ground(camera):
    assert np.isnan(warped(map_from_px(camera), np.array([[320.0, -2000.0]]))).all()
    assert np.isfinite(warped(map_from_px(camera), np.array([[320.0, 350.0]]))).all()


def test_a_plane_through_the_lens_has_no_homography(camera):
    with pytest.raises(ValueError, match="cam"):
        map_from_px(camera, up_m=float(eye(camera)[2]))


def test_straight_down_is_refused():
    with pytest.raises(ValueError, match="straight"):
        looking_at(np.array([0.0, 0.0, 5.0]), np.zeros(3))
