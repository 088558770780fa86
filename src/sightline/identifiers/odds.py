"""What is likely, as far as it is known: how often a camera overlooks somebody, and how often it sees nobody."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from sightline.estimation.walk import Walk
from sightline.model.view import View

HIDDEN_S = 0.5
"""Who is hidden from a camera stays so for about this long: misses in quicker succession tell less."""


@dataclass(frozen=True, slots=True)
class Odds:
    """All that is assumed of people and cameras."""

    seen: float = 0.75
    """Chance that a camera sees somebody who is in its picture."""
    false_per_m2: float = 3e-4
    """Sightings of nobody, per camera, moment and square metre: one in a hall of 60 by 60 metres."""
    new_per_m2: float = 2e-3
    """People not followed yet, per moment and square metre: one on 20 by 25 metres."""
    stays: float = 0.96
    """Chance that somebody who is there is still there a second later."""
    same_track: float = 0.95
    """Chance that the next sighting under one number of a camera's tracker is of the same person."""
    gate: float = 16.0
    """Squared Mahalanobis distance beyond which a sighting is not anybody's: one in 3,000."""
    walk: Walk = field(default_factory=Walk)
    """How people move."""

    @property
    def other_per_m2(self) -> float:
        """Sightings of nobody and of people not followed yet, per camera, moment and square metre."""
        return self.false_per_m2 + self.new_per_m2 * self.seen


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Which camera sees which ground. Cameras without a view are taken to see all of it."""

    views: tuple[View | None, ...]
    """One for each camera."""
    middle_m: Float[np.ndarray, " 2"]
    """What places are counted from."""

    @classmethod
    def of(cls, cameras: tuple[str, ...], views: Mapping[str, View], middle_m: Float[np.ndarray, " 2"]) -> "Coverage":
        """That of the cameras, in their order."""
        return cls(tuple(views.get(name) for name in cameras), middle_m)

    def sees(self, xy_m: Float[np.ndarray, "n 2"]) -> Bool[np.ndarray, "n k"]:
        """Whether each place is in the picture of each camera."""
        inside = np.ones((len(xy_m), len(self.views)), bool)
        for k, view in enumerate(self.views):
            if view is None:
                continue
            homogeneous = (xy_m + self.middle_m) @ view.px_from_enu[:, :2].T + view.px_from_enu[:, 2]
            x, y, w = homogeneous.T
            inside[:, k] = (w > 0) & (x > 0) & (y > 0) & (x < view.width * w) & (y < view.height * w)
        return inside
