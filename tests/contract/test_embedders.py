"""What every embedder must do, whichever it is."""

import numpy as np
import pytest

from sightline import wiring
from sightline.model.frame import Frame, Moment


@pytest.fixture
def needed(network, clip_checkpoint):
    rng = np.random.default_rng(0)
    look = {"look": rng.normal(0, 1, (1, 8)).astype(np.float32)}
    return {
        "onnx": {"weights": network(look, follows={"look": rng.normal(0, 1, (3, 8))}, size=(16, 8))},
        "clip": {"weights": clip_checkpoint()},
    }


@pytest.fixture(params=list(wiring.ENGINES["embedder"]))
def make(request, needed):
    return lambda: wiring.build("embedder", request.param, needed.get(request.param, {}))


def picture():
    rgb = np.random.default_rng(1).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    rgb[20:100, 30:60] = (200, 30, 30)
    rgb[20:100, 90:120] = (30, 30, 200)
    return Frame(Moment("a", 0, 0.0), rgb)


RED, BLUE = [30.0, 20, 60, 100], [90.0, 20, 120, 100]
NOTHING = [[200.0, 20, 230, 90], [50, 50, 50, 50], [60, 90, 30, 20], [40, 40, 43, 46], [np.nan, 0, 10, 30]]


def test_looks_have_length_one(make):
    looks = make().embed(picture(), np.array([RED, BLUE]))
    np.testing.assert_allclose(np.linalg.norm(looks, axis=1), 1)


def test_the_same_looks_the_same_and_others_less_so(make):
    looks = make().embed(picture(), np.array([RED, [31.0, 21, 59, 99], BLUE]))
    assert looks[0] @ looks[1] > 0.95 > looks[0] @ looks[2]


def test_a_look_does_not_depend_on_what_else_is_asked_for(make):
    embedder = make()
    together = embedder.embed(picture(), np.array([RED, BLUE, *NOTHING, RED]))
    alone = embedder.embed(picture(), np.array([BLUE]))
    np.testing.assert_allclose(together[1], alone[0], atol=1e-6)
    np.testing.assert_allclose(together[0], together[-1], atol=1e-6)


def test_where_there_is_nothing_to_see_the_look_is_unknown(make):
    looks = make().embed(picture(), np.array([*NOTHING, RED]))
    assert np.isnan(looks[:-1]).all()
    assert np.isfinite(looks[-1]).all()


def test_a_box_that_reaches_out_of_the_picture_shows_what_is_inside(make):
    assert np.isfinite(make().embed(picture(), np.array([[-20.0, -30, 40, 90], [120, 60, 300, 400]]))).all()


def test_no_boxes_no_looks(make):
    assert len(make().embed(picture(), np.zeros((0, 4)))) == 0


def test_neither_picture_nor_boxes_are_written(make):
    frame, boxes = picture(), np.array([RED, BLUE])
    before = frame.rgb.copy(), boxes.copy()
    make().embed(frame, boxes)
    np.testing.assert_array_equal(frame.rgb, before[0])
    np.testing.assert_array_equal(boxes, before[1])
