"""What differs from the background: shared by the detectors that look for motion."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from sightline.geometry.boxes import clipped
from sightline.model.arrays import Boxes, Image, Scores, Warp
from sightline.model.frame import Frame

Mask = UInt8[np.ndarray, "rows columns"]
"""1 where something is, 0 elsewhere; in the small picture that the background model works on."""
Map = Float[np.ndarray, "rows columns"]
"""One number per pixel of the small picture."""
Planes = Float[np.ndarray, "3 rows columns"]
"""Red, green and blue of the small picture, one after the other: numpy is 50 times faster on these."""

_START_SD: Final = 10.0
_LEAST_SD: Final = 3.5
_MOST_SD: Final = 25.0
"""Grey levels. Coding noise of real footage stays above the least; more than the most is not noise."""
_SLOWER: Final = 4.0
"""Things are learnt this much more slowly than the background."""
_OUTLIER: Final = 1.5
"""Squared distances count for the spread up to this much beyond the threshold: enough for leaves to become known."""
_FLOOD: Final = 0.6
"""Where more of the picture than this changes at once, the scene has, not the things in it."""
_SHADOW: Final = (0.55, 0.95)
"""A shadow leaves this share of the light; darker things are things."""
_SHADE2: Final = 36.0
"""Squared grey levels by which the colour of a shadow may differ from the ground's, darkened."""
_RELIGHT: Final = (0.5, 2.0)
"""Change of exposure between two pictures that is followed rather than learnt anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One picture held against the background."""

    mask: Mask
    """1 where it differs."""
    excess: Map
    """How far it differs, in thresholds: above 1 inside the mask, shadows apart."""
    small_per_px: float
    """Size of the small picture relative to the real one."""
    fresh: bool
    """The model began anew with this picture: nothing is known to have moved."""
    small_from_before: Warp | None
    """Takes cv2 pixels of the small picture before to this one's; None for a camera at rest."""


class Foreground:
    """A background model that knows the true time between pictures and follows a moving camera.

    Per pixel a running mean colour and spread. It forgets over ``history_s`` seconds whatever the frame rate,
    starts as a plain average, follows changes of exposure, and begins anew when the size of the picture changes
    or when most of it differs at once. Things that differ are learnt four times more slowly.
    The picture is shrunk to at most ``side_px`` a side, so the cost does not grow with resolution.

    Source: the running Gaussian average of Wren et al., "Pfinder" (1997); shadows as in Horprasert et al.,
    "A statistical approach for real-time robust background subtraction and shadow detection" (1999).
    """

    def __init__(self, *, history_s: float, threshold: float = 2.5, side_px: int = 640) -> None:
        self._history_s = history_s
        self._threshold = threshold
        self._side_px = side_px
        self._shape: tuple[int, int] | None = None
        self._t_s = 0.0
        self._mean = np.zeros((3, 0, 0), np.float32)
        self._var = np.zeros((0, 0), np.float32)
        self._age_s = np.zeros((0, 0), np.float32)
        self._picture = self._mean
        self._distance2 = self._var
        self._mask = np.zeros((0, 0), np.uint8)
        self._dt_s = 0.0

    def look(self, frame: Frame) -> Look:
        """What differs in ``frame``, which must be the next of its camera. Call ``learn`` afterwards."""
        scale = min(1.0, self._side_px / max(frame.rgb.shape[:2]))
        picture = _small(frame.rgb, scale)
        if self._shape != frame.rgb.shape[:2]:
            return self._anew(frame, picture, scale)
        self._dt_s = max(frame.moment.t_s - self._t_s, 0.0)
        self._t_s = frame.moment.t_s
        small_from_before = small_warp(frame.moment.px_from_before, scale)
        self._follow(small_from_before, picture)
        background = _relit(self._mean, picture)
        if background is None:
            return self._anew(frame, picture, scale)
        excess = self._excess(picture, background, moved=small_from_before is not None)
        mask = ((excess > 1) & ~_shadow(picture, background)).astype(np.uint8)
        if mask.mean() > _FLOOD:
            return self._anew(frame, picture, scale)
        self._mean, self._picture, self._mask = background, picture, mask
        return Look(mask, excess, scale, fresh=False, small_from_before=small_from_before)

    def learn(self, hold: Mask | None = None) -> None:
        """Takes the picture last looked at into the background, except where ``hold`` is 1."""
        self._age_s += self._dt_s
        memory_s = np.where(self._mask > 0, np.float32(_SLOWER * self._history_s), np.float32(self._history_s))
        rate = self._dt_s / np.maximum(np.minimum(self._age_s, memory_s), max(self._dt_s, 1e-6))
        if hold is not None:
            rate[hold > 0] = 0
        self._mean += rate * (self._picture - self._mean)
        bounded = np.minimum(self._distance2, _OUTLIER * self._threshold**2 * self._var)
        self._var += rate * (bounded - self._var)
        np.clip(self._var, _LEAST_SD**2, _MOST_SD**2, out=self._var)

    def _anew(self, frame: Frame, picture: Planes, scale: float) -> Look:
        """Everything in this picture is background until shown otherwise."""
        self._shape, self._t_s, self._dt_s = frame.rgb.shape[:2], frame.moment.t_s, 0.0
        size = picture.shape[1:]
        self._mean, self._picture = picture.copy(), picture
        self._var = np.full(size, _START_SD**2, np.float32)
        self._distance2 = self._var.copy()
        self._age_s = np.zeros(size, np.float32)
        self._mask = np.zeros(size, np.uint8)
        return Look(self._mask, np.zeros(size, np.float32), scale, fresh=True, small_from_before=None)

    def _follow(self, small_from_before: Warp | None, picture: Planes) -> None:
        """Moves the model with the camera; what comes into view is new."""
        if small_from_before is None:
            return
        self._mean = np.stack([carried(plane, small_from_before) for plane in self._mean])
        self._var = carried(self._var, small_from_before, _START_SD**2)
        self._age_s = carried(self._age_s, small_from_before)
        new = carried(np.ones(self._age_s.shape, np.float32), small_from_before) < 0.99
        self._mean[:, new] = picture[:, new]
        self._age_s[new] = 0

    def _excess(self, picture: Planes, background: Planes, *, moved: bool) -> Map:
        """Distance of each pixel from the background, in thresholds.

        After a move each pixel is held against the range of its neighbours: alignment is never perfect.
        """
        if moved:
            kernel = np.ones((3, 3), np.uint8)
            above = picture - np.stack([cv2.dilate(plane, kernel) for plane in background])
            below = np.stack([cv2.erode(plane, kernel) for plane in background]) - picture
            apart = np.maximum(np.maximum(above, below), 0)
        else:
            apart = picture - background
        self._distance2 = np.square(apart).max(axis=0)
        return np.sqrt(self._distance2 / (self._var * np.float32(self._threshold**2)))


def carried(small: Map, small_from_before: Warp, border: float = 0.0, *, smooth: bool = True) -> Map:
    """A map of the small picture before, where the camera's motion takes it; ``border`` where nothing was."""
    size = (small.shape[1], small.shape[0])
    how = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    return cv2.warpPerspective(small, small_from_before, size, flags=how, borderValue=border)


def cover(mask: Mask, xyxy_small: Boxes) -> Scores:
    """Share of each box of the small picture that is 1 in the mask; what lies outside the picture does not count."""
    total = cv2.integral(mask)
    left, top, right, bottom = clipped(xyxy_small, mask.shape[1], mask.shape[0]).round().astype(int).T
    inside = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
    return inside / np.maximum((right - left) * (bottom - top), 1)


def small_warp(px_from_before: Warp | None, small_per_px: float) -> Warp | None:
    """The warp between small pictures in cv2's pixels, whose centres are whole numbers; None for the identity."""
    if px_from_before is None or np.array_equal(px_from_before, np.eye(3)):
        return None
    px_from_small = np.array(
        [[1 / small_per_px, 0, 0.5 / small_per_px], [0, 1 / small_per_px, 0.5 / small_per_px], [0, 0, 1]]
    )
    small_from_px = np.linalg.inv(px_from_small)
    return small_from_px @ px_from_before @ px_from_small


def _small(rgb: Image, scale: float) -> Planes:
    """The picture, shrunk and slightly smoothed: single pixels flicker."""
    if scale < 1:
        size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return np.stack(cv2.split(cv2.GaussianBlur(rgb, (3, 3), 0))).astype(np.float32)


def _relit(mean: Planes, picture: Planes) -> Planes | None:
    """The background under the light of ``picture``; None where the light changed beyond following.

    The exposure is the median ratio over a coarse grid, so things that move do not count.
    """
    step = max(1, min(mean.shape[1:]) // 45)
    now, before = picture[:, ::step, ::step], mean[:, ::step, ::step]
    ratio = (now.sum(axis=0) + 3) / (before.sum(axis=0) + 3)
    gain = float(np.median(ratio))
    if not _RELIGHT[0] < gain < _RELIGHT[1]:
        return None
    return mean * np.float32(gain) if abs(gain - 1) > 0.01 else mean


def _shadow(picture: Planes, background: Planes) -> Bool[np.ndarray, "rows columns"]:
    """Where the picture is the background with less light and the same colour."""
    light = (picture * background).sum(axis=0) / np.maximum(np.square(background).sum(axis=0), 1)
    colour2 = np.square(picture - light * background).max(axis=0)
    return (light > _SHADOW[0]) & (light < _SHADOW[1]) & (colour2 < _SHADE2)
