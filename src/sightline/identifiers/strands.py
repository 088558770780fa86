"""Who went where: the sightings of each person as a path without gaps, filtered from both ends."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.estimation.turning import between, filtered_both_ways
from sightline.estimation.walk import UNSEEN_M2, Belief, inverse, updated
from sightline.identifiers.following import NOT_YET
from sightline.identifiers.moments import Seen, ranges
from sightline.identifiers.odds import Odds

Owners = Int[np.ndarray, " n"]
"""The person of each sighting; -1: nobody yet."""


@dataclass(frozen=True, slots=True, eq=False)
class Strands:
    """P people, and one row for each moment from just before the first sighting of each to just after the last."""

    number: Int[np.ndarray, " p"]
    """What each is called among the owners of sightings, rising."""
    first: Int[np.ndarray, " p"]
    """First row of each."""
    begins: Int[np.ndarray, " p"]
    """Row of the first sighting of each."""
    ends: Int[np.ndarray, " p"]
    """Row of the last one."""
    person: Int[np.ndarray, " r"]
    """Whose row it is, counted from 0."""
    moment: Int[np.ndarray, " r"]
    """When."""
    t_s: Float[np.ndarray, " r"]
    """When, in seconds."""
    n_seen: Int[np.ndarray, " r"]
    """How many cameras saw the person then."""
    row_of_sighting: Int[np.ndarray, " n"]
    """The row that each sighting belongs to; -1: to none."""
    forth: Belief
    """What is believed at each row from it and the rows before."""
    back: Belief
    """What is believed at each row from it and the rows after."""
    others: Belief
    """What is believed at each row from all other rows."""
    all: Belief
    """What is believed at each row from all rows."""

    @classmethod
    def of(cls, owner: Owners, seen: Seen, odds: Odds) -> "Strands":
        """The paths that sightings given to people so make."""
        mine = np.flatnonzero(owner != NOT_YET)
        number, person = np.unique(owner[mine], return_inverse=True)
        low = np.full(len(number), len(seen.t_s))
        high = np.full(len(number), -1)
        np.minimum.at(low, person, seen.moment[mine])
        np.maximum.at(high, person, seen.moment[mine])
        start, stop = np.maximum(low - 1, 0), np.minimum(high + 1, len(seen.t_s) - 1)
        first = np.cumsum(stop - start + 1) - (stop - start + 1)
        of_row, moment = ranges(start, stop - start + 1)
        row = np.full(len(owner), -1)
        row[mine] = first[person] + seen.moment[mine] - start[person]
        xy_m, cov_m2, n_seen = _together(row[mine], seen.xy_m[mine], seen.cov_m2[mine], len(moment))
        t_s = seen.t_s[moment]
        (ahead, forth), (behind, back) = filtered_both_ways(xy_m, cov_m2, n_seen > 0, t_s, first, odds.walk)
        others = between(ahead, behind)
        return cls(
            number, first, first + low - start, first + high - start, of_row, moment, t_s, n_seen, row,
            forth, back, others, updated(others, xy_m, cov_m2),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.number)

    @property
    def within(self) -> Bool[np.ndarray, " r"]:
        """Which rows lie between the first and the last sighting."""
        rows = np.arange(len(self.person))
        return (rows >= self.begins[self.person]) & (rows <= self.ends[self.person])

    @property
    def goes_on(self) -> Bool[np.ndarray, " r"]:
        """Which rows lie between two sightings of one person together with the row after them."""
        within = self.within
        return within & np.append(within[1:] & (self.person[1:] == self.person[:-1]), False)[: len(within)]

    @property
    def n_moments(self) -> Int[np.ndarray, " p"]:
        """At how many moments each was seen."""
        return np.bincount(self.person, self.n_seen > 0, minlength=len(self)).astype(np.int64)


def _together(
    row: Int[np.ndarray, " s"], xy_m: Float[np.ndarray, "s 2"], cov_m2: Float[np.ndarray, "s 2 2"], n_rows: int
) -> tuple[Float[np.ndarray, "r 2"], Float[np.ndarray, "r 2 2"], Int[np.ndarray, " r"]]:
    """What all cameras say at each row, as one sighting; rows without any get one that says nothing."""
    information, weighted = np.zeros((n_rows, 2, 2)), np.zeros((n_rows, 2))
    of_sighting = inverse(cov_m2)
    np.add.at(information, row, of_sighting)
    np.add.at(weighted, row, np.einsum("nij,nj->ni", of_sighting, xy_m))
    n_seen = np.bincount(row, minlength=n_rows)
    information[n_seen == 0] = np.eye(2) / UNSEEN_M2
    cov = inverse(information)
    return np.einsum("nij,nj->ni", cov, weighted), cov, n_seen
