"""Elevation models as GeoTIFF: heights on a grid of degrees.

Source: TIFF 6.0 and GeoTIFF 1.1 (OGC 19-008r4), as far as elevation models of the world use them: one band, north
up, geographic WGS84. Anything else is refused.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float

from sightline.errors import FormatError
from sightline.model.arrays import readonly

_TYPES = {1: "B", 2: "c", 3: "H", 4: "I", 12: "d"}
_SCALE, _TIE, _KEYS, _NO_DATA = 33550, 33922, 34735, 42113
_MODEL, _RASTER, _CRS, _IS_GEOGRAPHIC, _WGS84 = 1024, 1025, 2048, 2, 4326
_POINT = 2
_FIRST_PRIVATE_TAG = 32768
_LARGEST = 512 * 2**20
_DEEPEST_M, _HIGHEST_M = -500.0, 9000.0
"""Of dry land; what lies beyond marks places without data."""


@dataclass(frozen=True, slots=True, eq=False)
class Elevations:
    """Heights on a grid of degrees, south and west first."""

    lat_deg: Float[np.ndarray, " h"]
    """Of the rows, rising."""
    lon_deg: Float[np.ndarray, " w"]
    """Of the columns, rising."""
    height_m: Float[np.ndarray, "h w"]
    """Above whichever datum the model has; NaN where it has no data."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, readonly(getattr(self, name)))


def read(path: Path) -> Elevations:
    """The model in a file.

    Raises:
        FormatError: it is no such file; says what is unlike one.
        OSError: it cannot be read.
    """
    if path.stat().st_size > _LARGEST:
        raise FormatError(f"{path}: larger than {_LARGEST // 2**20} MiB; cut out the part flown over")
    data = path.read_bytes()
    tags = _tags(path, data)
    keys = tags.get(_KEYS, ())
    said = {keys[k]: keys[k + 3] for k in range(4, len(keys) - 3, 4)}
    if said.get(_MODEL) != _IS_GEOGRAPHIC or said.get(_CRS, _WGS84) != _WGS84:
        raise FormatError(f"{path}: not in degrees of WGS84 (EPSG:4326); convert it, for example with gdalwarp")
    scale, tie = tags.get(_SCALE), tags.get(_TIE)
    if scale is None or tie is None or len(tie) != 6 or not (scale[0] > 0 and scale[1] > 0):
        raise FormatError(f"{path}: does not say where it lies (ModelPixelScale and one ModelTiepoint)")
    height_m = _decoded(path, data).astype(np.float64)
    height_m[~((height_m > _DEEPEST_M) & (height_m < _HIGHEST_M))] = np.nan
    if (mark := _number(tags.get(_NO_DATA))) is not None:
        height_m[height_m == mark] = np.nan
    half = 0.0 if said.get(_RASTER) == _POINT else 0.5
    rows, columns = (np.arange(n) + half for n in height_m.shape)
    lat_deg = tie[4] - (rows - tie[1]) * scale[1]
    lon_deg = tie[3] + (columns - tie[0]) * scale[0]
    return Elevations(lat_deg[::-1], lon_deg, height_m[::-1])


def _order(path: Path, data: bytes) -> str:
    """The order of bytes."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        raise FormatError(f"{path}: no TIFF file")
    return order


def _entries(path: Path, data: bytes) -> list[tuple[int, int, int, int]]:
    """Tag, type, count and offset of each entry's value in the first directory."""
    order = _order(path, data)
    try:
        (at,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, at)
        entries = []
        for k in range(count):
            tag, kind, n = struct.unpack_from(f"{order}HHI", data, at + 2 + 12 * k)
            size = struct.calcsize(_TYPES.get(kind, "B")) * n
            value_at = at + 10 + 12 * k
            entries.append((tag, kind, n, struct.unpack_from(f"{order}I", data, value_at)[0] if size > 4 else value_at))
    except struct.error:
        raise FormatError(f"{path}: the TIFF file is cut off") from None
    return entries


def _tags(path: Path, data: bytes) -> dict[int, Any]:
    """What the entries hold."""
    order, found = _order(path, data), {}
    for tag, kind, n, at in _entries(path, data):
        if tag >= _FIRST_PRIVATE_TAG and kind in _TYPES and n < 4096:
            try:
                found[tag] = struct.unpack_from(f"{order}{n}{_TYPES[kind]}", data, at)
            except struct.error:
                raise FormatError(f"{path}: the TIFF file is cut off") from None
    return found


def _decoded(path: Path, data: bytes) -> np.ndarray:
    """The picture: decoded from a copy without private entries, of which the decoder would complain aloud."""
    order = _order(path, data)
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    entries = [data[at + 2 + 12 * k : at + 14 + 12 * k] for k in range(len(_entries(path, data)))]
    public = [entry for entry in entries if struct.unpack_from(f"{order}H", entry)[0] < _FIRST_PRIVATE_TAG]
    plain = data[:4] + struct.pack(f"{order}I", len(data)) + data[8:]
    plain += struct.pack(f"{order}H", len(public)) + b"".join(public) + bytes(4)
    picture = cv2.imdecode(np.frombuffer(plain, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 2:
        raise FormatError(f"{path}: cannot be decoded as one band of heights")
    return picture


def _number(words: tuple[bytes, ...] | None) -> float | None:
    """The value that marks places without data."""
    try:
        return None if words is None else float(b"".join(words).split(b"\0")[0])
    except ValueError:
        return None
