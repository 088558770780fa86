"""Live and remote video: RTSP, HTTP and HTTPS."""

from collections.abc import Iterator
from contextlib import closing
from typing import Literal, final
from urllib.parse import SplitResult, urlsplit

import av

from sightline.errors import SourceError
from sightline.model.frame import Footage, Frame, Moment
from sightline.sources.container import clock_of, native_fps
from sightline.sources.grid import sampling
from sightline.sources.opening import Hardware, Opened, open_url, reason
from sightline.sources.planes import Colours
from sightline.sources.reading import Tally, all_decoded
from sightline.sources.units import Packet

_SCHEMES = {"rtsp", "rtsps", "http", "https"}
_PROTOCOLS = "rtsp,rtsps,rtp,srtp,tcp,udp,tls,http,https,crypto"
"""What libav may use; left to itself it would open local files by way of a crafted address."""
_MOST_WAITED = 600
"""Packets that may pass before the first keyframe."""


@final
class Stream:
    """Pictures of a stream, at the times it says, from the first keyframe on; decoded without added delay.

    Reading again connects again. A connection that breaks or falls silent is an error: nothing reconnects.
    Names and messages show the host and the path of the address, never user, password or query.
    """

    def __init__(
        self,
        url: str,
        *,
        camera: str | None = None,
        fps: float | None = None,
        duration_s: float | None = None,
        transport: Literal["tcp", "udp"] = "tcp",
        timeout_s: float = 10.0,
        listen: bool = False,
        hardware: Hardware = "none",
    ) -> None:
        """``url`` begins with rtsp, rtsps, http or https; nothing is opened before pictures are asked for.

        ``camera``: name of the camera; unsaid, host and path.
        ``fps``: pictures per second to take, by their times.
        ``duration_s``: seconds of video after which to stop; unsaid, when the stream ends.
        ``transport``: how RTSP carries its packets.
        ``timeout_s``: silence after which to give up.
        ``listen``: wait for a camera that pushes RTSP to this address instead of asking for it.
        ``hardware``: what decodes; ``auto`` falls back to the processor.

        Raises:
            SourceError: the address is of no known kind, or a number makes no sense.
        """
        try:
            parts = urlsplit(url)
            self._shown = _shown(parts)
        except ValueError:
            raise SourceError("stream: the address makes no sense; give one such as rtsp://host/path") from None
        if parts.scheme.lower() not in _SCHEMES or not parts.hostname:
            raise SourceError(
                f"{self._shown}: not an address of a stream; give {', '.join(sorted(_SCHEMES))}://host/path"
            )
        for name, number in (("fps", fps), ("duration_s", duration_s), ("timeout_s", timeout_s)):
            if number is not None and not number > 0:
                raise SourceError(f"{self._shown}: {name} must be more than 0, not {number}")
        self._url = url
        self._camera = camera or f"{parts.hostname}{parts.path.rstrip('/')}"
        self._fps = fps
        self._duration_s = duration_s
        self._timeout_s = timeout_s
        self._hardware = hardware
        self._options = {"protocol_whitelist": _PROTOCOLS}
        if parts.scheme.lower().startswith("rtsp"):
            listening = {"rtsp_flags": "listen", "listen_timeout": str(max(1, round(timeout_s)))}
            self._options |= listening if listen else {"rtsp_transport": transport}
        self._connected: Opened | None = None
        self._tally = Tally()

    def about(self) -> Footage:
        """What it says of itself; connects, and the next reading goes on with that connection.

        Raises:
            SourceError: nobody answers in time, or what answers is no video.
        """
        if self._connected is None:
            self._connected = self._connect()
        codec, native = self._connected.codec, native_fps(self._connected)
        fps = min(filter(None, (native, self._fps)), default=None)
        n_frames = None if fps is None or self._duration_s is None else round(fps * self._duration_s)
        return Footage(self._camera, codec.width, codec.height, fps, self._duration_s, n_frames)

    def frames(self) -> Iterator[Frame]:
        """Pictures as they come.

        Raises:
            SourceError: nobody answers in time, it is no video, or it breaks off.
        """
        opened, self._connected = self._connected or self._connect(), None
        tally = self._tally = Tally()
        colours, n_taken = Colours(), 0
        with closing(opened):
            clock = clock_of(opened, None)
            span = sampling("start", self._fps, end_s=self._duration_s, tick=clock.tick)
            for picture in all_decoded(self._packets(opened, tally), opened.codec, span, clock, tally):
                n_taken += 1
                moment = Moment(self._camera, picture.index, float(picture.t))
                yield Frame(moment, colours.rgb(picture.frame))
        if not n_taken:
            raise SourceError(f"{self._shown}: the stream ended without a picture")

    def n_lost(self) -> int:
        """How many pictures of the last reading arrived damaged; those that never arrived leave no trace."""
        return self._tally.n_lost

    def _connect(self) -> Opened:
        opened = open_url(
            self._url, self._shown, options=self._options, timeout_s=self._timeout_s, hardware=self._hardware
        )
        opened.codec.thread_type = "SLICE"  # several pictures at once would each wait for the next
        return opened

    def _packets(self, opened: Opened, tally: Tally) -> Iterator[Packet]:
        """Those from the first keyframe on."""
        has_begun, n_waited = False, 0
        try:
            for packet in opened.container.demux(opened.stream):
                n_waited += 1
                has_begun |= packet.is_keyframe or n_waited > _MOST_WAITED
                if packet.size and has_begun:
                    tally.n_packets += 1
                    yield packet
        except (av.FFmpegError, IndexError) as error:
            silent = isinstance(error, av.error.ExitError | av.TimeoutError)
            why = f"nothing came for {self._timeout_s:g} s" if silent else _why(error)
            raise SourceError(f"{self._shown}: the stream broke off: {why}") from None


def _why(error: Exception) -> str:
    return reason(error) if isinstance(error, av.FFmpegError) else "its tables changed"


def without_secrets(url: str) -> str:
    """The address as it may be written down: without user, password and query.

    Raises:
        ValueError: it is no address.
    """
    return _shown(urlsplit(url))


def _shown(parts: SplitResult) -> str:
    """The address without what is nobody's business."""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
