"""From COLMAP's model to a scene, and whether it can be believed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from sightline.geometry.rigid import moved
from sightline.geometry.umeyama import seen_from
from sightline.model.lens import Lens
from sightline.model.scene import MadeBy, Scale, Scene, SparsePoints, Views
from sightline.model.shots import Shots
from sightline.reconstructors.colmap import pycolmap
from sightline.reconstructors.structure.album import Seen, lens_of
from sightline.reconstructors.structure.laying import Laid, laid
from sightline.reconstructors.structure.mapping import Mapped

_LEAST_PLACED: Final = 0.6
"""With a smaller share of pictures placed, here or in another scene, a scene is not told from a piece of it."""
_LEAST_LARGEST: Final = 0.25
"""With a smaller share of pictures in the largest of several scenes, they are all pieces."""
_LEAST_POINTS: Final = 50
"""Points that each placed picture sees, on average, at the least."""
_BORNE_OUT: Final = 0.5
"""Share of the pairs that match that given poses must fit."""
_FEW_SPOTS: Final = 300
"""With fewer spots in a picture, it is blurred or shows bare walls."""
_FOCALS: Final = (0.3, 10.0)
"""Focal lengths that lenses have; times the picture's longer side."""
_BENT: Final = 1.0
"""A first number of distortion beyond this is no lens."""


def scene(
    shots: Shots, seen: Sequence[Seen], cameras: Sequence[Lens], taken: Sequence[int], found: Mapped, made_by: MadeBy
) -> Scene:
    """The scene: in the world where known poses or positions say how it lies there, else in a frame of its own.

    What else is to be said of that goes to the settings in ``made_by``: ``origin``, ``scale_notes``.
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
    how = laid(shots, poses, placed, sparse.xyz_scene)
    if found.mapper == "given":
        how = Laid(np.eye(4), Scale.POSES if shots.unit is None else shots.unit, in_world=True)
    scene_from_model = how.scene_from_model
    for at in np.flatnonzero(placed):
        poses[at] = seen_from(poses[at], scene_from_model)
    names = tuple(one.shot.name for one in seen)
    return Scene(
        lenses=tuple(lenses),
        views=Views(names, lens, poses, placed),
        made_by=replace(made_by, settings={**made_by.settings, **_whereabouts(how, shots)}),
        sparse=SparsePoints(
            moved(scene_from_model, sparse.xyz_scene), sparse.rgb, sparse.error_px,
            sparse.track_start, sparse.track_view, sparse.track_xy_px,
        ),
        scale=how.scale,
    )  # fmt: skip


def _whereabouts(how: Laid, shots: Shots) -> dict[str, Any]:
    """Where the frame is on earth, and why not."""
    said: dict[str, Any] = {"scale_notes": [how.why]} if how.why else {}
    if how.in_world and shots.origin is not None:
        lat, lon, height_m = shots.origin
        said["origin"] = {"latitude_deg": lat, "longitude_deg": lon, "height_m": height_m, "axes": "east north up"}
    return said


def complaint(built: Scene, seen: Sequence[Seen]) -> str | None:
    """Why the scene cannot be believed, and what to do; None: it can."""
    n_placed, n = int(built.views.is_registered.sum()), len(seen)
    n_elsewhere = sum(map(len, built.made_by.settings["other_models"]))
    blurred = [one.shot.name for one in seen if len(one.features) < _FEW_SPOTS]
    if n_placed < max(2, _LEAST_LARGEST * n) or n_placed + n_elsewhere < _LEAST_PLACED * n:
        why = (
            f"{len(blurred)} of them, {blurred[0]} first, show too little detail; leave out blurred ones and bare walls"
            if len(blurred) > n - _LEAST_PLACED * n
            else "they overlap too little; neighbours should share two thirds of what they show"
        )
        return f"{f'only {n_placed}' if n_placed > 1 else 'none'} of {n} pictures found a place: {why}"
    per_view = len(built.sparse.track_view) / n_placed
    settings = built.made_by.settings
    if settings["mapper"] == "given" and min(settings["agreement"] / _BORNE_OUT, per_view / _LEAST_POINTS) < 1:
        return (
            f"the poses given fit {settings['agreement']:.0%} of the pairs of pictures that match, {per_view:.0f} "
            "points per picture: are they the poses of these pictures, in the convention of their format?"
        )
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
