"""A reconstruction laid into the world by where its pictures are said to have been taken, as far as that can be told.

A camera's position from GPS is metres wrong. Round a table that says nothing, along a street it says how large things
are but not how they are turned about the street, over a field it says all.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from sightline.geometry.rigid import inverse, moved
from sightline.geometry.umeyama import Similar, is_line, robust_umeyama, scale_of
from sightline.model.scene import Scale
from sightline.model.shots import Shots

LEAST_GIVEN: Final = 2
"""With fewer poses that are known there is no length, and nothing to see depth with."""
_LEAST: Final = 3
"""Fewer positions do not lay a reconstruction upon them."""
_MANY: Final = 8
"""With so many positions, some may be quite wrong; with fewer, one that is wrong cannot be told from the others."""
_UNSURE: Final = 0.1
"""A scale that may be wrong by this share is not known, nor is a direction that may be wrong by so many radians."""
_MEDIAN: Final = 1.538
"""Median length of a vector of three normal numbers with deviation 1."""
Poses = Float[np.ndarray, "k 4 4"]


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """How the model lies in the scene's frame."""

    scene_from_model: Similar
    """Takes one to the other."""
    scale: Scale
    """What the unit comes from."""
    in_world: bool = False
    """Whether the scene's frame is the world's."""
    why: str = ""
    """What was not used of the positions that are known, and why; empty: there are none, or all was."""


def laid(shots: Shots, poses: Poses, placed: Bool[np.ndarray, " k"], xyz: Float[np.ndarray, "n 3"]) -> Laid:
    """Upon known positions as far as they say something; else with the first camera as the frame.

    ``poses`` are the views' ``cam_from_model``. Without metres, the unit is the mean distance of the points ``xyz``
    from the first camera.
    """
    if not placed.any():
        return Laid(np.eye(4), Scale.UNKNOWN)
    first = poses[np.flatnonzero(placed)[0]]
    mean = float(np.linalg.norm(moved(first, xyz), axis=1).mean()) if len(xyz) else 1.0
    alone = Laid(_scaled(first, 1 / mean), Scale.UNKNOWN)
    given = np.array([np.full(3, np.nan) if shot.eye_world_m is None else shot.eye_world_m for shot in shots.shots])
    known = placed & np.isfinite(given).all(axis=1)
    if not known.any():
        return alone
    if known.sum() < _LEAST:
        return Laid(alone.scene_from_model, alone.scale, why=f"{known.sum()} positions known, it takes {_LEAST}")
    eyes = np.array([inverse(pose)[:3, 3] for pose in poses[known]])
    return _upon(eyes, given[known], first, shots.unit or Scale.GPS) or Laid(
        alone.scene_from_model, alone.scale, why="the positions known scatter too much, for how far the camera moved"
    )


def _upon(
    eyes: Float[np.ndarray, "n 3"], given: Float[np.ndarray, "n 3"], first: Float[np.ndarray, "4 4"], scale: Scale
) -> Laid | None:
    """Laid upon the positions; upon nothing but their scale where they leave the turn open; None: upon nothing."""
    world_from_model = robust_umeyama(eyes, given, np.random.default_rng(0))
    factor = scale_of(world_from_model)
    if not np.isfinite(factor) or factor <= 0:
        return None
    off = np.linalg.norm(moved(world_from_model, eyes) - given, axis=1)
    n, free = 3 * len(eyes), 3 * len(eyes) - 7  # a similarity has seven numbers
    wrong = (
        float(np.median(off)) / _MEDIAN * np.sqrt(n / free) if len(eyes) >= _MANY else np.sqrt((off**2).sum() / free)
    )
    along = factor * np.linalg.svd(eyes - eyes.mean(axis=0), compute_uv=False)
    if wrong > _UNSURE * np.linalg.norm(along):
        return None
    if is_line(eyes) or is_line(given) or wrong > _UNSURE * np.linalg.norm(along[1:]):
        return Laid(_scaled(first, factor), scale, why="the positions known are on a line: they tell scale alone")
    return Laid(world_from_model, scale, in_world=True)


def _scaled(first: Float[np.ndarray, "4 4"], factor: float) -> Similar:
    """To the frame of the first camera, in another unit."""
    return first * np.array([[factor], [factor], [factor], [1.0]])
