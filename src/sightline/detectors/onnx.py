"""Objects found by a network in an ONNX file: YOLOX, NanoDet, RF-DETR, D-FINE, RT-DETR, told apart by its graph.

Licence: depends on the weights; ``sightline models list`` says, for those it knows. None are shipped.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from sightline import weights as shelf
from sightline.detectors.classes import columns, from_metadata, kept
from sightline.detectors.networks import nanodet, queries, yolox
from sightline.detectors.networks.fit import fit, put
from sightline.detectors.networks.reading import Graph, Raw, Reading
from sightline.detectors.networks.session import Provider, Session
from sightline.detectors.networks.suppression import best
from sightline.errors import EngineError, OptionError
from sightline.geometry.boxes import areas, clipped
from sightline.model.detections import Detections
from sightline.model.frame import Frame

Family = Literal["auto", "yolox", "nanodet", "rfdetr", "dfine", "rtdetr"]

_READERS: dict[str, Callable[[Graph], Reading | None]] = {
    "yolox": yolox.read,
    "nanodet": nanodet.read,
    "rfdetr": queries.read_rfdetr,
    "dfine": queries.read_unit,
    "rtdetr": queries.read_unit,
}
_BATCH_ON_CUDA = 8
"""Pictures at once where nobody says; on a processor one is as fast, and takes less memory."""


@dataclass(frozen=True, slots=True)
class _Network:
    """An open network, and all that is to be known to use it."""

    session: Session
    reading: Reading
    classes: tuple[str, ...]
    columns: np.ndarray
    kept: np.ndarray
    n_batch: int


@final
class Onnx:
    """Boxes from a network. It is opened at the first picture; nothing is ever downloaded.

    ``weights`` is a file, or a name on the shelf (``sightline models list``). Boxes scored less than ``score``
    are left out, and where a network boxes things several times, those that a better one of the same class
    overlaps by more than ``nms_iou``. ``classes`` are the names to keep, all if none are given; ``names`` what
    the network calls its classes, where neither the shelf nor the file says it and they are not COCO's.
    ``family`` and ``size`` (pixels, for networks that take any) are for files that do not show them.
    ``threads`` and ``batch`` (pictures at once) change nothing but speed.
    """

    def __init__(  # noqa: PLR0913  one parameter per option
        self,
        *,
        weights: str,
        score: float = 0.3,
        nms_iou: float = 0.45,
        classes: list[str] | None = None,
        names: list[str] | None = None,
        family: Family = "auto",
        size: int | None = None,
        provider: Provider = "auto",
        threads: int | None = None,
        batch: int | None = None,
    ) -> None:
        for option, value in {"size": size, "threads": threads, "batch": batch}.items():
            if value is not None and value < 1:
                raise OptionError(f"detector onnx: {option}={value}: at least 1 is needed")
        for option, share in {"score": score, "nms_iou": nms_iou}.items():
            if not 0 < share <= 1:
                raise OptionError(f"detector onnx: {option}={share}: more than 0 and at most 1 is needed")
        self._weights = shelf.find(weights)
        self._score, self._nms_iou = score, nms_iou
        self._classes, self._names = classes, names
        self._family, self._size = family, size
        self._provider, self._threads, self._batch = provider, threads, batch
        self._network: _Network | None = None

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """What the network sees in each picture, best first, boxes cut at the picture's edge.

        Raises:
            WeightsError: the file is not an ONNX network, or a damaged one.
            OptionError: a class is asked for that the network does not know, or an option does not suit it.
            EngineError: the network is of no known family, or failed.
        """
        if not frames:
            return []
        if self._network is None:
            self._network = self._opened()
        network = self._network
        starts = range(0, len(frames), network.n_batch)
        chunks = (frames[start : start + network.n_batch] for start in starts)
        return [found for chunk in chunks for found in self._detected(network, chunk)]

    def describe(self) -> str:
        """Which family the network was taken for, its size, and where it runs; opens it if need be."""
        if self._network is None:
            self._network = self._opened()
        session = self._network.session
        where = "CUDA" if session.on_cuda else "processor"
        n_classes = len(self._network.classes)
        return f"{self._network.reading.family}, {session.width}x{session.height}, {n_classes} classes, on the {where}"

    def _opened(self) -> _Network:
        session = Session(self._weights.path, provider=self._provider, threads=self._threads, side_px=self._size)
        reading = self._read(session.graph())
        names = self._names or self._weights.names or from_metadata(session.metadata)
        classes, which = columns(names, reading.n_columns or len(names or range(80)))
        n_batch = session.n_batch or self._batch or (_BATCH_ON_CUDA if session.on_cuda else 1)
        return _Network(session, reading, classes, which, kept(self._classes, classes), n_batch)

    def _read(self, graph: Graph) -> Reading:
        told_apart = (queries.read, yolox.read, nanodet.read)
        for read in told_apart if self._family == "auto" else (_READERS[self._family],):
            reading = read(graph)
            if reading is not None:
                return reading
        wanted = "a known detector" if self._family == "auto" else f"a {self._family}"
        raise EngineError(
            f"{self._weights.path}: not {wanted}: {graph.described()}; known are {', '.join(_READERS)}, "
            "exported by their own repositories or by Hugging Face's optimum"
        )

    def _detected(self, network: _Network, frames: Sequence[Frame]) -> Iterator[Detections]:
        session, reading = network.session, network.reading
        fits = [
            fit(frame.rgb.shape[1], frame.rgb.shape[0], session.width, session.height, reading.fit) for frame in frames
        ]
        n = session.n_batch or len(frames)
        batch = np.zeros((n, 3, session.height, session.width), np.float32)
        for place, frame, where in zip(batch, frames, fits, strict=False):
            put(frame.rgb, where, reading.fill, reading.pixels, place)
        answers = session.answers(batch.astype(session.dtype, copy=False), reading.outputs)
        for index, (frame, where) in enumerate(zip(frames, fits, strict=True)):
            raw = reading.decode(answers, index, self._score, network.columns)
            raw = raw._replace(xyxy_net=where.px_from_net(raw.xyxy_net))
            yield self._chosen(network, raw, frame)

    def _chosen(self, network: _Network, raw: Raw, frame: Frame) -> Detections:
        label = raw.column.astype(np.int64)
        if len(label) and label.max() >= len(network.classes):
            n = len(network.classes)
            raise EngineError(f"{self._weights.path}: class {label.max()} found but {n} names known; give names")
        boxes_px, score = raw.xyxy_net.astype(np.float64), raw.score.astype(np.float64)
        good = network.kept[label] & np.isfinite(boxes_px).all(axis=1) & np.isfinite(score)
        boxes_px, score, label = boxes_px[good], score[good], label[good]
        if network.reading.overlaps:
            rows = best(boxes_px, score, label, self._nms_iou)
        else:
            rows = np.argsort(-score, kind="stable")
        height, width = frame.rgb.shape[:2]
        found = Detections(clipped(boxes_px[rows], width, height), score[rows], label[rows], network.classes)
        return found.rows(areas(found.xyxy_px) > 0)
