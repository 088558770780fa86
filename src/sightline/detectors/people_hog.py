"""People, by histograms of gradients inside what moves or has just been a person. No weights are needed."""

from collections.abc import Iterator, Sequence
from typing import Final, final

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8

from sightline.detectors.foreground import Foreground, Look, Map, Mask, carried, cover
from sightline.detectors.stature import Stature
from sightline.errors import OptionError
from sightline.geometry.boxes import clipped, iou
from sightline.model.arrays import Boxes, Image, Scores
from sightline.model.detections import Detections
from sightline.model.frame import Frame

_WINDOW: Final = np.array([64, 128])
"""Width and height of what the SVM looks at."""
_PERSON: Final = np.array([34, 96])
"""Width and height of the person in its middle: the training pictures leave 16 pixels above and below."""
_TYPICAL: Final = 0.105
"""Height of the smallest people expected, relative to the picture's, where nobody says."""
_MOST_UPSCALE: Final = 4.0
_SHORTEST: Final = 2.3
"""People shorter than expected at their place by so many spreads are still found."""
_LEAST_MARGIN: Final = -0.4
"""Windows below this are people in less than a fifth of the cases, even where all else fits."""
_COVER: Final = 0.2
"""Share of a person's box that moves, or did lately; people fill more than half of theirs."""
_REACH: Final = (0.2, 0.3)
"""Room sideways and upwards about what changed, in heights of the smallest people; nearer things are one piece."""
_SPECKLE: Final = 0.1
"""A place is not searched when less than this share of it moves."""
_ODD: Final = 0.07
"""Margin lost by a person of unusual height, times the square of the spreads."""
_ERROR: Final = 0.07
"""Relative error of the height of a window: the pyramid's steps are of 10 %, and people bend."""
_CLEAR: Final = 0.4
"""Margin of windows that are people in half of the cases, where nobody knows how tall people are."""
_VAGUE: Final = 0.66
"""Knowing the height of people no better than by this share does not help to tell who is one."""
_SURE: Final = 0.95
"""People more certain than this teach how tall people are, and are looked for again where they were."""
_SAME: Final = 0.5
"""Windows that overlap a person's best window more than this are taken for the same person, and averaged."""


@final
class PeopleHog:
    """People in the pictures of one camera, at rest or moving.

    The linear SVM on histograms of oriented gradients that comes with OpenCV is run only where the picture differs
    from its background, or where it found a person less than ``keep_s`` seconds ago: so people who stop stay found.
    Their place is not learnt as background either. Who has not moved since the first picture is not found.
    From the people found it learns how tall they look at each row of the picture; from then on it searches at the
    right size, doubts people of unusual size, and finds less certain ones of the usual size.

    Options:
        person_px: height of the smallest people to find. Smaller ones take longer, with the inverse square.
            Nothing: about a tenth of the picture's height, down to 24 pixels.
        score: people less certain than this are left out. The score estimates the share of right boxes (IoU 0.5)
            among those as clear; trackers that use weak detections a second time want it low.
        overlap: of two people who overlap more than this (IoU), the less certain is left out.
        keep_s: how long a person's place is searched although nothing moves there.
        history_s: how long the background model remembers.

    Source: Dalal and Triggs, "Histograms of oriented gradients for human detection" (2005);
    coefficients: ``cv2.HOGDescriptor.getDefaultPeopleDetector``, Apache-2.0.

    Raises:
        OptionError: ``person_px`` is not above 0.
    """

    def __init__(
        self,
        *,
        person_px: float | None = None,
        score: float = 0.2,
        overlap: float = 0.35,
        keep_s: float = 2.0,
        history_s: float = 15.0,
    ) -> None:
        if person_px is not None and not person_px > 0:
            raise OptionError(f"person_px = {person_px}: must be above 0")
        self._person_px = person_px
        self._score = score
        self._overlap = overlap
        self._keep_s = keep_s
        self._foreground = Foreground(history_s=history_s)
        self._stature = Stature()
        self._seen_s: Map = np.zeros((0, 0), np.float32)
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(np.array(cv2.HOGDescriptor.getDefaultPeopleDetector(), np.float32))

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The people in each picture, most certain first. Pictures come in order."""
        return [self._people(frame) for frame in frames]

    def _people(self, frame: Frame) -> Detections:
        look = self._foreground.look(frame)
        changed = self._changed(look, frame.moment.t_s)
        xyxy_px, margin = self._windows(frame.rgb, changed, look.small_per_px)
        real = cover(changed, xyxy_px * look.small_per_px) > _COVER
        xyxy_px, margin = xyxy_px[real], margin[real]
        margin = margin - _ODD * self._stature.oddness(xyxy_px) ** 2
        certainty = _certainty(margin, self._stature.spread(xyxy_px[:, 3]))
        found = _merged(xyxy_px, margin, certainty, self._overlap)
        sure = found.rows(found.score > _SURE)
        self._stature.learn(sure.xyxy_px, sure.score)
        self._remember(sure.xyxy_px * look.small_per_px, frame.moment.t_s)
        self._foreground.learn(hold=(self._seen_s >= frame.moment.t_s).astype(np.uint8))
        found = found.rows(found.score >= self._score)
        height, width = frame.rgb.shape[:2]
        settled_px = clipped(self._stature.settled(found.xyxy_px, _ERROR), width, height)
        return Detections(settled_px, found.score, found.label, found.classes)

    def _changed(self, look: Look, t_s: float) -> Mask:
        """Where something moves, or a person was found lately: 1 in the small picture."""
        if look.fresh:
            self._seen_s = np.full(look.mask.shape, -np.inf, np.float32)
            self._stature.forget()
        if look.small_from_before is not None:
            self._seen_s = carried(self._seen_s, look.small_from_before, -np.inf, smooth=False)
            self._stature.forget()
        opened = cv2.morphologyEx(look.mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        return opened | (self._seen_s > t_s - self._keep_s).astype(np.uint8)

    def _remember(self, xyxy_small: Boxes, t_s: float) -> None:
        """Marks where people were found, and when."""
        for left, top, right, bottom in np.maximum(xyxy_small, 0).round().astype(int):
            self._seen_s[top:bottom, left:right] = t_s

    def _windows(self, rgb: Image, changed: Mask, small_per_px: float) -> tuple[Boxes, Scores]:
        """Every window that the SVM takes for a person, as the person's box, with its margin."""
        boxes, margins = [np.zeros((0, 4))], [np.zeros(0)]
        person_px = self._person_px or _TYPICAL * rgb.shape[0]
        for low_px, high_px in _pieces(changed, person_px * small_per_px, small_per_px):
            upscale = self._upscale(float(low_px[1]), person_px)
            around = _around(high_px - low_px, upscale)
            cut = _cut(rgb, low_px - around, np.minimum(high_px, rgb.shape[1::-1]) + around)
            piece = cv2.resize(cut, None, fx=upscale, fy=upscale)
            if (piece.shape[1::-1] < _WINDOW).any():
                continue
            found, margin = self._hog.detectMultiScale(
                piece, hitThreshold=_LEAST_MARGIN, winStride=(8, 8), padding=(0, 0), scale=1.1, groupThreshold=0
            )
            xywh = np.reshape(found, (-1, 4)).astype(float)
            centre_px = (xywh[:, :2] + xywh[:, 2:] / 2) / upscale + (low_px - around)
            half_px = xywh[:, 2:] / upscale * (_PERSON / _WINDOW / 2)
            boxes.append(np.hstack([centre_px - half_px, centre_px + half_px]))
            margins.append(np.reshape(margin, -1).astype(float))
        return np.concatenate(boxes), np.concatenate(margins)

    def _upscale(self, top_px: float, person_px: float) -> float:
        """Enlargement at which the smallest people with their heads near ``top_px`` are as tall as the SVM's."""
        if self._stature.known:
            foot = np.array([top_px + person_px])
            least_px = self._stature.expected_px(foot) * np.exp(-_SHORTEST * self._stature.spread(foot))
            person_px = max(person_px, float(least_px[0]))
        return min(_PERSON[1] / person_px, _MOST_UPSCALE)


def _pieces(changed: Mask, person_small: float, small_per_px: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Corners of rectangles of the picture around what changed, with room for a person about it."""
    across, up = (2 * round(reach * person_small) + 1 for reach in _REACH)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(changed, np.ones((up, across), np.uint8)))
    share = np.bincount(labels.ravel(), changed.ravel(), len(stats)) / np.maximum(stats[:, cv2.CC_STAT_AREA], 1)
    for left, top, across, down, _ in stats[1:][share[1:] > _SPECKLE]:
        low, high = np.array([left, top]), np.array([left + across, top + down])
        yield np.floor(low / small_per_px).astype(int), np.ceil(high / small_per_px).astype(int)


def _around(sides_px: Int[np.ndarray, " 2"], upscale: float) -> Int[np.ndarray, " 2"]:
    """Room to leave on either side of a piece, so that a window fits round someone as tall as it."""
    window_px = _WINDOW * max(sides_px[1] / _PERSON[1], 1 / upscale)
    return np.ceil(np.maximum(_WINDOW / upscale / 8, (window_px - sides_px) / 2)).astype(int)


def _cut(rgb: Image, low: np.ndarray, high: np.ndarray) -> UInt8[np.ndarray, "across down 3"]:
    """The part of the picture between two corners; its edge goes on where they lie outside."""
    height, width = rgb.shape[:2]
    inside = rgb[max(low[1], 0) : min(high[1], height), max(low[0], 0) : min(high[0], width)]
    before, after = np.maximum(-low, 0), np.maximum(high - [width, height], 0)
    return cv2.copyMakeBorder(inside, before[1], after[1], before[0], after[0], cv2.BORDER_REPLICATE)


def _merged(xyxy_px: Boxes, margin: Scores, score: Scores, overlap: float) -> Detections:
    """One box per person: the mean of its windows, weighted by margin; the score is the best window's."""
    xywh = np.hstack([xyxy_px[:, :2], xyxy_px[:, 2:] - xyxy_px[:, :2]])
    kept = np.array(cv2.dnn.NMSBoxes(xywh.tolist(), score.tolist(), 0.0, overlap), np.int64)
    if not len(kept):
        return Detections.none(("person",))
    shared = iou(xyxy_px[kept], xyxy_px)
    own = (shared >= _SAME) & (shared == shared.max(axis=0))
    own[np.arange(len(kept)), kept] = True
    weight = np.where(own, np.maximum(margin - _LEAST_MARGIN + 0.1, 1e-3), 0)
    mean_px = weight @ xyxy_px / weight.sum(axis=1, keepdims=True)
    return Detections(mean_px, score[kept], np.zeros(len(kept), np.int64), ("person",))


def _certainty(margin: Scores, spread: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Share of right boxes among those of that margin: fitted by eye to one clip, steeper than most.

    The better the height of people is known at a place, the more it says that a box has that height: as much as the
    likelihood of that height exceeds that of any height.
    """
    for_it = np.log(np.maximum(_VAGUE / spread, 1.0))
    return 1 / (1 + np.exp(-5 * (margin - _CLEAR) - for_it))
