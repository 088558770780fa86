"""What rises from the town's ground: houses as boxes with windows, trees as round crowns."""

from functools import cache
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from sightline.geometry import camera as lens
from sightline.model.arrays import Image
from sightline.model.camera import Camera
from sightline.simulation.flight.rendered.land import SUN_ENU
from sightline.simulation.flight.rendered.town import House, Tree
from sightline.simulation.rendering.noise import fractal

_OUT, _ALONG = ((1, 0), (-1, 0), (0, 1), (0, -1)), ((0, 1), (0, -1), (-1, 0), (1, 0))
"""Which way each wall faces, and runs."""
_TILES = 8
_BLOB = 96
_LEAVES, _PANE, _TRUNK = np.array([74.0, 98.0, 48.0]), np.array([70.0, 80.0, 92.0]), (84.0, 66.0, 50.0)
_SUBPIXEL = 4
_NEAREST_M = 2.0


def house_drawn(picture: Image, owner: UInt8[np.ndarray, "h w"], house: House, camera: Camera, nobody: int) -> None:
    """Draws a house, the walls that face the camera and then the roof; ``owner`` of its pixels becomes ``nobody``."""
    corners, normal, rgb = _patches(house)
    px = lens.pixels(camera, corners)
    if (lens.depths(camera, corners) < _NEAREST_M).any():
        return
    low, high = px.min(axis=(0, 1)), px.max(axis=(0, 1))
    if (high < 0).any() or (low > (camera.width, camera.height)).any():
        return
    faces = ((lens.eye(camera) - corners[:, 0]) * normal).sum(axis=1) > 0
    fixed = np.round((px[faces] - 0.5) * (1 << _SUBPIXEL)).astype(np.int32)
    for patch, colour in zip(fixed, rgb[faces].tolist(), strict=True):
        cv2.fillConvexPoly(picture, patch, colour, cv2.LINE_AA, _SUBPIXEL)
        cv2.fillConvexPoly(owner, patch, nobody, cv2.LINE_8, _SUBPIXEL)


def tree_drawn(picture: Image, owner: UInt8[np.ndarray, "h w"], tree: Tree, camera: Camera, nobody: int) -> None:
    """Draws a tree: its trunk, and its crown as a round tuft."""
    ends = np.array([(*tree.xy_m, 0.0), (*tree.xy_m, tree.height_m)])
    if (lens.depths(camera, ends) < _NEAREST_M).any():
        return
    low, crown = lens.pixels(camera, ends)
    radius = float(camera.px_from_cam[0, 0]) * tree.crown_m / float(lens.depths(camera, ends[1:])[0])
    if ((np.maximum(crown, low) + radius) < 0).any() or (
        (np.minimum(crown, low) - radius) > (camera.width, camera.height)
    ).any():
        return
    thick = max(1, round(0.25 * radius / tree.crown_m))
    fixed = np.round((np.stack([low, crown]) - 0.5) * (1 << _SUBPIXEL)).astype(int).tolist()
    cv2.line(picture, fixed[0], fixed[1], _TRUNK, thick, cv2.LINE_AA, _SUBPIXEL)
    x0, y0 = np.maximum(np.floor(crown - radius), 0).astype(int).tolist()
    x1, y1 = np.minimum(np.ceil(crown + radius), (camera.width, camera.height)).astype(int).tolist()
    if x1 <= x0 or y1 <= y0:
        return
    scale = 2 * radius / _BLOB
    # cv2 counts from the middles of pixels.
    corner = crown - radius - (x0, y0)
    window_from_blob = np.array([[scale, 0, corner[0] + scale / 2 - 0.5], [0, scale, corner[1] + scale / 2 - 0.5]])
    small = _blob() if scale > 0.6 else cv2.GaussianBlur(_blob(), (0, 0), 0.45 / scale)
    cut = cv2.warpAffine(small, window_from_blob, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    alpha = cut[..., 3:] / np.float32(255)
    inside = np.s_[y0:y1, x0:x1]
    picture[inside] = picture[inside] * (1 - alpha) + np.clip(cut[..., :3] * np.float32(tree.shade), 0, 255)
    owner[inside][alpha[..., 0] > 0.5] = nobody


@cache
def _patches(house: House) -> tuple[Float[np.ndarray, "k 4 3"], Float[np.ndarray, "k 3"], Float[np.ndarray, "k 3"]]:
    """Corners, directions and colours of four walls with their windows, then of the roof's rows of tiles."""
    (x, y), (a, b), high = house.xy_m, house.half_m, house.height_m
    corners, normal, rgb = [], [], []
    for out, along, half, deep in zip(_OUT, _ALONG, (b, b, a, a), (a, a, b, b), strict=True):
        middle = np.array([x + out[0] * deep, y + out[1] * deep])
        light = 0.62 + 0.42 * max(0.0, float(np.array([*out, 0.0]) @ SUN_ENU))
        wall = [(_upright(middle, along, -half, half, 0.0, high), np.array(house.wall) * light)]
        n = int(2 * half // 2.4)
        for storey in range(int(high // 2.7)):
            for left in (np.arange(n) + 0.5) * 2 * half / n - half - 0.55:
                pane = _upright(middle, along, left, left + 1.1, 2.7 * storey + 1.0, 2.7 * storey + 2.2)
                wall.append((pane, _PANE))
        corners += [patch for patch, _ in wall]
        rgb += [colour for _, colour in wall]
        normal += [(float(out[0]), float(out[1]), 0.0)] * len(wall)
    edges = y - b - 0.3 + (2 * b + 0.6) * np.arange(_TILES + 1) / _TILES
    for k, (south, north) in enumerate(pairwise(edges)):
        west, east = x - a - 0.3, x + a + 0.3
        corners.append(np.array([(west, south, high), (east, south, high), (east, north, high), (west, north, high)]))
        rgb.append(np.array(house.roof) * (1.06 if k % 2 else 0.97) * (1.0 if k < _TILES / 2 else 0.88))
        normal.append((0.0, 0.0, 1.0))
    return np.array(corners), np.array(normal), np.array(rgb)


def _upright(
    middle: np.ndarray, along: tuple[int, int], left: float, right: float, low: float, high: float
) -> Float[np.ndarray, "4 3"]:
    """A rectangle of a wall."""
    one, other = middle + np.array(along) * left, middle + np.array(along) * right
    return np.array([(*one, low), (*other, low), (*other, high), (*one, high)])


@cache
def _blob() -> UInt8[np.ndarray, "side side 4"]:
    """A crown of leaves, lit from the upper left; colours weighed by the last plane."""
    rng = np.random.default_rng(5)
    side = (np.arange(_BLOB) + 0.5) / _BLOB * 2 - 1
    x, y = np.meshgrid(side, side)
    rough, fine = fractal(_BLOB, _BLOB, (22, 10), rng), fractal(_BLOB, _BLOB, (5, 3), rng)
    from_middle = np.hypot(x, y) + 0.09 * rough
    alpha = np.clip((0.92 - from_middle) * 14, 0, 1)
    light = np.clip(0.95 - 0.35 * (x * -SUN_ENU[0] + y) + 0.16 * rough + 0.2 * fine, 0.35, 1.7)
    rgb = _LEAVES * light[..., None] * alpha[..., None]
    return np.clip(np.concatenate([rgb, 255 * alpha[..., None]], axis=-1), 0, 255).astype(np.uint8)
