"""The first recipe: pictures of one camera become tracks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from sightline.model.detections import Detections
from sightline.model.frame import Frame
from sightline.model.tracks import Tracks
from sightline.ports import Detector, Source, Stabilizer, Tracker

_BLOCK = 512
"""Pictures whose rows are joined at a time, so that a long video leaves few, large arrays."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One picture with what was seen in it and who that was."""

    frame: Frame
    """The picture; its moment tells how the camera moved, when a stabilizer looked."""
    found: Detections
    """What the detector saw."""
    tracks: Tracks
    """The followed among ``found``."""


def track(
    source: Source, detector: Detector, tracker: Tracker, stabilizer: Stabilizer | None = None, *, batch: int = 1
) -> Iterator[Sight]:
    """Each picture of the source with its detections and tracks, as soon as they are known.

    ``batch`` pictures go to the detector at a time: more is faster on a GPU and later by as much.
    """
    frames = steadied(source.frames(), stabilizer)
    while some := list(islice(frames, batch)):
        for frame, found in zip(some, detector.detect(some), strict=True):
            yield Sight(frame, found, tracker.update(frame.moment, found))


def steadied(frames: Iterable[Frame], stabilizer: Stabilizer | None) -> Iterator[Frame]:
    """The frames, each told how the camera moved since the one before; unchanged without a stabilizer."""
    for frame in frames:
        if stabilizer is None:
            yield frame
        else:
            moment = replace(frame.moment, px_from_before=stabilizer.px_from_before(frame))
            yield Frame(moment, frame.rgb)


class Gathered:
    """Tracks of many pictures, put together in blocks as they come."""

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._blocks: list[Tracks] = []
        self._recent: list[Tracks] = []

    def add(self, tracks: Tracks) -> None:
        """Puts one picture's tracks behind those before."""
        self._recent.append(tracks)
        if len(self._recent) >= _BLOCK:
            self._blocks.append(Tracks.joined(self._camera, self._recent))
            self._recent.clear()

    def all(self) -> Tracks:
        """All rows so far, oldest picture first."""
        return Tracks.joined(self._camera, [*self._blocks, *self._recent])
