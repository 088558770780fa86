"""Sightings given to people anew, each moment judged with what was before and after it."""

import numpy as np
from jaxtyping import Float, Int

from sightline.estimation.assignment import assigned_sparse
from sightline.estimation.walk import Belief, surprise, updated
from sightline.identifiers.following import NOT_YET, there, track_bonus
from sightline.identifiers.moments import NO_TRACK, Seen, ranges
from sightline.identifiers.odds import Odds
from sightline.identifiers.strands import Owners, Strands

_WITHIN, _BEYOND = 4.0, -1.0
"""Log odds that somebody is there between sightings, and one moment outside of them."""
_FAR_M = 4.0
"""Sightings farther than this east or north of somebody are not looked at."""


def gathered(strands: Strands, seen: Seen, odds: Odds) -> Owners:
    """The person of each sighting, given where everyone was at all other moments; -1: nobody's.

    All moments are judged at once, one camera after the other; each camera sees nobody twice.
    """
    anew = np.full(len(seen), NOT_YET)
    belief = Belief(strands.others.mean.copy(), strands.others.cov.copy())
    existence = np.where(strands.within, _WITHIN, _BEYOND)
    by_moment = np.argsort(strands.moment, kind="stable")
    begins = np.searchsorted(strands.moment[by_moment], np.arange(len(seen.t_s) + 1))
    for camera in np.unique(seen.camera):
        here = np.flatnonzero(seen.camera == camera)
        moment = seen.moment[here]
        which, place = ranges(begins[moment], begins[moment + 1] - begins[moment])
        row = by_moment[place]
        offset = seen.xy_m[here[which]] - belief.mean[row, :2]
        near = (np.abs(offset) < _FAR_M).all(axis=1)
        which, row, offset = which[near], row[near], offset[near]
        sighting = here[which]
        density, squared = surprise(offset, belief.cov[row, :2, :2] + seen.cov_m2[sighting])
        cost = np.log(odds.other_per_m2) - density - there(existence[row], odds)
        number, tracklet = strands.number[strands.person[row]], seen.tracklet[sighting]
        usual = _usual_owner(tracklet, number, np.maximum(-cost, 0.0))
        cost -= track_bonus(usual[tracklet], tracklet, number, odds)
        fits = squared <= odds.gate
        row, which = assigned_sparse(row[fits], which[fits], cost[fits], 0.0)
        hit = here[which]
        anew[hit] = strands.number[strands.person[row]]
        belief.put(row, updated(belief.rows(row), seen.xy_m[hit], seen.cov_m2[hit]))
    return anew


def _usual_owner(
    tracklet: Int[np.ndarray, " c"], number: Int[np.ndarray, " c"], odds: Float[np.ndarray, " c"]
) -> Int[np.ndarray, " l"]:
    """The person that each tracklet is likeliest of, all its moments together; one entry more for bare detections."""
    usual = np.full(int(tracklet.max(initial=-1)) + 2, NOT_YET)
    followed = tracklet != NO_TRACK
    pairs, place = np.unique(np.column_stack([tracklet, number])[followed], axis=0, return_inverse=True)
    total = np.bincount(place.reshape(-1), odds[followed], minlength=len(pairs))
    order = np.argsort(total, kind="stable")
    usual[pairs[order, 0]] = pairs[order, 1]
    return usual


def evidence(strands: Strands, seen: Seen, expected: Float[np.ndarray, " r"], odds: Odds) -> Float[np.ndarray, " p"]:
    """Log odds of each person being real rather than made of false alarms.

    ``expected`` is how many cameras have each row in their picture.
    """
    mine = strands.row_of_sighting >= 0
    row = strands.row_of_sighting[mine]
    density, _ = surprise(seen.xy_m[mine] - strands.all.mean[row, :2], strands.all.cov[row, :2, :2] + seen.cov_m2[mine])
    per_row = np.bincount(row, density + np.log(odds.seen / odds.false_per_m2), minlength=len(strands.person)).astype(
        float
    )
    missed = np.maximum(expected - strands.n_seen, 0) * strands.within
    per_row += missed * np.log1p(-odds.seen)
    return np.bincount(strands.person, per_row, minlength=len(strands)).astype(float)
