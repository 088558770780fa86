"""Tiny clips, encoded on the spot."""

from fractions import Fraction

import av
import numpy as np
import pytest

from sightline.sources.video import Video

X264_B = {"codec": "libx264", "options": {"bf": "2", "g": "20"}}
X264_IPPP = {"codec": "libx264", "options": {"bf": "0", "g": "30", "tune": "zerolatency"}}
X264_OPEN = {"codec": "libx264", "options": {"bf": "3", "g": "20", "x264-params": "open-gop=1:b-pyramid=normal"}}
X264_REFRESH = {"codec": "libx264", "options": {"bf": "2", "g": "20", "x264-params": "intra-refresh=1"}}
X265_PARAMS = "keyint=20:min-keyint=20:bframes=3:open-gop=1:log-level=none:pools=none:frame-threads=1"
X265_OPEN = {"codec": "libx265", "options": {"x265-params": X265_PARAMS}}
X265_LAYERS = {"codec": "libx265", "options": {"x265-params": X265_PARAMS + ":temporal-layers=1"}}
MPEG4 = {"codec": "mpeg4", "options": {"g": "20"}}
MJPEG = {"codec": "mjpeg", "options": {}}


def picture(index, width=160, height=96):
    """Grain, a square that walks, and a band whose brightness tells the index."""
    rgb = np.random.default_rng(0).integers(0, 40, (height, width, 3), np.uint8)
    left = index * 3 % (width - 20)
    rgb[20:60, left : left + 20] = (200, 90, 30)
    rgb[:8] = index * 4 % 256
    return rgb


def encode(path, *, codec, options, n=60, rate=30, times_ms=None, size=(160, 96), container=None):
    with av.open(str(path), "w", options=container or {}) as file:
        stream = file.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if times_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(n):
            frame = av.VideoFrame.from_ndarray(picture(index, *size), format="rgb24")
            if times_ms is not None:
                frame.pts, frame.time_base = times_ms[index], Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def video(path, **options):
    """A ``Video``; whole numbers may be written as such."""
    return Video(path, **{name: float(v) if type(v) is int else v for name, v in options.items()})


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Encodes a clip, each kind once: ``clip("name.mp4", **X264_B, n=60)``."""
    folder = tmp_path_factory.mktemp("clips")
    made = {}

    def make(name, **kind):
        key = (name, repr(sorted(kind.items())))
        if key not in made:
            made[key] = encode(folder / f"{len(made)}_{name}", **kind)
        return made[key]

    return make
