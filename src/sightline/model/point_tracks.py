"""Points of one picture, followed through others."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from sightline.model.arrays import readonly


@dataclass(frozen=True, slots=True, eq=False)
class PointTracks:
    """Where N points of the first of T pictures are in each of them."""

    names: tuple[str, ...]
    """Of the pictures."""
    xy_px: Float32[np.ndarray, "t n 2"]
    """Across and down, pixels of each picture's own; the top-left corner is 0, the first pixel's centre 0.5.

    A point may be outside.
    """
    visible: Float32[np.ndarray, "t n"]
    """How likely it is seen there, 0 to 1."""
    confidence: Float32[np.ndarray, "t n"]
    """How sure the place is, 0 to 1."""

    def __post_init__(self) -> None:
        for name in ("xy_px", "visible", "confidence"):
            object.__setattr__(self, name, readonly(getattr(self, name)))
