"""Looks from networks: pixels as they want them, answers as vectors."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from sightline.embedders.onnx import Onnx
from sightline.errors import EngineError, OptionError, WeightsError
from sightline.model.frame import Frame, Moment

BOX = np.array([[100.0, 100, 200, 300]])


def colours(network):
    """A network whose answer is the mean of each colour it was given."""
    return network({"look": np.zeros((1, 3), np.float32)}, follows={"look": np.eye(3)}, size=(16, 8))


def test_red_comes_first_less_its_mean_where_colours_come_first(network, frame):
    (look,) = Onnx(weights=colours(network)).embed(frame(rgb=(255, 128, 0)), BOX)
    wanted = (np.array([1, 128 / 255, 0]) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(look, wanted / np.linalg.norm(wanted), atol=1e-5)


@pytest.mark.parametrize(("pixels", "wanted"), [("bgr_255", [0, 128, 255]), ("half", [1, 128 / 127.5 - 1, -1])])
def test_pixels_can_be_said(network, frame, pixels, wanted):
    (look,) = Onnx(weights=colours(network), pixels=pixels).embed(frame(rgb=(255, 128, 0)), BOX)
    np.testing.assert_allclose(look, wanted / np.linalg.norm(wanted), atol=1e-5)


def test_blue_comes_first_where_colours_come_last(tmp_path, frame):
    nodes = [helper.make_node("ReduceMean", ["crops"], ["look"], axes=[1, 2], keepdims=0)]
    shapes = [("crops", [1, 16, 8, 3]), ("look", [1, 3])]
    taken, given = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes)
    model = helper.make_model(
        helper.make_graph(nodes, "last", [taken], [given]), opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    )
    onnx.save(model, tmp_path / "last.onnx")
    (look,) = Onnx(weights=str(tmp_path / "last.onnx")).embed(frame(rgb=(200, 100, 0)), BOX)
    np.testing.assert_allclose(look, np.array([0, 100, 200]) / np.hypot(100, 200), atol=1e-5)


def test_only_what_is_in_the_box_counts(network, frame):
    rgb = frame(rgb=(0, 0, 0)).rgb.copy()
    rgb[100:300, 100:200] = (10, 200, 90)
    inside = Onnx(weights=colours(network)).embed(Frame(Moment("a", 0, 0.0), rgb), BOX)
    alone = Onnx(weights=colours(network)).embed(frame(rgb=(10, 200, 90)), BOX)
    np.testing.assert_allclose(inside, alone, atol=1e-5)


def test_a_network_for_single_crops_sees_each(network, frame):
    embedder = Onnx(weights=colours(network), pixels="bgr_255")
    looks = embedder.embed(frame(rgb=(9, 8, 7)), np.repeat(BOX, 5, axis=0))
    assert looks.shape == (5, 3)
    np.testing.assert_allclose(looks, looks[:1].repeat(5, axis=0))


def test_what_is_no_network_is_refused_at_the_first_picture(tmp_path, frame):
    (tmp_path / "bad.onnx").write_bytes(b"not a network")
    with pytest.raises(WeightsError, match=r"bad\.onnx: not a network"):
        Onnx(weights=str(tmp_path / "bad.onnx")).embed(frame(), BOX)


def test_a_network_that_takes_sizes_too_is_refused(network, frame):
    sized = network({"look": np.zeros((1, 3), np.float32)}, more_inputs=[("orig_target_sizes", [1, 2])])
    with pytest.raises(EngineError, match="inputs are"):
        Onnx(weights=sized).embed(frame(), BOX)


def test_a_network_for_just_four_crops_is_refused(network, frame):
    with pytest.raises(EngineError, match="exactly 4"):
        Onnx(weights=network({"look": np.zeros((4, 3), np.float32)}, batch=4, baked=4)).embed(frame(), BOX)


def test_no_threads_is_an_error(network):
    with pytest.raises(OptionError, match="threads=0"):
        Onnx(weights=colours(network), threads=0)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["0287", "0288"])
def test_real_networks_tell_a_person_from_another_and_the_ground(shared, name):
    """Two pictures of PETS a second apart; boxes of the annotation."""
    from sightline.sources.video import Video

    clip = shared / "data/tracking/PETS09/pets09_s2l1_view001_480x360.mp4"
    frames = list(zip(range(8), Video(clip, assume_fps=7.0, parallel=False).frames(), strict=False))
    first, later = frames[0][1], frames[3][1]
    path = shared / f"models/person-reidentification-retail-{name}.onnx"
    embedder = Onnx(weights=str(path), threads=1)
    people = _people(shared)
    before, after = (embedder.embed(f, np.stack(list(people[k].values()))) for k, f in ((0, first), (3, later)))
    ground = embedder.embed(first, np.array([[20.0, 250, 60, 350]]))
    alike = before @ after.T
    assert list(people[0]) == list(people[3])
    np.testing.assert_array_equal(alike.argmax(axis=1), np.arange(len(before)))
    assert (before @ ground.T).max() < np.diag(alike).min()


def _people(shared):
    """Boxes of whoever is in both pictures, by picture and number."""
    from xml.etree import ElementTree as ET

    root = ET.parse(shared / "data/tracking/PETS09/data/annotations/PETS2009-S2L1.xml").getroot()
    found = {}
    for frame in root:
        if (number := int(frame.get("number"))) in {0, 3}:
            boxes = {}
            for person in frame.iter("object"):
                xc, yc, w, h = (0.625 * float(person.find("box").get(k)) for k in ("xc", "yc", "w", "h"))
                boxes[person.get("id")] = [xc - w / 2, yc - h / 2, xc + w / 2, yc + h / 2]
            found[number] = boxes
    common = sorted(found[0].keys() & found[3].keys())
    return {k: {i: np.array(boxes[i]) for i in common} for k, boxes in found.items()}
