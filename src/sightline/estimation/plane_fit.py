"""A homography from a few pairs of points that somebody clicked, and which of the pairs are wrong.

Source: Hartley, Zisserman, "Multiple View Geometry" (2nd ed. 2004), chapter 4: normalised DLT (algorithm 4.2), and
the least distance in one picture (the map is taken as right, the clicks as off). Wrong pairs are found by the least
median over homographies of four pairs each (Rousseeuw 1984).
"""

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from sightline.geometry.warp import warped
from sightline.model.arrays import Warp, readonly

FEWEST: Final = 4
"""Pairs that a homography needs."""
_TRIALS: Final = 600
_CLICK_PX: Final = 2.0
"""Nobody clicks better than this; pairs that fit so well are never called wrong."""
_SIGMAS: Final = 3.5
_ROUNDS: Final = 15
_Points = Float[np.ndarray, "n 2"]


@dataclass(frozen=True, slots=True, eq=False)
class PlaneFit:
    """A plane seen by a camera, as far as its pairs of points tell."""

    map_from_px: Warp
    """Takes pixels to the map; its third coordinate is positive for what is before the horizon."""
    is_used: Bool[np.ndarray, " n"]
    """Pairs that agree; the others had no say."""
    off_px: Float[np.ndarray, " n"]
    """How far from the click each point of the map appears."""
    off_map: Float[np.ndarray, " n"]
    """How far each click lands from its point of the map, by a homography that this pair had no say in.

    In the map's unit. NaN where the others do not suffice: with four pairs nothing can be checked.
    """

    def __post_init__(self) -> None:
        for name in ("map_from_px", "is_used", "off_px", "off_map"):
            object.__setattr__(self, name, readonly(getattr(self, name)))


def plane_fit(xy_px: _Points, xy_map: _Points, seed: int = 0) -> PlaneFit:
    """The homography that most of the pairs agree on, and what each pair has to do with it.

    ``seed`` chooses the fours that are tried where there are too many to try all.

    Raises:
        ValueError: fewer than four pairs, points that are no numbers, or all on a line; the message says which.
    """
    _check(xy_px, xy_map)
    is_used = _agreeing(xy_px, xy_map, np.random.default_rng(seed))
    px_from_map = _refined(_solved(xy_map[is_used][None], xy_px[is_used][None])[0], xy_map[is_used], xy_px[is_used])
    if px_from_map is None:
        raise ValueError("the points are all on a line, or two are the same: choose four corners of a wide area")
    map_from_px = _forward(np.linalg.inv(px_from_map), xy_px[is_used])
    off_px = np.linalg.norm(_seen(px_from_map, xy_map) - xy_px, axis=1)
    return PlaneFit(map_from_px, is_used, off_px, _left_out(xy_px, xy_map, is_used, map_from_px))


def _check(xy_px: _Points, xy_map: _Points) -> None:
    if len(xy_px) < FEWEST:
        raise ValueError(f"{len(xy_px)} pairs of points; a homography needs {FEWEST}, and shows its quality with 6")
    if not (np.isfinite(xy_px).all() and np.isfinite(xy_map).all()):
        raise ValueError("a point is no number")


def _agreeing(xy_px: _Points, xy_map: _Points, rng: np.random.Generator) -> Bool[np.ndarray, " n"]:
    """Which pairs most of the others vouch for."""
    n = len(xy_px)
    if n == FEWEST:
        return np.ones(n, bool)
    if comb(n, FEWEST) <= _TRIALS:
        fours = np.array(list(combinations(range(n), FEWEST)))
    else:
        fours = rng.random((_TRIALS, n)).argsort(axis=1)[:, :FEWEST]
    warps = _solved(xy_map[fours], xy_px[fours])
    off = np.linalg.norm(_seen(warps, xy_map) - xy_px, axis=-1)
    off = np.where(np.isfinite(off), off, np.inf)
    rank = (n + FEWEST + 1) // 2  # the four of a trial always fit
    score = np.partition(off, rank - 1, axis=1)[:, rank - 1]
    best = off[score.argmin()]
    if not np.isfinite(score.min()):
        return np.ones(n, bool)
    spread = 1.4826 * (1 + 5 / max(n - FEWEST, 1)) * float(np.median(best))
    return best <= max(_SIGMAS * spread, _SIGMAS * _CLICK_PX)


def _left_out(
    xy_px: _Points, xy_map: _Points, is_used: Bool[np.ndarray, " n"], map_from_px: Warp
) -> Float[np.ndarray, " n"]:
    """How far each click lands from where it should, were it not asked."""
    off = np.linalg.norm(warped(map_from_px, xy_px) - xy_map, axis=1)
    used = np.flatnonzero(is_used)
    if len(used) <= FEWEST:
        off[used] = np.nan
        return off
    for one in used:
        rest = used[used != one]
        warp = _refined(_solved(xy_map[rest][None], xy_px[rest][None])[0], xy_map[rest], xy_px[rest])
        if warp is None:
            off[one] = np.nan
            continue
        back = _forward(np.linalg.inv(warp), xy_px[rest])
        off[one] = np.linalg.norm(warped(back, xy_px[one : one + 1]) - xy_map[one])
    return off


def _solved(xy_a: Float[np.ndarray, "t m 2"], xy_b: Float[np.ndarray, "t m 2"]) -> Float[np.ndarray, "t 3 3"]:
    """``b_from_a`` of many sets of pairs, by normalised DLT; not finite, or singular, where a set is degenerate."""
    a, norm_a = _normalised(xy_a)
    b, norm_b = _normalised(xy_b)
    ones = np.concatenate([a, np.ones((*a.shape[:2], 1))], axis=2)
    none = np.zeros_like(ones)
    rows = np.concatenate(
        [
            np.concatenate([ones, none, -b[..., :1] * ones], axis=2),
            np.concatenate([none, ones, -b[..., 1:] * ones], axis=2),
        ],
        axis=1,
    )
    rows = np.where(np.isfinite(rows), rows, 0.0)
    least = np.linalg.svd(rows)[2][:, -1].reshape(-1, 3, 3)
    return np.linalg.inv(norm_b) @ least @ norm_a


def _normalised(xy: Float[np.ndarray, "t m 2"]) -> tuple[Float[np.ndarray, "t m 2"], Float[np.ndarray, "t 3 3"]]:
    """Points about their middle, a diagonal of 1.4 away from it; and the matrices that make them so."""
    mean = xy.mean(axis=1, keepdims=True)
    far = np.linalg.norm(xy - mean, axis=2).mean(axis=1)
    scale = np.sqrt(2) / np.maximum(far, 1e-12)
    matrix = np.zeros((len(xy), 3, 3))
    matrix[:, 0, 0] = matrix[:, 1, 1] = scale
    matrix[:, :2, 2] = -scale[:, None] * mean[:, 0]
    matrix[:, 2, 2] = 1.0
    return (xy - mean) * scale[:, None, None], matrix


def _seen(warp: Float[np.ndarray, "*t 3 3"], xy: _Points) -> Float[np.ndarray, "*t n 2"]:
    """Where points go; infinitely far those on the line that goes to infinity."""
    moved = np.concatenate([xy, np.ones((len(xy), 1))], axis=1) @ np.swapaxes(warp, -1, -2)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        flat: Float[np.ndarray, "*t n 2"] = moved[..., :2] / moved[..., 2:]
    return flat


def _refined(px_from_map: Warp, xy_map: _Points, xy_px: _Points) -> Warp | None:
    """The homography with the least squared distance in the picture (Gauss-Newton); None for a degenerate one."""
    if not np.isfinite(px_from_map).all() or np.linalg.cond(px_from_map) > 1e15 or _is_line(xy_map) or _is_line(xy_px):
        return None
    warp = px_from_map / np.linalg.norm(px_from_map)
    cost = _cost(warp, xy_map, xy_px)
    for _ in range(_ROUNDS):
        tried = warp + _step(warp, xy_map, xy_px)
        tried /= np.linalg.norm(tried)
        new = _cost(tried, xy_map, xy_px)
        if not new < cost:
            break
        warp, cost = tried, new
    return warp


def _step(warp: Warp, xy_map: _Points, xy_px: _Points) -> Warp:
    """A Gauss-Newton step for all nine numbers, of which one is the scale and stays."""
    ones = np.concatenate([xy_map, np.ones((len(xy_map), 1))], axis=1)
    w = ones @ warp[2]
    flat = _seen(warp, xy_map)
    none = np.zeros_like(ones)
    across = np.concatenate([ones, none, -flat[:, :1] * ones], axis=1) / w[:, None]
    down = np.concatenate([none, ones, -flat[:, 1:] * ones], axis=1) / w[:, None]
    slope, miss = np.concatenate([across, down]), np.concatenate([xy_px[:, 0] - flat[:, 0], xy_px[:, 1] - flat[:, 1]])
    size = np.linalg.norm(slope, axis=0)  # columns differ by the size of the coordinates
    size = np.where(size > 0, size, 1.0)
    step: Warp = (np.linalg.lstsq(slope / size, miss, rcond=1e-10)[0] / size).reshape(3, 3)
    return step


def _cost(warp: Warp, xy_map: _Points, xy_px: _Points) -> float:
    off = ((_seen(warp, xy_map) - xy_px) ** 2).sum()
    return float(off) if np.isfinite(off) else np.inf


def _forward(map_from_px: Warp, xy_px: _Points) -> Warp:
    """The same homography, with the third coordinate positive where the points are."""
    w = np.concatenate([xy_px, np.ones((len(xy_px), 1))], axis=1) @ map_from_px[2]
    return map_from_px * (np.sign(np.median(w)) or 1.0) / np.linalg.norm(map_from_px)


def _is_line(xy: _Points) -> bool:
    """Whether points are all on a line, or in one place."""
    spread = np.linalg.svd(xy - xy.mean(axis=0), compute_uv=False)
    return bool(spread[1] <= 1e-6 * spread[0])
