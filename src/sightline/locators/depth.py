"""Places of what a flying camera followed, by depth maps of its pictures: no level ground is needed, only its size.

A network or structure from motion says how deep a picture is in units of its own. How long a unit is, is told twice:
by how far the aircraft flew, and by how high it flew above the ground. Made beside a ``Ground``, it also tells how well
the two agree::

    deep = Depth(scene=scene, t_s=when_the_views_were_taken, over=aim.ground)
    deep.size                                      # metres per unit, how sure, and what says so
    by_depth = deep.locate(tracks)                 # NaN where no view was taken at that moment
    agreement(by_depth, aim.ground.locate(tracks))
"""

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import map_coordinates

from sightline.errors import OptionError
from sightline.geometry.lens import straightened
from sightline.geometry.rigid import inverse
from sightline.geometry.umeyama import robust_umeyama, scale_of, umeyama
from sightline.locators.eyes import Eyes
from sightline.locators.ground import Ground
from sightline.locators.rays import FLATTEST, ground_places
from sightline.model.positions import Positions
from sightline.model.scene import Scene
from sightline.model.tracks import Tracks

Column = Float[np.ndarray, " n"]
Flat = Float[np.ndarray, "n 2"]
_GRID: Final = (16, 12)
"""Pixels across and down that tell how far the ground is."""
_STEEP: Final = float(np.sin(np.deg2rad(10.0)))
"""Rays that sink by less do not tell it."""
_MANY: Final = 8
"""Of so many cameras, some places may be quite wrong."""
_TOO_FAR: Final = 3.0
"""Deviations that the two sizes may be apart by."""
_BESIDE: Final = np.array(
    [
        *((-0.75, 0.75), (-0.75, 1.0), (-0.75, 1.15), (-0.5, 1.15), (0.0, 1.15)),
        *((0.5, 1.15), (0.75, 1.15), (0.75, 1.0), (0.75, 0.75)),
    ]
)
"""Where the ground about a thing is looked at: widths of its box off its middle, heights down from its top."""


@dataclass(frozen=True, slots=True)
class Told:
    """How long a scene's unit is, as one thing tells it."""

    metres: float
    """Per unit; NaN: it does not tell."""
    sd: float
    """How wrong that may be, as a share of it; infinite: it does not tell."""


@dataclass(frozen=True, slots=True)
class Size:
    """How long a scene's unit is."""

    metres: float
    """Per unit."""
    sd: float
    """How wrong that may be, as a share of it."""
    by_flight: Told
    """By how far apart the aircraft says that its pictures were taken."""
    by_ground: Told
    """By how high it was above the ground that they show."""
    apart: float
    """How far the two are apart, in standard deviations; NaN: only one tells."""
    uneven: float
    """By which share of itself a single depth strays, from picture to picture and within one."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know."""
        if not self.apart > _TOO_FAR:
            return ()
        told = (
            f"depth: a unit is {self.by_flight.metres:.3g} m by the way flown and {self.by_ground.metres:.3g} m by the "
            "height above the ground; one of them is wrong: look at the log's heights and the ground given"
        )
        return (told,)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the places that two ways gave to the same rows are apart."""

    n: int
    """Rows that both placed."""
    median_m: float
    """Of the distances along the ground; NaN without rows."""
    p90_m: float
    """Which nine of ten are within."""
    up_m: float
    """By how much the first has them higher, the middle of all."""


def agreement(one: Positions, other: Positions) -> Agreement:
    """How far the two are apart, row by row."""
    both = one.is_known & other.is_known
    if not both.any():
        return Agreement(0, np.nan, np.nan, np.nan)
    off = one.xyz_enu_m[both] - other.xyz_enu_m[both]
    far = np.hypot(off[:, 0], off[:, 1])
    return Agreement(int(both.sum()), *(float(x) for x in (*np.quantile(far, [0.5, 0.9]), np.median(off[:, 2]))))


@final
class Depth:
    """A camera on a drone whose pictures have depth maps.

    ``over`` says where the camera was and which way it looked, and roughly how high the ground is; ``t_s`` when each of
    the scene's views was taken, in the video's seconds. A row is placed where a view was taken within ``near_s`` of it.

    Raises:
        OptionError: there is no depth, or nothing tells how long the scene's unit is.
    """

    def __init__(self, *, scene: Scene, t_s: Float[np.ndarray, " k"], over: Ground, near_s: float = 0.02) -> None:
        if len(t_s) != len(scene.views):
            raise OptionError(f"depth: {len(t_s)} times for {len(scene.views)} views; give one for each")
        if not any(one is not None and one.depth is not None for one in scene.maps):
            raise OptionError(
                "depth: the scene has no depth maps; use an engine that makes them (neural, or sfm --dense)"
            )
        self._scene, self._over, self._t_s, self._near_s = scene, over, t_s, near_s
        self.size = _size(scene, over, over.eyes(t_s))
        """How long the scene's unit is."""

    def locate(self, tracks: Tracks) -> Positions:
        """A place for each row, in their order, with covariance; NaN where no view or no depth is.

        Depth is looked up on the ground beside and below each box, which the thing in it does not hide.
        """
        moments, row = np.unique(tracks.t_s, return_inverse=True)
        seen, n = self._over.eyes(moments), len(tracks)
        flat = self._over.flat(self._over.feet(tracks, seen, row))
        turn, eye = seen.enu_from_cam[row], seen.eye_enu_m[row]
        ray = np.einsum("nij,nj->ni", turn, np.column_stack([flat, np.ones(n)]))
        depth = self._depth_m(tracks, turn, ray)
        unknown = np.full((n, 3), np.nan), np.full((n, 3, 3), np.nan)
        return Positions(
            self._over.origin,
            tracks.frame_index,
            tracks.t_s,
            tracks.number,
            eye + depth[:, None] * ray,
            self._covariance(flat, depth, seen, row),
            *unknown,
        )

    def _depth_m(self, tracks: Tracks, turn: Float[np.ndarray, "n 3 3"], ray: Float[np.ndarray, "n 3"]) -> Column:
        """How far along the camera's axis each ray meets the ground that is about its thing."""
        box, n, k = tracks.xyxy_px, len(tracks), len(_BESIDE)
        size, middle = box[:, 2:] - box[:, :2], (box[:, 0] + box[:, 2]) / 2
        about = np.stack([middle, box[:, 1]], axis=1)[:, None] + _BESIDE * size[:, None]
        view = np.repeat(self._view(tracks.t_s), k)
        depth = depth_at(self._scene, view, about.reshape(-1, 2), self._over.lens.width).reshape(n, k)
        flat = self._over.flat(about.reshape(-1, 2)).reshape(n, k, 2)
        rise = np.einsum("nj,nkj->nk", turn[:, 2, :2], flat) + turn[:, 2, 2:]
        up = _middle(self.size.metres * depth * rise)  # of the ground there, from the camera
        sinks = -ray[:, 2] > FLATTEST * np.linalg.norm(ray, axis=1)
        return np.divide(up, ray[:, 2], out=np.full(n, np.nan), where=sinks & (up < 0))

    def _view(self, t_s: Column) -> Int[np.ndarray, " n"]:
        """The view that was taken at each of these times; -1: none was."""
        order = np.argsort(self._t_s)
        known = self._t_s[order]
        after = np.searchsorted(known, t_s).clip(1, max(len(known) - 1, 1))
        nearest = np.where(np.abs(t_s - known[after - 1]) <= np.abs(t_s - known[after % len(known)]), after - 1, after)
        nearest = nearest % len(known)
        return np.where(np.abs(known[nearest] - t_s) <= self._near_s, order[nearest], -1)

    def _covariance(
        self, flat: Flat, depth_m: Column, seen: Eyes, row: Int[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n 3 3"]:
        """Of first order in each doubt: what turns the ray, moves its start, or makes it longer."""
        doubts, turn = self._over.doubts, seen.enu_from_cam[row]
        right, down, forward = (depth_m[:, None] * turn[:, :, axis] for axis in range(3))
        x, y = flat[:, :1], flat[:, 1:]
        reach = right * x + down * y + forward
        spin = np.einsum("nij,nj->ni", seen.turning, seen.rates_rad_s)[row]
        moves = (
            right * (doubts.box_px / self._over.lens.focal_px[0]),
            down * (doubts.box_px / self._over.lens.focal_px[1]),
            (right * x + down * y) * doubts.focal,
            (down * x - right * y) * doubts.roll_rad,
            np.cross(seen.turning[:, :, 0][row], reach) * doubts.yaw_rad,
            np.cross(seen.turning[:, :, 1][row], reach) * doubts.pitch_rad,
            (seen.velocity_enu_mps[row] + np.cross(spin, reach)) * doubts.time_s,
            reach * np.hypot(self.size.sd, self.size.uneven),
        )
        start = np.diag([doubts.gps_m**2, doubts.gps_m**2, doubts.height_m**2])
        cov: Float[np.ndarray, "n 3 3"] = start + sum(move[:, :, None] * move[:, None, :] for move in moves)
        return cov


def depth_at(scene: Scene, view: Int[np.ndarray, " n"], xy_px: Flat, width_px: int) -> Column:
    """How deep the views are at pixels of a video ``width_px`` across, in the scene's unit; NaN: not known.

    Between a map's pixels one over depth is interpolated: on a plane that is exact.
    """
    found = np.full(len(view), np.nan)
    for number in np.unique(view[view >= 0]):
        maps = scene.maps[number]
        if maps is None or maps.depth is None:
            continue
        mine = np.flatnonzero(view == number)
        lens = scene.lenses[scene.views.lens[number]]
        flat = straightened(lens, xy_px[mine] * (lens.width / width_px))
        at = flat * maps.lens.focal_px + maps.lens.centre_px
        inside = ((at >= 0) & (at < (maps.lens.width, maps.lens.height))).all(axis=1)
        near = 1 / np.where(maps.depth > 0, maps.depth, np.nan)
        rows = at[inside, ::-1].T - 0.5  # the first pixel's centre is 0 here
        found[mine[inside]] = 1 / map_coordinates(near, rows, output=np.float64, order=1, mode="nearest")
    return found


def _size(scene: Scene, over: Ground, eyes: Eyes) -> Size:
    """What flight and ground say together; where they contradict each other, neither is believed more than that.

    Raises:
        OptionError: neither says anything.
    """
    flight = _by_flight(scene, eyes, over.doubts.gps_m)
    ground, uneven = _by_ground(scene, over, eyes)
    weights = np.array([flight.sd, ground.sd]) ** -2.0
    if not weights.sum() > 0:
        raise OptionError(
            "depth: nothing tells how long the scene's unit is: too little way flown, and no ground in sight"
        )
    logs = np.nan_to_num(np.log([flight.metres, ground.metres]))
    sd = weights.sum() ** -0.5
    apart = abs(logs[0] - logs[1]) / np.hypot(flight.sd, ground.sd) if (weights > 0).all() else np.nan
    if apart > _TOO_FAR:
        sd = max(sd, abs(logs[0] - logs[1]) / 2)
    return Size(float(np.exp(logs @ weights / weights.sum())), float(sd), flight, ground, float(apart), uneven)


def _by_flight(scene: Scene, eyes: Eyes, gps_m: float) -> Told:
    """How far apart views were taken, beside how far apart they are in the scene."""
    known = scene.views.is_registered & np.isfinite(eyes.eye_enu_m).all(axis=1)
    if known.sum() < 3:
        return Told(np.nan, np.inf)
    there = np.array([inverse(pose)[:3, 3] for pose in scene.views.cam_from_scene[known]])
    flown = eyes.eye_enu_m[known]
    way = float(np.sqrt(((flown - flown.mean(axis=0)) ** 2).sum()))
    if not way > 0 or not np.ptp(there, axis=0).max() > 0:
        return Told(np.nan, np.inf)
    laid = robust_umeyama(there, flown, np.random.default_rng(0)) if len(there) >= _MANY else umeyama(there, flown)
    metres = scale_of(laid)
    return Told(metres, gps_m / way) if metres > 0 and gps_m < way else Told(np.nan, np.inf)


def _by_ground(scene: Scene, over: Ground, eyes: Eyes) -> tuple[Told, float]:
    """How far the ground should be, beside how far it is in the maps; and how unevenly the two go together."""
    across, down = ((np.arange(n) + 0.5) / n for n in _GRID)
    grid = np.stack(np.meshgrid(across * over.lens.width, down * over.lens.height), axis=-1).reshape(-1, 2)
    row = np.repeat(np.arange(len(eyes)), len(grid))
    xy_px = np.tile(grid, (len(eyes), 1))
    flat = over.flat(xy_px)
    xyz, _ = ground_places(flat, over.lens.focal_px, eyes, row, over.shape, over.doubts)
    away = xyz - eyes.eye_enu_m[row]
    far = np.linalg.norm(away, axis=1)
    steep = -away[:, 2] / far
    depth_m = np.einsum("ni,ni->n", away, eyes.enu_from_cam[row, :, 2])
    share = np.log(depth_m / depth_at(scene, row, xy_px, over.lens.width))
    share[~(steep > _STEEP)] = np.nan
    by_view = _middle(share.reshape(len(eyes), -1))
    if not np.isfinite(by_view).any():
        return Told(np.nan, np.inf), 0.0
    n, middle = int(np.isfinite(by_view).sum()), float(np.nanmedian(by_view))
    within, between = _deviation(share - by_view[row]), _deviation(by_view - middle)
    used = np.isfinite(share)
    doubts, height = over.doubts, float(np.median(-away[used, 2]))
    tilt = doubts.pitch_rad * float(np.median(np.sqrt(1 - steep[used] ** 2) / steep[used]))
    sd = np.sqrt((doubts.height_m**2 + doubts.ground_m**2) / height**2 + tilt**2 + (within**2 + between**2) / n)
    return Told(float(np.exp(middle)), float(sd)), float(np.hypot(within, between))


def _middle(rows: Float[np.ndarray, "n k"]) -> Column:
    """The median of each row's known numbers; NaN where there is none."""
    known = np.isfinite(rows).any(axis=1)
    out = np.full(len(rows), np.nan)
    out[known] = np.nanmedian(rows[known], axis=1)
    return out


def _deviation(off: Column) -> float:
    """The standard deviation, were they normal and without outliers."""
    return 1.4826 * float(np.nanmedian(np.abs(off)))
