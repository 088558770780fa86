"""Telemetry logs of ground stations, written here as MAVLink frames them."""

import struct

import numpy as np
import pytest

from sightline.errors import FormatError
from sightline.flight_logs.telling import log_name
from sightline.flight_logs.tlog import Tlog
from sightline.geodesy.attitude import wrapped
from sightline.simulation.flight.paths import FlightPlan

TRUE = FlightPlan("orbit", pitch_rad=-0.7).log()
EXTRA = {0: 50, 2: 137, 30: 39, 33: 104, 242: 104, 262: 12, 265: 26, 285: 137}
LATE_US = 700_000


def checksum(data):
    """As MAVLink's guide tells it, byte by byte."""
    found = 0xFFFF
    for byte in data:
        low = (byte ^ found) & 0xFF
        low = (low ^ (low << 4)) & 0xFF
        found = (found >> 8) ^ (low << 8) ^ (low << 3) ^ (low >> 4)
    return struct.pack("<H", found)


def framed(number, payload, *, version=2, sender=1, part=1, signed=False):
    """One message on its way."""
    if version == 1:
        body = struct.pack("<BBBBB", len(payload), 7, sender, part, number) + payload
        return b"\xfe" + body + checksum(body + bytes([EXTRA[number]]))
    payload = payload.rstrip(b"\0") or b"\0"
    body = struct.pack("<BBBBBB", len(payload), signed, 0, 7, sender, part) + number.to_bytes(3, "little") + payload
    return b"\xfd" + body + checksum(body + bytes([EXTRA[number]])) + (bytes(13) if signed else b"")


def quaternion(yaw, pitch):
    """Turned by yaw, then pitch."""
    (cy, sy), (cp, sp) = ((np.cos(a / 2), np.sin(a / 2)) for a in (yaw, pitch))
    return cy * cp, -sy * sp, cy * sp, sy * cp


def said(k, gimbal, *, clock, silent):
    """What an aircraft says at one moment; its clock shows 60 s when the log begins, its mount is silent at some."""
    boot = 60_000 + round(TRUE.t_s[k] * 1000)
    yaw, tilt, heading = (float(c[k]) for c in (TRUE.gimbal.yaw_rad, TRUE.gimbal.pitch_rad, TRUE.aircraft.yaw_rad))
    east, north, up = (round(v * 100) for v in TRUE.velocity_enu_mps[k])
    place = (round(TRUE.lat_deg[k] * 1e7), round(TRUE.lon_deg[k] * 1e7))
    height = round(TRUE.height_takeoff_m[k] * 1000)
    yield 30, 1, struct.pack("<I6f", boot, 0.01, -0.02, heading, 0, 0, 0)
    yield 30, 154, struct.pack("<I6f", boot, 1.0, 1.0, 1.0, 0, 0, 0)  # the gimbal's own
    yield 33, 1, struct.pack("<I4i3hH", boot, *place, height + 12_000, height, north, east, -up, 0)
    yield (
        242,
        1,
        struct.pack("<3i3f4f3fQ", round(TRUE.home.lat_deg * 1e7), round(TRUE.home.lon_deg * 1e7), 12_000, *[0] * 11),
    )
    if clock:
        yield 2, 1, struct.pack("<QI", TRUE.utc_ns // 1000 + round(TRUE.t_s[k] * 1e6), boot)
    if gimbal == "mount":
        degrees = np.rad2deg([tilt, float(wrapped(np.array([yaw - heading]))[0])])
        degrees[:] = np.nan if k in silent else degrees
        yield 265, 154, struct.pack("<I3f", boot, 0.0, *degrees)
    else:
        flags, turn = (64, yaw) if gimbal == "earth" else (32, yaw - heading)
        yield 285, 154, struct.pack("<I4f3fIHBB", boot, *quaternion(turn, tilt), 0, 0, 0, 0, flags, 0, 0)
    yield 262, 100, struct.pack("<IfIfBB", boot, 0, 0, 0, 0, int(TRUE.is_recording[k]))


def written(path, *, gimbal="earth", version=2, signed=False, clock=True, silent=()):
    """The true flight as a ground station keeps it, with its own beats and another aircraft's attitude between."""
    out = []
    for k, t_s in enumerate(TRUE.t_s):
        stamp = struct.pack(">Q", TRUE.utc_ns // 1000 + round(t_s * 1e6) + LATE_US)
        out.append(stamp + framed(0, b"\1\2\3\4\5\6\7\x08\x09", sender=255, part=190, version=version))
        out.append(stamp + framed(30, struct.pack("<I6f", 1, 9, 9, 9, 9, 9, 9), sender=2, version=version))
        for number, part, payload in said(k, gimbal, clock=clock, silent=silent):
            if version == 2 or number < 256:
                out.append(stamp + framed(number, payload, part=part, version=version, signed=signed))
    path.write_bytes(b"".join(out))
    return path


@pytest.mark.parametrize(("gimbal", "signed"), [("earth", False), ("vehicle", True), ("mount", False)])
def test_a_log_says_what_the_flight_was(tmp_path, gimbal, signed):
    path = written(tmp_path / "a.tlog", gimbal=gimbal, signed=signed)
    assert log_name(path) == "tlog"
    found = Tlog().read(path)
    assert len(found) == len(TRUE)
    np.testing.assert_allclose(found.t_s, TRUE.t_s, atol=1e-6)
    np.testing.assert_allclose(found.lat_deg, TRUE.lat_deg, atol=1e-7)
    np.testing.assert_allclose(found.lon_deg, TRUE.lon_deg, atol=1e-7)
    np.testing.assert_allclose(found.height_takeoff_m, TRUE.height_takeoff_m, atol=6e-4)
    np.testing.assert_allclose(found.velocity_enu_mps, TRUE.velocity_enu_mps, atol=0.006)
    assert np.abs(wrapped(found.aircraft.yaw_rad - TRUE.aircraft.yaw_rad)).max() < 1e-6
    assert np.abs(wrapped(found.gimbal.yaw_rad - TRUE.gimbal.yaw_rad)).max() < 1e-5
    np.testing.assert_allclose(found.gimbal.pitch_rad, TRUE.gimbal.pitch_rad, atol=1e-6)
    np.testing.assert_array_equal(found.is_recording, TRUE.is_recording)
    assert found.utc_ns == pytest.approx(TRUE.utc_ns, abs=2e6)
    assert found.home.lon_deg == pytest.approx(TRUE.home.lon_deg, abs=1e-7)
    assert found.warnings == ()


def test_angles_that_a_gimbal_does_not_know_for_a_while_spoil_none_after_them(tmp_path):
    found = Tlog().read(written(tmp_path / "a.tlog", gimbal="mount", silent=range(20, 25)))
    assert np.abs(wrapped(found.gimbal.yaw_rad - TRUE.gimbal.yaw_rad)).max() < np.deg2rad(2.0)
    assert np.abs(wrapped(found.gimbal.yaw_rad - TRUE.gimbal.yaw_rad))[25:].max() < 1e-5


def test_an_aircraft_without_a_clock_gets_that_of_the_ground_station_and_that_is_said(tmp_path):
    found = Tlog().read(written(tmp_path / "a.tlog", version=1, clock=False))
    assert found.utc_ns == pytest.approx(TRUE.utc_ns + LATE_US * 1000, abs=2e6)
    assert any("ground station's clock" in warning for warning in found.warnings)
    assert np.isnan(found.gimbal.yaw_rad).all()  # the first version has no numbers for gimbals
    np.testing.assert_allclose(found.height_sea_m, TRUE.height_takeoff_m + 12, atol=6e-4)


def test_a_home_that_is_no_place_on_earth_is_none(tmp_path):
    path = written(tmp_path / "a.tlog")
    nowhere = framed(242, struct.pack("<3i", 2_000_000_000, 0, 0) + bytes(40))
    path.write_bytes(path.read_bytes() + bytes(8) + nowhere)
    found = Tlog().read(path)
    assert (len(found), found.home) == (len(TRUE), None)


def test_a_message_whose_checksum_is_wrong_is_left_out(tmp_path):
    path = written(tmp_path / "a.tlog")
    data, rng = bytearray(path.read_bytes()), np.random.default_rng(1)
    for at in rng.integers(100, len(data), 40):
        data[at] ^= 0x55
    path.write_bytes(data[:-5])
    found = Tlog().read(path)
    assert len(TRUE) - 45 < len(found) < len(TRUE) + 1
    near = np.searchsorted(TRUE.t_s, found.t_s - 1e-6)
    np.testing.assert_allclose(found.lat_deg, TRUE.lat_deg[near], atol=1e-7)
    assert np.nanmax(np.abs(found.aircraft.roll_rad - 0.01)) < 1e-6


def test_what_is_no_such_log_is_refused(tmp_path):
    path = tmp_path / "a.tlog"
    for data, why in ((b"hello, world", "no telemetry log"), (bytes(8) + framed(0, bytes(9)) * 3, "told its position")):
        path.write_bytes(data)
        with pytest.raises(FormatError, match=why):
            Tlog().read(path)
