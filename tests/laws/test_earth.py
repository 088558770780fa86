"""Places there and back, and turns that are turns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.geodesy import attitude, magnetic
from sightline.geodesy.enu import enu_from_wgs84, fall_m, ned_from_enu, wgs84_from_enu
from sightline.model.positions import Origin

ANGLE = st.floats(-3.0, 3.0)
METRES = st.floats(-5000.0, 5000.0)


def turn(yaw, pitch, roll):
    return attitude.enu_from_cam(*(np.array([a]) for a in (yaw, pitch, roll)))[0]


def about(axis, angle):
    """Rotation matrix in north, east, down."""
    c, s = np.cos(angle), np.sin(angle)
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    matrix = np.eye(3)
    matrix[[i, j], [i, j]] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


@given(ANGLE, ANGLE, ANGLE)
def test_the_turn_is_the_product_of_yaw_pitch_and_roll(yaw, pitch, roll):
    body_from_cam = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    ned = about(2, yaw) @ about(1, pitch) @ about(0, roll) @ body_from_cam
    np.testing.assert_allclose(ned_from_enu(turn(yaw, pitch, roll).T).T, ned, atol=1e-12)


@given(ANGLE, st.floats(-1.5, 1.5), ANGLE, st.sampled_from([0, 1, 2]))
def test_axes_of_turning_say_what_a_small_turn_does(yaw, pitch, roll, which):
    step = np.zeros(3)
    step[which] = 1e-6
    angles = np.array([yaw, pitch, roll])
    slope = (turn(*(angles + step)) - turn(*(angles - step))) / 2e-6
    axis = attitude.axes_of_turning(np.array([yaw]), np.array([pitch]))[0, :, which]
    np.testing.assert_allclose(np.cross(axis, turn(*angles).T).T, slope, atol=1e-8)


@given(ANGLE, st.floats(-1.5, 1.5), ANGLE)
def test_an_upright_gimbal_looks_the_same_way(yaw, pitch, roll):
    same = [float(a[0]) for a in attitude.upright(*(np.array([a]) for a in (yaw, pitch, roll)))]
    assert abs(same[2]) <= np.pi / 2 + 1e-12
    np.testing.assert_allclose(turn(*same), turn(yaw, pitch, roll), atol=1e-9)


@given(st.floats(-89.0, 89.0), st.floats(-180.0, 180.0), METRES, METRES, st.floats(-400.0, 9000.0))
def test_metres_come_back_from_degrees(lat, lon, east, north, up):
    origin = Origin(lat, lon, 35.0)
    xyz = np.array([[east, north, up]])
    lat_deg, lon_deg, height_m = wgs84_from_enu(origin, xyz)
    assert -180 <= lon_deg[0] <= 180
    np.testing.assert_allclose(enu_from_wgs84(origin, lat_deg, lon_deg, height_m), xyz, atol=1e-7)


def test_a_step_along_a_parallel_is_as_long_as_the_ellipsoid_says():
    lat = np.deg2rad(52.65757)
    radius = 6378137.0 / np.sqrt(1 - 0.00669437999014 * np.sin(lat) ** 2) + 24.7
    origin = Origin(52.65757, 1.7179, 24.7)
    east = enu_from_wgs84(origin, np.array([52.65757]), np.array([1.7189]), np.array([24.7]))
    assert east[0, 0] == pytest.approx(radius * np.cos(lat) * np.sin(np.deg2rad(0.001)), abs=1e-8)


def test_nothing_given_is_written_to_and_unknown_stays_unknown():
    xyz = np.array([[1e-5, 2.0, 3.0], [np.nan, 0.0, 0.0]])
    before = xyz.copy()
    lat_deg, _, _ = wgs84_from_enu(Origin(10.0, 20.0), xyz)
    np.testing.assert_array_equal(xyz, before)
    assert np.isfinite(lat_deg[0])
    assert np.isnan(lat_deg[1])


def test_level_ground_falls_away_with_the_square_of_the_distance():
    far = np.array([[3000.0, 4000.0]])
    level = enu_from_wgs84(Origin(45.0, 5.0), *(c for c in _level(Origin(45.0, 5.0), far)))
    assert fall_m(far)[0] == pytest.approx(-level[0, 2], abs=0.02)


def _level(origin, xy):
    lat_deg, lon_deg, _ = wgs84_from_enu(origin, np.column_stack([xy, np.zeros(1)]))
    return lat_deg, lon_deg, np.zeros(1)


def test_the_median_of_directions_knows_no_seam():
    angles = np.deg2rad([179.0, -179.0, 178.0, -178.0, 180.0, 20.0])
    assert np.rad2deg(abs(attitude.circular_median(angles))) == pytest.approx(180, abs=1.5)


@pytest.mark.parametrize(
    ("lat", "lon", "height", "year", "wanted"),
    [(80.0, 0.0, 0.0, 2025.0, 1.28), (0.0, 120.0, 0.0, 2025.0, -0.16), (-80.0, 240.0, 0.0, 2025.0, 68.78)],
)
def test_declination_is_that_of_the_published_test_values(lat, lon, height, year, wanted):
    """Source: WMM2025 report, table of test values."""
    assert magnetic.declination_deg(lat, lon, height, year) == pytest.approx(wanted, abs=0.01)


def test_a_year_without_a_model_is_refused():
    with pytest.raises(ValueError, match="give it in degrees"):
        magnetic.declination_deg(50.0, 0.0, 0.0, 2031.0)


def test_a_place_off_the_earth_is_none():
    with pytest.raises(ValueError, match="no place on earth"):
        Origin(91.0, 0.0)
