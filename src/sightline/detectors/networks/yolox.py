"""YOLOX: one answer of cells x (centre x, centre y, width, height, objectness, classes).

Both ways of exporting it are read: with boxes as the head gives them (offsets in cells and logarithms of
sizes) and with boxes in pixels already.

Source: Ge et al., YOLOX: Exceeding YOLO Series in 2021, arXiv:2107.08430; its repository is Apache-2.0.
"""

from collections.abc import Mapping

import numpy as np

from sightline.detectors.networks.grid import Grid, grid_of, within_unit
from sightline.detectors.networks.reading import PLAIN_BGR, Graph, Raw, Reading

BEFORE_CLASSES = 5


def read(graph: Graph) -> Reading | None:
    """How to use the network if it is a YOLOX; None if it is not."""
    if len(graph.outputs) != 1:
        return None
    ((name, probe),) = graph.outputs.items()
    if probe.ndim != 3 or probe.shape[2] <= BEFORE_CLASSES:
        return None
    cells = grid_of(probe.shape[1], graph.height, graph.width)
    if cells is None or not within_unit(probe[..., 4:]):
        return None
    decoded = _is_decoded(probe[0], cells)

    def decode(answers: Mapping[str, np.ndarray], picture: int, least: float, columns: np.ndarray) -> Raw:
        return _boxes(answers[name][picture], cells, decoded, least, columns)

    return Reading(
        family=f"yolox, boxes {'decoded in the graph' if decoded else 'relative to the grid'}",
        fit="corner",
        fill=114,
        pixels=PLAIN_BGR,
        n_columns=probe.shape[2] - BEFORE_CLASSES,
        outputs=(name,),
        decode=decode,
        overlaps=True,
    )


def _is_decoded(rows: np.ndarray, cells: Grid) -> bool:
    """Centres lie nearer to their cells than to the origin: they are pixels of the picture, not offsets."""
    centres = rows[:, :2].astype(np.float32)
    from_cell = np.median(np.abs(centres - cells.left_top_px))
    return bool(from_cell < np.median(np.abs(centres)))


def _boxes(rows: np.ndarray, cells: Grid, decoded: bool, least: float, columns: np.ndarray) -> Raw:
    # A class score is at most the objectness, so that decides for most rows without a look at the classes.
    which = np.flatnonzero(rows[:, 4] >= least)
    near = rows[which].astype(np.float32)
    classes = near[:, BEFORE_CLASSES:][:, columns]
    column = classes.argmax(axis=1)
    score = near[:, 4] * classes[np.arange(len(near)), column]
    good = score >= least
    which, near = which[good], near[good]
    centre, size = near[:, :2], near[:, 2:4]
    if not decoded:
        stride = cells.stride_px[which, None]
        centre = centre * stride + cells.left_top_px[which]
        size = np.exp(size) * stride
    return Raw(np.concatenate([centre - size / 2, centre + size / 2], axis=1), score[good], column[good])
