"""From what each view thinks to what views agree on: depth with confidence, and one cloud."""

from collections.abc import Mapping, Sequence
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32

from sightline.geometry.lens import points
from sightline.model.scene import DensePoints, Maps
from sightline.reconstructors.dense.agreeing import heard, taken
from sightline.reconstructors.dense.depth import Guess
from sightline.reconstructors.dense.straight import Straight

_LEAST_ALIKE: Final = 0.3
"""Pictures that look less alike say nothing, whoever agrees."""
_LEAST_AGREEING: Final = 2
"""So many others must agree; where there are fewer, all of them."""
_SPECK_PX: Final = 30
"""Fewer connected pixels are chance."""


def agreed(
    view: Straight, guessed: Guess, others: Sequence[tuple[Straight, Guess]]
) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """Depth, 0 where others do not agree, and confidence: how many do times how alike the pictures look."""
    count = np.ones(guessed.depth.shape, np.int32)
    total = guessed.depth.astype(np.float32)
    for other, theirs in others:
        heard(guessed.depth, across(view, other), theirs.depth, across(other, view), count, total)
    alike = guessed.alike.astype(np.float32) / np.float32(255)
    known = (count > max(1, min(_LEAST_AGREEING, len(others)))) & (alike > _LEAST_ALIKE)
    known &= _connected(known, guessed.depth)
    depth = np.where(known, total / count.astype(np.float32), np.float32(0))
    return depth, np.where(known, (count - 1).astype(np.float32) * alike, np.float32(0))


def across(view: Straight, other: Straight) -> Float[np.ndarray, "3 4"]:
    """Takes (x, y, 1) times depth, and 1, to the other's (x, y, 1) times its depth."""
    motion = other.cam_from_scene @ np.linalg.inv(view.cam_from_scene)
    matrix = np.empty((3, 4))
    matrix[:, :3] = other.px_from_cam @ motion[:3, :3] @ np.linalg.inv(view.px_from_cam)
    matrix[:, 3] = other.px_from_cam @ motion[:3, 3]
    return matrix


def _connected(known: Bool[np.ndarray, "h w"], depth: Float32[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Those that are no specks: pieces end where depth jumps."""
    # Steps of a percent are steps of one here; 0 is for the unknown.
    evenly = np.where(known, np.clip(np.log(np.maximum(depth, 1e-12)) * 100, -15000, 15000), 20000)
    marked = np.ascontiguousarray(evenly, np.int16)
    cv2.filterSpeckles(marked, 20000, _SPECK_PX, 3)
    return marked != 20000


def fused(
    straights: Mapping[int, Straight], guesses: Mapping[int, Guess], maps: Mapping[int, Maps],
    others: Mapping[int, Sequence[int]],
) -> DensePoints:  # fmt: skip
    """One point per thing: what an earlier view has seen is left out of the later ones'."""
    done = {number: np.zeros(guesses[number].depth.shape, np.bool_) for number in straights}
    parts: list[tuple[np.ndarray, ...]] = []
    for number, view in straights.items():
        depth, confidence = maps[number].depth, maps[number].depth_confidence
        if depth is None or confidence is None:
            continue
        fresh = (depth > 0) & ~done.pop(number)
        for other in others[number]:
            theirs = maps[other].depth
            if theirs is not None and other in done:
                taken(depth, fresh, across(view, straights[other]), theirs, done[other])
        xyz = points(maps[number], view.cam_from_scene)[fresh]
        normal = guesses[number].normal_cam[fresh].astype(np.float32)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1)
        normal = normal @ view.cam_from_scene[:3, :3].astype(np.float32)
        parts.append((xyz, view.rgb[fresh], normal, confidence[fresh], np.full(len(xyz), number, np.int32)))
    if not parts:
        return DensePoints.none()
    return DensePoints(*(np.concatenate(column) for column in zip(*parts, strict=True)))
