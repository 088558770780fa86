"""Who overlaps whom, picture by picture: the one table that every metric reads."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from sightline.geometry.boxes import iou
from sightline.model.tracks import UNTRACKED, Tracks

Pairs = Int[np.ndarray, " r"]
"""Indices into the pairs of a ``Pairing``."""
Weights = Float[np.ndarray, " q"]
"""One weight for each pair of one picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """Boxes of truth and result, and every pair of them that overlaps in a picture. Memory grows with pairs."""

    truth_track: Int[np.ndarray, " n"]
    """Which track each truth box belongs to, counted from 0 without gaps; boxes in order of pictures."""
    found_track: Int[np.ndarray, " m"]
    """Likewise for each box that was found."""
    truth_row: Int[np.ndarray, " p"]
    """The truth box of each pair; pairs in order of pictures."""
    found_row: Int[np.ndarray, " p"]
    """The found box of each pair."""
    similarity: Float[np.ndarray, " p"]
    """Intersection over union of each pair, in (0, 1]."""
    frames: Int[np.ndarray, "f 6"]
    """First and one past last truth box, found box and pair of each picture with boxes of both kinds."""

    @property
    def tracks(self) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"]]:
        """The true and the found track of each pair."""
        return self.truth_track[self.truth_row], self.found_track[self.found_row]

    @property
    def n_truth_of_track(self) -> Int[np.ndarray, " g"]:
        """How many boxes each true track has."""
        return np.bincount(self.truth_track)

    @property
    def n_found_of_track(self) -> Int[np.ndarray, " h"]:
        """How many boxes each found track has."""
        return np.bincount(self.found_track)

    def assigned(self, frame: Int[np.ndarray, " 6"], weight: Weights) -> Pairs:
        """The pairs of one picture that together weigh most, each box at most once; none of weight 0 or less.

        ``frame`` is a row of ``frames``, ``weight`` has one number for each of its pairs.
        """
        from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - half a second that only scoring should cost

        truth_first, truth_end, found_first, found_end, first, _ = frame
        heavy = np.flatnonzero(weight > 0)
        row = self.truth_row[first + heavy] - truth_first
        column = self.found_row[first + heavy] - found_first
        if _all_different(row) and _all_different(column):
            return first + heavy
        pair = np.full((truth_end - truth_first, found_end - found_first), -1)
        pair[row, column] = first + heavy
        score = np.zeros(pair.shape)
        score[row, column] = weight[heavy]
        best = pair[linear_sum_assignment(score, maximize=True)]
        return best[best >= 0]

    def assigned_in_all(self, weight: Float[np.ndarray, " p"]) -> Pairs:
        """Those of every picture, where pictures do not depend on each other."""
        each = [self.assigned(frame, weight[frame[4] : frame[5]]) for frame in self.frames]
        return np.concatenate([np.zeros(0, np.int64), *each])


def paired(truth: Tracks, found: Tracks) -> Pairing:
    """Every overlap of a box of ``truth`` with a box of ``found`` in the same picture.

    Rows without a track (number -1) are left out; boxes with NaN overlap nothing.

    Raises:
        ValueError: a track has two boxes in one picture; names the track and the picture.
    """
    truth, found = truth.rows(in_order(truth)), found.rows(in_order(found))
    for name, tracks in (("truth", truth), ("found", found)):
        if twice := first_double(tracks):
            raise ValueError(f"{name}: track {twice[0]} is twice in frame {twice[1]} (frames counted from 0)")
    shared = np.intersect1d(truth.frame_index, found.frame_index)
    bounds = np.stack(
        [np.searchsorted(t.frame_index, shared, side) for t in (truth, found) for side in ("left", "right")], axis=1
    ).reshape(-1, 4)
    parts = [_overlaps(truth, found, bound) for bound in bounds]
    rows, columns, overlaps = (np.concatenate(part) for part in zip(*parts, strict=True)) if parts else _NO_PAIRS
    ends = np.cumsum([len(part[0]) for part in parts], dtype=np.int64)
    starts = np.concatenate([np.zeros(1, np.int64), ends])[:-1]
    return Pairing(
        truth_track=np.unique(truth.number, return_inverse=True)[1],
        found_track=np.unique(found.number, return_inverse=True)[1],
        truth_row=rows,
        found_row=columns,
        similarity=overlaps,
        frames=np.column_stack([bounds, starts, ends]),
    )


def in_order(tracks: Tracks) -> Int[np.ndarray, " r"]:
    """Indices of the rows that belong to a track, oldest picture first, otherwise in the order they had."""
    kept = np.flatnonzero(tracks.number != UNTRACKED)
    return kept[np.argsort(tracks.frame_index[kept], kind="stable")]


def first_double(tracks: Tracks) -> tuple[int, int] | None:
    """The number and the frame (from 0) of the first track with two boxes in one picture; None if there is none."""
    order = np.lexsort((tracks.number, tracks.frame_index))
    number, frame = tracks.number[order], tracks.frame_index[order]
    again = (number[1:] == number[:-1]) & (frame[1:] == frame[:-1]) & (number[1:] != UNTRACKED)
    at = np.flatnonzero(again)
    return (int(number[at[0]]), int(frame[at[0]])) if len(at) else None


_NO_PAIRS = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def _overlaps(truth: Tracks, found: Tracks, bound: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth row, found row and intersection over union of the overlapping pairs of one picture."""
    truth_first, truth_end, found_first, found_end = bound
    table = iou(truth.xyxy_px[truth_first:truth_end], found.xyxy_px[found_first:found_end])
    row, column = np.nonzero(table > 0)
    return row + truth_first, column + found_first, table[row, column]


def _all_different(rows: np.ndarray) -> bool:
    """Whether no number occurs twice."""
    return len(rows) < 2 or bool(np.bincount(rows).max() == 1)
