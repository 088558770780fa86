"""How much likelier two looks are of one person than of two, as the recording itself tells.

Source: what differs from look to look of one person counts for less, as in Hatch, Kajarekar, Stolcke, Within-class
covariance normalization for SVM-based speaker recognition (Interspeech 2006).
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from sightline.identifiers.moments import Glances, Seen
from sightline.identifiers.strands import Strands
from sightline.model.arrays import Looks

_ENOUGH = 8
"""Pairs of either kind before anything is claimed."""
ENOUGH_LOOKS = 4
"""Looks at somebody before they are split into earlier and later ones."""
_LEAST_SPREAD = 0.02
_MOST = 8.0
"""Log odds that looks can count for at most."""
_EVEN = 0.5
"""How far what is learnt of differences is drawn to all being alike: few looks do not tell them all."""


_PAIRS = (0, 3), (2, 1), (0, 1), (2, 3)
"""Of the one before and after and the other before and after, those that are compared."""
_AT_ONCE, _ROWS = 32, 1 << 14
"""Numbers of looks, and looks, that are summed at a time: all at once would be large."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Cosines of looks at one person, earlier and later, and at two who are there at the same time: two normal laws."""

    same: float = 1.0
    """Mean for one person."""
    same_spread: float = 1.0
    """Standard deviation."""
    other: float = 1.0
    """Mean for two."""
    other_spread: float = 1.0
    """Standard deviation."""

    @classmethod
    def learnt(cls, strands: Strands, seen: Seen) -> "Likeness":
        """From the paths found so far; one that tells nothing where there are too few looks, or all are alike."""
        earlier, later, known = _halves(strands, seen)
        cosine = earlier[known] @ later[known].T
        one = np.diag(cosine)
        start, stop = strands.begins[known], strands.ends[known]
        together = (strands.moment[start][:, None] <= strands.moment[stop]) & ~np.eye(len(known), dtype=bool)
        two = cosine[together & together.T]
        if min(len(one), len(two)) < _ENOUGH or one.mean() <= two.mean():
            return cls()
        spreads = (max(float(values.std()), _LEAST_SPREAD) for values in (one, two))
        same_spread, other_spread = spreads
        return cls(float(one.mean()), same_spread, float(two.mean()), other_spread)

    def odds(self, cosine: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
        """Log of how much likelier such looks are of one person; 0 for unknown looks.

        More alike never counts less: beyond either mean nothing is told that the mean does not tell.
        """
        within = np.clip(cosine, self.other, self.same)
        of_one = -0.5 * ((within - self.same) / self.same_spread) ** 2 - np.log(self.same_spread)
        of_two = -0.5 * ((within - self.other) / self.other_spread) ** 2 - np.log(self.other_spread)
        return np.nan_to_num(np.clip(of_one - of_two, -_MOST, _MOST))


def contrasted(seen: Seen, strands: Strands) -> Seen:
    """The sightings with looks that differ by person more than by light, posture and direction; lengths are one.

    Counted from the mean of all people, and divided by how one person's looks vary. Unchanged where there are too few.
    """
    row, look = _looks(strands, seen)
    person = strands.person[row]
    count = np.bincount(person, minlength=len(strands))
    if (count >= ENOUGH_LOOKS).sum() < _ENOUGH:
        return seen
    means = np.zeros((len(strands), look.shape[1]))
    np.add.at(means, person, look)
    means /= np.maximum(count, 1)[:, None]
    within = np.zeros((look.shape[1], look.shape[1]))
    for some in _pieces(len(look)):
        off = look[some] - means[person[some]]
        within += off.T @ off / len(look)
    within = (1 - _EVEN) * within + _EVEN * np.trace(within) / len(within) * np.eye(len(within))
    variance, direction = np.linalg.eigh(within)
    if not variance[0] > 0:
        return seen
    apart, middle = np.empty_like(seen.glances.look), means[count > 0].mean(axis=0)
    for some in _pieces(len(apart)):
        off = (seen.glances.look[some] - middle) @ (direction / np.sqrt(variance))
        length = np.linalg.norm(off, axis=1, keepdims=True)
        apart[some] = off / np.where(length > 0, length, 1.0)
    return replace(seen, glances=Glances(seen.glances.row, apart))


def mean_looks(strands: Strands, seen: Seen) -> Looks:
    """The mean look of each person, of length one; NaN for those never looked at."""
    row, look = _looks(strands, seen)
    return _unit(strands.person[row], look, len(strands))


def cosines_across(
    strands: Strands, seen: Seen, one: Int[np.ndarray, " e"], two: Int[np.ndarray, " e"]
) -> tuple[Float[np.ndarray, "4 e"], Int[np.ndarray, " e"]]:
    """How alike the persons of each two rows look, one until then and one after, with as many looks as the fewest.

    In turn: the one before and the other after, the other before and the one after, either before and after; NaN where
    one was never looked at.
    """
    row, look = _looks(strands, seen)
    order = np.argsort(row, kind="stable")
    edges = [_edges(strands, row[order], rows) for rows in (one, two)]
    dots, squared = np.zeros((4, len(one))), np.zeros((4, len(one)))
    for low in range(0, look.shape[1], _AT_ONCE):
        total = np.cumsum(look[order, low : low + _AT_ONCE], axis=0, dtype=np.float64)
        total = np.concatenate([np.zeros((1, total.shape[1])), total])
        sums = [total[last] - total[first] for edge in edges for first, last in pairwise(edge)]
        squared += [np.einsum("ed,ed->e", some, some) for some in sums]
        dots += [np.einsum("ed,ed->e", sums[a], sums[b]) for a, b in _PAIRS]
    count = np.stack([last - first for edge in edges for first, last in pairwise(edge)])
    length = np.sqrt(np.where((count > 0) & (squared > 0), squared, np.nan))
    return dots / np.stack([length[a] * length[b] for a, b in _PAIRS]), count.min(axis=0)


def _edges(
    strands: Strands, row: Int[np.ndarray, " u"], rows: Int[np.ndarray, " e"]
) -> tuple[Int[np.ndarray, " e"], Int[np.ndarray, " e"], Int[np.ndarray, " e"]]:
    """Where, among looks by ``row``, those of the person of each of ``rows`` begin, come after it, and end."""
    first = strands.first[strands.person[rows]]
    last = np.append(strands.first[1:], len(strands.person))[strands.person[rows]]
    start, middle, stop = (np.searchsorted(row, edge) for edge in (first, rows + 1, last))
    return start, middle, stop


def _halves(strands: Strands, seen: Seen) -> tuple[Looks, Looks, Int[np.ndarray, " k"]]:
    """Mean looks of each person's first and second half of looks, and who has enough of them."""
    row, look = _looks(strands, seen)
    person = strands.person[row]
    order = np.lexsort((strands.moment[row], person))
    count = np.bincount(person, minlength=len(strands))
    place = np.arange(len(person)) - (np.cumsum(count) - count)[person[order]]
    early = place < count[person[order]] // 2
    halves = (order[half] for half in (early, ~early))
    earlier, later = (_unit(person[half], look[half], len(strands)) for half in halves)
    return earlier, later, np.flatnonzero(count >= ENOUGH_LOOKS)


def _looks(strands: Strands, seen: Seen) -> tuple[Int[np.ndarray, " u"], Float[np.ndarray, "u d"]]:
    """Looks at somebody, and the row of each among those of paths."""
    row = strands.row_of_sighting[seen.glances.row]
    return row[row >= 0], seen.glances.look[row >= 0]


def _pieces(n: int) -> list[slice]:
    """Some rows after the other: in double precision all of them would be large."""
    return [slice(first, first + _ROWS) for first in range(0, n, _ROWS)]


def _unit(person: Int[np.ndarray, " u"], look: Float[np.ndarray, "u d"], n: int) -> Float[np.ndarray, "n d"]:
    """Sums of looks by person, of length one; NaN where there is nothing to sum."""
    total = np.zeros((n, look.shape[1]))
    np.add.at(total, person, look)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return total / np.where(length > 0, length, np.nan)
