"""A heatmap as a picture: where people spent their time, over the site's map or on plain ground."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from sightline.errors import FormatError
from sightline.formats.picture import decoded
from sightline.model.arrays import Image

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_PLAIN_PX = 900
"""Longer side of a picture without a map."""
_PAPER = (246, 246, 244)
_INK = (40, 40, 40)
_ZONE = (30, 110, 200)
_LINE = (200, 60, 30)
_BAR_M = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
_MARGIN_PX = 60
_COLDEST = 0.3
"""Where the colours begin: below they are black."""
Shape = tuple[str, Sequence[tuple[float, float]]]
"""A name, and corners in metres of the map."""


@dataclass(frozen=True, slots=True, eq=False)
class HeatPicture:
    """What is to be drawn; everything in metres of the map."""

    low_m: tuple[float, float]
    """The corner of the first cell with the smallest x and y."""
    cell_m: float
    """Length of a cell's side."""
    seconds: Float[np.ndarray, "rows columns"]
    """Person-seconds by row (y) and column (x)."""
    zones: Sequence[Shape] = ()
    """Outlines to draw."""
    lines: Sequence[Shape] = ()
    """Lines to draw."""
    is_y_down: bool = False
    """Whether y runs down in the picture; only where there is no map to say."""
    under: tuple[Path, Float[np.ndarray, "2 3"]] | None = field(default=None)
    """A picture of the map, and what takes metres of the map to its pixels; None: plain ground."""


def drawn(heat: HeatPicture) -> Image:
    """The picture: the warmer a patch the more time was spent on it, with a scale of both.

    Raises:
        FormatError: the picture of the map cannot be read.
    """
    canvas, px_from_map = _ground(heat)
    if heat.seconds.size and heat.seconds.max() > 0:
        canvas = _warmed(canvas, heat, px_from_map)
    for shapes, shade, closed in ((heat.zones, _ZONE, True), (heat.lines, _LINE, False)):
        for name, corners in shapes:
            points = _px(px_from_map, np.array(corners, np.float64))
            cv2.polylines(canvas, [np.rint(points).astype(np.int32)], closed, shade, 2, cv2.LINE_AA)
            _write(canvas, name, points.mean(axis=0) if closed else points[0], shade)
    _legend(canvas, heat, px_from_map)
    return canvas


def png(rgb: Image) -> bytes:
    """A picture, as a PNG file."""
    _, encoded = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return encoded.tobytes()


def _ground(heat: HeatPicture) -> tuple[Image, Float[np.ndarray, "2 3"]]:
    """What to draw on, and where the map is on it."""
    if heat.under is not None:
        path, px_from_map = heat.under
        try:
            grey = cv2.cvtColor(decoded(path, path.name), cv2.COLOR_RGB2GRAY)
        except OSError as error:
            raise FormatError(f"{path.name}: the map's picture cannot be read ({error.strerror})") from None
        pale = np.uint8(110) + (grey * 0.55).astype(np.uint8)  # colours belong to the heat
        return np.repeat(pale[..., None], 3, axis=2), px_from_map
    corners = [np.array(heat.low_m), np.array(heat.low_m) + heat.cell_m * np.array(heat.seconds.shape[::-1])]
    corners += [np.array(shape) for _, shape in (*heat.zones, *heat.lines)]
    every = np.vstack(corners)
    low, high = every.min(axis=0) - heat.cell_m, every.max(axis=0) + heat.cell_m
    scale = (_PLAIN_PX - 2 * _MARGIN_PX) / float(max((high - low).max(), 1e-6))
    width, tall = (int(side) for side in np.ceil((high - low) * scale) + 2 * _MARGIN_PX)
    canvas = np.full((tall, max(width, 6 * _MARGIN_PX), 3), _PAPER, np.uint8)
    if heat.is_y_down:
        rows = [[scale, 0, _MARGIN_PX - low[0] * scale], [0, scale, _MARGIN_PX - low[1] * scale]]
    else:
        rows = [[scale, 0, _MARGIN_PX - low[0] * scale], [0, -scale, _MARGIN_PX + high[1] * scale]]
    return canvas, np.array(rows, np.float64)


def _warmed(canvas: Image, heat: HeatPicture, px_from_map: Float[np.ndarray, "2 3"]) -> Image:
    """Heat laid over it: square roots, so that passing by shows beside standing about."""
    share = np.sqrt(heat.seconds / heat.seconds.max()).astype(np.float32)
    map_from_cell = np.array([[heat.cell_m, 0, heat.low_m[0]], [0, heat.cell_m, heat.low_m[1]], [0, 0, 1.0]])
    to_centre = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    size = (canvas.shape[1], canvas.shape[0])
    spread = cv2.warpAffine(share, px_from_map @ map_from_cell @ to_centre, size, flags=cv2.INTER_LINEAR)
    shade = (255 * (_COLDEST + (1 - _COLDEST) * spread)).astype(np.uint8)
    coloured = cv2.cvtColor(cv2.applyColorMap(shade, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    weight = np.clip(spread * 4, 0, 0.85)[..., None]
    return np.rint(canvas * (1 - weight) + coloured * weight).astype(np.uint8)


def _legend(canvas: Image, heat: HeatPicture, px_from_map: Float[np.ndarray, "2 3"]) -> None:
    """A bar of a round length, and what the warmest colour means."""
    px_per_m = float(np.linalg.norm(px_from_map[:, 0]))
    length_m = max((m for m in _BAR_M if m * px_per_m <= canvas.shape[1] / 4), default=_BAR_M[0])
    y, x = canvas.shape[0] - 18, 18
    end = x + round(length_m * px_per_m)
    cv2.line(canvas, (x, y), (end, y), _INK, 3)
    _write(canvas, f"{length_m:g} m", np.array([x, y - 8.0]), _INK)
    if heat.seconds.size:
        cell = f"{heat.seconds.max():.0f} person-seconds on {heat.cell_m:g} x {heat.cell_m:g} m at most"
        _write(canvas, cell, np.array([end + 24.0, y + 4.0]), _INK)


def _write(canvas: Image, text: str, at: Float[np.ndarray, " 2"], shade: tuple[int, int, int]) -> None:
    shown = text.encode("ascii", "replace").decode()
    x, y = (int(one) for one in np.rint(at))
    (wide, tall), below = cv2.getTextSize(shown, _FONT, 0.5, 1)
    cv2.rectangle(canvas, (x - 3, y - tall - 3), (x + wide + 3, y + below), _PAPER, -1)
    cv2.putText(canvas, shown, (x, y), _FONT, 0.5, shade, 1, cv2.LINE_AA)


def _px(px_from_map: Float[np.ndarray, "2 3"], xy_m: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    return xy_m @ px_from_map[:, :2].T + px_from_map[:, 2]
