"""Tables as they come: separators, units, clocks, and what is refused."""

import numpy as np
import pytest

from sightline.errors import FormatError, OptionError
from sightline.flight_logs.airdata import Airdata
from sightline.flight_logs.clock import read_clock, span_s
from sightline.flight_logs.dji_csv import DjiCsv
from sightline.flight_logs.litchi import Litchi
from sightline.flight_logs.table import read_table
from sightline.flight_logs.telling import log_name

HEADER = "CUSTOM.updateTime,OSD.latitude,OSD.longitude,OSD.height [m],GIMBAL.pitch,CUSTOM.isVideo"
ROWS = [f"2026/05/17 09:19:3{k}.5,51.47632{k},-3.18958{k},{10 + k},-45.0,Recording" for k in range(5)]


@pytest.fixture
def file(tmp_path):
    def write(*lines, encoding="utf-8", name="log.csv", ending="\n"):
        path = tmp_path / name
        path.write_bytes((ending.join(lines) + ending).encode(encoding))
        return path

    return write


def test_a_byte_order_mark_nul_bytes_and_latin_letters_change_nothing(file):
    lines = [HEADER + ",DETAILS.city", *(f"{row},Ängelholm\0" for row in ROWS)]
    plain = DjiCsv().read(file(*lines, encoding="latin-1"))
    marked = DjiCsv().read(file("sep=,", *lines, encoding="utf-8-sig"))
    wide = DjiCsv().read(file(*lines, encoding="utf-16", ending="\r\n"))
    for other in (marked, wide):
        np.testing.assert_array_equal(plain.lat_deg, other.lat_deg)


def test_columns_are_found_by_name_wherever_they_stand_and_whatever_spaces_they_have(file):
    order = [3, 5, 0, 2, 1, 4]
    shuffled = [",".join(f" {line.split(',')[k]} " for k in order) for line in (HEADER, *ROWS)]
    straight, mixed = DjiCsv().read(file(HEADER, *ROWS)), DjiCsv().read(file(*shuffled, name="b.csv"))
    np.testing.assert_array_equal(straight.height_takeoff_m, mixed.height_takeoff_m)
    np.testing.assert_array_equal(straight.gimbal.pitch_rad, mixed.gimbal.pitch_rad)


def test_feet_are_made_metres(file):
    flight = DjiCsv().read(file(HEADER.replace("[m]", "[ft]"), *ROWS))
    assert flight.height_takeoff_m[0] == pytest.approx(3.048)


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        (HEADER.replace("[m]", "[yd]"), ROWS[0], r"column OSD\.height: unit 'yd' is not known"),
        (HEADER, ROWS[0].replace("-45.0", "down"), r"line 7: GIMBAL\.pitch is 'down', which is no number"),
        (HEADER, ROWS[0].replace("Recording", "perhaps"), r"line 7: CUSTOM\.isVideo is 'perhaps'; write Recording"),
        (HEADER.replace("OSD.longitude", "lon"), ROWS[0], r"there is no column OSD\.longitude"),
        (HEADER.replace("CUSTOM.updateTime", "x"), ROWS[0], r"no column of times"),
        (HEADER, ROWS[0].replace(",51.4", ",151.4").replace("30.5", "39.5"), r"latitude is beyond 90 degrees"),
    ],
)
def test_what_cannot_be_read_is_refused_with_line_and_column(file, header, row, said):
    with pytest.raises(FormatError, match=said):
        DjiCsv().read(file(header, *ROWS, row))


def test_an_empty_file_and_one_row_are_refused(file):
    with pytest.raises(FormatError, match="is empty"):
        read_table(file("", ""))
    with pytest.raises(FormatError, match="no rows beneath"):
        DjiCsv().read(file(HEADER))
    with pytest.raises(FormatError, match="fewer than two rows"):
        DjiCsv().read(file(HEADER, ROWS[0]))


def test_a_height_without_a_unit_is_taken_as_metres_and_said(file):
    flight = DjiCsv().read(file(HEADER.replace(" [m]", ""), *ROWS))
    assert flight.height_takeoff_m[0] == 10.0
    assert any("no unit behind its name" in warning for warning in flight.warnings)


def test_rows_without_a_fix_and_rows_far_away_have_no_place(file):
    none = ROWS[1].replace("51.476321", "0").replace("-3.189581", "0.0")
    far = ROWS[3].replace("51.476323", "0")
    flight = DjiCsv().read(file(HEADER, ROWS[0], none, ROWS[2], far, ROWS[4]))
    np.testing.assert_array_equal(flight.has_place, [True, False, True, False, True])
    assert any("2 of 5 rows have no position" in warning for warning in flight.warnings)


def test_repeated_and_falling_times_are_left_out(file):
    flight = DjiCsv().read(file(HEADER, ROWS[0], ROWS[0], ROWS[2], ROWS[1], ROWS[3]))
    np.testing.assert_allclose(flight.t_s, [0, 2, 3])


def test_a_row_cut_off_at_the_end_is_left_out(file):
    assert len(DjiCsv().read(file(HEADER, *ROWS[:4], ROWS[4][:30]))) == 4


@pytest.mark.parametrize(
    ("times", "dates", "first", "day"),
    [
        (["11:36:09.73 AM", "12:00:00 PM"], ["1/20/2026", "1/20/2026"], 41769.73, "2026-01-20"),
        (["12:00:00.5 am"], ["20/1/2026"], 0.5, "2026-01-20"),
        (["23:59:59,5", "00:00:00,5"], ["17.5.2026", "18.5.2026"], 86399.5, "2026-05-17"),
        (["2026-05-17T09:19:31.701Z"], None, 33571.701, "2026-05-17"),
        (["2019-09-27 10:28:08,438,904"], None, 37688.438904, "2019-09-27"),
        (["09:19:31"], ["3/4/2026"], 33571.0, None),
        (["09:19:31"], ["31/31/2026"], 33571.0, None),
        (["09:19:31"], None, 33571.0, None),
    ],
)
def test_clocks_of_all_countries_are_read_and_dates_are_not_guessed(times, dates, first, day):
    clock = read_clock(times, dates)
    assert clock.t_s[0] == pytest.approx(first, abs=1e-9)
    assert (None if clock.day is None else clock.day.isoformat()) == day
    assert (np.diff(clock.t_s) > 0).all()


def test_a_date_that_could_be_two_is_said_to_be_unknown(file):
    header = HEADER.replace("CUSTOM.updateTime", "CUSTOM.date [UTC],CUSTOM.updateTime [UTC]")
    rows = [row.replace("2026/05/17 ", "3/4/2026,") for row in ROWS]
    flight = DjiCsv().read(file(header, *rows))
    assert flight.utc_ns is None
    assert any("order of day and month" in warning for warning in flight.warnings)


def test_an_unknown_time_zone_is_refused(file):
    with pytest.raises(OptionError, match="Europe/London"):
        DjiCsv(timezone="Atlantis").read(file(HEADER, *ROWS))


def test_a_clock_of_whole_seconds_gives_way_to_the_finer_time_of_flight(file):
    header = HEADER + ",OSD.flyTime [s]"
    rows = [ROWS[0].replace("30.5", f"3{k // 10}") + f",{k / 10}" for k in range(20)]
    flight = DjiCsv().read(file(header, *rows))
    np.testing.assert_allclose(np.diff(flight.t_s), 0.1)


@pytest.mark.parametrize(
    ("text", "seconds"), [("9m 15.0s", 555.0), ("1h 0m 1s", 3601.0), ("12.5", 12.5), ("0,3s", 0.3)]
)
def test_spans_are_read(text, seconds):
    assert span_s(text) == pytest.approx(seconds)


def test_no_span_is_no_number():
    assert np.isnan(span_s("soon"))


def test_a_height_above_the_sea_that_begins_at_nought_is_none(file):
    header = HEADER + ",OSD.altitude [m]"
    rows = [ROWS[0].replace("30.5", f"{k:02d}.5").replace(",10,", f",{k},") + f",{k}" for k in range(40)]
    flight = DjiCsv().read(file(header, *rows))
    assert np.isnan(flight.height_sea_m).all()
    assert any("equals that above take-off" in warning for warning in flight.warnings)


def _moving(speed_unit, scale, down=1.0):
    header = f"{HEADER},OSD.xSpeed [{speed_unit}],OSD.ySpeed [{speed_unit}],OSD.zSpeed [{speed_unit}]"
    rows = []
    for k in range(60):
        place = f"{51.476 + k * 5 / 111_250:.8f},-3.189"
        words = [
            f"2026/05/17 09:19:{k:02d}.5",
            place,
            str(10 + k),
            "-45",
            "Stop",
            str(5 * scale),
            "0",
            str(-down * scale),
        ]
        rows.append(",".join(words))
    return header, rows


def test_speeds_in_the_wrong_unit_are_noticed(file):
    header, rows = _moving("m/s", 2.237)
    assert any("2.24 times those of its positions" in w for w in DjiCsv().read(file(header, *rows)).warnings)
    header, rows = _moving("MPH", 2.237)
    flight = DjiCsv().read(file(header, *rows))
    assert not any("times" in warning for warning in flight.warnings)
    np.testing.assert_allclose(flight.velocity_enu_mps[:, 1], 5.0, rtol=1e-3)


def test_a_vertical_speed_that_counts_upwards_is_turned_round(file):
    header, rows = _moving("m/s", 1.0, down=-1.0)
    flight = DjiCsv().read(file(header, *rows))
    np.testing.assert_allclose(flight.velocity_enu_mps[:, 2], 1.0)
    assert any("counts upwards" in warning for warning in flight.warnings)


def test_a_gimbal_flipped_past_straight_down_looks_where_it_looks(file):
    header = HEADER.replace("GIMBAL.pitch", "GIMBAL.pitch,GIMBAL.roll,GIMBAL.yaw")
    flight = DjiCsv().read(file(header, *(row.replace("-45.0", "-85.0,180.0,-170.0") for row in ROWS)))
    np.testing.assert_allclose(np.rad2deg(flight.gimbal.roll_rad), 0, atol=1e-9)
    np.testing.assert_allclose(np.rad2deg(flight.gimbal.yaw_rad), 10, atol=1e-9)
    np.testing.assert_allclose(np.rad2deg(flight.gimbal.pitch_rad), -95, atol=1e-9)


def test_airdatas_clock_is_told_finer_than_its_whole_seconds(file):
    header = "time(millisecond),datetime(utc),latitude,longitude,height_above_takeoff(meters),gimbal_heading(degrees)"
    rows = [f"{100 * k},2026-05-17 09:19:{(317 + k) // 10:02d},51.4,-3.1,5,0" for k in range(60)]
    flight = Airdata().read(file(header, *rows))
    began = 1_779_009_571_700_000_000  # 09:19:31.7
    assert flight.utc_ns == pytest.approx(began, abs=0.06e9)


AIRDATA = (
    "time(millisecond),datetime(utc),latitude,longitude,height_above_takeoff(feet),"
    "height_above_ground_at_drone_location(feet),ground_elevation_at_drone_location(feet),"
    "altitude_above_seaLevel(feet),height_sonar(feet),speed(mph),distance(feet),satellites,gpslevel,voltage(v),"
    " xSpeed(mph), ySpeed(mph), zSpeed(mph), compass_heading(degrees), pitch(degrees), roll(degrees),isPhoto,isVideo,"
    "rc_elevator,rc_elevator(percent),gimbal_heading(degrees),gimbal_pitch(degrees),battery_percent,altitude(feet),flycState,message"
)


def test_an_airdata_table_with_all_its_columns_is_understood(file):
    rows = [
        f"{100 * k},2022-03-28 20:06:{k // 10:02d},"
        f"{0.0 if k < 5 else 44.05 + k * 1e-6},{0.0 if k < 5 else -121.3},32.8,"
        f"33,3600,3632.8,0,2.2,10,15,4,11.4,1.1,0,0,350.5,-1.0,0.5,0,{int(k > 9)},0,0,185.9,-90,88,32.8,P-GPS,"
        '"Home point recorded, take off"'
        for k in range(40)
    ]
    flight = Airdata().read(file(AIRDATA, *rows))
    assert flight.has_place.sum() == 35
    assert flight.height_takeoff_m[0] == pytest.approx(10.0, abs=0.01)
    assert flight.height_sea_m[0] == pytest.approx(1107.3, abs=0.1)
    assert np.isnan(flight.height_ground_m).all()
    assert np.rad2deg(flight.aircraft.yaw_rad[0]) == pytest.approx(-9.5)
    assert np.rad2deg(flight.aircraft.pitch_rad[0]) == pytest.approx(-1.0)
    assert np.rad2deg(flight.gimbal.yaw_rad[0]) == pytest.approx(-174.1)
    assert flight.velocity_enu_mps[0, 1] == pytest.approx(1.1 * 0.44704)
    assert flight.is_recording.sum() == 30
    assert np.isnan(flight.gimbal.roll_rad).all()


def test_litchis_raw_angles_are_checked_against_its_degrees(file):
    header = (
        "latitude,longitude,altitude(m),time(millisecond),yaw(deg),pitch(deg),roll(deg),isTakingVideo,"
        "yawRaw,pitchRaw,rollRaw,gimbalPitchRaw,gimbalRollRaw,gimbalYawRaw"
    )
    tenths = file(header, *(f"51.4,-3.1,5,{100 * k},90,0,0,1,900,0,0,-450,0,905" for k in range(3)))
    assert np.rad2deg(Litchi().read(tenths).gimbal.yaw_rad[0]) == pytest.approx(90.5)
    odd = file(header, *(f"51.4,-3.1,5,{100 * k},90,0,0,1,45,0,0,-450,0,905" for k in range(3)), name="odd.csv")
    with pytest.raises(FormatError, match="neither degrees nor tenths"):
        Litchi().read(odd)


def test_an_encrypted_log_is_told_from_a_table(file):
    with pytest.raises(FormatError, match="encrypted"):
        log_name(file("\x01\x02\x03", name="DJIFlightRecord.txt"))


@pytest.mark.shared
def test_a_real_log_of_a_phantom_4_pro_is_understood(shared):
    flight = DjiCsv().read(shared / "data" / "geo" / "dvm" / "test_drone_log.csv")
    assert flight.log == "DJI table (TXTlogToCSVtool)"
    assert 240 < flight.t_s[-1] < 250
    assert flight.has_place.all()
    assert flight.height_takeoff_m.max() == pytest.approx(64.5)
    assert flight.is_recording.sum() == 347
    assert np.median(np.abs(flight.gimbal.yaw_rad - flight.aircraft.yaw_rad)) < np.deg2rad(1)
