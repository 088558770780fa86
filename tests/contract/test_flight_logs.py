"""What every reader of flight logs promises, held against flights written in each notation."""

import numpy as np
import pytest

from sightline import wiring
from sightline.errors import FormatError, SightlineError, SourceError
from sightline.flight_logs.telling import log_name
from sightline.geodesy.attitude import wrapped
from sightline.model.flight import UNKNOWN
from sightline.simulation.flight.logs import DIALECTS, write
from sightline.simulation.flight.paths import FlightPlan

TRUE = FlightPlan("line", pitch_rad=-0.7, heading_rad=3.0).log()
SUFFIX = {"srt": ".srt"}
TENTH_DEG = np.deg2rad(0.051)


def read(path, **options):
    return wiring.build("flight_log", log_name(path), options).read(path)


@pytest.fixture(params=DIALECTS)
def written(request, tmp_path):
    path = tmp_path / f"log{SUFFIX.get(request.param, '.csv')}"
    write(path, TRUE, request.param)
    return request.param, path


def test_a_log_says_what_the_flight_was(written):
    dialect, path = written
    found = read(path)
    assert len(found) == len(TRUE)
    np.testing.assert_allclose(found.t_s, TRUE.t_s, atol=0.002)
    np.testing.assert_allclose(found.lat_deg, TRUE.lat_deg, atol=1e-6)
    np.testing.assert_allclose(found.lon_deg, TRUE.lon_deg, atol=1e-6)
    np.testing.assert_allclose(found.height_takeoff_m, TRUE.height_takeoff_m, atol=0.06)
    assert np.abs(wrapped(found.gimbal.yaw_rad - TRUE.gimbal.yaw_rad)).max() <= TENTH_DEG
    np.testing.assert_allclose(found.gimbal.pitch_rad, TRUE.gimbal.pitch_rad, atol=TENTH_DEG)
    if dialect != "srt":
        np.testing.assert_allclose(found.velocity_enu_mps, TRUE.velocity_enu_mps, atol=0.002)
        np.testing.assert_array_equal(found.is_recording, TRUE.is_recording)
        assert np.abs(wrapped(found.aircraft.yaw_rad - TRUE.aircraft.yaw_rad)).max() <= TENTH_DEG
    assert found.is_video_time == (dialect == "srt")


def test_what_a_log_does_not_say_stays_unknown(written):
    dialect, path = written
    found = read(path)
    if dialect == "airdata":
        assert np.isnan(found.gimbal.roll_rad).all()
    if dialect == "srt":
        assert (found.is_recording == UNKNOWN).all()
        assert np.isnan(found.velocity_enu_mps).all()
        assert np.isnan(found.aircraft.yaw_rad).all()
    if dialect == "litchi":
        assert np.isnan(found.height_sea_m).all()
    if dialect in {"txt_log_to_csv", "flight_reader_metric", "srt"}:
        assert found.utc_ns is None
        assert any("local" in warning for warning in found.warnings)


def test_a_clock_in_utc_is_met_to_a_tenth_of_a_second(written):
    dialect, path = written
    found = read(path)
    if found.utc_ns is not None:
        assert found.utc_ns == pytest.approx(TRUE.utc_ns, abs=1e8)
    elif dialect != "litchi":
        told = read(path, timezone="UTC")
        assert told.utc_ns == pytest.approx(TRUE.utc_ns, abs=1e7)


def test_a_file_of_another_kind_is_refused_by_name(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("a,b,c,d\n1,2,3,4\n")
    with pytest.raises(FormatError, match="no known flight log"):
        log_name(path)
    for name in wiring.ENGINES["flight_log"]:
        with pytest.raises((FormatError, SourceError), match=r"other\.csv"):
            wiring.build("flight_log", name, {}).read(path)


def test_readers_keep_nothing_from_one_file_to_the_next(written, tmp_path):
    dialect, path = written
    engine = wiring.build("flight_log", log_name(path), {})
    first = engine.read(path)
    other = tmp_path / f"other{path.suffix}"
    write(other, FlightPlan("climb").log(), dialect)
    engine.read(other)
    again = engine.read(path)
    np.testing.assert_array_equal(first.lat_deg, again.lat_deg)
    assert first.warnings == again.warnings


def damaged(data, rng):
    """Cut off, a few bytes changed, or a piece missing."""
    changed = bytearray(data)
    at = int(rng.integers(0, len(changed)))
    kind = rng.integers(0, 3)
    if kind == 0:
        return bytes(changed[:at])
    if kind == 1:
        for k in rng.integers(0, len(changed), 8):
            changed[k] = rng.integers(0, 256)
    else:
        del changed[at : at + int(rng.integers(1, 200))]
    return bytes(changed)


def refusal(path):
    """Why a file is refused; nothing where it makes a flight."""
    try:
        flight = read(path)
    except SightlineError as error:
        return str(error)
    return "" if len(flight) >= 2 else "too short a flight"


def test_damaged_files_are_read_or_refused_in_one_line_and_never_break_anything(written, tmp_path):
    dialect, path = written
    write(path, FlightPlan("orbit", duration_s=4.0, recorded_s=(1.0, 3.0)).log(), dialect)
    data, rng = path.read_bytes(), np.random.default_rng(6)
    other = tmp_path / f"damaged{path.suffix}"
    for _ in range(25):
        other.write_bytes(damaged(data, rng))
        why = refusal(other)
        assert not why or (why.startswith(str(other)) and "\n" not in why)
