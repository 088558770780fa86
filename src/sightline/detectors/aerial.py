"""What moves on the ground below a flying camera, however small. No weights are needed."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage

from sightline.detectors.foreground import small_warp
from sightline.errors import OptionError
from sightline.geometry.boxes import clipped
from sightline.model.arrays import Boxes, Image, Scores, Warp
from sightline.model.detections import Detections
from sightline.model.frame import Frame

Grey = UInt8[np.ndarray, "rows columns"]
"""One number per pixel of the picture worked on."""
Habit = Float[np.ndarray, "few fewer"]
"""The same, in a picture four times smaller."""
_BACK = (1 / 6, 1 / 3, 2 / 3, 1.0)
"""How far back the pictures lie that one is held against, as shares of the longest."""
_KEPT = 12
"""Pictures kept over that time."""
_LEAST_BACK_S = 1.0
_PEAK = 2.0
"""Something in a thing must differ this many times more than the least."""
_SPECK_PX, _SOLID = 12, 0.2
_NEAR_PX = 5
"""Pieces this near belong together."""
_SHADOW = (0.4, 1.08)
_SHADE2 = 100.0
"""A shadow and its rim leave that share of the light, and change the colour by no more, in squared grey levels."""
_FLOOD = 0.3
_HABIT_S, _USUAL, _COARSE = 3.0, 0.35, 4
"""What differs in one spot of the ground for so large a share of so long stands up from it, and does not move."""


@dataclass(slots=True, eq=False)
class _Key:
    """A picture from before."""

    t_s: float
    grey: Grey
    rgb: Image
    now_from_then: Warp
    """Takes its cv2 pixels to those of the picture now."""


@final
class Aerial:
    """Everything that moves on the ground, seen from a camera that flies: people of six pixels, cars of fifty.

    Pictures must say how the camera moved (``moment.px_from_before``, as a stabilizer fills it in). Each is held
    against four from the last seconds, moved to where the camera is now; what differs from at least three of them
    by more than their nearest pixels do, and is no shadow, is there now and was not before. Houses and trees slide
    over the ground as the camera passes; they differ for long in one spot, and are left out for that. Nothing is
    found in the first second, and not what stands still.

    Options:
        least_px: things lower than this are left out.
        threshold: grey levels that a pixel must differ by, beyond what its surroundings do.
        back_s: how far back it looks. Slow things need long, cameras that fly fast bear less.
        side_px: pictures are shrunk to at most this.

    The score is 1 - 1/(1 + d), where d is the largest difference over twice the threshold.

    Raises:
        OptionError: an option is not above 0, or ``back_s`` below 1.
    """

    def __init__(
        self, *, least_px: float = 5.0, threshold: float = 9.0, back_s: float = 3.0, side_px: int = 1920
    ) -> None:
        for name, value, least in (
            ("least_px", least_px, 0.0),
            ("threshold", threshold, 0.0),
            ("back_s", back_s, _LEAST_BACK_S - 1e-9),
            ("side_px", side_px, 63),
        ):
            if not value > least:
                raise OptionError(f"detector aerial: {name}={value}: must be more")
        self._least_px, self._threshold = least_px, threshold
        self._back_s, self._side_px = back_s, side_px
        self._keys: deque[_Key] = deque()
        self._habit: Habit = np.zeros((0, 0), np.float32)
        self._t_s = 0.0

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """What moves in each picture, left to right. Pictures come in order."""
        return [self._moving(frame) for frame in frames]

    def _moving(self, frame: Frame) -> Detections:
        height, width = frame.rgb.shape[:2]
        scale = min(1.0, self._side_px / max(height, width))
        rgb = frame.rgb
        if scale < 1:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        grey = np.asarray(cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (3, 3), 0), np.uint8)
        now_from_before = small_warp(frame.moment.px_from_before, scale)
        t_s = frame.moment.t_s
        if self._keys and self._keys[-1].grey.shape != grey.shape:
            self._forget()
        self._follow(now_from_before, t_s)
        chosen = self._chosen(t_s)
        differs = _differs(grey, chosen) if chosen else np.zeros_like(grey)
        strong = differs > self._threshold
        if strong.mean() > _FLOOD:  # the scene has changed, not the things in it
            self._forget()
            strong[:] = False
        if chosen:
            _unshaded(strong, rgb, chosen[-1])
        xyxy_small, score = self._things(strong.astype(np.uint8), differs, scale)
        self._learn(strong, t_s)
        if not self._keys or t_s - self._keys[-1].t_s >= self._back_s / _KEPT:
            self._keys.append(_Key(t_s, grey, rgb, np.eye(3)))
        self._t_s = t_s
        order = np.lexsort((xyxy_small[:, 1], xyxy_small[:, 0]))
        boxes = clipped(xyxy_small[order] / scale, width, height)
        return Detections(boxes, score[order], np.zeros(len(order), np.int64))

    def _forget(self) -> None:
        """All begins anew."""
        self._keys.clear()
        self._habit = np.zeros((0, 0), np.float32)

    def _follow(self, now_from_before: Warp | None, t_s: float) -> None:
        """Moves what is known with the camera, and drops what is too old."""
        while len(self._keys) > 1 and t_s - self._keys[1].t_s > self._back_s:
            self._keys.popleft()
        if now_from_before is None:
            return
        for key in self._keys:
            before_from_then = key.now_from_then
            key.now_from_then = now_from_before @ before_from_then
        if self._habit.size:
            coarse = np.diag([1 / _COARSE, 1 / _COARSE, 1.0])
            moved = coarse @ now_from_before @ np.linalg.inv(coarse)
            self._habit = cv2.warpPerspective(self._habit, moved, self._habit.shape[::-1])

    def _chosen(self, t_s: float) -> list[_Key]:
        """The pictures to compare with, the newest first; none while there is too little to look back on."""
        span = min(t_s - self._keys[0].t_s, self._back_s) if self._keys else 0.0
        if span < _LEAST_BACK_S:
            return []
        ago = t_s - np.array([key.t_s for key in self._keys])
        return [self._keys[int(np.abs(ago - share * span).argmin())] for share in _BACK]

    def _things(self, mask: Grey, differs: Grey, scale: float) -> tuple[Boxes, Scores]:
        """Boxes round what differs, and their scores, in the picture worked on."""
        close = np.ones((3, 3), np.uint8)
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, close), np.uint8)
        groups = cv2.dilate(mask, np.ones((_NEAR_PX, _NEAR_PX), np.uint8))
        n, labels = cv2.connectedComponents(groups)
        if n < 2:
            return np.zeros((0, 4)), np.zeros(0)
        of = labels * mask
        area = np.bincount(of.ravel(), minlength=n)[1:]
        peak = ndimage.maximum(differs, of, np.arange(1, n)) / (_PEAK * self._threshold)
        xyxy = np.array([(a[1].start, a[0].start, a[1].stop, a[0].stop) for a in ndimage.find_objects(of, n - 1)])
        sides = xyxy[:, 2:] - xyxy[:, :2]
        least = self._least_px * scale
        real = (area >= _SPECK_PX) & (peak > 1) & (sides[:, 1] >= least) & (sides[:, 0] >= least / 3)
        real &= area >= _SOLID * sides.prod(axis=1)
        if self._habit.size:
            usual = cv2.resize(self._habit, mask.shape[::-1])
            real &= np.bincount(of.ravel(), usual.ravel(), n)[1:] < _USUAL * np.maximum(area, 1)
        return xyxy[real].astype(float), 1 - 1 / (1 + peak[real])

    def _learn(self, strong: Bool[np.ndarray, "rows columns"], t_s: float) -> None:
        """Where on the ground something keeps differing."""
        near = cv2.dilate(strong.astype(np.uint8), np.ones((9, 9), np.uint8))
        size = tuple(max(1, round(side / _COARSE)) for side in near.shape[::-1])
        coarse = cv2.resize(near, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._habit.shape != coarse.shape:
            self._habit = np.zeros_like(coarse)
        share = np.float32(1 - np.exp(-max(t_s - self._t_s, 0.0) / _HABIT_S))
        self._habit = self._habit + share * (coarse - self._habit)


def _differs(grey: Grey, keys: Sequence[_Key]) -> Grey:
    """By how much each pixel lies outside the range about it in all but one of four pictures, moved to here."""
    found = [_beyond(grey, key) for key in keys]
    (a, b), (c, d) = ((cv2.min(x, y), cv2.max(x, y)) for x, y in (found[:2], found[2:]))
    return np.asarray(cv2.min(cv2.max(a, c), cv2.min(b, d)), np.uint8)


def _beyond(grey: Grey, key: _Key) -> Grey:
    """By how much each pixel lies outside the range of the nine about it in a picture from before; 0 beyond its edge.

    The light may have changed evenly in between.
    """
    size, near = grey.shape[::-1], np.ones((3, 3), np.uint8)
    then = cv2.warpPerspective(key.grey, key.now_from_then, size)
    there = cv2.warpPerspective(np.full_like(key.grey, 255), key.now_from_then, size)
    few = np.s_[::8, ::8]
    seen = there[few] == 255
    brighter = int(np.median((grey[few].astype(int) - then[few])[seen])) if seen.any() else 0
    then = (
        cv2.convertScaleAbs(then, beta=brighter) if brighter > 0 else cv2.subtract(then, np.full_like(then, -brighter))
    )
    out = cv2.max(cv2.subtract(grey, cv2.dilate(then, near)), cv2.subtract(cv2.erode(then, near), grey))
    out[there < 255] = 0
    return np.asarray(out, np.uint8)


def _unshaded(strong: Bool[np.ndarray, "rows columns"], rgb: Image, key: _Key) -> None:
    """Takes out pixels that show what was there before, with less light."""
    y, x = np.nonzero(strong)
    if not len(y):
        return
    then = cv2.warpPerspective(key.rgb, key.now_from_then, rgb.shape[1::-1])[y, x].astype(np.float32)
    now = rgb[y, x].astype(np.float32)
    light = (now * then).sum(axis=1) / np.maximum(np.square(then).sum(axis=1), 1)
    colour2 = np.square(now - light[:, None] * then).max(axis=1)
    shade = (light > _SHADOW[0]) & (light < _SHADOW[1]) & (colour2 < _SHADE2)
    strong[y[shade], x[shade]] = False
