"""Where somebody who was seen in one camera may come up next: overlaps and hand-over rules of a site."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from sightline.model.site import HandOver, Side, Watch

ROAM_S = 60.0
"""Who was out of sight for so long may come up anywhere."""
_HALF = {
    "left": np.array([0, 0, 0.5, 1]),
    "right": np.array([0.5, 0, 1, 1]),
    "up": np.array([0, 0, 1, 0.5]),
    "down": np.array([0, 0.5, 1, 1]),
}


class Passage:
    """Tells who may come up in a camera. A site that says nothing of overlaps and hand-overs forbids nothing.

    From camera to camera one gets where pictures overlap, and by a hand-over, if enough of the last box was in the half
    of the picture that the rule names. Coming back to the same camera is always possible.
    """

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._overlaps = {frozenset((watch.id, other)) for watch in watches for other in watch.overlaps}
        self._rules = [(watch.id, rule) for watch in watches for rule in watch.hand_overs]

    def open(
        self,
        camera: str,
        last: Sequence[str],
        xyxy_share: Float[np.ndarray, "g 4"],
        gone_s: Float[np.ndarray, " g"],
    ) -> Bool[np.ndarray, " g"]:
        """Who may come up in ``camera``, last seen by the cameras ``last``, in such a box, so long ago."""
        if not self._overlaps and not self._rules:
            return np.ones(len(last), bool)
        of = np.array([name == camera or frozenset((name, camera)) in self._overlaps for name in last], bool)
        may = of | (gone_s > ROAM_S)
        names = np.array(last)
        for source, rule in self._rules:
            if camera in rule.to:
                may |= (names == source) & _leaves(xyxy_share, rule)
        return may


def _leaves(xyxy_share: Float[np.ndarray, "g 4"], rule: HandOver) -> Bool[np.ndarray, " g"]:
    """Whether boxes are where the rule says that people leave; where no box is known, they may be."""
    if rule.side is None:
        return np.ones(len(xyxy_share), bool)
    part = share_in(xyxy_share, rule.side)
    return np.isnan(part) | (part >= rule.share)


def share_in(xyxy_share: Float[np.ndarray, "g 4"], side: Side) -> Float[np.ndarray, " g"]:
    """How much of each box lies in that half of the picture; NaN for unknown boxes."""
    half = _HALF[side]
    inside = np.minimum(xyxy_share[:, 2:], half[2:]) - np.maximum(xyxy_share[:, :2], half[:2])
    whole = np.prod(xyxy_share[:, 2:] - xyxy_share[:, :2], axis=1)
    return np.prod(np.maximum(inside, 0), axis=1) / np.where(whole > 0, whole, np.nan)
