"""Who left and came back, here or in another camera: paths that look like one person."""

import numpy as np
from jaxtyping import Bool, Int

from sightline.estimation.assignment import assigned_sparse
from sightline.identifiers.likeness import Likeness, mean_looks
from sightline.identifiers.mending import reachable
from sightline.identifiers.moments import Seen, ranges
from sightline.identifiers.strands import Strands

_LONGEST_S = 1800.0
"""After that, looks are not compared: who comes back in the afternoon may have another coat."""


def returned(strands: Strands, seen: Seen, real: Bool[np.ndarray, " p"]) -> Int[np.ndarray, " p"]:
    """For each path the first path of the person it is of; itself for those who never left, and for unreal ones.

    Whoever appears is as likely somebody who left, any of them, as somebody new: looks must tell.
    """
    before = np.arange(len(strands))
    likeness = Likeness.learnt(strands, seen)
    looks = mean_looks(strands, seen)
    among = np.flatnonzero(real)
    ended, began = _pairs(strands, among)
    if not len(ended):
        return before
    odds = likeness.odds(np.einsum("kd,kd->k", looks[ended], looks[began]))
    odds -= np.log(np.bincount(began)[began])
    likely = odds > 0
    ended, began = assigned_sparse(ended[likely], began[likely], -odds[likely], 0.0)
    before[began] = ended
    while (before != before[before]).any():
        before = before[before]
    return before


def _pairs(strands: Strands, among: Int[np.ndarray, " a"]) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    """Paths that ended, and paths that began later, where one can have walked to."""
    order = among[np.argsort(strands.t_s[strands.begins[among]], kind="stable")]
    begins_s, ends_s = strands.t_s[strands.begins[order]], strands.t_s[strands.ends[among]]
    low = np.searchsorted(begins_s, ends_s, side="right")
    high = np.searchsorted(begins_s, ends_s + _LONGEST_S, side="right")
    ended, place = ranges(low, np.maximum(high - low, 0))
    ended, began = among[ended], order[place]
    near = reachable(strands, ended, began)
    return ended[near], began[near]
