"""From COLMAP's model to a scene, and whether it can be believed."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pycolmap
from jaxtyping import Float

from sightline.geometry.rigid import inverse, moved
from sightline.geometry.umeyama import Similar, is_line, robust_umeyama, scale_of, seen_from
from sightline.model.lens import Lens
from sightline.model.scene import MadeBy, Scale, Scene, SparsePoints, Views
from sightline.reconstructors.structure.album import Seen, lens_of
from sightline.reconstructors.structure.mapping import Mapped

_LEAST_PLACED: Final = 0.6
"""With a smaller share of pictures placed, a scene is not told from a piece of it."""
_LEAST_POINTS: Final = 50
"""Points that each placed picture sees, on average, at the least."""
_FEW_SPOTS: Final = 300
"""With fewer spots in a picture, it is blurred or shows bare walls."""
_FOCALS: Final = (0.3, 10.0)
"""Focal lengths that lenses have; times the picture's longer side."""
_BENT: Final = 1.0
"""A first number of distortion beyond this is no lens."""


def scene(seen: Sequence[Seen], cameras: Sequence[Lens], taken: Sequence[int], found: Mapped, made_by: MadeBy) -> Scene:
    """The scene, laid upon positions that were given, else with the first placed camera as its frame.

    Without positions, the unit is the mean distance of the points from that camera.
    """
    model = found.model
    lenses, lens = list(cameras), np.array(taken, np.int64) - 1
    poses = np.full((len(seen), 4, 4), np.nan)
    sparse = SparsePoints.none()
    if model is not None:
        for camera_id, camera in model.cameras.items():
            lenses[camera_id - 1] = lens_of(camera)
        for image_id in model.reg_image_ids():
            poses[image_id - 1] = np.vstack([model.image(image_id).cam_from_world().matrix(), [0.0, 0.0, 0.0, 1.0]])
        sparse = _points(model, seen)
    placed = np.isfinite(poses[:, 0, 0])
    scene_from_model, scale = _frame(seen, poses, placed, sparse.xyz_scene)
    for at in np.flatnonzero(placed):
        poses[at] = seen_from(poses[at], scene_from_model)
    names = tuple(one.shot.name for one in seen)
    return Scene(
        lenses=tuple(lenses),
        views=Views(names, lens, poses, placed),
        made_by=made_by,
        sparse=SparsePoints(
            moved(scene_from_model, sparse.xyz_scene), sparse.rgb, sparse.error_px,
            sparse.track_start, sparse.track_view, sparse.track_xy_px,
        ),
        scale=scale,
    )  # fmt: skip


def complaint(built: Scene, seen: Sequence[Seen]) -> str | None:
    """Why the scene cannot be believed, and what to do; None: it can."""
    n_placed, n = int(built.views.is_registered.sum()), len(seen)
    blurred = [one.shot.name for one in seen if len(one.features) < _FEW_SPOTS]
    if n_placed < 2 or n_placed < _LEAST_PLACED * n:
        why = (
            f"{len(blurred)} of them, {blurred[0]} first, show too little detail; leave out blurred ones and bare walls"
            if len(blurred) > n - _LEAST_PLACED * n
            else "they overlap too little; neighbours should share two thirds of what they show"
        )
        return f"only {n_placed if n_placed > 1 else 'none'} of {n} pictures found a place: {why}"
    per_view = len(built.sparse.track_view) / n_placed
    if per_view < _LEAST_POINTS:
        return (
            f"only {per_view:.0f} points per picture could be placed, {_LEAST_POINTS} are needed: move the camera "
            "between pictures rather than turn it, and show more texture"
        )
    return next(filter(None, (_odd(built, int(at), seen) for at in np.flatnonzero(built.views.is_registered))), None)


def _odd(built: Scene, at: int, seen: Sequence[Seen]) -> str | None:
    """What is wrong with the lens of a view; nothing with one that was given."""
    lens, shot = built.lenses[built.views.lens[at]], seen[at].shot
    if shot.lens is not None:
        return None
    share = max(lens.focal_px) / max(lens.width, lens.height)
    if _FOCALS[0] < share < _FOCALS[1] and np.abs(lens.distortion[:1]).max(initial=0.0) < _BENT:
        return None
    return (
        f"the lens of {shot.name} came out absurd (focal length {share:.2g} times the picture's side, distortion "
        f"{lens.distortion[:1].max(initial=0.0):.2g}): give its calibration, or more pictures from more sides"
    )


def _points(model: pycolmap.Reconstruction, seen: Sequence[Seen]) -> SparsePoints:
    """The model's points with their tracks, coloured by the pictures that see them."""
    numbers = sorted(model.point3D_ids())
    tracks = [[(e.image_id - 1, e.point2D_idx) for e in model.point3D(number).track.elements] for number in numbers]
    if not tracks:
        return SparsePoints.none()
    lengths = np.array([len(track) for track in tracks])
    start = np.concatenate([[0], np.cumsum(lengths)])
    view, spot = np.array([element for track in tracks for element in track], np.int64).T
    xy_px, rgb = np.zeros((len(view), 2)), np.zeros((len(view), 3))
    for at in np.unique(view):
        mine = view == at
        features = seen[at].features
        xy_px[mine], rgb[mine] = features.xy_px[spot[mine]], features.rgb[spot[mine]]
    mean = np.add.reduceat(rgb, start[:-1]) / lengths[:, None]
    return SparsePoints(
        np.array([model.point3D(number).xyz for number in numbers], np.float64),
        np.round(mean).astype(np.uint8),
        np.array([model.point3D(number).error for number in numbers], np.float64),
        start, view, xy_px,
    )  # fmt: skip


def _frame(
    seen: Sequence[Seen], poses: Float[np.ndarray, "k 4 4"], placed: np.ndarray, xyz: Float[np.ndarray, "n 3"]
) -> tuple[Similar, Scale]:
    """``scene_from_model``, and what its unit comes from."""
    eyes = np.array([inverse(pose)[:3, 3] for pose in poses])
    for given, scale in ((_from_poses(seen), Scale.POSES), (_from_gps(seen), Scale.GPS)):
        known = placed & np.isfinite(given[:, 0])
        if known.sum() < 3:
            continue
        scene_from_model = robust_umeyama(eyes[known], given[known], np.random.default_rng(0))
        factor = scale_of(scene_from_model)
        if not np.isfinite(factor) or factor <= 0:
            continue
        if is_line(given[known]):  # how far they are apart is known, how they are turned about that line is not
            return _first_camera(poses, placed) * np.array([[factor], [factor], [factor], [1.0]]), scale
        return scene_from_model, scale
    if not placed.any():
        return np.eye(4), Scale.UNKNOWN
    first = _first_camera(poses, placed)
    mean = float(np.linalg.norm(moved(first, xyz), axis=1).mean()) if len(xyz) else 1.0
    return first / np.array([[mean], [mean], [mean], [1.0]]), Scale.UNKNOWN


def _first_camera(poses: Float[np.ndarray, "k 4 4"], placed: np.ndarray) -> Similar:
    """The frame of the first camera with a place."""
    return poses[np.flatnonzero(placed)[0]]


def _from_poses(seen: Sequence[Seen]) -> Float[np.ndarray, "k 3"]:
    """Positions that were given with directions; NaN elsewhere."""
    given = [one.shot.cam_from_world for one in seen]
    return np.array([np.full(3, np.nan) if pose is None else inverse(pose)[:3, 3] for pose in given])


def _from_gps(seen: Sequence[Seen]) -> Float[np.ndarray, "k 3"]:
    """Positions that were given alone; NaN elsewhere."""
    given = [one.shot.eye_world_m for one in seen]
    return np.array([np.full(3, np.nan) if eye is None else eye for eye in given])
