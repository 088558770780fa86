"""NanoDet and NanoDet-Plus: class scores and, for each side of a box, a distribution over its distance.

NanoDet (0.x) answers with scores and distributions apart, stride by stride; NanoDet-Plus (1.x) with both side
by side for all strides. They differ in more than that: NanoDet looks from the middle of a cell and keeps the
picture's shape; NanoDet-Plus looks from the cell's corner and stretches the picture.

Source: the repository RangiLyu/nanodet (Apache-2.0), its heads and its training configurations; Li et al.,
Generalized Focal Loss, arXiv:2006.04388, eqn. 4 for the distributions.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from sightline.detectors.networks.grid import STRIDES, Grid, grid, grid_of, within_unit
from sightline.detectors.networks.reading import IMAGENET_BGR, Decode, Graph, Raw, Reading, Side

BINS = 8
"""Distances a distribution is over: 0 to 7 strides."""
SIDES = 4 * BINS


def read(graph: Graph) -> Reading | None:
    """How to use the network if it is a NanoDet; None if it is not."""
    if len(graph.outputs) == 1:
        return _read_plus(graph)
    return _read_levels(graph)


def _read_plus(graph: Graph) -> Reading | None:
    ((name, probe),) = graph.outputs.items()
    if probe.ndim != 3 or probe.shape[2] <= SIDES:
        return None
    cells = grid_of(probe.shape[1], graph.height, graph.width)
    if cells is None or not within_unit(probe[..., :-SIDES]):
        return None

    def decode(answers: Mapping[str, np.ndarray], picture: int, least: float, columns: np.ndarray) -> Raw:
        rows = answers[name][picture]
        return _boxes(rows[:, :-SIDES][:, columns], rows[:, -SIDES:], cells.left_top_px, cells.stride_px, least)

    return _reading("nanodet-plus", "stretch", probe.shape[2] - SIDES, (name,), decode)


def _read_levels(graph: Graph) -> Reading | None:
    for strides in STRIDES:
        cells = grid(graph.height, graph.width, strides)
        levels = [_level(graph.outputs, count) for count in cells.counts]
        found = [level for level in levels if level is not None]
        if len(found) == len(strides) and len(graph.outputs) == 2 * len(strides):
            return _levels_reading(graph, cells, found)
    return None


def _levels_reading(graph: Graph, cells: Grid, levels: Sequence[tuple[str, str]]) -> Reading:
    eyes_px = cells.left_top_px + cells.stride_px[:, None] / 2
    n_columns = _rows(graph.outputs[levels[0][0]], cells.counts[0]).shape[2]
    are_logits = not all(within_unit(graph.outputs[scores]) for scores, _ in levels)

    def decode(answers: Mapping[str, np.ndarray], picture: int, least: float, columns: np.ndarray) -> Raw:
        parts, start = [], 0
        for (scores, sides), count in zip(levels, cells.counts, strict=True):
            rows = _rows(answers[scores], count)[picture][:, columns]
            rows = 1 / (1 + np.exp(-rows.astype(np.float32))) if are_logits else rows
            here = slice(start, start + count)
            sides_rows = _rows(answers[sides], count)[picture]
            parts.append(_boxes(rows, sides_rows, eyes_px[here], cells.stride_px[here], least))
            start += count
        return Raw(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    names = tuple(name for level in levels for name in level)
    return _reading("nanodet", "centre", n_columns, names, decode)


def _reading(family: str, how: Side, n_columns: int, outputs: tuple[str, ...], decode: Decode) -> Reading:
    return Reading(
        family=family,
        fit=how,
        fill=0,
        pixels=IMAGENET_BGR,
        n_columns=n_columns,
        outputs=outputs,
        decode=decode,
        overlaps=True,
    )


def _level(outputs: Mapping[str, np.ndarray], count: int) -> tuple[str, str] | None:
    """The names of the scores and the distributions of the level with ``count`` cells."""
    names = [name for name, array in outputs.items() if _rows(array, count).size]
    if len(names) != 2:
        return None
    widths = {name: _rows(outputs[name], count).shape[2] for name in names}
    sides = [name for name in names if widths[name] == SIDES]
    if len(sides) == 2:  # 32 classes: told apart by what they are called, or by being probabilities
        sides = [name for name in names if "cls" not in name.lower() and not within_unit(outputs[name])]
    if len(sides) != 1:
        return None
    (scores,) = set(names) - set(sides)
    return scores, sides[0]


def _rows(array: np.ndarray, count: int) -> np.ndarray:
    """The answer as pictures x cells x columns; empty if it is not for ``count`` cells."""
    flat = array[None] if array.ndim == 2 else array
    flat = flat.reshape(*flat.shape[:2], -1) if flat.ndim == 4 else flat
    if flat.ndim != 3 or count not in flat.shape[1:]:
        return np.zeros((0, 0, 0), array.dtype)
    return flat if flat.shape[1] == count else flat.swapaxes(1, 2)


def _boxes(
    scores: np.ndarray,
    sides: np.ndarray,
    eyes_px: Float[np.ndarray, "n 2"],
    stride_px: Float[np.ndarray, " n"],
    least: float,
) -> Raw:
    best = scores.max(axis=1)
    which = np.flatnonzero(best >= least)
    logits = sides[which].astype(np.float32).reshape(len(which), 4, BINS)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    distance = weights @ np.arange(BINS, dtype=np.float32) / weights.sum(axis=2)
    reach_px = distance * stride_px[which, None]
    eye_px = eyes_px[which]
    boxes = np.concatenate([eye_px - reach_px[:, :2], eye_px + reach_px[:, 2:]], axis=1)
    return Raw(boxes, best[which].astype(np.float32), scores[which].argmax(axis=1))
