"""Looks from the colours of clothes alone: no weights, any machine.

Source: stripes of colour histograms are those of Gray and Tao, Viewpoint Invariant Pedestrian Recognition with an
Ensemble of Localized Features (2008); the square root makes the dot product Bhattacharyya's (1943) coefficient.
"""

from typing import final

import cv2
import numpy as np
from jaxtyping import Float

from sightline.embedders.crops import crop
from sightline.errors import OptionError
from sightline.model.arrays import Boxes, Looks
from sightline.model.frame import Frame

_WIDTH, _HEIGHT = 32, 96
_MIDDLE = slice(6, 26)
"""Columns that show the person rather than what is beside."""
_HUES, _GREYS = 12, 6
_COLOURFUL = 40.0
"""Saturation from which a colour is one, half at half of it."""


@final
class Colour:
    """How much of each colour is in each of ``stripes`` slices of a box, from head to feet.

    Colours count by how colourful they are, and greys by how bright; the outer columns of a box are left out.
    Tells a red shirt from a blue one, and nothing about who wears it: two in black are alike.
    """

    def __init__(self, *, stripes: int = 6) -> None:
        if not 1 <= stripes <= _HEIGHT:
            raise OptionError(f"embedder colour: stripes={stripes}: from 1 to {_HEIGHT}")
        self._stripes = stripes

    def embed(self, frame: Frame, xyxy_px: Boxes) -> Looks:
        """One vector for each box, of (12 + 6) x ``stripes`` numbers; NaN where the picture shows next to nothing."""
        looks = np.full((len(xyxy_px), self._stripes * (_HUES + _GREYS)), np.nan)
        for k, box in enumerate(xyxy_px):
            if (small := crop(frame.rgb, box, _WIDTH, _HEIGHT)) is not None:
                hsv = cv2.cvtColor(np.ascontiguousarray(small[:, _MIDDLE]), cv2.COLOR_RGB2HSV_FULL)
                looks[k] = np.sqrt(self._shares(hsv.astype(float)) / self._stripes)
        return looks

    def _shares(self, hsv: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, " d"]:
        """Shares of colours and greys, 1 in sum for each stripe."""
        hue, saturation, value = hsv.reshape(-1, 3).T
        colourful = np.clip(saturation * value / 255 / _COLOURFUL, 0, 1)
        stripe = np.repeat(np.arange(_HEIGHT) * self._stripes // _HEIGHT, hsv.shape[1])
        n = self._stripes * (_HUES + _GREYS)
        first = stripe * (_HUES + _GREYS)
        shares = np.zeros(n)
        for column, bins, weight, wraps in ((hue, _HUES, colourful, True), (value, _GREYS, 1 - colourful, False)):
            # Each pixel goes to the two nearest bins, so that a shade more or less of light changes little.
            place = column / 256 * bins - 0.5
            low = np.floor(place).astype(np.int64)
            for bin_, part in ((low, low + 1 - place), (low + 1, place - low)):
                inside = bin_ % bins if wraps else np.clip(bin_, 0, bins - 1)
                shares += np.bincount(first + inside, weight * part, minlength=n)
            first = first + _HUES
        per_stripe = shares.reshape(self._stripes, -1)
        return np.asarray((per_stripe / per_stripe.sum(axis=1, keepdims=True)).reshape(-1))
