"""Telling media from what only points to it."""

import av
import numpy as np
import pytest

from sightline.errors import SourceError
from sightline.fetching import check_media
from sightline.fetching.content import HEAD


@pytest.mark.parametrize(
    "head",
    [
        b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        b"\xef\xbb\xbf#EXTM3U\n\x00",
        b"  \n#EXTM3U\n\x00",
        b"ffconcat version 1.0\nfile /etc/passwd\n\x00",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n\x00",
        b"m=video 5000 RTP/AVP 96\nc=IN IP4 127.0.0.1\n\x00",
        b'<?xml version="1.0"?><!--\x00--><MPD xmlns="urn:mpeg:dash:schema:mpd:2011">',
        b"[playlist]\nFile1=http://127.0.0.1/\n",
        b"# VobSub index file, v7\n",
    ],
)
def test_playlists_are_refused(head):
    with pytest.raises(SourceError, match="a: a playlist"):
        check_media(head, "a")


@pytest.mark.parametrize("head", [b"<html>", b'{"error": "no"}', b"hello", "schöne Grüße ".encode() * 60, b"<svg/>"])
def test_text_is_refused(head):
    with pytest.raises(SourceError, match="a: text"):
        check_media(head, "a")


def test_nothing_at_all_is_refused():
    with pytest.raises(SourceError, match="a: the file is empty"):
        check_media(b"", "a")


@pytest.mark.parametrize(
    "suffix", ["mp4", "mkv", "avi", "ts", "flv", "mov", "webm", "nut", "h264", "mjpeg", "y4m", "gif"]
)
@pytest.mark.parametrize("level", [0, 65, 255])
def test_videos_are_let_by(tmp_path, suffix, level):
    codec, pixels = {
        "webm": ("libvpx", "yuv420p"),
        "mjpeg": ("mjpeg", "yuvj420p"),
        "y4m": ("wrapped_avframe", "yuv420p"),
        "gif": ("gif", "rgb8"),
    }.get(suffix, ("libx264", "yuv420p"))
    path = tmp_path / f"a.{suffix}"
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    check_media(path.read_bytes()[:HEAD], "a")
