"""Places of what a flying camera followed: the ray through a box's foot, down to the ground."""

from typing import Literal, final

import numpy as np
from jaxtyping import Float

from sightline.geodesy.terrain import Terrain
from sightline.geometry.lens import straightened
from sightline.locators.doubts import CONSUMER, Doubts
from sightline.locators.eyes import Eyes, eyes, heights_m, origin_of
from sightline.locators.pointing import Pointing
from sightline.locators.rays import ground_places
from sightline.model.flight import Flight
from sightline.model.lens import Lens
from sightline.model.positions import Origin, Positions
from sightline.model.tracks import Tracks

Anchor = Literal["base", "foot", "centre"]
Points = Float[np.ndarray, "n 2"]
THICKNESS = {"person": 0.3, "pedestrian": 0.3, "cycle": 0.9, "bicycle": 0.9, "motorcycle": 1.0}
"""How deep a thing is, in its own heights; others count as vehicles."""
_VEHICLE = 1.8
_EDGE_PX, _BELOW = 2.0, 0.25
"""A box that ends at the picture's lower edge is cut off: its foot may be a quarter of its height below."""


@final
class Ground:
    """A camera on a drone, over level ground or a terrain."""

    def __init__(
        self,
        *,
        flight: Flight,
        pointing: Pointing,
        lens: Lens,
        log_from_video_s: float = 0.0,
        ground: float | Terrain = 0.0,
        anchor: Anchor = "base",
        doubts: Doubts = CONSUMER,
        ground_sea_m: float | None = None,
    ) -> None:
        self._flight, self._pointing = flight, pointing
        self._shift_s = log_from_video_s
        self._anchor = anchor
        self._height_m = heights_m(flight, ground_sea_m)
        self.lens = lens
        """The camera's."""
        self.shape = ground
        """The ground: level at that height above the origin, or a terrain."""
        self.doubts = doubts
        """How wrong everything may be."""
        self.origin: Origin = origin_of(flight)
        """What metres are counted from."""

    def eyes(self, t_s: Float[np.ndarray, " n"]) -> Eyes:
        """The camera at these seconds of the video."""
        return eyes(self._flight, self._pointing, self.origin, t_s + self._shift_s, self._height_m)

    def locate(self, tracks: Tracks) -> Positions:
        """A place for each row, in their order, with covariance; NaN where the ray does not meet the ground.

        Boxes cut off by the picture's lower edge keep their place and get a wider covariance.
        """
        moments, row = _moments(tracks.t_s)
        seen = self.eyes(moments)
        points = self.feet(tracks, seen, row)
        xyz, cov = self._placed(points, seen, row)
        cut = np.flatnonzero(tracks.xyxy_px[:, 3] > self.lens.height - _EDGE_PX)
        if len(cut) and self._anchor != "centre":
            lower = points[cut] + np.column_stack([0 * cut, _BELOW * np.diff(tracks.xyxy_px[cut, 1::2], axis=1)[:, 0]])
            nearer = self._placed(lower, seen, row[cut])[0] - xyz[cut]
            cov[cut] += nearer[:, :, None] * nearer[:, None, :]
        n = len(tracks)
        return Positions(
            origin=self.origin,
            frame_index=tracks.frame_index,
            t_s=tracks.t_s,
            number=tracks.number,
            xyz_enu_m=xyz,
            cov_enu_m2=cov,
            velocity_enu_mps=np.full((n, 3), np.nan),
            cov_velocity_m2ps2=np.full((n, 3, 3), np.nan),
        )

    def flat(self, xy_px: Points) -> Points:
        """Directions that pixels look in: right and down per unit forward."""
        if np.any(self.lens.distortion):
            return straightened(self.lens, xy_px)
        return (xy_px - self.lens.centre_px) / self.lens.focal_px

    def feet(self, tracks: Tracks, seen: Eyes, row: np.ndarray) -> Points:
        """The pixel of each box below which its thing stands; ``row`` is the moment of each in ``seen``."""
        box = tracks.xyxy_px
        middle = (box[:, :2] + box[:, 2:]) / 2
        if self._anchor == "centre":
            return middle
        foot = np.column_stack([middle[:, 0], box[:, 3]])
        if self._anchor == "foot":
            return foot
        steep = _sinking(self.flat(middle), seen, row)
        thick = np.array([THICKNESS.get(name, _VEHICLE) for name in tracks.classes], float)[tracks.label]
        deep = thick * steep
        share = deep / (2 * (deep + np.sqrt(1 - steep * steep)))  # of the box, up from its lower edge
        foot[:, 1] -= np.nan_to_num(share) * (box[:, 3] - box[:, 1])
        return foot

    def _placed(self, points: Points, seen: Eyes, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the rays through these pixels meet the ground, and how surely."""
        return ground_places(self.flat(points), self.lens.focal_px, seen, row, self.shape, self.doubts)


def _sinking(flat: Points, seen: Eyes, row: np.ndarray) -> Float[np.ndarray, " n"]:
    """Sine of the angle at which rays sink, 0 to 1."""
    up = seen.enu_from_cam[:, 2, :][row]
    sink = -(up[:, 0] * flat[:, 0] + up[:, 1] * flat[:, 1] + up[:, 2])
    return (sink / np.sqrt(1 + (flat * flat).sum(axis=1))).clip(0, 1)


def _moments(t_s: Float[np.ndarray, " n"]) -> tuple[Float[np.ndarray, " k"], np.ndarray]:
    """The different times of neighbouring rows, and which of them each row has."""
    if not len(t_s):
        return t_s, np.zeros(0, np.int64)
    new = np.concatenate([[True], np.diff(t_s) != 0])
    return t_s[new], np.cumsum(new) - 1
