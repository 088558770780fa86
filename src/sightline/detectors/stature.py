"""How tall people look, depending on where their feet are."""

from typing import Final

import numpy as np
from jaxtyping import Float

from sightline.model.arrays import Boxes, Scores

_ENOUGH: Final = 60.0
"""Sightings before the line is believed."""
_LEAST_SPREAD: Final = 0.07
"""People differ in height by this share at least."""
_LOOSE: Final = 0.35
"""A line that people scatter about more than this tells nothing: the ground is no plane, or the camera tilts."""
_OUTLIER: Final = 2.5


class Stature:
    """The line between the height of people in pixels and the row their feet are in, learnt from those found.

    On flat ground, seen by a camera that hardly rolls, the height is linear in the row (both up to lens distortion).
    Nothing is claimed before enough people were seen, or where they do not fit a line.

    Source: Hoiem, Efros and Hebert, "Putting objects in perspective" (2008), eqn. 5.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Starts anew: the camera has moved."""
        self._moments = np.zeros((2, 2))
        self._products = np.zeros(2)
        self._line = np.zeros(2)
        self._spread = np.inf
        self._error2 = np.zeros(2)

    @property
    def known(self) -> bool:
        """Whether there is a line to go by."""
        return bool(self._moments[0, 0] >= _ENOUGH and self._spread < _LOOSE)

    def expected_px(self, foot_y_px: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Height of a person whose feet are in those rows; at least one pixel."""
        return np.maximum(self._line[0] + self._line[1] * foot_y_px, 1.0)

    def oddness(self, xyxy_px: Boxes) -> Float[np.ndarray, " n"]:
        """How many spreads the heights of boxes are from what is expected there; 0 while nothing is known."""
        if not self.known:
            return np.zeros(len(xyxy_px))
        return np.abs(self._residual(xyxy_px)) / self._spread

    def settled(self, xyxy_px: Boxes, spread: float) -> Boxes:
        """Boxes with heights and widths drawn towards what is expected, about the same centre.

        ``spread`` is the relative error of the heights as they are; the two are weighted by their precision.
        """
        if not self.known or not len(xyxy_px):
            return xyxy_px
        share = spread**2 / (spread**2 + self._spread**2)
        factor = np.exp(-share * self._residual(xyxy_px))[:, None]
        centre_px = (xyxy_px[:, :2] + xyxy_px[:, 2:]) / 2
        half_px = (xyxy_px[:, 2:] - xyxy_px[:, :2]) / 2 * factor
        return np.hstack([centre_px - half_px, centre_px + half_px])

    def learn(self, xyxy_px: Boxes, score: Scores) -> None:
        """Takes in people that were found; those that fit the line badly count for nothing once it is known."""
        fits = self.oddness(xyxy_px) < _OUTLIER
        foot, height, weight = xyxy_px[fits, 3], xyxy_px[fits, 3] - xyxy_px[fits, 1], score[fits]
        if not len(foot):
            return
        design = np.stack([np.ones_like(foot), foot], axis=1)
        relative = weight / height**2
        keep = 1 - len(foot) / 2000
        self._moments = keep * self._moments + (design * weight[:, None]).T @ design
        self._products = keep * self._products + design.T @ (weight * height)
        ridge = np.diag([0, 1e-3 * self._moments[0, 0] * foot.mean() ** 2])
        self._line[:] = np.linalg.solve(self._moments + ridge, self._products)
        error2 = relative * (height - self.expected_px(foot)) ** 2
        self._error2 = keep * self._error2 + np.array([weight.sum(), error2.sum()])
        self._spread = max(_LEAST_SPREAD, float(np.sqrt(self._error2[1] / self._error2[0])))

    def _residual(self, xyxy_px: Boxes) -> Float[np.ndarray, " n"]:
        height = np.maximum(xyxy_px[:, 3] - xyxy_px[:, 1], 1e-6)
        return np.log(height / self.expected_px(xyxy_px[:, 3]))
