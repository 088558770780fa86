"""What can be told of a compressed picture without decoding it.

Source: ITU-T H.264 7.3.1, 7.4.1 and D.2.8 (recovery point); ITU-T H.265 7.3.1.2 and 7.4.2.2, table 7-1.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.codec.context import CodecContext

_INTRA_ONLY = {"mjpeg", "prores", "dnxhd", "png", "ffvhuff", "huffyuv", "rawvideo", "v210"}
Packet = Any
"""libav's packet; generic in its stubs, not at run time."""
_PROGRESSIVE = 1
"""libav's field orders 0 and 1: unknown and progressive."""


@dataclass(slots=True, eq=False)
class Unit:
    """One compressed picture."""

    packet: Packet
    """As the container gave it."""
    pts: int | None
    """When to show it, in the stream's ticks."""
    dts: int | None
    """When to decode it; later ones are shown no earlier than this."""
    is_keyframe: bool
    """Whether the container calls it so."""
    is_start: bool
    """Whether everything shown after it can be decoded from here on, bit for bit."""
    is_reference: bool
    """Whether others may be predicted from it."""
    layer: int = 0
    """Temporal layer; others of higher layers may be predicted even from a non-reference."""
    has_sets: bool = False
    """Whether it carries parameters that later ones need."""
    is_shown: bool = True
    """Whether it is meant to be seen at all (edit lists hide some)."""
    is_wanted: bool | None = None
    """Whether the sampling takes it; None: not judged yet."""
    index: int = -1
    """Its place in order of showing, once known."""
    t: Fraction = Fraction(0)
    """Seconds since the first picture, once known."""


Reader = Callable[[Packet], Unit | None]
"""Reads a packet's header; None where it makes no sense."""


def unit_reader(codec: CodecContext, *, only_keyframes: bool = False) -> Reader | None:
    """A reader for this codec's packets; None where packets do not tell enough and all must be decoded.

    Who wants ``only_keyframes`` needs to know no more than the container says.
    """
    if codec.name in _INTRA_ONLY:
        return _intra
    if only_keyframes and codec.name not in _CODECS:
        return _bare
    if codec.name not in _CODECS or getattr(codec, "field_order", 0) > _PROGRESSIVE:
        return None
    at, look = _CODECS[codec.name]
    extra = codec.extradata or b""
    size = (extra[at] & 3) + 1 if len(extra) > at and extra[0] == 1 else 0

    def read(packet: Packet) -> Unit | None:
        unit = _bare(packet)
        try:
            return unit if look(unit, memoryview(packet), size) else None
        except IndexError:
            return None

    return read


def _bare(packet: Packet) -> Unit:
    """What the container says."""
    key = packet.is_keyframe
    return Unit(packet, packet.pts, packet.dts, key, key, is_reference=True, is_shown=not packet.is_discard)


def _intra(packet: Packet) -> Unit:
    """Every picture stands alone."""
    unit = _bare(packet)
    unit.is_start, unit.is_reference = True, False
    return unit


def _h264(unit: Unit, data: memoryview, size: int) -> bool:
    """Fills in what the headers up to the first slice say; whether there was a slice."""
    recovers = False
    for at, end in _nals(data, size):
        kind = data[at] & 31
        if kind in {1, 2, 5}:
            unit.is_reference = data[at] >> 5 & 3 != 0
            unit.is_start = kind == 5 or (unit.is_keyframe and recovers)
            return True
        unit.has_sets |= kind in {7, 8}
        recovers |= kind == 6 and _recovers_at_once(data[at + 1 : end])
    return False


def _recovers_at_once(sei: memoryview) -> bool:
    """Whether there is a recovery point message that asks for no further pictures and promises an exact match."""
    at = 0
    while at + 2 < len(sei):
        kind = size = 0
        while sei[at] == 255:
            kind, at = kind + 255, at + 1
        kind, at = kind + sei[at], at + 1
        while sei[at] == 255:
            size, at = size + 255, at + 1
        size, at = size + sei[at], at + 1
        if kind == 6:
            return sei[at] & 0xC0 == 0xC0
        at += size
    return False


def _hevc(unit: Unit, data: memoryview, size: int) -> bool:
    """Fills in what the headers up to the first slice say; whether there was a slice."""
    for at, _ in _nals(data, size):
        kind, higher = data[at] >> 1 & 63, (data[at] & 1) << 5 | data[at + 1] >> 3
        if higher:
            continue
        if kind < 32:
            unit.layer = (data[at + 1] & 7) - 1
            unit.is_reference = kind > 14 or kind % 2 == 1
            unit.is_start = 16 <= kind <= 21
            return True
        unit.has_sets |= kind in {32, 33, 34}
    return False


def _nals(data: memoryview, size: int) -> Iterator[tuple[int, int]]:
    """Where each NAL unit begins and ends: behind ``size`` bytes of length, or behind start codes where 0."""
    if size:
        at = 0
        while at + size < len(data):
            n_bytes = int.from_bytes(data[at : at + size], "big")
            yield at + size, min(at + size + n_bytes, len(data))
            at += size + n_bytes
        return
    whole = bytes(data)
    at = whole.find(b"\0\0\1") + 3
    while at >= 3:
        following = whole.find(b"\0\0\1", at)
        yield at, following if following > 0 else len(whole)
        at = following + 3


_CODECS: dict[str, tuple[int, Callable[[Unit, memoryview, int], bool]]] = {"h264": (4, _h264), "hevc": (21, _hevc)}
"""Where the extradata says how long the lengths are, and who reads the headers."""
