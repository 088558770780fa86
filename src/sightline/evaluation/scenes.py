"""How good a reconstructed scene is, against the truth.

A reconstruction lies somewhere, turned somehow, in a unit of its own: it is laid upon the truth first, by where the
cameras are. Views are told by their names; what the truth does not know is not counted.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Float32, Int
from scipy.spatial import KDTree
from scipy.spatial.distance import pdist

from sightline.geometry import lens as lenses
from sightline.geometry.rigid import inverse, moved
from sightline.geometry.umeyama import Similar, is_line, robust_umeyama, scale_of, seen_from
from sightline.model.lens import Lens
from sightline.model.scene import Scene

Points = Float[np.ndarray, "_ 3"]
"""Points, however many."""
_EDGE: Final = 0.05
"""Where true depth changes by more than this share from a pixel to the next, it is not read between the two."""


@dataclass(frozen=True, slots=True, eq=False)
class CameraErrors:
    """Of each of the truth's views, in its order."""

    rotation_rad: Float[np.ndarray, " k"]
    """How far it is turned from the truth; NaN: without a place."""
    position: Float[np.ndarray, " k"]
    """How far it is from where it was, in the truth's unit; NaN: without a place."""

    @property
    def is_placed(self) -> Bool[np.ndarray, " k"]:
        """Which have a place at all."""
        return np.isfinite(self.position)


@dataclass(frozen=True, slots=True, eq=False)
class DepthErrors:
    """Of each of the truth's views, in its order."""

    relative: Float[np.ndarray, " k"]
    """Median of how wrong depth is, as a share of the true one; NaN: no depth."""
    density: Float[np.ndarray, " k"]
    """Share of the pixels with a true depth that have one; 0: no depth."""
    within: Float[np.ndarray, "k shares"]
    """Share of the pixels with a true depth that have one which is wrong by no more than each of the given shares."""


@dataclass(frozen=True, slots=True, eq=False)
class CloudErrors:
    """Of points of surfaces, at each of the given distances."""

    precision: Float[np.ndarray, " distances"]
    """Share of the found points that have a true one so near; NaN: none found."""
    completeness: Float[np.ndarray, " distances"]
    """Share of the true points that have a found one so near; NaN: none true."""

    @property
    def f_score(self) -> Float[np.ndarray, " distances"]:
        """Harmonic mean of the two; 0 where both are."""
        both = self.precision + self.completeness
        return 2 * self.precision * self.completeness / np.where(both > 0, both, 1)


def truth_from_found(truth: Scene, found: Scene, rng: np.random.Generator) -> Similar:
    """Lays a scene upon the truth by where its cameras are, whatever a few of them say; NaN: fewer than three.

    Where the cameras are on one line, their places leave a turn about it open: then all turns are taken from where
    the cameras look, and places say the rest.
    """
    there, here = _shared(truth, found)
    true, own = _eyes(truth)[there], _eyes(found)[here]
    if len(true) < 3:
        return np.full((4, 4), np.nan)
    if not is_line(true):
        return robust_umeyama(own, true, rng)
    return _along_a_line(truth.views.cam_from_scene[there], found.views.cam_from_scene[here], rng)


def _along_a_line(
    cam_from_truth: Float[np.ndarray, "k 4 4"], cam_from_found: Float[np.ndarray, "k 4 4"], rng: np.random.Generator
) -> Similar:
    """By where cameras look too: each has points on its axes, so far away as cameras usually are from one another."""
    true, own = (np.stack([inverse(pose) for pose in poses]) for poses in (cam_from_truth, cam_from_found))
    length = [float(np.median(pdist(poses[:, :3, 3]))) for poses in (true, own)]
    ends = [
        np.concatenate([poses[:, :3, 3], *(poses[:, :3, 3] + side * poses[:, :3, axis] for axis in range(3))])
        for poses, side in zip((true, own), length, strict=True)
    ]
    return robust_umeyama(ends[1], ends[0], rng)


def camera_errors(truth: Scene, found: Scene, truth_from_found: Similar) -> CameraErrors:
    """How wrong cameras are once the scene is laid upon the truth."""
    rotation, position = np.full((2, len(truth.views)), np.nan)
    there, here = _shared(truth, found)
    if not np.isfinite(truth_from_found).all():
        return CameraErrors(rotation, position)
    for view, own in zip(there, here, strict=True):
        cam_from_truth = truth.views.cam_from_scene[view]
        laid = seen_from(found.views.cam_from_scene[own], truth_from_found)
        turn = laid[:3, :3] @ cam_from_truth[:3, :3].T
        # The sine is exact for small angles, where the cosine is not.
        axis = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        rotation[view] = np.arctan2(float(np.linalg.norm(axis)), float(np.trace(turn)) - 1)
        position[view] = np.linalg.norm(inverse(laid)[:3, 3] - inverse(cam_from_truth)[:3, 3])
    return CameraErrors(rotation, position)


def scene_size(truth: Scene) -> float:
    """How large a scene is: the diagonal of the box around what its views see, but for a hundredth at each end.

    Where the truth has no depth, of the box around its cameras.
    """
    seen = cloud(truth, step=8)
    if len(seen):
        low, high = np.quantile(seen, (0.01, 0.99), axis=0)
        return float(np.linalg.norm(high - low))
    return path_size(truth)


def path_size(truth: Scene) -> float:
    """The diagonal of the box around the cameras."""
    return float(np.linalg.norm(np.ptp(_eyes(truth)[truth.views.is_registered], axis=0)))


def depth_errors(
    truth: Scene, found: Scene, truth_from_found: Similar, shares: tuple[float, ...] = (0.01, 0.02, 0.05)
) -> DepthErrors:
    """How wrong depth is, pixel by pixel of the pictures as they were taken.

    A map may have any size and lens: each of its pixels is taken to where it is in the picture, and from there to
    where it is in the truth's map, where depth is read between pixels unless there is an edge.
    """
    relative, density = np.full(len(truth.views), np.nan), np.zeros(len(truth.views))
    within = np.zeros((len(truth.views), len(shares)))
    if not np.isfinite(truth_from_found).all():
        return DepthErrors(relative, density, within)
    for view, own in zip(*_shared(truth, found), strict=True):
        known = truth.maps[view] if truth.maps else None
        maps = found.maps[own] if found.maps else None
        if known is None or maps is None or known.depth is None or maps.depth is None:
            continue
        px = _in_truth(truth.lenses[truth.views.lens[view]], known.lens, found.lenses[found.views.lens[own]], maps.lens)
        true = _read(known.depth, px).reshape(maps.depth.shape)
        depth = maps.depth * scale_of(truth_from_found)
        counted = np.isfinite(true) & (true > 0)
        has = counted & np.isfinite(depth) & (depth > 0)
        if not has.any():
            continue
        wrong = np.abs(depth[has] - true[has]) / true[has]
        relative[view], density[view] = np.median(wrong), has.sum() / counted.sum()
        within[view] = [(wrong <= share).sum() / counted.sum() for share in shares]
    return DepthErrors(relative, density, within)


def sparse_errors(truth: Scene, found: Scene, truth_from_found: Similar) -> Float[np.ndarray, " seen"]:
    """How wrong the depth of sparse points is, as a share of the true one, wherever a view sees one.

    The true depth is read where the point was seen in the picture; NaN where it is not known.
    """
    points, start = found.sparse, found.sparse.track_start
    wrong = np.full(len(points.track_view), np.nan)
    if not np.isfinite(truth_from_found).all():
        return wrong
    of = np.repeat(np.arange(len(points)), np.diff(start))
    for view, own in zip(*_shared(truth, found), strict=True):
        known = truth.maps[view] if truth.maps else None
        rows = np.flatnonzero(points.track_view == own)
        if known is None or known.depth is None or not len(rows):
            continue
        true_lens, own_lens = truth.lenses[truth.views.lens[view]], found.lenses[found.views.lens[own]]
        true = _read(known.depth, _straight(true_lens, known.lens, own_lens, points.track_xy_px[rows]))
        depth = moved(found.views.cam_from_scene[own], points.xyz_scene[of[rows]])[:, 2] * scale_of(truth_from_found)
        wrong[rows] = np.abs(depth - true) / true
    return wrong


def cloud(scene: Scene, step: int = 1) -> Points:
    """The points that a scene's depth stands for, of every so many-th pixel across and down."""
    parts = [np.zeros((0, 3))]
    for maps, cam_from_scene in zip(scene.maps, scene.views.cam_from_scene, strict=False):
        if maps is None or maps.depth is None or not np.isfinite(cam_from_scene).all():
            continue
        known = np.isfinite(maps.depth) & (maps.depth > 0)
        xyz = lenses.points(maps, cam_from_scene)
        parts.append(xyz[::step, ::step][known[::step, ::step]].astype(np.float64))
    return np.concatenate(parts)


def cloud_errors(true: Points, found: Points, distances: tuple[float, ...]) -> CloudErrors:
    """How near found points are to true ones and the other way round.

    Both should be so dense that neighbours are nearer than the least of the distances; ``thinned`` makes them even,
    so that what many views see does not count more.
    """
    limits, farthest = np.array(distances), max(distances)

    def near(a: Points, b: Points) -> Float[np.ndarray, " distances"]:
        if not len(a):
            return np.full(len(limits), np.nan)
        if not len(b):
            return np.zeros(len(limits))
        apart, _ = KDTree(b).query(a, distance_upper_bound=farthest * (1 + 1e-9))
        return (apart[:, None] <= limits).mean(axis=0)

    return CloudErrors(near(found, true), near(true, found))


def thinned(xyz: Points, side: float) -> Points:
    """One point of each cube of that side: the first."""
    _, first = np.unique(np.floor(xyz / side).astype(np.int64), axis=0, return_index=True)
    return xyz[np.sort(first)]


def _shared(truth: Scene, found: Scene) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Rows of the views that have a place in both."""
    rows = {name: row for row, name in enumerate(found.views.names) if found.views.is_registered[row]}
    there = [row for row, name in enumerate(truth.views.names) if truth.views.is_registered[row] and name in rows]
    return np.array(there, np.int64), np.array([rows[truth.views.names[row]] for row in there], np.int64)


def _eyes(scene: Scene) -> Points:
    """Where the cameras are."""
    rotation, shift = scene.views.cam_from_scene[:, :3, :3], scene.views.cam_from_scene[:, :3, 3:]
    return -(np.swapaxes(rotation, 1, 2) @ shift)[..., 0]


def _in_truth(true_lens: Lens, true_map: Lens, own_lens: Lens, own_map: Lens) -> Float[np.ndarray, "n 2"]:
    """Where each pixel of a found map is in the truth's map, by way of the picture that both were made from."""
    x, y = np.meshgrid(np.arange(own_map.width) + 0.5, np.arange(own_map.height) + 0.5)
    flat = (np.column_stack([x.ravel(), y.ravel()]) - own_map.centre_px) / own_map.focal_px
    picture = lenses.distorted(own_lens, flat) * own_lens.focal_px + own_lens.centre_px
    return _straight(true_lens, true_map, own_lens, picture)


def _straight(
    true_lens: Lens, true_map: Lens, own_lens: Lens, px: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "n 2"]:
    """Where places of a picture are in the truth's map; the found scene may know it at another size."""
    picture = px * np.array([true_lens.width / own_lens.width, true_lens.height / own_lens.height])
    return lenses.straightened(true_lens, picture) * true_map.focal_px + true_map.centre_px


def _read(depth: Float32[np.ndarray, "h w"], px: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " n"]:
    """Depth between the four pixels around each place, the nearest's at edges; NaN outside.

    Read as one over depth, which is exact on planes.
    """
    height, width = depth.shape
    inside = np.isfinite(px).all(axis=1) & (px >= 0).all(axis=1) & (px <= np.array([width, height])).all(axis=1)
    x, y = (np.clip(np.where(inside, px[:, k], 0) - 0.5, 0, side - 1) for k, side in ((0, width), (1, height)))
    i, j = np.minimum(x.astype(np.int64), width - 2), np.minimum(y.astype(np.int64), height - 2)
    right, down = x - i, y - j
    around = np.stack([depth[j, i], depth[j, i + 1], depth[j + 1, i], depth[j + 1, i + 1]]).astype(np.float64)
    shares = np.stack([(1 - right) * (1 - down), right * (1 - down), (1 - right) * down, right * down])
    with np.errstate(divide="ignore", invalid="ignore"):
        between = 1 / (shares / around).sum(axis=0)
        smooth = around.max(axis=0) <= (1 + _EDGE) * around.min(axis=0)
    nearest = np.take_along_axis(around, shares.argmax(axis=0)[None], axis=0)[0]
    return np.where(inside, np.where(smooth, between, nearest), np.nan)
