"""Live and remote video: RTSP, HTTP and HTTPS."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Literal, final
from urllib.parse import SplitResult, urlsplit

import av
from av.video.frame import VideoFrame

from sightline.errors import SourceError
from sightline.model.frame import Footage, Frame, Moment
from sightline.model.planes import Planes
from sightline.sources.container import clock_of, native_fps
from sightline.sources.live import LiveGridName, live_pictures, live_sampling
from sightline.sources.opening import Hardware, Opened, open_url, reason
from sightline.sources.planes import Colours
from sightline.sources.reading import Picture, Tally, all_decoded
from sightline.sources.units import Packet, unit_reader

_PROTOCOLS = {
    "rtsp": "rtsp,rtp,tcp,udp",
    "rtsps": "rtsps,rtsp,rtp,srtp,tcp,udp,tls,crypto",
    "http": "http,https,tcp,tls,crypto",
    "https": "http,https,tcp,tls,crypto",
}
"""What libav may use for which address; left to itself it would open local files by way of a crafted one."""
_MOST_WAITED = 600
"""Packets that may pass before the first keyframe."""


@final
class Stream:
    """Pictures of a stream, at the times it says, from the first keyframe on; decoded without added delay.

    Of those that ``fps`` leaves out, only what the taken ones are predicted from is decoded.
    Reading again connects again. A connection that breaks or falls silent is an error: nothing reconnects.
    Names and messages show the host and the path of the address, never user, password or query.
    """

    def __init__(  # noqa: PLR0913  (an engine's options are its constructor's)
        self,
        url: str,
        *,
        camera: str | None = None,
        fps: float | None = None,
        duration_s: float | None = None,
        transport: Literal["tcp", "udp"] = "tcp",
        timeout_s: float = 10.0,
        connect_timeout_s: float | None = None,
        listen: bool = False,
        hardware: Hardware = "none",
        grid: LiveGridName = "start",
        sparse: bool = True,
    ) -> None:
        """``url`` begins with rtsp, rtsps, http or https; nothing is opened before pictures are asked for.

        ``camera``: name of the camera; unsaid, host and path.
        ``fps``: pictures per second to take, by their times.
        ``duration_s``: seconds of video after which to stop; unsaid, when the stream ends.
        ``transport``: how RTSP carries its packets.
        ``timeout_s``: silence after which to give up.
        ``connect_timeout_s``: how long connecting may take; unsaid, as long.
        ``listen``: wait for a camera that pushes RTSP to this address instead of asking for it.
        ``hardware``: what decodes; ``auto`` falls back to the processor.
        ``grid``: ``start`` counts from the first picture; ``aligned`` leans on keyframes, which costs least.
        ``sparse``: decode only what the taken pictures need; the same pictures come, bit for bit.

        Raises:
            SourceError: the address is of no known kind, or a number makes no sense.
        """
        try:
            parts = urlsplit(url)
            self._shown = _shown(parts)
        except ValueError:
            raise SourceError("stream: the address makes no sense; give one such as rtsp://host/path") from None
        if parts.scheme.lower() not in _PROTOCOLS or not parts.hostname:
            raise SourceError(
                f"{self._shown}: not an address of a stream; give {', '.join(sorted(_PROTOCOLS))}://host/path"
            )
        numbers = {"fps": fps, "duration_s": duration_s, "timeout_s": timeout_s, "connect_timeout_s": connect_timeout_s}
        for name, number in numbers.items():
            if number is not None and not number > 0:
                raise SourceError(f"{self._shown}: {name} must be more than 0, not {number}")
        self._url = url
        self._camera = camera or f"{parts.hostname}{parts.path.rstrip('/')}"
        self._fps = fps
        self._duration_s = duration_s
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._hardware: Hardware = hardware
        self._grid: LiveGridName = grid
        self._sparse = sparse
        self._options = {"protocol_whitelist": _PROTOCOLS[parts.scheme.lower()]}
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

    def codec(self) -> str:
        """How pictures are compressed, as FFmpeg names it; connects as ``about`` does.

        Raises:
            SourceError: nobody answers in time, or what answers is no video.
        """
        self.about()
        return "unknown" if self._connected is None else self._connected.codec.name

    def frames(self) -> Iterator[Frame]:
        """Pictures in colour, as they come.

        Raises:
            SourceError: nobody answers in time, it is no video, or it breaks off.
        """
        colours = Colours()
        for moment, picture in self.pictures():
            yield Frame(moment, colours.rgb(picture))

    def planes(self, on_packet: Callable[[], None] | None = None) -> Generator[Planes, None, None]:
        """Pictures as luma and chroma, for encoding them again.

        ``on_packet`` is called for whatever comes from the network; what it raises ends the reading.

        Raises:
            SourceError: nobody answers in time, it is no video, or it breaks off.
        """
        colours = Colours()
        for moment, picture in self.pictures(on_packet):
            yield colours.planes(moment, picture)

    def pictures(self, on_packet: Callable[[], None] | None = None) -> Iterator[tuple[Moment, VideoFrame]]:
        """Pictures as the decoder gives them: not turned upright, in whatever colours they are stored.

        Raises:
            SourceError: nobody answers in time, it is no video, or it breaks off.
        """
        opened, self._connected = self._connected or self._connect(), None
        tally, n_taken = Tally(), 0
        self._tally = tally
        with closing(opened):
            for picture in self._read(opened, tally, on_packet):
                n_taken += 1
                yield Moment(self._camera, picture.index, float(picture.t)), picture.frame
        if not n_taken:
            raise SourceError(f"{self._shown}: the stream ended without a picture")

    def _read(self, opened: Opened, tally: Tally, on_packet: Callable[[], None] | None) -> Iterator[Picture]:
        """Those that the grid takes."""
        clock = clock_of(opened, None)
        span = live_sampling(self._grid, self._fps, end_s=self._duration_s, tick=clock.tick)
        compressed = self._packets(opened, tally, on_packet)
        reader = unit_reader(opened.codec) if self._sparse and self._fps is not None else None
        if reader is None:
            return all_decoded(compressed, opened.codec, span, clock, tally)
        return live_pictures(opened.codec, reader, compressed, span, clock, tally)

    @property
    def is_hardware(self) -> bool | None:
        """Whether a device decodes; None while not connected."""
        return None if self._connected is None else self._connected.codec.is_hwaccel

    def n_lost(self) -> int:
        """How many pictures of the last reading arrived damaged; those that never arrived leave no trace."""
        return self._tally.n_lost

    def _connect(self) -> Opened:
        opened = open_url(
            self._url,
            self._shown,
            options=self._options,
            timeout_s=self._timeout_s,
            connect_timeout_s=self._connect_timeout_s,
            hardware=self._hardware,
        )
        opened.codec.thread_type = "SLICE"  # several pictures at once would each wait for the next
        return opened

    def _packets(self, opened: Opened, tally: Tally, on_packet: Callable[[], None] | None) -> Iterator[Packet]:
        """Those from the first keyframe on, but for those shown before it: they need what came before."""
        has_begun, n_waited, first, n_keys = False, 0, None, 0
        try:
            for packet in opened.container.demux(opened.stream):
                if on_packet is not None:
                    on_packet()
                n_waited += 1
                n_keys += packet.is_keyframe
                if not has_begun and (packet.is_keyframe or n_waited > _MOST_WAITED):
                    has_begun, first = True, packet.pts
                if packet.size and has_begun and not (n_keys == 1 and _is_before(packet, first)):
                    tally.n_packets += 1
                    yield packet
        except (av.FFmpegError, IndexError) as error:
            silent = isinstance(error, av.error.ExitError | av.TimeoutError)
            why = f"nothing came for {self._timeout_s:g} s" if silent else _why(error)
            raise SourceError(f"{self._shown}: the stream broke off: {why}") from None


def _is_before(packet: Packet, pts: int | None) -> bool:
    return None not in {packet.pts, pts} and packet.pts < pts


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
