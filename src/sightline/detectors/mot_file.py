"""Detections that somebody made before: MOT text, ``det.txt`` of the MOT Challenge or a tracker's result."""

from collections.abc import Sequence
from pathlib import Path
from typing import final

import numpy as np

from sightline.errors import OptionError
from sightline.formats.mot import Mot
from sightline.geometry.boxes import areas, clipped
from sightline.model.detections import Detections
from sightline.model.frame import Frame
from sightline.model.tracks import Tracks


@final
class MotFile:
    """The boxes that a file has for each picture; frame 1 of the file is the stream's picture 0.

    ``min_score`` leaves out boxes scored less. Scores of old detectors, which do not lie in [0, 1], are brought
    there in a straight line, the file's lowest to 0 and its highest to 1. Ids in the file are not looked at.
    """

    def __init__(self, *, path: Path, min_score: float = 0.0) -> None:
        if not path.is_file():
            raise OptionError(f"detector mot_file: path={path}: no such file")
        if not 0 <= min_score <= 1:
            raise OptionError(f"detector mot_file: min_score={min_score}: must lie between 0 and 1")
        self._path, self._min_score = path, min_score
        self._rows: Tracks | None = None

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The boxes of each picture in the file's order, cut at the picture's edge; those beyond it are left out.

        Raises:
            FormatError: the file is not MOT text; names the line.
        """
        return [self._inside(frame) for frame in frames]

    def at(self, index: int) -> Detections:
        """The boxes of the stream's picture ``index``, from 0, as the file has them: for use without pictures.

        Raises:
            FormatError: the file is not MOT text; names the line.
        """
        if self._rows is None:
            self._rows = _read(self._path, self._min_score)
        start, end = np.searchsorted(self._rows.frame_index, [index, index + 1])
        part = self._rows.rows(np.arange(start, end))
        return Detections(part.xyxy_px, part.score, part.label, part.classes, part.extra)

    def _inside(self, frame: Frame) -> Detections:
        found = self.at(frame.moment.index)
        height, width = frame.rgb.shape[:2]
        boxes_px = clipped(found.xyxy_px, width, height)
        cut = Detections(boxes_px, found.score, found.label, found.classes, found.extra)
        return cut.rows(areas(boxes_px) > 0)


def _read(path: Path, min_score: float) -> Tracks:
    rows = Mot().read(path)
    score = rows.score
    if len(score) and (score.min() < 0 or score.max() > 1):
        score = (score - score.min()) / max(score.max() - score.min(), np.finfo(float).tiny)
    columns = {name: getattr(rows, name) for name in ("camera", "frame_index", "t_s", "number", "xyxy_px", "label")}
    scored = Tracks(**columns, score=score, detection=rows.detection, classes=rows.classes, extra=rows.extra)
    return scored.rows(score >= min_score)
