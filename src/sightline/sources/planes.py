"""From a decoder's picture to upright colours, or to upright luma and chroma.

Pixels keep their number: where they are not square (sample aspect ratio), the picture stays as it is stored.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import VideoReformatter

from sightline.model.arrays import Image
from sightline.model.frame import Moment
from sightline.model.planes import Planes

_PLANAR = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"}
_BT709 = 1
_BT601 = 5
_FULL = 2
"""libav's numbers for matrices and ranges."""


@dataclass(frozen=True, slots=True)
class Turn:
    """How stored pictures must be turned to stand upright: first the transposition, then the flips."""

    is_transposed: bool = False
    """Whether rows become columns."""
    flips_rows: bool = False
    """Whether top and bottom change places."""
    flips_columns: bool = False
    """Whether left and right change places."""

    @classmethod
    def of(cls, frame: VideoFrame) -> "Turn":
        """What the display matrix beside the picture says, to the nearest quarter turn."""
        beside: Any = frame.side_data  # a mapping of names in the stubs, a sequence of buffers at run time
        matrix = next((bytes(data) for data in beside if data.type == Type.DISPLAYMATRIX), None)
        if matrix is None:
            return cls()
        a, b, _, c, d = struct.unpack("=5i", matrix[:20])
        if abs(b) > abs(a):
            return cls(is_transposed=True, flips_rows=b < 0, flips_columns=c < 0)
        return cls(flips_rows=d < 0, flips_columns=a < 0)

    @property
    def is_none(self) -> bool:
        """Whether they stand upright already."""
        return not (self.is_transposed or self.flips_rows or self.flips_columns)

    @property
    def clockwise_deg(self) -> int:
        """Quarter turns clockwise that they amount to, before any mirroring from left to right."""
        if self.is_transposed:
            return 270 if self.flips_rows else 90
        return 180 if self.flips_rows else 0

    @property
    def is_mirrored(self) -> bool:
        """Whether turning alone does not do."""
        return self.is_transposed ^ self.flips_rows ^ self.flips_columns

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """A turned view of ``picture``, whose first axes are rows and columns."""
        turned = picture.swapaxes(0, 1) if self.is_transposed else picture
        return turned[:: -1 if self.flips_rows else 1, :: -1 if self.flips_columns else 1]

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height once upright."""
        return (height, width) if self.is_transposed else (width, height)


class Colours:
    """Converts pictures; keeps what the conversion needs from one to the next."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._turns: dict[int, Turn] = {}

    def _turn(self, frame: VideoFrame) -> Turn:
        """How the picture is to be turned.

        Asking for what lies beside a picture ties it into a cycle, which keeps it in memory until the garbage is
        collected: hundreds of megabytes. So that is done once per angle; the angle itself costs nothing.
        """
        if frame.rotation not in self._turns:
            self._turns[frame.rotation] = Turn.of(frame)
        return self._turns[frame.rotation]

    def rgb(self, frame: VideoFrame) -> Image:
        """Upright red, green and blue, by the stream's own matrix and range; unsaid: BT.601, as FFmpeg takes it."""
        turn = self._turn(frame)
        rgb = self._reformatter.reformat(frame, format="rgb24").to_ndarray()
        return rgb if turn.is_none else np.ascontiguousarray(turn(rgb))

    def planes(self, moment: Moment, frame: VideoFrame) -> Planes:
        """Upright luma and chroma; converted only where they are not 8 bits each, planar and BT.601."""
        turn = self._turn(frame)
        if frame.colorspace == _BT709:
            frame = self._reformatter.reformat(
                frame, format="yuvj420p", src_colorspace=_BT709, dst_colorspace=_BT601, dst_color_range=_FULL
            )
        elif frame.format.name not in _PLANAR:
            frame = self._reformatter.reformat(frame, format="yuv420p")
        y, u, v = (turn(_view(plane)) for plane in frame.planes)
        is_full = frame.format.name.startswith("yuvj") or frame.color_range == _FULL
        return Planes(moment, y, u, v, is_full)


def _view(plane: VideoPlane) -> np.ndarray:
    """The plane without its padding, not copied."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]
