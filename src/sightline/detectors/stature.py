"""How tall people look, depending on where their feet are."""

from typing import Final

import numpy as np
from jaxtyping import Float

from sightline.model.arrays import Boxes, Scores

_ENOUGH: Final = 60.0
"""Sightings before anything is claimed."""
_ALIKE: Final = 10.0
"""So many sightings tell as much as one person: the same few are seen again and again."""
_MEMORY: Final = 2000.0
"""Sightings after which the earlier ones have faded."""
_LEAST_SPREAD: Final = 0.07
"""People differ in height by this share at least."""
_LOOSE: Final = 0.35
"""A curve that people scatter about more than this tells nothing: the ground is no plane, or the camera rolls."""
_OUTLIER: Final = 2.5
_PRIOR: Final = np.array([1.0, 1.0, 0.15])
"""How far height, slope and bend may be from those of a line with its horizon at the top of the picture.

In units of the mean height at the mean row. The bend is that of cameras that look down steeply.
"""


class Stature:
    """The curve between the height of people in pixels and the row their feet are in, learnt from those found.

    On flat ground, seen by a level camera that hardly rolls, the height is linear in the row; steep cameras and lenses
    bend the line a little. It knows how little it knows: far from the rows where people were seen, almost any height
    is as expected. Nothing is claimed before enough people were seen, or where they fit no such curve.

    Source: Hoiem, Efros and Hebert, "Putting objects in perspective" (2008), eqn. 5, for the line; Bayesian linear
    regression for its uncertainty (Bishop, "Pattern recognition and machine learning" (2006), eqns. 3.53 to 3.59).
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Starts anew: the camera has moved."""
        self._moments = np.zeros((3, 3))
        self._products = np.zeros(3)
        self._sums = np.zeros(3)
        self._curve = np.zeros(3)
        self._covariance = np.zeros((3, 3))
        self._spread = np.inf
        self._error2 = np.zeros(2)

    @property
    def known(self) -> bool:
        """Whether there is a curve to go by."""
        return bool(self._sums[0] >= _ENOUGH and self._spread < _LOOSE)

    def expected_px(self, foot_y_px: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Height of a person whose feet are in those rows; at least one pixel."""
        return np.maximum(_terms(foot_y_px) @ self._curve, 1.0)

    def spread(self, foot_y_px: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Relative standard deviation of the height of a person with feet there; infinite while nothing is known."""
        if not self.known:
            return np.full(len(foot_y_px), np.inf)
        terms = _terms(foot_y_px)
        unknown = np.einsum("ni,ij,nj->n", terms, self._covariance, terms) / self.expected_px(foot_y_px) ** 2
        return np.sqrt(self._spread**2 + unknown)  # eqn. 3.59

    def oddness(self, xyxy_px: Boxes) -> Float[np.ndarray, " n"]:
        """How many spreads the heights of boxes are from what is expected there; 0 while nothing is known."""
        if not self.known:
            return np.zeros(len(xyxy_px))
        return np.abs(self._residual(xyxy_px)) / self.spread(xyxy_px[:, 3])

    def settled(self, xyxy_px: Boxes, error: float) -> Boxes:
        """Boxes with heights and widths drawn towards what is expected, about the same centre.

        ``error`` is the relative error of the heights as they are; the two are weighted by their precision.
        """
        if not self.known or not len(xyxy_px):
            return xyxy_px
        share = error**2 / (error**2 + self.spread(xyxy_px[:, 3]) ** 2)
        factor = np.exp(-share * self._residual(xyxy_px))[:, None]
        centre_px = (xyxy_px[:, :2] + xyxy_px[:, 2:]) / 2
        half_px = (xyxy_px[:, 2:] - xyxy_px[:, :2]) / 2 * factor
        return np.hstack([centre_px - half_px, centre_px + half_px])

    def learn(self, xyxy_px: Boxes, score: Scores) -> None:
        """Takes in people that were found; those that fit the curve badly count for nothing once it is known."""
        fits = self.oddness(xyxy_px) < _OUTLIER
        foot, height, weight = xyxy_px[fits, 3], xyxy_px[fits, 3] - xyxy_px[fits, 1], score[fits]
        if not len(foot):
            return
        keep = 1 - len(foot) / _MEMORY
        # relative to the height: an error of a tenth is as likely near as far
        terms = _terms(foot) / height[:, None]
        self._moments = keep * self._moments + (terms * weight[:, None]).T @ terms
        self._products = keep * self._products + terms.T @ weight
        self._sums = keep * self._sums + np.array([weight.sum(), weight @ foot, weight @ height])
        self._fit()
        error2 = weight @ np.square(terms @ self._curve - 1)
        self._error2 = keep * self._error2 + np.array([weight.sum(), error2])
        self._spread = max(_LEAST_SPREAD, float(np.sqrt(self._error2[1] / self._error2[0])))

    def _fit(self) -> None:
        """The curve most likely after all that was seen, and how uncertain it is (eqns. 3.53 and 3.54)."""
        _, foot, height = np.maximum(self._sums / self._sums[0], 1.0)
        scale = height / np.array([1.0, foot, foot**2])
        belief = np.diag(1 / np.square(_PRIOR * scale))
        weight = 1 / (_ALIKE * min(max(self._spread, _LEAST_SPREAD), _LOOSE) ** 2)
        self._covariance[:] = np.linalg.inv(belief + weight * self._moments)
        mean = np.array([0.0, scale[1], 0.0])
        self._curve = self._covariance @ (belief @ mean + weight * self._products)

    def _residual(self, xyxy_px: Boxes) -> Float[np.ndarray, " n"]:
        height = np.maximum(xyxy_px[:, 3] - xyxy_px[:, 1], 1e-6)
        return np.log(height / self.expected_px(xyxy_px[:, 3]))


def _terms(foot_y_px: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 3"]:
    """What the curve is linear in."""
    return np.stack([np.ones_like(foot_y_px), foot_y_px, foot_y_px**2], axis=1)
