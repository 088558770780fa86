"""The camera's own motion, from points followed from picture to picture."""

from dataclasses import dataclass
from typing import Final, final

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from sightline.errors import OptionError
from sightline.geometry.warp import warped
from sightline.model.arrays import Image, Warp
from sightline.model.frame import Frame

Grey = UInt8[np.ndarray, "rows columns"]
"""The small grey picture that points are followed in."""
Points = Float[np.ndarray, "n 2"]
"""Places in pixels of the real picture."""

_WINDOW: Final = (15, 15)
_LEVELS: Final = 3
_STOP: Final = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01)
_LEAST_POINTS: Final = 12
_LEAST_SHARE: Final = 0.35
"""A camera's motion moves at least this share of the points alike."""
_CLOSE: Final = 1.0
"""Points this near to where a motion takes them go along with it; small pixels."""
_STILL: Final = 0.2
"""Points that move less have not moved; small pixels."""
_STALE_S: Final = 2.0
"""A camera at rest is compared with a picture no older than this: light changes."""
_UNLIKE: Final = 25.0
"""Grey levels by which the surroundings of a point may change, on average."""


@dataclass(frozen=True, slots=True, eq=False)
class _Key:
    """The picture that the next ones are compared with."""

    grey: Grey
    shape: tuple[int, ...]
    corners: Float[np.ndarray, "n 1 2"]
    t_s: float


@final
class Flow:
    """Motion of the picture as a whole: shift, turn and zoom, or a full homography where that fits much better.

    Corners are followed by pyramidal Lucas-Kanade in a grey picture shrunk to at most ``side_px``, and a motion is
    fitted to most of them by RANSAC, so things that move on their own do not count.
    A camera at rest is held against the same picture for two seconds, so slow drift is not lost in the dead band;
    when it is found to have moved, all of it is told at once. After a cut, where too few points can be followed,
    or where they do not agree, the answer is the identity, and all begins anew; likewise when the size changes.

    Options:
        side_px: longest side of the small picture. More is more exact and slower.
        rest_px: a camera whose corners moved less, in pixels of the small picture, is at rest.
        points: corners to follow.

    Source: Shi and Tomasi, "Good features to track" (1994); Bouguet, "Pyramidal implementation of the
    Lucas Kanade feature tracker" (2000).

    Raises:
        OptionError: ``side_px`` below 64, ``points`` below 12 or ``rest_px`` below 0.
    """

    def __init__(self, *, side_px: int = 480, rest_px: float = 0.15, points: int = 200) -> None:
        if side_px < 64 or points < _LEAST_POINTS or not rest_px >= 0:
            raise OptionError(
                f"side_px = {side_px}, points = {points}, rest_px = {rest_px}: must be at least 64, 12 and 0"
            )
        self._side_px = side_px
        self._rest_px = rest_px
        self._points = points
        self._key: _Key | None = None

    def px_from_before(self, frame: Frame) -> Warp:
        """Takes pixels of the picture given before to this one's; exactly the identity for a camera at rest."""
        shape = frame.rgb.shape
        times = -(-max(shape[:2]) // self._side_px)
        grey, scale = _grey(frame.rgb, times), 1 / times
        key = self._key
        if key is None or key.shape != shape:
            self._key = self._fresh(grey, frame)
            return np.eye(3)
        px_from_key = self._motion(key, grey, scale)
        if px_from_key is None or not self._at_rest(px_from_key, shape, scale):
            self._key = self._fresh(grey, frame)
            return np.eye(3) if px_from_key is None else px_from_key
        if frame.moment.t_s - key.t_s > _STALE_S:
            self._key = self._fresh(grey, frame)
        return np.eye(3)

    def _fresh(self, grey: Grey, frame: Frame) -> _Key:
        """A picture and its corners, to compare the next ones with."""
        apart = max(4.0, 0.6 * float(np.sqrt(grey.size / self._points)))
        corners = cv2.goodFeaturesToTrack(grey, self._points, 0.01, apart)
        if np.ndim(corners) == 0:  # None, whatever the stub says
            corners = np.zeros((0, 1, 2), np.float32)
        return _Key(grey, frame.rgb.shape, corners, frame.moment.t_s)

    def _motion(self, key: _Key, grey: Grey, scale: float) -> Warp | None:
        """How the picture moved since the key; None where that cannot be told."""
        if len(key.corners) < _LEAST_POINTS:
            return None
        for leaps in (False, True):
            shift = _shift(key.grey, grey) if leaps else np.zeros(2)
            from_px, to_px = _followed(key, grey, shift, 1 / scale)
            fitted = _fitted(from_px, to_px, _CLOSE / scale) if len(from_px) >= _LEAST_POINTS else None
            if fitted is None:
                continue
            motion, along = fitted
            still = np.linalg.norm(to_px - from_px, axis=1) < _STILL / scale
            if still.mean() > 0.25 and still.sum() > 0.5 * along.sum():
                return np.eye(3)
            if along.sum() >= max(_LEAST_POINTS, _LEAST_SHARE * len(key.corners)):
                return motion
        return None

    def _at_rest(self, px_from_key: Warp, shape: tuple[int, ...], scale: float) -> bool:
        height, width = shape[:2]
        corners_px = np.array([[0, 0], [width, 0], [0, height], [width, height]], float)
        moved_px = np.linalg.norm(warped(px_from_key, corners_px) - corners_px, axis=1)
        return bool((moved_px * scale < self._rest_px).all())


def _grey(rgb: Image, times: int) -> Grey:
    """The picture, grey and so many times smaller; a whole number is five times faster than a fraction.

    What is left over at the right and below is cut off.
    """
    height, width = (max(1, side // times) for side in rgb.shape[:2])
    if times > 1:
        rgb = cv2.resize(rgb[: height * times, : width * times], (width, height), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def _shift(before: Grey, now: Grey) -> Float[np.ndarray, " 2"]:
    """The shift of the whole picture by phase correlation: a first guess where it moved far."""
    window = cv2.createHanningWindow(before.shape[::-1], cv2.CV_32F)
    shift, _ = cv2.phaseCorrelate(before.astype(np.float32), now.astype(np.float32), window)
    return np.array(shift)


def _followed(key: _Key, grey: Grey, shift: Float[np.ndarray, " 2"], px_per_small: float) -> tuple[Points, Points]:
    """Where the key's corners were and are, looked for about ``shift``; those that could be followed."""
    guess = key.corners + shift.astype(np.float32)
    to, status, unlike = cv2.calcOpticalFlowPyrLK(
        key.grey,
        grey,
        key.corners,
        guess,
        winSize=_WINDOW,
        maxLevel=_LEVELS,
        criteria=_STOP,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    inside = ((to >= 0) & (to <= np.array(grey.shape[::-1]) - 1)).all(axis=(1, 2))
    kept = (status.ravel() == 1) & (unlike.ravel() < _UNLIKE) & inside
    from_px, to_px = ((points[kept, 0].astype(float) + 0.5) * px_per_small for points in (key.corners, to))
    return from_px, to_px


def _fitted(from_px: Points, to_px: Points, close_px: float) -> tuple[Warp, Bool[np.ndarray, " n"]] | None:
    """The motion that most points go along with, and which these are; None where there is none."""
    similar, _ = cv2.estimateAffinePartial2D(from_px, to_px, ransacReprojThreshold=close_px)
    if np.ndim(similar) == 0:  # None, whatever the stub says
        return None
    similar = np.vstack([similar, [0.0, 0.0, 1.0]])
    apart = np.linalg.norm(warped(similar, from_px) - to_px, axis=1)
    along = apart < close_px
    if along.sum() < 4 * _LEAST_POINTS:
        return similar, along
    full, _ = cv2.findHomography(from_px, to_px, cv2.RANSAC, close_px)
    if np.ndim(full) == 0:
        return similar, along
    full_apart = np.linalg.norm(warped(full, from_px) - to_px, axis=1)
    full_along = full_apart < close_px
    better = full_along.sum() > 1.1 * along.sum() or np.median(full_apart) < 0.6 * np.median(apart)
    return (full, full_along) if better else (similar, along)
