"""Straightened pictures and the model beside them."""

from dataclasses import replace

import cv2
import numpy as np
import pycolmap
import pytest

from sightline.errors import FormatError
from sightline.formats.scenes import undistorted
from sightline.geometry import lens as lenses
from sightline.geometry.rigid import looking_at, moved
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import DensePoints, MadeBy, Scene, SparsePoints, Views

BENT = {
    "barrel": Lens(LensModel.SIMPLE_RADIAL, 320, 240, np.array([250.0, 161.0, 118.0, -0.12])),
    "pincushion": Lens(LensModel.OPENCV, 320, 240, np.array([250.0, 255.0, 161.0, 118.0, 0.1, 0.02, 0.003, -0.002])),
    "fisheye": Lens(LensModel.OPENCV_FISHEYE, 320, 240, np.array([200.0, 200.0, 160.0, 120.0, 0.01, 0.0, 0.0, 0.0])),
    "none": Lens(LensModel.SIMPLE_PINHOLE, 320, 240, np.array([250.0, 160.0, 120.0])),
}


def dotted(lens, xyz, cam_from_scene):
    """A picture of white dots where points are, by the distorted lens."""
    px = lenses.pixels(lens, moved(cam_from_scene, xyz))
    down, across = np.mgrid[: lens.height, : lens.width] + 0.5
    distance = np.hypot(across[..., None] - px[:, 0], down[..., None] - px[:, 1]).min(axis=-1)
    grey = (255 * np.exp(-((distance / 2) ** 2))).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2), px


def world(lens):
    """Three views of a grid of points."""
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 7)] * 2), -1).reshape(-1, 2)
    xyz = np.column_stack([grid, np.zeros(len(grid))])
    poses = np.stack([looking_at(np.array([x, -0.3, 3.0]), np.zeros(3)) for x in (-0.7, 0.1, 0.8)])
    pictures, seen = zip(*[dotted(lens, xyz, pose) for pose in poses], strict=True)
    n = len(xyz)
    sparse = SparsePoints(
        xyz, np.full((n, 3), 255, np.uint8), np.ones(n), np.arange(0, 3 * n + 1, 3),
        np.tile(np.arange(3), n), np.stack(seen, axis=1).reshape(-1, 2),
    )  # fmt: skip
    views = Views(("a.png", "sub/b.png", "c.heic"), np.zeros(3, np.int64), poses, np.ones(3, bool))
    return Scene((lens,), views, MadeBy("made up", "1"), sparse=sparse), pictures


@pytest.mark.parametrize("kind", BENT)
def test_points_are_where_a_pinhole_sees_them_in_pictures_and_in_tracks(tmp_path, kind):
    scene, pictures = world(BENT[kind])
    undistorted.write(scene, tmp_path, lambda view: pictures[view])
    model = pycolmap.Reconstruction(tmp_path / "sparse" / "0")
    assert model.num_reg_images() == 3
    assert len(model.points3D) > 20
    for image in model.images.values():
        assert image.camera.model.name == "PINHOLE"
        rgb = cv2.imread(str(tmp_path / "images" / image.name))
        assert rgb.shape == (240, 320, 3)
        for point in image.points2D:
            px = image.project_point(model.point3D(point.point3D_id).xyz)
            assert point.xy == pytest.approx(px, abs=1e-3)
            column, row = np.floor(px).astype(int)
            if 3 < column < 316 and 3 < row < 236:
                patch = rgb[row - 3 : row + 4, column - 3 : column + 4, 0].astype(float)
                down, across = np.mgrid[row - 3 : row + 4, column - 3 : column + 4] + 0.5
                centre = np.array([(patch * across).sum(), (patch * down).sum()]) / patch.sum()
                assert centre == pytest.approx(px, abs=0.6)


@pytest.mark.parametrize("kind", BENT)
def test_no_border_is_blank(tmp_path, kind):
    lens = BENT[kind]
    scene, _ = world(lens)
    undistorted.write(scene, tmp_path, lambda view: np.full((240, 320, 3), 200, np.uint8))
    for name in ("a.png", "sub/b.png", "c.heic.png"):
        assert (cv2.imread(str(tmp_path / "images" / name)) == 200).mean() > 0.99


def test_a_pinhole_stays_as_it_is(tmp_path):
    scene, pictures = world(BENT["none"])
    undistorted.write(scene, tmp_path, lambda view: pictures[view])
    assert np.array_equal(cv2.imread(str(tmp_path / "images" / "a.png"))[..., ::-1], pictures[0])


def test_a_picture_of_another_size_is_refused_and_nothing_is_left(tmp_path):
    scene, _ = world(BENT["none"])
    with pytest.raises(FormatError, match=r"picture 'a\.png' is 30 x 20, its lens 320 x 240"):
        undistorted.write(scene, tmp_path, lambda view: np.zeros((20, 30, 3), np.uint8))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "a/../../b.png", "", "c:\\a.png"])
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    scene, pictures = world(BENT["none"])
    odd = replace(scene, views=replace(scene.views, names=(name, "b.png", "c.png")))
    with pytest.raises(FormatError, match="no name for a file in a folder"):
        undistorted.write(odd, tmp_path / "out", lambda view: pictures[view])
    assert not list(tmp_path.rglob("*.png"))


def test_without_sparse_points_some_of_the_dense_ones_are_handed_over(tmp_path):
    scene, pictures = world(BENT["none"])
    xyz = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    xyz[4] = np.nan
    dense = DensePoints(xyz, np.zeros((50, 3), np.uint8))
    bare = replace(scene, sparse=SparsePoints.none(), dense=dense)
    undistorted.write(bare, tmp_path, lambda view: pictures[view])
    assert pycolmap.Reconstruction(tmp_path / "sparse" / "0").num_points3D() == 49
    assert len(undistorted.sparse_of(dense, most=10)) == 10


def test_what_was_in_the_folder_stays(tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    scene, pictures = world(BENT["none"])
    undistorted.write(scene, tmp_path, lambda view: pictures[view])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["images", "mine.txt", "sparse"]
