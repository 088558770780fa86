"""Logs of ArduPilot, written here as its controllers write them."""

import struct

import numpy as np
import pytest

from sightline.errors import FormatError
from sightline.flight_logs.ardupilot import Ardupilot
from sightline.flight_logs.telling import log_name
from sightline.geodesy.attitude import wrapped
from sightline.simulation.flight.paths import FlightPlan

STRUCT = {
    "Q": "Q",
    "B": "B",
    "I": "I",
    "H": "H",
    "L": "i",
    "f": "f",
    "c": "h",
    "C": "H",
    "e": "i",
    "n": "4s",
    "N": "16s",
    "Z": "64s",
}
SCALE = {"L": 1e7, "c": 100, "C": 100, "e": 100}
TRUE = FlightPlan("orbit", pitch_rad=-0.7).log()
GPS_S = TRUE.utc_ns / 1e9 - 315_964_800 + 18


def described(number, name, letters, columns):
    """The message that says how another is laid out."""
    length = 3 + struct.calcsize("<" + "".join(STRUCT[letter] for letter in letters))
    text = struct.pack("<4s16s64s", name.encode(), letters.encode(), columns.encode())
    return b"\xa3\x95" + bytes([128, number, length]) + text


class Log:
    """Puts messages together in the order of their times."""

    def __init__(self):
        self.head, self.kinds, self.said = described(128, "FMT", "BBnNZ", "Type,Length,Name,Format,Columns"), {}, []

    def kind(self, name, letters, columns):
        self.kinds[name] = (len(self.kinds) + 129, letters)
        self.head += described(self.kinds[name][0], name, letters, columns)

    def add(self, name, t_s, *values):
        number, letters = self.kinds[name]
        stored = [round(v * SCALE[k]) if k in SCALE else v for k, v in zip(letters[1:], values, strict=True)]
        layout = "<" + "".join(STRUCT[letter] for letter in letters)
        self.said.append((t_s, b"\xa3\x95" + bytes([number]) + struct.pack(layout, round(t_s * 1e6), *stored)))

    def bytes(self):
        return self.head + b"".join(message for _, message in sorted(self.said, key=lambda said: said[0]))


def written(path, *, pos=True, mount="YawE", estimate=True):
    """The true flight as a log; its clock shows 100 s when it begins."""
    log = Log()
    log.kind("ATT", "QccccCC", "TimeUS,DesRoll,Roll,DesPitch,Pitch,DesYaw,Yaw")
    log.kind("GPS", "QBBIHBcLLeffffB", "TimeUS,I,Status,GMS,GWk,NSats,HDop,Lat,Lng,Alt,Spd,GCrs,VZ,Yaw,U")
    log.kind("ORGN", "QBLLe", "TimeUS,Type,Lat,Lng,Alt")
    log.kind("POS", "QLLfff", "TimeUS,Lat,Lng,Alt,RelHomeAlt,RelOriginAlt")
    log.kind("XKF1", "QBfff", "TimeUS,C,VN,VE,VD")
    log.kind("MNT", "QBfffff", "TimeUS,I,Roll,Pitch,YawB,YawE,Dist")
    log.kind("RFND", "QBCBB", "TimeUS,Instance,Dist,Stat,Orient")
    log.add("ORGN", 100.0, 1, TRUE.home.lat_deg, TRUE.home.lon_deg, 12.0)
    degrees = [np.rad2deg(a) for a in (TRUE.aircraft.yaw_rad, TRUE.gimbal.yaw_rad, TRUE.gimbal.pitch_rad)]
    for k, t_s in enumerate(TRUE.t_s + 100.0):
        east, north, up = TRUE.velocity_enu_mps[k]
        heading, yaw, pitch = (float(column[k]) for column in degrees)
        lat, lon, height = TRUE.lat_deg[k], TRUE.lon_deg[k], TRUE.height_takeoff_m[k]
        log.add("ATT", t_s, 0, 1.5, 0, -2.5, 0, heading % 360)
        ms = round((GPS_S + TRUE.t_s[k]) * 1000)
        course = np.rad2deg(np.arctan2(east, north)) % 360
        log.add("GPS", t_s, 0, 3 if k > 5 else 1, ms % 604_800_000, ms // 604_800_000, 12, 0.8, lat, lon,
                height + 12, np.hypot(east, north), course, -up, 0.0, 1)  # fmt: skip
        log.add("RFND", t_s, 0, height, 4 if k % 2 else 1, 25)
        if pos:
            log.add("POS", t_s, lat, lon, height + 12, height, height)
        if estimate:
            log.add("XKF1", t_s, 0, north, east, -up)
            log.add("XKF1", t_s, 1, 9.0, 9.0, 9.0)
        body = (yaw - heading + 180) % 360 - 180
        known = (np.nan, yaw) if mount == "YawE" else (body, np.nan)
        log.add("MNT", t_s, 0, 0.5, pitch, *known, 0.0)
    path.write_bytes(log.bytes())
    return path


@pytest.mark.parametrize("mount", ["YawE", "YawB"])
def test_a_log_says_what_the_flight_was(tmp_path, mount):
    path = written(tmp_path / "00000001.BIN", mount=mount)
    assert log_name(path) == "ardupilot"
    found = Ardupilot().read(path)
    assert len(found) == len(TRUE)
    np.testing.assert_allclose(found.t_s, TRUE.t_s, atol=1e-6)
    np.testing.assert_allclose(found.lat_deg, TRUE.lat_deg, atol=1e-7)
    np.testing.assert_allclose(found.lon_deg, TRUE.lon_deg, atol=1e-7)
    np.testing.assert_allclose(found.height_takeoff_m, TRUE.height_takeoff_m, atol=1e-4)
    np.testing.assert_allclose(found.height_sea_m, TRUE.height_takeoff_m + 12, atol=1e-4)
    np.testing.assert_allclose(found.velocity_enu_mps, TRUE.velocity_enu_mps, atol=1e-5)
    hundredth = np.deg2rad(0.0151)
    assert np.abs(wrapped(found.aircraft.yaw_rad - TRUE.aircraft.yaw_rad)).max() < hundredth
    assert np.abs(wrapped(found.gimbal.yaw_rad - TRUE.gimbal.yaw_rad)).max() < hundredth
    np.testing.assert_allclose(found.gimbal.pitch_rad, TRUE.gimbal.pitch_rad, atol=1e-6)
    np.testing.assert_allclose(found.aircraft.roll_rad, np.deg2rad(1.5), atol=1e-9)
    np.testing.assert_allclose(found.aircraft.pitch_rad, np.deg2rad(-2.5), atol=1e-9)
    assert found.utc_ns == pytest.approx(TRUE.utc_ns, abs=2e6)
    assert found.home.lat_deg == pytest.approx(TRUE.home.lat_deg, abs=1e-7)
    assert found.warnings == ()


def test_the_height_above_ground_is_known_where_the_range_finder_says_it_is_good(tmp_path):
    found = Ardupilot().read(written(tmp_path / "a.bin"))
    odd = np.arange(len(found)) % 2 == 1
    np.testing.assert_allclose(found.height_ground_m[odd], TRUE.height_takeoff_m[odd], atol=0.006)
    assert np.isnan(found.height_ground_m[~odd]).all()


def test_without_an_estimate_the_gps_is_used_from_its_first_fix_and_that_is_said(tmp_path):
    found = Ardupilot().read(written(tmp_path / "a.bin", pos=False, estimate=False))
    assert len(found) == len(TRUE) - 6
    np.testing.assert_allclose(found.velocity_enu_mps, TRUE.velocity_enu_mps[6:], atol=1e-4)
    np.testing.assert_allclose(found.height_takeoff_m, TRUE.height_takeoff_m[6:], atol=0.006)
    assert any("only that of GPS" in warning for warning in found.warnings)


def test_a_damaged_stretch_is_left_out_and_its_bytes_are_counted(tmp_path):
    path = written(tmp_path / "a.bin")
    data = bytearray(path.read_bytes())
    data[20_000:20_100] = bytes(100)
    path.write_bytes(data[:-7])
    found = Ardupilot().read(path)
    assert len(TRUE) - 5 < len(found) < len(TRUE) + 1
    assert any("bytes of the log make no sense" in warning for warning in found.warnings)


def test_messages_in_notations_to_come_are_passed_over(tmp_path):
    path = written(tmp_path / "a.bin")
    data = path.read_bytes()
    strange = b"\xa3\x95" + bytes([128, 200, 11]) + struct.pack("<4s16s64s", b"NEW", b"Q?", b"TimeUS,What")
    inside = b"\xa3\x95" + bytes([200]) + b"\xa3\x95\x81" + bytes(5)  # what looks like a beginning is none
    at = len(Log().head)
    path.write_bytes(data[:at] + strange + data[at:] + inside)
    found = Ardupilot().read(path)
    assert len(found) == len(TRUE)
    assert found.warnings == ()


def test_columns_of_text_or_lists_where_numbers_belong_are_as_good_as_none(tmp_path):
    path = tmp_path / "odd.bin"
    text, number = Log(), b"\xa3\x95\x81"
    text.kind("POS", "QLLn", "TimeUS,Lat,Lng,Alt")
    path.write_bytes(text.head + 50 * (number + bytes(16) + b"high"))
    assert "neither POS nor GPS" in refusal(path)
    lists = described(129, "POS", "QLL", "TimeUS,Lat,Lng").replace(b"QLL\0", b"QLLa").replace(b"Lng\0", b"Lng,Alt\0")
    path.write_bytes(Log().head + lists[:4] + bytes([83]) + lists[5:89] + 50 * (number + bytes(80)))
    assert "neither POS nor GPS" in refusal(path)


def test_a_home_that_is_no_place_on_earth_is_none(tmp_path):
    path = written(tmp_path / "a.bin")
    path.write_bytes(path.read_bytes() + b"\xa3\x95\x83" + struct.pack("<QBiii", 10**9, 1, 2_000_000_000, 0, 0))
    found = Ardupilot().read(path)
    assert (found.home, found.warnings) == (None, ("the log has no home position (ORGN)",))


def test_a_kind_that_is_described_twice_is_as_it_was_described_first(tmp_path):
    path = written(tmp_path / "a.bin")
    longer = described(132, "POS", "QLLfffNNNNNN", "TimeUS,Lng,Lat,Alt,RelHomeAlt,RelOriginAlt,A,B,C,D,E,F")
    path.write_bytes(path.read_bytes() + longer)
    found = Ardupilot().read(path)
    assert (len(found), found.warnings) == (len(TRUE), ())
    np.testing.assert_allclose(found.lat_deg, TRUE.lat_deg, atol=1e-7)


def refusal(path):
    """Why a log is refused; nothing where it makes a flight."""
    try:
        flight = Ardupilot().read(path)
    except FormatError as error:
        return str(error)
    return "" if len(flight) >= 2 else "too short a flight"


def test_whatever_is_damaged_the_log_is_read_or_refused_in_one_line(tmp_path):
    data, rng = written(tmp_path / "a.bin").read_bytes(), np.random.default_rng(0)
    path = tmp_path / "damaged.bin"
    for k in range(30):
        changed, at = bytearray(data), int(rng.integers(0, 900 if k % 2 else len(data)))  # descriptions are first
        changed[at : at + int(rng.integers(0, 50))] = rng.bytes(int(rng.integers(0, 50)))
        path.write_bytes(changed)
        why = refusal(path)
        assert not why or (why.startswith(str(path)) and "\n" not in why)


def test_what_is_no_such_log_or_has_no_position_or_no_time_is_refused(tmp_path):
    other = tmp_path / "other.bin"
    other.write_bytes(bytes.fromhex("060e2b34"))
    assert log_name(other) == "klv"
    with pytest.raises(FormatError, match=r"other\.bin: this is no DataFlash log"):
        Ardupilot().read(other)
    for name, head, why in (
        ("empty.bin", Log().head, "neither POS nor GPS"),
        ("old.bin", described(129, "GPS", "I", "TimeMS") + b"\xa3\x95\x81" + bytes(4), "before 2015"),
    ):
        path = tmp_path / name
        path.write_bytes(Log().head + head)
        with pytest.raises(FormatError, match=why):
            Ardupilot().read(path)
