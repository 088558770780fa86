"""Files of single pictures: what they are, told from their first bytes, and the picture in them, upright.

Nothing is decoded to tell what a file is, so that files of strangers can be looked at anywhere.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from sightline.errors import FormatError
from sightline.formats import exif
from sightline.formats.exif import Exif
from sightline.model.arrays import Image

READ = "JPEG, PNG, WebP, TIFF and BMP"
"""What can be read, for people."""
_HEAD = 1 << 20
"""Bytes at the beginning in which everything that matters is found."""
_MOST_PIXELS = 1 << 28
_LONGEST_SIDE = 65535
_MOST_CHUNKS, _LARGE = 64, frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANMF"})
_SIZED = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG segments that tell the size. Source: ITU-T T.81, table B.1."""
_OTHERS = {
    b"ftyphei": "HEIC",
    b"ftyphev": "HEIC",
    b"ftypmif1": "HEIC",
    b"ftypmsf1": "HEIC",
    b"ftypavi": "AVIF",
    b"ftypcrx": "a raw picture",
}
"""What phones and cameras write and nobody reads here, by what stands behind the first four bytes."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a file says of itself."""

    kind: str
    """``jpeg``, ``png``, ``webp``, ``tiff`` or ``bmp``."""
    width: int
    """Pixels across, as stored."""
    height: int
    """Pixels down, as stored."""
    exif: Exif = field(default_factory=Exif)
    """What the camera noted."""

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height of the picture the right way up."""
        return (self.height, self.width) if self.exif.turn >= 5 else (self.width, self.height)

    @property
    def suffix(self) -> str:
        """How names of such files end."""
        return ".jpg" if self.kind == "jpeg" else f".{self.kind}"


def look(path: Path, shown: str) -> Picture:
    """What the file at ``path`` is; messages call it ``shown``.

    Raises:
        FormatError: it is no picture that can be read, is cut off, or is too large; says what to do.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if not head:
            raise FormatError(f"{shown}: the file is empty")
        for mark, name in _OTHERS.items():
            if head[4:].startswith(mark):
                raise FormatError(f"{shown}: {name} is not read here; save it as JPEG or PNG ({READ} are read)")
        try:
            found = _told(head, file)
        except (struct.error, IndexError):
            raise FormatError(f"{shown}: a picture that is cut off; bring the whole file") from None
    if found is None:
        raise FormatError(f"{shown}: no picture; {READ} are read")
    if found.width < 1 or found.height < 1:
        raise FormatError(f"{shown}: a picture without a size; is the file damaged?")
    if found.width * found.height > _MOST_PIXELS or max(found.width, found.height) > _LONGEST_SIDE:
        raise FormatError(f"{shown}: {found.width}x{found.height} pixels are too many; make it smaller")
    return found


def decoded(path: Path, shown: str, *, small: bool = False) -> Image:
    """The picture in the file, turned as its camera says; ``small``: an eighth as large along each side, and sooner.

    Raises:
        FormatError: it cannot be decoded.
        OSError: it cannot be read.
    """
    data = np.fromfile(path, np.uint8)
    if data[:2].tobytes() == b"\xff\xd8" and not _ends(data.tobytes()):
        raise FormatError(f"{shown}: a picture that is cut off; bring the whole file")
    try:
        bgr = cv2.imdecode(data, cv2.IMREAD_REDUCED_COLOR_8 if small else cv2.IMREAD_COLOR) if len(data) else None
    except cv2.error:
        bgr = None
    if bgr is None:
        raise FormatError(f"{shown}: a picture that cannot be decoded; is the file damaged?")
    return np.ascontiguousarray(bgr[:, :, ::-1])


def _ends(jpeg: bytes) -> bool:
    """Whether the pixels end; libjpeg fills what is missing with grey and says so on standard error only."""
    return jpeg.rfind(b"\xff\xd9") > jpeg.rfind(b"\xff\xda")


def _told(head: bytes, file: BinaryIO) -> Picture | None:
    """What the first bytes tell; of the rest only what else is needed is read.

    Raises:
        struct.error, IndexError: they end too early.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return _jpeg(head)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(head)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _webp(head, file)
    if head.startswith(b"BM"):
        width, height = struct.unpack_from("<ii", head, 18)
        return Picture("bmp", width, abs(height))
    if head.startswith((b"II*\0", b"MM\0*")):
        first = exif.tags(head, None)
        sides = [first.get(tag) for tag in (exif.WIDTH, exif.HEIGHT)]
        width, height = (side if isinstance(side, int) else 0 for side in sides)
        return Picture("tiff", width, height, exif.read(head))
    return None


def _jpeg(head: bytes) -> Picture:
    """Segment by segment. Source: ITU-T T.81, B.1 and B.2."""
    at, said = 2, Exif()
    while True:
        while head[at] == 0xFF and head[at + 1] == 0xFF:  # padding
            at += 1
        marker, (length,) = head[at + 1], struct.unpack_from(">H", head, at + 2)
        if head[at] != 0xFF or length < 2:
            return Picture("jpeg", 0, 0)
        if marker in _SIZED:
            height, width = struct.unpack_from(">HH", head, at + 5)
            return Picture("jpeg", width, height, said)
        block = head[at + 4 : at + 2 + length]
        if marker == 0xE1 and block.startswith(b"Exif\0\0"):
            said = exif.read(block[6:])
        at += 2 + length


def _png(head: bytes) -> Picture:
    """The size, and what the camera noted, where that comes before the pixels. Source: PNG, third edition."""
    width, height = struct.unpack_from(">II", head, 16)
    at = 8
    while at + 12 <= len(head):
        length, name = struct.unpack_from(">I4s", head, at)
        if name == b"eXIf":
            return Picture("png", width, height, exif.read(head[at + 8 : at + 8 + length]))
        if name == b"IDAT":
            break
        at += 12 + length
    return Picture("png", width, height)


def _webp(head: bytes, file: BinaryIO) -> Picture:
    """The size from the first chunk, and what the camera noted from the last ones. Source: RFC 9649."""
    name = head[12:16]
    if name == b"VP8X":
        sides = struct.unpack_from("<HBHB", head, 24)
        noted = next((exif.read(block) for kind, block in _chunks(file) if kind == b"EXIF"), Exif())
        return Picture("webp", sides[0] + (sides[1] << 16) + 1, sides[2] + (sides[3] << 16) + 1, noted)
    if name == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return Picture("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    width, height = struct.unpack_from("<HH", head, 26) if name == b"VP8 " else (0, 0)
    return Picture("webp", width & 0x3FFF, height & 0x3FFF)


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of the small chunks of a RIFF file."""
    file.seek(12)
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return
        name, length = struct.unpack("<4sI", head)
        if name in _LARGE:
            file.seek(length + length % 2, 1)
        else:
            yield name, file.read(min(length + length % 2, _HEAD))[:length].removeprefix(b"Exif\0\0")
