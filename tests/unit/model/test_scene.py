"""Scenes and lenses as values."""

import pickle

import numpy as np
import pytest

from sightline.model.lens import Lens, LensModel
from sightline.model.scene import MadeBy, Maps, Scale, Scene, SparsePoints, Views

LENS = Lens(LensModel.SIMPLE_RADIAL, 4, 3, np.array([5.0, 2.0, 1.5, 0.1]))


def views(*names):
    k = len(names)
    return Views(names, np.zeros(k, np.int64), np.tile(np.eye(4), (k, 1, 1)), np.ones(k, bool))


def test_a_lens_with_one_focal_length_has_it_across_and_down():
    assert LENS.focal_px == (5.0, 5.0)
    assert LENS.centre_px == (2.0, 1.5)
    assert LENS.distortion.tolist() == [0.1]


def test_a_pinhole_gives_its_matrix_back():
    matrix = np.array([[5.0, 0.0, 2.0], [0.0, 6.0, 1.5], [0.0, 0.0, 1.0]])
    lens = Lens.pinhole(4, 3, matrix)
    assert np.array_equal(lens.px_from_cam, matrix)
    assert len(lens.distortion) == 0


def test_a_lens_of_the_wrong_number_of_parameters_is_refused():
    with pytest.raises(ValueError, match="PINHOLE has 4 parameters, not 3"):
        Lens(LensModel.PINHOLE, 4, 3, np.ones(3))


@pytest.mark.parametrize("model", LensModel)
def test_every_formula_has_as_many_numbers_as_colmap_says(model):
    pycolmap = pytest.importorskip("pycolmap")
    camera = pycolmap.Camera.create_from_model_name(1, model.value, 100.0, 640, 480)
    names = camera.params_info.split(", ")
    assert model.n_params == len(names)
    assert model.has_one_focal == (names[0] == "f")
    assert Lens(model, 640, 480, np.asarray(camera.params)).px_from_cam == pytest.approx(camera.calibration_matrix())


def test_maps_are_as_large_as_their_lens():
    with pytest.raises(ValueError, match="depth is"):
        Maps(LENS, depth=np.zeros((4, 3), np.float32))


def test_maps_belong_to_views():
    with pytest.raises(ValueError, match="2 views, but 1 maps"):
        Scene((LENS,), views("a", "b"), MadeBy("made up", "0"), (None,))


def test_every_point_has_a_track():
    with pytest.raises(ValueError, match="1 points, but 1 starts"):
        SparsePoints(
            np.zeros((1, 3)), np.zeros((1, 3), np.uint8), np.zeros(1),
            np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros((0, 2)),
        )  # fmt: skip


def test_a_scene_travels_to_another_process():
    scene = Scene((LENS,), views("a"), MadeBy("sfm", "1", settings={"quality": "draft"}), scale=Scale.GPS)
    back = pickle.loads(pickle.dumps(scene))
    assert back.views.names == ("a",)
    assert back.made_by.settings == {"quality": "draft"}
    assert back.scale is Scale.GPS


def test_columns_cannot_be_written_but_the_callers_array_can():
    poses = np.tile(np.eye(4), (1, 1, 1))
    made = Views(("a",), np.zeros(1, np.int64), poses, np.ones(1, bool))
    poses[0, 0, 3] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        made.cam_from_scene[0, 0, 3] = 2.0


def test_only_an_unknown_scale_is_no_metre():
    assert [scale for scale in Scale if not scale.is_metric] == [Scale.UNKNOWN]
