"""MISB ST 0601 telemetry: in the data track of an MPEG transport stream, or packets one after the other in a file.

Source: MISB ST 0601 (UAS Datalink Local Set) and SMPTE 336M, public standards of the Motion Imagery Standards Board.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import final

import numpy as np

from sightline.errors import FormatError, SourceError
from sightline.flight_logs.djmd import samples
from sightline.flight_logs.draft import Draft
from sightline.geodesy.attitude import composed
from sightline.model.flight import Flight

_KEY = bytes.fromhex("060e2b34020b01010e01030101000000")
_UNSIGNED = {1: ">B", 2: ">H", 4: ">I", 8: ">Q"}
_SIGNED = {1: ">b", 2: ">h", 4: ">i", 8: ">q"}
_CHECKSUM, _TIME = 1, 2
_RANGES: dict[int, tuple[str, bool, float, float]] = {
    5: ("heading", False, 0.0, 360.0), 6: ("platform_pitch", True, -20.0, 20.0),
    7: ("platform_roll", True, -50.0, 50.0),
    13: ("lat", True, -90.0, 90.0), 14: ("lon", True, -180.0, 180.0), 15: ("sea", False, -900.0, 19000.0),
    16: ("across", False, 0.0, 180.0), 18: ("azimuth", False, 0.0, 360.0), 19: ("elevation", True, -180.0, 180.0),
    20: ("roll", False, 0.0, 360.0), 75: ("ellipsoid", False, -900.0, 19000.0),
    90: ("full_pitch", True, -90.0, 90.0), 91: ("full_roll", True, -90.0, 90.0),
}  # fmt: skip
"""Items used: name, whether signed, least and greatest value; what lies between is linear."""
_NAMES = (*(name for name, *_ in _RANGES.values()), "t")

Row = dict[str, float]


@final
class Klv:
    """One file with such packets."""

    def read(self, path: Path) -> Flight:
        """The flight that the packets tell of; in a video, on the video's own time.

        Raises:
            FormatError: there is no such packet in the file.
            OSError: it cannot be read.
        """
        timed, said = _trusted(list(_packets(path)), path)
        rows = [row for _, row in timed]
        columns = {name: np.array([row.get(name, np.nan) for row in rows], float) for name in _NAMES}
        is_video = timed[0][0] is not None
        t_s = np.array([t for t, _ in timed], float) if is_video else columns["t"] / 1e6
        moments = np.flatnonzero(np.isfinite(columns["t"]))
        utc_ns = None if not len(moments) else round(rows[int(moments[0])]["t"]) * 1000
        first_s = 0.0 if not len(moments) else float(t_s[moments[0]])
        pitch = np.where(np.isfinite(columns["full_pitch"]), columns["full_pitch"], columns["platform_pitch"])
        roll = np.where(np.isfinite(columns["full_roll"]), columns["full_roll"], columns["platform_roll"])
        platform = (columns["heading"], pitch, roll)
        camera = (columns["azimuth"], columns["elevation"], columns["roll"])
        turned = composed(_rad(platform), _rad(camera))
        return Draft(
            path=path,
            log="MISB ST 0601",
            t_s=t_s,
            is_video_time=is_video,
            utc_ns=None if utc_ns is None else utc_ns - round(first_s * 1e9),
            lat_deg=columns["lat"],
            lon_deg=columns["lon"],
            height_sea_m=columns["sea"],
            height_ellipsoid_m=columns["ellipsoid"],
            aircraft_deg=platform,
            gimbal_deg=(np.rad2deg(turned[0]), np.rad2deg(turned[1]), np.rad2deg(turned[2])),
            focal_35mm=18 / np.tan(np.deg2rad(columns["across"]) / 2),
            warnings=("heights are above the sea, not above take-off; say how high the ground is", *said),
        ).flight()


def _trusted(found: list[tuple[float | None, Row]], path: Path) -> tuple[list[tuple[float | None, Row]], list[str]]:
    """The packets with a right checksum; where none has, its writer cannot count, and all are taken.

    Raises:
        FormatError: there is none.
    """
    if not found:
        raise FormatError(f"{path}: there is no MISB ST 0601 packet in it")
    whole = [(t_s, row) for t_s, row in found if row["whole"]]
    if not whole:
        return found, ["no packet has a right checksum; taken all the same"]
    lost = len(found) - len(whole)
    return whole, [f"{lost} packets have a wrong checksum; left out"] if lost else []


def _rad(degrees: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Radians."""
    yaw, pitch, roll = (np.deg2rad(column) for column in degrees)
    return yaw, pitch, roll


def _packets(path: Path) -> Iterator[tuple[float | None, Row]]:
    """Seconds in the video (None: there is no video) and what a packet says, for each whole packet in a file."""
    with path.open("rb") as file:
        start = file.read(16)
    if start == _KEY:
        for row in _sets(path.read_bytes()):
            yield None, row
        return
    try:
        for t_s, data in samples(path):
            for row in _sets(data):
                yield t_s, row
    except SourceError as error:
        raise FormatError(f"{path}: neither MISB packets nor a video with them ({error})") from None


def _sets(data: bytes) -> Iterator[Row]:
    """What the packets in a run of bytes say, and whether their checksums are right."""
    at = data.find(_KEY)
    while at >= 0:
        size, begin = _length(data, at + len(_KEY))
        end = begin + size
        if end > len(data):
            return
        yield _row(data[begin:end]) | {"whole": float(_is_whole(data[at:end]))}
        at = data.find(_KEY, end)


def _is_whole(packet: bytes) -> bool:
    """Whether the checksum at the packet's end (tag 1, two bytes) is that of what stands before."""
    if packet[-4:-2] != b"\x01\x02":
        return False
    body = packet[:-2] + b"\0" * (len(packet) % 2)
    total = sum(struct.unpack(f">{len(body) // 2}H", body))
    return total & 0xFFFF == struct.unpack(">H", packet[-2:])[0]


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A length as BER writes it, and where what it measures begins; longer than the data where it is broken off."""
    if at >= len(data):
        return len(data), at
    first = data[at]
    if first < 0x80:
        return first, at + 1
    n = first & 0x7F
    return int.from_bytes(data[at + 1 : at + 1 + n], "big"), at + 1 + n


def _row(data: bytes) -> Row:
    """What the items of one set say."""
    row: Row = {}
    at = 0
    while at + 1 < len(data):
        tag, at = _tag(data, at)
        size, begin = _length(data, at)
        at = begin + size
        if at > len(data):
            break
        value = data[begin:at]
        if tag == _TIME and size == 8:
            row["t"] = float(int.from_bytes(value, "big"))
        elif tag in _RANGES:
            name, signed, low, high = _RANGES[tag]
            row[name] = _linear(value, low, high, signed=signed)
    return row


def _tag(data: bytes, at: int) -> tuple[int, int]:
    """A tag as BER-OID writes it, and where its length stands."""
    tag = 0
    while at < len(data):
        byte = data[at]
        at += 1
        tag = tag << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return tag, at


def _linear(value: bytes, low: float, high: float, *, signed: bool) -> float:
    """A whole number stretched over a range; the least signed one means that the value is out of range."""
    kinds = _SIGNED if signed else _UNSIGNED
    if len(value) not in kinds:
        return float("nan")
    (number,) = struct.unpack(kinds[len(value)], value)
    most = 2 ** (8 * len(value)) - (2 if signed else 1)
    if signed:
        return float("nan") if number < -(most // 2) else number * (high - low) / most
    return low + number * (high - low) / most
