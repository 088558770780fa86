"""OC-SORT: direction counts, gaps are relived, and what is left over is compared with where it was last seen.

Source: Cao et al., Observation-Centric SORT (CVPR 2023): momentum eqn. 4, re-update 4.1, recovery 4.3.
"""

from typing import final

from sightline.model.detections import Detections
from sightline.model.frame import Moment
from sightline.model.tracks import Tracks
from sightline.trackers.association import Association
from sightline.trackers.recipe import Overlap, Recipe, Round


@final
class OcSort:
    """Follows by overlap and direction. Options: times in seconds, scores and overlaps in [0, 1]."""

    def __init__(
        self, *, strong_score: float = 0.6, overlap_at_least: float = 0.3, momentum: float = 0.2,
        lost_s: float = 2.0, confirm_hits: int = 3, overlap: Overlap = "iou", across_classes: bool = False,
    ) -> None:  # fmt: skip
        rounds = (
            Round("all", "strong", overlap_at_least, momentum=momentum),
            Round("all", "strong", overlap_at_least, against="last seen"),
        )
        self._association = Association(
            Recipe(
                rounds, strong_score, strong_score, strong_score, confirm_hits, lost_s, overlap, across_classes,
                replays=True,
            )
        )  # fmt: skip

    def update(self, moment: Moment, found: Detections) -> Tracks:
        """The believed among ``found``."""
        return self._association.update(moment, found)
