"""The ground of a site from above: its colours, where the sun reaches it, and how open it is to the sky."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from sightline.model.arrays import Image
from sightline.simulation.rendering.noise import Colours, fractal, hashed
from sightline.simulation.site import Area, Site, Solid

CELL_M = 0.03
"""Side of a square of the ground that has one colour."""
AMBIENT = np.array([0.50, 0.53, 0.58], np.float32)
"""Light from the whole sky."""
SUN = np.array([0.72, 0.68, 0.60], np.float32)
"""Light from the sun, on a surface that faces it."""
_LIGHT_CELLS = 2
_LINE = np.array([222, 221, 214], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Maps over a site's ground; the first row is the northernmost, so that they look right when shown."""

    low_m: Float[np.ndarray, " 2"]
    """South-west corner."""
    high_m: Float[np.ndarray, " 2"]
    """North-east corner."""
    rgb: Image
    """Its colours in even light."""
    sun: UInt8[np.ndarray, "h2 w2"]
    """Where the sun reaches it: 255 fully, 0 in shadow. Half as fine."""
    sky: UInt8[np.ndarray, "h2 w2"]
    """How open it is to the sky, in the same way."""

    def looked_up(
        self, picture: UInt8[np.ndarray, "h w *c"], xy_m: Float[np.ndarray, "a b 2"]
    ) -> UInt8[np.ndarray, "a b *c"]:
        """Values of one of the maps at points; at the nearest edge for those off the map."""
        scale = np.array(picture.shape[1::-1]) / (self.high_m - self.low_m)
        column = (xy_m[..., 0] - self.low_m[0]) * scale[0] - 0.5
        row = (self.high_m[1] - xy_m[..., 1]) * scale[1] - 0.5
        flags = (cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
        return cv2.remap(picture, column.astype(np.float32), row.astype(np.float32), flags[0], borderMode=flags[1])

    def lit(self) -> Image:
        """The ground as it looks from right above in full sun."""
        size = self.rgb.shape[1::-1]
        sun = cv2.resize(self.sun, size).astype(np.float32)[..., None] / 255
        sky = cv2.resize(self.sky, size).astype(np.float32)[..., None] / 255
        return np.clip(self.rgb * (AMBIENT * sky + 0.76 * SUN * sun), 0, 255).astype(np.uint8)


def ground(site: Site, rng: np.random.Generator) -> Ground:
    """The ground of ``site``; ``rng`` decides its stains and blades of grass."""
    low, high = np.array(site.low_m), np.array(site.high_m)
    width, height = (round(float(side)) for side in (high - low) / CELL_M)
    rgb = np.zeros((height, width, 3), np.float32)
    for area in site.areas:
        _covered(rgb, site, area, rng)
    _marked(rgb, site)
    rgb *= (1 + 0.03 * fractal(height, width, (60, 170), rng))[..., None]
    sun, sky = _light(site, height // _LIGHT_CELLS, width // _LIGHT_CELLS, rng)
    return Ground(low, high, np.clip(rgb, 0, 255).astype(np.uint8), sun, sky)


def _window(site: Site, area: Area) -> tuple[slice, slice]:
    """Rows and columns of the maps that an area covers."""
    west, north = area.low_m[0] - site.low_m[0], site.high_m[1] - area.high_m[1]
    east, south = area.high_m[0] - site.low_m[0], site.high_m[1] - area.low_m[1]
    top, bottom, left, right = (max(0, round(side / CELL_M)) for side in (north, south, west, east))
    return slice(top, bottom), slice(left, right)


def _covered(rgb: Float[np.ndarray, "h w 3"], site: Site, area: Area, rng: np.random.Generator) -> None:
    """Lays one area's finish over the map, with a kerb round grass."""
    rows, columns = _window(site, area)
    height, width = rgb[rows, columns].shape[:2]
    rgb[rows, columns] = _COVERS[area.finish](height, width, rng)
    if area.finish == "grass":
        edge = round(0.12 / CELL_M)
        for side in (np.s_[:edge], np.s_[-edge:], np.s_[:, :edge], np.s_[:, -edge:]):
            rgb[rows, columns][side] = (164, 160, 152)


def _asphalt(height: int, width: int, rng: np.random.Generator) -> Colours:
    """Tarmac with patches and grit."""
    tone = 86 + 5 * fractal(height, width, (1,), rng) + 4 * fractal(height, width, (12, 50, 150), rng)
    return tone[..., None] * np.array([1.0, 1.0, 1.03], np.float32)


def _tiled(
    height: int, width: int, size_m: tuple[float, float], rgb: tuple[int, int, int], rng: np.random.Generator
) -> Colours:
    """Staggered tiles, each its own shade, with dark joints."""
    y, x = np.arange(height)[:, None] * CELL_M, np.arange(width)[None] * CELL_M
    row = np.floor(y / size_m[1]).astype(np.int64)
    along = x / size_m[0] + 0.5 * (row % 2)
    column = np.floor(along).astype(np.int64)
    row = np.broadcast_to(row, column.shape)
    joint = ((along - column) * size_m[0] < 1.1 * CELL_M) | ((y / size_m[1] - row) * size_m[1] < 1.1 * CELL_M)
    tone = 0.92 + 0.14 * hashed(column, row) + 0.018 * fractal(height, width, (1, 3, 30), rng)
    return (tone * np.where(joint, 0.76, 1.0))[..., None] * np.array(rgb, np.float32)


def _paving(height: int, width: int, rng: np.random.Generator) -> Colours:
    return _tiled(height, width, (0.6, 0.3), (164, 152, 136), rng)


def _slabs(height: int, width: int, rng: np.random.Generator) -> Colours:
    return _tiled(height, width, (0.5, 0.5), (168, 166, 160), rng)


def _concrete(height: int, width: int, rng: np.random.Generator) -> Colours:
    """Cast in large fields, stained."""
    stains = 1 - 0.07 * np.clip(fractal(height, width, (40, 120), rng) - 0.6, 0, 2)
    return _tiled(height, width, (3.6, 3.6), (146, 145, 140), rng) * stains[..., None]


def _grass(height: int, width: int, rng: np.random.Generator) -> Colours:
    """A lawn."""
    blades = fractal(height, width, (1, 2, 4), rng)
    patches = fractal(height, width, (14, 60), rng)
    green = np.array([84, 114, 50], np.float32) * (1 + 0.16 * blades)[..., None]
    return green + np.clip(patches, -1, 2)[..., None] * np.array([9, 5, 3], np.float32)


_COVERS: dict[str, Callable[[int, int, np.random.Generator], Colours]] = {
    "asphalt": _asphalt,
    "paving": _paving,
    "slabs": _slabs,
    "concrete": _concrete,
    "grass": _grass,
}


def _marked(rgb: Float[np.ndarray, "h w 3"], site: Site) -> None:
    """Paints the road's lines, its kerbs and its crossings."""
    (west, south), (east, north) = site.road.low_m, site.road.high_m
    middle = (south + north) / 2

    def paint(low: tuple[float, float], high: tuple[float, float], colour: np.ndarray, share: float) -> None:
        part = rgb[_window(site, Area(low, high, "line"))]
        part[:] = part * (1 - share) + colour * share

    for kerb in (south, north):
        paint((west, kerb - 0.12), (east, kerb + 0.06), np.array([176, 173, 166], np.float32), 0.9)
    for start in np.arange(west, east, 4.0):
        if not any(area.low_m[0] - 3 < start < area.high_m[0] + 1 for area in site.crossings):
            paint((start, middle - 0.06), (start + 2.0, middle + 0.06), _LINE, 0.85)
    for area in site.crossings:
        for stripe in np.arange(south + 0.35, north - 0.4, 1.0):
            paint((area.low_m[0], stripe), (area.high_m[0], stripe + 0.5), _LINE, 0.85)
        paint((area.low_m[0] - 1.3, south), (area.low_m[0] - 1.0, middle), _LINE, 0.85)
        paint((area.high_m[0] + 1.0, middle), (area.high_m[0] + 1.3, north), _LINE, 0.85)


def _light(
    site: Site, height: int, width: int, rng: np.random.Generator
) -> tuple[UInt8[np.ndarray, "h w"], UInt8[np.ndarray, "h w"]]:
    """Where the sun and the sky reach the ground."""
    cell = CELL_M * _LIGHT_CELLS
    shade, dapple, near, roof = (np.zeros((height, width), np.uint8) for _ in range(4))
    for solid in site.solids:
        outline = _shadow(solid, np.array(site.sun_enu))
        cv2.fillConvexPoly(dapple if solid.shape == "crown" else shade, _drawn(site, outline, cell), 255)
        low, high = np.array(solid.low_m), np.array(solid.high_m)
        foot = np.array([low[:2], (high[0], low[1]), high[:2], (low[0], high[1])])
        if solid.in_the_way:
            cv2.fillConvexPoly(near, _drawn(site, foot, cell), 255)
        elif solid.shape == "box":
            cv2.fillConvexPoly(roof, _drawn(site, foot, cell), 255)
    leaves = 0.72 + 0.5 * np.clip(fractal(height, width, (2, 4, 8), rng) + 0.4, -1, 0.6)
    dark = np.maximum(cv2.GaussianBlur(shade, (0, 0), 1.4), cv2.GaussianBlur(dapple, (0, 0), 4) * leaves)
    closed = 0.5 * cv2.GaussianBlur(near, (0, 0), 0.45 / cell).astype(np.float32)
    closed = np.maximum(closed, 0.82 * cv2.GaussianBlur(roof, (0, 0), 0.5 / cell).astype(np.float32))
    closed += 0.18 * cv2.GaussianBlur(dapple, (0, 0), 8)
    return (255 - np.clip(dark, 0, 255)).astype(np.uint8), (255 - np.clip(closed, 0, 255)).astype(np.uint8)


def _shadow(solid: Solid, sun_enu: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "n 2"]:
    """Outline of a solid's shadow on the ground."""
    low, high = np.array(solid.low_m), np.array(solid.high_m)
    if solid.shape == "box":
        unit = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1]), axis=-1).reshape(-1, 3)
        points = low + unit * (high - low)
    else:
        turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        levels = np.linspace(-1, 1, 7)
        girth = np.sqrt(1 - levels**2) if solid.shape == "crown" else np.ones(7)
        ring = np.stack([np.outer(girth, np.cos(turn)), np.outer(girth, np.sin(turn))], axis=-1)
        up = np.broadcast_to(levels[:, None, None], (7, 16, 1))
        points = ((low + high) / 2 + np.concatenate([ring, up], axis=-1) * (high - low) / 2).reshape(-1, 3)
    flat = points[:, :2] - points[:, 2:] * sun_enu[:2] / sun_enu[2]
    return cv2.convexHull(flat.astype(np.float32)).reshape(-1, 2).astype(float)


def _drawn(site: Site, xy_m: Float[np.ndarray, "n 2"], cell_m: float) -> np.ndarray:
    """Whole cells of a polygon in metres."""
    return np.stack(
        [(xy_m[:, 0] - site.low_m[0]) / cell_m, (site.high_m[1] - xy_m[:, 1]) / cell_m], axis=1
    ).round().astype(np.int32)  # fmt: skip


def top_view(site: Site, land: Ground) -> Image:
    """The lit ground with all that stands on it as flat patches; six centimetres to the pixel."""
    picture = cv2.resize(land.lit(), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    for solid in sorted(site.solids, key=lambda solid: solid.high_m[2]):
        middle = (np.array(solid.low_m[:2]) + np.array(solid.high_m[:2])) / 2
        half = (np.array(solid.high_m[:2]) - np.array(solid.low_m[:2])) / 2
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False) if solid.shape != "box" else np.pi * np.arange(1, 8, 2) / 4
        reach = 1.0 if solid.shape != "box" else np.sqrt(2)
        outline = middle + reach * half * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        cells = _drawn(site, outline, 2 * CELL_M)
        tone = 0.9 * np.array(solid.rgb)
        cv2.fillConvexPoly(picture, cells, tone.tolist(), cv2.LINE_AA)
        cv2.polylines(picture, [cells], True, (0.7 * tone).tolist(), 1, cv2.LINE_AA)
    return picture
