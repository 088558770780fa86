"""What walls, crates and leaves are made of: colours of points on upright surfaces."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from sightline.simulation.rendering.noise import Colours, Field, at, hashed

Flat = Float[np.ndarray, " n"]
"""One value per point."""
Finish = Callable[[Flat, Flat, Colours, Field], Colours]
"""Points along and up a surface in metres, its main colour, and a noise tile, to colours from 0 to 255."""


def colours(finish: str, u_m: Flat, v_m: Flat, rgb: tuple[int, int, int], grain: Field) -> Colours:
    """Colours of points on a surface: ``u_m`` along it, ``v_m`` above the ground."""
    base = np.broadcast_to(np.array(rgb, np.float32), (len(u_m), 3))
    return np.clip(_FINISHES[finish](u_m, v_m, base, grain), 0, 255)


def _plain(u: Flat, v: Flat, base: Colours, grain: Field) -> Colours:
    """Render: even, a little cloudy, darker at the foot where the rain splashes."""
    cloudy = 1 + 0.035 * at(grain, u * 14, v * 14) + 0.03 * at(grain, u * 90, v * 90)
    foot = 1 - 0.18 * np.exp(-v / 0.35)
    return base * (cloudy * foot)[:, None]


def _brick(u: Flat, v: Flat, base: Colours, grain: Field) -> Colours:
    """Courses of bricks in mortar."""
    course = np.floor(v / 0.09).astype(np.int64)
    along = u / 0.26 + 0.5 * (course % 2)
    brick = np.floor(along).astype(np.int64)
    tone = 0.84 + 0.3 * hashed(brick, course)
    joint = ((along - brick) < 0.06) | ((v / 0.09 - course) < 0.16)
    face = base * tone[:, None]
    mortar = np.array([182, 172, 160], np.float32)
    return _plain(u, v, np.where(joint[:, None], 0.45 * face + 0.55 * mortar, face), grain)


def _facade(u: Flat, v: Flat, base: Colours, grain: Field) -> Colours:
    """A house front: bricks where it is red, plaster elsewhere; rows of windows with frames and sills."""
    wall = _brick(u, v, base, grain) if base[0, 0] > 1.5 * base[0, 2] else _plain(u, v, base, grain)
    wall = np.where((v < 0.55)[:, None], 0.62 * wall, wall)
    bay, storey = np.floor(u / 2.6).astype(np.int64), np.floor(v / 3.0).astype(np.int64)
    x, y = u - bay * 2.6, v - storey * 3.0
    frame = (np.abs(x - 1.3) < 0.68) & (y > 0.95) & (y < 2.45)
    glass = (np.abs(x - 1.3) < 0.6) & (np.abs(x - 1.3) > 0.03) & (y > 1.03) & (y < 2.37)
    sill = (np.abs(x - 1.3) < 0.78) & (y > 0.86) & (y <= 0.95)
    mood = hashed(bay, storey + 7)
    sky = 0.45 + 0.5 * (y - 0.95) / 1.5 + 0.25 * (mood - 0.5)
    pane = sky[:, None] * np.array([98, 116, 134], np.float32)
    blind = (mood > 0.7) & (y > 2.4 - 1.2 * (mood - 0.65) / 0.35)
    pane = np.where(blind[:, None], np.array([206, 200, 186], np.float32), pane)
    wall = np.where(frame[:, None], np.array([226, 224, 218], np.float32), wall)
    wall = np.where(sill[:, None], np.array([168, 164, 156], np.float32), wall)
    return np.where(glass[:, None], pane, wall)


def _container(u: Flat, v: Flat, base: Colours, grain: Field) -> Colours:
    """Corrugated steel, with rust."""
    rib = 1 + 0.17 * np.sin(u * (2 * np.pi / 0.28))
    rust = np.clip(at(grain, u * 9, v * 16) - 1.1, 0, 1)[:, None]
    edge = (v % 2.6 < 0.14) | (v % 2.6 > 2.46)
    steel = base * np.where(edge, 0.8, rib)[:, None]
    return _plain(u, v + 1, steel * (1 - 0.6 * rust) + 0.6 * rust * np.array([112, 66, 42], np.float32), grain)


def _ribbed(u: Flat, v: Flat, base: Colours, grain: Field) -> Colours:
    """Profiled sheet metal."""
    return _plain(u, v, base * (1 + 0.08 * np.sign(np.sin(u * (2 * np.pi / 0.4))))[:, None], grain)


def _wood(u: Flat, v: Flat, base: Colours, grain: Field) -> Colours:
    """Planks, one above the other."""
    plank = np.floor(v / 0.14).astype(np.int64)
    gap = (v / 0.14 - plank) < 0.12
    streak = 1 + 0.09 * at(grain, u * 12, v * 160)
    return base * (streak * (0.86 + 0.24 * hashed(plank, plank)) * np.where(gap, 0.45, 1.0))[:, None]


def _posters(u: Flat, v: Flat, base: Colours, grain: Field) -> Colours:
    """Bills in bright colours on a plain ground."""
    column, row = np.floor(u / 0.72).astype(np.int64), np.floor(v / 0.98).astype(np.int64)
    x, y = u / 0.72 - column, v / 0.98 - row
    inside = (x > 0.07) & (x < 0.93) & (y > 0.06) & (y < 0.94) & (v > 0.5)
    hue = hashed(column + 3, row + 11)
    bright = np.stack([0.5 + 0.5 * np.cos(6.283 * (hue + shift)) for shift in (0.0, 0.35, 0.68)], axis=1)
    bill = 70 + 150 * bright * np.where((y > 0.55) & (y < 0.7), 0.35, 1.0)[:, None]
    bill = np.where((np.hypot(x - 0.5, (y - 0.3) * 1.3) < 0.2)[:, None], 240 - 0.6 * bill, bill)
    return np.where(inside[:, None], bill.astype(np.float32), _plain(u, v, base, grain))


def _kiosk(u: Flat, v: Flat, base: Colours, grain: Field) -> Colours:
    """Painted boards, a dark window, a stripe under the roof."""
    window = (v > 1.0) & (v < 1.95) & (u % 1.4 > 0.16)
    pane = np.array([44, 54, 62], np.float32) * (1 + 0.8 * np.clip(v - 1.2, 0, 1))[:, None]
    stripe = (v > 2.2) & (v < 2.5)
    board = _wood(u, v, base, grain)
    board = np.where(stripe[:, None], np.array([222, 186, 92], np.float32), board)
    return np.where(window[:, None], pane, board)


def _leaves(u: Flat, v: Flat, base: Colours, grain: Field) -> Colours:
    """Foliage: light tips, dark gaps."""
    tuft = at(grain, u * 26, v * 26)
    fleck = at(grain, u * 120 + 40, v * 120)
    light = np.clip(0.86 + 0.2 * tuft + 0.16 * fleck, 0.3, 1.6)
    warm = np.array([1.12, 1.0, 0.8], np.float32)
    return base * light[:, None] * np.where((tuft > 0.7)[:, None], warm, 1.0)


def _bark(u: Flat, v: Flat, base: Colours, grain: Field) -> Colours:
    """Furrows that run up the trunk."""
    return base * np.clip(1 + 0.22 * at(grain, u * 110, v * 14), 0.5, 1.5)[:, None]


def _dark(u: Flat, v: Flat, base: Colours, grain: Field) -> Colours:
    """The inside of a passage."""
    return base * np.clip(0.5 + 0.05 * at(grain, u * 20, v * 20), 0.3, 0.8)[:, None]


_FINISHES: dict[str, Finish] = {
    "plaster": _plain,
    "concrete": _plain,
    "metal": _plain,
    "brick": _brick,
    "facade": _facade,
    "container": _container,
    "ribbed": _ribbed,
    "wood": _wood,
    "posters": _posters,
    "kiosk": _kiosk,
    "hedge": _leaves,
    "leaves": _leaves,
    "bark": _bark,
    "dark": _dark,
}
