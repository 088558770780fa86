"""Who passed a line, when, and which way."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.analysis.paths import Steps

Spot = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Crossings:
    """One row each time somebody passed a line, in the order of time."""

    person: Int[np.ndarray, " c"]
    """Who."""
    t_s: Float[np.ndarray, " c"]
    """When."""
    is_in: Bool[np.ndarray, " c"]
    """Whether to the side that counts as in."""


def crossings(walked: Steps, ends_m: tuple[Spot, Spot], inside_m: Spot) -> Crossings:
    """Each step from one side of a line to the other, between its ends.

    Who stands on the line is in. Time is interpolated within the step.
    """
    start, end = np.array(ends_m)
    along = end - start
    sign = np.sign(_cross(along, np.array(inside_m) - start))
    before, after = (sign * _cross(along, xy_m - start) for xy_m in (walked.from_m, walked.to_m))
    changes = (before >= 0) != (after >= 0)
    part = np.divide(before, before - after, out=np.zeros(len(before)), where=changes)
    at_m = walked.from_m + part[:, None] * (walked.to_m - walked.from_m)
    within = (at_m - start) @ along / (along @ along)
    passed = np.flatnonzero(changes & (within >= 0) & (within <= 1))
    t_s = walked.from_s[passed] + part[passed] * walked.lasts_s[passed]
    order = np.argsort(t_s, kind="stable")
    passed = passed[order]
    return Crossings(walked.person[passed], t_s[order], after[passed] >= 0)


def _cross(a: Float[np.ndarray, " 2"], b: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n"]:
    """The third component of the cross product: positive where ``b`` is to the left of ``a``, y up."""
    return np.asarray(a[0] * b[..., 1] - a[1] * b[..., 0])
