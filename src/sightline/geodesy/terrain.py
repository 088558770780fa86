"""The shape of the ground as a grid of heights, and where rays meet it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from sightline.geodesy.enu import enu_from_wgs84, fall_m, wgs84_from_enu
from sightline.model.arrays import readonly
from sightline.model.positions import Origin

Column = Float[np.ndarray, " n"]


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """Heights at the corners of a square grid, metres east, north and up of an origin."""

    west_m: float
    """East of the first column."""
    south_m: float
    """North of the first row."""
    step_m: float
    """Between neighbours."""
    up_m: Float[np.ndarray, "h w"]
    """Heights, south first; NaN where they are not known. The earth's bend is in them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "up_m", readonly(self.up_m))

    def heights(self, x_m: Column, y_m: Column) -> Column:
        """Height of the ground there, straight between the corners; NaN beyond the grid."""
        return self._between(x_m, y_m)[0]

    def slopes(self, x_m: Column, y_m: Column) -> tuple[Column, Column]:
        """How much it rises per metre east and per metre north."""
        _, (a, b, c, d), (fx, fy) = self._between(x_m, y_m)
        east = ((b - a) * (1 - fy) + (d - c) * fy) / self.step_m
        north = ((c - a) * (1 - fx) + (d - b) * fx) / self.step_m
        return east, north

    def _between(self, x_m: Column, y_m: Column) -> tuple[Column, tuple[Column, ...], tuple[Column, Column]]:
        """Height, the four corners about a point, and how far it is between them."""
        rows, columns = self.up_m.shape
        x, y = (x_m - self.west_m) / self.step_m, (y_m - self.south_m) / self.step_m
        inside = (x >= 0) & (y >= 0) & (x <= columns - 1) & (y <= rows - 1)
        x, y = np.where(inside, x, 0.0), np.where(inside, y, 0.0)
        i, j = np.minimum(y.astype(int), rows - 2), np.minimum(x.astype(int), columns - 2)
        fx, fy = x - j, y - i
        a, b, c, d = self.up_m[i, j], self.up_m[i, j + 1], self.up_m[i + 1, j], self.up_m[i + 1, j + 1]
        up = (a * (1 - fx) + b * fx) * (1 - fy) + (c * (1 - fx) + d * fx) * fy
        return np.where(inside, up, np.nan), (a, b, c, d), (fx, fy)


def terrain_about(
    origin: Origin,
    takeoff: tuple[float, float],
    lat_deg: Float[np.ndarray, " h"],
    lon_deg: Float[np.ndarray, " w"],
    height_m: Float[np.ndarray, "h w"],
    *,
    reach_m: float,
    step_m: float,
) -> Terrain:
    """Elevations on a grid of degrees, as a ground to be met within ``reach_m`` of the origin.

    Only differences to the elevation at the take-off count, so whatever the elevations are above (an ellipsoid, one
    geoid or another) falls out. ``takeoff`` is latitude and longitude; ``lat_deg`` and ``lon_deg`` rise.
    """
    side = np.arange(-reach_m, reach_m + step_m / 2, step_m)
    x, y = (axis.ravel() for axis in np.meshgrid(side, side))
    lat, lon, _ = wgs84_from_enu(origin, np.column_stack([x, y, np.zeros(len(x))]))
    there_lat, there_lon = (np.array([degrees]) for degrees in takeoff)
    (home,) = enu_from_wgs84(origin, there_lat, there_lon, np.array([origin.height_m]))
    level_m = _sampled(lat_deg, lon_deg, height_m, there_lat, there_lon)[0]
    up = _sampled(lat_deg, lon_deg, height_m, lat, lon) - level_m
    up += home[2] + fall_m(home[None, :2])[0] - fall_m(np.column_stack([x, y]))
    return Terrain(-reach_m, -reach_m, step_m, up.reshape(len(side), len(side)))


def _sampled(
    lat_deg: Float[np.ndarray, " h"], lon_deg: Float[np.ndarray, " w"], height_m: np.ndarray, lat: Column, lon: Column
) -> Column:
    """Elevations between the corners of the grid; NaN beyond it."""
    i, j = np.interp(lat, lat_deg, np.arange(len(lat_deg))), np.interp(lon, lon_deg, np.arange(len(lon_deg)))
    grid = Terrain(0.0, 0.0, 1.0, np.asarray(height_m, float))
    beyond = (lat < lat_deg[0]) | (lat > lat_deg[-1]) | (lon < lon_deg[0]) | (lon > lon_deg[-1])
    return np.where(beyond, np.nan, grid.heights(j, i))


def met(
    terrain: Terrain, eye_enu_m: Float[np.ndarray, "n 3"], ray_enu: Float[np.ndarray, "n 3"], *, reach_m: float
) -> Column:
    """How many lengths of each ray it is to the ground, first crossing from above; NaN where it meets none.

    Marches half a cell at a time, from the summit's height down, over ``reach_m`` of ground, then halves the last step.
    """
    n = len(ray_enu)
    flat = np.hypot(ray_enu[:, 0], ray_enu[:, 1])
    drop = np.maximum(-ray_enu[:, 2], 1e-9)
    spare = np.maximum(eye_enu_m[:, 2] - float(np.nanmin(terrain.up_m)), 0.0) / drop + 1e-6
    step = np.minimum(0.5 * terrain.step_m / np.maximum(flat, 1e-9), spare)
    summit_m = float(np.nanmax(terrain.up_m))
    before, after = np.maximum((eye_enu_m[:, 2] - summit_m) / drop, 0.0), np.full(n, np.nan)  # above it is only air
    rows = np.arange(n)
    for _ in range(int(np.ceil(2 * reach_m / terrain.step_m)) + 1):
        ahead = before[rows] + step[rows]
        above = _clearance(terrain, eye_enu_m[rows], ray_enu[rows], ahead)
        after[rows[above <= 0]] = ahead[above <= 0]
        go_on = above > 0  # NaN, beyond the grid, stops too
        before[rows[go_on]] = ahead[go_on]
        rows = rows[go_on]
        if not len(rows):
            break
    hit = np.flatnonzero(np.isfinite(after))
    low, high = before[hit], after[hit]
    for _ in range(40):
        middle = (low + high) / 2
        clear = _clearance(terrain, eye_enu_m[hit], ray_enu[hit], middle) > 0
        low, high = np.where(clear, middle, low), np.where(clear, high, middle)
    after[hit] = (low + high) / 2
    return after


def _clearance(terrain: Terrain, eye_enu_m: np.ndarray, ray_enu: np.ndarray, lengths: Column) -> Column:
    """How far above the ground a ray is after so many of its lengths."""
    point = eye_enu_m + lengths[:, None] * ray_enu
    return point[:, 2] - terrain.heights(point[:, 0], point[:, 1])
