"""What sets people apart in looks, learnt while they come: what varies within a camera's track counts for less.

Source: as ``likeness.contrasted``, which knows all looks at once; running sums as in Welford (1962).
"""

from typing import final

import numpy as np
from jaxtyping import Float

from sightline.model.arrays import Looks

_ENOUGH_TRACKS, _ENOUGH_LOOKS = 12, 120
"""Tracks that were looked at more than once, and looks at them, before anything is claimed."""
_MOST_TRACKS = 2000
"""Tracks that are remembered; older ones have ended."""
_EVEN = 0.5
"""How far what is learnt is drawn to all differences being alike."""
_ANEW = 1.25
"""By how much the looks must have grown in number before it is reckoned again."""


@final
class Contrast:
    """Looks of any number of tracks, put in; how to compare them, read off."""

    def __init__(self) -> None:
        self._tracks: dict[tuple[int, int], tuple[int, Float[np.ndarray, " d"]]] = {}
        self._within: Float[np.ndarray, "d d"] = np.zeros((0, 0))
        self._n_looks, self._n_tracks, self._reckoned = 0, 0, 0
        self._mean: Float[np.ndarray, " d"] | None = None
        self._scale: Float[np.ndarray, "d d"] = np.zeros((0, 0))

    @property
    def is_known(self) -> bool:
        """Whether enough was seen."""
        return self._n_tracks >= _ENOUGH_TRACKS and self._n_looks >= _ENOUGH_LOOKS

    def add(self, key: tuple[int, int], look: Float[np.ndarray, " d"]) -> None:
        """One more look at the track ``key``."""
        if not len(self._within):
            self._within = np.zeros((len(look), len(look)))
        count, mean = self._tracks.pop(key, (0, np.zeros(len(look))))
        after = mean + (look - mean) / (count + 1)
        if count:
            self._within += np.outer(look - mean, look - after)
            self._n_looks += 1
            self._n_tracks += count == 1
        self._tracks[key] = (count + 1, after)
        if len(self._tracks) > _MOST_TRACKS:
            del self._tracks[next(iter(self._tracks))]

    def cosines(self, one: Looks, other: Looks) -> Float[np.ndarray, "n m"]:
        """How alike they are: about 0 for two people, whatever the embedder; NaN for unknown looks."""
        if self._n_looks > _ANEW * self._reckoned:
            self._reckon()
        return self._seen_apart(one) @ self._seen_apart(other).T

    def _reckon(self) -> None:
        self._reckoned = self._n_looks
        self._mean = np.mean([mean for _, mean in self._tracks.values()], axis=0)
        within = self._within / self._n_looks
        within = (1 - _EVEN) * within + _EVEN * np.trace(within) / len(within) * np.eye(len(within))
        variance, direction = np.linalg.eigh(within)
        self._scale = direction / np.sqrt(np.maximum(variance, 1e-12))

    def _seen_apart(self, looks: Looks) -> Looks:
        apart = (looks - self._mean) @ self._scale
        length = np.linalg.norm(apart, axis=1, keepdims=True)
        return apart / np.where(length > 0, length, np.nan)
