"""Spots of a picture that can be found again in another: SIFT, described by square roots of histograms.

Source: Lowe, "Distinctive image features from scale-invariant keypoints" (2004); Arandjelovic and Zisserman,
"Three things everyone should know to improve object retrieval" (2012), for the square roots.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from sightline.model.arrays import Image, readonly

_LEAST_SIDE: Final = 32
"""Pictures smaller than this have nothing to find; pixels."""
_CONTRASTS: Final = (0.02, 0.005)
"""What sets a spot apart from its surroundings; the second for pictures where the first finds little."""
_FEW: Final = 500
"""With fewer spots than this one looks closer."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """N spots of one picture, the coarsest first: those are the likeliest to be seen again from elsewhere."""

    xy_px: Float32[np.ndarray, "n 2"]
    """Where; the centre of the first pixel is (0.5, 0.5)."""
    look: Float32[np.ndarray, "n 128"]
    """How their surroundings look; rows have length one and no negative number."""
    rgb: UInt8[np.ndarray, "n 3"]
    """Their colour."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, readonly(getattr(self, name)))

    def __len__(self) -> int:
        return len(self.xy_px)

    @classmethod
    def none(cls) -> "Features":
        """No spot."""
        return cls(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32), np.zeros((0, 3), np.uint8))


def features(rgb: Image, *, most: int, side_px: int) -> Features:
    """At most ``most`` spots of the picture, looked for at no more than ``side_px`` pixels along its longer side.

    The same picture always gives the same spots.
    """
    height, width = rgb.shape[:2]
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    shrink = min(1.0, side_px / max(height, width))
    if shrink < 1:
        small = (max(1, round(width * shrink)), max(1, round(height * shrink)))
        grey = cv2.resize(grey, small, interpolation=cv2.INTER_AREA)
    if min(grey.shape) < _LEAST_SIDE:
        return Features.none()
    per_small = np.array([width / grey.shape[1], height / grey.shape[0]])
    for contrast in _CONTRASTS:
        sift = cv2.SIFT.create(nfeatures=most, contrastThreshold=contrast, enable_precise_upscale=True)
        spots, histograms = sift.detectAndCompute(grey, np.empty(0, np.uint8))
        if len(spots) >= min(_FEW, most):
            break
    if not len(spots):
        return Features.none()
    xy = np.array([spot.pt for spot in spots])
    order = np.lexsort((xy[:, 1], xy[:, 0], -np.array([spot.size for spot in spots])))[:most]
    xy_px = ((xy[order] + 0.5) * per_small).astype(np.float32)
    column, row = np.clip(xy_px.astype(np.intp), 0, np.array([width, height]) - 1).T
    return Features(xy_px, _looks(histograms[order]), rgb[row, column])


def _looks(histograms: Float32[np.ndarray, "n 128"]) -> Float32[np.ndarray, "n 128"]:
    """Square roots of histograms that sum to one: their dot product is the Hellinger kernel."""
    return np.sqrt(histograms / np.maximum(histograms.sum(axis=1, keepdims=True), 1e-9))
