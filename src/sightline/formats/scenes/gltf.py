"""The GLB container: one JSON chunk, one binary chunk that is written as it stands, never built in memory.

Source: Khronos, glTF 2.0 specification, sections 3.6 (binary data), 4 (GLB).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Shaped

from sightline.errors import FormatError
from sightline.files import whole
from sightline.formats.scenes.about import json_text

FLOAT, UBYTE, USHORT, UINT = 5126, 5121, 5123, 5125
"""Component types."""
VERTICES, INDICES = 34962, 34963
"""What a buffer view is for."""
ROWS = 1 << 16
"""How many are converted at a time."""
_MOST_BYTES = 2**32 - 1
_KINDS = {np.dtype("<f4"): FLOAT, np.dtype("u1"): UBYTE, np.dtype("<u2"): USHORT, np.dtype("<u4"): UINT}


def blocks(array: Shaped[np.ndarray, "n ..."]) -> Iterator[Shaped[np.ndarray, "m ..."]]:
    """The rows of an array, some at a time."""
    for start in range(0, len(array), ROWS):
        yield array[start : start + ROWS]


@dataclass(slots=True)
class Binary:
    """What goes into the binary chunk, and what the JSON says of it."""

    views: list[dict[str, Any]] = field(default_factory=list)
    """``bufferViews``."""
    accessors: list[dict[str, Any]] = field(default_factory=list)
    """``accessors``."""
    length: int = 0
    """Bytes so far."""
    _columns: list[tuple[Shaped[np.ndarray, "n ..."], Any]] = field(default_factory=list)

    def column(self, array: Shaped[np.ndarray, "n ..."], dtype: str, purpose: int, *, bounded: bool = False) -> int:
        """The number of a new accessor on the rows of ``array``, to be converted to ``dtype`` while written.

        Colours, rows of three bytes, are written as four numbers, the last full: as bytes (``u1``) as they stand,
        as ``<u2`` by the light that they mean, which bytes are too coarse for.
        ``bounded`` adds the smallest and largest numbers, which positions must have.
        """
        kind = np.dtype(dtype)
        n_wide = 4 if kind.itemsize < 4 else int(np.prod(array.shape[1:], dtype=np.int64))
        n_bytes = len(array) * n_wide * kind.itemsize
        view = {"buffer": 0, "byteOffset": self.length, "byteLength": n_bytes, "target": purpose}
        accessor = {
            "bufferView": len(self.views),
            "componentType": _KINDS[kind],
            "count": len(array),
            "type": {1: "SCALAR", 3: "VEC3", 4: "VEC4"}[n_wide],
        }
        if kind.itemsize < 4:
            accessor["normalized"] = True
        if bounded:
            for side in ("min", "max"):
                accessor[side] = [float(kind.type(getattr(array[:, k], side)())) for k in range(n_wide)]
        self.views.append(view)
        self.accessors.append(accessor)
        self._columns.append((array, kind))
        self.length += n_bytes
        return len(self.accessors) - 1

    def write(self, stream: BinaryIO) -> None:
        """Puts all columns into the file, one after the other."""
        for array, kind in self._columns:
            if array.dtype == kind and array.flags.c_contiguous and kind.itemsize >= 4:
                stream.write(array.data)
                continue
            stream.writelines(_ready(rows, kind).data for rows in blocks(array))


def _ready(rows: Shaped[np.ndarray, "n ..."], kind: np.dtype) -> Shaped[np.ndarray, "n ..."]:
    """Rows as the file has them."""
    if kind.itemsize >= 4:
        return np.ascontiguousarray(rows, kind)
    padded = np.full((len(rows), 4), np.iinfo(kind).max, kind)
    padded[:, :3] = rows if kind.itemsize == 1 else _light()[rows]
    return padded


def linear(channel: float) -> float:
    """How much light one sRGB channel of 0 to 1 means."""
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


@cache
def _light() -> Shaped[np.ndarray, " 256"]:
    """The same for bytes, as 0 to 65535."""
    return np.array([round(65535 * linear(level / 255)) for level in range(256)], "<u2")


def write(path: Path, document: dict[str, Any], binary: Binary) -> None:
    """Puts a document and its binary chunk into the file.

    Raises:
        FormatError: it is larger than the format allows (4 GiB), or says something that JSON cannot.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    full = {**document, "bufferViews": binary.views, "accessors": binary.accessors}
    full["buffers"] = [{"byteLength": binary.length}]
    text = json_text(path, full).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + binary.length
    if total > _MOST_BYTES:
        raise FormatError(f"{path}: {total:,} bytes, and GLB ends at {_MOST_BYTES:,}; show fewer points")
    with whole(path) as partial, partial.open("wb") as stream:
        stream.write(struct.pack("<4sII", b"glTF", 2, total))
        stream.write(struct.pack("<I4s", len(text), b"JSON") + text)
        stream.write(struct.pack("<I4s", binary.length, b"BIN\0"))
        binary.write(stream)
