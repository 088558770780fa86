"""COLMAP models: round trips, COLMAP itself as the other reader and writer, and damaged files."""

import json
from dataclasses import replace

import numpy as np
import pycolmap
import pytest

from sightline.errors import FormatError
from sightline.formats.scenes import colmap
from sightline.model.lens import LensModel
from sightline.model.scene import SparsePoints, Views

FORMS = pytest.mark.parametrize("text", [False, True], ids=["binary", "text"])


@pytest.fixture
def blankless(scene):
    """The scene with names that COLMAP's text has room for."""
    return replace(scene, views=replace(scene.views, names=("a.png", "sub/b.jpg", "c.png", "d.png")))


def same(found, scene):
    """Whether the registered views and sparse points are equal."""
    assert found.views.names == scene.views.names[:3]
    assert found.views.lens.tolist() == scene.views.lens[:3].tolist()
    assert found.views.cam_from_scene == pytest.approx(scene.views.cam_from_scene[:3], abs=1e-12)
    for one, other in zip(found.lenses, scene.lenses, strict=True):
        assert (one.model, one.width, one.height) == (other.model, other.width, other.height)
        assert np.array_equal(one.params, other.params)
    for name in SparsePoints.__slots__:
        assert np.array_equal(getattr(found.sparse, name), getattr(scene.sparse, name)), name


@FORMS
def test_what_is_written_comes_back(blankless, tmp_path, text):
    colmap.write(blankless, tmp_path / "m", text=text)
    same(colmap.read(tmp_path / "m"), blankless)
    assert json.loads((tmp_path / "m" / colmap.ABOUT).read_text())["weights_licence"] == "CC0"


@FORMS
def test_colmap_reads_the_same(blankless, tmp_path, text):
    colmap.write(blankless, tmp_path, text=text)
    model = pycolmap.Reconstruction(tmp_path)
    assert model.is_valid()
    assert model.num_reg_images() == 3
    for k, name in enumerate(blankless.views.names[:3]):
        image = model.image(k + 1)
        lens = blankless.lenses[blankless.views.lens[k]]
        assert image.name == name
        assert image.cam_from_world().matrix() == pytest.approx(blankless.views.cam_from_scene[k, :3], abs=1e-9)
        assert image.camera.model.name == lens.model
        assert np.array_equal(image.camera.params, lens.params)
        assert (image.camera.width, image.camera.height) == (lens.width, lens.height)
    sparse = blankless.sparse
    for k in range(len(sparse)):
        point = model.point3D(k + 1)
        rows = slice(sparse.track_start[k], sparse.track_start[k + 1])
        assert np.array_equal(point.xyz, sparse.xyz_scene[k])
        assert np.array_equal(point.color, sparse.rgb[k])
        assert point.error == sparse.error_px[k]
        seen = [(e.image_id - 1, *model.image(e.image_id).point2D(e.point2D_idx).xy) for e in point.track.elements]
        assert seen == list(zip(sparse.track_view[rows], *sparse.track_xy_px[rows].T, strict=True))


@FORMS
def test_what_colmap_writes_is_read(tmp_path, text):
    options = pycolmap.SyntheticDatasetOptions(
        num_rigs=2, num_frames_per_rig=3, num_points3D=50, num_points2D_without_point3D=5
    )
    model = pycolmap.synthesize_dataset(options)
    (model.write_text if text else model.write_binary)(tmp_path)
    found = colmap.read(tmp_path)
    images = [model.image(k) for k in sorted(model.images)]
    assert found.views.names == tuple(image.name for image in images)
    poses = np.array([image.cam_from_world().matrix() for image in images])
    assert found.views.cam_from_scene[:, :3] == pytest.approx(poses, abs=1e-9)
    ids = sorted(model.points3D)
    expected = np.array([model.point3D(k).xyz for k in ids])
    assert found.sparse.xyz_scene[np.argsort(found.sparse.xyz_scene[:, 0])] == pytest.approx(
        expected[np.argsort(expected[:, 0])], abs=1e-9
    )
    assert len(found.sparse.track_view) == sum(model.point3D(k).track.length() for k in ids)


@FORMS
def test_a_scene_of_nothing_is_a_model_of_nothing(scene, tmp_path, text):
    empty = Views((), np.zeros(0, np.int64), np.zeros((0, 4, 4)), np.zeros(0, bool))
    nothing = replace(scene, lenses=(), views=empty, maps=(), sparse=SparsePoints.none())
    colmap.write(nothing, tmp_path, text=text)
    found = colmap.read(tmp_path)
    assert (len(found.views), len(found.sparse), found.lenses) == (0, 0, ())
    assert pycolmap.Reconstruction(tmp_path).num_images() == 0


def test_points_without_tracks_are_written_too(scene, tmp_path):
    bare = SparsePoints(
        np.ones((3, 3)), np.zeros((3, 3), np.uint8), np.full(3, np.nan),
        np.zeros(4, np.int64), np.zeros(0, np.int64), np.zeros((0, 2)),
    )  # fmt: skip
    colmap.write(scene, tmp_path, points=bare)
    assert pycolmap.Reconstruction(tmp_path).num_points3D() == 3
    assert np.isnan(colmap.read(tmp_path).sparse.error_px).all()


def test_points_seen_by_views_without_a_place_lose_those_rows(scene, tmp_path):
    view = scene.sparse.track_view.copy()
    view[scene.sparse.track_start[1] : scene.sparse.track_start[2]] = 3
    colmap.write(replace(scene, sparse=replace(scene.sparse, track_view=view)), tmp_path)
    found = colmap.read(tmp_path).sparse
    assert len(found) == len(scene.sparse)
    assert np.diff(found.track_start)[1] == 0
    assert np.delete(np.diff(found.track_start), 1).tolist() == np.delete(np.diff(scene.sparse.track_start), 1).tolist()


def test_names_with_blanks_are_refused_in_text_and_nothing_is_left(scene, tmp_path):
    with pytest.raises(FormatError, match=r"images\.txt has no room for 'c c\.png'"):
        colmap.write(scene, tmp_path, text=True)
    assert not list(tmp_path.iterdir())


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(FormatError, match="no COLMAP model; it has cameras, images, points3D"):
        colmap.read(tmp_path)


@pytest.mark.parametrize("name", ["cameras.bin", "images.bin", "points3D.bin"])
def test_binary_files_that_are_cut_or_too_long_are_refused(scene, tmp_path, name):
    colmap.write(scene, tmp_path)
    whole = (tmp_path / name).read_bytes()
    for cut in {0, 3, 8, 20, len(whole) // 2, len(whole) - 1}:
        (tmp_path / name).write_bytes(whole[:cut])
        with pytest.raises(FormatError, match=name):
            colmap.read(tmp_path)
    (tmp_path / name).write_bytes(whole + b"\0")
    with pytest.raises(FormatError, match=rf"{name}: 1 bytes too many"):
        colmap.read(tmp_path)
    (tmp_path / name).write_bytes(b"\xff" * 8 + whole[8:])
    with pytest.raises(FormatError, match=rf"{name}: cut off at byte 8"):
        colmap.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "line", "what"),
    [
        ("cameras.txt", "1 FOV 10 10 1 2 3 4 5", "lens model 'FOV' is not known here"),
        ("cameras.txt", "1 PINHOLE 10 10 1 2 3", "3 parameters, PINHOLE has 4"),
        ("cameras.txt", "1 PINHOLE", "2 words, expected CAMERA_ID"),
        ("cameras.txt", "1 PINHOLE x 10 1 2 3 4", "could not convert"),
        ("images.txt", "1 1 0 0 0 0 0 0 1", "9 words, expected IMAGE_ID"),
        ("images.txt", "9 1 0 0 0 0 0 0 7 x.png", "images: there is no camera 7"),
        ("images.txt", "1 1 0 0 0 0 0 0 1 x.png", "images: id 1 is there twice"),
        ("images.txt", "9 0 0 0 0 0 0 0 1 x.png", "image 9 has a quaternion that is no rotation"),
        ("images.txt", "9 1 0 0 0 0 0 0 1 x.png\n1 2", "2 numbers, expected X Y POINT3D_ID"),
        ("points3D.txt", "1 2 3", "3 numbers, expected POINT3D_ID X Y Z"),
        ("points3D.txt", "99 0 0 0 0 0 0 1 55 0", "points3D: there is no image 55"),
        ("points3D.txt", "99 0 0 0 0 0 0 1 1 5000", "image 1 has no keypoint 5000"),
    ],
)
def test_lines_that_mean_nothing_are_refused(blankless, tmp_path, name, line, what):
    colmap.write(blankless, tmp_path, text=True)
    with (tmp_path / name).open("a") as stream:
        stream.write(f"{line}\n")
    with pytest.raises(FormatError) as refused:
        colmap.read(tmp_path)
    assert what in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path))
    assert "\n" not in str(refused.value)


def test_every_lens_model_has_colmaps_number():
    numbers = {k: pycolmap.CameraModelId.__members__[m.value] for k, m in colmap.colmap_binary.MODEL_IDS.items()}
    assert {k: int(member) for k, member in numbers.items()} == {k: k for k in numbers}
    assert {*colmap.colmap_binary.MODEL_IDS.values()} == {*LensModel}
