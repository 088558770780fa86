"""How long, how far and how fast everybody went."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from sightline.analysis.paths import Paths, Steps, runs

_FAST = 0.95
"""The share of somebody's time in which they were slower than what is called their fastest: single leaps are errors."""


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """One row for each person, sorted by person."""

    person: Int[np.ndarray, " p"]
    """Who."""
    first_s: Float[np.ndarray, " p"]
    """When they were first there."""
    last_s: Float[np.ndarray, " p"]
    """When they were last there."""
    there_s: Float[np.ndarray, " p"]
    """How long they were there altogether; times away do not count."""
    distance_m: Float[np.ndarray, " p"]
    """How far they went."""
    mean_mps: Float[np.ndarray, " p"]
    """Distance by time; NaN for who was there for one moment only."""
    fastest_mps: Float[np.ndarray, " p"]
    """The speed that they exceeded in one step of 20; NaN as above."""


def movement(paths: Paths, walked: Steps) -> Movement:
    """Everybody's; ``walked`` are the steps of the same ``paths``."""
    first, last = runs(np.diff(paths.person, prepend=-1) != 0)
    person = paths.person[first]
    length_m = np.linalg.norm(walked.to_m - walked.from_m, axis=1)
    place = np.searchsorted(person, walked.person)
    there_s = np.bincount(place, walked.lasts_s, len(person)).astype(np.float64)  # whole numbers where empty
    distance_m = np.bincount(place, length_m, len(person)).astype(np.float64)
    mean_mps = np.divide(distance_m, there_s, out=np.full(len(person), np.nan), where=there_s > 0)
    speed = np.divide(length_m, walked.lasts_s, out=np.zeros_like(length_m), where=walked.lasts_s > 0)
    return Movement(
        person, paths.t_s[first], paths.t_s[last], there_s, distance_m, mean_mps, _quantile(place, speed, len(person))
    )


def _quantile(group: Int[np.ndarray, " n"], value: Float[np.ndarray, " n"], n: int) -> Float[np.ndarray, " g"]:
    """Of each of ``n`` groups the value that most of its values do not exceed; NaN for groups without."""
    order = np.lexsort((value, group))
    size = np.bincount(group, minlength=n)
    at = np.cumsum(size) - size + np.floor(_FAST * np.maximum(size - 1, 0)).astype(np.int64)
    found = np.full(n, np.nan)
    found[size > 0] = value[order][at[size > 0]]
    return found
