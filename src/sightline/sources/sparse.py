"""Which compressed pictures must be decoded so that the wanted ones come out bit for bit.

Packets are held until it is known which pictures of their run are wanted. A run begins at a picture that
decoding can start from and ends before the next. What comes after a run's last wanted picture is dropped,
and so is every picture that nobody wants and nobody is predicted from. A live stream does not wait for the end of
a run: a wanted picture is decoded when it comes, together with what it needs of the run so far.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sightline.sources.clock import Clock
from sightline.sources.grid import Span
from sightline.sources.units import Unit

_MOST_HELD = 1500
_MOST_HELD_BYTES = 48 << 20
"""A run larger than this is decoded without waiting for its end."""
_MOST_REORDERED = 64
"""More pictures than any codec decodes between decoding one and showing it: the timestamps must be wrong."""


_ANY_LAYER = 7
"""More than any temporal layer."""


class OddStreamError(Exception):
    """Timestamps are missing, repeated or out of order: only decoding everything can tell."""


@dataclass(frozen=True, slots=True)
class Run:
    """Compressed pictures to decode one after another."""

    units: list[Unit]
    """In decoding order."""
    is_fresh: bool
    """Whether something they do not need was dropped before them: empty the decoder first."""


class Schedule:
    """Takes all compressed pictures in decoding order; gives those to decode."""

    def __init__(
        self,
        span: Span,
        clock: Clock,
        *,
        first_index: int = 0,
        after_index: int = -1,
        only_keyframes: bool = False,
        is_awaited: Callable[[], bool] | None = None,
    ) -> None:
        """``first_index`` is the place of the first picture shown that will be added.

        Pictures up to ``after_index`` are judged, but not wanted again.
        ``is_awaited`` makes it live: it tells whether a wanted picture went into the decoder and is not out yet.
        """
        self._span = span
        self._clock = clock
        self._index = first_index
        self._after_index = after_index
        self._only_keyframes = only_keyframes
        self._is_awaited = is_awaited
        self._top_layer: int | None = None if is_awaited is None else _ANY_LAYER
        self._seen_layer = 0
        self._wants_more = False
        self._runs: list[list[Unit]] = []
        self._unjudged: list[tuple[int, int, Unit]] = []
        self._n_seen = 0
        self._n_units = 0
        self._n_bytes = 0
        self._last_pts: int | None = None
        self._last_dts: int | None = None
        self._has_dropped = False

    def add(self, unit: Unit) -> Iterator[Run]:
        """What can be decoded now.

        Raises:
            OddStreamError: the timestamps cannot be trusted.
        """
        if unit.pts is None:
            raise OddStreamError
        if unit.is_start or not self._runs:
            self._runs.append([])
        self._runs[-1].append(unit)
        self._seen_layer = max(self._seen_layer, unit.layer)
        self._n_seen += 1
        self._n_units += 1
        self._n_bytes += unit.packet.size
        if unit.is_shown:
            heapq.heappush(self._unjudged, (unit.pts, self._n_seen, unit))
        else:
            unit.is_wanted = False
        if unit.dts is not None:
            if self._last_dts is not None and unit.dts <= self._last_dts:
                raise OddStreamError
            self._last_dts = unit.dts
        self._judge(self._last_dts)
        if any(self._n_seen - seen > _MOST_REORDERED for _, seen, _ in self._unjudged):
            raise OddStreamError
        yield from self._ready()

    def close(self) -> Iterator[Run]:
        """What is left to decode, now that nothing comes any more.

        Raises:
            OddStreamError: the timestamps cannot be trusted.
        """
        self._judge(None, everything=True)
        for unit, taken in self._span.close(self._clock.end):
            unit.is_wanted = taken and unit.index > self._after_index
        while self._runs:
            yield from self._released()

    def held(self) -> list[Unit]:
        """What has not been given to decode, nor dropped."""
        return [unit for run in self._runs for unit in run]

    def _judge(self, until: int | None, *, everything: bool = False) -> None:
        """Puts pictures in order of showing, once none can come before them, and asks the sampling."""
        heap = self._unjudged
        while heap and (everything or (until is not None and heap[0][0] <= until)):
            pts, _, unit = heapq.heappop(heap)
            if self._last_pts is not None and pts <= self._last_pts:
                raise OddStreamError
            self._last_pts = pts
            unit.index = self._index
            unit.t = (self._clock.at if self._is_awaited is None else self._clock.next)(pts, unit.index)
            self._index += 1
            if self._only_keyframes and not unit.is_keyframe:
                unit.is_wanted = False
                continue
            for judged, taken in self._span.offer(unit.t, unit):
                judged.is_wanted = taken and judged.index > self._after_index
                self._wants_more |= judged.is_wanted

    def _ready(self) -> Iterator[Run]:
        """Runs of which all is known that is needed."""
        while len(self._runs) > 1 and self._is_judged():
            yield from self._released()
        if self._is_awaited is not None:
            yield from self._at_once(self._is_awaited)
        if len(self._runs) == 1 and (self._n_units > _MOST_HELD or self._n_bytes > _MOST_HELD_BYTES):
            yield from self._overflowed()

    def _is_judged(self) -> bool:
        """Whether the oldest run is, and what the next one shows before its start."""
        start = self._runs[1][0].pts
        if self._last_dts is None or start is None or start > self._last_dts:
            return False
        known = all(unit.is_wanted is not None for unit in self._runs[0])
        return known and all(unit.is_wanted is not None for unit in _leading(self._runs[1]))

    def _released(self) -> Iterator[Run]:
        """The oldest run, and it is held no longer."""
        run = self._runs.pop(0)
        self._forget(run)
        if self._top_layer is not None:
            self._top_layer = self._seen_layer  # a whole run tells which layers there are
        following = self._runs[0] if self._runs else []
        joined = any(unit.is_wanted for unit in _leading(following))
        yield from self._needed(run, whole=joined, sets_return=not following or following[0].has_sets)

    def _at_once(self, is_awaited: Callable[[], bool]) -> Iterator[Run]:
        """The oldest run up to its latest wanted picture, and on from there until the decoder has given it."""
        if self._wants_more:
            run = self._runs[0]
            yield from self._first(next((at for at in range(len(run), 0, -1) if run[at - 1].is_wanted), 0))
            self._wants_more = len(self._runs) > 1
        while self._runs[0] and is_awaited():
            yield from self._first(1, everything=True)

    def _overflowed(self) -> Iterator[Run]:
        """What is judged of a run that does not end."""
        run = self._runs[0]
        yield from self._first(next((at for at, unit in enumerate(run) if unit.is_wanted is None), len(run)))

    def _first(self, n_units: int, *, everything: bool = False) -> Iterator[Run]:
        """So much of the oldest run, and it is held no longer."""
        run = self._runs[0]
        self._runs[0] = run[n_units:]
        self._forget(run[:n_units])
        yield from self._needed(run[:n_units], whole=True, sets_return=False, everything=everything)

    def _forget(self, units: list[Unit]) -> None:
        self._n_units -= len(units)
        self._n_bytes -= sum(unit.packet.size for unit in units)

    def _needed(self, run: list[Unit], *, whole: bool, sets_return: bool, everything: bool = False) -> Iterator[Run]:
        """What of ``run`` must be decoded; all that others may be predicted from if ``whole``."""
        wanted = [at for at, unit in enumerate(run) if unit.is_wanted]
        last = len(run) if whole else wanted[-1] + 1 if wanted else 0
        if not last and run and run[0].has_sets and not sets_return:
            last = 1
        top = max((unit.layer for unit in run), default=0) if self._top_layer is None else self._top_layer
        needed = [unit for unit in run[:last] if everything or unit.is_wanted or _is_used(unit, top)]
        is_fresh = self._has_dropped and bool(run) and run[0].is_start
        if needed:
            self._has_dropped &= not is_fresh
            yield Run(needed, is_fresh)
        self._has_dropped |= any(_is_used(unit, top) for unit in run[last:])


def _is_used(unit: Unit, top_layer: int) -> bool:
    """Whether others may need it."""
    return unit.is_reference or unit.layer < top_layer or unit.has_sets


def _leading(run: list[Unit]) -> list[Unit]:
    """Those shown before the picture that starts the run; they may be predicted from the run before."""
    if not run or run[0].pts is None:
        return []
    start = run[0].pts
    return [unit for unit in run[1:] if unit.pts is not None and unit.pts < start]
