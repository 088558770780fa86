"""A made-up town: blocks between streets, each a park, a car park, a meadow or houses. It has no end.

Cars keep to the lane next to their block and go round it clockwise, so no two ways cross.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from sightline.simulation.flight.rendered.loops import Loop

BlockKind = Literal["park", "parking", "meadow", "houses"]
KINDS: tuple[BlockKind, ...] = ("park", "parking", "houses", "meadow")
PERIOD_M = (84.0, 68.0)
"""From the middle of a street to the middle of the next, east and north."""
_HALF = (PERIOD_M[0] / 2, PERIOD_M[1] / 2)
_FAR = 1 << 20
"""More blocks than anybody flies over: seeds are not negative."""


def _inward(m: float) -> Loop:
    """The way round a block so far from the middle of the street; all bend about the same points."""
    return Loop((_HALF[0] - m, _HALF[1] - m), 10.5 - m)


LANE, KERBSIDE, KERB = _inward(1.65), _inward(4.4), _inward(5.5)
"""Where cars drive; where they are parked; where the street ends."""
PAVEMENT, INSIDE = _inward(6.8), _inward(8.0)
"""The pavement's middle, and its inner edge."""
WALK = Loop((20.0, 13.0), 11.0)
"""The path round a park."""
BAYS_M = tuple((2.6 * k - 23.4, side) for side in (-8.0, 8.0) for k in range(19))
"""Middles of the bays of a car park."""


@dataclass(frozen=True, slots=True)
class House:
    """A box with a roof."""

    xy_m: tuple[float, float]
    """Its middle."""
    half_m: tuple[float, float]
    """Half its length east and north."""
    height_m: float
    """Of the roof."""
    wall: tuple[float, float, float]
    """Colour of its walls."""
    roof: tuple[float, float, float]
    """Colour of its roof."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A trunk and a crown."""

    xy_m: tuple[float, float]
    """Where it stands."""
    crown_m: float
    """Radius of the crown."""
    height_m: float
    """Of the crown's middle."""
    shade: float
    """How bright its leaves are."""


Block = tuple[int, int]
"""Number of a block east and north; (0, 0) is about the origin."""


def middle_m(block: Block) -> Float[np.ndarray, " 2"]:
    """Where a block is."""
    return np.array([block[0] * PERIOD_M[0], block[1] * PERIOD_M[1]])


def kind_of(block: Block) -> BlockKind:
    """What a block is; those side by side differ."""
    return KINDS[(block[0] + 2 * block[1]) % len(KINDS)]


def houses(block: Block) -> list[House]:
    """Those of a block."""
    if kind_of(block) != "houses":
        return []
    rng, (x, y) = _dice(block, 1), middle_m(block)
    found = []
    for u, v in ((-20.0, 13.0), (0.0, 13.0), (20.0, 13.0), (-20.0, -13.0), (0.0, -13.0), (20.0, -13.0)):
        tone = float(rng.uniform(150, 215))
        wall = (tone, tone * float(rng.uniform(0.88, 0.98)), tone * float(rng.uniform(0.72, 0.92)))
        red = rng.random() < 0.6
        roof = (148.0, 84.0, 66.0) if red else (96.0, 98.0, 104.0)
        off, half = rng.uniform(-1.5, 1.5, 2), rng.uniform([4.5, 3.5], [6.5, 5.0])
        place, size = (float(x + u + off[0]), float(y + v + off[1])), (float(half[0]), float(half[1]))
        found.append(House(place, size, float(rng.uniform(4.5, 8.0)), wall, roof))
    return found


def trees(block: Block) -> list[Tree]:
    """Those of a block: round the park, at the ends of the car park, between the houses."""
    kind = kind_of(block)
    rng, middle = _dice(block, 2), middle_m(block)
    spots = {
        "park": [(u, v) for u in (-27.0, -9.0, 9.0, 27.0) for v in (-18.5, 18.5)] + [(-6.0, 2.0), (8.0, -3.0)],
        "parking": [(-29.0, 0.0), (29.0, 0.0), (-29.0, 15.0), (29.0, -15.0)],
        "houses": [(-10.0, 0.0), (10.0, 1.0), (-30.0, 0.0), (30.0, -2.0), (-10.0, 17.0), (10.0, -17.0)],
        "meadow": [(-20.0, 9.0), (-15.0, 12.0), (18.0, -10.0)],
    }[kind]
    return [
        Tree(
            (float(middle[0] + u + rng.uniform(-1.5, 1.5)), float(middle[1] + v + rng.uniform(-1.0, 1.0))),
            float(rng.uniform(1.8, 3.0)),
            float(rng.uniform(3.2, 5.0)),
            float(rng.uniform(0.8, 1.15)),
        )
        for u, v in spots
    ]


def blocks_about(low_m: Float[np.ndarray, " 2"], high_m: Float[np.ndarray, " 2"]) -> list[Block]:
    """Blocks that reach into a rectangle."""
    first = np.floor((low_m + _HALF) / PERIOD_M).astype(int)
    last = np.floor((high_m + _HALF) / PERIOD_M).astype(int)
    return [(int(i), int(j)) for j in range(first[1], last[1] + 1) for i in range(first[0], last[0] + 1)]


def _dice(block: Block, what: int) -> np.random.Generator:
    """The same for the same block, whichever flight comes by."""
    return np.random.default_rng((block[0] + _FAR, block[1] + _FAR, what))
