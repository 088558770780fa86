"""Telemetry logs of ground stations (``.tlog``): MAVLink messages, each behind the time at which it came.

Source: MAVLink's public guide (framing, checksum) and its common messages.
"""

import struct
from binascii import crc_hqx
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Float

from sightline.errors import FormatError
from sightline.flight_logs.draft import Draft, home_at
from sightline.flight_logs.gimbal import is_against_north
from sightline.flight_logs.turning import angles_at
from sightline.geodesy.attitude import from_quaternion
from sightline.model.flight import UNKNOWN, Flight
from sightline.model.positions import Origin

Column = Float[np.ndarray, " n"]
Rows = np.ndarray
"""A structured array, one row for each message."""
_V1, _V2, _SIGNED = 0xFE, 0xFD, 1
_STAMP = 8
"""Bytes of time before each message: microseconds of 1970, as the ground station's clock has them."""
_AUTOPILOT = 1
_LARGEST = 2 * 2**30
_TIME, _ATTITUDE, _PLACE, _HOME, _CAMERA, _MOUNT, _GIMBAL = 2, 30, 33, 242, 262, 265, 285
_LAYOUT: dict[int, tuple[int, np.dtype[Any]]] = {
    _TIME: (137, np.dtype([("unix_us", "<u8"), ("boot_ms", "<u4")])),
    _ATTITUDE: (39, np.dtype([("boot_ms", "<u4"), ("roll", "<f4"), ("pitch", "<f4"), ("yaw", "<f4"), ("more", "V12")])),
    _PLACE: (
        104,
        np.dtype([
            ("boot_ms", "<u4"), ("lat", "<i4"), ("lon", "<i4"), ("sea", "<i4"), ("home", "<i4"), ("north", "<i2"),
            ("east", "<i2"), ("down", "<i2"), ("heading", "<u2"),
        ]),
    ),
    _HOME: (104, np.dtype([("lat", "<i4"), ("lon", "<i4"), ("sea", "<i4"), ("more", "V40")])),
    _CAMERA: (12, np.dtype([("boot_ms", "<u4"), ("more", "V12"), ("image", "u1"), ("video", "u1")])),
    _MOUNT: (26, np.dtype([("boot_ms", "<u4"), ("roll", "<f4"), ("pitch", "<f4"), ("yaw", "<f4")])),
    _GIMBAL: (137, np.dtype([("boot_ms", "<u4"), ("q", "<f4", 4), ("more", "V16"), ("flags", "<u2"), ("to", "V2")])),
}  # fmt: skip
"""Number of a message -> what its checksum begins with, and its fields as they are sent, later additions left out."""
_BY_OTHERS = frozenset({_CAMERA, _MOUNT, _GIMBAL})
"""Messages of parts of the aircraft that are not the autopilot."""
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@final
class Tlog:
    """One log; its rows are those of the estimated position of the first aircraft in it."""

    def read(self, path: Path) -> Flight:
        """The flight in the log.

        Raises:
            FormatError: it is no such log, or holds no position.
            OSError: it cannot be read.
        """
        found = _messages(path)
        place = found.get(_PLACE)
        if place is None:
            raise FormatError(f"{path}: no aircraft in the log told its position (GLOBAL_POSITION_INT)")
        t_s = place["boot_ms"] / 1e3
        aircraft, (utc_ns, said) = _attitude(found.get(_ATTITUDE), t_s), _utc_ns(found)
        return Draft(
            path=path,
            log="MAVLink telemetry",
            t_s=t_s,
            utc_ns=utc_ns,
            lat_deg=place["lat"] / 1e7,
            lon_deg=place["lon"] / 1e7,
            height_sea_m=place["sea"] / 1e3,
            height_takeoff_m=place["home"] / 1e3,
            aircraft_deg=aircraft,
            gimbal_deg=_gimbal(found, aircraft[0], t_s),
            north_east_down_mps=(place["north"] / 1e2, place["east"] / 1e2, place["down"] / 1e2),
            is_recording=_recording(found.get(_CAMERA), t_s),
            home=_home(found.get(_HOME)),
            warnings=tuple(said),
        ).flight()


def _messages(path: Path) -> dict[int, Rows]:
    """The messages used, by number: of the first aircraft that tells its position; ``stamp`` is when they came.

    Raises:
        FormatError: the file does not begin as such a log does, or is huge.
    """
    with path.open("rb") as file:
        if file.read(_STAMP + 1)[_STAMP:] not in {bytes([_V1]), bytes([_V2])}:
            raise FormatError(f"{path}: this is no telemetry log (.tlog) of a ground station")
    if path.stat().st_size > _LARGEST:
        raise FormatError(f"{path}: larger than {_LARGEST >> 30} GiB; cut it to the flight")
    data = path.read_bytes()
    kept: dict[int, list[tuple[int, bytes]]] = {number: [] for number in _LAYOUT}
    at, end = 0, len(data) - _STAMP - 8
    while at < end:
        length, number, sender, part, payload = _framed(data, at + _STAMP)
        if not length:
            at += 1
            continue
        is_used = number in _BY_OTHERS or (number in _LAYOUT and part == _AUTOPILOT)
        if is_used and _is_whole(data, at + _STAMP, length, number):
            size = _LAYOUT[number][1].itemsize
            kept[number].append((sender, data[at : at + _STAMP] + payload[:size].ljust(size, b"\0")))
        at += _STAMP + length
    aircraft = kept[_PLACE][0][0] if kept[_PLACE] else None
    found = {number: b"".join(row for sender, row in rows if sender == aircraft) for number, rows in kept.items()}
    return {
        number: np.frombuffer(rows, [("stamp", ">u8"), *_LAYOUT[number][1].descr])
        for number, rows in found.items()
        if rows
    }


def _framed(data: bytes, at: int) -> tuple[int, int, int, int, bytes]:
    """Length, number, sender and its part, and content of the message there; a length of 0: there is none."""
    if data[at] == _V1:
        n = data[at + 1]
        return n + 8, data[at + 5], data[at + 3], data[at + 4], data[at + 6 : at + 6 + n]
    if data[at] == _V2 and at + 12 <= len(data):
        n = data[at + 1]
        number = int.from_bytes(data[at + 7 : at + 10], "little")
        signature = 13 if data[at + 2] & _SIGNED else 0
        return n + 12 + signature, number, data[at + 5], data[at + 6], data[at + 10 : at + 10 + n]
    return 0, 0, 0, 0, b""


def _is_whole(data: bytes, at: int, length: int, number: int) -> bool:
    """Whether the checksum is right: X.25's, which is that of ``crc_hqx`` with all bits mirrored."""
    head, signature = (6, 0) if data[at] == _V1 else (10, 13 if data[at + 2] & _SIGNED else 0)
    after = at + length - signature
    if after > len(data) or after - 2 < at + head:
        return False
    checked = data[at + 1 : after - 2] + bytes([_LAYOUT[number][0]])
    mirrored = crc_hqx(checked.translate(_MIRRORED), 0xFFFF)
    return int(f"{mirrored:016b}"[::-1], 2) == struct.unpack_from("<H", data, after - 2)[0]


def _attitude(rows: Rows | None, t_s: Column) -> tuple[Column | None, Column | None, Column | None]:
    """Yaw, pitch, roll in degrees at these times."""
    if rows is None:
        return None, None, None
    at_s = rows["boot_ms"] / 1e3
    yaw, pitch, roll = (angles_at(t_s, at_s, rows[name].astype(float)) for name in ("yaw", "pitch", "roll"))
    return yaw, pitch, roll


def _gimbal(
    found: dict[int, Rows], heading_deg: Column | None, t_s: Column
) -> tuple[Column | None, Column | None, Column | None]:
    """Yaw, pitch, roll of the camera against north; a yaw against the aircraft is added to its own."""
    unknown = np.full(len(t_s), np.nan)
    heading = unknown if heading_deg is None else heading_deg
    if _GIMBAL in found:
        rows = found[_GIMBAL]
        at_s = rows["boot_ms"] / 1e3
        yaw, pitch, roll = (angles_at(t_s, at_s, angle) for angle in from_quaternion(rows["q"].astype(float)))
        latest = (np.searchsorted(at_s, t_s, side="right") - 1).clip(0)
        return np.where(is_against_north(rows["flags"].astype(int))[latest], yaw, yaw + heading), pitch, roll
    if _MOUNT in found:
        rows = found[_MOUNT]
        at_s = rows["boot_ms"] / 1e3
        yaw, pitch, roll = (
            angles_at(t_s, at_s, np.deg2rad(rows[name].astype(float))) for name in ("yaw", "pitch", "roll")
        )
        return yaw + heading, pitch, roll
    return None, None, None


def _recording(rows: Rows | None, t_s: Column) -> np.ndarray | None:
    """What the camera last said of its video; unknown before it said anything."""
    if rows is None:
        return None
    latest = np.searchsorted(rows["boot_ms"] / 1e3, t_s, side="right") - 1
    return np.where(latest < 0, UNKNOWN, (rows["video"] > 0)[latest.clip(0)]).astype(np.int64)


def _home(rows: Rows | None) -> Origin | None:
    """Where it calls home, as last set; the height is above the sea."""
    if rows is None:
        return None
    last = rows[-1]
    return home_at(float(last["lat"]) / 1e7, float(last["lon"]) / 1e7, float(last["sea"]) / 1e3)


def _utc_ns(found: dict[int, Rows]) -> tuple[int, list[str]]:
    """When the aircraft's clock was 0: as it says itself, else by the ground station's clock."""
    times = found.get(_TIME)
    known = None if times is None else times[times["unix_us"] > 0]
    if known is not None and len(known):
        row = known[0]
        return int(row["unix_us"]) * 1000 - int(row["boot_ms"]) * 1_000_000, []
    late_us = found[_PLACE]["stamp"].astype(np.int64) - found[_PLACE]["boot_ms"].astype(np.int64) * 1000
    return int(late_us.min()) * 1000, ["UTC is that of the ground station's clock"]
