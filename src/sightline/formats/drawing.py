"""Boxes, numbers and trails, drawn into pictures. Sizes grow with the picture."""

import colorsys
import itertools
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, Int

from sightline.model.arrays import Image
from sightline.model.tracks import UNTRACKED, Tracks

Trail = tuple[int, Float[np.ndarray, "_ 2"], Float[np.ndarray, " _"]]
"""A track's number, where its feet were, oldest first, and how fresh that is: 1 is now, 0 gone."""
_GOLDEN = 0.618033988749895
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_PX = 22
"""Height of the font at scale 1."""
_SUB = 3
"""Bits behind the point of drawn coordinates."""
_GREY = (150, 150, 150)
_SMOOTH = cv2.LINE_AA
_STEPS = 5
"""In how many shades a trail fades."""
_EDGES = np.array([-np.inf, *(np.arange(1, _STEPS) / _STEPS), np.inf])


@lru_cache(maxsize=65536)
def colour(number: int) -> tuple[int, int, int]:
    """The colour of a track, red first: always the same, and far from those of the numbers next to it."""
    if number < 0:
        return _GREY
    hue = (number * _GOLDEN) % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.75 if number % 2 else 0.55, 1.0 if number % 3 else 0.82)
    return int(red * 255), int(green * 255), int(blue * 255)


def drawn(rgb: Image, rows: Tracks, trails: Sequence[Trail] = ()) -> Image:
    """A copy of the picture with trails, boxes and labels; the picture itself is left as it was.

    A box has its track's colour; one that was filled in is dashed. Rows with NaN are left out.
    Labels say the number, and the class where there are several classes.
    """
    canvas = rgb.copy()
    line = thickness(*rgb.shape[:2])
    _draw_trails(canvas, trails, line)
    sound = rows.rows(np.isfinite(rows.xyxy_px).all(axis=1))
    limit = 4 * max(rgb.shape[:2])
    xyxy = np.clip(sound.xyxy_px, -limit, limit)
    for k in np.argsort(xyxy[:, 3], kind="stable"):  # the nearest last, on top
        shade = colour(int(sound.number[k]))
        _draw_box(canvas, xyxy[k], shade, line, dashed=bool(sound.detection[k] == UNTRACKED))
    _draw_labels(canvas, sound, xyxy, line)
    return canvas


def thickness(height: int, width: int) -> int:
    """How many pixels thick lines are in a picture of that size."""
    return max(1, round(min(height, width) / 400))


def _fixed(xy: Float[np.ndarray, "*k 2"]) -> Int[np.ndarray, "*k 2"]:
    """Pixels as OpenCV counts them, with parts of pixels; its pixel centres are whole numbers, ours end in .5."""
    return np.rint((xy - 0.5) * (1 << _SUB)).astype(np.int32)


def _draw_trails(canvas: Image, trails: Sequence[Trail], line: int) -> None:
    """A few polylines per trail, the older the darker."""
    for number, feet, fresh in trails:
        points, (red, green, blue) = _fixed(feet), colour(number)
        starts = np.searchsorted(fresh, _EDGES).tolist()
        for level, (start, stop) in enumerate(itertools.pairwise(starts)):
            part = points[max(0, start - 1) : stop]
            if start < stop and len(part) > 1:
                dim = 0.4 + 0.6 * (level + 1) / _STEPS
                shade = (int(red * dim), int(green * dim), int(blue * dim))
                cv2.polylines(canvas, [part], isClosed=False, color=shade, thickness=line, lineType=_SMOOTH, shift=_SUB)


def _draw_box(
    canvas: Image, xyxy: Float[np.ndarray, " 4"], shade: tuple[int, int, int], line: int, *, dashed: bool
) -> None:
    x1, y1, x2, y2 = _fixed(xyxy.reshape(2, 2)).ravel().tolist()
    if not dashed:
        cv2.rectangle(canvas, (x1, y1), (x2, y2), shade, line, _SMOOTH, _SUB)
        return
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])
    cv2.polylines(canvas, _dashes(corners, (8 * line) << _SUB), False, shade, line, _SMOOTH, _SUB)


def _dashes(corners: Int[np.ndarray, "4 2"], length: int) -> list[Int[np.ndarray, "2 2"]]:
    """Short strokes along the sides, as many as fit."""
    strokes = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        n = max(1, min(200, int(np.abs(end - start).max()) // (2 * length)))
        at = np.arange(n)[:, None]
        begin = start + (end - start) * (at + 0.25) / n
        stop = start + (end - start) * (at + 0.75) / n
        strokes += list(np.stack([begin, stop], axis=1).astype(np.int32))
    return strokes


def _draw_labels(canvas: Image, rows: Tracks, xyxy: Float[np.ndarray, "n 4"], line: int) -> None:
    """A small plate above each box, its text black or white, whichever reads better."""
    height, width = canvas.shape[:2]
    scale = max(0.32, min(height, width) / 1300)
    weight = max(1, round(scale * 1.6))
    pad = max(1, round(scale * 5))
    tall = round(scale * _FONT_PX)
    for k in np.argsort(xyxy[:, 3], kind="stable"):
        text = _label(rows, int(k))
        if not text:
            continue
        shade = colour(int(rows.number[k]))
        (wide, _), _ = cv2.getTextSize(text, _FONT, scale, weight)
        x = int(np.clip(xyxy[k, 0] - line / 2, 0, max(0, width - wide - 2 * pad)))
        y = int(np.clip(xyxy[k, 1] - line / 2, tall + 2 * pad, height))
        cv2.rectangle(canvas, (x, y - tall - 2 * pad), (x + wide + 2 * pad, y), shade, -1)
        ink = (0, 0, 0) if np.dot(shade, (0.299, 0.587, 0.114)) > 120 else (255, 255, 255)
        cv2.putText(canvas, text, (x + pad, y - pad), _FONT, scale, ink, weight, cv2.LINE_AA)


def _label(rows: Tracks, k: int) -> str:
    """The number, and the class where it says something."""
    number = str(rows.number[k]) if rows.number[k] >= 0 else ""
    name = rows.classes[rows.label[k]] if len(rows.classes) > 1 else ""
    return f"{number} {name}".strip().encode("ascii", "replace").decode()
