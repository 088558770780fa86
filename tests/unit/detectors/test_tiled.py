import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.detectors.tiled import Tiled, _outermost, _tiles
from sightline.errors import OptionError, WeightsError


@pytest.fixture
def sees(network):
    """A network of 64 x 64 that sees one thing, wherever it looks: centre and size as shares of the picture."""

    def made(*box, score=4.0):
        label = np.where(np.arange(91) == 1, score, -9.0).astype(np.float32)[None, None]
        return network({"dets": np.array([[box]], np.float32), "labels": label})

    return made


def test_each_tile_is_looked_at_and_the_whole(sees, frame):
    detector = Tiled(weights=sees(0.5, 0.5, 0.25, 0.25), tile_px=64, overlap=0.0)
    (found,) = detector.detect([frame(128, 192)])
    corners = sorted(found.xyxy_px.round(3).tolist())
    small = [[x + 24, y + 24, x + 40, y + 40] for x in (0, 64) for y in (0, 64, 128)]
    assert corners == sorted([*small, [48, 72, 80, 120]])


def test_a_picture_no_larger_than_a_tile_is_looked_at_once(sees, frame):
    (found,) = Tiled(weights=sees(0.5, 0.5, 0.5, 0.5), tile_px=64).detect([frame(64, 64)])
    np.testing.assert_allclose(found.xyxy_px, [[16, 16, 48, 48]], atol=1e-3)


def test_what_a_seam_cuts_off_is_left_out_but_not_what_the_picture_s_edge_does(sees, frame):
    (found,) = Tiled(weights=sees(0.1, 0.5, 0.2, 0.2), tile_px=64, overlap=0.0).detect([frame(192, 64)])
    assert found.xyxy_px[:, 0].tolist() == [0.0]


def test_of_boxes_in_one_another_the_better_one_stays_unless_they_are_of_other_classes():
    boxes = np.array([[0, 0, 10, 10], [1, 1, 6, 6], [8, 8, 20, 20], [1, 1, 6, 6]], float)
    assert _outermost(boxes, np.array([0, 0, 0, 1]), 0.6).tolist() == [0, 2, 3]


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(64, 1000), st.floats(0, 0.9))
def test_tiles_leave_nothing_out(width, height, side, overlap):
    places = np.array(list(_tiles(width, height, side, overlap)))
    for axis, length in enumerate((width, height)):
        starts = np.unique(places[:, axis])
        assert starts[0] == 0
        assert starts[-1] + side >= length
        assert (np.diff(starts) <= side).all()


@pytest.mark.parametrize("wrong", [{"tile_px": 8}, {"overlap": 0.95}, {"inside": 0.0}])
def test_options_that_make_no_sense_are_named(sees, wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        Tiled(weights=sees(0.5, 0.5, 0.1, 0.1), **wrong)


def test_weights_that_are_not_there_are_named(tmp_path):
    with pytest.raises(WeightsError, match="nowhere"):
        Tiled(weights=str(tmp_path / "nowhere.onnx"))
