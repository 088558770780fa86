"""Movers as small pictures with soft edges: drawn large, then shrunk."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from sightline.geometry import camera as lens
from sightline.model.camera import Camera
from sightline.simulation.motion.trajectories import CLASSES
from sightline.simulation.rendering.cycle import cyclist
from sightline.simulation.rendering.figure import walker
from sightline.simulation.rendering.ground import AMBIENT, SUN
from sightline.simulation.rendering.looks import Look
from sightline.simulation.rendering.parts import Body, layers
from sightline.simulation.rendering.vehicle import outline, vehicle

Points = Float[np.ndarray, "f c 3"]
_SIZES = np.array([1.0, 0.8, 0.58, 0.32])
"""Of the layers of a rounded part, from its rim to where the light falls on it."""
_DETAIL_PX = 70
"""Movers smaller than this get fewer layers."""
_SUBPIXEL = 4
NEAREST_M = 0.6
_RIM_PX = 2
"""Room around a sprite for its soft edge."""
_SKY = np.array([188.0, 204.0, 222.0])


@dataclass(frozen=True, slots=True)
class Pose:
    """One mover at one moment."""

    label: int
    """What it is: index into ``CLASSES``."""
    look: Look
    """What it wears."""
    east_m: float
    """Where it stands."""
    north_m: float
    """Where it stands."""
    heading_rad: float
    """Where it faces, anticlockwise from east."""
    phase_rad: float
    """How far its gait or its wheels have turned."""
    speed_mps: float
    """How fast it moves."""


@dataclass(frozen=True, slots=True)
class Light:
    """What falls on a mover."""

    sun: float
    """How much of the sun reaches it: from 0, in shadow or under clouds, to 1."""
    sky: float
    """How much of the sky it sees, from 0 to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A mover as flat patches in space, from far to near, each a convex hull."""

    patches: list[Float[np.ndarray, "_ _ 3"]]
    """Metres east, north and up, by the number of corners; the first ones lie behind the later ones."""
    rgb: list[Float[np.ndarray, "_ 3"]]
    """Their colours as lit."""
    whole: Float[np.ndarray, "m c 3"]
    """Patches that cover it all, for its shadow and its outline."""


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A mover as it is seen if nothing is in front of it."""

    left: int
    """Column of its first pixel; may lie beyond the picture's edges."""
    top: int
    """Row of its first pixel."""
    rgb: UInt8[np.ndarray, "h w 3"]
    """Its colours, already weighed by ``alpha``."""
    alpha: UInt8[np.ndarray, "h w"]
    """How much of each pixel it covers."""


def shape(pose: Pose, camera: Camera, sun_enu: Float[np.ndarray, " 3"], light: Light, fine: bool) -> Shape:
    """The patches of a mover as seen by ``camera``."""
    enu_from_body = _turn(pose.heading_rad)
    stand = np.array([pose.east_m, pose.north_m, 0.0])
    sight = stand + np.array([0.0, 0.0, 0.9]) - lens.eye(camera)
    sight_body = (sight / np.linalg.norm(sight)) @ enu_from_body
    sun_body = sun_enu @ enu_from_body
    if CLASSES[pose.label] in {"car", "van"}:
        return _hard(pose, sight_body, sun_body, light, enu_from_body, stand, lens.eye(camera))
    right = np.cross(sight_body, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rides = CLASSES[pose.label] == "cyclist"
    body = Body(right, np.cross(right, sight_body), sight_body, 1.0 if rides else pose.look.height_m)
    if rides:
        cyclist(body, pose.look, pose.phase_rad)
    else:
        walker(body, pose.look, pose.phase_rad, pose.speed_mps)
    ends, rgb, group = body.drawn()
    aside = sun_body - (sun_body @ sight_body) * sight_body + 0.35 * body.over
    sizes = _SIZES if fine else _SIZES[[0, 2]]
    points = layers(ends, sizes, aside / np.linalg.norm(aside)) @ enu_from_body.T + stand
    weight = 1 - sizes[:, None]
    sky = (AMBIENT * light.sky) * (0.8 + 0.34 * weight)
    bright = sky + SUN * light.sun * (0.2 + 1.0 * weight * max(0.45, float(0.75 - 0.4 * (sun_body @ sight_body))))
    low = np.clip(points[0, :, :, 2].mean(axis=1) / 0.5, 0, 1)[None, :, None]
    colours = rgb[None] * bright[:, None] * (0.82 + 0.18 * low)
    layer, part = np.indices(points.shape[:2]).reshape(2, -1)
    order = np.lexsort((part, layer, group[part]))
    return Shape([points.reshape(-1, 24, 3)[order]], [colours.reshape(-1, 3)[order]], points[0])


def _turn(heading_rad: float) -> Float[np.ndarray, "3 3"]:
    """``enu_from_body``: rotation about the vertical."""
    cos, sin = np.cos(heading_rad), np.sin(heading_rad)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def _hard(
    pose: Pose, sight_body: np.ndarray, sun_body: np.ndarray, light: Light,
    enu_from_body: Float[np.ndarray, "3 3"], stand: np.ndarray, eye_enu_m: np.ndarray,
) -> Shape:  # fmt: skip
    """A vehicle: the faces that look towards the camera, lit as flat surfaces."""
    eye_body = (eye_enu_m - stand) @ enu_from_body
    kind = CLASSES[pose.label]
    patches, rgb = [], []
    for faces in vehicle(kind, pose.look, pose.phase_rad):
        middle = faces.corners.mean(axis=1)
        front = ((eye_body - middle) * faces.normal).sum(axis=1) > 0
        order = np.argsort(-np.linalg.norm(eye_body - middle[front], axis=1), kind="stable")
        normal, gloss = faces.normal[front][order], faces.gloss[front][order][:, None]
        facing = np.clip(normal @ sun_body, 0, 1)[:, None]
        mirrored = sight_body - 2 * (normal @ sight_body)[:, None] * normal
        open_ = (0.62 + 0.38 * normal[:, 2:]) * light.sky
        shine = gloss * np.clip(mirrored[:, 2:] + 0.25, 0, 1) * _SKY * light.sky
        glint = 90 * light.sun * np.clip(mirrored @ sun_body, 0, 1)[:, None] ** 24
        patches.append(faces.corners[front][order] @ enu_from_body.T + stand)
        rgb.append(faces.rgb[front][order] * (AMBIENT * open_ + SUN * light.sun * facing) + shine + glint)
    return Shape(patches, rgb, (outline(kind) @ enu_from_body.T + stand)[None])


def outlines(points: Points, camera: Camera) -> Float[np.ndarray, "f c 2"] | None:
    """Patches in pixels; None when any of them is too close to the lens or behind it."""
    if (lens.depths(camera, points.reshape(-1, 3)) < NEAREST_M).any():
        return None
    return lens.pixels(camera, points)


def filled(canvas: np.ndarray, px: Float[np.ndarray, "f c 2"], colours: Sequence[Sequence[float]]) -> None:
    """Draws the hulls of patches one over the other, to a sixteenth of a pixel."""
    fixed = np.round((px - 0.5) * (1 << _SUBPIXEL)).astype(np.int32)
    for patch, colour in zip(fixed, colours, strict=True):
        cv2.fillConvexPoly(canvas, cv2.convexHull(patch), colour, cv2.LINE_8, _SUBPIXEL)


def sprite(solid: Shape, xyxy_px: Float[np.ndarray, " 4"], camera: Camera) -> Sprite:
    """The mover as a picture; ``xyxy_px`` is the box around its outline."""
    low, high = xyxy_px[:2], xyxy_px[2:]
    size = np.array([camera.width, camera.height])
    first, last = (
        np.clip(np.floor(low) - _RIM_PX, -size, size).astype(int),
        np.clip(np.ceil(high) + _RIM_PX, 0, 2 * size).astype(int),
    )
    across, down = (last - first).tolist()
    fine = int(np.clip(round(280 / max(down, 1)), 1 if down > 400 else 2, 4))
    canvas = np.zeros((down * fine, across * fine, 4), np.uint8)
    for points, rgb in zip(solid.patches, solid.rgb, strict=True):
        px = (lens.pixels(camera, points) - first) * fine
        opaque = np.concatenate([np.clip(rgb, 0, 255), np.full((len(rgb), 1), 255.0)], axis=1)
        filled(canvas, px, opaque.tolist())
    canvas = cv2.GaussianBlur(canvas, (0, 0), 0.0022 * down * fine + 0.35)
    small = cv2.resize(canvas, (across, down), interpolation=cv2.INTER_AREA)
    return Sprite(int(first[0]), int(first[1]), small[..., :3], small[..., 3])


def is_fine(pose: Pose, camera: Camera) -> bool:
    """Whether a mover is so large in the picture that details show."""
    depth = float(lens.depths(camera, np.array([[pose.east_m, pose.north_m, 0.9]]))[0])
    return depth > 0 and float(camera.px_from_cam[1, 1]) * 1.7 / depth > _DETAIL_PX
