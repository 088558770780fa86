"""Pictures of any size, drawn into one that a network takes; and the way back to their own pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from sightline.model.arrays import Image
from sightline.reconstructors.networks.encoder import PATCH

LEAST_PX: Final = 4 * PATCH
"""A shorter side has too few tokens to say anything."""


@dataclass(frozen=True, slots=True)
class Framing:
    """Where a picture lies in the network's: drawn to ``inner`` pixels, with white around it."""

    own: tuple[int, int]
    """The picture's pixels down and across."""
    inner: tuple[int, int]
    """What it is drawn to."""
    outer: tuple[int, int]
    """The network's picture."""

    @property
    def corner(self) -> tuple[int, int]:
        """Rows above it and columns beside it."""
        return (self.outer[0] - self.inner[0]) // 2, (self.outer[1] - self.inner[1]) // 2

    @property
    def outer_from_own(self) -> Float[np.ndarray, "3 3"]:
        """Takes homogeneous pixels of the picture to the network's."""
        (top, left), (down, across) = self.corner, (self.inner[k] / self.own[k] for k in range(2))
        return np.array([[across, 0.0, left], [0.0, down, top], [0.0, 0.0, 1.0]])

    @property
    def inside(self) -> tuple[slice, slice]:
        """The network's rows and columns that show the picture."""
        top, left = self.corner
        return slice(top, top + self.inner[0]), slice(left, left + self.inner[1])

    def shown(self, rgb: Image) -> UInt8[np.ndarray, "a b 3"]:
        """The picture, drawn to ``inner`` pixels."""
        shrinks = self.inner[0] < self.own[0]
        way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(rgb, self.inner[::-1], interpolation=way), np.uint8)

    def framed(self, shown: Image) -> Float32[np.ndarray, "3 a b"]:
        """The network's picture, 0 to 1."""
        whole = np.ones((3, *self.outer), np.float32)
        whole[:, *self.inside] = shown.transpose(2, 0, 1) / np.float32(255)
        return whole


def framings(sizes: Sequence[tuple[int, int]], side_px: int) -> list[Framing]:
    """How pictures of those sizes (down, across) fit into one: longer sides become ``side_px``, rounded to tokens.

    All of every picture is kept. Where sizes differ, the smallest frame that holds each takes them all.
    """
    side = max(round(side_px / PATCH) * PATCH, LEAST_PX)
    inner = [
        (side, _rounded(side * across / down)) if down > across else (_rounded(side * down / across), side)
        for down, across in sizes
    ]
    outer = max(down for down, _ in inner), max(across for _, across in inner)
    return [Framing(own, drawn, outer) for own, drawn in zip(sizes, inner, strict=True)]


def _rounded(px: float) -> int:
    return max(round(px / PATCH) * PATCH, LEAST_PX)
