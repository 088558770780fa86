"""One pass through a video: from packets to decoded pictures with their places and times."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.codec.context import ThreadType
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from sightline.sources.clock import Clock
from sightline.sources.grid import Span
from sightline.sources.opening import Opened
from sightline.sources.sparse import OddStreamError, Run, Schedule
from sightline.sources.units import Packet, Reader, Unit


class DamagedError(Exception):
    """A picture could not be decoded, and with frames decoded in parallel libav drops sound ones with it."""


_MOST_FAILURES = 100
"""Read errors in a row, after which the rest is given up."""
_MOST_REORDERED = 64
"""More pictures than any codec shows between decoding one and showing it."""
_MOST_AHEAD_S = 10
"""Less than this between decoding and showing is never a fault."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture."""

    index: int
    """Its place in the stream, counted from 0 in order of showing."""
    t: Fraction
    """Seconds since the first one."""
    frame: VideoFrame
    """As the decoder gave it."""
    is_keyframe: bool
    """Whether the container calls it so; the decoder, where that says nothing."""


@dataclass(slots=True)
class Tally:
    """What was read, and what of it did not come."""

    n_lost: int = 0
    """Pictures that were to come and did not, or came damaged."""
    n_packets: int = 0
    """Compressed pictures seen, those not decoded or jumped over included."""
    is_whole: bool = False
    """Whether everything was read, up to the end."""


def packets(opened: Opened, tally: Tally) -> Iterator[Packet]:
    """Those of the picture stream. Where reading fails it goes on behind the fault, if anything follows.

    A timestamp that is absurdly far ahead of its packet is taken away.
    """
    demuxed = opened.container.demux(opened.stream)
    most_ahead = _most_ahead(opened)
    n_failures = 0
    while n_failures < _MOST_FAILURES:
        try:
            packet = next(demuxed)
        except StopIteration:
            break
        except (av.FFmpegError, IndexError):  # PyAV looks up streams that a fault makes up, and finds none
            n_failures += 1
            demuxed = opened.container.demux(opened.stream)
            continue
        n_failures = 0
        if packet.size:
            tally.n_packets += 1
            if packet.pts is not None and packet.dts is not None and packet.pts - packet.dts > most_ahead:
                packet.pts = None
            yield packet
    tally.is_whole = True


def _most_ahead(opened: Opened) -> Fraction:
    """Ticks that a picture may be shown after it is decoded."""
    rate = opened.stream.average_rate or Fraction(25)
    return max(Fraction(_MOST_AHEAD_S), _MOST_REORDERED / rate) / (opened.stream.time_base or 1)


def all_decoded(
    compressed: Iterable[Packet],
    codec: VideoCodecContext,
    span: Span,
    clock: Clock,
    tally: Tally,
    *,
    only_keyframes: bool = False,
) -> Iterator[Picture]:
    """Decodes everything, then chooses among what came. Sure with any stream.

    Raises:
        DamagedError: a picture could not be decoded; what was yielded before is right.
    """
    due = _Due(codec, tally)
    for frame in _decoded(codec, map(due.announced, compressed)):
        if clock.origin is None:
            clock.origin = due.first
        index, is_keyframe = due.place(frame)
        if index is None:
            continue
        t = clock.next(frame.pts, index)
        if only_keyframes and not is_keyframe:
            continue
        yield from (picture for picture, taken in span.offer(t, Picture(index, t, frame, is_keyframe)) if taken)
        if span.is_over:
            return
    due.close()
    yield from (picture for picture, taken in span.close(clock.end) if taken)


@dataclass(slots=True)
class _Due:
    """Pictures that must still come, and the count of those that came or should have."""

    codec: VideoCodecContext
    tally: Tally
    n_past: int = 0
    n_timeless: int = 0
    last_pts: int | None = None
    last_dts: int | None = None
    epochs: list[list[tuple[int, bool]]] = field(default_factory=lambda: [[]])
    """Heaps of (timestamp, is keyframe): another where the timestamps start again."""

    @property
    def first(self) -> int | None:
        """Timestamp of the next due."""
        return self.epochs[0][0][0] if self.epochs[0] else None

    def announced(self, packet: Packet) -> Packet:
        """The same packet, noted."""
        if packet.dts is not None:
            if self.last_dts is not None and packet.dts < self.last_dts:
                self.epochs.append([])
            self.last_dts = packet.dts
        if packet.pts is None:
            self.n_timeless += 1
        elif not packet.is_discard and not _is_hidden(self.codec, packet):
            heapq.heappush(self.epochs[-1], (packet.pts, packet.is_keyframe))
        return packet

    def place(self, frame: VideoFrame) -> tuple[int | None, bool]:
        """Its place among all pictures, None if it is damaged or late; and whether it is a keyframe."""
        is_keyframe = frame.key_frame
        heap = next((h for h in self.epochs if any(pts == frame.pts for pts, _ in h)), None)
        if heap is not None:
            while self.epochs[0] is not heap:
                self._give_up(len(self.epochs[0]))
                del self.epochs[0]
            self._give_up(sorted(heap).index(next(due for due in heap if due[0] == frame.pts)))
            self.last_pts, is_keyframe = heapq.heappop(heap)
        elif frame.pts is not None and self.last_pts is not None and frame.pts < self.last_pts:
            return None, is_keyframe
        self.n_past += 1
        self.tally.n_lost += frame.is_corrupt
        return None if frame.is_corrupt else self.n_past - 1, is_keyframe

    def close(self) -> None:
        """Nothing more comes. Where no packet had a timestamp, one picture each was due."""
        _lose(self.codec, self.tally, sum(map(len, self.epochs)))
        if self.n_timeless == self.tally.n_packets:
            _lose(self.codec, self.tally, max(0, self.n_timeless - self.n_past))

    def _give_up(self, n_pictures: int) -> None:
        """Those next in line did not come."""
        _lose(self.codec, self.tally, n_pictures)
        for _ in range(n_pictures):
            heapq.heappop(self.epochs[0])
        self.n_past += n_pictures


class SparseDecoder:
    """Decodes only what the wanted pictures need; they come out as ``all_decoded`` gives them, bit for bit."""

    def __init__(self, codec: VideoCodecContext, read: Reader, schedule: Schedule, tally: Tally) -> None:
        self._codec = codec
        self._read = read
        self._schedule = schedule
        self._tally = tally
        self._due: list[tuple[int, int, Unit]] = []
        self._n_fed = 0

    @property
    def is_awaiting(self) -> bool:
        """Whether a wanted picture went into the decoder and has not come out."""
        return any(unit.is_wanted for _, _, unit in self._due)

    def decoded(self, compressed: Iterable[Packet], span: Span) -> Iterator[Picture]:
        """The wanted pictures.

        Raises:
            OddStreamError: timestamps or headers cannot be trusted; what was yielded before is right.
            DamagedError: a picture could not be decoded; likewise.
        """
        for packet in compressed:
            unit = self._read(packet)
            if unit is None:
                raise OddStreamError
            for run in self._schedule.add(unit):
                yield from self._played(run)
            if span.is_over:
                break
        for run in self._schedule.close():
            yield from self._played(run)
        yield from self._emptied()

    def _played(self, run: Run) -> Iterator[Picture]:
        """The wanted of a run, and of earlier ones, as they come."""
        if run.is_fresh:
            yield from self._emptied()
            self._codec.flush_buffers()
        for unit in run.units:
            self._n_fed += 1
            if unit.is_wanted is not False and unit.pts is not None:  # of live streams, not all are judged yet
                heapq.heappush(self._due, (unit.pts, self._n_fed, unit))
            yield from self._chosen(_fed(self._codec, unit.packet))

    def _emptied(self) -> Iterator[Picture]:
        """What the decoder still holds; what is due and not there is lost."""
        yield from self._chosen(_fed(self._codec, None))
        _lose(self._codec, self._tally, sum(bool(unit.is_wanted) for _, _, unit in self._due))
        self._due.clear()

    def _chosen(self, frames: Iterable[VideoFrame]) -> Iterator[Picture]:
        """Those that are due."""
        for frame in frames:
            if frame.pts is None:
                continue
            while self._due and self._due[0][0] < frame.pts:
                _, _, unit = heapq.heappop(self._due)
                _lose(self._codec, self._tally, int(bool(unit.is_wanted)))
            if self._due and self._due[0][0] == frame.pts:
                _, _, unit = heapq.heappop(self._due)
                if not unit.is_wanted:
                    continue
                self._tally.n_lost += frame.is_corrupt
                if not frame.is_corrupt:
                    yield Picture(unit.index, unit.t, frame, unit.is_keyframe)


def _decoded(codec: VideoCodecContext, compressed: Iterable[Packet]) -> Iterator[VideoFrame]:
    for packet in compressed:
        yield from _fed(codec, packet)
    yield from _fed(codec, None)


def _fed(codec: VideoCodecContext, packet: Packet | None) -> list[VideoFrame]:
    """What comes of a packet, or of the end; nothing of a damaged one.

    Raises:
        DamagedError: it is damaged, and frames are decoded in parallel.
    """
    try:
        return codec.decode(packet)
    except av.EOFError:
        return []
    except av.FFmpegError:
        _refuse_if_parallel(codec)
        return []


def _lose(codec: VideoCodecContext, tally: Tally, n_lost: int) -> None:
    """Counts pictures that did not come.

    Raises:
        DamagedError: frames are decoded in parallel, so they may come yet if decoded one by one.
    """
    if n_lost:
        _refuse_if_parallel(codec)
        tally.n_lost += n_lost


def _refuse_if_parallel(codec: VideoCodecContext) -> None:
    if codec.thread_type & ThreadType.FRAME:
        raise DamagedError


def _is_hidden(codec: VideoCodecContext, packet: Packet) -> bool:
    """Whether it is never shown, but used to predict others. Source: RFC 6386, 9.1."""
    return codec.name == "vp8" and not memoryview(packet)[0] >> 4 & 1
