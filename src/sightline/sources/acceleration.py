"""What decodes in hardware on this machine, found by decoding."""

import io
from fractions import Fraction

import av
import numpy as np
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.video.frame import VideoFrame

_SIDE_PX = 256
"""Smaller pictures are refused by some devices."""
_N_PICTURES = 4


def working() -> list[str]:
    """Names of devices with which H.264 was decoded just now."""
    clip = _clip()
    return [name for name in hwdevices_available() if clip and _decodes(clip, name)]


def _clip() -> bytes:
    """A few pictures of H.264; nothing where this FFmpeg cannot make them."""
    held = io.BytesIO()
    try:
        with av.open(held, "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=Fraction(25))
            stream.width = stream.height = _SIDE_PX
            stream.pix_fmt = "yuv420p"
            for shade in range(_N_PICTURES):
                picture = np.full((_SIDE_PX, _SIDE_PX, 3), 40 * shade, np.uint8)
                container.mux(stream.encode(VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
    except (av.FFmpegError, ValueError):
        return b""
    return held.getvalue()


def _decodes(clip: bytes, device: str) -> bool:
    try:
        acceleration = HWAccel(device, allow_software_fallback=False)
        with av.open(io.BytesIO(clip), "r", hwaccel=acceleration) as container:
            return len(list(container.decode(video=0))) == _N_PICTURES
    except (av.FFmpegError, ValueError, NotImplementedError, RuntimeError, OSError):
        return False
