"""Identity scores: each true track is given the one found track that fits it best over the whole sequence.

Source: Ristani et al., Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking, 2016.
"""

from dataclasses import dataclass, fields

import numpy as np

from sightline.evaluation.pairing import Pairing


@dataclass(frozen=True, slots=True)
class Identity:
    """Counts that add up over sequences."""

    tp: int
    """Truth boxes found under the one number that stands for their track."""
    fn: int
    """Truth boxes that are not."""
    fp: int
    """Found boxes of no track's own number."""

    def __add__(self, other: "Identity") -> "Identity":
        return Identity(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


def identity(pairing: Pairing, iou: float) -> Identity:
    """The counts of one sequence; boxes may match from ``iou`` upwards."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - half a second that only scoring should cost

    close = pairing.similarity >= iou
    together = np.zeros((len(pairing.n_truth_of_track), len(pairing.n_found_of_track)), np.int64)
    truth, found = pairing.tracks
    np.add.at(together, (truth[close], found[close]), 1)
    # Fewest fn + fp of a one-to-one choice is most tp: leaving a track alone costs what matching it to nothing costs.
    tp = int(together[linear_sum_assignment(together, maximize=True)].sum())
    return Identity(tp=tp, fn=len(pairing.truth_track) - tp, fp=len(pairing.found_track) - tp)
