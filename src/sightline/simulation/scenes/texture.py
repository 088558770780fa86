"""What surfaces look like from near: bricks, print, cloth, fields, each surface's unlike any other's."""

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from sightline.model.arrays import Image
from sightline.simulation.rendering.finishes import colours
from sightline.simulation.rendering.noise import fractal, tile

Look = Float32[np.ndarray, "h w 3"]
Level = UInt8[np.ndarray, "_ _ 3"]
"""A texture, whatever its size."""
Paint = Callable[[int, int, float, tuple[int, int, int], np.random.Generator], Look]
"""Height and width in texels, texels per metre, main colour."""
_GRAIN, _BLOTCHES = (1, 2, 4), (9, 24, 70, 200)
LARGEST = 3072
"""Texels along the longest side."""


def texture(
    finish: str, size_m: tuple[float, float], per_m: float, rgb: tuple[int, int, int], rng: np.random.Generator
) -> Look:
    """Colours 0 to 255 before any light, the top row first."""
    per_m = min(per_m, LARGEST / max(size_m))
    width, height = (max(8, round(side * per_m)) for side in size_m)
    painted = (
        _FINISHES[finish](height, width, per_m, rgb, rng)
        if finish in _FINISHES
        else _walls(finish, height, width, per_m, rgb, rng)
    )
    worn = 1 + 0.05 * fractal(height, width, _GRAIN, rng) + 0.075 * fractal(height, width, _BLOTCHES, rng)
    return np.clip(painted * worn[..., None], 0, 255).astype(np.float32)


def _walls(finish: str, h: int, w: int, per_m: float, rgb: tuple[int, int, int], rng: np.random.Generator) -> Look:
    """What walls of the site with cameras are made of, by its name there."""
    across, up = np.meshgrid((np.arange(w) + 0.5) / per_m, (h - np.arange(h) - 0.5) / per_m)
    along = across.ravel().astype(np.float32) + np.float32(rng.uniform(0, 500))
    flat = colours(finish, along, up.ravel().astype(np.float32), rgb, tile(rng))
    return flat.reshape(h, w, 3).astype(np.float32)


def _plain(h: int, w: int, rgb: tuple[int, int, int]) -> Look:
    return np.full((h, w, 3), rgb, np.float32)


def _stone(h: int, w: int, _: float, rgb: tuple[int, int, int], rng: np.random.Generator) -> Look:
    """Speckled, with veins."""
    vein = np.exp(-np.abs(fractal(h, w, (12, 40, 90), rng)) * 9)[..., None]
    speckle = fractal(h, w, (2, 3, 6), rng)[..., None]
    tint = np.stack([fractal(h, w, (30, 80), rng) for _ in range(3)], axis=-1)
    return _plain(h, w, rgb) * (1 + 0.16 * speckle - 0.35 * vein) + 9 * tint


def _carpet(h: int, w: int, per_m: float, rgb: tuple[int, int, int], rng: np.random.Generator) -> Look:
    """Woven, with many small ornaments, no two alike."""
    out = _bytes(_plain(h, w, rgb) * (1 + 0.12 * fractal(h, w, (2, 3), rng)[..., None]))
    for _ in range(int(60 * h * w / per_m**2) + 30):
        at, size = (int(rng.integers(w)), int(rng.integers(h))), max(3, int(per_m * rng.uniform(0.01, 0.07)))
        colour = [float(c) for c in rng.uniform(20, 235, 3)]
        corners = at + size * rng.uniform(0.4, 1, (6, 1)) * _star(6, rng.uniform(0, 6))
        cv2.fillPoly(out, [corners.astype(np.int32)], colour, cv2.LINE_AA)
        cv2.circle(out, at, max(1, size // 4), [float(c) for c in rng.uniform(20, 235, 3)], -1, cv2.LINE_AA)
    return out.astype(np.float32)


def _bytes(look: Look) -> Image:
    """As the drawing of curves and letters needs it."""
    return np.clip(look, 0, 255).astype(np.uint8)


def _star(n: int, turn: float) -> np.ndarray:
    angle = turn + 2 * np.pi * np.arange(n) / n
    return np.column_stack([np.cos(angle), np.sin(angle)])


def _print(h: int, w: int, _: float, rgb: tuple[int, int, int], rng: np.random.Generator) -> Look:
    """A box with print: headings, pictures, lines of small letters."""
    out = _bytes(_plain(h, w, rgb))
    for _ in range(6):
        x, y = rng.uniform(0, 0.8, 2) * (w, h)
        far = np.array([x, y]) + rng.uniform(0.12, 0.4, 2) * (w, h)
        colour = [float(c) for c in rng.uniform(30, 240, 3)]
        cv2.rectangle(out, (int(x), int(y)), tuple(int(c) for c in far), colour, -1)
    _letters(out, rng, 9, 0.13)
    _letters(out, rng, 90, 0.035)
    return out.astype(np.float32)


def _letters(out: Image, rng: np.random.Generator, n: int, share: float) -> None:
    """Words anywhere, their letters so high as a share of the shorter side."""
    h, w = out.shape[:2]
    for _ in range(n):
        word = "".join(chr(c) for c in rng.integers(65, 91, int(rng.integers(3, 9))))
        scale = max(0.25, min(h, w) * share * rng.uniform(0.6, 1.3) / 22)
        at = int(rng.uniform(-0.1, 0.85) * w), int(rng.uniform(0.04, 1) * h)
        colour = [float(c) for c in rng.choice([25, 60, 215, 245]) * rng.uniform(0.8, 1.04, 3)]
        face, thick = int(rng.choice([0, 2, 3, 4])), max(1, round(scale * 1.6))
        cv2.putText(out, word, at, face, scale, colour, thick, cv2.LINE_AA)


def _books(h: int, w: int, per_m: float, rgb: tuple[int, int, int], rng: np.random.Generator) -> Look:
    """Shelves with backs of books."""
    out = _plain(h, w, rgb) * 0.35
    rows = max(1, round(h / per_m / 0.34))
    for low in np.linspace(h, 0, rows, endpoint=False):
        x, top = 0.01 * per_m, low - h / rows
        while x < w:
            wide, high = per_m * rng.uniform(0.018, 0.06), (low - top) * rng.uniform(0.62, 0.9)
            colour = rng.uniform(25, 225, 3)
            a, b = (int(x), int(low - high)), (int(x + wide), int(low - 0.03 * per_m))
            cv2.rectangle(out, a, b, colour.tolist(), -1)
            for band in rng.uniform(0.1, 0.9, 3):
                y = int(low - high * band)
                cv2.line(out, (a[0] + 1, y), (b[0] - 1, y), (255 - colour).tolist(), max(1, int(0.008 * per_m)))
            x += wide * rng.uniform(1.0, 1.25)
    return out


def _posters(h: int, w: int, per_m: float, rgb: tuple[int, int, int], rng: np.random.Generator) -> Look:
    """A plastered wall with pictures hung on it."""
    out = _plain(h, w, rgb) * (1 + 0.05 * fractal(h, w, (5, 15, 60), rng)[..., None])
    for _ in range(int(0.9 * h * w / per_m**2) + 1):
        high, wide = (max(10, int(per_m * rng.uniform(0.35, 0.9))) for _ in range(2))
        if high + 2 >= h or wide + 2 >= w:
            continue
        y, x = int(rng.integers(0, h - high)), int(rng.integers(0, w - wide))
        red, green, blue = (int(c) for c in rng.integers(60, 230, 3))
        out[y : y + high, x : x + wide] = 35
        edge = max(1, int(0.02 * per_m))
        inner = out[y + edge : y + high - edge, x + edge : x + wide - edge]
        paint: Paint = _print if rng.random() < 0.5 else _stone
        inner[:] = paint(inner.shape[0], inner.shape[1], per_m, (red, green, blue), rng)
    return out


def _meadow(h: int, w: int, per_m: float, rgb: tuple[int, int, int], rng: np.random.Generator) -> Look:
    """Fields of several greens and browns, tracks between them, bushes."""
    out = _plain(h, w, rgb)
    where = np.stack(np.meshgrid(np.arange(w), np.arange(h)), axis=-1).astype(np.float32)
    bend = np.stack([fractal(h, w, (60, 160), rng) for _ in range(2)], axis=-1) * np.float32(0.6 * per_m)
    seeds = (rng.uniform(0, 1, (14, 2)) * (w, h)).astype(np.float32)
    distance = np.stack([np.linalg.norm(where + bend - seed, axis=-1) for seed in seeds])
    field = distance.argmin(axis=0)
    out *= rng.uniform([0.7, 0.75, 0.6], [1.3, 1.1, 1.1], (14, 3)).astype(np.float32)[field]
    first, second = np.partition(distance, 1, axis=0)[:2]
    out[second - first < 1.6 * per_m] = (150, 138, 116)
    out *= (1 + 0.13 * fractal(h, w, (2, 4, 8, 20), rng) + 0.1 * fractal(h, w, (40, 100), rng))[..., None]
    drawn = _bytes(out)
    for _ in range(int(0.05 * h * w / per_m**2)):
        at, radius = (int(rng.integers(w)), int(rng.integers(h))), max(1, int(per_m * rng.uniform(0.2, 0.8)))
        tone = rng.uniform(0.35, 0.8)
        cv2.circle(drawn, at, radius, (70 * tone, 95 * tone, 50 * tone), -1, cv2.LINE_AA)
    return drawn.astype(np.float32)


def _roof(h: int, w: int, per_m: float, rgb: tuple[int, int, int], rng: np.random.Generator) -> Look:
    """Tiles in rows of slightly different reds, hatches, patches of moss."""
    across, down = np.meshgrid(np.arange(w) / per_m / 0.55, np.arange(h) / per_m / 0.7)
    row = down.astype(int)
    column = (across + 0.5 * (row % 2)).astype(int)
    tone = rng.uniform(0.7, 1.25, (row.max() + 1, column.max() + 1)).astype(np.float32)[row, column]
    out = _plain(h, w, rgb) * (tone * np.where(down % 1 < 0.14, 0.55, 1).astype(np.float32))[..., None]
    moss = np.clip(fractal(h, w, (8, 25), rng) - 0.7, 0, 1)[..., None]
    out = (out * (1 - moss) + moss * np.array([72, 84, 52])).astype(np.float32)
    for _ in range(5):
        x, y = rng.uniform(0.05, 0.85, 2) * (w, h)
        far = np.array([x, y]) + rng.uniform(0.5, 1.6, 2) * per_m
        colour = [float(c) for c in rng.uniform(40, 220) * np.ones(3)]
        cv2.rectangle(out, (int(x), int(y)), tuple(int(c) for c in far), colour, -1)
    return out


_FINISHES: dict[str, Paint] = {
    "stone": _stone,
    "carpet": _carpet,
    "print": _print,
    "books": _books,
    "gallery": _posters,
    "meadow": _meadow,
    "roof": _roof,
}


def levels(look: Look) -> list[Level]:
    """The texture at full size, half, a quarter and so on, down to a few texels."""
    out = [look]
    while min(out[-1].shape[:2]) >= 8:
        h, w = out[-1].shape[:2]
        out.append(cv2.resize(out[-1], ((w + 1) // 2, (h + 1) // 2), interpolation=cv2.INTER_AREA))
    return [np.rint(np.clip(level, 0, 255)).astype(np.uint8) for level in out]
