"""The pictures of a site's recordings, from any moment on, for who wants to see again what was watched."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, final

from sightline.model.arrays import Image
from sightline.model.detections import Detections
from sightline.model.site import Watch
from sightline.model.tracks import Tracks
from sightline.pipeline.site import Instant, Post, in_step
from sightline.pipeline.track import Sight
from sightline.ports import Source

Since = Callable[[int, Mapping[str, float]], Mapping[str, Source]]
"""Opens the recordings of a part, counted from 1, each camera's from so many of its own seconds on."""
_FAR: Final = 50
"""Moments that are rather jumped over than decoded."""


def starts(watches: Sequence[Watch], index: int, fps: float) -> dict[str, float]:
    """By camera, which of its own seconds is moment ``index`` of the site's grid, as ``in_step`` counts."""
    return {watch.id: max(index - round(watch.offset_s * fps), 0) / fps for watch in watches}


@final
class Reel:
    """Gives pictures by moment; going on is cheap, going elsewhere opens the files anew."""

    def __init__(self, watches: Sequence[Watch], fps: float, firsts: Sequence[int], since: Since) -> None:
        """``firsts``: the moment with which each part begins, of those that there are recordings of."""
        self._watches, self._fps, self._firsts, self._since = watches, fps, firsts, since
        self._part, self._next = 0, 0
        self._instants: Iterator[Instant] = iter(())
        self._waiting: Instant | None = None

    def at(self, index: int) -> Mapping[str, Image]:
        """By camera, its picture at a moment; cameras without one are left out."""
        part = bisect_right(self._firsts, index)
        if part < 1:
            return {}
        within = index - self._firsts[part - 1]
        if part != self._part or not self._next <= within < self._next + _FAR:
            self._part, self._waiting = part, None
            self._instants = self._opened(part, within)
        self._next = within + 1
        while self._waiting is None or self._waiting.index < within:
            self._waiting = next(self._instants, None)
            if self._waiting is None:
                return {}
        if self._waiting.index > within:
            return {}
        return {name: sight.frame.rgb for name, sight in self._waiting.sights.items()}

    def _opened(self, part: int, within: int) -> Iterator[Instant]:
        sources = self._since(part, starts(self._watches, within, self._fps))
        offsets = {watch.id: watch.offset_s for watch in self._watches}
        return in_step([Post(name, _bare(source, name), offsets[name]) for name, source in sources.items()], self._fps)


def _bare(source: Source, camera: str) -> Iterator[Sight]:
    """Pictures in which nobody was looked for."""
    for frame in source.frames():
        yield Sight(frame, Detections.none(), Tracks.none(camera))
