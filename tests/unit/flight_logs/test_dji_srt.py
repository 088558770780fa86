"""Subtitles of all the aircraft that were met, made up and real."""

import numpy as np
import pytest

from sightline.errors import FormatError
from sightline.flight_logs.dji_srt import DjiSrt

RANGE = "{k}\n00:00:0{k},000 --> 00:00:0{k},900\n"
BLOCKS = {
    "mavic_pro": "HOME(149.0251,-20.2532) 2017.08.05 14:11:5{k}\nGPS(149.0252,-20.2533,16) BAROMETER:1.9",
    "old": "HOME(149.0251,-20.2532) 2017.8.5 14:11:5{k}\nGPS(149.0252,-20.2533,16) Hb:1.9 Hs:1.9",
    "m300": "2022.06.21 16:06:1{k}\nGPS(-20.2533,149.0252,0.0M) BAROMETER:1.9M",
    "phantom": "F/5.6, SS 400, GPS (149.0252, -20.2533, 15), HOME (149.0251, -20.2532, -57.98m), D 98.70m, H 1.90m, "
    "H.S 0.00m/s, V.S 0.00m/s, F.PRY (2.7°, -7.0°, 110.1°), G.PRY (-24.4°, 0.0°, 110.4°)",
    "bracketed": "[latitude : -20.2533] [longtitude : 149.0252] [rel_alt: 1.900 abs_alt: 30.5] [focal_len : 240]",
    "gimbal": "[latitude: -20.2533] [longitude: 149.0252] [rel_alt: 1.900 abs_alt: 30.5] "
    "[gb_yaw: 110.4 gb_pitch: -24.4 gb_roll: 0.0]",
    "autel": "GPS(E: 149.0252, S: 20.2533, 30.5m) BAROMETER:1.9",
}


@pytest.fixture
def file(tmp_path):
    def write(block, n=3, mark=""):
        path = tmp_path / "a.SRT"
        path.write_text(mark + "\n\n".join(RANGE.format(k=k) + block.format(k=k) for k in range(n)) + "\n\n")
        return path

    return write


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_notation_says_the_same_place(file, name, mark):
    flight = DjiSrt().read(file(BLOCKS[name], mark=mark))
    np.testing.assert_allclose(flight.lat_deg, -20.2533)
    np.testing.assert_allclose(flight.lon_deg, 149.0252)
    np.testing.assert_allclose(flight.height_takeoff_m, 1.9)
    np.testing.assert_allclose(flight.t_s, [0, 1, 2])
    assert flight.is_video_time
    if name in {"phantom", "gimbal"}:
        np.testing.assert_allclose(np.rad2deg(flight.gimbal.pitch_rad), -24.4)
        np.testing.assert_allclose(np.rad2deg(flight.gimbal.yaw_rad), 110.4)
    else:
        assert np.isnan(flight.gimbal.pitch_rad).all()


def test_a_home_that_is_no_place_on_earth_is_none(file):
    found = DjiSrt().read(file(BLOCKS["mavic_pro"].replace("149.0251", "499.0251")))
    assert (len(found) > 1, found.home) == (True, None)


def test_what_an_altitude_counts_from_must_be_said(file):
    path = file("[latitude: 41.4] [longitude: 2.2] [altitude: 117.0]")
    unsaid = DjiSrt().read(path)
    assert np.isnan(unsaid.height_takeoff_m).all()
    assert any("altitude_is" in warning for warning in unsaid.warnings)
    assert DjiSrt(altitude_is="takeoff").read(path).height_takeoff_m[0] == 117.0
    assert DjiSrt(altitude_is="sea").read(path).height_sea_m[0] == 117.0


def test_focal_lengths_in_tenths_are_millimetres(file):
    assert DjiSrt().read(file(BLOCKS["bracketed"])).focal_35mm[0] == 24.0


def test_the_last_block_of_a_broken_file_is_left_out(file):
    path = file(BLOCKS["gimbal"])
    path.write_text(path.read_text().rstrip()[:-40])
    flight = DjiSrt().read(path)
    assert len(flight) == 2
    assert any("breaks off" in warning for warning in flight.warnings)


def test_radians_are_told_from_degrees_and_turned_into_them(file):
    flight = DjiSrt().read(file("[latitude: -0.353486] [longitude: 2.601081] [rel_alt: 1.900 abs_alt: 30.5]"))
    np.testing.assert_allclose(flight.lat_deg, -20.2533, atol=1e-4)
    np.testing.assert_allclose(flight.lon_deg, 149.031, atol=1e-3)
    assert any("radians" in warning for warning in flight.warnings)
    assert not any("radians" in warning for warning in DjiSrt().read(file(BLOCKS["bracketed"])).warnings)


def test_a_take_off_far_below_the_sea_is_doubted_in_a_few_rows_already(file):
    flight = DjiSrt().read(file("[latitude: 53.365080] [longitude: 6.460739] [rel_alt: 5.400 abs_alt: -124.744]"))
    assert any("130 m below the sea" in warning for warning in flight.warnings)


def test_coarse_positions_are_warned_of_where_the_aircraft_kept_still_too(file):
    assert any("4 decimals" in warning for warning in DjiSrt().read(file(BLOCKS["old"])).warnings)
    finer = BLOCKS["old"].replace("20.2533", "20.25334")
    assert not any("decimals" in warning for warning in DjiSrt().read(file(finer)).warnings)


def test_subtitles_of_a_film_are_refused(file):
    with pytest.raises(FormatError, match="no block of these subtitles tells of a flight"):
        DjiSrt().read(file("I have a bad feeling about this."))


SAMPLES = {
    "CM_Avata360": (5, 53.36508), "CM_Mini5PRO": (5, 53.365108), "CM_air3S": (5, 34.270373),
    "CM_neo2": (5, 45.607181), "CM_neo2_nogps": (6, 32.849), "MAVIC3": (12318, 3.4137), "air2s": (17, 41.424724),
    "broken_incomplete": (19, -34.7383), "broken_incomplete2": (5, -34.86995), "m2zoom": (7113, 31.4515),
    "matrice_300": (381, 36.6146), "mavic_2_style": (463, -20.2533), "mavic_2pro_new": (8952, -35.081),
    "mavic_air2": (25, 41.420685), "mavic_mini": (117, 48.0771), "mavic_pro": (468, -20.2533),
    "mavic_pro_buggy": (546, 42.4668), "mix_p4rtk_mavic2pro": (12, -34.6502), "old_format": (468, -20.2533),
    "p4_rtk": (55, -34.2379), "p4p_sample": (5, 47.4692),
}  # fmt: skip


@pytest.mark.shared
@pytest.mark.parametrize("name", SAMPLES)
def test_real_subtitles_are_read_broken_ones_included(shared, name):
    (path,) = (p for p in (shared / "data" / "geo" / "srt").iterdir() if p.stem == name and p.suffix.lower() == ".srt")
    flight = DjiSrt().read(path)
    n, lat = SAMPLES[name]
    assert len(flight) == n
    assert np.nanmedian(flight.lat_deg) == pytest.approx(lat, abs=0.003)


@pytest.mark.shared
def test_real_subtitles_without_a_place_are_refused(shared):
    with pytest.raises(FormatError, match="no block"):
        DjiSrt().read(shared / "data" / "geo" / "srt" / "mavic_air.SRT")
