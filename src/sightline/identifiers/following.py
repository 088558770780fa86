"""People followed from moment to moment through all cameras at once: the first guess of who is who.

Each moment the cameras are asked one after the other: what one saw sharpens the forecast for the next. A sighting is
given to the one who most likely caused it, against its being of nobody or of somebody new; what is left over is put
together across cameras, and people begin there. Whether somebody exists is itself believed more or less.

Source: Musicki, Evans, Stankovic, Integrated Probabilistic Data Association (1994), for belief in existence;
one camera after the other: Bar-Shalom et al. (2001) section 2.2 of sequential updates with independent noise.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.estimation.assignment import assigned
from sightline.estimation.turning import fit, forecast, merged, told
from sightline.estimation.walk import LOG_TWO_PI, Belief, found, inverse
from sightline.identifiers.clustering import clustered
from sightline.identifiers.moments import NO_TRACK, Seen
from sightline.identifiers.odds import HIDDEN_S, Coverage, Odds

NOT_YET = -1
"""Of whom a sighting is that was given to nobody."""
_SURE = 12.0
"""Log odds beyond which nobody's existence is believed."""
_COASTS_S = 4.0
"""Who was not seen for longer is not looked for any more: looks and the future tell better who came back."""
_GONE = -5.0
"""Log odds below which somebody is not looked for any more."""


@dataclass(slots=True, eq=False)
class _Present:
    """K people who may be there."""

    belief: Belief
    """When they were last seen."""
    seen_s: Float[np.ndarray, " k"]
    """When that was."""
    existence: Float[np.ndarray, " k"]
    """Log odds of their being there."""
    number: Int[np.ndarray, " k"]
    """What they are called."""

    def rows(self, which: Bool[np.ndarray, " k"]) -> "_Present":
        return _Present(self.belief.rows(which), self.seen_s[which], self.existence[which], self.number[which])


def followed(seen: Seen, coverage: Coverage, odds: Odds) -> Int[np.ndarray, " n"]:
    """A number for the person of each sighting, from 0; those seen once have one, too."""
    owner = np.full(len(seen), NOT_YET)
    last_of_track = np.full(int(seen.tracklet.max(initial=-1)) + 2, NOT_YET)  # the last is that of bare detections
    present = _Present(
        found(np.zeros((0, 2)), np.zeros((0, 2, 2)), odds.walk), np.zeros(0), np.zeros(0), np.zeros(0, np.int64)
    )
    begins, n_numbers, last_s = seen.begins(), 0, float(seen.t_s[0]) if len(seen.t_s) else 0.0
    for moment, t_s in enumerate(seen.t_s):
        rows = np.arange(begins[moment], begins[moment + 1])
        dt_s, last_s = float(t_s) - last_s, float(t_s)
        _wait(present, dt_s, odds)
        weight = min(1.0, dt_s / HIDDEN_S) if moment else 1.0
        _look(present, float(t_s), seen, rows, coverage, odds, (owner, last_of_track, weight))
        new = _begun(seen, rows[owner[rows] == NOT_YET], coverage, odds, (owner, n_numbers))
        n_numbers += len(new.number)
        present = _joined(present, new)
        present = present.rows((present.existence > _GONE) & (float(t_s) - present.seen_s <= _COASTS_S))
        tracked = rows[seen.tracklet[rows] != NO_TRACK]
        last_of_track[seen.tracklet[tracked]] = owner[tracked]
    return owner


def _wait(present: _Present, dt_s: float, odds: Odds) -> None:
    """Lets time pass: some go."""
    still = odds.stays**dt_s / (1 + np.exp(-present.existence))
    present.existence = np.log(still) - np.log1p(-np.minimum(still, 1 - 1e-9))


def _look(
    present: _Present, t_s: float, seen: Seen, rows: Int[np.ndarray, " r"], coverage: Coverage, odds: Odds,
    notes: tuple[Int[np.ndarray, " n"], Int[np.ndarray, " l"], float],
) -> None:  # fmt: skip
    """Gives the sightings of a moment to the people present, camera after camera."""
    owner, last_of_track, weight = notes
    if not len(present.number):
        return
    ahead = forecast(present.belief, t_s - present.seen_s, odds.walk)
    expected = coverage.sees(ahead.steady.mean[:, :2])
    was_seen = np.zeros(len(present.number), bool)
    for camera in np.flatnonzero(expected.any(axis=0) | np.isin(np.arange(expected.shape[1]), seen.camera[rows])):
        here = rows[seen.camera[rows] == camera]
        who, which = np.zeros(0, np.int64), np.zeros(0, np.int64)
        if len(here):
            density, squared = fit(ahead, seen.xy_m[here], seen.cov_m2[here])
            cost = -density - there(present.existence, odds)[:, None] + np.log(odds.other_per_m2)
            cost -= track_bonus(last_of_track[seen.tracklet[here]], seen.tracklet[here], present.number[:, None], odds)
            who, which = assigned(np.where(squared <= odds.gate, cost, np.inf), 0.0)
            owner[here[which]] = present.number[who]
            present.existence[who] += density[who, which] + np.log(odds.seen / odds.false_per_m2)
            hit = here[which]
            ahead.put(who, told(ahead.rows(who), seen.xy_m[hit], seen.cov_m2[hit]))
            was_seen[who] = True
        missed = expected[:, camera]
        missed[who] = False
        present.existence[missed] += weight * np.log1p(-odds.seen)
    present.belief.put(was_seen, merged(ahead.rows(was_seen)))
    present.seen_s[was_seen] = t_s
    np.minimum(present.existence, _SURE, out=present.existence)


def there(existence: Float[np.ndarray, " k"], odds: Odds) -> Float[np.ndarray, " k"]:
    """Log odds of being seen by a camera, for people who exist with such log odds."""
    chance = odds.seen / (1 + np.exp(-existence))
    return np.log(chance) - np.log1p(-chance)


def track_bonus(
    last: Int[np.ndarray, " r"],
    tracklet: Int[np.ndarray, " r"],
    number: Int[np.ndarray, "*k r"] | Int[np.ndarray, "k 1"],
    odds: Odds,
) -> Float[np.ndarray, "..."]:
    """Log of how much likelier a sighting is of ``number``, its camera having called it so before."""
    known = (tracklet != NO_TRACK) & (last != NOT_YET)
    agrees = np.log(odds.same_track / (1 - odds.same_track))
    return np.where(known, np.where(last == number, agrees, -agrees), 0.0)


def _begun(
    seen: Seen, rows: Int[np.ndarray, " r"], coverage: Coverage, odds: Odds,
    notes: tuple[Int[np.ndarray, " n"], int],
) -> _Present:  # fmt: skip
    """People who begin with what is left over; they are noted as its owners."""
    owner, n_numbers = notes
    groups = clustered(seen.xy_m[rows], seen.cov_m2[rows], seen.camera[rows], odds) if len(rows) else []
    of_group = np.zeros(len(rows), np.int64)
    for k, group in enumerate(groups):
        of_group[group] = k
    owner[rows] = n_numbers + of_group
    information = np.zeros((len(groups), 2, 2))
    weighted = np.zeros((len(groups), 2))
    of_row = inverse(seen.cov_m2[rows])
    np.add.at(information, of_group, of_row)
    np.add.at(weighted, of_group, np.einsum("nij,nj->ni", of_row, seen.xy_m[rows]))
    spread = inverse(information)
    place = np.einsum("nij,nj->ni", spread, weighted)
    # The product of normal densities over all places, term by term.
    off = seen.xy_m[rows] - place[of_group]
    squared = np.einsum("ni,nij,nj->n", off, of_row, off)
    terms = np.log(odds.seen / odds.false_per_m2) - LOG_TWO_PI - 0.5 * (squared - np.log(np.linalg.det(of_row)))
    existence = np.log(odds.new_per_m2) + LOG_TWO_PI + 0.5 * np.log(np.linalg.det(spread))
    existence += np.bincount(of_group, terms, minlength=len(groups))
    expected = coverage.sees(place)
    expected[of_group, seen.camera[rows]] = False
    existence += expected.sum(axis=1) * np.log1p(-odds.seen)
    number = n_numbers + np.arange(len(groups))
    seen_s = np.repeat(seen.t_s[seen.moment[rows[:1]]], len(groups))
    return _Present(found(place, spread, odds.walk), seen_s, np.minimum(existence, _SURE), number)


def _joined(a: _Present, b: _Present) -> _Present:
    belief = Belief(*(np.concatenate(pair) for pair in zip(a.belief, b.belief, strict=True)))
    columns = (np.append(getattr(a, name), getattr(b, name)) for name in ("seen_s", "existence", "number"))
    return _Present(belief, *columns)
