"""Plug in a detector of your own: anything with this one method will do.

python examples/02_your_own_detector.py VIDEO

To reach it by name from the command line, name it in your package's pyproject.toml:
    [project.entry-points."sightline.detector"]
    bright = "my_package:Bright"
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from sightline.model.detections import Detections
from sightline.model.frame import Frame
from sightline.pipeline.track import track
from sightline.wiring import build


class Bright:
    """Boxes round everything brighter than ``level``; its constructor is its list of options."""

    def __init__(self, *, level: int = 200) -> None:
        self._level = level

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """What is bright in each picture."""
        return [self._boxes(frame.rgb) for frame in frames]

    def _boxes(self, rgb: np.ndarray) -> Detections:
        bright = (rgb.max(axis=2) > self._level).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(bright)
        left, top, width, height, area = stats[1:][stats[1:, cv2.CC_STAT_AREA] > 30].T.astype(float)
        boxes = np.stack([left, top, left + width, top + height], axis=1)
        return Detections(boxes, area / np.maximum(width * height, 1), np.zeros(len(area), int), ("bright",))


def main(video: Path) -> None:
    """Prints how many bright things each second of the video has."""
    source = build("source", "video", {"path": video, "fps": 1})
    for sight in track(source, Bright(), build("tracker", "sort", {"confirm_hits": 1})):
        print(f"{sight.frame.moment.t_s:7.2f} s: {len(sight.found)} bright, {len(sight.tracks)} followed")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
