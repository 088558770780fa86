"""The families beside YOLOX, on networks with known answers."""

import numpy as np
import pytest

from sightline.detectors.classes import COCO, COCO_IDS
from sightline.detectors.onnx import Onnx
from sightline.errors import EngineError, OptionError

PERSON, CAR = 0, 2
COUNTS = {8: 64, 16: 16, 32: 4}


def far(*strides):
    """A distribution per side that says exactly so many strides; halves lie between two."""
    logits = np.full((4, 8), -50.0, np.float32)
    for side, distance in zip(logits, strides, strict=True):
        side[[int(np.floor(distance)), int(np.ceil(distance))]] = 50
    return logits.ravel()


def nanodet(n_classes=80):
    """Answers of a NanoDet of 64x64 seeing a person from (3, 2) of the fine grid, a car from (0, 1) of the coarse."""
    answers = {}
    for stride, count in COUNTS.items():
        answers[f"cls_pred_stride_{stride}"] = np.zeros((1, count, n_classes), np.float32)
        answers[f"dis_pred_stride_{stride}"] = np.tile(far(1, 2, 3, 4), (1, count, 1))
    answers["cls_pred_stride_8"][0, 3 * 8 + 2, PERSON] = 0.8
    answers["dis_pred_stride_8"][0, 3 * 8 + 2] = far(0.5, 1, 1.5, 2)
    answers["cls_pred_stride_32"][0, 1, CAR] = 0.6
    answers["dis_pred_stride_32"][0, 1] = far(0.5, 0, 0.5, 1)
    return answers


NANODET_BOXES_NET = [[20 - 4, 28 - 8, 20 + 12, 28 + 16], [48 - 16, 16, 48 + 16, 16 + 32]]
"""From the middle of the cells (x 16..24, y 24..32) and (x 32..64, y 0..32)."""


def test_nanodet_keeps_the_shape_in_the_middle_of_the_input(network, frame):
    """640x480 becomes 64x48 with 8 rows above."""
    found = Onnx(weights=network(nanodet(), image="input.1")).detect([frame()])[0]
    expected = (np.array(NANODET_BOXES_NET) - [0, 8, 0, 8]) * 10
    np.testing.assert_allclose(found.xyxy_px, expected, atol=1e-3)
    assert [found.classes[label] for label in found.label] == ["person", "car"]
    assert found.score == pytest.approx([0.8, 0.6])


@pytest.mark.parametrize("how", ["columns first", "maps", "other names", "logits"])
def test_nanodets_exported_in_other_ways(network, frame, how):
    answers = nanodet()
    if how == "columns first":
        answers = {name: array.swapaxes(1, 2) for name, array in answers.items()}
    elif how == "maps":
        sides = {64: 8, 16: 4, 4: 2}
        answers = {
            name: array.swapaxes(1, 2).reshape(1, -1, sides[array.shape[1]], sides[array.shape[1]])
            for name, array in answers.items()
        }
    elif how == "other names":
        answers = {str(790 + 3 * k): array for k, array in enumerate(reversed(answers.values()))}
    else:
        with np.errstate(divide="ignore"):
            answers = {
                name: np.clip(np.log(array / (1 - array)), -30, 30) if "cls" in name else array
                for name, array in answers.items()
            }
    found = Onnx(weights=network(answers)).detect([frame(640, 640)])[0]
    np.testing.assert_allclose(found.xyxy_px, np.array(NANODET_BOXES_NET) * 10, atol=1e-3)
    assert found.score == pytest.approx([0.8, 0.6])


def test_a_nanodet_of_32_classes_is_told_by_its_probabilities(network, frame):
    answers = {str(k): array for k, array in enumerate(nanodet(32).values())}
    found = Onnx(weights=network(answers)).detect([frame(640, 640)])[0]
    assert len(found.classes) == 32
    np.testing.assert_allclose(found.xyxy_px, np.array(NANODET_BOXES_NET) * 10, atol=1e-3)


def test_nanodet_plus_looks_from_the_corner_and_stretches(network, frame):
    """One answer for the strides 8 to 64; a pixel of the network is 10 across and 7.5 down."""
    answer = np.zeros((1, 64 + 16 + 4 + 1, 112), np.float32)
    answer[0, 3 * 8 + 2, PERSON] = 0.8
    answer[0, 3 * 8 + 2, 80:] = far(0.5, 1, 1.5, 2)
    answer[0, -1, CAR] = 0.6
    answer[0, -1, 80:] = far(0, 0, 1, 0.5)
    detector = Onnx(weights=network({"output": answer}))
    found = detector.detect([frame()])[0]
    expected = np.array([[16 - 4, 24 - 8, 16 + 12, 24 + 16], [0, 0, 64, 32]]) * [10, 7.5, 10, 7.5]
    np.testing.assert_allclose(found.xyxy_px, expected, atol=1e-3)
    assert "nanodet-plus" in detector.describe()


def test_nanodet_sees_blue_first_around_the_mean_of_imagenet(network, frame):
    """A picture of ImageNet's mean colour is 0 in every channel; more blue raises the first."""
    answers = nanodet()
    follows = {"cls_pred_stride_8": np.zeros((3, 64, 80))}
    follows["cls_pred_stride_8"][:, 26, PERSON] = [0.1, 0, 0]
    detector = Onnx(weights=network(answers, follows=follows), score=0.05)
    mean, bluer = detector.detect([frame(640, 640, (124, 116, 104)), frame(640, 640, (124, 116, 161))])
    assert mean.score[0] == pytest.approx(0.8, abs=1e-3)
    assert bluer.score[0] == pytest.approx(0.9, abs=2e-3)


def queries(n_columns, rows, n_queries=7):
    """Boxes and logits of ``rows``: (centre and size as shares, {column: score})."""
    boxes, logits = np.full((1, n_queries, 4), 0.5, np.float32), np.full((1, n_queries, n_columns), -9.0, np.float32)
    for query, (box, scores) in enumerate(rows):
        boxes[0, query] = box
        for column, score in scores.items():
            logits[0, query, column] = np.log(score / (1 - score))
    return boxes, logits


WALKER_SHARE, LORRY_SHARE = (0.25, 0.5, 0.1, 0.2), (0.75, 0.5, 0.4, 0.4)
BOXES_PX = [[128, 192, 192, 288], [352, 144, 608, 336]]


def test_rfdetr_counts_coco_to_91_and_person_is_1(network, frame):
    boxes, logits = queries(91, [(LORRY_SHARE, {3: 0.6}), (WALKER_SHARE, {1: 0.9, 0: 0.95})])
    detector = Onnx(weights=network({"dets": boxes, "labels": logits}, image="input"))
    found = detector.detect([frame()])[0]
    np.testing.assert_allclose(found.xyxy_px, BOXES_PX, atol=1e-3)
    assert [found.classes[label] for label in found.label] == ["person", "car"]
    assert found.label.tolist() == [PERSON, CAR]
    assert found.classes == COCO
    assert found.score == pytest.approx([0.9, 0.6])
    assert detector.describe().startswith("rfdetr, 64x64, 80 classes")


def test_the_last_of_91_is_a_toothbrush(network, frame):
    boxes, logits = queries(91, [(WALKER_SHARE, {90: 0.9})])
    found = Onnx(weights=network({"dets": boxes, "labels": logits})).detect([frame()])[0]
    assert found.classes[found.label[0]] == "toothbrush"
    assert dict(zip(COCO, COCO_IDS.tolist(), strict=True))["traffic light"] == 10
    assert dict(zip(COCO, COCO_IDS.tolist(), strict=True))["stop sign"] == 13


def test_rfdetr_of_ones_own_has_a_column_for_the_background(network, frame):
    """With 3 classes boxes and logits have the same shape; they are told apart by name."""
    boxes, logits = queries(4, [(WALKER_SHARE, {2: 0.9, 3: 0.99})])
    net = network({"labels": logits, "dets": boxes})
    found = Onnx(weights=net, names=["a", "b", "c"]).detect([frame()])[0]
    np.testing.assert_allclose(found.xyxy_px, BOXES_PX[:1], atol=1e-3)
    assert found.classes[found.label[0]] == "c"


def test_rfdetr_sees_imagenets_red_first(network, frame):
    boxes, logits = queries(91, [(WALKER_SHARE, {1: 0.5})])
    follows = np.zeros((3, *logits.shape[1:]))
    follows[0, 0, 1] = 1
    detector = Onnx(weights=network({"dets": boxes, "labels": logits}, follows={"labels": follows}), score=0.05)
    mean, red = detector.detect([frame(rgb=(124, 0, 0)), frame(rgb=(255, 0, 0))])
    assert mean.score[0] == pytest.approx(0.5, abs=2e-3)
    assert red.score[0] == pytest.approx(1 / (1 + np.exp(-(1 - 0.485) / 0.229)), abs=1e-3)


@pytest.mark.parametrize("logits_name", ["logits", "pred_logits"])
def test_dfine_and_rtdetr_count_coco_to_80_and_person_is_0(network, frame, logits_name):
    boxes, logits = queries(80, [(LORRY_SHARE, {2: 0.6}), (WALKER_SHARE, {0: 0.9})])
    follows = np.zeros((3, *logits.shape[1:]))
    follows[0, 1, 0] = 1
    answers = {logits_name: logits, "pred_boxes": boxes}
    net = network(answers, follows={logits_name: follows}, image="pixel_values", size=(64, 96))
    found = Onnx(weights=net).detect([frame(rgb=(255, 0, 0))])[0]
    np.testing.assert_allclose(found.xyxy_px, BOXES_PX, atol=1e-3)
    assert [found.classes[label] for label in found.label] == ["person", "car"]
    assert found.score[0] == pytest.approx(1 / (1 + np.exp(-(np.log(9) + 1))), abs=1e-4)  # red is 1, not 255


def test_a_query_is_one_thing_even_if_two_classes_are_likely(network, frame):
    boxes, logits = queries(80, [(WALKER_SHARE, {0: 0.9, 1: 0.8})])
    found = Onnx(weights=network({"logits": logits, "pred_boxes": boxes})).detect([frame()])[0]
    assert found.label.tolist() == [PERSON]


def sorted_in_graph():
    scores = np.array([[0.9, 0.7, 0.6, 0.1]], np.float32)
    labels = np.array([[0, 1, 2, 5]], np.int64)
    walker, lorry = [0.2, 0.4, 0.3, 0.6], [0.55, 0.3, 0.95, 0.7]
    boxes = np.array([[walker, walker, lorry, [0, 0, 0.1, 0.1]]], np.float32)
    return {"labels": labels, "boxes": boxes, "scores": scores}


def test_dfine_with_boxes_sorted_in_the_graph(network, frame):
    """Boxes come in pixels of the 96x64 asked for; the walker's query is there twice and counts once."""
    sizes = [("orig_target_sizes", ["N", 2])]
    net = network(sorted_in_graph(), batch="N", size=(64, 96), more_inputs=sizes, scaled="boxes")
    detector = Onnx(weights=net)
    found = detector.detect([frame()])[0]
    np.testing.assert_allclose(found.xyxy_px, BOXES_PX, atol=1e-3)
    assert [found.classes[label] for label in found.label] == ["person", "car"]
    assert "sorted in the graph" in detector.describe()


def test_a_class_beyond_the_names_is_an_error(network, frame):
    net = network(sorted_in_graph(), more_inputs=[("orig_target_sizes", [1, 2])])
    with pytest.raises(EngineError, match="class 2 found but 2 names known; give names"):
        Onnx(weights=net, names=["a", "b"]).detect([frame()])


def test_the_first_detr_is_told_apart(network, frame):
    boxes, logits = queries(92, [(WALKER_SHARE, {1: 0.9})])
    with pytest.raises(EngineError, match=r"not a known detector: .*logits 1x7x92"):
        Onnx(weights=network({"logits": logits, "pred_boxes": boxes})).detect([frame()])


def test_family_decides_where_names_do_not(network, frame):
    boxes, logits = queries(5, [(WALKER_SHARE, {1: 0.9})])
    net = network({"logits": logits, "pred_boxes": boxes})
    assert Onnx(weights=net).describe().startswith("dfine or rtdetr")
    assert Onnx(weights=net, family="rfdetr").describe().startswith("rfdetr")
    net = network(sorted_in_graph(), more_inputs=[("orig_target_sizes", [1, 2])])
    assert Onnx(weights=net, family="rfdetr").describe().startswith("rfdetr, boxes sorted in the graph")
    net = network({"logits": logits, "pred_boxes": boxes})
    with pytest.raises(OptionError, match="3 class names given, but the network has 5 classes"):
        Onnx(weights=net, names=["a", "b", "c"]).detect([frame()])
