"""Depth for every placed view of a scene, and the cloud of what they agree on."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

import numpy as np
from jaxtyping import Float

from sightline.geometry.rigid import moved
from sightline.model.scene import Maps, Scene
from sightline.model.shots import Shots
from sightline.reconstructors.at_work import AtWork
from sightline.reconstructors.dense.cloud import agreed, fused
from sightline.reconstructors.dense.depth import Guess, again, guess
from sightline.reconstructors.dense.neighbours import neighbours
from sightline.reconstructors.dense.straight import Straight, sized, straight

Quality = Literal["sparse", "draft", "normal", "high"]
"""How fine depth is: none at all, or pictures of about 400, 800 or 1600 pixels."""
SIDES_PX: Final = {"draft": 400, "normal": 800, "high": 1600}
"""Longer sides of the pictures that depth is found in."""
_COMPARED: Final = 8
"""Views that one view's depth is sought with."""
_HEARD: Final = 10
"""Views that may agree with it."""
_SURELY: Final = 0.75
"""Share of the time left that is planned with: larger pictures take somewhat more than their areas say."""
_LEAST_SEEDS: Final = 5
_LEAST_SIDE_PX: Final = 200
_MOST_MB: Final = 4000
"""Of memory, from the first picture to the last point."""
_BEFORE_MB: Final = 1500
"""What is in memory before depth begins, about: libraries, features, points."""
_KEPT_BYTES: Final = 26
"""For each pixel of each view, at most: its colour, two guesses or one and a map, masks, its part of the cloud."""
_WORKED_BYTES: Final = 140
"""For each pixel of each view that is being worked at."""


def densified(scene: Scene, shots: Shots, side_px: int, seed: int, at_work: AtWork) -> Scene:
    """The scene with depth and confidence of each placed view, and coloured points with normals.

    Raises:
        EngineError: stopped.
    """
    near = neighbours(scene, _HEARD)
    placed = np.flatnonzero(scene.views.is_registered).tolist()

    def straightened(number: int) -> Straight:
        lens = scene.lenses[scene.views.lens[number]]
        return straight(shots.shots[number].read(), lens, scene.views.cam_from_scene[number], side_px)

    straights: dict[int, Straight] = dict(zip(placed, at_work.each("straightening", straightened, placed), strict=True))
    seeds = {number: _seeds(scene, number) for number in placed}
    worked = [n for n in placed if len(near[n]) and len(seeds[n]) >= _LEAST_SEEDS]
    compared = {number: near[number][:_COMPARED].tolist() for number in worked}

    def guessed(number: int) -> Guess:
        rng = np.random.default_rng([seed, number])
        others = [straights[other] for other in compared[number]]
        return guess(straights[number], others, seeds[number], rng, at_work.go_on)

    first: dict[int, Guess] = dict(zip(worked, at_work.each("depth", guessed, worked), strict=True))

    def refined(number: int) -> Guess:
        others = [(straights[other], first[other]) for other in compared[number] if other in first]
        if not others:
            return first[number]
        rng = np.random.default_rng([seed, number, 1])
        return again((straights[number], first[number]), others, seeds[number], rng, at_work.go_on)

    guesses: dict[int, Guess] = dict(zip(worked, at_work.each("refining", refined, worked), strict=True))
    first.clear()
    others = {number: [other for other in near[number].tolist() if other in guesses] for number in worked}

    def checked(number: int) -> Maps:
        view, pairs = straights[number], [(straights[other], guesses[other]) for other in others[number]]
        depth, confidence = agreed(view, guesses[number], pairs)
        return Maps(view.lens, view.rgb, depth, confidence)

    maps: dict[int, Maps] = dict(zip(worked, at_work.each("agreeing", checked, worked), strict=True))
    guesses.clear()
    cloud = fused(straights, maps, others)
    blank = {number: _blank(straights[number]) for number in placed if number not in maps}
    everything: Sequence[Maps | None] = [maps.get(n) or blank.get(n) for n in range(len(scene.views))]
    return replace(scene, maps=tuple(everything), dense=cloud)


def affordable(side_px: int, took_s: float, left_s: float) -> int:
    """The longer side, of the finest at most, that there is time for if ``side_px`` took so long."""
    # Work grows as areas do.
    share = _SURELY * left_s / max(took_s, 1e-3)
    return min(SIDES_PX["high"], int(side_px * max(share, 0.0) ** 0.5))


def fitting(side_px: int, scene: Scene, n_threads: int) -> int:
    """The longer side that pictures may have so that all fits into 4 GB of memory: as given, or less.

    ``n_threads``: so many pictures are worked at at a time.
    """
    placed = np.flatnonzero(scene.views.is_registered)
    lenses = [sized(scene.lenses[number], side_px) for number in scene.views.lens[placed]]
    areas = np.array([lens.width * lens.height for lens in lenses])
    working = np.sort(areas)[::-1][:n_threads].sum()
    needed = _KEPT_BYTES * areas.sum() + _WORKED_BYTES * working
    share = (_MOST_MB - _BEFORE_MB) * 1e6 / max(needed, 1)
    longest = max((max(lens.width, lens.height) for lens in lenses), default=side_px)
    return side_px if share >= 1 else max(_LEAST_SIDE_PX, int(longest * share**0.5))


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
