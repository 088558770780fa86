"""Higher order tracking accuracy: detection and association weighed alike, over 19 thresholds of overlap.

Source: Luiten et al., HOTA: A Higher Order Metric for Evaluating Multi-object Tracking, IJCV 129, 2021.
Matching as in TrackEval 1.3.0 (MIT), so that the numbers agree to rounding.
"""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float, Int

from sightline.evaluation.pairing import Pairing
from sightline.evaluation.ratio import ratio

ALPHAS = np.arange(0.05, 0.99, 0.05)
"""The thresholds of overlap: .05, .10, ... .95."""
_LEAST = ALPHAS - np.finfo(float).eps
_N = len(ALPHAS)

Counts = Int[np.ndarray, " alphas"]
PerAlpha = Float[np.ndarray, " alphas"]


@dataclass(frozen=True, slots=True, eq=False)
class Hota:
    """Sums that add up over sequences, and the scores that follow, one number per threshold of ``ALPHAS``."""

    tp: Counts
    """Pairs that overlap enough."""
    fn: Counts
    """Truth boxes left over."""
    fp: Counts
    """Found boxes left over."""
    association: PerAlpha
    """Over the pairs, the sum of the Jaccard index of their two tracks."""
    association_recall: PerAlpha
    """Over the pairs, the sum of the share of the true track that this found track covers."""
    association_precision: PerAlpha
    """Over the pairs, the sum of the share of the found track that lies on this true track."""
    overlap: PerAlpha
    """Over the pairs, the sum of the intersection over union."""

    @property
    def detre(self) -> PerAlpha:
        """Share of the truth boxes found."""
        return ratio(self.tp, self.tp + self.fn)

    @property
    def detpr(self) -> PerAlpha:
        """Share of the found boxes that are true."""
        return ratio(self.tp, self.tp + self.fp)

    @property
    def deta(self) -> PerAlpha:
        """Detection accuracy."""
        return ratio(self.tp, self.tp + self.fn + self.fp)

    @property
    def assre(self) -> PerAlpha:
        """Share of a true track that one found track covers, averaged over pairs."""
        return ratio(self.association_recall, self.tp)

    @property
    def asspr(self) -> PerAlpha:
        """Share of a found track that lies on one true track, averaged over pairs."""
        return ratio(self.association_precision, self.tp)

    @property
    def assa(self) -> PerAlpha:
        """Association accuracy."""
        return ratio(self.association, self.tp)

    @property
    def loca(self) -> PerAlpha:
        """Mean overlap of the pairs; 1 where there are none."""
        return np.where(self.tp > 0, ratio(self.overlap, self.tp), 1.0)

    @property
    def hota(self) -> PerAlpha:
        """Geometric mean of detection and association accuracy."""
        return np.sqrt(self.deta * self.assa)

    def __add__(self, other: "Hota") -> "Hota":
        return Hota(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


def hota(pairing: Pairing) -> Hota:
    """The sums of one sequence."""
    first, which, n_truth, n_found = _meetings(pairing)
    similarity, n_meetings = pairing.similarity, len(first)
    of_truth_box = np.bincount(pairing.truth_row, similarity, len(pairing.truth_track))
    of_found_box = np.bincount(pairing.found_row, similarity, len(pairing.found_track))
    rivals = of_truth_box[pairing.truth_row] + of_found_box[pairing.found_row] - similarity
    together = np.bincount(which, ratio(similarity, rivals), n_meetings)
    agreement = ratio(together, n_truth + n_found - together)  # eqn. 15, with overlaps that rivals share in parts

    matched = pairing.assigned_in_all(agreement[which] * similarity)  # one matching serves all thresholds
    level = np.searchsorted(_LEAST, similarity[matched], side="right")  # how many of them a pair passes
    cells = np.bincount(which[matched] * (_N + 1) + level, minlength=n_meetings * (_N + 1))
    n = _at_least(cells.reshape(n_meetings, _N + 1))
    n_truth, n_found = n_truth[:, None], n_found[:, None]
    tp = n.sum(axis=0)
    return Hota(
        tp=tp,
        fn=len(pairing.truth_track) - tp,
        fp=len(pairing.found_track) - tp,
        association=(n * ratio(n, n_truth + n_found - n)).sum(axis=0),
        association_recall=(n * ratio(n, n_truth)).sum(axis=0),
        association_precision=(n * ratio(n, n_found)).sum(axis=0),
        overlap=_at_least(np.bincount(level, similarity[matched], _N + 1).astype(float)),
    )


def _meetings(pairing: Pairing) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Every two tracks that ever overlap: their first pair, which of them each pair is, and how long both are."""
    truth, found = pairing.tracks
    n_truth, n_found = pairing.n_truth_of_track, pairing.n_found_of_track
    _, first, which = np.unique(truth * len(n_found) + found, return_index=True, return_inverse=True)
    return first, which, n_truth[truth[first]], n_found[found[first]]


def _at_least(of_level: np.ndarray) -> np.ndarray:
    """From what is at each level (last axis, 0 to all), what passes each threshold."""
    return np.flip(np.cumsum(np.flip(of_level, -1), axis=-1), -1)[..., 1:]
