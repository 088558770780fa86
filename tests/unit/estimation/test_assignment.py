"""The best pairs, against trying everything."""

from itertools import permutations

import numpy as np
import pytest

from sightline.estimation import assignment
from sightline.estimation.assignment import assigned, assigned_sparse


def brute_force(cost, limit):
    """The least total, a single row and column together costing ``limit``."""
    n, m = cost.shape
    if n > m:
        return brute_force(cost.T, limit)
    gains = np.where(cost < limit, cost - limit, 0.0)
    return min(sum(gains[i, j] for i, j in enumerate(chosen)) for chosen in permutations(range(m), n))


def gain(cost, limit, rows, cols):
    return (cost[rows, cols] - limit).sum()


@pytest.mark.parametrize("seed", range(30))
def test_it_is_the_best_there_is(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    cost = rng.uniform(0, 1, rng.integers(1, 6, 2))
    cost[rng.uniform(size=cost.shape) < 0.3] = np.inf
    limit = 0.7
    best = pytest.approx(brute_force(cost, limit), abs=1e-12)
    rows, cols = assigned(cost, limit)
    assert gain(cost, limit, rows, cols) == best
    assert (cost[rows, cols] < limit).all()
    assert len(set(rows)) == len(set(cols)) == len(rows)
    monkeypatch.setattr(assignment, "_SMALL", 0)
    rows, cols = assigned(cost, limit)
    assert gain(cost, limit, rows, cols) == best
    assert (np.diff(rows) > 0).all()


def test_large_problems_in_parts_are_as_good_as_whole_ones():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0, 1000, (2, 150, 2))
    cost = np.linalg.norm(a[:, None] - b, axis=2)
    whole = gain(cost, 60.0, *assignment._solved(cost, 60.0))
    assert gain(cost, 60.0, *assigned(cost, 60.0)) == pytest.approx(whole)


def test_pairs_listed_are_the_only_ones():
    rows, cols = np.array([0, 0, 5, 7]), np.array([3, 4, 3, 9])
    found = assigned_sparse(rows, cols, np.array([0.1, 0.2, 0.3, 0.9]), 0.8)
    np.testing.assert_array_equal(found, ([0, 5], [4, 3]))


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_nothing_pairs_with_nothing(shape):
    rows, cols = assigned(np.zeros(shape), 1.0)
    assert len(rows) == len(cols) == 0


def test_nan_pairs_nothing():
    cost = np.full((2, 2), np.nan)
    cost[1, 0] = 0.5
    np.testing.assert_array_equal(assigned(cost, 1.0), ([1], [0]))
