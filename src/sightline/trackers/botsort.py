"""BoT-SORT: ByteTrack's rounds, a box state with width and height, forecasts that move with the camera.

Source: Aharon, Orfaig, Bobrovsky, BoT-SORT: Robust Associations Multi-Pedestrian Tracking (2022), without Re-ID.
Ours, not theirs: where nobody looked how the camera moved, tracks that are not seen share what surprised all that
are; overlap allows for what a forecast cannot know (``doubted``, see ``likeness``), so that people are followed at
five pictures per second, too.
"""

from typing import final

import numpy as np

from sightline.estimation.kalman import Motion
from sightline.model.detections import Detections
from sightline.model.frame import Moment
from sightline.model.tracks import Tracks
from sightline.trackers.association import Association
from sightline.trackers.recipe import Overlap, Recipe, Round

_AXES = np.array([1.0, 0.5, 0.5, 0.5])
"""Things go sideways in pictures more than to and fro, and change their size less."""
_WALK = Motion(wander=0.27 * _AXES, swerve=0.4 * _AXES, first_speed=0.9 * _AXES)
"""People walk at 0.7 heights per second."""


@final
class BotSort:
    """Follows by overlap, camera motion taken out. Options: times in seconds, scores and overlaps in [0, 1]."""

    def __init__(
        self, *, strong_score: float = 0.6, weak_score: float = 0.1, birth_score: float = 0.7,
        lost_s: float = 2.0, confirm_hits: int = 2, overlap: Overlap = "doubted", across_classes: bool = False,
    ) -> None:  # fmt: skip
        rounds = (
            Round("believed", "strong", 0.2, fused=True),
            Round("just seen", "weak", 0.5),
            Round("tentative", "strong", 0.3, fused=True),
        )
        self._association = Association(
            Recipe(
                rounds, strong_score, weak_score, birth_score, confirm_hits, lost_s, overlap, across_classes,
                follows_camera=True, trusts_first=True, motion=_WALK,
            )
        )  # fmt: skip

    def update(self, moment: Moment, found: Detections) -> Tracks:
        """The believed among ``found``."""
        return self._association.update(moment, found)
