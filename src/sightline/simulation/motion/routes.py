"""Where one can walk on a site, and which way it is to each place."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import distance_transform_edt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from sightline.errors import EngineError
from sightline.simulation.site import Area, Site, Spot

CELL_M = 0.25
BODY_M = 0.3
"""Half the room a walker takes up."""
_STEPS = ((1, 0), (0, 1), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))
"""Neighbours in the grid, one of each opposite pair: eight straight and slanted, eight knight's moves."""
_AHEAD = 5


@dataclass(frozen=True, slots=True, eq=False)
class Routes:
    """A grid over the site, and the way to each destination from every cell of it."""

    low_m: Float[np.ndarray, " 2"]
    """South-west corner of the grid."""
    clearance_m: Float[np.ndarray, "h w"]
    """How far each cell is from the nearest thing in the way; rows go north, columns east."""
    away: Float[np.ndarray, "h w 2"]
    """Direction away from that nearest thing: east, north."""
    crossing: Bool[np.ndarray, "h w"]
    """Cells of the road where people may cross."""
    spots_m: Float[np.ndarray, "d 2"]
    """The destinations: the site's gates first, then its spots."""
    ahead: Int[np.ndarray, "d cells"]
    """For each destination and cell, the cell to head for: some steps along the shortest way."""

    def cells(self, xy_m: Float[np.ndarray, "n 2"]) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
        """Row and column of the cells that points are in; those beyond the grid count to its edge."""
        at = np.floor((xy_m - self.low_m) / CELL_M).astype(np.int64)
        height, width = self.clearance_m.shape
        return np.clip(at[:, 1], 0, height - 1), np.clip(at[:, 0], 0, width - 1)

    def heading_for(self, xy_m: Float[np.ndarray, "n 2"], spot: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n 2"]:
        """Points to walk straight towards on the way to each one's destination."""
        row, column = self.cells(xy_m)
        width = self.clearance_m.shape[1]
        ahead = self.ahead[spot, row * width + column]
        point = np.stack([ahead % width, ahead // width], axis=1) * CELL_M + self.low_m + CELL_M / 2
        near = np.linalg.norm(self.spots_m[spot] - xy_m, axis=1) < _AHEAD * CELL_M
        return np.where(near[:, None] | (ahead < 0)[:, None], self.spots_m[spot], point)


@lru_cache(maxsize=2)
def routes(site: Site) -> Routes:
    """The ways on ``site``.

    Raises:
        EngineError: a destination lies in a wall, or cannot be reached from another.
    """
    low = np.array(site.low_m)
    width, height = (round(float(side) / CELL_M) for side in np.array(site.high_m) - low)
    centre = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1) * CELL_M + low + CELL_M / 2
    solid = np.zeros((height, width), bool)
    for thing in site.solids:
        if thing.in_the_way:
            solid |= _within(centre, thing.low_m[:2], thing.high_m[:2])
    crossing = np.zeros_like(solid)
    for area in site.crossings:
        crossing |= _within(centre, area.low_m, area.high_m)
    blocked = solid | (_inside(centre, site.road) & ~crossing)
    blocked[[0, -1]] = blocked[:, [0, -1]] = True
    clearance, away = _clearance(blocked)
    spots = np.array([*site.gates, *site.spots])
    ahead = _ahead(clearance, spots, low, site)
    return Routes(low, clearance, away, crossing, spots, ahead)


def _within(centre: Float[np.ndarray, "h w 2"], low_m: Spot, high_m: Spot) -> Bool[np.ndarray, "h w"]:
    """Cells that a rectangle touches."""
    half = CELL_M / 2
    return np.all((centre > np.array(low_m) - half) & (centre < np.array(high_m) + half), axis=-1)


def _inside(centre: Float[np.ndarray, "h w 2"], area: Area) -> Bool[np.ndarray, "h w"]:
    """Cells whose middle is in an area."""
    return np.all((centre > np.array(area.low_m)) & (centre < np.array(area.high_m)), axis=-1)


def _clearance(blocked: Bool[np.ndarray, "h w"]) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w 2"]]:
    """Distance to what is in the way (negative inside it), and the direction in which it grows."""
    distance = (distance_transform_edt(~blocked) - distance_transform_edt(blocked)) * CELL_M
    north, east = np.gradient(distance)
    away = np.stack([east, north], axis=-1)
    return distance, away / np.maximum(np.linalg.norm(away, axis=-1, keepdims=True), 1e-9)


def _ahead(
    clearance: Float[np.ndarray, "h w"], spots: Float[np.ndarray, "d 2"], low: Float[np.ndarray, " 2"], site: Site
) -> Int[np.ndarray, "d cells"]:
    """For each destination and cell, the cell some steps further on the shortest way; -1 where there is none."""
    height, width = clearance.shape
    free = clearance > BODY_M
    number = np.arange(height * width).reshape(height, width)
    dear = 1 + 0.8 * np.exp(-((clearance / 0.8) ** 2))
    starts, ends, costs = [], [], []
    for east, north in _STEPS:
        here = (slice(max(0, -north), height - max(0, north)), slice(max(0, -east), width - max(0, east)))
        there = (slice(max(0, north), height + min(0, north)), slice(max(0, east), width + min(0, east)))
        open_ = free[here] & free[there]
        starts.append(number[here][open_])
        ends.append(number[there][open_])
        costs.append(np.hypot(east, north) * (dear[here][open_] + dear[there][open_]) / 2)
    links = coo_array(
        (np.concatenate(costs), (np.concatenate(starts), np.concatenate(ends))), shape=(number.size, number.size)
    )
    at = np.floor((spots - low) / CELL_M).astype(int)
    goals = at[:, 1] * width + at[:, 0]
    distance, towards = dijkstra(links.tocsr(), directed=False, indices=goals, return_predecessors=True)
    if not np.isfinite(distance[:, goals]).all():
        lost = np.flatnonzero(~np.isfinite(distance[:, goals]).all(axis=1))
        raise EngineError(f"site {site.name!r}: these places cannot be reached on foot: {spots[lost].tolist()}")
    ahead = np.broadcast_to(np.arange(number.size), towards.shape)
    for _ in range(_AHEAD):
        further = np.take_along_axis(towards, np.maximum(ahead, 0), axis=1)
        ahead = np.where(further < 0, ahead, further)
    return np.where(towards < 0, -1, ahead)
