"""Pictures made to fit a network's input, and boxes taken back."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from sightline.detectors.networks.reading import Pixels, Side
from sightline.model.arrays import Boxes, Image


@dataclass(frozen=True, slots=True)
class Fit:
    """Where a picture lies in a network's input."""

    left_px: int
    """First column it covers."""
    top_px: int
    """First row it covers."""
    width_px: int
    """Columns it covers."""
    height_px: int
    """Rows it covers."""
    x_net_from_px: float
    """How much wider it has become."""
    y_net_from_px: float
    """How much higher it has become."""

    def px_from_net(self, xyxy_net: Float[np.ndarray, "n 4"]) -> Boxes:
        """Boxes in the picture's own pixels, which they may reach over."""
        low = np.array([self.left_px, self.top_px] * 2)
        return (xyxy_net - low) / np.array([self.x_net_from_px, self.y_net_from_px] * 2)


def fit(width: int, height: int, net_width: int, net_height: int, how: Side) -> Fit:
    """Where a picture of that size goes in a network's input of the other.

    Scaling is by whole covered pixels over the picture's, per axis, so that a box comes back where it was
    even though the covered part is rounded to whole pixels.
    """
    if how == "stretch":
        return Fit(0, 0, net_width, net_height, net_width / width, net_height / height)
    scale = min(net_width / width, net_height / height)
    across, down = max(int(width * scale), 1), max(int(height * scale), 1)
    left, top = ((net_width - across) // 2, (net_height - down) // 2) if how == "centre" else (0, 0)
    return Fit(left, top, across, down, across / width, down / height)


def put(rgb: Image, where: Fit, fill: int, pixels: Pixels, into: Float[np.ndarray, "3 net_h net_w"]) -> None:
    """Draws a picture into one place of a batch, as the network wants to see it."""
    small = cv2.resize(rgb, (where.width_px, where.height_px), interpolation=cv2.INTER_LINEAR)
    rows = slice(where.top_px, where.top_px + where.height_px)
    cols = slice(where.left_px, where.left_px + where.width_px)
    is_partial = (where.height_px, where.width_px) != into.shape[1:]
    planes = cv2.split(small)
    for plane, channel in zip(into, planes if pixels.order == "rgb" else planes[::-1], strict=True):
        if is_partial:
            plane.fill(fill)
        plane[rows, cols] = channel
    for row, (mean, std) in enumerate(zip(pixels.mean, pixels.std, strict=True)):
        if mean:
            into[row] -= np.float32(mean)
        if std != 1:
            into[row] *= np.float32(1 / std)
