"""Depth for every placed view of a scene, and the cloud of what they agree on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

import numpy as np
from jaxtyping import Float

from sightline.geometry.rigid import moved
from sightline.model.scene import Maps, Scene
from sightline.model.shots import Shots
from sightline.reconstructors.dense.cloud import agreed, fused
from sightline.reconstructors.dense.depth import Guess, guess
from sightline.reconstructors.dense.neighbours import neighbours
from sightline.reconstructors.dense.straight import Straight, straight

Quality = Literal["sparse", "draft", "normal", "high"]
"""How fine depth is: none at all, or pictures of about 400, 800 or 1600 pixels."""
SIDES_PX: Final = {"draft": 400, "normal": 800, "high": 1600}
"""Longer sides of the pictures that depth is found in."""
_COMPARED: Final = 4
"""Views that one view's depth is sought with."""
_HEARD: Final = 10
"""Views that may agree with it."""
_LEAST_SEEDS: Final = 5


Each = Callable[[str, Callable[[Any], Any], Iterable[Any]], list[Any]]
"""What some work makes of several things, telling of that step; raises EngineError when it is to stop."""


def densified(scene: Scene, shots: Shots, side_px: int, seed: int, each: Each) -> Scene:
    """The scene with depth and confidence of each placed view, and coloured points with normals.

    Raises:
        EngineError: stopped.
    """
    near = neighbours(scene, _HEARD)
    placed = np.flatnonzero(scene.views.is_registered).tolist()

    def straightened(number: int) -> Straight:
        lens = scene.lenses[scene.views.lens[number]]
        return straight(shots.shots[number].read(), lens, scene.views.cam_from_scene[number], side_px)

    straights: dict[int, Straight] = dict(zip(placed, each("straightening", straightened, placed), strict=True))
    seeds = {number: _seeds(scene, number) for number in placed}
    worked = [n for n in placed if len(near[n]) and len(seeds[n]) >= _LEAST_SEEDS]

    def guessed(number: int) -> Guess:
        compared = [straights[other] for other in near[number][:_COMPARED]]
        return guess(straights[number], compared, seeds[number], np.random.default_rng([seed, number]))

    guesses: dict[int, Guess] = dict(zip(worked, each("depth", guessed, worked), strict=True))
    others = {number: [other for other in near[number].tolist() if other in guesses] for number in worked}

    def checked(number: int) -> Maps:
        view, pairs = straights[number], [(straights[other], guesses[other]) for other in others[number]]
        depth, confidence = agreed(view, guesses[number], pairs)
        return Maps(view.lens, view.rgb, depth, confidence)

    maps: dict[int, Maps] = dict(zip(worked, each("agreeing", checked, worked), strict=True))
    cloud = fused({number: straights[number] for number in worked}, guesses, maps, others)
    blank = {number: _blank(straights[number]) for number in placed if number not in maps}
    everything: Sequence[Maps | None] = [maps.get(n) or blank.get(n) for n in range(len(scene.views))]
    return replace(scene, maps=tuple(everything), dense=cloud)


def _seeds(scene: Scene, number: int) -> Float[np.ndarray, "n 3"]:
    """Points that the view sees, in its camera's frame."""
    point = np.repeat(np.arange(len(scene.sparse)), np.diff(scene.sparse.track_start))
    mine = np.unique(point[scene.sparse.track_view == number])
    xyz = moved(scene.views.cam_from_scene[number], scene.sparse.xyz_scene[mine])
    return xyz[xyz[:, 2] > 0]


def _blank(view: Straight) -> Maps:
    """A view with a place, but nobody to compare it with."""
    nothing = np.zeros((view.lens.height, view.lens.width), np.float32)
    return Maps(view.lens, view.rgb, nothing, nothing)
