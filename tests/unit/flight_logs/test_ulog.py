"""Logs of PX4."""

import numpy as np
import pytest

from sightline.errors import FormatError
from sightline.flight_logs.ulog import Ulog, _gimbal


@pytest.mark.shared
def test_a_real_log_has_position_attitude_and_speed(shared):
    flight = Ulog().read(shared / "data" / "geo" / "ulog" / "sample_px4_events.ulg")
    assert len(flight) == 109
    assert np.nanmedian(flight.lat_deg) == pytest.approx(47.3977, abs=1e-3)
    assert np.nanmax(flight.height_takeoff_m) == pytest.approx(2.37, abs=0.01)
    assert np.isfinite(flight.aircraft.yaw_rad).mean() > 0.9
    assert np.isnan(flight.gimbal.yaw_rad).all()
    assert flight.utc_ns // 10**9 == 1710773360
    assert not flight.is_video_time


@pytest.mark.shared
def test_a_log_without_positions_is_refused(shared):
    with pytest.raises(FormatError, match="vehicle_global_position"):
        Ulog().read(shared / "data" / "geo" / "ulog" / "sample_log_small.ulg")


@pytest.mark.shared
def test_a_damaged_log_is_said_to_be_and_nothing_else_is_printed(shared, tmp_path, capfd):
    data = bytearray((shared / "data" / "geo" / "ulog" / "sample_px4_events.ulg").read_bytes())
    del data[500_000:500_037]
    path = tmp_path / "a.ulg"
    path.write_bytes(data)
    assert "the log is damaged in places" in Ulog().read(path).warnings
    assert capfd.readouterr().out == ""


def test_what_is_no_log_is_refused(tmp_path):
    path = tmp_path / "a.ulg"
    path.write_bytes(b"ULog\x00\x00\x00")
    with pytest.raises(FormatError, match="no PX4 log"):
        Ulog().read(path)


@pytest.mark.parametrize(("flags", "yaw"), [(0, 120.0), (16, 30.0), (32, 120.0), (48, 120.0), (64, 30.0)])
def test_a_gimbals_yaw_is_against_north_or_the_aircraft_as_its_flags_say(flags, yaw):
    half = np.deg2rad(30) / 2
    q = {f"q[{k}]": np.full(3, value) for k, value in enumerate((np.cos(half), 0.0, 0.0, np.sin(half)))}
    topic = {"timestamp": np.arange(3) * 1_000_000, "device_flags": np.full(3, flags)} | q
    found, pitch, _ = _gimbal(topic, (np.full(3, 90.0), None, None), np.arange(3.0))
    np.testing.assert_allclose(found, yaw)
    np.testing.assert_allclose(pitch, 0, atol=1e-9)
