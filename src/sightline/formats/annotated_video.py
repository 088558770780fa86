"""Annotated video: H.264 in MP4 that browsers play, with boxes, numbers and trails."""

from contextlib import ExitStack
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import final

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from jaxtyping import UInt8

from sightline.errors import EngineError
from sightline.files import whole
from sightline.formats.drawing import drawn
from sightline.formats.privacy import Privacy, blurred
from sightline.formats.trails import Trails
from sightline.model.arrays import Boxes, Image
from sightline.model.frame import Frame
from sightline.model.tracks import Tracks

TICKS = 90_000
"""Of the video's clock in a second."""
ENCODERS = {
    "libx264": {"preset": "veryfast"},
    "libopenh264": {},
    "h264_nvenc": {"preset": "p4", "rc": "vbr"},
    "h264_qsv": {},
    "h264_videotoolbox": {},
    "h264_amf": {},
    "h264_v4l2m2m": {},
}
"""H.264 encoders of FFmpeg, the first that works is taken, and their settings."""
_QUALITY = {"libx264": "crf", "h264_nvenc": "cq", "h264_qsv": "global_quality"}
_NOMINAL_FPS = 30


@final
class AnnotatedVideo:
    """Writes pictures with what is followed in them, as they come; use it in a ``with``.

    Pictures keep their distance in time, so that variable rates stay right; the first is at 0. Odd sizes are padded
    to even ones. Pictures of another size than the first are fitted into that. Memory does not grow with length.
    The file is there, whole, once the ``with`` is left without an exception; without pictures there is none.
    """

    def __init__(
        self,
        path: Path,
        *,
        trail_s: float = 2.0,
        quality: int = 23,
        encoder: str | None = None,
        privacy: Privacy = "none",
    ) -> None:
        """``trail_s`` is how long trails last; ``quality`` 18 is large and fine, 30 small and coarse.

        ``encoder`` is FFmpeg's name of one; None: the first of ``ENCODERS`` that works here.
        ``privacy`` is what is covered of everybody whose box is known.
        """
        self._path, self._quality, self._encoder, self._privacy = path, quality, encoder, privacy
        self._trails, self._trail_s = Trails(trail_s), trail_s
        self._closing = ExitStack()
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._seen_shape: tuple[int, ...] = ()
        self._start_s, self._last_tick = 0.0, -1

    def __enter__(self) -> "AnnotatedVideo":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.__exit__(kind, error, trace)

    def add(self, frame: Frame, rows: Tracks, seen_px: Boxes | None = None) -> None:
        """Puts in the next picture, with the sightings ``rows`` of it.

        ``seen_px`` are boxes of others, whom nobody follows: they are covered as well, where that is asked for.

        Raises:
            EngineError: no encoder works here, or it failed.
            OSError: the file cannot be written.
        """
        if frame.rgb.shape != self._seen_shape:
            self._trails = Trails(self._trail_s)  # pixels of another size are other pixels
            self._seen_shape = frame.rgb.shape
        stream = self._stream or self._opened(frame)
        self._trails.add(frame.moment.t_s, rows)
        known = rows.xyxy_px if seen_px is None else np.concatenate([rows.xyxy_px, seen_px])
        picture = drawn(blurred(frame.rgb, known, self._privacy), rows, self._trails.at(frame.moment.t_s))
        yuv = cv2.cvtColor(_fitted(picture, stream.width, stream.height), cv2.COLOR_RGB2YUV_I420)
        encoded = av.VideoFrame.from_ndarray(np.asarray(yuv, np.uint8), format="yuv420p")
        encoded.time_base = Fraction(1, TICKS)
        tick = max(round((frame.moment.t_s - self._start_s) * TICKS), self._last_tick + 1)
        encoded.pts = self._last_tick = tick
        self._put(encoded)

    def _opened(self, frame: Frame) -> VideoStream:
        """The stream, sized after the first picture, and on the way out: finished, closed, renamed."""
        name = self._encoder or _working_encoder()
        height, width = (side + side % 2 for side in frame.rgb.shape[:2])
        self._start_s = frame.moment.t_s
        partial = self._closing.enter_context(whole(self._path))
        try:
            self._container = av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart"})
        except av.FFmpegError as error:
            raise _broken(self._path, error) from None
        self._closing.push(self._finish)
        try:
            stream = self._container.add_stream(name, options=_settings(name, self._quality))
        except (av.FFmpegError, ValueError):
            stream = None
        if not isinstance(stream, VideoStream):
            raise EngineError(f"{name!r} is no video encoder here; try one of {', '.join(ENCODERS)}")
        _set_up(stream.codec_context, width, height)
        self._stream = stream
        return stream

    def _finish(self, kind: type[BaseException] | None, *_: object) -> None:
        """Writes what the encoder still holds, and the index; only closes after a failure."""
        if self._container is None:
            return
        try:
            if kind is None:
                self._put(None)
            self._container.close()
        except av.FFmpegError as error:
            if kind is None:
                raise _broken(self._path, error) from None

    def _put(self, picture: av.VideoFrame | None) -> None:
        if self._container is None or self._stream is None:
            return
        try:
            packets = self._stream.encode(picture)
        except av.FFmpegError as error:
            name = self._stream.codec_context.name
            raise EngineError(f"{self._path}: encoder {name} failed ({error.strerror}); try another") from None
        try:
            self._container.mux(packets)
        except av.FFmpegError as error:
            raise _broken(self._path, error) from None


def _broken(path: Path, error: av.FFmpegError) -> OSError | EngineError:
    """FFmpeg's failure to write as ours: the disk's is the disk's."""
    if isinstance(error, OSError) and error.errno:
        return OSError(error.errno, error.strerror, str(path))
    return EngineError(f"{path}: the video cannot be written ({error.strerror})")


def _settings(name: str, quality: int) -> dict[str, str]:
    constant = {_QUALITY[name]: str(quality)} if name in _QUALITY else {}
    return {**ENCODERS.get(name, {}), **constant}


def _set_up(codec: VideoCodecContext, width: int, height: int) -> None:
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base = Fraction(1, TICKS)
    codec.framerate = Fraction(_NOMINAL_FPS)  # else x264 takes the clock for the rate, and a level nobody plays
    codec.gop_size = 2 * _NOMINAL_FPS
    codec.thread_count = 0
    codec.color_range = 1  # 16 to 235, and BT.601 below: what OpenCV converts to
    codec.colorspace = codec.color_primaries = codec.color_trc = 6


@lru_cache(maxsize=1)
def _working_encoder() -> str:
    """The first H.264 encoder that opens here; being listed is not enough, a GPU's needs the GPU."""
    for name in ENCODERS:
        try:
            codec = av.CodecContext.create(name, "w")
            if not isinstance(codec, VideoCodecContext):
                continue
            codec.options = _settings(name, 23)
            _set_up(codec, 256, 144)
            codec.open()
        except (av.FFmpegError, ValueError):
            continue
        return name
    raise EngineError(f"no H.264 encoder works here; tried {', '.join(ENCODERS)}: install the av wheel from PyPI")


def _fitted(picture: Image, width: int, height: int) -> UInt8[np.ndarray, "height width 3"]:
    """The picture in one of that size: padded to even sides, or scaled and centred on black."""
    h, w = picture.shape[:2]
    if (w, h) == (width, height):
        return picture
    if (w + w % 2, h + h % 2) == (width, height):
        return cv2.copyMakeBorder(picture, 0, height - h, 0, width - w, cv2.BORDER_REPLICATE)
    factor = min(width / w, height / h)
    inside = max(1, round(w * factor)), max(1, round(h * factor))
    canvas = np.zeros((height, width, 3), np.uint8)
    x, y = (width - inside[0]) // 2, (height - inside[1]) // 2
    smooth = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    canvas[y : y + inside[1], x : x + inside[0]] = cv2.resize(picture, inside, interpolation=smooth)
    return canvas
