"""When it is looked at whom: often enough, and only at boxes that show somebody."""

from typing import final

import numpy as np
from jaxtyping import Int

from sightline.embedders.crops import worth
from sightline.model.arrays import Looks
from sightline.model.frame import Frame
from sightline.model.tracks import Tracks
from sightline.ports import Embedder

EVERY_S = 0.5
"""How often it is looked at somebody: looks in quicker succession show the same again."""
LEAST_WORTH = 0.25
"""Boxes that tell less than this share of a good one are not looked at."""


@final
class Looking:
    """Looks of the tracks of one camera, or of several: sharp, unoccluded, whole boxes, every ``every_s`` seconds.

    ``least_worth`` is in the sense of ``embedders.crops.worth``; 0 looks at every box that is due.
    """

    def __init__(self, embedder: Embedder, *, every_s: float = EVERY_S, least_worth: float = LEAST_WORTH) -> None:
        self._embedder, self._every_s, self._least = embedder, every_s, least_worth
        self._looked_s: dict[tuple[str, int], float] = {}

    def looks(self, frame: Frame, tracks: Tracks) -> Looks:
        """One vector for each track in this picture; NaN for those looked at lately, and those not well seen.

        Raises:
            EngineError: the embedder failed.
            WeightsError: its weights cannot be read.
        """
        due = self._due(frame, tracks)
        found = self._embedder.embed(frame, tracks.xyxy_px[due])
        looks = np.full((len(tracks), found.shape[1]), np.nan)
        looks[due] = found
        return looks

    def _due(self, frame: Frame, tracks: Tracks) -> Int[np.ndarray, " k"]:
        """Whom to look at; noted as looked at. Who has left the pictures for long is let go of."""
        t_s = frame.moment.t_s
        keys = [(tracks.camera, number) for number in tracks.number.tolist()]
        lately = {key for key in keys if t_s - self._looked_s.get(key, -np.inf) < self._every_s}
        waits = np.array([key in lately for key in keys], bool)
        due = np.flatnonzero(~waits & (worth(frame.rgb, tracks.xyxy_px) >= self._least))
        self._looked_s = {key: s for key, s in self._looked_s.items() if t_s - s < self._every_s}
        self._looked_s |= {keys[row]: t_s for row in due.tolist()}
        return due
