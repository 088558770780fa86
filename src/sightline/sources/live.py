"""Pictures of a live stream, of which only those are decoded that wanted ones need.

A wanted picture is decoded as soon as it is known to be wanted: when it comes, or, where pictures are decoded in
another order than shown, when none can come before it any more. What odd timestamps do is bridged by decoding
everything for a while, so that nothing stops or is lost.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from operator import attrgetter
from typing import Literal

from av.video.codeccontext import VideoCodecContext

from sightline.sources.clock import Clock
from sightline.sources.grid import Span, sampling
from sightline.sources.phase import Aligned
from sightline.sources.reading import Picture, SparseDecoder, Tally, all_decoded
from sightline.sources.sparse import OddStreamError, Schedule
from sightline.sources.units import Packet, Reader, Unit

LiveGridName = Literal["start", "aligned"]
"""Where the sampling grid falls: as in ``sightline.sources.grid.sampling``, or leaning on keyframes."""
_WARY = 300
"""Packets decoded in full after the first oddity; twice as many after each further one."""
_MOST_WARY = 100_000
_MOST_REORDERED = 5
"""Packets among which the second picture shown must be; cameras reorder by one or two."""


def live_sampling(grid: LiveGridName, fps: float | None, *, end_s: float | None, tick: Fraction) -> Span:
    """Where the grid falls; see ``sightline.sources.phase.Aligned`` for ``aligned``."""
    span = sampling("start", fps, end_s=end_s, tick=tick)
    if grid == "aligned" and fps is not None:
        span.inner = Aligned(Fraction(fps).limit_denominator(100_000), span.slack, attrgetter("is_keyframe"))
    return span


def live_pictures(
    codec: VideoCodecContext, read: Reader, compressed: Iterator[Packet], span: Span, clock: Clock, tally: Tally
) -> Iterator[Picture]:
    """The wanted pictures, as ``all_decoded`` gives them."""
    feed = _Feed(_dated(compressed, _MOST_REORDERED if codec.has_b_frames else 1, round(clock.step / clock.tick)))
    n_wary = _WARY

    def unit_of(packet: Packet) -> Unit | None:
        unit = read(packet)
        if unit is not None and unit.dts is None and not codec.has_b_frames:
            unit.dts = unit.pts
        return unit

    while not span.is_over:
        try:
            yield from _sparsely(codec, unit_of, feed, span, clock, tally)
        except OddStreamError:
            n_before = feed.n_given
        else:
            return
        for picture in all_decoded(feed.until_start(n_wary, unit_of), codec, span, clock, tally):
            yield replace(picture, index=n_before + picture.index)
        codec.flush_buffers()
        n_wary = min(2 * n_wary, _MOST_WARY)


def _sparsely(
    codec: VideoCodecContext, read: Reader, feed: "_Feed", span: Span, clock: Clock, tally: Tally
) -> Iterator[Picture]:
    """Up to an oddity; what was not decoded by then is put back.

    Raises:
        OddStreamError: timestamps or headers cannot be trusted.
    """
    schedule = Schedule(span, clock, first_index=feed.n_given, is_awaited=lambda: decoder.is_awaiting)
    decoder = SparseDecoder(codec, read, schedule, tally)
    try:
        yield from decoder.decoded(feed, span)
    except OddStreamError:
        feed.put_back([unit.packet for unit in schedule.held()])
        raise


def _dated(compressed: Iterator[Packet], n_packets: int, step: int) -> Iterator[Packet]:
    """Gives the first packet, which RTSP often leaves without a timestamp, that of the next shown less a step.

    Among ``n_packets`` the next shown must be; so many are waited for.
    """
    for first in islice(compressed, 1):
        following = list(islice(compressed, n_packets)) if first.pts is None else []
        known = [packet.pts for packet in following if packet.pts is not None]
        if known:
            first.pts = min(known) - step
        yield first
        yield from following
    yield from compressed


class _Feed:
    """Packets that can be put back."""

    def __init__(self, compressed: Iterator[Packet]) -> None:
        self._compressed = compressed
        self._returned: deque[Packet] = deque()
        self._last: Packet | None = None
        self.n_given = 0

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> Packet:
        self._last = self._returned.popleft() if self._returned else next(self._compressed)
        self.n_given += 1
        return self._last

    def put_back(self, packets: list[Packet]) -> None:
        """These come next, and behind them the last one given, if it is not among them."""
        if self._last is not None and (not packets or packets[-1] is not self._last):
            packets = [*packets, self._last]
        self._returned.extendleft(reversed(packets))
        self.n_given -= len(packets)

    def until_start(self, n_packets: int, read: Reader) -> Iterator[Packet]:
        """At least so many, then on to where decoding can start afresh."""
        for n_given, packet in enumerate(self):
            if n_given >= n_packets:
                unit = read(packet)
                if unit is not None and unit.is_start and unit.pts is not None:
                    self.put_back([packet])
                    return
            yield packet
