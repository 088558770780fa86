"""What each mover looks like: the same for as long as it exists, in every camera, whenever it returns."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Rgb = tuple[float, float, float]
Palette = tuple[tuple[int, int, int], ...]
_SKIN = ((236, 198, 172), (222, 178, 146), (198, 146, 112), (156, 108, 78), (112, 76, 56), (84, 58, 44))
_HAIR = ((34, 28, 26), (52, 38, 30), (92, 62, 40), (140, 100, 58), (196, 160, 104), (150, 148, 146), (120, 50, 32))
_TOP = (
    (46, 62, 96), (178, 52, 48), (228, 226, 220), (62, 66, 70), (72, 112, 84), (222, 172, 62), (124, 156, 190),
    (112, 62, 96), (206, 120, 60), (34, 36, 42), (154, 148, 132), (34, 118, 134), (236, 190, 196), (96, 84, 52),
)  # fmt: skip
_BOTTOM = ((42, 52, 78), (38, 38, 42), (96, 92, 84), (148, 130, 100), (70, 88, 118), (60, 50, 44), (120, 124, 128))
_SHOE = ((40, 36, 34), (226, 224, 220), (98, 68, 46), (60, 62, 70))
_BAG = ((40, 44, 52), (150, 52, 44), (60, 92, 74), (168, 130, 82))
_PAINT = ((176, 30, 34), (222, 222, 220), (38, 66, 122), (150, 154, 158), (34, 36, 40), (62, 110, 92), (226, 168, 40))


@dataclass(frozen=True, slots=True)
class Look:
    """A person's body and clothes, or a vehicle's paint and its rider's."""

    height_m: float
    """Tall, shoes included."""
    girth: float
    """Breadth, 1 for average."""
    skin: Rgb
    """Colour of face and hands."""
    hair: Rgb
    """Colour of the hair, or of the cap."""
    top: Rgb
    """Colour of shirt, jumper or coat."""
    bottom: Rgb
    """Colour of trousers or skirt."""
    shoe: Rgb
    """Colour of the shoes."""
    bag: Rgb
    """Colour of the bag, or of the scarf of those who carry none."""
    paint: Rgb
    """Colour of the vehicle."""
    head: Literal["short", "long", "bald", "cap", "bun"]
    """What is on the head."""
    legs: Literal["trousers", "shorts", "skirt"]
    """What is on the legs."""
    carries: Literal["nothing", "backpack", "handbag", "satchel"]
    """What hangs from the shoulder or the hand."""
    coat: bool
    """Whether the top reaches down to the thighs."""
    short_sleeves: bool
    """Whether the forearms are bare."""


def looks(n_people: int, n_others: int, rng: np.random.Generator) -> tuple[Look, ...]:
    """Looks of that many people, then of vehicles; colours of tops and paints are dealt out before they repeat."""
    tops = _dealt(_TOP, n_people + n_others, rng)
    paints = _dealt(_PAINT, n_people + n_others, rng)
    return tuple(_look(top, paint, rng) for top, paint in zip(tops, paints, strict=True))


def _dealt(colours: Palette, n: int, rng: np.random.Generator) -> list[Rgb]:
    """``n`` colours, each a little off, all before any twice."""
    order = np.concatenate([rng.permutation(len(colours)) for _ in range(n // len(colours) + 1)])[:n]
    return [_near(colours[i], rng) for i in order]


def _near(rgb: tuple[int, int, int], rng: np.random.Generator) -> Rgb:
    """A colour close to this one."""
    r, g, b = np.clip(np.array(rgb) * rng.uniform(0.9, 1.08) + rng.uniform(-6, 6, 3), 12, 245)
    return float(r), float(g), float(b)


def _look(top: Rgb, paint: Rgb, rng: np.random.Generator) -> Look:
    def one(colours: Palette) -> Rgb:
        return _near(colours[rng.integers(len(colours))], rng)

    return Look(
        height_m=float(np.clip(rng.normal(1.74, 0.09), 1.55, 1.95)), girth=float(rng.uniform(0.92, 1.14)),
        skin=one(_SKIN), hair=one(_HAIR), top=top, bottom=one(_BOTTOM), shoe=one(_SHOE), bag=one(_BAG), paint=paint,
        head=rng.choice(["short", "long", "bald", "cap", "bun"], p=[0.42, 0.22, 0.06, 0.16, 0.14]),
        legs=rng.choice(["trousers", "shorts", "skirt"], p=[0.72, 0.12, 0.16]),
        carries=rng.choice(["nothing", "backpack", "handbag", "satchel"], p=[0.4, 0.26, 0.16, 0.18]),
        coat=bool(rng.random() < 0.3), short_sleeves=bool(rng.random() < 0.3),
    )  # fmt: skip
