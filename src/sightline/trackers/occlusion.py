"""What stood in front of a thing while it was not seen."""

import numpy as np
from jaxtyping import Float, Int

from sightline.trackers.paths import Paths, runs

_INSTANTS = 8
"""How often a gap is looked into, evenly spread."""
_IN_FRONT = 0.1
"""Share of its height by which a box may end higher and still stand in front: feet are hidden, too."""


def hidden_share(paths: Paths, ended: Int[np.ndarray, " k"], began: Int[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """Mean share of the box that one other box covers, between the end of one path and the beginning of another.

    The box goes straight from the one to the other. Only boxes whose lower edge is not above its own can cover it:
    on the ground, lower in the picture is nearer to the camera.
    """
    rows = paths.rows
    last, first = paths.last[ended], paths.first[began]
    share = ((np.arange(_INSTANTS) + 0.5) / _INSTANTS)[:, None]
    t_s = rows.t_s[last, None] + (rows.t_s[first] - rows.t_s[last])[:, None] * share[:, 0]
    boxes = rows.xyxy_px[last, None] + (rows.xyxy_px[first] - rows.xyxy_px[last])[:, None] * share
    asked, others = _rows_at(rows.t_s, t_s.ravel())
    covered = np.zeros(t_s.size)
    np.maximum.at(covered, asked, _covered(boxes.reshape(-1, 4)[asked], rows.xyxy_px[others]))
    return covered.reshape(t_s.shape).mean(axis=1)


def _rows_at(
    t_s: Float[np.ndarray, " n"], asked_s: Float[np.ndarray, " a"]
) -> tuple[Int[np.ndarray, " e"], Int[np.ndarray, " e"]]:
    """All rows of the picture nearest to each time asked for: which question, which row."""
    order = np.argsort(t_s, kind="stable")
    pictures_s, first, count = np.unique(t_s[order], return_index=True, return_counts=True)
    after = np.clip(np.searchsorted(pictures_s, asked_s), 1, max(len(pictures_s) - 1, 1))
    after = np.minimum(after, len(pictures_s) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(asked_s - pictures_s[before] < pictures_s[after] - asked_s, before, after)
    asked, place = runs(first[nearest], count[nearest])
    return asked, order[place]


def _covered(boxes: Float[np.ndarray, "e 4"], others: Float[np.ndarray, "e 4"]) -> Float[np.ndarray, " e"]:
    """Share of each box that the other beside it hides, 0 where that one stands behind."""
    low = np.maximum(boxes[:, :2], others[:, :2])
    high = np.minimum(boxes[:, 2:], others[:, 2:])
    sides, own = np.maximum(high - low, 0), boxes[:, 2:] - boxes[:, :2]
    in_front = others[:, 3] >= boxes[:, 3] - _IN_FRONT * own[:, 1]
    return np.where(in_front, sides.prod(axis=1) / np.maximum(own.prod(axis=1), 1e-9), 0.0)
