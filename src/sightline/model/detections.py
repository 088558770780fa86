"""What a detector saw in one picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from jaxtyping import Shaped

from sightline.model.arrays import Boxes, Labels, Scores, readonly

Extra = Mapping[str, Shaped[np.ndarray, "n ..."]]
"""More columns, by name, one row per thing: masks, embeddings, plates, whatever the detector knew."""


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """N objects in one picture, column by column."""

    xyxy_px: Boxes
    """Left, top, right, bottom."""
    score: Scores
    """Confidence in [0, 1]."""
    label: Labels
    """Index into ``classes``."""
    classes: tuple[str, ...] = ("object",)
    """Names of the labels."""
    extra: Extra = field(default_factory=dict)
    """More columns, carried along untouched."""

    def __post_init__(self) -> None:
        for name in ("xyxy_px", "score", "label"):
            object.__setattr__(self, name, readonly(getattr(self, name)))
        frozen = {name: readonly(column) for name, column in self.extra.items()}
        object.__setattr__(self, "extra", MappingProxyType(frozen))

    def __reduce__(self) -> tuple[type["Detections"], tuple[object, ...]]:
        """What it takes to make it again in another process: a read-only mapping cannot travel."""
        return Detections, (self.xyxy_px, self.score, self.label, self.classes, dict(self.extra))

    def __len__(self) -> int:
        return len(self.score)

    def rows(self, which: np.ndarray | slice) -> "Detections":
        """The rows that ``which`` names (a boolean mask, indices or a slice), with all their columns."""
        return Detections(
            self.xyxy_px[which],
            self.score[which],
            self.label[which],
            self.classes,
            {name: column[which] for name, column in self.extra.items()},
        )

    @classmethod
    def none(cls, classes: tuple[str, ...] = ("object",)) -> "Detections":
        """Nothing seen."""
        return cls(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64), classes)
