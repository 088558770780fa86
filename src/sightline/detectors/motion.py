"""Whatever moves, by how it differs from the background. No weights are needed."""

from collections.abc import Sequence
from typing import Final, final

import cv2
import numpy as np
from jaxtyping import Float, Int
from scipy.sparse.csgraph import connected_components

from sightline.detectors.foreground import Foreground, Look, Mask
from sightline.errors import OptionError
from sightline.geometry.boxes import clipped
from sightline.model.arrays import Boxes, Scores
from sightline.model.detections import Detections
from sightline.model.frame import Frame

_SOLID: Final = 0.15
"""Share of an object's box that differs; scattered specks fill less."""


@final
class Motion:
    """Everything that moves in the pictures of one camera, at rest or moving, of whatever kind.

    What differs from the background, without shadows, is cleaned of specks; its pieces that lie above one another
    and nearly touch are taken for one object. Who stands still fades into the background in a few times
    ``history_s``. Nothing is found in the first picture, nor where most of the picture changes at once.
    For a moving camera the pictures must say how it moved (``moment.px_from_before``).

    Options:
        least_px: objects lower than this are left out. Nothing: a twentieth of the picture's height.
        gap: pieces apart by less than this share of the least height are one object.
        threshold: how many times the usual spread of a pixel it must differ by.
        history_s: how long the background model remembers.

    The score is 1 - 1/(1 + e), where e is the mean excess over the threshold: half for what only just differs,
    towards 1 for what stands out.

    Raises:
        OptionError: ``least_px``, ``threshold`` or ``history_s`` is not above 0, or ``gap`` below 0.
    """

    def __init__(
        self,
        *,
        least_px: float | None = None,
        gap: float = 0.3,
        threshold: float = 2.7,
        history_s: float = 15.0,
    ) -> None:
        for name, value in (("least_px", least_px), ("threshold", threshold), ("history_s", history_s)):
            if value is not None and not value > 0:
                raise OptionError(f"{name} = {value}: must be above 0")
        if not gap >= 0:
            raise OptionError(f"gap = {gap}: must not be below 0")
        self._least_px = least_px
        self._gap = gap
        self._foreground = Foreground(history_s=history_s, threshold=threshold)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """What moves in each picture, left to right. Pictures come in order."""
        return [self._moving(frame) for frame in frames]

    def _moving(self, frame: Frame) -> Detections:
        look = self._foreground.look(frame)
        self._foreground.learn()
        height, width = frame.rgb.shape[:2]
        least_small = (self._least_px or height / 20) * look.small_per_px
        xyxy_small, score = _objects(look, least_small, self._gap * least_small)
        order = np.lexsort((xyxy_small[:, 1], xyxy_small[:, 0]))
        xyxy_px = clipped(xyxy_small[order] / look.small_per_px, width, height)
        return Detections(xyxy_px, score[order], np.zeros(len(order), np.int64))


def _objects(look: Look, least_small: float, gap_small: float) -> tuple[Boxes, Scores]:
    """Boxes round what differs, and their scores, in the small picture."""
    mask = _clean(look.mask, gap_small)
    n, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    pieces = stats[1:, :4].astype(float)
    xyxy = np.hstack([pieces[:, :2], pieces[:, :2] + pieces[:, 2:]])
    area = np.bincount(labels.ravel(), look.mask.ravel(), n)[1:]
    excess = np.bincount(labels.ravel(), (look.excess * look.mask).ravel(), n)[1:]
    whole = _together(xyxy, gap_small)
    xyxy, area, excess = _united(xyxy, whole), np.bincount(whole, area), np.bincount(whole, excess)
    sides = xyxy[:, 2:] - xyxy[:, :2]
    real = (sides[:, 1] >= least_small) & (sides[:, 0] >= least_small / 5) & (area >= _SOLID * sides.prod(axis=1))
    return xyxy[real], 1 - 1 / (1 + excess[real] / np.maximum(area[real], 1))


def _clean(mask: Mask, gap_small: float) -> Mask:
    """Without specks, and with narrow gaps closed: more upwards than sideways, since people are upright."""
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    up, across = 2 * round(gap_small / 2) + 1, 2 * round(gap_small / 4) + 1
    return cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((up, across), np.uint8))


def _together(xyxy: Boxes, gap_small: float) -> Int[np.ndarray, " n"]:
    """Which whole each piece belongs to: pieces join that are apart by less than the gap, one above the other.

    One above the other: they share more than half the width of the narrower.
    """
    if not len(xyxy):
        return np.zeros(0, np.int64)
    shared = np.minimum(xyxy[:, None, 2:], xyxy[None, :, 2:]) - np.maximum(xyxy[:, None, :2], xyxy[None, :, :2])
    width = xyxy[:, 2] - xyxy[:, 0]
    near = (shared[..., 1] > -gap_small) & (shared[..., 0] > 0.5 * np.minimum(width[:, None], width[None, :]))
    return connected_components(near, directed=False)[1].astype(np.int64)


def _united(xyxy: Boxes, whole: Int[np.ndarray, " n"]) -> Float[np.ndarray, "m 4"]:
    """One box round all the pieces of each whole."""
    n = int(whole.max(initial=-1)) + 1
    united = np.hstack([np.full((n, 2), np.inf), np.full((n, 2), -np.inf)])
    np.minimum.at(united[:, :2], whole, xyxy[:, :2])
    np.maximum.at(united[:, 2:], whole, xyxy[:, 2:])
    return united
