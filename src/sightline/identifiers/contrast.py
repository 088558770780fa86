"""What sets people apart in looks, learnt while they come: what varies within a camera's track counts for less.

Source: as ``likeness.contrasted``, which knows all looks at once; running sums as in Welford (1962).
"""

from collections.abc import Mapping
from typing import Final, final

import numpy as np
from jaxtyping import Float

from sightline.identifiers.remembered import State, checked
from sightline.model.arrays import Looks

_ENOUGH_TRACKS, _ENOUGH_LOOKS = 12, 120
"""Tracks that were looked at more than once, and looks at them, before anything is claimed."""
_MOST_TRACKS = 2000
"""Tracks that are remembered; older ones have ended."""
_EVEN = 0.5
"""How far what is learnt is drawn to all differences being alike."""
_ANEW = 1.25
"""By how much the looks must have grown in number before it is reckoned again."""
LAYOUT: Final = {
    "track": "i k 2",
    "track_looks": "i k",
    "track_mean": "f k d",
    "within": "f d d",
    "counts": "i 3",
    "mean": "f m",
    "scale": "f m m",
}
"""Of what is remembered; ``m`` is 0 until it was reckoned first."""


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

    def cosines(self, one: Looks, other: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "n m"]:
        """How alike they are: about 0 for two people, whatever the embedder; NaN for unknown looks."""
        if self._n_looks > _ANEW * self._reckoned:
            self._reckon()
        return self._seen_apart(one) @ self._seen_apart(other).T

    def state(self) -> State:
        """All that was learnt so far; arrays of its own."""
        n = len(self._within)
        return {
            "track": np.array(list(self._tracks), np.int64).reshape(-1, 2),
            "track_looks": np.array([count for count, _ in self._tracks.values()], np.int64),
            "track_mean": np.array([mean for _, mean in self._tracks.values()], np.float64).reshape(
                len(self._tracks), n
            ),
            "within": self._within.copy(),
            "counts": np.array([self._n_looks, self._n_tracks, self._reckoned]),
            "mean": np.zeros(0) if self._mean is None else self._mean,
            "scale": self._scale,
        }

    def resume(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on from what ``state`` told.

        Raises:
            ValueError: it is no such state; names what is wrong.
        """
        known = checked(state, LAYOUT)
        tracks = map(tuple, known["track"].tolist())
        counts = zip(known["track_looks"].tolist(), known["track_mean"], strict=True)
        self._tracks = dict(zip(tracks, counts, strict=True))
        self._within = known["within"].copy()
        self._n_looks, self._n_tracks, self._reckoned = known["counts"].tolist()
        self._mean, self._scale = known["mean"] if len(known["mean"]) else None, known["scale"]

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
