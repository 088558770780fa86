"""transforms.json: what its cameras see, round trips, other programs' files, and damaged ones."""

import json
from dataclasses import replace

import numpy as np
import pytest
import trimesh

from sightline.errors import FormatError
from sightline.formats.scenes import nerfstudio
from sightline.geometry import lens as lenses
from sightline.geometry.rigid import moved
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import DensePoints, Scale, SparsePoints


def written(scene, folder, **more):
    nerfstudio.write(scene, folder, **more)
    return json.loads((folder / "transforms.json").read_text())


def test_cameras_see_the_cloud_where_the_scenes_do(scene, tmp_path):
    document = written(scene, tmp_path)
    cloud = trimesh.load(tmp_path / document["ply_file_path"]).vertices
    assert len(document["frames"]) == 3
    for view, frame in enumerate(document["frames"]):
        matrix = np.array(frame["transform_matrix"])
        opengl = trimesh.transform_points(cloud, np.linalg.inv(matrix))
        xyz = scene.sparse.xyz_scene
        cam = moved(scene.views.cam_from_scene[view], xyz)
        assert opengl * [1, -1, -1] == pytest.approx(cam, abs=1e-5)
        lens = scene.lenses[scene.views.lens[view]]
        assert (frame["w"], frame["h"], frame["cx"], frame["cy"]) == (lens.width, lens.height, *lens.centre_px)


def test_a_level_camera_is_upright_in_a_world_whose_z_is_up(scene, tmp_path):
    level = np.tile(np.eye(4), (4, 1, 1))
    frame = written(replace(scene, views=replace(scene.views, cam_from_scene=level)), tmp_path)["frames"][0]
    right, up, back = np.array(frame["transform_matrix"])[:3, :3].T
    assert up.tolist() == [0, 0, 1]
    assert right.tolist() == [1, 0, 0]
    assert back.tolist() == [0, -1, 0]


def test_what_is_written_comes_back(scene, tmp_path):
    nerfstudio.write(scene, tmp_path)
    found = nerfstudio.read(tmp_path)
    assert found.views.names == scene.views.names[:3]
    assert found.views.cam_from_scene == pytest.approx(scene.views.cam_from_scene[:3], abs=1e-9)
    assert found.dense.xyz_scene == pytest.approx(scene.sparse.xyz_scene, abs=1e-6)
    assert np.array_equal(found.dense.rgb, scene.sparse.rgb)
    assert found.made_by.weights_licence == "CC0"
    assert found.scale is Scale.POSES
    rays = np.random.default_rng(0).uniform([-0.4, -0.3, 1], [0.4, 0.3, 1], (50, 3))
    for view in range(3):
        ours, theirs = scene.lenses[scene.views.lens[view]], found.lenses[found.views.lens[view]]
        assert lenses.pixels(theirs, rays) == pytest.approx(lenses.pixels(ours, rays), abs=1e-9)


def test_dense_points_stand_in_for_sparse_ones(scene, tmp_path):
    nerfstudio.write(replace(scene, sparse=SparsePoints.none()), tmp_path)
    assert nerfstudio.read(tmp_path).dense.xyz_scene == pytest.approx(scene.dense.xyz_scene, abs=1e-6)
    nerfstudio.write(replace(scene, sparse=SparsePoints.none(), dense=DensePoints.none()), tmp_path)
    assert len(nerfstudio.read(tmp_path).dense) == 0


def test_lenses_that_there_are_no_words_for_are_refused(scene, tmp_path):
    full = Lens(LensModel.FULL_OPENCV, 48, 36, np.array([50.0, 50, 24, 18, *[0.01] * 8]))
    with pytest.raises(FormatError, match="no words for FULL_OPENCV; write straightened"):
        nerfstudio.write(replace(scene, lenses=(full, *scene.lenses[1:])), tmp_path)
    fish = Lens(LensModel.OPENCV_FISHEYE, 48, 36, np.array([50.0, 50, 24, 18, *[0.01] * 4]))
    with pytest.raises(FormatError, match="no room for fisheyes beside other lenses"):
        nerfstudio.write(replace(scene, lenses=(fish, *scene.lenses[1:])), tmp_path)
    nerfstudio.write(replace(scene, lenses=(fish, fish, *scene.lenses[2:])), tmp_path)
    assert nerfstudio.read(tmp_path).lenses[0].params.tolist() == fish.params.tolist()


def test_names_that_lead_elsewhere_are_refused_and_nothing_is_left(scene, tmp_path):
    odd = replace(scene, views=replace(scene.views, names=("../a.png", "b.png", "c.png", "d.png")))
    with pytest.raises(FormatError, match="no name for a file"):
        nerfstudio.write(odd, tmp_path)
    assert not list(tmp_path.iterdir())


FRAME = {"file_path": "./images/0.png", "transform_matrix": np.eye(4).tolist()}


def test_files_of_others_with_one_lens_for_all_are_read(tmp_path):
    document = {"w": 20, "h": 10, "camera_angle_x": np.pi / 2, "frames": [FRAME, FRAME]}
    (tmp_path / "transforms.json").write_text(json.dumps(document))
    found = nerfstudio.read(tmp_path / "transforms.json")
    assert len(found.lenses) == 1
    assert found.lenses[0].params == pytest.approx([10, 10, 10, 5])
    assert found.views.names == ("0.png", "0.png")
    assert found.views.cam_from_scene[0].tolist() == np.diag([1, -1, -1, 1]).tolist()


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "no list 'frames'"),
        ({"frames": [3]}, "frames[0]: no text 'file_path'"),
        ({"frames": [FRAME]}, "frames[0]: w is missing, expected a number"),
        ({"w": 5, "h": "x", "frames": [FRAME]}, "frames[0]: h is 'x', expected a number"),
        ({"w": 5, "h": 5, "frames": [FRAME]}, "fl_x is missing"),
        ({"w": 5, "h": 5, "fl_x": 5, "camera_model": "EYE", "frames": [FRAME]}, "camera_model 'EYE', expected one of"),
        (
            {"w": 5, "h": 5, "fl_x": 5, "frames": [{**FRAME, "transform_matrix": [[1, 2], [3]]}]},
            "frames[0]: transform_matrix: expected 3 rows of 4 numbers",
        ),
        (
            {"w": 5, "h": 5, "fl_x": 5, "frames": [{**FRAME, "transform_matrix": (2 * np.eye(4)).tolist()}]},
            "transform_matrix is no rotation and shift",
        ),
        ({"frames": [], "applied_transform": 5}, "applied_transform: expected 3 rows"),
        ({"frames": [], "applied_transform": np.zeros((3, 4)).tolist()}, "applied_transform is no rotation"),
        ({"frames": [], "ply_file_path": "../../secret.ply"}, "no name for a file in a folder"),
        ({"frames": [], "sightline": {"scale": "miles"}}, "sightline: 'miles' is not a valid Scale"),
    ],
)
def test_damaged_files_are_refused_by_name_with_what_is_wrong(tmp_path, document, what):
    path = tmp_path / "transforms.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(FormatError) as refused:
        nerfstudio.read(tmp_path)
    assert what in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)
