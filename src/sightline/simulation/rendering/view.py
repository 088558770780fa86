"""One camera's pictures: the empty site, the shadows and sprites of all who are there, and who hides whom."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from sightline.geometry import camera as lens
from sightline.model.arrays import Boxes, Image
from sightline.model.camera import Camera
from sightline.simulation.motion.trajectories import CLASSES
from sightline.simulation.rendering.backdrop import OPEN, Backdrop, backdrop
from sightline.simulation.rendering.ground import Ground
from sightline.simulation.rendering.hiding import FOOTPRINT_M, in_front
from sightline.simulation.rendering.noise import Field
from sightline.simulation.rendering.sprite import (
    NEAREST_M,
    Light,
    Pose,
    Shape,
    Sprite,
    filled,
    is_fine,
    outlines,
    shape,
    sprite,
)
from sightline.simulation.rendering.weather import Sensor, Weather, vignette
from sightline.simulation.site import Site

NOBODY = 255
"""In ``Shot.owner``: a pixel that shows no mover."""
_HALF = 128
_CORNERS = np.array([(x, y, z) for z in (0, 1) for x in (-1, 1) for y in (-1, 1)], float)
_SHADE = 0.86
"""How much of the sun a mover's shadow takes."""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One picture, and what is where in it; one row for each mover in sight, hidden or not, nearest last."""

    rgb: Image
    """The picture."""
    mover: Int[np.ndarray, " n"]
    """Position of each among the poses given."""
    xyxy_px: Boxes
    """The box around each one's whole outline, beyond the picture's edges too."""
    visibility: Float[np.ndarray, " n"]
    """The share of each one's outline that can be seen: neither hidden nor cut off by the picture's edge."""
    owner: UInt8[np.ndarray, "h w"]
    """Which row each pixel shows, ``NOBODY`` for none."""


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A mover whose outline is in the picture."""

    row: int
    shape: Shape
    light: Light
    front: Bool[np.ndarray, " 256"]
    """For each value of ``Backdrop.solid``, whether it leaves the mover in sight; all False: nothing of it shows."""
    xyxy_px: Float[np.ndarray, " 4"]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """All that a camera needs to take pictures."""

    camera: Camera
    land: Ground
    still: Backdrop
    """The empty site, darkened towards the corners as the lens does."""
    falloff: Float[np.ndarray, "h w 1"]
    sensor: Sensor
    weather: Weather
    sun_enu: Float[np.ndarray, " 3"]
    low_m: Float[np.ndarray, "k 3"]
    high_m: Float[np.ndarray, "k 3"]
    shadows: bool

    @classmethod
    def made(
        cls, site: Site, land: Ground, grain: Field, camera: Camera, *, weather: Weather, sensor: Sensor, shadows: bool
    ) -> "View":
        """Renders the empty site once."""
        empty = backdrop(site, land, camera, grain)
        falloff = vignette(camera.width, camera.height)
        shade, sun = (np.round(part * falloff).astype(np.uint8) for part in (empty.shade, empty.sun))
        still = Backdrop(shade, sun, empty.solid)
        low, high = site.boxes()
        return cls(camera, land, still, falloff, sensor, weather, np.array(site.sun_enu), low, high, shadows)

    def shot(self, poses: list[Pose], t_s: float, index: int, *, paint: bool = True) -> Shot:
        """The picture at a time. Without ``paint`` only the masks are made, and ``rgb`` is black."""
        sun, exposure = self.weather.sun(t_s), self.weather.exposure(t_s)
        seen = self._in_sight(poses, sun, exposure)
        picture = np.zeros((self.camera.height, self.camera.width, 3), np.uint8)
        if paint:
            cv2.addWeighted(self.still.shade, exposure, self.still.sun, exposure * sun, 0, dst=picture)
        if paint and self.shadows:
            for found in seen:
                if found.front.any():
                    self._shade(picture, found.shape, found.light.sun / max(sun, 0.1), sun * exposure)
        owner = np.full(picture.shape[:2], NOBODY, np.uint8)
        whole = np.ones(len(seen), np.int64)
        for row, found in enumerate(seen):
            if found.front.any():
                cut = sprite(found.shape, found.xyxy_px, self.camera)
                whole[row] = np.count_nonzero(cut.alpha >= _HALF)
                self._place(picture, owner, cut, found.front, row, paint)
        if paint:
            picture = self.sensor.seen(np.asarray(cv2.GaussianBlur(picture, (3, 3), 0.55), np.uint8), index)
        shown = np.bincount(owner.ravel(), minlength=256)[: len(seen)]
        boxes = np.array([found.xyxy_px for found in seen]).reshape(-1, 4)
        rows = np.array([found.row for found in seen], np.int64)
        return Shot(picture, rows, boxes, shown / np.maximum(whole, 1), owner)

    def _in_sight(self, poses: list[Pose], sun: float, exposure: float) -> "list[_Found]":
        """Movers whose outline is in the picture, the farthest first."""
        found = []
        for row in self._far_to_near(poses):
            pose = poses[row]
            window = self._around(pose)
            if window is None:
                continue
            front = self._front(pose)
            hidden = not front[self.still.solid[window]].any()
            light = self._light(pose, sun, exposure)
            fine = not hidden and is_fine(pose, self.camera)
            solid = shape(pose, self.camera, self.sun_enu, light, fine)
            edge = outlines(solid.whole, self.camera)
            if edge is None:
                continue
            box = np.concatenate([edge.min(axis=(0, 1)), edge.max(axis=(0, 1))])
            if (box[:2] < (self.camera.width, self.camera.height)).all() and (box[2:] > 0).all():
                found.append(_Found(row, solid, light, np.zeros(256, bool) if hidden else front, box))
        return found

    def _around(self, pose: Pose) -> tuple[slice, slice] | None:
        """The part of the picture that a mover and its shadow can be in; None when it is in none of it."""
        long, wide, tall = FOOTPRINT_M[CLASSES[pose.label]]
        flat = np.hypot(long, wide)
        corners = np.array([pose.east_m, pose.north_m, 0.0]) + _CORNERS * (flat, flat, tall + 0.1)
        shadow = corners[:4] - (*(self.sun_enu[:2] / self.sun_enu[2] * tall), 0.0)
        if (lens.depths(self.camera, corners) < NEAREST_M).any():
            return None
        px = lens.pixels(self.camera, np.concatenate([corners, shadow]))
        low = np.clip(np.floor(np.nan_to_num(px.min(axis=0))), 0, (self.camera.width, self.camera.height)).astype(int)
        high = np.clip(
            np.ceil(np.nan_to_num(px.max(axis=0), nan=1e6)), 0, (self.camera.width, self.camera.height)
        ).astype(int)
        return (slice(low[1], high[1]), slice(low[0], high[0])) if (low < high).all() else None

    def _light(self, pose: Pose, sun: float, exposure: float) -> Light:
        """What falls on a mover where it stands."""
        at = np.array([[[pose.east_m, pose.north_m]]])
        lit, open_ = (float(self.land.looked_up(part, at).squeeze()) / 255 for part in (self.land.sun, self.land.sky))
        return Light(sun * lit * exposure, open_ * exposure)

    def _far_to_near(self, poses: list[Pose]) -> list[int]:
        """Movers in front of the camera, the farthest first."""
        spots = np.array([(pose.east_m, pose.north_m, 0.9) for pose in poses]).reshape(-1, 3)
        depth = lens.depths(self.camera, spots)
        away = np.linalg.norm((spots - lens.eye(self.camera))[:, :2], axis=1)
        return [int(row) for row in np.argsort(-away, kind="stable") if depth[row] > 0]

    def _window(self, left: int, top: int, height: int, width: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """The part of a crop that is in the picture: in the picture's pixels, and in the crop's."""
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + width, self.camera.width), min(top + height, self.camera.height)
        inside = np.s_[y0 : max(y1, y0), x0 : max(x1, x0)]
        return inside, np.s_[y0 - top : max(y1, y0) - top, x0 - left : max(x1, x0) - left]

    def _place(
        self, picture: Image, owner: np.ndarray, cut: Sprite, in_sight: Bool[np.ndarray, " 256"], row: int, paint: bool
    ) -> None:
        """Puts a sprite into the picture, but for what stands before it."""
        inside, part = self._window(cut.left, cut.top, *cut.alpha.shape)
        front = in_sight[self.still.solid[inside]]
        alpha = cut.alpha[part] * front
        owner[inside][alpha >= _HALF] = row
        if paint and alpha.size:
            dim = self.falloff[inside]
            cover = alpha[..., None].astype(np.float32) * np.float32(1 / 255)
            mixed = picture[inside] * (1 - cover) + cut.rgb[part] * (front[..., None] * dim)
            picture[inside] = np.minimum(mixed + np.float32(0.5), 255).astype(np.uint8)

    def _front(self, pose: Pose) -> Bool[np.ndarray, " 256"]:
        """For each value of ``Backdrop.solid``, whether it leaves this mover in sight."""
        table = np.ones(256, bool)
        spot = np.array([pose.east_m, pose.north_m])
        table[: len(self.low_m)] = in_front(
            spot, pose.heading_rad, pose.label, lens.eye(self.camera), self.low_m, self.high_m
        )
        return table

    def _shade(self, picture: Image, solid: Shape, lit: float, sun: float) -> None:
        """Darkens the ground where a mover keeps the sun off it, and a little right below it."""
        points = solid.whole
        flat = points.copy()
        flat[..., :2] -= points[..., 2:] * self.sun_enu[:2] / self.sun_enu[2]
        flat[..., 2] = 0.0
        below = points[points[..., 2].min(axis=1) < 0.35].reshape(1, -1, 3) * (1.0, 1.0, 0.0)
        cast, contact = outlines(flat, self.camera), outlines(below, self.camera)
        if cast is None or contact is None or not contact.size:
            return
        both = np.concatenate([cast.reshape(-1, 2), contact.reshape(-1, 2)])
        pad = 4
        limit = np.array([self.camera.width, self.camera.height])
        low = np.clip(np.floor(both.min(axis=0)) - pad, -200, limit).astype(int)
        high = np.clip(np.ceil(both.max(axis=0)) + pad, 0, limit + 200).astype(int)
        across, down = (high - low).tolist()
        if across <= 0 or down <= 0:
            return
        masks = np.zeros((2, down, across), np.uint8)
        filled(masks[0], cast - low, [(255.0,)] * len(cast))
        filled(masks[1], contact - low, [(255.0,)] * len(contact))
        inside, part = self._window(int(low[0]), int(low[1]), down, across)
        spread = 0.5 + 0.012 * down
        dark = cv2.GaussianBlur(masks[0], (0, 0), spread)[part].astype(np.float32)
        near = cv2.GaussianBlur(masks[1], (0, 0), 2 * spread)[part].astype(np.float32)
        floor = (self.still.solid[inside] == OPEN)[..., None]
        sunlight = self.still.sun[inside] * (dark * np.float32(_SHADE * sun * min(lit + 0.2, 1) / 255))[..., None]
        kept = 1 - near[..., None] * np.float32(0.42 / 255)
        picture[inside] = np.where(floor, np.maximum(picture[inside] - sunlight, 0) * kept, picture[inside])
