"""Small things in large pictures: a network looks at one part of the picture after the other."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import final

import numpy as np
from jaxtyping import Float, Int

from sightline.detectors.networks.session import Provider
from sightline.detectors.networks.suppression import MOST
from sightline.detectors.onnx import Onnx
from sightline.errors import OptionError
from sightline.geometry.boxes import areas
from sightline.model.arrays import Boxes
from sightline.model.detections import Detections
from sightline.model.frame import Frame

_SEAM_PX = 2.0
"""A box that ends this near where a tile does is cut off there."""


@final
class Tiled:
    """The same networks as ``onnx``, on tiles that overlap, each as large to the network as a whole picture else is.

    A person of 12 pixels in a 4K picture is 2 in what a network of 640 pixels sees of it, and 12 in a tile. The
    whole picture is looked at too, for what is larger than the tiles share. Boxes cut off at a seam are left out,
    and of those that lie in one another the better one stays. Costs as many looks as there are tiles.

    ``weights``, ``score``, ``classes``, ``provider`` and ``threads`` are those of ``onnx``. ``tile_px`` is a tile's
    side, ``overlap`` the share of it that neighbours have in common; ``inside`` is the share of a box that may lie
    in a better one of its class.

    Raises:
        OptionError: ``tile_px`` below 64, ``overlap`` not from 0 to 0.9, ``inside`` not in (0, 1], or as ``onnx``.

    Source: Akyon, Altinuc and Temizel, "Slicing aided hyper inference and fine-tuning for small object detection"
    (2022).
    """

    def __init__(
        self,
        *,
        weights: str,
        score: float = 0.3,
        classes: list[str] | None = None,
        tile_px: int = 640,
        overlap: float = 0.2,
        inside: float = 0.6,
        provider: Provider = "auto",
        threads: int | None = None,
    ) -> None:
        if tile_px < 64 or not 0 <= overlap <= 0.9 or not 0 < inside <= 1:
            raise OptionError(
                f"detector tiled: tile_px={tile_px}, overlap={overlap}, inside={inside}: at least 64, 0 to 0.9, 0 to 1"
            )
        self._network = Onnx(weights=weights, score=score, classes=classes, provider=provider, threads=threads)
        self._tile_px, self._overlap, self._inside = tile_px, overlap, inside

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """What is in each picture, best first, boxes cut at the picture's edge.

        Raises:
            WeightsError: the file is not an ONNX network, or a damaged one.
            OptionError: a class is asked for that the network does not know.
            EngineError: the network is of no known family, or failed.
        """
        return [self._found(frame) for frame in frames]

    def _found(self, frame: Frame) -> Detections:
        height, width = frame.rgb.shape[:2]
        places = list(_tiles(width, height, self._tile_px, self._overlap))
        parts = [frame]
        if len(places) > 1:
            parts += [Frame(frame.moment, frame.rgb[y : y + self._tile_px, x : x + self._tile_px]) for x, y in places]
        seen = self._network.detect(parts)
        whole = seen[0]
        cut = [
            _brought(found, place, self._tile_px, (width, height))
            for found, place in zip(seen[1:], places, strict=False)
        ]
        boxes = np.concatenate([whole.xyxy_px, *(found.xyxy_px for found in cut)])
        score = np.concatenate([whole.score, *(found.score for found in cut)])
        label = np.concatenate([whole.label, *(found.label for found in cut)])
        rows = np.argsort(-score, kind="stable")[:MOST]
        rows = rows[_outermost(boxes[rows], label[rows], self._inside)]
        return Detections(boxes[rows], score[rows], label[rows], whole.classes)


def _tiles(width: int, height: int, side: int, overlap: float) -> Iterator[tuple[int, int]]:
    """Left and top of each tile; the last ones end where the picture does."""
    step = max(1, round(side * (1 - overlap)))

    def starts(length: int) -> list[int]:
        last = max(length - side, 0)
        return [*range(0, last, step), last]

    return ((x, y) for y, x in product(starts(height), starts(width)))


def _brought(found: Detections, place: tuple[int, int], side: int, size: tuple[int, int]) -> Detections:
    """A tile's boxes in the picture's pixels, without those that its seams cut off."""
    low = np.array(place, float)
    high = np.minimum(low + side, size)
    boxes = found.xyxy_px + np.tile(low, 2)
    cut = ((boxes[:, :2] < low + _SEAM_PX) & (low > 0)) | ((boxes[:, 2:] > high - _SEAM_PX) & (high < size))
    moved = Detections(boxes, found.score, found.label, found.classes)
    return moved.rows(~cut.any(axis=1))


def _outermost(xyxy_px: Boxes, label: Int[np.ndarray, " n"], inside: float) -> Int[np.ndarray, " k"]:
    """Rows of boxes, best first, of which less than ``inside`` lies in a better one of the same label."""
    shared = _shared(xyxy_px) / np.maximum(np.minimum(areas(xyxy_px)[:, None], areas(xyxy_px)[None]), 1e-9)
    rival = (shared >= inside) & (label[:, None] == label[None])
    kept: list[int] = []
    open_ = np.ones(len(xyxy_px), bool)
    for row in range(len(xyxy_px)):
        if open_[row]:
            kept.append(row)
            open_ &= ~rival[row]
    return np.array(kept, np.int64)


def _shared(xyxy_px: Boxes) -> Float[np.ndarray, "n n"]:
    """Area that each box has in common with each."""
    low = np.maximum(xyxy_px[:, None, :2], xyxy_px[None, :, :2])
    high = np.minimum(xyxy_px[:, None, 2:], xyxy_px[None, :, 2:])
    return np.asarray(np.prod(np.maximum(high - low, 0), axis=2))
