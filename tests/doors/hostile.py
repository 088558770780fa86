"""Files that are made to harm whoever reads them."""

import io
import random
import struct
import zipfile
import zlib
from functools import cache

import av
import numpy as np


def scripts():
    """Texts that name other files, and things that are no video at all."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb.bin", bytes(20 << 20))
    return {
        "empty.mp4": b"",
        "one-byte.mp4": b"\0",
        "text.mp4": b"this is no video\n" * 100,
        "page.mp4": b"<html><script>alert(1)</script></html>",
        "archive.mp4": archive.getvalue(),
        "list.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "list.mp4": b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nconcat:http://127.0.0.1/a|file:///etc/passwd\n",
        "script.ffconcat": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        "script.mp4": b"ffconcat version 1.0\nfile 'http://127.0.0.1:1/x.mp4'\n",
        "session.sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "zeros.mp4": bytes(1 << 20),
    }


@cache
def giants():
    """Small files whose headers claim huge pictures."""
    return {
        "claims.png": png(100_000, 100_000, b""),
        "bomb.png": png(30_000, 30_000, zlib.compress(bytes(100 << 20), 9)),
        "bomb.apng": apng(30_000, 30_000),
        "claims.gif": gif(65_535, 65_535),
        "claims.mjpeg": mjpeg(65_500, 65_500),
        "large.mjpeg": mjpeg(32_000, 32_000),
        "claims.y4m": b"YUV4MPEG2 W100000 H100000 F25:1 Ip A1:1 C420jpeg\nFRAME\n" + bytes(1000),
        "large.y4m": b"YUV4MPEG2 W30000 H30000 F25:1 Ip A1:1 C420jpeg\nFRAME\n" + bytes(1000),
        "claims.avi": avi(100_000, 100_000),
        "large.avi": avi(30_000, 30_000),
        "bomb.mov": bomb(16_000, 16_000),
    }


def png(width, height, data):
    return b"\x89PNG\r\n\x1a\n" + _ihdr(width, height) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def bomb(width, height):
    """A video of one black picture, which unpacks to a thousand times its size: everything in it is as it should be."""
    out = io.BytesIO()
    with av.open(out, "w", format="mov") as container:
        stream = container.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "gray"
        packet = av.Packet(png(width, height, _black(width, height)))
        packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, 0, 0, True
        container.mux(packet)
    return out.getvalue()


def apng(width, height):
    """One picture all black, which unpacks to a thousand times its size."""
    data = _black(width, height)
    control = struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 25, 0, 0)
    chunks = _chunk(b"acTL", struct.pack(">II", 1, 0)) + _chunk(b"fcTL", control) + _chunk(b"IDAT", data)
    return b"\x89PNG\r\n\x1a\n" + _ihdr(width, height) + chunks + _chunk(b"IEND", b"")


def _black(width, height):
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 + width)) for _ in range(height)) + packer.flush()


def _ihdr(width, height):
    return _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def gif(width, height):
    picture = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + picture + b";"


def mjpeg(width, height):
    """A real JPEG of another size than it says."""
    out = io.BytesIO()
    with av.open(out, "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), format="yuvj420p")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    data = bytearray(out.getvalue())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data) * 3


def avi(width, height):
    """Uncompressed pictures, of which there are a few bytes."""
    main = struct.pack("<14I", 40_000, 0, 0, 0x10, 0xFFFFFFFF, 0, 1, 0, width, height, 0, 0, 0, 0)
    stream = b"vidsDIB " + struct.pack("<10I4H", 0, 0, 0, 1, 25, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 0, 0, 0, 0)
    bitmap = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    lists = _riff(b"strh", stream) + _riff(b"strf", bitmap)
    header = _riff(b"LIST", b"hdrl" + _riff(b"avih", main) + _riff(b"LIST", b"strl" + lists))
    body = b"AVI " + header + _riff(b"LIST", b"movi" + _riff(b"00db", bytes(4096)))
    return b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + body


def _riff(name, data):
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def absurd(video):
    """An MP4 whose tables and boxes claim what cannot be."""
    found = {}
    for box in (b"stsz", b"stts", b"stsc", b"stco", b"ctts", b"stss"):
        at = video.find(box)
        if at > 0:
            count = at + (12 if box == b"stsz" else 8)
            found[f"{box.decode()}.mp4"] = video[:count] + b"\xff\xff\xff\xff" + video[count + 4 :]
    for box in (b"moov", b"trak", b"stbl", b"mdat", b"avcC"):
        at = video.find(box) - 4
        for size in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
            found[f"{box.decode()}-{size:x}.mp4"] = video[:at] + struct.pack(">I", size) + video[at + 4 :]
    nested = b""
    for _ in range(5000):
        nested = struct.pack(">I4s", len(nested) + 8, b"moov") + nested
    found["nested.mp4"] = video[: video.find(b"moov") - 4] + nested
    return found


def cut(video, rng, n):
    """The beginning of a video, up to anywhere."""
    places = [8, 31, 64, len(video) // 2, len(video) - 1] + [rng.randrange(len(video)) for _ in range(n)]
    return {f"cut-{at}.mp4": video[:at] for at in places}


def flipped(video, rng, n):
    """A video with a few wrong bytes, in its tables rather than its pictures where it has any."""
    found = {}
    tables = range(max(video.find(b"moov"), 0), len(video))
    for i in range(n):
        data = bytearray(video)
        for _ in range(rng.choice([1, 3, 30])):
            data[rng.choice(tables) if rng.random() < 0.7 else rng.randrange(len(data))] = rng.randrange(256)
        found[f"flipped-{i}.mp4"] = bytes(data)
    return found


def remuxed(path, kind):
    """The same pictures in another container."""
    out = io.BytesIO()
    with av.open(str(path)) as source, av.open(out, "w", format=kind) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return out.getvalue()


def every(path, n, seed=0):
    """All of them by name; ``n`` of each sort that chance makes."""
    rng = random.Random(seed)
    video = path.read_bytes()
    files = scripts() | giants() | absurd(video) | cut(video, rng, n) | flipped(video, rng, n)
    for kind in ("matroska", "mpegts", "flv"):
        other = remuxed(path, kind)
        files |= {f"{kind}-{name}": data for name, data in (cut(other, rng, n) | flipped(other, rng, n)).items()}
    return files
