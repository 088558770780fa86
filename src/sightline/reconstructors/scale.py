"""The size of a scene from one length that is known: between two cameras, or the sides of markers seen in it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import cv2
import numpy as np
from jaxtyping import Float, Float32

from sightline.errors import OptionError
from sightline.geometry.lens import pixels, straightened
from sightline.geometry.rigid import inverse, moved
from sightline.geometry.umeyama import Similar, seen_from
from sightline.model.arrays import Image
from sightline.model.scene import Maps, Scale, Scene
from sightline.model.shots import Shots

Distance = tuple[str, str, float]
"""Names of two pictures, and how many metres apart they were taken."""
Corners = Float[np.ndarray, "4 2"]
_KINDS: Final = (
    cv2.aruco.DICT_4X4_250, cv2.aruco.DICT_5X5_250, cv2.aruco.DICT_6X6_250, cv2.aruco.DICT_7X7_250,
    cv2.aruco.DICT_ARUCO_ORIGINAL, cv2.aruco.DICT_APRILTAG_36h11,
)  # fmt: skip
"""Markers that are looked for."""
_OFF: Final = 0.004
"""How far from its place a corner may be seen; share of the picture's longer side."""
_UNEVEN: Final = 0.05
"""By how much sides of one marker may differ; those of things that look like markers do."""


def checked(distance: Distance | None, marker_side_m: float | None, shots: Shots) -> None:
    """Nothing, if the lengths make sense for these pictures.

    Raises:
        OptionError: they do not.
    """
    if distance is not None and marker_side_m is not None:
        raise OptionError("distance, marker_side_m: give one of them")
    if marker_side_m is not None and not 0 < marker_side_m < np.inf:
        raise OptionError(f"marker_side_m = {marker_side_m}: a marker's side is more than 0 metres")
    if distance is None:
        return
    one, other, metres = distance
    if one == other or not 0 < metres < np.inf:
        raise OptionError(f"distance = {one} {other} {metres}: it takes two pictures, and more than 0 metres")
    for name in (one, other):
        if name not in {shot.name for shot in shots.shots}:
            raise OptionError(f"distance: no picture {name!r}; the first is {shots.shots[0].name!r}")
    if sum(shot.cam_from_world is not None for shot in shots.shots) > 1:
        raise OptionError("distance: poses are given, which have a scale already; give poses or a distance")


def by_distance(scene: Scene, distance: Distance) -> Scene:
    """The scene in metres; as it is, with a note, where a picture has no place."""
    one, other, metres = distance
    rows = [scene.views.names.index(name) for name in (one, other)]
    lost = [scene.views.names[row] for row in rows if not scene.views.is_registered[row]]
    if lost:
        return noted(scene, f"the distance was not used: {lost[0]} found no place")
    eyes = [inverse(scene.views.cam_from_scene[row])[:3, 3] for row in rows]
    apart = float(np.linalg.norm(eyes[0] - eyes[1]))
    if apart < 1e-9:
        return noted(scene, f"the distance was not used: {one} and {other} were taken in one place")
    return rescaled(scene, metres / apart, Scale.DISTANCE)


def by_markers(scene: Scene, side_m: float, shots: Shots) -> Scene:
    """The scene in metres, from square markers whose black part has sides of ``side_m``.

    A marker counts that several placed pictures see where one square would be. The pictures are looked at once more.
    As it is, with a note, where there is none.
    """
    seen: dict[tuple[int, int], list[tuple[int, Corners]]] = {}
    for view in np.flatnonzero(scene.views.is_registered).tolist():
        for which, corners_px in _markers(shots.shots[view].read()):
            seen.setdefault(which, []).append((view, corners_px))
    sides = [_side(scene, sightings) for sightings in seen.values() if len(sightings) > 1]
    good = [side for side in sides if side is not None]
    if not good:
        return noted(scene, f"markers were not used: {len(seen)} seen, none of them as one square from two sides")
    return rescaled(scene, side_m / float(np.median(good)), Scale.MARKERS)


def rescaled(scene: Scene, factor: float, scale: Scale) -> Scene:
    """The scene with ``factor`` times as many units; in a world's frame the middle of its cameras stays in place."""
    b_from_a: Similar = np.diag([factor, factor, factor, 1.0])
    placed = np.flatnonzero(scene.views.is_registered)
    if scene.scale.is_metric:
        middle = np.mean([inverse(pose)[:3, 3] for pose in scene.views.cam_from_scene[placed]], axis=0)
        b_from_a[:3, 3] = (1 - factor) * middle
    poses = scene.views.cam_from_scene.copy()
    for at in placed:
        poses[at] = seen_from(poses[at], b_from_a)
    return replace(
        scene,
        views=replace(scene.views, cam_from_scene=poses),
        maps=tuple(one and _deeper(one, factor, b_from_a) for one in scene.maps),
        sparse=replace(scene.sparse, xyz_scene=moved(b_from_a, scene.sparse.xyz_scene)),
        dense=replace(scene.dense, xyz_scene=_single(b_from_a, scene.dense.xyz_scene)),
        mesh=scene.mesh and replace(scene.mesh, xyz_scene=_single(b_from_a, scene.mesh.xyz_scene)),
        scale=scale,
    )


def _deeper(maps: Maps, factor: float, b_from_a: Similar) -> Maps:
    """The maps in the other unit."""
    return replace(
        maps,
        depth=None if maps.depth is None else maps.depth * np.float32(factor),
        xyz_scene=None if maps.xyz_scene is None else _single(b_from_a, maps.xyz_scene),
    )


def _single(b_from_a: Similar, xyz: Float32[np.ndarray, "*n 3"]) -> Float32[np.ndarray, "*n 3"]:
    """The points in the other frame."""
    return moved(b_from_a, xyz.astype(np.float64)).astype(np.float32)


def noted(scene: Scene, line: str) -> Scene:
    """The scene with one more line on what its scale does not come from."""
    settings: dict[str, Any] = dict(scene.made_by.settings)
    settings["scale_notes"] = [*settings.get("scale_notes", ()), line]
    return replace(scene, made_by=replace(scene.made_by, settings=settings))


def _markers(rgb: Image) -> list[tuple[tuple[int, int], Corners]]:
    """Kind and number of each marker in the picture, and its corners in turn."""
    settings = cv2.aruco.DetectorParameters()
    settings.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    detector = cv2.aruco.ArucoDetector([cv2.aruco.getPredefinedDictionary(kind) for kind in _KINDS], settings)
    corners, numbers, _, kinds = detector.detectMarkersMultiDict(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    if not len(corners):
        return []
    named = zip(np.ravel(kinds).tolist(), np.ravel(numbers).tolist(), strict=True)
    # OpenCV's first pixel has its centre at 0.
    found = [
        ((int(kind), int(number)), np.reshape(four, (4, 2)).astype(np.float64) + 0.5)
        for (kind, number), four in zip(named, corners, strict=True)
    ]
    names = [which for which, _ in found]
    return [(which, four) for which, four in found if names.count(which) == 1]


def _side(scene: Scene, sightings: Sequence[tuple[int, Corners]]) -> float | None:
    """The marker's side in the scene's unit; None where the pictures do not see one square."""
    xyz = np.array([_met(scene, [(view, four[corner]) for view, four in sightings]) for corner in range(4)])
    if not np.isfinite(xyz).all():
        return None
    for view, four in sightings:
        lens = scene.lenses[scene.views.lens[view]]
        there = pixels(lens, moved(scene.views.cam_from_scene[view], xyz))
        if not np.linalg.norm(there - four, axis=1).max() < _OFF * max(lens.width, lens.height):
            return None
    sides = np.linalg.norm(xyz - np.roll(xyz, 1, axis=0), axis=1)
    return float(sides.mean()) if np.ptp(sides) < _UNEVEN * sides.mean() else None


def _met(scene: Scene, rays: Sequence[tuple[int, Float[np.ndarray, " 2"]]]) -> Float[np.ndarray, " 3"]:
    """Where the rays of several views come closest to meeting, each distance seen from its camera."""
    rows = []
    for view, xy_px in rays:
        flat = straightened(scene.lenses[scene.views.lens[view]], xy_px[None])[0]
        pose = scene.views.cam_from_scene[view]
        rows += [flat[0] * pose[2] - pose[0], flat[1] * pose[2] - pose[1]]
    if not np.isfinite(rows).all():
        return np.full(3, np.nan)
    homogeneous = np.linalg.svd(np.array(rows))[2][-1]
    return homogeneous[:3] / homogeneous[3] if homogeneous[3] else np.full(3, np.nan)
