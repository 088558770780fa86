"""Which pixels are sky, told by colour, smoothness and place, without any weights.

Sky is what reaches down from the picture's upper edge, blue or pale, without texture,
and whatever has that region's colours behind it: the gaps between branches, not the windows below.
Made for the outdoors. Dusk, night and pictures that are turned have no sky for it;
a white ceiling over a smooth white wall may pass for one.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from sightline.model.arrays import Image

_LONG = 320
"""The longer side is shrunk to this: texture there is what counts."""
_STEEPEST = 7.0
"""Sky changes by less than so many levels from pixel to pixel, at that size."""
_LEAST_EDGE, _LEAST_AREA = 0.08, 0.01
"""A region is sky if it takes this share of the upper edge, and of the picture."""
_STRAY = 3.5
"""How many standard deviations from its colour sky may stray."""
_LEAST_SPREAD = 4.0
"""Levels; no sky is taken to be smoother than the camera's noise."""


def mask(rgb: Image) -> Bool[np.ndarray, "h w"]:
    """True where there is sky."""
    height, width = rgb.shape[:2]
    shrink = min(1.0, _LONG / max(height, width))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA) if shrink < 1 else rgb
    core = _core(small)
    if not core.any():
        return np.zeros((height, width), bool)
    near = _alike(rgb, core, small)
    large = cv2.resize(core.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
    reach = round(max(height, width) / 100) | 1
    inside = cv2.erode(large.view(np.uint8), np.ones((reach, reach), np.uint8)).astype(bool)
    return inside | (near & _reachable(large))


def _core(rgb: UInt8[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w"]:
    """What is surely sky: smooth, of a sky's colour, and reaching down from the upper edge."""
    soft = cv2.GaussianBlur(rgb, (0, 0), 1.0)
    steep = np.zeros(rgb.shape[:2], np.float32)
    for channel in cv2.split(soft):
        across, down = (cv2.Sobel(channel, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
        steep = np.maximum(steep, np.hypot(across, down))
    sure = _is_coloured_like_sky(soft) & (steep * max(rgb.shape) < _STEEPEST * _LONG)
    opened = cv2.morphologyEx(sure.view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, label, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    edge = np.bincount(label[: max(1, len(label) // 100)].max(axis=0), minlength=len(stats))
    wide = edge >= _LEAST_EDGE * rgb.shape[1]
    large = stats[:, cv2.CC_STAT_AREA] >= _LEAST_AREA * label.size
    good = wide & large
    good[0] = False
    return good[label]


def _is_coloured_like_sky(rgb: UInt8[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w"]:
    """Blue, or pale and not warm."""
    red, green, blue = (channel.astype(np.int16) for channel in cv2.split(rgb))
    most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    is_blue = (blue >= red + 10) & (blue >= green - 2) & (most >= np.where(blue >= red + 40, 90, 120))
    is_pale = (most >= 150) & (5 * (most - least) <= most) & (blue >= red - 10)
    return is_blue | is_pale


def _alike(rgb: Image, core: Bool[np.ndarray, "sh sw"], small: UInt8[np.ndarray, "sh sw 3"]) -> Bool[np.ndarray, "h w"]:
    """Pixels of the colour that the sky has, or would have, at their place: it changes slowly over the picture."""
    rows, columns = np.nonzero(core)
    height, width = core.shape
    places = _slowly((columns + 0.5) / width, (rows + 0.5) / height)
    colours = small[core].astype(np.float64)
    factors = np.linalg.lstsq(places, colours, rcond=None)[0]
    spread = np.cov((colours - places @ factors).T) + _LEAST_SPREAD**2 * np.eye(3)
    whiten = np.linalg.cholesky(np.linalg.inv(spread)).astype(np.float32)
    tall, wide = rgb.shape[:2]
    across, down = np.meshgrid((np.arange(wide) + 0.5) / wide, (np.arange(tall) + 0.5) / tall)
    expected = _slowly(across, np.minimum(down, (rows.max() + 1) / height)) @ factors
    stray = (rgb - expected.astype(np.float32)) @ whiten
    return (stray * stray).sum(axis=-1) < _STRAY**2


def _slowly(across: Float[np.ndarray, "*n"], down: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n 4"]:
    """What colours may depend on: little enough to be trusted beyond where they were seen."""
    return np.stack([np.ones_like(across), across, down, down * down], axis=-1)


def _reachable(large: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Rows not further down than the sky near there, and a little more."""
    height, width = large.shape
    lowest = np.where(large.any(axis=0), height - np.argmax(large[::-1], axis=0), 0).astype(np.float32)
    limit = cv2.dilate(lowest[None], np.ones((1, round(width / 2) | 1), np.uint8))[0]
    return np.arange(height)[:, None] < limit + np.where(limit > 0, height / 50, 0)
