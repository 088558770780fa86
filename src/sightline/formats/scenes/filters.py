"""Which points of a scene to show: the filters of VGGT's demonstrations.

A scene keeps everything that was found, so that it can be shown again in another way without being rebuilt.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8

from sightline.errors import OptionError
from sightline.formats.scenes import sky
from sightline.geometry import lens as lenses
from sightline.geometry.rigid import moved
from sightline.model.arrays import Image
from sightline.model.scene import DensePoints, Maps, Scene

LEAST_CONFIDENCE = 1e-5
"""Points up to here are never shown."""
BLACK_BELOW = 16
"""Black background: red, green and blue together are less."""
WHITE_ABOVE = 240
"""White background: red, green and blue are each more."""
MOST_POINTS = 10_000_000
"""What viewers can bear."""
_ENOUGH = 1 << 20
"""A cloud's extent is taken from about as many of its points."""

SkyMask = Callable[[Image], Bool[np.ndarray, "h w"]]
"""Tells which pixels of a picture are sky."""


class Mode(StrEnum):
    """Where the points come from."""

    DEPTH = "depth"
    """Each pixel's depth, seen through its camera."""
    POINTMAP = "pointmap"
    """The engine's own points: a map of them per picture, or one cloud."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What to leave out. The demonstrations' own defaults."""

    mode: Mode = Mode.DEPTH
    """Where points come from; what a scene does not have is made up for by what it has."""
    confidence_percentile: float = 50.0
    """Percentage of the points that are too doubtful to be shown, 0 to 100."""
    view: int | None = None
    """The one picture whose points and camera are shown; None: all."""
    hide_black: bool = False
    """Leave out what is black."""
    hide_white: bool = False
    """Leave out what is white."""
    hide_sky: bool = False
    """Leave out what is sky."""
    show_cameras: bool = True
    """Draw where the pictures were taken."""
    max_points: int | None = None
    """Most points that are shown, drawn by lot from all that are left; None: all, up to ten million."""

    def __post_init__(self) -> None:
        if self.max_points is not None and self.max_points < 1:
            raise OptionError(f"max_points must be 1 or more, not {self.max_points}")
        if not 0 <= self.confidence_percentile <= 100:
            raise OptionError(f"confidence_percentile must be 0 to 100, not {self.confidence_percentile}")


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What is left."""

    points: DensePoints
    """To be shown, in the scene's frame, all finite."""
    views: Int[np.ndarray, " k"]
    """Whose cameras are to be drawn."""
    extent: float
    """Diagonal of the box from the 5th to the 95th percentile of the points; 1 where there are none."""
    filters: Filters
    """What was left out."""


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Candidates of one view, or of no view in particular."""

    xyz: Callable[[], Float[np.ndarray, "n 3"]]
    rgb: UInt8[np.ndarray, "n 3"]
    confidence: Float32[np.ndarray, " n"]
    is_known: Bool[np.ndarray, " n"]
    view: Int[np.ndarray, " n"] | int


def shown(scene: Scene, filters: Filters, sky_of: SkyMask = sky.mask) -> Shown:
    """What is left of ``scene`` after ``filters``; ``sky_of`` tells the sky in a picture.

    The confidence below which points are left out is a percentile of all candidates', where sky counts as 0.

    Raises:
        OptionError: there is no such view.
    """
    if filters.view is not None and not 0 <= filters.view < len(scene.views):
        raise OptionError(f"view must be 0 to {len(scene.views) - 1}, not {filters.view}")
    candidates = [_doubted(rows, scene, filters, sky_of) for rows in _candidates(scene, filters)]
    least = _threshold([rows.confidence[rows.is_known] for rows in candidates], filters.confidence_percentile)
    masks = [_kept(rows, least, filters) for rows in candidates]
    points = _joined(candidates, _thinned(masks, MOST_POINTS if filters.max_points is None else filters.max_points))
    wanted = scene.views.is_registered.copy()
    if filters.view is not None:
        wanted &= np.arange(len(wanted)) == filters.view
    return Shown(points, np.flatnonzero(wanted & filters.show_cameras), _extent(points), filters)


def _candidates(scene: Scene, filters: Filters) -> Iterator[_Rows]:
    """All points that the mode means, view by view: what it asks for first, else the next best."""
    has_map = any(maps is not None and maps.xyz_scene is not None for maps in scene.maps)
    has_depth = any(maps is not None and maps.depth is not None for maps in scene.maps)
    if has_map and (filters.mode is Mode.POINTMAP or not has_depth):
        yield from _of_maps(scene, filters, is_depth=False)
    elif has_depth and (filters.mode is Mode.DEPTH or not len(scene.dense)):
        yield from _of_maps(scene, filters, is_depth=True)
    elif len(scene.dense):
        yield _of_cloud(scene, filters)
    else:
        yield _of_sparse(scene, filters)


def _of_maps(scene: Scene, filters: Filters, *, is_depth: bool) -> Iterator[_Rows]:
    """Every pixel of every map that has something to say."""
    for index, maps in enumerate(scene.maps):
        if maps is None or filters.view not in {None, index} or not scene.views.is_registered[index]:
            continue
        found, confidence = (maps.depth, maps.depth_confidence) if is_depth else (maps.xyz_scene, maps.xyz_confidence)
        if found is None:
            continue
        height, width = found.shape[:2]
        rgb = np.full((height, width, 3), 255, np.uint8) if maps.rgb is None else maps.rgb
        known = np.isfinite(found) & (found > 0) if is_depth else np.isfinite(found).all(axis=-1)
        xyz = _unprojected(maps, scene.views.cam_from_scene[index]) if is_depth else _given(found)
        sure = np.ones((height, width), np.float32) if confidence is None else confidence
        yield _Rows(xyz, rgb.reshape(-1, 3), sure.reshape(-1), known.reshape(-1), index)


def _unprojected(maps: Maps, cam_from_scene: Float[np.ndarray, "4 4"]) -> Callable[[], Float[np.ndarray, "n 3"]]:
    """Points of a depth map, found only when they are needed."""
    return lambda: lenses.points(maps, cam_from_scene).reshape(-1, 3)


def _given(xyz: Float[np.ndarray, "h w 3"]) -> Callable[[], Float[np.ndarray, "n 3"]]:
    return lambda: xyz.reshape(-1, 3)


def _of_cloud(scene: Scene, filters: Filters) -> _Rows:
    """The engine's own cloud; one that does not say which view saw what belongs to all."""
    cloud = scene.dense
    known = np.isfinite(cloud.xyz_scene).all(axis=1)
    if filters.view is not None and cloud.view is not None:
        known &= cloud.view == filters.view
    sure = np.ones(len(cloud), np.float32) if cloud.confidence is None else cloud.confidence
    return _Rows(lambda: cloud.xyz_scene, cloud.rgb, sure, known, -1 if cloud.view is None else cloud.view)


def _of_sparse(scene: Scene, filters: Filters) -> _Rows:
    """The points that several views agree on, all equally sure."""
    sparse = scene.sparse
    known = np.isfinite(sparse.xyz_scene).all(axis=1)
    if filters.view is not None:
        rows = np.flatnonzero(sparse.track_view == filters.view)
        known &= np.isin(np.arange(len(sparse)), np.searchsorted(sparse.track_start, rows, side="right") - 1)
    return _Rows(lambda: sparse.xyz_scene, sparse.rgb, np.ones(len(sparse), np.float32), known, -1)


def _doubted(rows: _Rows, scene: Scene, filters: Filters, sky_of: SkyMask) -> _Rows:
    """The same, with no confidence in the sky."""
    if not filters.hide_sky:
        return rows
    confidence = rows.confidence.copy()
    for index, maps in enumerate(scene.maps):
        if maps is None or maps.rgb is None:
            continue
        if isinstance(rows.view, int):
            if rows.view == index:
                confidence[sky_of(maps.rgb).reshape(-1)] = 0.0
        else:
            mine = np.flatnonzero(rows.view == index)
            is_sky = _looked_up(sky_of(maps.rgb), maps, moved(scene.views.cam_from_scene[index], rows.xyz()[mine]))
            confidence[mine[is_sky]] = 0.0
    return _Rows(rows.xyz, rows.rgb, confidence, rows.is_known, rows.view)


def _looked_up(mask: Bool[np.ndarray, "h w"], maps: Maps, xyz_cam: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
    """What the mask says where points are seen; no where they are not."""
    px = np.floor(lenses.pixels(maps.lens, xyz_cam))
    inside = ((px >= 0) & (px < [maps.lens.width, maps.lens.height])).all(axis=1)
    column, row = np.where(inside[:, None], px, 0).astype(np.int64).T
    return mask[row, column] & inside


def _threshold(confidences: list[np.ndarray], percentile: float) -> np.floating:
    """Confidence that the given percentage of all does not reach; 0 for a percentage of 0."""
    together = np.concatenate([np.zeros(0, np.float32), *confidences])
    if not np.isfinite(together).all():
        together = together[np.isfinite(together)]
    if percentile == 0 or not len(together):
        return np.float32(0)
    least: np.floating = np.percentile(together, percentile, overwrite_input=True)
    return least


def _kept(rows: _Rows, least: np.floating, filters: Filters) -> Bool[np.ndarray, " n"]:
    """Which candidates are shown."""
    kept = rows.is_known & (rows.confidence >= least) & (rows.confidence > LEAST_CONFIDENCE)
    if filters.hide_black:
        red, green, blue = rows.rgb.T.astype(np.uint16)
        kept &= red + green + blue >= BLACK_BELOW
    if filters.hide_white:
        kept &= np.minimum(np.minimum(rows.rgb[:, 0], rows.rgb[:, 1]), rows.rgb[:, 2]) <= WHITE_ABOVE
    return kept


def _thinned(masks: list[np.ndarray], most: int) -> list[np.ndarray]:
    """The masks with no more than so many points left; the same masks always give the same."""
    counts = [int(np.count_nonzero(mask)) for mask in masks]
    if sum(counts) <= most:
        return masks
    lot = np.random.default_rng(0)
    # Mask by mask: places of all of them together would take more memory than the scene.
    shares = lot.multivariate_hypergeometric(counts, most, method="marginals")
    return [_drawn(mask, int(share), lot) for mask, share in zip(masks, shares, strict=True)]


def _drawn(mask: Bool[np.ndarray, " n"], most: int, lot: np.random.Generator) -> Bool[np.ndarray, " n"]:
    """The mask with so many left."""
    left = np.zeros(len(mask), bool)
    left[lot.choice(np.flatnonzero(mask), most, replace=False, shuffle=False)] = True
    return left


def _joined(candidates: list[_Rows], masks: list[np.ndarray]) -> DensePoints:
    """The candidates that are kept, one after the other."""
    n = sum(int(mask.sum()) for mask in masks)
    xyz, rgb = np.empty((n, 3), np.float32), np.empty((n, 3), np.uint8)
    confidence, view = np.empty(n, np.float32), np.empty(n, np.int32)
    end = 0
    for rows, mask in zip(candidates, masks, strict=True):
        here = slice(end, end := end + int(mask.sum()))
        xyz[here] = rows.xyz()[mask]
        rgb[here] = rows.rgb[mask]
        confidence[here] = rows.confidence[mask]
        view[here] = rows.view if isinstance(rows.view, int) else rows.view[mask]
    return DensePoints(xyz, rgb, None, confidence, view)


def _extent(points: DensePoints) -> float:
    """Diagonal of the box that most of the points are in."""
    if not len(points):
        return 1.0
    some = points.xyz_scene[:: max(1, len(points) // _ENOUGH)]
    low, high = np.percentile(some, [5, 95], axis=0)
    return float(np.linalg.norm(high - low)) or 1.0
