"""The town's ground as one picture from above, in finer and coarser copies, and what a flying camera sees of it."""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import cv2
import numpy as np
from jaxtyping import Float, Int32

from sightline.model.arrays import Image
from sightline.simulation.flight.rendered import town
from sightline.simulation.flight.rendered.loops import Loop
from sightline.simulation.rendering.noise import fractal

Grid = Float[np.ndarray, "h w"]
Rows = Float[np.ndarray, " h"]
Points = Float[np.ndarray, "_ 2"]
Colour = tuple[int, int, int]
_ASPHALT, _PAVING, _KERB = (104, 104, 106), (166, 160, 152), (186, 182, 174)
_GRAVEL, _WHITE = (184, 168, 138), (226, 226, 220)
_GRASS = ((1.6, 108), (0.8, 120), (0.9, 68))
"""Of red, green and blue: how much drier patches differ, and the middle."""
_SHADE = 0.55
_RIGHT, _UP = np.array([1.0, 0.0]), np.array([0.0, 1.0])


@final
@dataclass(frozen=True)
class Land:
    """A square of the town's ground, seen from above, north up; beyond it the picture is mirrored without end."""

    low_m: Float[np.ndarray, " 2"]
    """South-west corner."""
    cell_m: float
    """Side of one of its pixels."""
    rgb: Image
    """Its colours as the sun lights them."""

    @cached_property
    def levels(self) -> list[Image]:
        """Itself, and each time half as fine."""
        found = [self.rgb]
        while min(found[-1].shape[:2]) > 64:
            found.append(np.asarray(cv2.pyrDown(found[-1]), np.uint8))
        return found

    def seen(self, east_m: Grid, north_m: Grid, footprint_m: Rows) -> Image:
        """Its colours where each pixel of a picture meets it; ``footprint_m`` is how much ground pixels of a row see.

        Between two of the copies, so that nothing flickers where pixels see much and nothing blurs where little.
        """
        fine = np.clip(np.log2(np.maximum(footprint_m, 1e-3) / self.cell_m), 0, len(self.levels) - 1.001)
        level = np.floor(fine).astype(int)
        out = np.empty((*east_m.shape, 3), np.uint8)
        edges = np.flatnonzero(np.diff(level)) + 1
        for first, after in zip([0, *edges.tolist()], [*edges.tolist(), len(level)], strict=True):
            rows, k = slice(first, after), int(level[first])
            share = np.repeat((fine[rows] - k)[:, None], east_m.shape[1], axis=1).astype(np.float32)
            sharp, soft = (self._copy(j, east_m[rows], north_m[rows]) for j in (k, k + 1))
            out[rows] = cv2.blendLinear(sharp, soft, 1 - share, share)
        return out

    def _copy(self, k: int, east_m: Grid, north_m: Grid) -> Image:
        """One of the copies, looked up."""
        size = np.float32(self.cell_m * 2**k)
        top = np.float32(self.low_m[1] + self.cell_m * self.rgb.shape[0])
        x = (east_m - np.float32(self.low_m[0])) / size - np.float32(0.5)
        y = (top - north_m) / size - np.float32(0.5)
        return np.asarray(cv2.remap(self.levels[k], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.uint8)


def land(low_m: Float[np.ndarray, " 2"], side_m: float, cell_m: float, rng: np.random.Generator) -> Land:
    """The ground of a square of the town; ``rng`` decides its stains and blades of grass."""
    n = round(side_m / cell_m)
    rough = fractal(n, n, _periods((14.0, 5.0, 2.0), cell_m), rng)
    rgb = np.asarray(cv2.merge([cv2.addWeighted(rough, 8 * k, rough, 0, float(c)) for k, c in _GRASS]))
    made = Land(np.asarray(low_m, float), cell_m, np.clip(rgb, 0, 255).astype(np.uint8))
    brush = _Brush(made.rgb, made.low_m, cell_m)
    blocks = town.blocks_about(made.low_m, made.low_m + side_m)
    for block in blocks:
        _block(brush, block)
    fine = fractal(n, n, _periods((0.7, 0.25), cell_m), rng)
    grain = cv2.addWeighted(rough, 128 * 0.04, fine, 128 * 0.06, 128.0)
    grain = np.clip(grain, 0, 255, out=grain).astype(np.uint8)
    made.rgb[:] = cv2.multiply(made.rgb, cv2.merge([grain] * 3), scale=1 / 128)
    _shaded(made, brush, blocks)
    return made


def _periods(metres: tuple[float, ...], cell_m: float) -> tuple[int, ...]:
    """Sizes of patches, in cells."""
    return tuple(max(1, round(m / cell_m)) for m in metres)


@dataclass(frozen=True, slots=True, eq=False)
class _Brush:
    """Draws in metres."""

    rgb: Image
    low_m: Float[np.ndarray, " 2"]
    cell_m: float

    def cells(self, xy_m: Points) -> Int32[np.ndarray, "n 2"]:
        """Sixteenths of cells, from the middle of the north-western one."""
        top = self.low_m[1] + self.cell_m * self.rgb.shape[0]
        cell = np.column_stack([xy_m[:, 0] - self.low_m[0], top - xy_m[:, 1]]) / self.cell_m
        return np.round((cell - 0.5) * 16).astype(np.int32)

    def between(self, outer_m: Points, inner_m: Points, colour: Colour) -> None:
        """Fills what lies in one outline and not in the other."""
        cv2.fillPoly(self.rgb, [self.cells(outer_m), self.cells(inner_m)], colour, cv2.LINE_AA, 4)

    def area(self, outline_m: Points, colour: Colour) -> None:
        """Fills an outline."""
        cv2.fillPoly(self.rgb, [self.cells(outline_m)], colour, cv2.LINE_AA, 4)

    def bars(self, from_m: Points, to_m: Points, wide_m: float, colour: Colour) -> None:
        """Straight strokes."""
        way = to_m - from_m
        aside = wide_m / 2 * np.column_stack([-way[:, 1], way[:, 0]]) / np.linalg.norm(way, axis=1, keepdims=True)
        for bar in np.stack([from_m + aside, to_m + aside, to_m - aside, from_m - aside], axis=1):
            cv2.fillConvexPoly(self.rgb, self.cells(bar), colour, cv2.LINE_AA, 4)


def _block(brush: _Brush, block: town.Block) -> None:
    """One block: its half of the streets round it, its pavement, and what it holds."""
    middle = town.middle_m(block)
    whole = _box(town.PERIOD_M[0] / 2 + 0.1, town.PERIOD_M[1] / 2 + 0.1)
    kerb, inside = (loop.outline_m() + middle for loop in (town.KERB, town.INSIDE))
    _held(brush, block, middle)
    brush.between(whole + middle, kerb, _ASPHALT)
    brush.between(kerb, inside, _PAVING)
    brush.between(kerb, Loop((town.KERB.half_m[0] - 0.2, town.KERB.half_m[1] - 0.2), 4.8).outline_m() + middle, _KERB)
    across, up = town.PERIOD_M[0] / 2, town.PERIOD_M[1] / 2
    for side in (-1, 1):
        along = np.arange(-up + 11, up - 11, 6.0)
        for from_middle, wide, long in ((0.0, 0.16, 3.0), (3.3, 0.12, 5.4)):
            x = np.full(len(along), side * (across - from_middle))
            brush.bars(middle + np.column_stack([x, along]), middle + np.column_stack([x, along + long]), wide, _WHITE)
        along = np.arange(-across + 11, across - 11, 6.0)
        for from_middle, wide, long in ((0.0, 0.16, 3.0), (3.3, 0.12, 5.4)):
            y = np.full(len(along), side * (up - from_middle))
            brush.bars(middle + np.column_stack([along, y]), middle + np.column_stack([along + long, y]), wide, _WHITE)


def _held(brush: _Brush, block: town.Block, middle: Float[np.ndarray, " 2"]) -> None:
    """A park's path, a car park's bays, a meadow's stripes, the way between houses."""
    kind = town.kind_of(block)
    if kind == "park":
        outer, inner = (Loop((20 + k, 13 + k), 11 + k).outline_m() + middle for k in (1.1, -1.1))
        brush.between(outer, inner, _GRAVEL)
        brush.area(Loop((3.4, 3.4), 3.4).outline_m() + (middle + _RIGHT * 2.0 - _UP), _PAVING)
    elif kind == "parking":
        brush.area(_box(26.5, 14.0) + middle, _ASPHALT)
        bays = np.array([(u + off, v) for u, v in town.BAYS_M for off in (-1.3, 1.3)]) + middle
        brush.bars(bays - _UP * 2.5, bays + _UP * 2.5, 0.12, _WHITE)
        brush.area(_box(6.5, 3.0) + (middle + _RIGHT * 33.0), _ASPHALT)
    elif kind == "meadow":
        for k in range(-11, 12, 2):
            brush.area(_box(34.0, 1.2) + (middle + _UP * 1.2 * k), (104, 118, 66))
    else:
        brush.area(_box(34.0, 1.3) + middle, _GRAVEL)


def _box(half_east: float, half_north: float) -> Points:
    """A rectangle about (0, 0)."""
    return np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (half_east, half_north)


def _shaded(made: Land, brush: _Brush, blocks: list[town.Block]) -> None:
    """Shadows that houses and trees cast, painted in: the sun stands still in the south-west."""
    shade = np.zeros(made.rgb.shape[:2], np.uint8)
    for block in blocks:
        for house in town.houses(block):
            corners = np.array(house.xy_m) + _box(*house.half_m)
            cast = np.concatenate([corners, corners + SHADOW * house.height_m])
            cv2.fillConvexPoly(shade, cv2.convexHull(brush.cells(cast)), 255, cv2.LINE_AA, 4)
        for tree in town.trees(block):
            centre = brush.cells((np.array(tree.xy_m) + SHADOW * tree.height_m)[None])[0]
            cv2.circle(shade, centre.tolist(), round(tree.crown_m / made.cell_m * 16), 255, -1, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(shade, (0, 0), max(0.4, 0.1 / made.cell_m))
    left = np.asarray(cv2.convertScaleAbs(soft, alpha=-_SHADE, beta=255.0), np.uint8)
    made.rgb[:] = cv2.multiply(made.rgb, cv2.merge([left] * 3), scale=1 / 255)


SUN_ENU = np.array([-0.42, -0.36, 0.833])
"""Direction to the sun."""
SHADOW = -SUN_ENU[:2] / SUN_ENU[2]
"""How far a shadow falls for each metre of height."""
