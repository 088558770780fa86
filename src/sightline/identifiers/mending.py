"""Mistakes of the first guess undone: pieces of one path joined, and tails exchanged where two paths were mixed up.

Two tales of the same sightings are compared: which of them has everyone walk on more likely, in place and speed, as
the past tells of the one end and the future of the other?

Source: Zhang, Li, Nevatia, Global Data Association Using Network Flows (CVPR 2008), section 3, for joining.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.estimation.assignment import assigned_sparse
from sightline.estimation.turning import log_meeting
from sightline.estimation.walk import Belief, Walk, surprise
from sightline.identifiers.following import NOT_YET
from sightline.identifiers.likeness import ENOUGH_LOOKS, Likeness, cosines_across, mean_looks
from sightline.identifiers.moments import Seen
from sightline.identifiers.odds import HIDDEN_S, Coverage, Odds
from sightline.identifiers.strands import Owners, Strands

JOIN_S = 8.0
"""Longest gap that walking on may explain."""
_FASTEST_MPS = 3.0
"""Nobody runs faster through a place where people walk."""
_REACH_M = 0.5
"""What places may be wrong by."""
_RETURNS = 0.2
"""Chance that a path which ended goes on later. Lower than it is: a wrong join spoils two paths, a missed one one."""
_FOUND_AGAIN_HZ = 1.0
"""How often per second cameras find somebody again whom they lost."""
_CLOSE_M = 1.5
"""Paths that were never closer than this are not mixed up."""
_APART_S = 4.0
"""Exchanges of one person's tail are judged at once if so far from each other; else one makes the other moot."""
_ALWAYS = 0.9
"""Share of the moments between sightings at which two paths of one person are close."""
_SURELY = 5.0
"""By how much, as a log, two paths must be likelier one person than two."""
_CLEARLY = 1.0
"""By how much, as a log, the other tale must be likelier before tails are exchanged."""


def joined(owner: Owners, strands: Strands, seen: Seen, odds: Odds) -> Owners:
    """The owners once pieces of one path are one; the first piece gives the number."""
    ended, began, gap_s = _candidates(strands)
    if not len(ended):
        return owner
    tail, head = strands.forth.rows(strands.ends[ended]), strands.back.rows(strands.begins[began])
    odds_of_one = (
        np.log(_RETURNS * _FOUND_AGAIN_HZ) - _FOUND_AGAIN_HZ * gap_s + log_meeting(tail, head, gap_s, odds.walk)
    )
    looks = mean_looks(strands, seen)
    odds_of_one += Likeness.learnt(strands, seen).odds(np.einsum("kd,kd->k", looks[ended], looks[began]))
    odds_of_one -= _log_birth(head, len(strands), seen, odds.walk)
    likely = odds_of_one > 0
    ended, began = assigned_sparse(ended[likely], began[likely], -odds_of_one[likely], 0.0)
    before = np.arange(len(strands))
    before[began] = ended
    while (before != before[before]).any():
        before = before[before]
    mine = owner != NOT_YET
    renamed = owner.copy()
    renamed[mine] = strands.number[before[np.searchsorted(strands.number, owner[mine])]]
    return renamed


def exchanged(owner: Owners, strands: Strands, seen: Seen, odds: Odds) -> Owners:
    """The owners once tails are exchanged where that makes the likelier tale."""
    one, two = _encounters(strands)
    dt_s = strands.t_s[one + 1] - strands.t_s[one]

    def onwards(tail: Int[np.ndarray, " e"], head: Int[np.ndarray, " e"]) -> Float[np.ndarray, " e"]:
        return log_meeting(strands.forth.rows(tail), strands.back.rows(head + 1), dt_s, odds.walk)

    gain = onwards(one, two) + onwards(two, one) - onwards(one, one) - onwards(two, two)
    by_way = gain > _CLEARLY
    gain += _gain_by_looks(strands, seen, one, two)
    likely = np.flatnonzero(gain > _CLEARLY)
    chosen = _apart(strands, one, two, likely[np.argsort(-gain[likely], kind="stable")], by_way)
    changed = owner.copy()
    # The last exchange first: an earlier one then takes along whatever the tails became.
    for k in chosen[np.argsort(-strands.t_s[one[chosen]], kind="stable")]:
        a, b = strands.number[strands.person[[one[k], two[k]]]]
        later = seen.moment > strands.moment[one[k]]
        of_a, of_b = later & (changed == a), later & (changed == b)
        changed[of_a], changed[of_b] = b, a
    return changed


def _apart(
    strands: Strands,
    one: Int[np.ndarray, " e"],
    two: Int[np.ndarray, " e"],
    best_first: Int[np.ndarray, " k"],
    by_way: Bool[np.ndarray, " e"],
) -> Int[np.ndarray, " c"]:
    """Encounters that can be judged at once, the better first: no person takes part in two at about the same time.

    Whom looks alone speak for takes part in one such: they speak of all that came before and after, and would say the
    same of the next encounter.
    """
    taken, chosen = dict[int, list[float]](), list[int]()
    by_looks = set[int]()
    for k in best_first.tolist():
        t_s, both = float(strands.t_s[one[k]]), strands.person[[one[k], two[k]]].tolist()
        if not by_way[k] and by_looks.intersection(both):
            continue
        if all(abs(t_s - other) >= _APART_S for who in both for other in taken.get(who, ())):
            chosen.append(k)
            for who in both:
                taken.setdefault(who, []).append(t_s)
            by_looks.update(() if by_way[k] else both)
    return np.array(chosen, np.int64)


def _gain_by_looks(
    strands: Strands, seen: Seen, one: Int[np.ndarray, " e"], two: Int[np.ndarray, " e"]
) -> Float[np.ndarray, " e"]:
    """Log of how much likelier heads and tails look when exchanged; few looks count for less, none for nothing."""
    likeness = Likeness.learnt(strands, seen)
    cosine, n = cosines_across(strands, seen, one, two)
    exchanged, other, same, same_other = likeness.odds(cosine)
    return (exchanged + other - same - same_other) * np.minimum(n / ENOUGH_LOOKS, 1.0)


def _candidates(
    strands: Strands,
) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Those who ended and those who began later, near enough to have walked there; and the time between."""
    gap_s = strands.t_s[strands.begins] - strands.t_s[strands.ends][:, None]
    ended, began = np.nonzero((gap_s > 0) & (gap_s <= JOIN_S))
    near = reachable(strands, ended, began)
    ended, began = ended[near], began[near]
    return ended, began, gap_s[ended, began]


def reachable(strands: Strands, ended: Int[np.ndarray, " k"], began: Int[np.ndarray, " k"]) -> Bool[np.ndarray, " k"]:
    """Whether one can have walked from where each of ``ended`` ended to where each of ``began`` began."""
    tail, head = strands.ends[ended], strands.begins[began]
    way_m = np.linalg.norm(strands.back.mean[head, :2] - strands.forth.mean[tail, :2], axis=1)
    return way_m <= _FASTEST_MPS * (strands.t_s[head] - strands.t_s[tail]) + _REACH_M


def merged(owner: Owners, strands: Strands, seen: Seen, coverage: Coverage, odds: Odds) -> Owners:
    """The owners once two paths at the same places and times are one person whom cameras told apart.

    Two who walk together are both missed seldom; one who is two is missed each time by the camera that saw the other.
    """
    one, two = _encounters(strands)
    if not len(one):
        return owner
    pairs, place = np.unique(strands.person[np.stack([one, two], axis=1)], axis=0, return_inverse=True)
    place = place.reshape(-1)
    begins, ends = strands.moment[strands.begins], strands.moment[strands.ends]
    common = np.minimum(ends[pairs[:, 0]], ends[pairs[:, 1]]) - np.maximum(begins[pairs[:, 0]], begins[pairs[:, 1]])
    together = np.bincount(place, minlength=len(pairs)) >= _ALWAYS * common
    gain = np.bincount(place, _gain_of_one(strands, seen, coverage, odds, one, two), minlength=len(pairs))
    changed, busy = owner.copy(), set[int]()
    for k in np.argsort(-gain, kind="stable")[: int((gain > _SURELY).sum())].tolist():
        first, second = pairs[k].tolist()
        if together[k] and not busy & {first, second}:
            busy |= {first, second}
            changed[owner == strands.number[second]] = strands.number[first]
    return changed


def _gain_of_one(
    strands: Strands, seen: Seen, coverage: Coverage, odds: Odds, one: Int[np.ndarray, " e"], two: Int[np.ndarray, " e"]
) -> Float[np.ndarray, " e"]:
    """Log of how much likelier both of each encounter are one person than two, as each moment tells."""
    by = np.zeros((len(strands.person), len(coverage.views)), bool)
    mine = strands.row_of_sighting >= 0
    by[strands.row_of_sighting[mine], seen.camera[mine]] = True
    expected = coverage.sees(strands.all.mean[:, :2])
    of_one, of_two = by[one], by[two]
    missed = (of_two & ~of_one & expected[one]).sum(axis=1) + (of_one & ~of_two & expected[two]).sum(axis=1)
    spread = strands.all.cov[one, :2, :2] + strands.all.cov[two, :2, :2] + _REACH_M**2 / 4 * np.eye(2)
    _, squared = surprise(strands.all.mean[one, :2] - strands.all.mean[two, :2], spread)
    twice = (of_one & of_two).sum(axis=1) * np.log(odds.false_per_m2 / odds.other_per_m2)
    weight = np.minimum(1.0, (strands.t_s[one + 1] - strands.t_s[one]) / HIDDEN_S)
    return weight * (1 - squared / 2 - missed * np.log1p(-odds.seen) + np.minimum(twice, 0.0))


def _encounters(strands: Strands) -> tuple[Int[np.ndarray, " e"], Int[np.ndarray, " e"]]:
    """Rows of two who are close at one moment, and who both go on to the next."""
    rows = np.flatnonzero(strands.goes_on)
    rows = rows[np.argsort(strands.moment[rows], kind="stable")]
    pieces = np.split(rows, np.flatnonzero(np.diff(strands.moment[rows])) + 1)
    found = [np.zeros((2, 0), np.int64)]
    for here in pieces:
        xy_m = strands.all.mean[here, :2]
        close = np.linalg.norm(xy_m[:, None] - xy_m, axis=2) < _CLOSE_M
        found.append(here[np.array(np.nonzero(np.triu(close, 1)))])
    one, two = np.concatenate(found, axis=1)
    return one, two


def _log_birth(head: Belief, n_people: int, seen: Seen, walk: Walk) -> Float[np.ndarray, " k"]:
    """Log density of somebody new at such a place with such a speed, per second, in this recording."""
    variance = head.cov[:, (2, 3), (2, 3)] + walk.speed_mps**2
    speeds = -0.5 * (head.mean[:, 2:] ** 2 / variance + np.log(2 * np.pi * variance)).sum(axis=1)
    births_hz = n_people / max(float(np.ptp(seen.t_s)), 1.0)
    return np.log(births_hz / extent_m2(seen)) + speeds


def extent_m2(seen: Seen) -> float:
    """The ground on which anything was seen, roughly: a rectangle that leaves the outermost hundredths out."""
    low, high = np.percentile(seen.xy_m, [1, 99], axis=0)
    return float(np.prod(np.maximum(high - low, 1.0)))
