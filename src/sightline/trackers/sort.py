"""SORT: one round of IoU matching against a constant-speed forecast.

Source: Bewley, Ge, Ott, Ramos, Upcroft, Simple Online and Realtime Tracking (ICIP 2016).
Differs from the paper in that a lost track waits for ``lost_s`` seconds, as all users of it came to do.
"""

from typing import final

from sightline.model.detections import Detections
from sightline.model.frame import Moment
from sightline.model.tracks import Tracks
from sightline.trackers.association import Association
from sightline.trackers.recipe import Overlap, Recipe, Round


@final
class Sort:
    """Follows by overlap alone. Options: times in seconds, scores and overlaps in [0, 1]."""

    def __init__(
        self, *, birth_score: float = 0.25, overlap_at_least: float = 0.3, confirm_hits: int = 3,
        lost_s: float = 2.0, overlap: Overlap = "iou", across_classes: bool = False,
    ) -> None:  # fmt: skip
        rounds = (Round("all", "strong", overlap_at_least),)
        self._association = Association(
            Recipe(rounds, 0.0, 0.0, birth_score, confirm_hits, lost_s, overlap, across_classes)
        )

    def update(self, moment: Moment, found: Detections) -> Tracks:
        """The believed among ``found``."""
        return self._association.update(moment, found)
