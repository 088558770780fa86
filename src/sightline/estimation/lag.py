"""By how much two records of one motion are apart in time: seen in a video, say, and told by a flight's log."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Rates = Float[np.ndarray, "n 2"]
_ALIKE = 0.7
"""Below, what little the camera moved was not seen well enough to tell tenths of a second."""
_RIPPLE_S = 0.25
"""Peaks nearer to the best one are ripples on it, not another answer."""


@dataclass(frozen=True, slots=True)
class Match:
    """How two records of one motion fit best."""

    offset_s: float
    """What to add to the first one's seconds; NaN where nothing turned."""
    likeness: float
    """Correlation there, up to 1."""
    lead: float
    """How much better than at the next best peak; than nowhere, where there is but one."""
    sd_s: float
    """How well the offset is known, from the curve's sharpness."""

    @property
    def is_sure(self) -> bool:
        """Whether to believe it."""
        return self.likeness > _ALIKE and self.lead > 0.1 and self.sd_s < 0.25


def matched(
    seen_t_s: Float[np.ndarray, " n"],
    seen: Rates,
    told_t_s: Float[np.ndarray, " m"],
    told: Float[np.ndarray, "m 2"],
    within_s: float = 3.0,
) -> Match:
    """The offset, at most ``within_s`` either way, at which two records of two rates each are most alike.

    ``told_t_s`` is the other's clock already moved to the best guess. Rates may have any scale: only their shapes
    count. Rows of NaN are left out.
    """  # fmt: skip
    good = np.isfinite(seen).all(axis=1)
    t_s, mine = seen_t_s[good], seen[good]
    known = np.isfinite(told).all(axis=1)
    lags = np.arange(-within_s, within_s + 1e-9, 0.02)
    if len(t_s) < 10 or known.sum() < 10:
        return Match(float("nan"), 0.0, 0.0, float("inf"))
    theirs = np.stack(
        [np.interp(t_s[None] + lags[:, None], told_t_s[known], told[known, axis]) for axis in (0, 1)], axis=2
    )
    mine = mine - mine.mean(axis=0)
    theirs = theirs - theirs.mean(axis=1, keepdims=True)
    power = np.sqrt((mine**2).sum() * (theirs**2).sum(axis=(1, 2)))
    alike = np.einsum("na,lna->l", mine, theirs) / np.where(power > 1e-9, power, np.inf)
    best = int(alike.argmax())
    peaks = np.flatnonzero((alike[1:-1] >= alike[:-2]) & (alike[1:-1] > alike[2:])) + 1
    others = alike[peaks[np.abs(lags[peaks] - lags[best]) > _RIPPLE_S]]
    offset, curve = float(lags[best]), 0.0
    if 0 < best < len(lags) - 1:
        left, top, right = alike[best - 1 : best + 2]
        bend = left - 2 * top + right
        if bend < 0:
            offset += 0.02 * float(0.5 * (left - right) / bend)
            curve = float(-bend) / 0.02**2
    peak = float(alike[best])
    sd = float(np.sqrt(max(1 - peak**2, 1e-4) / (len(t_s) * curve))) if curve > 0 else float("inf")
    if peak <= 0:
        return Match(float("nan"), 0.0, 0.0, float("inf"))
    return Match(offset, peak, peak - float(others.max(initial=0.0)), sd)
