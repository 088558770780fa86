"""From what a network said of pictures to a scene: lenses of the pictures' own pixels, maps without their frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from sightline.errors import ReconstructionError
from sightline.geometry.rigid import inverse, moved
from sightline.geometry.umeyama import Similar, posed_alike, scale_of, seen_from
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import MadeBy, Maps, Scale, Scene, SparsePoints, Views
from sightline.model.shots import Shots
from sightline.reconstructors.looks.framing import Framing
from sightline.reconstructors.structure.laying import LEAST_GIVEN, Laid, laid

_FOCALS: Final = (0.2, 20.0)
"""Focal lengths that lenses have; times the picture's longer side."""
_POINTS: Final = 100_000
"""Points of a scene, for formats that have no maps."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a network said of one picture, at the network's size."""

    framing: Framing
    """Where the picture lies in the network's."""
    shown: UInt8[np.ndarray, "a b 3"]
    """The picture as drawn for the network, without what is around it."""
    px_from_cam: Float[np.ndarray, "3 3"]
    """Of the network's pixels."""
    cam_from_scene: Float[np.ndarray, "4 4"]
    """Where it was taken."""
    depth: Float32[np.ndarray, "h w"]
    """Along the camera's axis."""
    depth_confidence: Float32[np.ndarray, "h w"]
    """1 and more."""
    xyz_scene: Float32[np.ndarray, "h w 3"] | None = None
    """Where each pixel's thing is, if the network says so by itself."""
    xyz_confidence: Float32[np.ndarray, "h w"] | None = None
    """1 and more."""

    @property
    def is_placed(self) -> bool:
        """Whether the camera is one that there can be."""
        focal = self.px_from_cam[[0, 1], [0, 1]] / max(self.framing.inner)
        return bool(
            np.isfinite(self.cam_from_scene).all() and (_FOCALS[0] < focal).all() and (focal < _FOCALS[1]).all()
        )

    def moved(self, there_from_scene: Similar) -> "Look":
        """The same in another frame, with another unit."""
        scale = scale_of(there_from_scene)
        turn, shift = there_from_scene[:3, :3].astype(np.float32), there_from_scene[:3, 3].astype(np.float32)
        return replace(
            self,
            cam_from_scene=seen_from(self.cam_from_scene, there_from_scene),
            depth=self.depth * np.float32(scale),
            xyz_scene=None if self.xyz_scene is None else self.xyz_scene @ turn.T + shift,
        )

    @property
    def lens(self) -> Lens:
        """Of the picture's own pixels."""
        own_from_px = np.linalg.inv(self.framing.outer_from_own)
        down, across = self.framing.own
        return Lens.pinhole(across, down, own_from_px @ self.px_from_cam)


def assembled(shots: Shots, looks: Sequence[Look], made_by: MadeBy) -> Scene:
    """The scene: every view has its lens, its place if it found one, and its maps.

    It is laid upon two poses or more that are known, else upon positions as far as they say something; else the first
    placed camera is its frame, and its unit the mean distance of the points from there. What else is to be said of that
    goes to the settings in ``made_by``: ``origin``, ``scale_notes``.

    Raises:
        ReconstructionError: no picture found a place.
    """
    placed = np.array([look.is_placed for look in looks])
    if not placed.any():
        share = looks[0].px_from_cam[0, 0] / max(looks[0].framing.inner)
        raise ReconstructionError(
            f"none of {len(looks)} pictures found a place (the first one's focal length came out as {share:.3g} times "
            "its side): are these weights trained?"
        )
    numbers = np.flatnonzero(placed).tolist()
    poses = np.full((len(looks), 4, 4), np.nan)
    poses[placed] = [looks[number].cam_from_scene for number in numbers]
    points = _points({number: looks[number] for number in numbers})
    how = _how(shots, poses, placed, points.xyz_scene)
    there = {number: looks[number].moved(how.scene_from_model) for number in numbers}
    poses[placed] = [there[number].cam_from_scene for number in numbers]
    share = float(np.median([max(looks[number].lens.focal_px) / max(looks[number].framing.own) for number in numbers]))
    lenses = [
        shot.lens or (look.lens if ok else _likely(look, share))
        for shot, look, ok in zip(shots.shots, looks, placed, strict=True)
    ]
    return Scene(
        lenses=tuple(lenses),
        views=Views(tuple(shot.name for shot in shots.shots), np.arange(len(looks)), poses, placed),
        made_by=replace(made_by, settings={**made_by.settings, **_whereabouts(how, shots)}),
        maps=tuple(_maps(there[number]) if number in there else None for number in range(len(looks))),
        sparse=replace(points, xyz_scene=moved(how.scene_from_model, points.xyz_scene)),
        scale=how.scale,
    )


def _how(
    shots: Shots, poses: Float[np.ndarray, "k 4 4"], placed: Bool[np.ndarray, " k"], xyz: Float[np.ndarray, "n 3"]
) -> Laid:
    """How what was seen lies in the scene's frame."""
    given = [shot.cam_from_world for shot in shots.shots]
    known = [number for number in np.flatnonzero(placed).tolist() if given[number] is not None]
    if len(known) >= LEAST_GIVEN:
        world_from_found = posed_alike(poses[known], np.array([given[number] for number in known]))
        if np.isfinite(world_from_found).all():
            return Laid(world_from_found, Scale.POSES if shots.unit is None else shots.unit, in_world=True)
    return laid(shots, poses, placed, xyz)


def _whereabouts(how: Laid, shots: Shots) -> dict[str, Any]:
    """Where the frame is on earth, and what was not used of the places known."""
    said: dict[str, Any] = {"scale_notes": [how.why]} if how.why else {}
    if how.in_world and shots.origin is not None:
        lat, lon, height_m = shots.origin
        said["origin"] = {"latitude_deg": lat, "longitude_deg": lon, "height_m": height_m, "axes": "east north up"}
    return said


def _likely(look: Look, share: float) -> Lens:
    """A lens such as the other pictures', for one that has found no place."""
    down, across = look.framing.own
    params = np.array([share * max(down, across), across / 2, down / 2])
    return Lens(LensModel.SIMPLE_PINHOLE, across, down, params)


def _points(looks: Mapping[int, Look]) -> SparsePoints:
    """Points for formats that have no maps: an even share of every picture's pixels, the surer half of them.

    Each is seen by its own picture.
    """
    columns: list[tuple[np.ndarray, ...]] = []
    for number, look in looks.items():
        rows, across = look.framing.inside
        step = max(int(np.sqrt(np.prod(look.framing.inner) * len(looks) / (2 * _POINTS))), 1)
        y, x = (axis.ravel() for axis in np.mgrid[rows.start : rows.stop : step, across.start : across.stop : step])
        sure = look.depth_confidence[y, x]
        known = (sure >= np.median(sure)) & np.isfinite(look.depth[y, x]) & (look.depth[y, x] > 0)
        y, x = y[known], x[known]
        px = np.stack([x + 0.5, y + 0.5, np.ones(len(x))], axis=1)
        xyz_cam = px @ np.linalg.inv(look.px_from_cam).T * look.depth[y, x, None]
        own = px @ np.linalg.inv(look.framing.outer_from_own).T
        rgb = look.shown[y - rows.start, x - across.start]
        columns.append((moved(inverse(look.cam_from_scene), xyz_cam), rgb, np.full(len(x), number), own[:, :2]))
    xyz, rgb, view, xy_px = (np.concatenate(column) for column in zip(*columns, strict=True))
    return SparsePoints(xyz, rgb, np.full(len(xyz), np.nan), np.arange(len(xyz) + 1), view, xy_px)


def _maps(look: Look) -> Maps:
    """The maps, without what is around the picture."""
    inside = look.framing.inside
    top, left = look.framing.corner
    px_from_cam = look.px_from_cam.copy()
    px_from_cam[:2, 2] -= left, top
    lens = Lens.pinhole(look.framing.inner[1], look.framing.inner[0], px_from_cam)
    cut = {
        name: None if array is None else np.ascontiguousarray(array[inside])
        for name in ("depth", "depth_confidence", "xyz_scene", "xyz_confidence")
        for array in [getattr(look, name)]
    }
    return Maps(lens, look.shown, **cut)
