"""What a container says of the video in it, and jumping into it by its index."""

from fractions import Fraction

import av

from sightline.sources.clock import Clock
from sightline.sources.opening import Opened

_UNSAID_STEP = Fraction(1, 25)
"""How far pictures are apart where neither container nor codec says."""
_HEAD = 32
"""Packets among which the one shown first must be."""


def native_fps(opened: Opened) -> float | None:
    """Mean pictures per second, as the container has it."""
    rate = opened.stream.average_rate or opened.stream.guessed_rate
    return float(rate) if rate else None


def clock_of(opened: Opened, assume_fps: float | None) -> Clock:
    """A clock for its timestamps, or for times that are assumed instead."""
    tick = opened.stream.time_base or Fraction(1, 90_000)
    if assume_fps is not None:
        return Clock(tick, 1 / Fraction(assume_fps).limit_denominator(100_000), is_assumed=True)
    rate = opened.stream.average_rate or opened.stream.guessed_rate
    return Clock(tick, 1 / rate if rate else _UNSAID_STEP)


def length_s(opened: Opened) -> float | None:
    """Seconds of video it announces; None where it says nothing."""
    stream = opened.stream
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    said = _seconds(stream.metadata.get("DURATION", ""))
    if said is None and opened.container.duration:
        said = opened.container.duration / av.time_base
    return said


def n_missing(opened: Opened, n_seen: int, end: Fraction) -> int:
    """How many pictures it announces beyond the ``n_seen`` found, the last of which ends at ``end``.

    By their number where the container has it, else by the length of the video stream that it wrote down when it
    was made. An MPEG transport stream announces nothing, so nothing of it can be missing.
    """
    if opened.stream.frames:
        return max(0, opened.stream.frames - n_seen)
    said, fps = _seconds(opened.stream.metadata.get("DURATION", "")), native_fps(opened)
    if said is None or fps is None:
        return 0
    return max(0, round((said - float(end)) * fps))


def jumped(opened: Opened, clock: Clock, start_s: float) -> int:
    """Jumps to where everything from ``start_s`` on can be decoded; how many pictures were passed over.

    Only where the container lists every picture, so that their places stay exact; elsewhere it stays at the
    beginning. It lands a group of pictures early: the first ones of a group may need the group before.
    """
    entries = list(opened.stream.index_entries)
    if not entries or len(entries) != opened.stream.frames:
        return 0
    origin = _first_shown(opened)
    target = None if origin is None else origin + start_s / clock.tick
    keys = [at for at, entry in enumerate(entries) if entry.is_keyframe]
    before = [] if target is None else [at for at in keys if entries[at].timestamp <= target]
    at = before[-2] if len(before) > 1 else 0
    if at and _lands(opened, entries[at].timestamp, entries[at].pos):
        clock.origin = origin
        return sum(not entry.is_discard for entry in entries[:at])
    opened.container.seek(entries[0].timestamp, stream=opened.stream)
    return 0


def _first_shown(opened: Opened) -> int | None:
    """Timestamp of the first picture; moves the place of reading."""
    shown = []
    for n_packets, packet in enumerate(opened.container.demux(opened.stream)):
        if packet.size and packet.pts is not None and not packet.is_discard:
            shown.append(packet.pts)
        if n_packets == _HEAD:
            break
    return min(shown, default=None)


def _lands(opened: Opened, timestamp: int, pos: int) -> bool:
    """Jumps there; whether it is the place that was meant."""
    opened.container.seek(timestamp, stream=opened.stream)
    found = next(iter(opened.container.demux(opened.stream)), None)
    opened.container.seek(timestamp, stream=opened.stream)
    return found is not None and found.pos == pos


def _seconds(text: str) -> float | None:
    """Of ``hours:minutes:seconds``."""
    parts = text.split(":")
    try:
        return sum(float(part) * 60.0**power for power, part in enumerate(reversed(parts)))
    except ValueError:
        return None
