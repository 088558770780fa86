"""RF-DETR, D-FINE and RT-DETR: a fixed number of queries, each with one box and a score for every class.

Read are RF-DETR's own export (``dets``, ``labels``), that of Hugging Face's optimum (``pred_boxes``,
``logits``), and that of the D-FINE and RT-DETR repositories, which scale and sort the boxes in the graph
(``labels``, ``boxes``, ``scores``, and ``orig_target_sizes`` as a second input). A query becomes one box with
its best class: the same thing is never given twice under two names, which a tracker would follow twice.

Source: the repositories roboflow/rf-detr, Peterande/D-FINE and lyuwenyu/RT-DETR (all Apache-2.0): their
exporters, post-processing and documentation of exports.
"""

from collections.abc import Mapping

import numpy as np

from sightline.detectors.networks.reading import IMAGENET_RGB, UNIT_RGB, Graph, Raw, Reading

SIZES_INPUT = "orig_target_sizes"
"""Width and height that the repositories' own exports scale boxes to."""
DETR_COLUMNS = 92
"""The first DETR: 91 numbers of COCO and "no object", under a softmax."""


def read_rfdetr(graph: Graph) -> Reading | None:
    """How to use the network if it is an RF-DETR, or one of these trained on ImageNet's mean; else None."""
    if _is_sorted(graph):
        return _sorted_reading(imagenet=True)
    named = _boxes_and_logits(graph)
    if named is None or graph.outputs[named[1]].shape[2] == DETR_COLUMNS:
        return None
    return _reading(graph, *named, imagenet=True)


def read_unit(graph: Graph) -> Reading | None:
    """How to use the network if it is a D-FINE or an RT-DETR; None if it is not."""
    if _is_sorted(graph):
        return _sorted_reading(imagenet=False)
    named = _boxes_and_logits(graph)
    if named is None or graph.outputs[named[1]].shape[2] == DETR_COLUMNS:
        return None
    return _reading(graph, *named, imagenet=False)


def read(graph: Graph) -> Reading | None:
    """How to use the network if it is one of these, told apart by names and number of classes."""
    named = _boxes_and_logits(graph)
    if named is not None and (named[0] == "dets" or graph.outputs[named[1]].shape[2] == 91):
        return read_rfdetr(graph)
    return read_unit(graph)


def _boxes_and_logits(graph: Graph) -> tuple[str, str] | None:
    """Names of the two answers. Never by shape alone: with 4 classes they have the same."""
    for boxes, logits in (("dets", "labels"), ("pred_boxes", "logits"), ("pred_boxes", "pred_logits")):
        if boxes not in graph.outputs or logits not in graph.outputs:
            continue
        one, other = graph.outputs[boxes].shape, graph.outputs[logits].shape
        if len(one) == len(other) == 3 and one[2] == 4 and one[1] == other[1]:
            return boxes, logits
    return None


def _reading(graph: Graph, boxes: str, logits: str, *, imagenet: bool) -> Reading:
    size = np.array([graph.width, graph.height], np.float32)

    def decode(answers: Mapping[str, np.ndarray], picture: int, least: float, columns: np.ndarray) -> Raw:
        rows = answers[logits][picture][:, columns].astype(np.float32)
        column = rows.argmax(axis=1)
        score = 1 / (1 + np.exp(-rows[np.arange(len(rows)), column]))
        good = score >= least
        near = answers[boxes][picture][good].astype(np.float32)
        centre, side = near[:, :2] * size, near[:, 2:] * size
        return Raw(np.concatenate([centre - side / 2, centre + side / 2], axis=1), score[good], column[good])

    return Reading(
        family="rfdetr" if imagenet else "dfine or rtdetr",
        fit="stretch",
        fill=0,
        pixels=IMAGENET_RGB if imagenet else UNIT_RGB,
        n_columns=graph.outputs[logits].shape[2],
        outputs=(boxes, logits),
        decode=decode,
        overlaps=False,
    )


def _is_sorted(graph: Graph) -> bool:
    return {"labels", "boxes", "scores"} <= set(graph.outputs) and SIZES_INPUT in graph.inputs


def _sorted_reading(*, imagenet: bool) -> Reading:
    def decode(answers: Mapping[str, np.ndarray], picture: int, least: float, _columns: np.ndarray) -> Raw:
        score = answers["scores"][picture].astype(np.float32)
        rank = np.argsort(-score, kind="stable")
        rank = rank[score[rank] >= least]
        boxes = answers["boxes"][picture][rank].astype(np.float32)
        _, first = np.unique(boxes, axis=0, return_index=True)  # one query may be there under several classes
        kept = rank[np.sort(first)]
        return Raw(answers["boxes"][picture][kept].astype(np.float32), score[kept], answers["labels"][picture][kept])

    return Reading(
        family=f"{'rfdetr' if imagenet else 'dfine or rtdetr'}, boxes sorted in the graph",
        fit="stretch",
        fill=0,
        pixels=IMAGENET_RGB if imagenet else UNIT_RGB,
        n_columns=None,
        outputs=("labels", "boxes", "scores"),
        decode=decode,
        overlaps=False,
    )
