"""Sightings of one moment that are of one person: no two by the same camera, and no further apart than they can be."""

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.estimation.walk import inverse, surprise
from sightline.identifiers.odds import Odds


def clustered(
    xy_m: Float[np.ndarray, "n 2"], cov_m2: Float[np.ndarray, "n 2 2"], camera: Int[np.ndarray, " n"], odds: Odds
) -> list[Int[np.ndarray, " c"]]:
    """Groups of sightings, each by different cameras; every sighting is in one.

    The two groups that are likeliest one person are joined first, and what is known of both is put together, until
    no two are likelier one person than two. Two who stand at the same place for one camera are never joined.
    """
    places, spreads = xy_m.copy(), cov_m2.copy()
    by = np.zeros((len(xy_m), int(camera.max()) + 1), bool)
    by[np.arange(len(xy_m)), camera] = True
    groups = [np.array([i]) for i in range(len(xy_m))]
    alive = np.ones(len(xy_m), bool)
    gain = np.full((len(xy_m), len(xy_m)), -np.inf)
    for i in range(len(xy_m) - 1):
        gain[i, i + 1 :] = _gain(places, spreads, by, i, np.arange(i + 1, len(xy_m)), odds)
    while len(xy_m) > 1:
        i, j = divmod(int(gain.argmax()), len(xy_m))
        if gain[i, j] <= 0:
            break
        known = inverse(spreads[[i, j]])
        spreads[i] = inverse(known.sum(axis=0, keepdims=True))[0]
        places[i] = spreads[i] @ np.einsum("nij,nj->i", known, places[[i, j]])
        by[i] |= by[j]
        groups[i] = np.append(groups[i], groups[j])
        alive[j] = False
        gain[j], gain[:, j] = -np.inf, -np.inf
        others = np.flatnonzero(alive & (np.arange(len(alive)) != i))
        gain[np.minimum(i, others), np.maximum(i, others)] = _gain(places, spreads, by, i, others, odds)
    return [groups[i] for i in np.flatnonzero(alive)]


def _gain(
    places: Float[np.ndarray, "n 2"],
    spreads: Float[np.ndarray, "n 2 2"],
    by: Bool[np.ndarray, "n k"],
    i: int,
    others: Int[np.ndarray, " m"],
    odds: Odds,
) -> Float[np.ndarray, " m"]:
    """Log of how much likelier group ``i`` and each of the others are one person than two things."""
    density, squared = surprise(places[others] - places[i], spreads[others] + spreads[i])
    possible = (squared <= odds.gate) & ~(by[others] & by[i]).any(axis=1)
    return np.where(possible, density - np.log(odds.false_per_m2 + odds.new_per_m2), -np.inf)
