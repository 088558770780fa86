"""What a tracker knows of all it follows: one row each, column by column."""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float, Int

from sightline.estimation.kalman import Belief, Measured, Motion, begun
from sightline.model.arrays import Boxes, Labels

TENTATIVE = 0
"""``number`` of a row that is not yet believed."""
_TRAIL = 4


@dataclass(slots=True, eq=False)
class Table:
    """N followed things. Rows are joined and dropped as a whole; columns are written in place."""

    belief: Belief
    """Where each is, now."""
    belief_seen: Belief
    """Where each was when last seen."""
    seen_px: Boxes
    """The detection last seen."""
    trail_px: Float[np.ndarray, "n 4 2"]
    """Centres of the last four detections, newest first; the first one repeated while there are fewer."""
    seen_s: Float[np.ndarray, " n"]
    """When each was last seen."""
    hits: Int[np.ndarray, " n"]
    """How often each was seen."""
    number: Int[np.ndarray, " n"]
    """Counted from 1; 0: not yet believed."""
    label: Labels
    """Class when first seen."""

    def __len__(self) -> int:
        return len(self.number)

    def rows(self, which: np.ndarray) -> "Table":
        """The rows that ``which`` names."""
        return Table(
            self.belief[:, which],
            self.belief_seen[:, which],
            *(getattr(self, field.name)[which] for field in fields(self)[2:]),
        )

    def joined(self, other: "Table") -> "Table":
        """The rows of both."""
        return Table(
            *(
                np.concatenate([getattr(self, f.name), getattr(other, f.name)], axis=int(f.name.startswith("belief")))
                for f in fields(self)
            )
        )

    @classmethod
    def begun(cls, measured: Measured, xyxy_px: Boxes, label: Labels, t_s: float, motion: Motion) -> "Table":
        """One row for each thing just seen."""
        n = len(label)
        belief = begun(measured, motion)
        return cls(
            belief, belief, xyxy_px, np.repeat(measured[:, None, :2], _TRAIL, axis=1),
            np.full(n, t_s), np.ones(n, np.int64), np.full(n, TENTATIVE), label.astype(np.int64),
        )  # fmt: skip

    @classmethod
    def empty(cls) -> "Table":
        """Nothing followed."""
        nothing = np.zeros((0, 4))
        return cls.begun(nothing, nothing, np.zeros(0, np.int64), 0.0, Motion())
