"""Whether pictures tell the focal length that came out, or whether others would have explained them as well.

A wall seen straight on, however often, fits every lens: one with twice the focal length stands twice as far away.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int

from sightline.geometry.lens import straightened
from sightline.model.scene import Scene
from sightline.model.shots import Shots

_VIEWS: Final = 8
"""Views of a lens that are looked at, those that see most."""
_POINTS: Final = 200
"""Points that are, those that most of these views see."""
_FEWEST: Final = 10
"""Fewer points tell nothing."""
_LEAST_PX: Final = 0.3
"""Nothing is seen more exactly."""
_UNSURE: Final = 0.04
"""A focal length that may be wrong by this share is not known ..."""
_HARDLY: Final = 0.5
"""... and by this share, not at all."""
_NOTED: Final = 0.1
"""So near to what the camera noted, a focal length is taken for right."""
_FLAT: Final = 0.02
"""Of points on a plane, the deviation across it; share of that along its shorter side."""
_DAMPING: Final = 1e-10


def with_doubts(scene: Scene, shots: Shots) -> Scene:
    """The scene, saying among its settings, as ``doubts``, what it is not sure of."""
    line = doubt(scene, shots)
    if line is None:
        return scene
    settings: dict[str, Any] = {**scene.made_by.settings, "doubts": [line]}
    return replace(scene, made_by=replace(scene.made_by, settings=settings))


def doubt(scene: Scene, shots: Shots) -> str | None:
    """What is not known of the lens that took most views, and what to do; None: it is known, or was beforehand."""
    placed = np.flatnonzero(scene.views.is_registered)
    if not len(placed) or not len(scene.sparse):
        return None
    lens = int(np.bincount(scene.views.lens[placed]).argmax())
    shot = shots.shots[int(placed[scene.views.lens[placed] == lens][0])]
    off = np.inf if shot.focal_px is None else abs(scene.lenses[lens].focal_px[0] / shot.focal_px - 1)
    if shot.lens is not None or off < _NOTED:
        return None
    share = focal_doubt(scene, lens)
    if share < _UNSURE:
        return None
    about = f"only to about {share:.0%}" if share < _HARDLY else "hardly at all"
    cause = "; they show one flat thing, all from much the same side" if _is_flat(scene) else ""
    return (
        f"the pictures tell the focal length {about}{cause}: depth may be stretched or bent; "
        "give the lens, or add pictures from other sides"
    )


def focal_doubt(scene: Scene, lens: int) -> float:
    """By what share the focal length of a lens may be wrong, one standard deviation; infinite: by any.

    Adjusting cameras, points and the lens together (Triggs and others, "Bundle adjustment, a modern synthesis", 2000)
    gives the information on focal length and first distortion that is left when all else is free.
    """
    point, view, flat, xyz_cam, rotations = _observed(scene, lens)
    n_points, n_views = int(point.max(initial=-1)) + 1, len(rotations)
    if n_points < _FEWEST or n_views < 2:
        return float("inf")
    focal_px = float(np.mean(scene.lenses[lens].focal_px))
    radius = (flat * flat).sum(axis=1, keepdims=True)
    columns = np.zeros((len(point), 2, 2 + 6 * n_views))
    columns[:, :, 0], columns[:, :, 1] = flat, flat * radius
    by_xyz = _by_xyz(flat, xyz_cam[:, 2])
    by_pose = np.concatenate([by_xyz @ -_crossed(xyz_cam), by_xyz], axis=2)
    rows = np.arange(len(point))
    for k in range(6):
        columns[rows, :, 2 + 6 * view + k] = by_pose[:, :, k]
    columns /= np.maximum(np.linalg.norm(columns, axis=(0, 1)), 1e-12)
    scale = np.linalg.norm(flat)
    left = _without_points(columns, by_xyz @ rotations[view], point, n_points)
    poses = left[2:, 2:] + _DAMPING * np.eye(6 * n_views)
    own = left[:2, :2] - left[:2, 2:] @ np.linalg.solve(poses, left[2:, :2])
    errors = scene.sparse.error_px[np.isfinite(scene.sparse.error_px)]
    error_px = max(float(np.median(errors)) if len(errors) else 0.0, _LEAST_PX)
    known = own[0, 0] - own[0, 1] ** 2 / max(own[1, 1], 1e-15)
    return float(error_px / focal_px / scale / np.sqrt(known)) if known > _DAMPING else float("inf")


def _observed(
    scene: Scene, lens: int
) -> tuple[
    Int[np.ndarray, " n"], Int[np.ndarray, " n"], Float[np.ndarray, "n 2"], Float[np.ndarray, "n 3"],
    Float[np.ndarray, "k 3 3"],
]:  # fmt: skip
    """Some points in some views: numbers of both, directions, places in the cameras' frames; the views' rotations."""
    sparse, views = scene.sparse, scene.views
    mine = np.flatnonzero(views.is_registered & (views.lens == lens))
    seen = np.bincount(sparse.track_view, minlength=len(views))
    mine = mine[np.argsort(-seen[mine], kind="stable")[:_VIEWS]]
    number = np.full(len(views), -1)
    number[mine] = np.arange(len(mine))
    point = np.repeat(np.arange(len(sparse)), np.diff(sparse.track_start))
    rows = np.flatnonzero(number[sparse.track_view] >= 0)
    counts = np.bincount(point[rows], minlength=len(sparse))
    best = np.argsort(-counts, kind="stable")[:_POINTS]
    best = best[counts[best] > 1]
    chosen = np.full(len(sparse), -1)
    chosen[best] = np.arange(len(best))
    rows = rows[chosen[point[rows]] >= 0]
    flat = straightened(scene.lenses[lens], sparse.track_xy_px[rows])
    poses = views.cam_from_scene[sparse.track_view[rows]]
    xyz_cam = np.einsum("nij,nj->ni", poses[:, :3, :3], sparse.xyz_scene[point[rows]]) + poses[:, :3, 3]
    good = np.isfinite(flat).all(axis=1) & (xyz_cam[:, 2] > 0)
    unit = float(np.median(xyz_cam[good, 2])) if good.any() else 1.0
    rotations = views.cam_from_scene[mine, :3, :3]
    return chosen[point[rows]][good], number[sparse.track_view[rows]][good], flat[good], xyz_cam[good] / unit, rotations


def _by_xyz(flat: Float[np.ndarray, "n 2"], depth: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 2 3"]:
    """How a direction changes with the point's place."""
    found = np.zeros((len(flat), 2, 3))
    found[:, 0, 0] = found[:, 1, 1] = 1
    found[:, :, 2] = -flat
    return found / depth[:, None, None]


def _crossed(xyz: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3 3"]:
    """Matrices that give the vector product with these."""
    found = np.zeros((len(xyz), 3, 3))
    found[:, 0, 1], found[:, 0, 2], found[:, 1, 2] = -xyz[:, 2], xyz[:, 1], -xyz[:, 0]
    return found - found.transpose(0, 2, 1)


def _without_points(
    columns: Float[np.ndarray, "n 2 c"], by_point: Float[np.ndarray, "n 2 3"], point: Int[np.ndarray, " n"], n: int
) -> Float[np.ndarray, "c c"]:
    """The information on what the columns stand for when every point may be anywhere."""
    own, shared = np.zeros((n, 3, 3)), np.zeros((n, 3, columns.shape[2]))
    np.add.at(own, point, by_point.transpose(0, 2, 1) @ by_point)
    np.add.at(shared, point, by_point.transpose(0, 2, 1) @ columns)
    own += _DAMPING * np.trace(own, axis1=1, axis2=2)[:, None, None] * np.eye(3) + 1e-30 * np.eye(3)
    every = columns.reshape(-1, columns.shape[2])
    flat = shared.reshape(-1, columns.shape[2])
    return every.T @ every - flat.T @ np.linalg.solve(own, shared).reshape(flat.shape)


def _is_flat(scene: Scene) -> bool:
    """Whether nearly all points are on one plane."""
    xyz = scene.sparse.xyz_scene
    if len(xyz) < _FEWEST:
        return False
    off = xyz - np.median(xyz, axis=0)
    near = off[np.linalg.norm(off, axis=1) < np.quantile(np.linalg.norm(off, axis=1), 0.9)]
    spread = np.linalg.svd(near - near.mean(axis=0), compute_uv=False)
    return bool(spread[2] < _FLAT * spread[1])
