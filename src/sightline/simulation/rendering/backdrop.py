"""What a fixed camera sees when nobody is there, made once by following a ray through every pixel."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from sightline.geometry import camera as lens
from sightline.model.arrays import Image
from sightline.model.camera import Camera
from sightline.simulation.rendering.finishes import colours
from sightline.simulation.rendering.ground import AMBIENT, SUN, Ground
from sightline.simulation.rendering.noise import Field, at
from sightline.simulation.site import Site, Solid

FINE = 2
"""Rays per pixel, across and down."""
OPEN = 255
"""In ``Backdrop.solid``: the ground or the sky, which hide nobody."""
_FAR_M = np.float32(1e6)
Rays = Float[np.ndarray, "n 3"]
Lengths = Float[np.ndarray, " n"]


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """One camera's view of the empty site. Its light at any time is ``shade + share * sun``."""

    shade: Image
    """Lit by the sky alone."""
    sun: Image
    """What full sun adds."""
    solid: UInt8[np.ndarray, "h w"]
    """Which of the site's solids each pixel's centre shows; ``OPEN`` for ground and sky."""


def backdrop(site: Site, land: Ground, camera: Camera, grain: Field) -> Backdrop:
    """The view of ``camera``, without its lens' flaws."""
    eye = lens.eye(camera)
    across, down = np.meshgrid(np.arange(camera.width * FINE), np.arange(camera.height * FINE))
    at_px = (np.stack([across, down], axis=-1) + 0.5) / FINE
    rays = lens.rays(camera, at_px).astype(np.float32)
    length, solid = _hits(site, camera, eye, rays, grain)
    shade, sun = _sky(rays), np.zeros((*rays.shape[:2], 3), np.float32)
    floor = (solid == OPEN) & (rays[..., 2] < -1e-4)
    point = eye + rays * (-eye[2] / np.minimum(rays[..., 2:], np.float32(-1e-4)))
    lit = land.looked_up(land.sun, point[..., :2]) * floor
    rgb = land.looked_up(land.rgb, point[..., :2]).astype(np.float32)
    sky = land.looked_up(land.sky, point[..., :2])[..., None] / np.float32(255)
    shade = np.where(floor[..., None], rgb * AMBIENT * sky, shade)
    sun = rgb * SUN * np.float32(site.sun_enu[2]) * (lit[..., None] / np.float32(255))
    for number, thing in enumerate(site.solids):
        seen = solid == number
        if seen.any():
            where = (eye + rays[seen] * length[seen][:, None]).astype(np.float32)
            shade[seen], sun[seen] = _surface(site, thing, where, grain)
    centre = np.s_[FINE // 2 :: FINE, FINE // 2 :: FINE]
    size = (camera.width, camera.height)
    both = (cv2.resize(np.clip(part, 0, 255), size, interpolation=cv2.INTER_AREA) for part in (shade, sun))
    shade8, sun8 = (np.round(part).astype(np.uint8) for part in both)
    return Backdrop(shade8, sun8, solid[centre].copy())


def _sky(rays: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w 3"]:
    """Paler towards the horizon."""
    up = np.clip(rays[..., 2:] * 2.5, 0, 1)
    return np.array([206, 216, 226], np.float32) * (1 - up) + np.array([136, 172, 214], np.float32) * up


def _hits(
    site: Site, camera: Camera, eye: Float[np.ndarray, " 3"], rays: Float[np.ndarray, "h w 3"], grain: Field
) -> tuple[Float[np.ndarray, "h w"], UInt8[np.ndarray, "h w"]]:
    """How far each ray goes, and which solid it meets."""
    length = np.full(rays.shape[:2], _FAR_M, np.float32)
    solid = np.full(rays.shape[:2], OPEN, np.uint8)
    down = rays[..., 2] < -1e-4
    length[down] = (-eye[2] / rays[..., 2][down]).astype(np.float32)
    for number, thing in enumerate(site.solids):
        window = _window(camera, thing)
        if window is not None:
            part = rays[window]
            met = _met(thing, eye, part.reshape(-1, 3), grain).reshape(part.shape[:2])
            nearer = met < length[window]
            length[window][nearer] = met[nearer]
            solid[window][nearer] = number
    return length, solid


def _window(camera: Camera, thing: Solid) -> tuple[slice, slice] | None:
    """The part of the fine picture that a solid can be in; None when it is in none of it."""
    unit = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1]), axis=-1).reshape(-1, 3)
    corners = np.array(thing.low_m) + unit * (np.array(thing.high_m) - np.array(thing.low_m))
    depth = lens.depths(camera, corners)
    if (depth < 0.1).all():
        return None
    if (depth < 0.1).any():
        return np.s_[:], np.s_[:]
    px = lens.pixels(camera, corners) * FINE
    limit = np.array([camera.width, camera.height]) * FINE
    low, high = np.clip(px.min(axis=0) - 1, 0, limit).astype(int), np.clip(px.max(axis=0) + 2, 0, limit).astype(int)
    if (low >= high).any():
        return None
    return np.s_[low[1] : high[1]], np.s_[low[0] : high[0]]


def _met(thing: Solid, eye: Float[np.ndarray, "*m 3"], rays: Rays, grain: Field | None) -> Lengths:
    """How far rays from ``eye`` (one for all, or one each) go until they meet a solid; very far where they do not."""
    low, high = np.array(thing.low_m, np.float32), np.array(thing.high_m, np.float32)
    start = eye.astype(np.float32)
    safe = np.where(np.abs(rays) < 1e-7, np.float32(1e-7), rays)
    a, b = (low - start) / safe, (high - start) / safe
    into, out_of = np.minimum(a, b), np.maximum(a, b)
    if thing.shape == "box":
        near, far = into.max(axis=1), out_of.min(axis=1)
        return np.where((near < far) & (far > 0), np.maximum(near, 0), _FAR_M)
    middle, radius = (low + high) / 2, (high - low) / 2
    axes = slice(0, 2) if thing.shape == "cylinder" else slice(0, 3)
    o, d = ((start - middle) / radius)[..., axes], (rays / radius)[:, axes]
    dd, od = (d * d).sum(axis=1), (o * d).sum(axis=-1)
    inside = od * od - dd * ((o * o).sum(axis=-1) - 1)
    root = np.sqrt(np.maximum(inside, 0))
    near, far = (-od - root) / dd, (-od + root) / dd
    hit = inside > 0
    if thing.shape == "cylinder":
        near, far = np.maximum(near, into[:, 2]), np.minimum(far, out_of[:, 2])
    elif grain is not None:
        hit &= _leafy(start + rays * near[:, None], inside / dd, grain)
    return np.where(hit & (near < far) & (far > 0), np.maximum(near, 0), _FAR_M)


def _leafy(point: Rays, depth: Lengths, grain: Field) -> Bool[np.ndarray, " n"]:
    """Whether there is a leaf at points of a crown's hull: nearly everywhere within, less at its rim."""
    ragged = at(grain, (point[:, 0] + point[:, 1]) * 34, point[:, 2] * 34)
    return depth > 0.16 + 0.13 * ragged


def _surface(
    site: Site, thing: Solid, where: Rays, grain: Field
) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]]:
    """What points on a solid look like in the light of the sky, and what full sun adds."""
    normal = _normals(thing, where)
    aside = np.abs(normal[:, 0]) > np.abs(normal[:, 1])
    level = np.abs(normal[:, 2]) > 0.9
    along = np.where(aside, where[:, 1], where[:, 0])
    if thing.shape == "cylinder":
        middle = (np.array(thing.low_m) + np.array(thing.high_m)) / 2
        radius = (thing.high_m[0] - thing.low_m[0]) / 2
        along = (np.arctan2(where[:, 1] - middle[1], where[:, 0] - middle[0]) * radius).astype(np.float32)
    up = np.where(level & (thing.shape != "crown"), where[:, 1] + 100, where[:, 2])
    rgb = colours(thing.finish, along, up.astype(np.float32), thing.rgb, grain)
    if thing.finish in {"facade", "kiosk", "ribbed"}:
        rgb = np.where(level[:, None], np.float32(112), rgb)
    open_ = 0.72 + 0.28 * np.clip(normal[:, 2], -1, 1) + 0.1 * np.abs(normal[:, 0])
    open_ *= 1 - 0.3 * np.exp(-where[:, 2] / 0.5)
    facing = np.clip(normal @ np.array(site.sun_enu, np.float32), 0, 1) * (thing.finish != "dark")
    if thing.shape == "crown":
        facing = 0.35 * facing + 0.25
    facing = facing * ~_in_shadow(site, thing, where + normal * np.float32(0.02), facing > 0)
    return rgb * AMBIENT * open_[:, None].astype(np.float32), rgb * SUN * facing[:, None].astype(np.float32)


def _normals(thing: Solid, where: Rays) -> Rays:
    """Directions away from a solid at points of its surface."""
    low, high = np.array(thing.low_m, np.float32), np.array(thing.high_m, np.float32)
    off = (where - (low + high) / 2) / ((high - low) / 2)
    if thing.shape == "crown":
        return off / np.maximum(np.linalg.norm(off, axis=1, keepdims=True), 1e-6)
    if thing.shape == "cylinder":
        flat = np.concatenate([off[:, :2], np.zeros((len(off), 1), np.float32)], axis=1)
        top = np.abs(off[:, 2:]) > 0.999
        return np.where(
            top, np.array([[0, 0, 1]], np.float32), flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
        )
    nearest = np.abs(np.abs(off) - 1) * ((high - low) / 2)
    face: Int[np.ndarray, " n"] = nearest.argmin(axis=1)
    normal = np.zeros_like(off)
    rows = np.arange(len(off))
    normal[rows, face] = np.sign(off[rows, face])
    return normal


def _in_shadow(site: Site, thing: Solid, where: Rays, facing: Bool[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Which of the points that face the sun have something else of the site before it."""
    sun = np.array(site.sun_enu, np.float32)
    dark = np.zeros(len(where), bool)
    todo = np.flatnonzero(facing)
    if not len(todo):
        return dark
    point = where[todo]
    low, high = point.min(axis=0), point.max(axis=0)
    for other in site.solids:
        top = np.array(other.high_m)
        reach = sun / sun[2] * max(0.0, float(top[2] - low[2]))
        sweep_low, sweep_high = np.minimum(low, low + reach), np.maximum(high, high + reach)
        apart = (np.array(other.low_m)[:2] > sweep_high[:2]).any() or (top[:2] < sweep_low[:2]).any()
        if other is thing or apart or top[2] <= low[2]:
            continue
        dark[todo] |= _met(other, point, np.broadcast_to(sun, point.shape), None) < _FAR_M
    return dark
