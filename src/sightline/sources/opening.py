"""Opening what FFmpeg reads, and saying in one line why it cannot be."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from sightline.errors import SourceError

Hardware = Literal["none", "auto", "cuda", "qsv", "vaapi", "drm", "amf"]
"""What decodes: the processor; a device if one works, else the processor; or that device."""
_CONTAINERS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,h264,hevc,vvc,obu,av1,ivf,m4v,mjpeg,flv,asf,ogg,mxf,gif,apng,wtv,nut,dv,"
    "rm,vc1,yuv4mpegpipe,nuv,gxf"
)
"""Formats whose files hold their pictures themselves; playlists and scripts name other files and addresses."""
_LOCAL = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS}
"""A file from outside must not make libav open others, or reach into the network."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """An open container and its picture stream. Whoever opened it closes it."""

    container: InputContainer
    """The file or stream."""
    stream: VideoStream
    """Its first stream of moving pictures."""
    codec: VideoCodecContext
    """What decodes it."""

    def close(self) -> None:
        """Lets go of the file or the connection."""
        self.container.close()


def open_file(path: Path, hardware: Hardware = "none") -> Opened:
    """The video in ``path``, ready to be read from its beginning.

    Raises:
        SourceError: it is missing, a folder, unreadable or no video, or the hardware asked for is not there.
    """
    _refuse(path)
    return _opened(f"file:{path}", str(path), options=_LOCAL, hardware=hardware)


def open_url(
    url: str,
    name: str,
    *,
    options: dict[str, str],
    timeout_s: float,
    connect_timeout_s: float | None = None,
    hardware: Hardware = "none",
) -> Opened:
    """The stream at ``url``; ``name`` stands for it in messages, so that they tell no passwords.

    ``timeout_s``: how long each reading may take, and opening too unless ``connect_timeout_s`` says otherwise.

    Raises:
        SourceError: nobody answers in time, or what answers is no video.
    """
    timeouts_s = (connect_timeout_s or timeout_s, timeout_s)
    return _opened(url, name, options=options, hardware=hardware, timeouts_s=timeouts_s)


def reason(error: av.FFmpegError) -> str:
    """What libav says, in a few words and without the address, which may hold a password."""
    if isinstance(error, av.InvalidDataError):
        return "not a video that FFmpeg can read, or cut off before its index"
    if isinstance(error, av.ArgumentError):
        return "not a file of video that is read here; playlists and scripts that name other files never are"
    return (error.strerror or type(error).__name__).lower()


def _refuse(path: Path) -> None:
    """Complains about what no decoder needs to look at."""
    try:
        if path.is_dir():
            raise SourceError(f"{path}: is a folder, not a video; for a folder of pictures use the source 'images'")
        if not path.exists():
            raise SourceError(f"{path}: no such file")
        if path.is_file() and not path.stat().st_size:
            raise SourceError(f"{path}: the file is empty")
    except OSError as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path}: permission denied; make it readable for this user")


def _opened(
    url: str,
    name: str,
    *,
    options: dict[str, str],
    hardware: Hardware,
    timeouts_s: tuple[float, float] | None = None,
) -> Opened:
    """With the first device that works."""
    if hardware not in {"none", "auto", *hwdevices_available()}:
        raise SourceError(f"{name}: FFmpeg was built without hardware {hardware!r} here; use 'auto' or 'none'")
    for device in _devices(hardware):
        try:
            return _tried(url, name, options, timeouts_s, device)
        except av.FFmpegError as error:
            # libav's own software fallback covers codecs only: a device that cannot be made raises.
            if hardware != "auto":
                raise SourceError(
                    f"{name}: hardware {device!r} does not work here ({reason(error)}); use 'auto' or 'none'"
                ) from None
            _log.info("hardware=%s works=no why=%r", device, reason(error))
    try:
        return _tried(url, name, options, timeouts_s, None)
    except av.FFmpegError as error:
        raise SourceError(f"{name}: {reason(error)}") from None


def _devices(hardware: Hardware) -> list[str]:
    """Which to try."""
    if hardware == "none":
        return []
    return hwdevices_available() if hardware == "auto" else [hardware]


def _tried(
    url: str, name: str, options: dict[str, str], timeouts_s: tuple[float, float] | None, device: str | None
) -> Opened:
    """With that device.

    Raises:
        av.FFmpegError: the device or the address does not work.
        SourceError: no moving pictures in it.
    """
    acceleration = None if device is None else HWAccel(device, allow_software_fallback=True)
    container = av.open(url, options=options, timeout=timeouts_s, hwaccel=acceleration, metadata_errors="replace")
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving or moving[0].codec_context is None:
        found = sorted({s.type for s in container.streams})
        container.close()
        what = f"only {', '.join(found)}" if found else "nothing"
        raise SourceError(f"{name}: no video stream in it, {what}" if not moving else f"{name}: unknown video codec")
    for other in container.streams:
        if other.index != moving[0].index:
            other.discard = Discard.all
    return Opened(container, moving[0], moving[0].codec_context)
