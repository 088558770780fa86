"""Lenses against COLMAP's own, and depth against the cameras that saw it."""

import numpy as np
import pycolmap
import pytest

from sightline.geometry import lens as lenses
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import Maps

BENT = {
    LensModel.SIMPLE_PINHOLE: [],
    LensModel.PINHOLE: [],
    LensModel.SIMPLE_RADIAL: [-0.1],
    LensModel.RADIAL: [-0.1, 0.03],
    LensModel.OPENCV: [-0.1, 0.03, 0.002, -0.003],
    LensModel.FULL_OPENCV: [-0.1, 0.03, 0.002, -0.003, 0.01, 0.02, 0.005, -0.004],
    LensModel.SIMPLE_RADIAL_FISHEYE: [-0.1],
    LensModel.RADIAL_FISHEYE: [-0.1, 0.03],
    LensModel.OPENCV_FISHEYE: [-0.1, 0.03, 0.01, -0.02],
}


def bent(model):
    focal = [500.0] if model.has_one_focal else [500.0, 510.0]
    return Lens(model, 640, 480, np.array([*focal, 318.0, 241.0, *BENT[model]]))


@pytest.mark.parametrize("model", LensModel)
def test_pixels_are_those_of_colmap(model):
    lens = bent(model)
    camera = pycolmap.Camera(model=model.value, width=640, height=480, params=lens.params)
    xyz = np.random.default_rng(1).uniform([-1, -0.7, 1], [1, 0.7, 3], (200, 3))
    xyz[0] = [0.0, 0.0, 2.0]
    assert lenses.pixels(lens, xyz) == pytest.approx(np.asarray(camera.img_from_cam(xyz)), abs=1e-9)


@pytest.mark.parametrize("model", LensModel)
def test_pixels_are_straightened_to_the_directions_they_came_from(model):
    lens = bent(model)
    flat = np.random.default_rng(1).uniform([-0.6, -0.45], [0.6, 0.45], (300, 2))
    flat[0] = 0.0
    px = lenses.pixels(lens, np.column_stack([flat, np.ones(300)]))
    assert lenses.straightened(lens, px) == pytest.approx(flat, abs=1e-7)


def test_a_pixel_that_the_lens_never_reaches_has_no_direction():
    lens = Lens(LensModel.SIMPLE_RADIAL, 640, 480, np.array([500.0, 320.0, 240.0, -0.5]))
    found = lenses.straightened(lens, np.array([[320.0, 240.0], [900.0, 240.0]]))
    assert found[0].tolist() == [0.0, 0.0]
    assert np.isnan(found[1]).all()


def test_what_is_behind_the_lens_has_no_pixel():
    behind = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
    assert np.isnan(lenses.pixels(bent(LensModel.OPENCV), behind)).all()


def test_depth_becomes_points_that_are_seen_where_they_were():
    lens = Lens(LensModel.PINHOLE, 7, 5, np.array([6.0, 7.0, 3.4, 2.6]))
    random = np.random.default_rng(2)
    depth = random.uniform(1, 4, (5, 7)).astype(np.float32)
    pose = np.eye(4)
    pose[:3, :3] = np.linalg.qr(random.normal(size=(3, 3)))[0]
    pose[:3, :3] *= np.sign(np.linalg.det(pose[:3, :3]))
    pose[:3, 3] = [1.0, 2.0, 3.0]
    found = lenses.points(Maps(lens, depth=depth), pose)
    cam = found @ pose[:3, :3].T + pose[:3, 3]
    assert cam[..., 2] == pytest.approx(depth, abs=1e-5)
    across, down = np.meshgrid(np.arange(7) + 0.5, np.arange(5) + 0.5)
    assert lenses.pixels(lens, cam) == pytest.approx(np.stack([across, down], -1), abs=1e-4)


def test_no_depth_is_no_points():
    with pytest.raises(ValueError, match="no depth"):
        lenses.points(Maps(bent(LensModel.PINHOLE)), np.eye(4))
