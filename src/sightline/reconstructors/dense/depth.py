"""Depth for each pixel of one picture, from small to large."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int8, Int32, Int64, UInt8
from scipy.spatial import cKDTree

from sightline.reconstructors.dense.straight import Straight, across
from sightline.reconstructors.dense.sweeping import picked, sweep

_SMALLEST: Final = 200
"""The smallest picture's longer side, about: what is not found there is not looked for later."""
_FIRST_SWEEPS: Final = 5
_SWEEPS: Final = 2
_AGAIN: Final = 1
_DEAR: Final = np.float32(0.2)
"""What a pixel of disagreement costs."""
_PICKED: Final = 4
"""Of the pictures compared, those that a pixel is sought with in larger ones."""
_BAND: Final = 64
"""Rows between two glances at whether to go on."""
_FIRST_PX: Final = 8.0
"""How far, in the other pictures, planes are varied at first."""

GoOn = Callable[[], None]
"""Raises if the work is to end."""


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """What one view thinks of its pixels before others are heard."""

    depth: Float32[np.ndarray, "h w"]
    """Along the axis."""
    normal_cam: Int8[np.ndarray, "h w 3"]
    """Towards the camera; 127 is one."""
    alike: UInt8[np.ndarray, "h w"]
    """How alike the pictures look through it; 255 is one."""


def guess(
    view: Straight,
    others: Sequence[Straight],
    seeds: Float[np.ndarray, "n 3"],
    rng: np.random.Generator,
    go_on: GoOn,
) -> Guess:
    """Depth for each pixel, also for those that cannot know it.

    Args:
        view: the picture.
        others: pictures that show some of the same; one at least.
        seeds: points that it sees, in its camera's frame; one at least.
        rng: chance.
        go_on: is called now and then, and may raise.
    """
    side = max(view.lens.width, view.lens.height)
    halvings = max(0, round(np.log2(side / _SMALLEST)))
    dice = np.array([rng.integers(1, 2**32 - 1)], np.int64)
    grey, matrix = _shrunk(view, 0.5**halvings)
    planes = _first(grey.shape, matrix, seeds, rng)
    picks = np.full(grey.shape, -1, np.int32)
    for level in range(halvings, -1, -1):
        grey, matrix = _shrunk(view, 0.5**level)
        against = _against(view, matrix, others, 0.5**level)
        about = _about(matrix, seeds, against[2])
        sweeps, vary_px, vary_slope = (_FIRST_SWEEPS, _FIRST_PX, 1.0)
        if level < halvings:
            planes, picks = _grown(planes, picks, grey.shape)
            sweeps, vary_px, vary_slope = _SWEEPS, 1.0, 0.2
        _swept(_Task(grey, against, planes, picks, about, dice), sweeps, (vary_px, vary_slope), go_on)
        if level == halvings:
            picks = picked(grey, against, planes, _PICKED)
    return _guess(planes, matrix)


def again(
    own: tuple[Straight, Guess],
    others: Sequence[tuple[Straight, Guess]],
    seeds: Float[np.ndarray, "n 3"],
    rng: np.random.Generator,
    go_on: GoOn,
) -> Guess:
    """Depth once more, where what others think counts besides how alike pictures look.

    Other arguments are those of ``guess``.
    """
    view, before = own
    grey, matrix = _shrunk(view, 1.0)
    pictures, sizes, matrices, *_ = _against(view, matrix, [other for other, _ in others], 1.0)
    depths = np.zeros(pictures.shape, np.float32)
    for k, (_, theirs) in enumerate(others):
        depths[k, : theirs.depth.shape[0], : theirs.depth.shape[1]] = theirs.depth
    backs = np.stack([across(other, view) for other, _ in others]).astype(np.float32)
    against = (pictures, sizes, matrices, depths, backs, _DEAR)
    planes = _planes(before, matrix)
    picks = picked(grey, against, planes, _PICKED)
    about = _about(matrix, seeds, matrices)
    dice = np.array([rng.integers(1, 2**32 - 1)], np.int64)
    _swept(_Task(grey, against, planes, picks, about, dice), _AGAIN, (0.6, 0.1), go_on)
    return _guess(planes, matrix)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What ``sweep`` takes, but for rows."""

    grey: Float32[np.ndarray, "h w"]
    against: Any
    planes: Float32[np.ndarray, "h w 4"]
    picks: Int32[np.ndarray, "h w"]
    about: Float32[np.ndarray, " 8"]
    dice: Int64[np.ndarray, " 1"]


def _swept(task: _Task, sweeps: int, vary: tuple[float, float], go_on: GoOn) -> None:
    """Sweeps down and up in turn, each varying planes less: at first by so many pixels and so much slope."""
    height, step = len(task.grey), task.about[6]
    for turn in range(sweeps):
        task.about[6], task.about[7] = step * vary[0] * 0.6**turn, vary[1] * 0.7**turn
        for first in range(0, height, _BAND):
            go_on()
            last = min(first + _BAND, height)
            rows = (first, last) if turn % 2 == 0 else (height - 1 - first, height - 1 - last)
            sweep(task.grey, task.against, task.planes, task.picks, task.about, task.dice, rows)


def _shrunk(view: Straight, small: float) -> tuple[Float32[np.ndarray, "h w"], Float[np.ndarray, "3 3"]]:
    """Brightness at a smaller size, and the matrix that goes with it."""
    grey = cv2.cvtColor(view.rgb, cv2.COLOR_RGB2GRAY)
    matrix = view.lens.px_from_cam
    if small < 1:
        height, width = grey.shape
        size = max(8, round(width * small)), max(8, round(height * small))
        matrix[0] *= size[0] / width
        matrix[1] *= size[1] / height
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    matrix[:2, 2] -= 0.5
    return grey.astype(np.float32) / np.float32(255), matrix


def _against(
    view: Straight, matrix: Float[np.ndarray, "3 3"], others: Sequence[Straight], small: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.float32]:
    """The other pictures one behind the other, their sizes, and how to get there from (x, y, 1, inverse depth).

    Behind that, what they think: nothing.
    """
    shrunk = [_shrunk(other, small) for other in others]
    sizes = np.array([grey.shape for grey, _ in shrunk])
    stack = np.zeros((len(shrunk), *sizes.max(axis=0)), np.float32)
    matrices = np.empty((len(shrunk), 3, 4), np.float32)
    for k, ((grey, other_matrix), other) in enumerate(zip(shrunk, others, strict=True)):
        stack[k, : grey.shape[0], : grey.shape[1]] = grey
        other_from_view = other.cam_from_scene @ np.linalg.inv(view.cam_from_scene)
        matrices[k, :, :3] = other_matrix @ other_from_view[:3, :3] @ np.linalg.inv(matrix)
        matrices[k, :, 3] = other_matrix @ other_from_view[:3, 3]
    nothing = np.zeros((len(shrunk), 1, 1), np.float32)
    return stack, sizes, matrices, nothing, np.zeros_like(matrices), np.float32(0)


def _about(
    matrix: Float[np.ndarray, "3 3"], seeds: Float[np.ndarray, "n 3"], matrices: Float32[np.ndarray, "s 3 4"]
) -> Float32[np.ndarray, " 8"]:
    """Focal lengths, centre, least and most inverse depth, the inverse depth that is a pixel in the others, and 0."""
    inverse = 1 / seeds[:, 2]
    low, middle, high = np.quantile(inverse, [0.01, 0.5, 0.99])
    at = np.array([matrix[0, 2], matrix[1, 2], 1.0])
    here = matrices[:, :, :3] @ at + matrices[:, :, 3] * middle
    there = here + matrices[:, :, 3] * (0.01 * middle)
    moved = np.linalg.norm(there[:, :2] / there[:, 2:] - here[:, :2] / here[:, 2:], axis=1)
    pixel = 0.01 * middle / max(float(np.median(moved)), 1e-6)
    return np.array(
        [matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2], 0.3 * low, 1.7 * high, pixel, 0.0], np.float32
    )


def _first(
    shape: tuple[int, ...], matrix: Float[np.ndarray, "3 3"], seeds: Float[np.ndarray, "n 3"], rng: np.random.Generator
) -> Float32[np.ndarray, "h w 4"]:
    """Planes at the depth of a point nearby, turned by chance."""
    height, width = shape
    flat = seeds @ matrix.T
    rows, columns = np.mgrid[:height, :width]
    # One of the three nearest, so that an edge has both its sides' depths near it.
    nearest = cKDTree(flat[:, :2] / flat[:, 2:]).query(np.stack([columns, rows], axis=-1), k=min(3, len(seeds)))[1]
    nearest = nearest.reshape(height, width, -1)
    chosen = np.take_along_axis(nearest, rng.integers(0, nearest.shape[2], (height, width, 1)), axis=2)[..., 0]
    planes = np.empty((height, width, 4), np.float32)
    planes[..., 0] = 1 / seeds[chosen, 2]
    slopes = rng.uniform(-0.6, 0.6, (height, width, 2)) / [matrix[0, 0], matrix[1, 1]]
    planes[..., 1:3] = slopes * planes[..., :1]
    planes[..., 3] = -1
    return planes


def _grown(
    planes: Float32[np.ndarray, "h w 4"], picks: Int32[np.ndarray, "h w"], shape: tuple[int, ...]
) -> tuple[Float32[np.ndarray, "H W 4"], Int32[np.ndarray, "H W"]]:
    """Planes and picks of a larger picture's pixels."""
    ratio = np.array(planes.shape[:2]) / shape
    down, right = ((np.arange(n) + 0.5) * r - 0.5 for n, r in zip(shape, ratio, strict=True))
    row, column = (
        np.clip(np.round(at).astype(int), 0, n - 1) for at, n in zip((down, right), planes.shape[:2], strict=True)
    )
    grown = planes[row[:, None], column[None]]
    grown[..., 0] += grown[..., 1] * (right - column)[None].astype(np.float32)
    grown[..., 0] += grown[..., 2] * (down - row)[:, None].astype(np.float32)
    grown[..., 1] *= np.float32(ratio[1])
    grown[..., 2] *= np.float32(ratio[0])
    grown[..., 3] = -1
    return grown, picks[row[:, None], column[None]]


def _guess(planes: Float32[np.ndarray, "h w 4"], matrix: Float[np.ndarray, "3 3"]) -> Guess:
    """Planes as depth and normals."""
    inverse, right, down, cost = np.moveaxis(planes, -1, 0)
    alike = np.round(np.clip(1 - cost, 0, 1) * 255).astype(np.uint8)
    normal = np.round(facing(inverse, right, down, matrix) * 127).astype(np.int8)
    return Guess(1 / np.maximum(inverse, 1e-12), normal, alike)


def facing(
    inverse: Float32[np.ndarray, "h w"],
    right: Float32[np.ndarray, "h w"],
    down: Float32[np.ndarray, "h w"],
    px_from_cam: Float[np.ndarray, "3 3"],
) -> Float32[np.ndarray, "h w 3"]:
    """Normals towards the camera, in its frame, of planes told by inverse depth and how that changes."""
    height, width = inverse.shape
    beside = (np.arange(width) - px_from_cam[0, 2]).astype(np.float32)
    below = (np.arange(height) - px_from_cam[1, 2]).astype(np.float32)[:, None]
    forward = inverse - right * beside - down * below
    normal = np.stack([right * np.float32(px_from_cam[0, 0]), down * np.float32(px_from_cam[1, 1]), forward], axis=-1)
    normal /= -np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), np.float32(1e-12))
    return normal


def _planes(guess: Guess, matrix: Float[np.ndarray, "3 3"]) -> Float32[np.ndarray, "h w 4"]:
    """The other way."""
    height, width = guess.depth.shape
    a, b, c = np.moveaxis(guess.normal_cam.astype(np.float32), -1, 0)
    right = ((np.arange(width) - matrix[0, 2]) / matrix[0, 0]).astype(np.float32)
    below = ((np.arange(height) - matrix[1, 2]) / matrix[1, 1]).astype(np.float32)[:, None]
    planes = np.empty((height, width, 4), np.float32)
    planes[..., 0] = 1 / guess.depth
    facing = np.minimum(a * right + b * below + c, -1)
    planes[..., 1] = planes[..., 0] * a / facing / np.float32(matrix[0, 0])
    planes[..., 2] = planes[..., 0] * b / facing / np.float32(matrix[1, 1])
    planes[..., 3] = -1
    return planes
