"""Who belongs to whom: pairs of rows and columns at the least total cost."""

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Pairs = tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"]]
"""Rows and their columns."""
_SMALL = 2500
"""Costs up to which looking for parts that do not touch takes longer than solving the whole."""


def assigned(cost: Float[np.ndarray, "n m"], limit: float) -> Pairs:
    """The pairs that cost least in sum, where leaving a row and a column single costs ``limit``.

    No pair costs ``limit`` or more; NaN and infinite costs pair nothing. Rows come in rising order.
    """
    if not cost.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if cost.size <= _SMALL:
        return _solved(cost, limit)
    rows, cols = np.nonzero(cost < limit)
    return assigned_sparse(rows, cols, cost[rows, cols], limit)


def assigned_sparse(
    rows: Int[np.ndarray, " e"], cols: Int[np.ndarray, " e"], cost: Float[np.ndarray, " e"], limit: float
) -> Pairs:
    """The same where only the listed pairs, each at most once, are possible.

    The pairs fall into parts that share no row and no column; each part is solved by itself, so that many things
    which are mostly apart cost little more than looking at them.
    """
    possible = cost < limit
    rows, cols, cost = rows[possible], cols[possible], cost[possible]
    alone = (np.bincount(rows)[rows] == 1) & (np.bincount(cols)[cols] == 1)
    found = [(rows[alone], cols[alone])]
    rows, cols, cost = rows[~alone], cols[~alone], cost[~alone]
    for edges in _parts(rows, cols):
        r, i = np.unique(rows[edges], return_inverse=True)
        c, j = np.unique(cols[edges], return_inverse=True)
        dense = np.full((len(r), len(c)), limit)
        dense[i, j] = cost[edges]
        i, j = _solved(dense, limit)
        found.append((r[i], c[j]))
    all_rows = np.concatenate([r for r, _ in found])
    all_cols = np.concatenate([c for _, c in found])
    order = np.argsort(all_rows)
    return all_rows[order], all_cols[order]


def _solved(cost: Float[np.ndarray, "n m"], limit: float) -> Pairs:
    """The whole at once. A pair at the limit is as good as none, so capping the costs changes no optimum."""
    capped = np.fmin(cost, limit)
    rows, cols = linear_sum_assignment(capped)
    good = capped[rows, cols] < limit
    return rows[good], cols[good]


def _parts(rows: Int[np.ndarray, " e"], cols: Int[np.ndarray, " e"]) -> list[Int[np.ndarray, " k"]]:
    """The pairs by connected part of the graph whose edges they are."""
    if not len(rows):
        return []
    n, m = rows.max() + 1, cols.max() + 1
    graph = coo_array((np.ones(len(rows), np.int8), (rows, cols + n)), shape=(n + m, n + m))
    part = connected_components(graph, directed=False)[1][rows]
    order = np.argsort(part, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(part[order])) + 1)
