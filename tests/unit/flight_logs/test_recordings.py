"""Which part of a log a video belongs to."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.errors import FormatError, OptionError
from sightline.estimation.lag import matched
from sightline.flight_logs.dji_csv import DjiCsv
from sightline.flight_logs.recordings import aligned, recordings
from sightline.simulation.flight.paths import FlightPlan

LOG = FlightPlan("orbit", duration_s=200.0).log()


def recorded(*spans, flight=LOG):
    on = np.zeros(len(flight), np.int64)
    for start, end in spans:
        on[(flight.t_s >= start) & (flight.t_s < end)] = 1
    return replace(flight, is_recording=on)


def test_recordings_are_found_without_blips_and_flickers():
    flight = recorded((9.1, 9.2), (10.0, 25.0), (25.2, 40.0), (90.0, 120.0), (150.0, 150.8))
    found = recordings(flight)
    assert [(r.start_s, r.end_s) for r in found] == [
        (pytest.approx(9.95), pytest.approx(39.95)),
        (pytest.approx(89.95), pytest.approx(119.95)),
    ]
    assert all(r.start_sd_s < 0.05 for r in found)


def test_recordings_at_the_ends_of_a_log_are_recordings():
    found = recordings(recorded((0.0, 20.0), (180.0, 300.0)))
    assert [round(r.length_s) for r in found] == [20, 20]
    assert found[0].start_s == 0.0


def test_a_log_that_does_not_say_has_none():
    assert recordings(replace(LOG, is_recording=np.full(len(LOG), -1))) == []


def test_the_recording_as_long_as_the_video_is_chosen():
    flight = recorded((10.0, 49.4), (60.0, 72.9), (80.0, 105.3), (110.0, 134.0))
    at = aligned(flight, 25.1)
    assert at.log_from_video_s == pytest.approx(80.0, abs=0.06)
    assert "recording 3" in at.how
    assert aligned(flight, 25.1, time_offset_s=0.5).log_from_video_s == pytest.approx(80.45, abs=0.01)
    assert aligned(flight, 25.1, recording=1).log_from_video_s == pytest.approx(10.0, abs=0.06)


def test_equally_long_recordings_are_told_apart_by_the_creation_time_or_not_at_all():
    flight = recorded((10.0, 30.0), (60.0, 80.0))
    with pytest.raises(FormatError, match=r"several recordings .* give recording \(1: 20\.0 s from 9\.9 s, 2"):
        aligned(flight, 20.0)
    at = aligned(flight, 20.0, created_utc_ns=flight.utc_ns + 60_000_000_000)
    assert at.log_from_video_s == pytest.approx(60.0, abs=0.06)


def test_they_are_told_apart_by_the_place_noted_in_the_video_too():
    flight = recorded((10.0, 30.0), (60.0, 80.0), flight=FlightPlan("line", duration_s=200.0).log())
    row = int(np.searchsorted(flight.t_s, 60.0))
    at = aligned(flight, 20.0, place_deg=(flight.lat_deg[row] + 5e-5, float(flight.lon_deg[row])))
    assert at.log_from_video_s == pytest.approx(60.0, abs=0.06)
    with pytest.raises(FormatError, match="several recordings"):
        aligned(flight, 20.0, place_deg=(0.0, 0.0))


def test_a_lone_recording_may_be_a_little_shorter_than_its_video():
    at = aligned(recorded((10.0, 30.0)), 22.0)
    assert at.log_from_video_s == pytest.approx(10.0, abs=0.06)
    assert any("begin together" in warning for warning in at.warnings)


def test_a_video_of_no_recordings_length_is_refused_unless_there_is_but_one():
    with pytest.raises(FormatError, match="no recording in the log is as long as the video"):
        aligned(recorded((10.0, 30.0), (60.0, 90.0)), 50.0)
    with pytest.raises(FormatError, match="is it the log of this flight"):
        aligned(recorded((10.0, 30.0)), 50.0)
    at = aligned(recorded((10.0, 60.0)), 20.0)
    assert at.log_from_video_s == pytest.approx(10.0, abs=0.06)
    assert any("begin together" in warning for warning in at.warnings)


def test_without_a_flag_clocks_or_lengths_must_do():
    silent = replace(LOG, is_recording=np.full(len(LOG), -1))
    at = aligned(silent, 20.0, created_utc_ns=silent.utc_ns + 33_000_000_000)
    assert at.log_from_video_s == pytest.approx(33.0)
    assert at.sd_s >= 0.5
    assert aligned(silent, 200.3).log_from_video_s == 0.0
    with pytest.raises(FormatError, match=r"export the log with CAMERA\.isVideo"):
        aligned(silent, 20.0)


def test_without_a_flag_an_offset_that_is_given_counts_from_the_first_row():
    silent = replace(LOG, is_recording=np.full(len(LOG), -1))
    with pytest.raises(FormatError, match="or give time_offset"):
        aligned(silent, 12.0)
    found = aligned(silent, 12.0, time_offset_s=7.5)
    assert found.log_from_video_s == pytest.approx(silent.t_s[0] + 7.5)
    assert any("counted from its first row" in warning for warning in found.warnings)


def test_a_log_in_the_videos_own_time_needs_nothing():
    assert aligned(replace(LOG, is_video_time=True), 5.0).log_from_video_s == 0.0


def test_a_recording_that_is_not_there_is_refused():
    with pytest.raises(OptionError, match="recording 3: the log has 1"):
        aligned(recorded((10.0, 30.0)), 20.0, recording=3)


def test_a_length_that_is_unknown_does_with_one_recording_only():
    assert aligned(recorded((10.0, 30.0)), None).warnings
    with pytest.raises(FormatError, match="length is unknown"):
        aligned(recorded((10.0, 30.0), (40.0, 60.0)), None)


def turning(t_s):
    return np.stack([np.sin(t_s) + 0.7 * np.sin(2.3 * t_s + 1), 0.3 * np.cos(1.7 * t_s)], axis=1)


@pytest.mark.parametrize("offset_s", [-1.83, -0.5, 0.0, 0.37, 2.2])
def test_the_same_turns_seen_and_told_give_the_offset(offset_s):
    rng = np.random.default_rng(2)
    seen_s, told_s = np.arange(0, 25, 0.2), np.arange(-5, 40, 0.1)
    seen = turning(seen_s + offset_s) + rng.normal(0, 0.1, (len(seen_s), 2))
    match = matched(seen_s, seen, told_s, turning(told_s))
    assert match.offset_s == pytest.approx(offset_s, abs=0.03)
    assert match.is_sure
    assert match.sd_s < 0.05


def test_a_camera_that_does_not_turn_gives_no_offset():
    still = np.zeros((100, 2))
    match = matched(np.arange(100) / 5, still, np.arange(300) / 10, np.zeros((300, 2)))
    assert not match.is_sure
    noise = np.random.default_rng(0).normal(0, 1, (100, 2))
    assert not matched(np.arange(100) / 5, noise, np.arange(300) / 10, turning(np.arange(300) / 10)).is_sure
    assert not matched(np.arange(3) / 5, still[:3], np.arange(300) / 10, np.zeros((300, 2))).is_sure


@pytest.mark.shared
def test_a_real_log_has_two_recordings(shared):
    flight = DjiCsv().read(shared / "data" / "geo" / "dvm" / "test_drone_log.csv")
    assert [round(r.length_s, 1) for r in recordings(flight)] == [17.3, 20.9]
