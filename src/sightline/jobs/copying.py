"""Compressed pictures from one container into another, untouched."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.packet import Packet
from av.video.stream import VideoStream

from sightline.errors import SourceError
from sightline.executors.local import Stopped, Tell
from sightline.sources.opening import Opened, open_url, reason

_PROTOCOLS = {"rtsp": "rtsp,rtp,tcp,udp", "rtsps": "rtsps,rtsp,rtp,srtp,tcp,udp,tls,crypto"}


def open_live(url: str, shown: str, timeout_s: float) -> Opened:
    """A stream, its packets over TCP.

    Raises:
        SourceError: nobody answers in time, or what answers is no video.
    """
    scheme = url.partition("://")[0].lower()
    options = {"protocol_whitelist": _PROTOCOLS[scheme], "rtsp_transport": "tcp"}
    return open_url(url, shown, options=options, timeout_s=timeout_s)


def copied(
    source: Opened,
    path: Path,
    shown: str,
    start_s: float | None,
    duration_s: float,
    tell: Tell,
    stopped: Stopped,
) -> dict[str, Any]:
    """Writes the part to an MP4 file, from the keyframe at or before ``start_s`` (None: the first to come) on.

    A stream that breaks off leaves what came before. What it says: where the part really begins and how long it is.

    Raises:
        SourceError: there is nothing there, or its pictures do not go into MP4.
    """
    tick = source.stream.time_base or Fraction(1, 90_000)
    origin = source.stream.start_time or 0
    if start_s:
        source.container.seek(origin + int(start_s / tick), stream=source.stream)
    part = _Part(None if start_s is None else origin + start_s / float(tick), duration_s / float(tick))
    failure = None
    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as target:
            out = target.add_stream_from_template(source.stream)
            try:
                for packet in source.container.demux(source.stream):
                    if stopped() or part.is_over(packet):
                        break
                    if part.takes(packet):
                        packet.stream = out
                        target.mux(packet)
                        tell("recording", min(int(part.n_ticks * tick), int(duration_s)), int(duration_s) or None)
            except av.FFmpegError as error:
                if not part.n_packets or start_s is not None:
                    raise
                failure = reason(error)
    except (av.FFmpegError, ValueError) as error:
        why = reason(error) if isinstance(error, av.FFmpegError) else str(error)
        raise SourceError(f"{shown}: cannot be copied to MP4: {why}") from None
    if part.is_empty():
        raise SourceError(f"{shown}: nothing to copy at {start_s or 0:g} s; it ends before")
    began_s = None if start_s is None else float((part.first - origin) * tick)
    return {
        "start_s": began_s,
        "duration_s": round(float(part.n_ticks * tick), 6),
        "packets": part.n_packets,
        "complete": failure is None,
        "failure": failure,
    }


class _Part:
    """Which packets belong to it."""

    def __init__(self, start: float | None, length: float) -> None:
        self._start, self._length = start, length
        self._end: float | None = None if start is None else start + length
        self._last_dts: int | None = None
        self.first = 0
        self.n_ticks = 0
        self.n_packets = 0

    def is_empty(self) -> bool:
        """Whether it holds nothing of what was asked for: at most what comes before its beginning."""
        return not self.n_packets or (self._start is not None and self.first + self.n_ticks <= self._start)

    def is_over(self, packet: "Packet[VideoStream]") -> bool:
        """Whether it and all that follow come later."""
        return self._end is not None and packet.dts is not None and packet.dts >= self._end

    def takes(self, packet: "Packet[VideoStream]") -> bool:
        """Whether it belongs to the part; times are moved such that the part begins at 0."""
        if not packet.size or packet.dts is None or packet.pts is None or packet.is_corrupt:
            return False
        if not self.n_packets:
            if not packet.is_keyframe:
                return False
            self.first = packet.pts
            self._end = packet.pts + self._length if self._end is None else self._end
        if self._last_dts is not None and packet.dts <= self._last_dts:
            return False  # a stream that stumbles: MP4 has no place for it
        self._last_dts = packet.dts
        self.n_packets += 1
        self.n_ticks = max(self.n_ticks, packet.pts - self.first + (packet.duration or 0))
        packet.pts -= self.first
        packet.dts -= self.first
        return True
