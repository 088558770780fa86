"""The telemetry track of DJI's MP4 files, from a file put together byte by byte."""

import struct

import numpy as np
import pytest

from sightline.errors import FormatError
from sightline.flight_logs.djmd import Djmd, fields
from sightline.flight_logs.telling import log_name

TICKS = 30000


def varint(number):
    number &= (1 << 64) - 1
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    return varint(number << 3) + varint(value)


def nested(path, value):
    for number in reversed(path):
        value = field(number, value)
    return value


def sample(lat, lon, yaw, pitch, *, degrees=True, relative_mm=5400):
    """One message, with a field nobody knows, and none where the value is 0, as the wire format has it."""
    gps = (field(1, 1) if degrees else b"") + field(2, lat) + field(3, lon)
    place = field(1, gps) + field(2, 330_993) + field(6, field(1, b"2026-05-16 23:56:34.525"))
    height = varint(1 << 3 | 5) + struct.pack("<f", relative_mm)
    drone = field(1, -12) + field(2, 34) + field(3, -71)
    inner = field(3, drone) + field(4, place) + field(5, height) + field(9, b"what is this")
    gimbal = field(1, pitch) + field(3, yaw)
    return field(1, field(1, b"model")) + field(3, field(3, inner) + field(4, field(3, gimbal)))


def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def mp4(samples, tag=b"djmd", step=500):
    """A file with one track of data; ``step`` ticks of 1/30000 s between samples."""
    ftyp = box(b"ftyp", b"isom", bytes(4), b"isom")
    duration = step * len(samples)
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    mvhd = box(
        b"mvhd",
        bytes(12),
        struct.pack(">II", TICKS, duration),
        struct.pack(">IH", 0x10000, 0x100),
        bytes(10),
        matrix,
        bytes(24),
        struct.pack(">I", 2),
    )
    tkhd = box(
        b"tkhd",
        struct.pack(">I", 7),
        bytes(8),
        struct.pack(">II", 1, 0),
        struct.pack(">I", duration),
        bytes(16),
        matrix,
        bytes(8),
    )
    mdhd = box(b"mdhd", bytes(12), struct.pack(">II", TICKS, duration), struct.pack(">HH", 0x55C4, 0))
    hdlr = box(b"hdlr", bytes(8), b"meta", bytes(12), b"DJI meta\0")
    stsd = box(b"stsd", bytes(4), struct.pack(">I", 1), box(tag, bytes(6), struct.pack(">H", 1)))
    stts = box(b"stts", bytes(4), struct.pack(">III", 1, len(samples), step))
    stsc = box(b"stsc", bytes(4), struct.pack(">IIII", 1, 1, len(samples), 1))
    stsz = box(b"stsz", bytes(4), struct.pack(">II", 0, len(samples)), *(struct.pack(">I", len(s)) for s in samples))
    stco = box(b"stco", bytes(4), struct.pack(">II", 1, len(ftyp) + 8))
    dinf = box(b"dinf", box(b"dref", bytes(4), struct.pack(">I", 1), box(b"url ", struct.pack(">I", 1))))
    minf = box(b"minf", box(b"nmhd", bytes(4)), dinf, box(b"stbl", stsd, stts, stsc, stsz, stco))
    moov = box(b"moov", mvhd, box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf)))
    return ftyp + box(b"mdat", *samples) + moov


def test_every_picture_has_its_place_and_its_gimbal(tmp_path):
    path = tmp_path / "DJI_0001.MP4"
    path.write_bytes(mp4([sample(51.4778 + k * 1e-6, -0.0014, -71 - k, -900 + k) for k in range(20)]))
    assert log_name(path) == "djmd"
    flight = Djmd().read(path)
    np.testing.assert_allclose(flight.t_s, np.arange(20) / 60, atol=1e-9)
    np.testing.assert_allclose(flight.lat_deg, 51.4778 + np.arange(20) * 1e-6, atol=1e-12)
    np.testing.assert_allclose(np.rad2deg(flight.gimbal.yaw_rad), -7.1 - np.arange(20) / 10, atol=1e-9)
    np.testing.assert_allclose(np.rad2deg(flight.gimbal.pitch_rad), -90 + np.arange(20) / 10, atol=1e-9)
    np.testing.assert_allclose(np.rad2deg(flight.aircraft.roll_rad), -1.2)
    np.testing.assert_allclose(flight.height_takeoff_m, 5.4)
    np.testing.assert_allclose(flight.height_sea_m, 330.993)
    assert flight.is_video_time
    assert flight.utc_ns == 1_778_975_794_525_000_000


def test_places_in_radians_are_the_same_places(tmp_path):
    path = tmp_path / "a.mp4"
    lat, lon = np.deg2rad([51.4778, -0.0014]).tolist()
    path.write_bytes(mp4([sample(lat, lon, 0, -450, degrees=False)] * 3))
    np.testing.assert_allclose(Djmd().read(path).lat_deg, 51.4778, atol=1e-9)


def test_a_video_without_such_a_track_is_refused(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(mp4([b"\x08\x96\x01not of a flight"] * 3, tag=b"camm"))
    with pytest.raises(FormatError, match="no track of DJI telemetry"):
        Djmd().read(path)


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_message_broken_off_says_nothing_rather_than_something_wrong(cut):
    message = field(2, 1.5) + field(3, b"abc")
    assert fields(message[:-cut]).get(2, 1.5) == 1.5
    assert fields(message[:-cut]).get(3, b"abc") == b"abc"
