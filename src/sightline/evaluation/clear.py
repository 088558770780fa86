"""CLEAR MOT: misses, false alarms, and changes of number, counted picture by picture.

Source: Bernardin & Stiefelhagen, Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics, 2008;
Li et al., Learning to Associate: HybridBoosted Multi-Target Tracker, CVPR 2009 (mostly tracked, mostly lost).
Matching as in TrackEval 1.3.0 (MIT), so that the counts are equal.
"""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.evaluation.pairing import Pairing

_STAYS = 1000.0
"""Added to the overlap of a pair that was together in the picture before: keeping numbers goes before overlap."""
_MOSTLY, _HARDLY = 0.8, 0.2
_NOBODY = -1


@dataclass(frozen=True, slots=True)
class Clear:
    """Counts that add up over sequences."""

    tp: int
    """Truth boxes found."""
    fn: int
    """Truth boxes missed."""
    fp: int
    """Found boxes that match no truth."""
    idsw: int
    """Times a true track is found under another number than the last time it was found."""
    mt: int
    """True tracks found in more than 80 % of their pictures (mostly tracked)."""
    pt: int
    """True tracks found in 20 % to 80 % (partly tracked)."""
    ml: int
    """True tracks found in less than 20 % (mostly lost)."""
    frag: int
    """Times a true track is found again after it was not."""
    overlap: float
    """Sum of the intersection over union of the matches."""

    def __add__(self, other: "Clear") -> "Clear":
        return Clear(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


def clear(pairing: Pairing, iou: float) -> Clear:
    """The counts of one sequence; boxes match from ``iou`` upwards."""
    matched, idsw, starts = _followed(pairing, iou)
    n_of_track = pairing.n_truth_of_track
    n_found = np.bincount(pairing.truth_track[pairing.truth_row[matched]], minlength=len(n_of_track))
    share = n_found / n_of_track
    mt, at_least_pt = int((share > _MOSTLY).sum()), int((share >= _HARDLY).sum())
    return Clear(
        tp=len(matched),
        fn=len(pairing.truth_track) - len(matched),
        fp=len(pairing.found_track) - len(matched),
        idsw=idsw,
        mt=mt,
        pt=at_least_pt - mt,
        ml=len(n_of_track) - at_least_pt,
        frag=int((starts[starts > 0] - 1).sum()),
        overlap=float(pairing.similarity[matched].sum()),
    )


def enough(similarity: Float[np.ndarray, " q"], iou: float) -> Bool[np.ndarray, " q"]:
    """Whether overlaps reach ``iou``, but for rounding."""
    return similarity >= iou - np.finfo(float).eps


def _followed(pairing: Pairing, iou: float) -> tuple[Int[np.ndarray, " r"], int, Int[np.ndarray, " g"]]:
    """The matched pairs, the number of id switches, and how often each true track began to be found.

    Pictures without truth or without anything found are passed over: a track continues across them.
    """
    n_tracks = len(pairing.n_truth_of_track)
    last = np.full(n_tracks, _NOBODY)  # for switches: under which number the track was found last, ever
    before = np.full(n_tracks, _NOBODY)  # for matching: under which number in the picture before
    starts = np.zeros(n_tracks, np.int64)
    picked = [np.zeros(0, np.int64)]
    idsw = 0
    truth_of_pair, found_of_pair = pairing.tracks
    for frame in pairing.frames:
        pairs = slice(frame[4], frame[5])
        similarity = pairing.similarity[pairs]
        truth, found = truth_of_pair[pairs], found_of_pair[pairs]
        weight = np.where(enough(similarity, iou), similarity + _STAYS * (before[truth] == found), 0.0)
        matched = pairing.assigned(frame, weight)
        truth, found = truth[matched - frame[4]], found[matched - frame[4]]
        idsw += int(((last[truth] != _NOBODY) & (last[truth] != found)).sum())
        starts[truth[before[truth] == _NOBODY]] += 1
        last[truth] = found
        before[:] = _NOBODY
        before[truth] = found
        picked.append(matched)
    return np.concatenate(picked), idsw, starts
