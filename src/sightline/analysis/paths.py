"""Ways of people on the ground, and the steps they are made of."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from sightline.model.arrays import readonly

GAP_S = 2.0
"""Between places further apart in time nothing is known: somebody was away."""


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """N places of people, one row each, sorted by person, then time; made by ``of``."""

    person: Int[np.ndarray, " n"]
    """Who."""
    t_s: Float[np.ndarray, " n"]
    """When, in seconds on any one clock."""
    xy_m: Float[np.ndarray, "n 2"]
    """Where, in metres of the map."""

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, readonly(getattr(self, field.name)))

    def __len__(self) -> int:
        return len(self.person)

    @classmethod
    def of(cls, person: Int[np.ndarray, " n"], t_s: Float[np.ndarray, " n"], xy_m: Float[np.ndarray, "n 2"]) -> "Paths":
        """Rows in any order, put in order; those without a place are left out."""
        known = np.flatnonzero(np.isfinite(xy_m).all(axis=1) & np.isfinite(t_s))
        order = known[np.lexsort((t_s[known], person[known]))]
        return cls(person[order], t_s[order], xy_m[order])

    def in_turn(self, n_rows: int) -> Iterator["Paths"]:
        """The same, some people at a time, about so many rows; nobody is divided, and there is one piece at least."""
        begins = np.flatnonzero(np.diff(self.person, prepend=-1) != 0)
        wanted = np.arange(n_rows, len(self), n_rows)
        edges = np.unique(np.append(begins, len(self))[np.searchsorted(begins, wanted)])
        for first, last in pairwise([0, *edges[edges < len(self)].tolist(), len(self)]):
            yield Paths(self.person[first:last], self.t_s[first:last], self.xy_m[first:last])


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """From each place of a person to the next, where the time between is known; sorted as paths are."""

    person: Int[np.ndarray, " s"]
    """Who."""
    from_s: Float[np.ndarray, " s"]
    """When it begins."""
    to_s: Float[np.ndarray, " s"]
    """When it ends."""
    from_m: Float[np.ndarray, "s 2"]
    """Where it begins."""
    to_m: Float[np.ndarray, "s 2"]
    """Where it ends."""
    row: Int[np.ndarray, " s"]
    """The row of the paths that it begins with: steps of successive rows follow each other."""

    @property
    def middle_m(self) -> np.ndarray:
        """Half-way."""
        return (self.from_m + self.to_m) / 2

    @property
    def lasts_s(self) -> np.ndarray:
        """How long each takes."""
        return self.to_s - self.from_s


def steps(paths: Paths, gap_s: float = GAP_S) -> Steps:
    """All steps that take no longer than ``gap_s``."""
    follows = (np.diff(paths.person) == 0) & (np.diff(paths.t_s) <= gap_s)
    row = np.flatnonzero(follows)
    return Steps(
        paths.person[row], paths.t_s[row], paths.t_s[row + 1], paths.xy_m[row], paths.xy_m[row + 1], row
    )  # fmt: skip


def runs(begins: np.ndarray) -> tuple[Int[np.ndarray, " r"], Int[np.ndarray, " r"]]:
    """First and last row of each run, where ``begins`` says with which rows one begins; the first row always does."""
    n = len(begins)
    first = np.flatnonzero(begins | (np.arange(n) == 0))
    return first, np.append(first[1:], n)[: len(first)] - 1
