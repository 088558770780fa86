"""What cameras note in their pictures: which way up, through which lens, where on earth.

Source: CIPA DC-008 (Exif 3.0), with the TIFF 6.0 structure that it is kept in.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_TYPES = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 7: "s", 9: "i", 10: "ii"}
"""Of values, by number: bytes, text, short, long, ratio, undefined, signed long, signed ratio."""
_MOST_ENTRIES = 512
_LONGEST = 4096
WIDTH, HEIGHT, _MAKE, _MODEL, _TURN, _EXIF, _GPS = 0x100, 0x101, 0x10F, 0x110, 0x112, 0x8769, 0x8825
_FOCAL, _FOCAL_35, _FULL_WIDTH, _PITCH, _PITCH_UNIT = 0x920A, 0xA405, 0xA002, 0xA20E, 0xA210
_LAT_SIDE, _LAT, _LON_SIDE, _LON, _BELOW, _HEIGHT = 1, 2, 3, 4, 5, 6
_FILM_MM = 36.0
"""Longer side of the film that equivalent focal lengths speak of."""
_UNITS_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}

Tags = Mapping[int, Any]
"""Numbers of tags to a number, a text, or a tuple of numbers."""


@dataclass(frozen=True, slots=True)
class Exif:
    """What one picture says of itself; None where it does not."""

    camera: str = ""
    """Maker and model."""
    turn: int = 1
    """1 to 8: how the stored picture is to be turned and mirrored; 1: not at all."""
    focal_sides: float | None = None
    """Focal length, times the longer side of the whole picture."""
    place: tuple[float, float, float | None] | None = None
    """Latitude and longitude in degrees, height above the sea in metres."""


def read(data: bytes) -> Exif:
    """What the block says; what is damaged or makes no sense counts as not said."""
    first = tags(data, None)
    more = tags(data, first.get(_EXIF))
    camera = " ".join(str(first[tag]).strip() for tag in (_MAKE, _MODEL) if isinstance(first.get(tag), str))
    turn = first.get(_TURN)
    return Exif(
        camera=camera[:100],
        turn=turn if isinstance(turn, int) and 1 <= turn <= 8 else 1,
        focal_sides=_focal(first, more),
        place=_place(tags(data, first.get(_GPS))),
    )


def tags(data: bytes, at: Any) -> dict[int, Any]:
    """One directory: the one at an offset; None: the first one."""
    order = _ORDERS.get(data[:4])
    if order is None:
        return {}
    found: dict[int, Any] = {}
    try:
        start = struct.unpack_from(f"{order}I", data, 4)[0] if at is None else at
        (count,) = struct.unpack_from(f"{order}H", data, start)
        for entry in range(min(count, _MOST_ENTRIES)):
            tag, kind, n = struct.unpack_from(f"{order}HHI", data, start + 2 + 12 * entry)
            if kind in _TYPES and (value := _value(data, order, kind, n, start + 10 + 12 * entry)) is not None:
                found[tag] = value
    except (struct.error, TypeError):  # cut off, or an offset that is none
        return found
    return found


def _value(data: bytes, order: str, kind: int, n: int, at: int) -> Any:
    """One value; a tuple where there are several, ratios divided; None where there is none.

    Raises:
        struct.error: it lies beyond the end.
    """
    code = _TYPES[kind]
    size = struct.calcsize(f"{order}{code}") * n
    if not 0 < size <= _LONGEST:
        return None
    if size > 4:
        (at,) = struct.unpack_from(f"{order}I", data, at)
    if code == "s":
        (text,) = struct.unpack_from(f"{n}s", data, at)
        return text.split(b"\0")[0].decode("utf-8", "replace")
    numbers = struct.unpack_from(f"{order}{n * len(code)}{code[0]}", data, at)
    if len(code) == 2:
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        numbers = tuple(a / b if b else float("nan") for a, b in pairs)
    return numbers[0] if n == 1 else numbers


def _focal(first: Tags, more: Tags) -> float | None:
    """From the film equivalent, else from the pitch of the pixels."""
    equivalent = _positive(more.get(_FOCAL_35))
    if equivalent:
        return equivalent / _FILM_MM
    focal, pitch = _positive(more.get(_FOCAL)), _positive(more.get(_PITCH))
    side, unit = _positive(more.get(_FULL_WIDTH, first.get(WIDTH))), _UNITS_MM.get(more.get(_PITCH_UNIT, 2))
    return focal * pitch / unit / side if focal and pitch and side and unit else None


def _positive(value: Any) -> float:
    """The number; 0 where it is none, or not more than 0."""
    return float(value) if isinstance(value, int | float) and 0 < value < float("inf") else 0.0


def _place(gps: Tags) -> tuple[float, float, float | None] | None:
    """Degrees north and east, metres up."""
    lat = _degrees(gps.get(_LAT), gps.get(_LAT_SIDE), "NS", 90.0)
    lon = _degrees(gps.get(_LON), gps.get(_LON_SIDE), "EW", 180.0)
    if lat is None or lon is None or (lat == 0 and lon == 0):  # zeroes are what a receiver without a fix writes
        return None
    height = gps.get(_HEIGHT)
    if not isinstance(height, int | float) or not abs(height) < 20_000:
        return lat, lon, None
    return lat, lon, -float(height) if gps.get(_BELOW) == 1 else float(height)


def _degrees(parts: Any, side: Any, sides: str, most: float) -> float | None:
    """From degrees, minutes and seconds."""
    if not isinstance(parts, tuple) or len(parts) != 3 or side not in tuple(sides):
        return None
    degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
    if not 0 <= degrees <= most:  # nor NaN
        return None
    return float(-degrees if side == sides[1] else degrees)
