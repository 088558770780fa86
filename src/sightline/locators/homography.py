"""Where people stand on a flat ground, from the feet of their boxes and the camera's homography."""

from typing import final

import numpy as np
from jaxtyping import Bool, Float

from sightline.errors import OptionError
from sightline.geometry.homography import carried
from sightline.geometry.warp import warped
from sightline.model.arrays import Boxes
from sightline.model.positions import Positions
from sightline.model.tracks import Tracks
from sightline.model.view import View

_EDGE_PX = 2.0
"""Boxes that come so close to the picture's edge go on beyond it."""
_BEYOND = 0.25
"""How much of its visible height a box cut off below goes on, more or less all of that; its width likewise."""
_ROUNDED_PX = 1.0
"""Boxes are whole pixels for many detectors."""


@final
class Homography:
    """The middle of a box's lower edge, taken to the ground, with covariance from the homography's slope there.

    ``jitter`` is the standard deviation of a box's edges, as a share of its width and height. Where the picture cuts
    a box off below, the feet are taken to be a quarter of its height further down, give or take as much; cut off at
    a side, they may be a quarter of its width to either side. Feet at or beyond the horizon have no place.
    """

    def __init__(self, *, view: View, jitter: float = 0.04) -> None:
        if not jitter >= 0:
            raise OptionError(f"locator homography: jitter={jitter} is a share of the box; give 0 or more")
        self._view = view
        self._enu_from_px = np.linalg.inv(view.px_from_enu)
        self._jitter = jitter

    def locate(self, tracks: Tracks) -> Positions:
        """Where each sighting stood, up = 0; speeds are not known from one sighting."""
        foot_px, variance = self._feet(tracks.xyxy_px)
        cov_px2 = variance[:, :, None] * np.eye(2)
        n = len(tracks)
        xyz, cov = np.zeros((n, 3)), np.zeros((n, 3, 3))
        xyz[:, :2] = warped(self._enu_from_px, foot_px)
        xyz[np.isnan(xyz[:, 0])] = np.nan
        cov[:, :2, :2] = carried(self._enu_from_px, foot_px, cov_px2)
        unknown = np.full((n, 3), np.nan), np.full((n, 3, 3), np.nan)
        return Positions(None, tracks.frame_index, tracks.t_s, tracks.number, xyz, cov, *unknown)

    def whole(self, xyxy_px: Boxes) -> Bool[np.ndarray, " n"]:
        """Which boxes show all of a person's width and the feet."""
        below, aside = self._cut(xyxy_px)
        return ~(below | aside)

    def _cut(self, xyxy_px: Boxes) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
        """Which boxes the picture cuts off below, and which at a side."""
        left, _, right, bottom = xyxy_px.T
        aside = (left <= _EDGE_PX) | (right >= self._view.width - _EDGE_PX)
        return bottom >= self._view.height - _EDGE_PX, aside

    def _feet(self, xyxy_px: Boxes) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, "n 2"]]:
        """Where the feet are in the picture, and the variances of x and y."""
        size = xyxy_px[:, 2:] - xyxy_px[:, :2]
        below, aside = self._cut(xyxy_px)
        beyond = _BEYOND * size * np.column_stack([aside, below])
        foot = np.column_stack([(xyxy_px[:, 0] + xyxy_px[:, 2]) / 2, xyxy_px[:, 3] + beyond[:, 1]])
        return foot, (self._jitter * size) ** 2 + _ROUNDED_PX**2 + beyond**2
