"""Recorded tracks as paths: rows sorted by track, then by time, and where each path begins and ends."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from sightline.model.tracks import Tracks


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """P tracks of N rows in all."""

    rows: Tracks
    """Sorted by number, then by time."""
    first: Int[np.ndarray, " p"]
    """Row where each path begins."""
    last: Int[np.ndarray, " p"]
    """Row where each path ends."""

    @classmethod
    def of(cls, tracks: Tracks, number: Int[np.ndarray, " n"]) -> "Paths":
        """The rows of ``tracks``, regrouped under other numbers."""
        order = np.lexsort((tracks.t_s, number))
        sorted_ = number[order]
        new = np.flatnonzero(np.diff(sorted_, prepend=sorted_[:1] - 1))
        last = np.append(new[1:], len(order)) - 1 if len(order) else new
        return cls(tracks.rows(order), new, last)

    def __len__(self) -> int:
        return len(self.first)

    def spread(self, per_path: np.ndarray) -> np.ndarray:
        """One value per path, as one value per row."""
        return np.repeat(per_path, self.last - self.first + 1)


def runs(first: Int[np.ndarray, " k"], count: Int[np.ndarray, " k"]) -> tuple[np.ndarray, np.ndarray]:
    """The numbers ``first[i], first[i] + 1, ...``, ``count[i]`` of them, for every i; and beside each its i."""
    which = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    return which, first[which] + within
