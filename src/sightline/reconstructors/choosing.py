"""Frames of a video that make a scene: sharp, and far enough apart to see depth, near enough to be matched."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from sightline.model.frame import Frame

Grey = UInt8[np.ndarray, "rows columns"]
"""The small grey picture that points are followed in."""

_SIDE: Final = 480
"""Longer side of the small picture; pixels."""
_POINTS: Final = 300
_NEARER: Final = 0.7
"""Of how points moved, the share that moved less counts: what is far hardly moves."""
_LEAST_POINTS: Final = 20
"""With fewer points left, what was seen is out of the picture."""
_WINDOW: Final = (15, 15)
_UNLIKE: Final = 20.0
"""Grey levels by which the surroundings of a point may change, on average."""
_NEAR: Final = 0.015
"""The next frame is looked for when points have moved this share of the picture's longer side,"""
_FAR: Final = 0.035
"""and is taken when they have moved this far, ..."""
_LEFT: Final = 0.5
"""or when fewer than this share of the points are still there, ..."""
_LONG_S: Final = 0.75
"""or when this much time has passed: what is far moves little, and still tells depth."""
_RECENT: Final = 31
"""Frames that tell how sharp frames are here."""
_BLURRED: Final = 0.5
"""A frame with less than this share of their sharpness, in the middle, is blurred; a sharper one is waited for ..."""
_PATIENCE_S: Final = 0.7
"""... for this long: beyond, too little may be left of what the chosen frame shows."""
_SOME: Final = 0.004
"""Points that have moved less have not moved."""


@dataclass(slots=True, eq=False)
class _Followed:
    """Points of the last chosen frame, and where they are now."""

    began: Float32[np.ndarray, "n 1 2"]
    now: Float32[np.ndarray, "n 1 2"]
    grey: Grey
    n_began: int

    def follow(self, grey: Grey) -> None:
        """Finds the points in the next frame."""
        if len(self.now) and grey.shape == self.grey.shape:
            guess = np.empty_like(self.now)
            to, status, unlike = cv2.calcOpticalFlowPyrLK(self.grey, grey, self.now, guess, winSize=_WINDOW)
            inside = ((to >= 0) & (to <= np.array(grey.shape[::-1]) - 1)).all(axis=(1, 2))
            kept = (status.ravel() == 1) & (unlike.ravel() < _UNLIKE) & inside
            self.began, self.now = self.began[kept], to[kept]
        else:
            self.began, self.now = self.began[:0], self.now[:0]
        self.grey = grey

    def is_lost(self) -> bool:
        """Whether too little is left of what the chosen frame shows."""
        return len(self.now) < max(_LEAST_POINTS, _LEFT * self.n_began)

    def moved(self) -> float:
        """How far points have moved, in the middle; share of the longer side."""
        far = np.linalg.norm(self.now - self.began, axis=2)
        return float(np.quantile(far, _NEARER)) / max(self.grey.shape) if len(far) else 1.0


def chosen(frames: Iterable[Frame], *, least_apart_s: float = 0.0) -> Iterator[Frame]:
    """The first frame, and then of each stretch in which the picture moved far enough the sharpest.

    ``least_apart_s``: frames are not taken sooner after one another, so that a long video gives so many at most.
    Where all are blurred for a moment, a sharp one is waited for. A camera at rest gives one frame.
    Two frames are kept at a time, however long the video is.
    """
    points: _Followed | None = None
    best: tuple[float, Frame] | None = None
    last_s, due_s = -np.inf, np.inf
    recent: deque[float] = deque(maxlen=_RECENT)
    for frame in frames:
        grey = _small(frame)
        sharp = _sharpness(grey)
        recent.append(sharp)
        if points is None:
            yield frame
            points, last_s = _begun(grey), frame.moment.t_s
            continue
        points.follow(grey)
        lost, moved = points.is_lost(), points.moved()
        since_s = frame.moment.t_s - last_s
        late = since_s >= _LONG_S and moved >= _SOME
        if (moved >= _NEAR or lost or late) and since_s >= least_apart_s:
            if best is None or sharp > best[0]:
                best = sharp, frame
            if moved >= _FAR or lost or late:
                due_s = min(due_s, frame.moment.t_s)
                if best[0] < _BLURRED * np.median(recent) and frame.moment.t_s - due_s < _PATIENCE_S:
                    continue
                yield best[1]
                points, last_s, due_s = _begun(_small(best[1])), best[1].moment.t_s, np.inf
                points.follow(grey)
                best = None
    if best is not None:
        yield best[1]


def _begun(grey: Grey) -> _Followed:
    """Corners of the frame, to be followed from here."""
    corners = cv2.goodFeaturesToTrack(grey, _POINTS, 0.01, 6)
    if np.ndim(corners) == 0:  # None, whatever the stub says
        corners = np.zeros((0, 1, 2), np.float32)
    return _Followed(corners, corners, grey, len(corners))


def _small(frame: Frame) -> Grey:
    """The picture, small and grey."""
    height, width = frame.rgb.shape[:2]
    shrink = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    return cv2.cvtColor(cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)


def _sharpness(grey: Grey) -> float:
    """More for a sharper picture of the same thing: how much neighbours differ, beside how much the picture varies.

    Across or down, whichever is less: a moving camera blurs one of them.
    """
    across, down = (cv2.Sobel(grey, cv2.CV_32F, 2 - k, k, ksize=1) for k in (0, 2))
    return min(float(across.var()), float(down.var())) / max(float(grey.var()), 1e-6)
