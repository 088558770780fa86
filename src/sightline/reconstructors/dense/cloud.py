"""From what each view thinks to what views agree on: depth with confidence, and one cloud."""

from collections.abc import Mapping, Sequence
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32

from sightline.geometry.lens import points
from sightline.model.scene import DensePoints, Maps
from sightline.reconstructors.dense.agreeing import between, heard, slopes, taken
from sightline.reconstructors.dense.depth import Guess, facing
from sightline.reconstructors.dense.straight import Straight, across

MOST_POINTS: Final = 10_000_000
"""Of a cloud: what viewers can bear."""
_LEAST_ALIKE: Final = np.float32(0.5)
"""Pictures that look less alike say nothing, whoever agrees."""
_LEAST_AGREEING: Final = 2
"""So many others must agree; where there are fewer, all of them."""
_SPECK: Final = 2e-4
"""Connected pixels that are a smaller share of the picture are chance."""


def agreed(
    view: Straight, guessed: Guess, others: Sequence[tuple[Straight, Guess]]
) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """Depth, 0 where others do not agree, and confidence.

    That is how many agree times the fourth power of how alike pictures look, which tells wrong depth better than
    their number does. Small holes get the depth between their edges if others agree with that, and little confidence.
    """
    alike = guessed.alike.astype(np.float32) / np.float32(255)
    depth, count = _heard(view, guessed.depth, others)
    known = (count > 0) & (alike > _LEAST_ALIKE)
    known &= _connected(known, guessed.depth)
    depth = np.where(known, depth, np.float32(0))
    closed, agreeing = _heard(view, between(depth), others)
    filled = agreeing > 0
    sure = np.where(filled, _LEAST_ALIKE, alike) ** 4 * np.where(filled, agreeing, count)
    return np.where(filled, closed, depth), np.where(known | filled, sure, 0).astype(np.float32)


def _heard(
    view: Straight, depth: Float32[np.ndarray, "h w"], others: Sequence[tuple[Straight, Guess]]
) -> tuple[Float32[np.ndarray, "h w"], Int32[np.ndarray, "h w"]]:
    """Mean depth of those who agree, and how many others do: 0 where they are too few."""
    count, total = np.ones(depth.shape, np.int32), depth.copy()
    for other, theirs in others:
        heard(depth, across(view, other), theirs.depth, across(other, view), count, total)
    total /= count
    count -= 1
    count[count < max(1, min(_LEAST_AGREEING, len(others)))] = 0
    return total, count


def _connected(known: Bool[np.ndarray, "h w"], depth: Float32[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Those that are no specks: pieces end where depth jumps."""
    # Steps of a percent are steps of one here; 0 is for the unknown.
    evenly = np.where(known, np.clip(np.log(np.maximum(depth, 1e-12)) * 100, -15000, 15000), 20000)
    marked = np.ascontiguousarray(evenly, np.int16)
    cv2.filterSpeckles(marked, 20000, round(_SPECK * depth.size), 3)
    return marked != 20000


def fused(
    straights: Mapping[int, Straight],
    maps: Mapping[int, Maps],
    others: Mapping[int, Sequence[int]],
    most: int = MOST_POINTS,
) -> DensePoints:
    """One point per thing: what an earlier view has seen is left out of the later ones'.

    More than ``most`` points are thinned evenly.
    """
    fresh = _fresh(straights, maps, others)
    share = most / max(sum(int(np.count_nonzero(mask)) for mask in fresh.values()), 1)
    if share < 1:
        fresh = {number: mask & _even(mask.shape, share) for number, mask in fresh.items()}
    cloud = _empty(sum(int(np.count_nonzero(mask)) for mask in fresh.values()))
    end = 0
    for number, mask in fresh.items():
        here = slice(end, end := end + int(np.count_nonzero(mask)))
        view, confidence = straights[number], maps[number].depth_confidence
        cloud[0][here] = points(maps[number], view.cam_from_scene)[mask]
        cloud[1][here] = view.rgb[mask]
        cloud[2][here] = _normals(view, maps[number])[mask] @ view.cam_from_scene[:3, :3].astype(np.float32)
        cloud[3][here] = 0 if confidence is None else confidence[mask]
        cloud[4][here] = number
    return DensePoints(*cloud)


def _fresh(
    straights: Mapping[int, Straight], maps: Mapping[int, Maps], others: Mapping[int, Sequence[int]]
) -> dict[int, Bool[np.ndarray, "_ _"]]:
    """Pixels of each view that no view before it has shown."""
    depths = {number: one.depth for number, one in maps.items() if one.depth is not None}
    done = {number: np.zeros(depth.shape, np.bool_) for number, depth in depths.items()}
    fresh: dict[int, Bool[np.ndarray, "_ _"]] = {}
    for number, depth in depths.items():
        fresh[number] = (depth > 0) & ~done.pop(number)
        for other in others[number]:
            if other in done:
                way = across(straights[number], straights[other])
                taken(depth, fresh[number], way, depths[other], done[other])
    return fresh


def _normals(view: Straight, maps: Maps) -> Float32[np.ndarray, "h w 3"]:
    """Towards the camera, in its frame, from how depth changes around each pixel; NaN where that cannot be told."""
    if maps.depth is None:
        return np.full((*view.rgb.shape[:2], 3), np.nan, np.float32)
    right, down = np.moveaxis(slopes(maps.depth), -1, 0)
    return facing(1 / np.maximum(maps.depth, np.float32(1e-12)), right, down, view.px_from_cam)


def _even(shape: tuple[int, ...], share: float) -> Bool[np.ndarray, "h w"]:
    """About that share of the pixels, evenly spread.

    Source: Roberts 2018, a low-discrepancy sequence in the plane, read as a pattern for dithering.
    """
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows * 0.7548776662466927 + columns * 0.5698402909980532) % 1 < share


def _empty(n: int) -> tuple[np.ndarray, ...]:
    """Places for so many points, in the order of ``DensePoints``."""
    kinds = ((n, 3), np.float32), ((n, 3), np.uint8), ((n, 3), np.float32), ((n,), np.float32), ((n,), np.int32)
    return tuple(np.empty(shape, kind) for shape, kind in kinds)
