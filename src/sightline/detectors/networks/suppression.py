"""One box per thing, where a network draws several."""

import cv2
import numpy as np
from jaxtyping import Int

from sightline.model.arrays import Boxes, Labels, Scores

MOST = 3000
"""Boxes looked at in one picture, the best first; what lies beyond is noise, and time grows with its square."""


def best(xyxy_px: Boxes, score: Scores, label: Labels, most_overlap: float) -> Int[np.ndarray, " k"]:
    """Rows of the boxes that no better one of the same label overlaps by more than that, best first."""
    if not len(score):
        return np.zeros(0, np.int64)
    low, high = xyxy_px.min(), xyxy_px.max()
    apart_px = (label * (high - low + 1))[:, None]  # boxes of two labels never meet
    xywh = np.concatenate([xyxy_px[:, :2] + apart_px, xyxy_px[:, 2:] - xyxy_px[:, :2]], axis=1)
    least = 0.0  # low scores are gone already
    rows = cv2.dnn.NMSBoxes(xywh.tolist(), score.tolist(), least, most_overlap, top_k=MOST)
    kept = np.asarray(rows, np.int64)
    return kept[np.lexsort((kept, -score[kept]))]
