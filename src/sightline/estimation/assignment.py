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
    Large problems fall into parts that share no possible pair; each is solved by itself, so that 500 things
    which are mostly apart cost little more than looking at them.
    """
    if not cost.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if cost.size <= _SMALL:
        return _solved(cost, limit)
    rows, cols = np.nonzero(cost < limit)
    return _in_parts(cost, limit, rows, cols)


def _solved(cost: Float[np.ndarray, "n m"], limit: float) -> Pairs:
    """The whole at once. A pair at the limit is as good as none, so that capping the costs changes no optimum."""
    capped = np.fmin(cost, limit)
    rows, cols = linear_sum_assignment(capped)
    good = capped[rows, cols] < limit
    return rows[good], cols[good]


def _in_parts(cost: np.ndarray, limit: float, rows: np.ndarray, cols: np.ndarray) -> Pairs:
    """Rows that have one column which has one row are pairs; the rest by connected parts."""
    alone = (np.bincount(rows, minlength=cost.shape[0])[rows] == 1) & (
        np.bincount(cols, minlength=cost.shape[1])[cols] == 1
    )
    found = [(rows[alone], cols[alone])]
    rows, cols = rows[~alone], cols[~alone]
    n, m = cost.shape
    graph = coo_array((np.ones(len(rows), np.int8), (rows, cols + n)), shape=(n + m, n + m))
    part = connected_components(graph, directed=False)[1][rows]
    order = np.argsort(part, kind="stable")
    starts = np.flatnonzero(np.diff(part[order], prepend=-1))
    for chunk in np.split(order, starts[1:]):
        r, c = np.unique(rows[chunk]), np.unique(cols[chunk])
        if len(r):
            i, j = _solved(cost[np.ix_(r, c)], limit)
            found.append((r[i], c[j]))
    all_rows = np.concatenate([r for r, _ in found])
    all_cols = np.concatenate([c for _, c in found])
    order = np.argsort(all_rows)
    return all_rows[order], all_cols[order]
