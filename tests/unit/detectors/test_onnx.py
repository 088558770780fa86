from xml.etree import ElementTree as ET

import cv2
import numpy as np
import onnx
import pytest
from scipy.optimize import linear_sum_assignment

from sightline import wiring
from sightline.detectors.classes import COCO
from sightline.detectors.onnx import Onnx
from sightline.errors import EngineError, OptionError, WeightsError
from sightline.geometry.boxes import iou
from sightline.model.frame import Frame, Moment

PERSON, CAR = 0, 2
GRID = [(y, x, stride) for stride in (8, 16, 32) for y in range(64 // stride) for x in range(64 // stride)]
CELL = {cell: row for row, cell in enumerate(GRID)}


def yolox(boxes, n_classes=80, decoded=False, grid=GRID):
    """The answer of a YOLOX of 64x64 that sees ``boxes``: (cell, centre, size, objectness, class, score)."""
    y, x, stride = np.array(grid).T
    rows = np.zeros((len(grid), 5 + n_classes), np.float32)
    if decoded:
        rows[:, :4] = np.stack([x * stride + 1, y * stride + 1, stride, stride], axis=1)
    for (cy, cx, side), centre, size, objectness, label, score in boxes:
        row = rows[grid.index((cy, cx, side))]
        row[:2] = centre if decoded else np.array(centre) / side - (cx, cy)
        row[2:4] = size if decoded else np.log(np.array(size) / side)
        row[4], row[5 + label] = objectness, score
    return rows[None]


WALKER = ((3, 2, 8), (20, 30), (10, 12), 0.9, PERSON, 0.8)
LORRY = ((0, 1, 32), (40, 20), (30, 20), 0.8, CAR, 0.9)


@pytest.mark.parametrize("decoded", [False, True])
def test_yolox_boxes_come_back_to_the_pixel_from_a_picture_that_is_not_square(network, frame, decoded):
    """640x480 becomes 64x48 at the top left, so a pixel of the network is 10 of the picture."""
    found = Onnx(weights=network({"output": yolox([WALKER, LORRY], decoded=decoded)})).detect([frame()])[0]
    np.testing.assert_allclose(found.xyxy_px, [[150, 240, 250, 360], [250, 100, 550, 300]], atol=1e-3)
    np.testing.assert_allclose(found.score, [0.72, 0.72], atol=1e-6)
    assert [found.classes[label] for label in found.label] == ["person", "car"]


@pytest.mark.parametrize("decoded", [False, True])
def test_it_says_what_it_took_a_yolox_for(network, decoded):
    detector = Onnx(weights=network({"output": yolox([WALKER], decoded=decoded)}))
    assert ("decoded in the graph" in detector.describe()) == decoded
    assert "64x64, 80 classes" in detector.describe()


def test_an_upright_picture_is_letterboxed_with_whole_pixels(network, frame):
    """333x1000 becomes 21x64: 63.6 times 333 is 21.3, and the boxes know that it is 21."""
    net = network({"output": yolox([((3, 1, 8), (10.5, 32), (4, 8), 0.9, PERSON, 1.0)])})
    found = Onnx(weights=net).detect([frame(333, 1000)])[0]
    across, down = 333 / 21, 1000 / 64
    np.testing.assert_allclose(found.xyxy_px, [[8.5 * across, 28 * down, 12.5 * across, 36 * down]], atol=1e-3)


def test_yolox_sees_blue_first(network, frame):
    """The network's objectness follows its first channel: blue walls are seen, red ones are not."""
    answer = yolox([WALKER])
    follows = np.zeros((3, *answer.shape[1:]))
    row = CELL[WALKER[0]]
    follows[0, row, 4] = 0.9 / 255
    answer[0, row, 4] = 0
    detector = Onnx(weights=network({"output": answer}, follows={"output": follows}))
    red, blue = detector.detect([frame(rgb=(255, 0, 0), height=640), frame(rgb=(0, 0, 255), height=640)])
    assert len(red) == 0
    assert len(blue) == 1


def test_the_margin_of_a_letterbox_is_114(network, frame):
    """A black 640x320 picture covers half of the input: the mean the network sees is 57."""
    answer = yolox([WALKER])
    follows = np.zeros((3, *answer.shape[1:]))
    row = CELL[WALKER[0]]
    answer[0, row, 4], follows[:, row, 4] = 0, 1 / 3 / 255
    found = Onnx(weights=network({"output": answer}, follows={"output": follows}), score=0.1)
    assert found.detect([frame(height=320, rgb=(0, 0, 0))])[0].score == pytest.approx([57 / 255 * 0.8], abs=1e-6)


def test_a_person_only_head_of_six_columns(network, frame):
    found = Onnx(weights=network({"output": yolox([WALKER], n_classes=1)})).detect([frame()])[0]
    assert found.classes == ("object",)
    named = Onnx(weights=network({"output": yolox([WALKER], n_classes=1)}), names=["person"]).detect([frame()])[0]
    assert named.classes == ("person",)
    assert len(found) == len(named) == 1


def test_a_grid_with_stride_64(network, frame):
    grid = [*GRID, (0, 0, 64)]
    net = network({"output": yolox([WALKER, ((0, 0, 64), (32, 24), (64, 48), 0.9, CAR, 0.9)], grid=grid)})
    found = Onnx(weights=net).detect([frame()])[0]
    np.testing.assert_allclose(found.xyxy_px[0], [0, 0, 640, 480], atol=1e-3)


def test_the_best_of_overlapping_boxes_of_one_class_stays(network, frame):
    double = ((3, 3, 8), (20.5, 30), (10, 12), 0.9, PERSON, 0.7)
    other = ((2, 2, 8), (20, 30), (10, 12), 0.9, CAR, 0.6)
    net = network({"output": yolox([WALKER, double, other])})
    found = Onnx(weights=net).detect([frame()])[0]
    assert found.label.tolist() == [PERSON, CAR]
    assert found.score.tolist() == pytest.approx([0.72, 0.54])
    assert len(Onnx(weights=net, nms_iou=1.0).detect([frame()])[0]) == 3


def test_boxes_of_different_classes_do_not_meet_even_off_the_picture(network, frame):
    """Sorting labels apart by shifting boxes must not bring one that reaches out at the left top over another."""
    low = ((0, 0, 8), (-3, -3), (20, 20), 0.9, 1, 0.9)
    high = ((7, 7, 8), (61, 61), (20, 20), 0.9, 0, 0.8)
    found = Onnx(weights=network({"output": yolox([low, high])}), nms_iou=0.01).detect([frame(640, 640)])[0]
    assert found.label.tolist() == [1, 0]


def test_a_box_counts_by_objectness_times_class(network, frame):
    doubtful = ((3, 5, 8), (44, 30), (10, 12), 0.6, PERSON, 0.4)
    net = network({"output": yolox([doubtful])})
    assert len(Onnx(weights=net, score=0.25).detect([frame()])[0]) == 0
    assert Onnx(weights=net, score=0.23).detect([frame()])[0].score == pytest.approx([0.24])


def test_boxes_are_cut_at_the_edge_and_left_out_beyond_it(network, frame):
    partly = ((0, 0, 8), (0, 4), (10, 6), 0.9, PERSON, 0.9)
    beyond = ((7, 7, 8), (60, 60), (4, 4), 0.9, PERSON, 0.9)  # in the letterbox's margin
    found = Onnx(weights=network({"output": yolox([partly, beyond])})).detect([frame()])[0]
    np.testing.assert_allclose(found.xyxy_px, [[0, 10, 50, 70]], atol=1e-3)


def test_only_the_classes_asked_for(network, frame):
    net = network({"output": yolox([WALKER, LORRY])})
    found = Onnx(weights=net, classes=["car"]).detect([frame()])[0]
    assert [found.classes[label] for label in found.label] == ["car"]
    with pytest.raises(OptionError, match="no class 'lorry'; it knows: person, bicycle"):
        Onnx(weights=net, classes=["lorry"]).detect([frame()])


@pytest.mark.parametrize("text", ['["walker", "cone"]', "{0: 'walker', 1: 'cone'}", "walker, cone"])
def test_class_names_in_the_file(network, frame, text):
    net = network({"output": yolox([WALKER], n_classes=2)}, metadata={"names": text})
    assert Onnx(weights=net).detect([frame()])[0].classes == ("walker", "cone")
    assert Onnx(weights=net, names=["a", "b"]).detect([frame()])[0].classes == ("a", "b")
    with pytest.raises(OptionError, match="5 class names given, but the network has 2 classes"):
        Onnx(weights=net, names=list("abcde")).detect([frame()])


def test_nobody_knows_the_names(network, frame):
    found = Onnx(weights=network({"output": yolox([WALKER], n_classes=3)})).detect([frame()])[0]
    assert found.classes == ("class_0", "class_1", "class_2")


@pytest.mark.parametrize(("batch", "given"), [("n", None), ("n", 2), ("n", 64), (4, None), (1, 8)])
def test_batching_changes_nothing(network, frame, batch, given):
    """Objectness follows brightness, so that every picture has an answer of its own."""
    answer = yolox([WALKER, LORRY])
    follows = np.zeros((3, *answer.shape[1:]))
    follows[:, CELL[WALKER[0]], 4] = 1 / 3 / 255
    answer[0, CELL[WALKER[0]], 4] = 0
    net = network({"output": answer}, follows={"output": follows}, batch=batch)
    frames = [frame(64 + 16 * k, 64 + 16 * k, rgb=(40 * k,) * 3, index=k) for k in range(6)]
    together = Onnx(weights=net, batch=given, score=0.05).detect(frames)
    alone = Onnx(weights=net, score=0.05)
    for one, many in zip((alone.detect([each])[0] for each in frames), together, strict=True):
        np.testing.assert_allclose(one.xyxy_px, many.xyxy_px, atol=1e-4)
        np.testing.assert_allclose(one.score, many.score, atol=1e-6)
    assert len({tuple(found.score) for found in together}) == 6


def test_half_precision(network, frame):
    found = Onnx(weights=network({"output": yolox([WALKER])}, half=True)).detect([frame()])[0]
    np.testing.assert_allclose(found.xyxy_px, [[150, 240, 250, 360]], atol=0.5)


def test_any_size(network, frame):
    net = network({"output": yolox([WALKER])}, size=("height", "width"))
    found = Onnx(weights=net, size=64).detect([frame()])[0]
    np.testing.assert_allclose(found.xyxy_px, [[150, 240, 250, 360]], atol=1e-3)
    with pytest.raises(OptionError, match=r"size=128, but .* takes pictures of 64x64 only"):
        Onnx(weights=network({"output": yolox([WALKER])}), size=128).detect([frame()])


def test_nothing_seen_and_nothing_asked(network, frame):
    detector = Onnx(weights=network({"output": yolox([])}))
    assert detector.detect([]) == []
    assert len(detector.detect([frame()])[0]) == 0
    assert detector.detect([frame()])[0].classes == COCO


def test_what_is_not_a_number_is_not_a_box(network, frame):
    answer = yolox([WALKER, LORRY])
    answer[0, CELL[LORRY[0]], 2] = np.inf
    found = Onnx(weights=network({"output": answer})).detect([frame()])[0]
    assert found.label.tolist() == [PERSON]


def test_files_that_are_no_networks(tmp_path, frame):
    with pytest.raises(WeightsError, match=r"absent.onnx: no such file"):
        Onnx(weights=str(tmp_path / "absent.onnx"))
    with pytest.raises(WeightsError, match="a folder, not a file"):
        Onnx(weights=f"{tmp_path}/")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"\x08\x07\x12\x05hello" * 99)
    with pytest.raises(WeightsError, match=r"damaged.onnx: not a network that ONNX Runtime can open") as caught:
        Onnx(weights=str(damaged)).detect([frame()])
    assert "\n" not in str(caught.value)


def test_networks_that_are_no_detectors(network, frame):
    net = network({"embedding": np.zeros((1, 256), np.float32)})
    with pytest.raises(EngineError, match="outputs embedding 1x256; known are yolox, nanodet") as caught:
        Onnx(weights=net).detect([frame()])
    assert "\n" not in str(caught.value)
    net = network({"output": yolox([WALKER])}, more_inputs=[("im_shape", [1, 2])])
    with pytest.raises(EngineError, match=r"not a detector this engine can feed: inputs are .*im_shape"):
        Onnx(weights=net).detect([frame()])
    with pytest.raises(EngineError, match=r"not a rfdetr: .*outputs output 1x84x85"):
        Onnx(weights=network({"output": yolox([WALKER])}), family="rfdetr").detect([frame()])


def test_a_network_that_only_says_it_takes_any_batch(network, frame):
    net = network({"output": yolox([WALKER])}, batch="n", baked=1)
    assert len(Onnx(weights=net, batch=1).detect([frame(), frame()])) == 2
    with pytest.raises(EngineError, match=r"network failed on a batch of 2x3x64x64: .*; try batch=1") as caught:
        Onnx(weights=net, batch=2).detect([frame(), frame()])
    assert "\n" not in str(caught.value)


def test_it_is_built_from_texts(network, frame):
    given = {"weights": network({"output": yolox([WALKER, LORRY])}), "classes": "car,bus", "batch": "2", "score": "0.5"}
    assert wiring.build("detector", "onnx", given).detect([frame()])[0].label.tolist() == [CAR]
    with pytest.raises(OptionError, match="option 'family' = 'yolo'"):
        wiring.build("detector", "onnx", given | {"family": "yolo"})


def test_options_out_of_range(network):
    net = network({"output": yolox([])})
    for bad in ({"score": 0.0}, {"score": 1.1}, {"nms_iou": 0.0}, {"batch": 0}, {"threads": 0}, {"size": 0}):
        (option,) = bad
        with pytest.raises(OptionError, match=f"{option}="):
            Onnx(weights=net, **bad)


def test_cuda_that_is_not_there_says_what_to_install(network, frame):
    import onnxruntime as ort

    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("this is a CUDA build")
    with pytest.raises(OptionError, match=r"onnxruntime-gpu.*sightline\[gpu\]"):
        Onnx(weights=network({"output": yolox([])}), provider="cuda").detect([frame()])


def walkers(shared, every):
    """Pictures of the clip, and where people stand in them."""
    clip = cv2.VideoCapture(str(shared / "data/tracking/PETS09/pets09_s2l1_view001_480x360.mp4"))
    notes = ET.parse(shared / "data/tracking/PETS09/data/annotations/PETS2009-S2L1.xml")
    for index, note in enumerate(notes.getroot().iter("frame")):
        good, bgr = clip.read()
        if not good:
            return
        if index % every == 0:
            rows = np.array([[float(box.get(k)) for k in ("xc", "yc", "w", "h")] for box in note.iter("box")])
            half = rows[:, 2:] / 2
            truth = np.concatenate([rows[:, :2] - half, rows[:, :2] + half], axis=1) * 0.625
            yield Frame(Moment("c", index, index / 7), np.ascontiguousarray(bgr[..., ::-1])), truth


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "score", "precision", "recall"),
    [
        ("yolox_nano_416", 0.5, 0.80, 0.86),  # measured on every 16th picture: .85, .90
        ("nanodet_m_416", 0.5, 0.89, 0.83),  # .93, .87
        ("light_person_detector", 0.5, 0.70, 0.58),  # .76, .64
    ],
)
def test_real_networks_find_real_people(shared, file, score, precision, recall):
    detector = Onnx(weights=str(shared / "models" / f"{file}.onnx"), classes=["person"], score=score, threads=1)
    hits = n_found = n_true = 0
    for frame, truth in walkers(shared, every=32):
        found = detector.detect([frame])[0]
        overlap = iou(truth, found.xyxy_px)
        rows, cols = linear_sum_assignment(-overlap)
        hits += int((overlap[rows, cols] >= 0.5).sum())
        n_found, n_true = n_found + len(found), n_true + len(truth)
    assert hits / n_found > precision
    assert hits / n_true > recall


@pytest.mark.shared
def test_a_file_the_catalogue_knows_brings_its_class_names(shared):
    detector = Onnx(weights=str(shared / "models/light_person_detector.onnx"))
    frame, _ = next(walkers(shared, every=1))
    assert detector.detect([frame])[0].classes == ("person",)


@pytest.mark.shared
def test_a_network_that_is_no_detector_says_what_it_takes(shared, frame):
    net = str(shared / "models/person-reidentification-retail-0287.onnx")
    with pytest.raises(EngineError, match=r"inputs are inputs:0 \[1, 256, 128, 3\]"):
        Onnx(weights=net).detect([frame()])


@pytest.mark.shared
def test_a_real_yolox_that_decodes_in_its_graph_sees_the_same(shared, tmp_path):
    """The nodes that ``--decode_in_inference`` adds, put behind the real network."""
    model = onnx.version_converter.convert_version(onnx.load(shared / "models/yolox_nano_416.onnx"), 13)
    y, x, stride = np.array([(y, x, s) for s in (8, 16, 32) for y in range(416 // s) for x in range(416 // s)]).T
    constants = {
        "corner": np.stack([x, y], axis=1)[None].astype(np.float32),
        "stride": stride[None, :, None].astype(np.float32),
        "parts": np.array([2, 2, 81]),
    }
    model.graph.initializer.extend(onnx.numpy_helper.from_array(array, name) for name, array in constants.items())
    raw = model.graph.output[0].name
    for operator, inputs, outputs, more in (
        ("Split", [raw, "parts"], ["centre", "size", "rest"], {"axis": 2}),
        ("Add", ["centre", "corner"], ["moved"], {}),
        ("Mul", ["moved", "stride"], ["centre_px"], {}),
        ("Exp", ["size"], ["grown"], {}),
        ("Mul", ["grown", "stride"], ["size_px"], {}),
        ("Concat", ["centre_px", "size_px", "rest"], ["decoded"], {"axis": 2}),
    ):
        model.graph.node.append(onnx.helper.make_node(operator, inputs, outputs, **more))
    model.graph.output[0].name = "decoded"
    onnx.save(model, tmp_path / "decoded.onnx")
    plain, decoded = (
        Onnx(weights=str(path), threads=1)
        for path in (shared / "models/yolox_nano_416.onnx", tmp_path / "decoded.onnx")
    )
    assert "decoded in the graph" in decoded.describe()
    for frame, _ in walkers(shared, every=200):
        one, other = plain.detect([frame])[0], decoded.detect([frame])[0]
        np.testing.assert_allclose(one.xyxy_px, other.xyxy_px, atol=1e-3)
        assert one.label.tolist() == other.label.tolist()
        assert len(one) > 3


def test_two_of_them_share_nothing_and_pictures_are_left_as_they_were(network, frame):
    net = network({"output": yolox([WALKER])})
    first, second = Onnx(weights=net), Onnx(weights=net, classes=["car"])
    picture = frame()
    before = picture.rgb.copy()
    assert len(first.detect([picture])[0]) == 1
    assert len(second.detect([picture])[0]) == 0
    assert len(first.detect([picture])[0]) == 1
    assert (picture.rgb == before).all()
