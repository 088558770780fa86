"""Which way the camera looked, by each rule, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.errors import OptionError
from sightline.flight_logs.dji_csv import DjiCsv
from sightline.geodesy.attitude import wrapped
from sightline.locators.pointing import Rule, pointing
from sightline.model.flight import Angles, GimbalMode
from sightline.simulation.flight.faults import Faults, faulty
from sightline.simulation.flight.paths import FlightPlan

PLAN = FlightPlan("orbit", duration_s=200.0, recorded_s=(50.0, 150.0))
TRUE = PLAN.log()


def off_deg(found, wanted):
    return np.rad2deg(np.abs(wrapped(found - wanted)).max())


def flown(constant_deg, **changes):
    flight = faulty(TRUE, Faults(yaw_constant_rad=np.deg2rad(constant_deg)), np.random.default_rng(0))
    return replace(flight, **changes)


@pytest.mark.parametrize("constant_deg", [0.0, -11.8, -164.6, 179.0])
def test_a_constant_in_the_gimbals_yaw_is_found_taken_out_and_told(constant_deg):
    found = pointing(flown(constant_deg))
    assert off_deg(found.yaw_rad, TRUE.gimbal.yaw_rad) < 0.3
    assert np.rad2deg(wrapped(np.array([found.constant_rad - np.deg2rad(constant_deg)])))[0] == pytest.approx(
        0, abs=0.2
    )
    assert any("taken out" in warning for warning in found.warnings) == (abs(constant_deg) > 5)


def test_a_constant_that_changes_on_the_way_is_followed():
    drift = np.deg2rad(np.interp(TRUE.t_s, [0, 80, 120, 200], [-11.6, -11.6, -16.0, -16.0]))
    flight = flown(0.0)
    gimbal = Angles(flight.gimbal.yaw_rad + drift, flight.gimbal.pitch_rad, flight.gimbal.roll_rad)
    found = pointing(replace(flight, gimbal=gimbal))
    assert off_deg(found.yaw_rad, TRUE.gimbal.yaw_rad) < 1.5


def test_wild_angles_on_the_ground_do_not_count():
    wild = flown(-12.0)
    rng = np.random.default_rng(1)
    early = TRUE.t_s < 80
    yaw = np.where(early, rng.uniform(-3, 3, len(early)), wild.gimbal.yaw_rad)
    gimbal = Angles(yaw, wild.gimbal.pitch_rad, wild.gimbal.roll_rad)
    height = np.where(early, 0.2, wild.height_takeoff_m)
    speed = np.where(early[:, None], 0.0, wild.velocity_enu_mps)
    found = pointing(replace(wild, gimbal=gimbal, height_takeoff_m=height, velocity_enu_mps=speed))
    assert off_deg(found.yaw_rad[~early], TRUE.gimbal.yaw_rad[~early]) < 0.5


def test_wild_angles_in_the_air_leave_the_constant_of_the_steady_rows():
    wild = flown(-12.0)
    early = TRUE.t_s < 80
    yaw = np.where(early, np.random.default_rng(1).uniform(-3, 3, len(early)), wild.gimbal.yaw_rad)
    found = pointing(replace(wild, gimbal=Angles(yaw, wild.gimbal.pitch_rad, wild.gimbal.roll_rad)))
    assert off_deg(found.yaw_rad[~early], TRUE.gimbal.yaw_rad[~early]) < 0.5


def test_a_gimbal_that_goes_its_own_way_gives_way_to_the_aircraft():
    flight = flown(0.0)
    swing = np.where(np.sin(flight.t_s / 3) > 0, 0.4, -0.4)
    aside = Angles(wrapped(flight.t_s * 0.9), flight.gimbal.pitch_rad, flight.gimbal.roll_rad)
    about = Angles(flight.gimbal.yaw_rad + swing, flight.gimbal.pitch_rad, flight.gimbal.roll_rad)
    for gimbal in (aside, about):
        found = pointing(replace(flight, gimbal=gimbal))
        assert found.source == "aircraft"
        assert any("does not go with the aircraft" in warning for warning in found.warnings)


def test_in_free_mode_the_constant_is_that_of_the_rows_that_follow():
    flight = flown(-12.0)
    free = flight.t_s > 120
    aside = np.where(free, 1.0, 0.0)
    gimbal = Angles(flight.gimbal.yaw_rad + aside, flight.gimbal.pitch_rad, flight.gimbal.roll_rad)
    mode = np.where(free, int(GimbalMode.FREE), int(GimbalMode.FOLLOW))
    found = pointing(replace(flight, gimbal=gimbal, gimbal_mode=mode))
    assert off_deg(found.yaw_rad, TRUE.gimbal.yaw_rad + aside) < 0.5


def test_the_documented_settings_do_what_they_say():
    flight = flown(-12.0)
    gimbal, aircraft = flight.gimbal.yaw_rad, flight.aircraft.yaw_rad
    raw = pointing(flight, Rule(yaw_source="gimbal"))
    assert off_deg(raw.yaw_rad, gimbal) < 1e-9
    assert any("use yaw_source auto" in warning for warning in raw.warnings)
    assert off_deg(pointing(flight, Rule(use_osd_yaw=True)).yaw_rad, aircraft) < 1e-9
    assert off_deg(pointing(flight, Rule(add_drone_yaw=True)).yaw_rad, gimbal + aircraft) < 1e-9
    both = pointing(flight, Rule(add_drone_yaw=True, use_osd_yaw=True))
    assert off_deg(both.yaw_rad, aircraft) < 1e-9
    turned = pointing(flight, Rule(yaw_source="gimbal", yaw_offset_deg=10.0, magnetic_declination=-3.0))
    assert off_deg(turned.yaw_rad, gimbal + np.deg2rad(7.0)) < 1e-9
    free = replace(flight, gimbal_mode=np.full(len(flight), int(GimbalMode.FREE)))
    assert off_deg(pointing(free, Rule(add_drone_yaw=True)).yaw_rad, gimbal) < 1e-9
    fpv = replace(flight, gimbal_mode=np.full(len(flight), int(GimbalMode.FPV)))
    leaning = replace(fpv, aircraft=Angles(aircraft, flight.aircraft.pitch_rad, np.full(len(flight), 0.2)))
    np.testing.assert_allclose(pointing(leaning).roll_rad, 0.2)


def test_a_declination_is_looked_up_for_the_logs_place_and_day():
    flight = flown(0.0)
    turned = pointing(flight, Rule(magnetic_declination="auto")).yaw_rad - pointing(flight).yaw_rad
    assert np.rad2deg(turned).mean() == pytest.approx(-0.07, abs=0.6)
    with pytest.raises(OptionError, match="needs the log's date"):
        pointing(replace(flight, utc_ns=None), Rule(magnetic_declination="auto"))


def test_angles_that_the_log_lacks_must_be_given():
    nothing = np.full(len(TRUE), np.nan)
    none = Angles(nothing, nothing, nothing)
    with pytest.raises(OptionError, match="give yaw_deg"):
        pointing(replace(TRUE, gimbal=none, aircraft=none))
    with pytest.raises(OptionError, match="give pitch_deg"):
        pointing(replace(TRUE, gimbal=none))
    with pytest.raises(OptionError, match="does not have that yaw"):
        pointing(replace(TRUE, gimbal=none), Rule(yaw_source="gimbal", pitch_deg=-90.0))
    given = pointing(replace(TRUE, gimbal=none, aircraft=none), Rule(yaw_deg=90.0, pitch_deg=-45.0))
    np.testing.assert_allclose(np.rad2deg(given.yaw_rad), 90)
    np.testing.assert_allclose(np.rad2deg(given.pitch_rad), -45)
    assert any("taken as level" in warning for warning in given.warnings)
    body = pointing(replace(TRUE, gimbal=none), Rule(pitch_deg=-45.0))
    assert body.source == "aircraft"
    alone = pointing(replace(TRUE, aircraft=none))
    assert any("cannot be held against" in warning for warning in alone.warnings)


@pytest.mark.shared
def test_on_a_real_phantom_4_pro_the_constant_is_nought(shared):
    found = pointing(DjiCsv().read(shared / "data" / "geo" / "dvm" / "test_drone_log.csv"))
    assert np.rad2deg(found.constant_rad) == pytest.approx(0, abs=0.5)
    assert np.rad2deg(found.spread_rad) < 2
    assert not found.warnings
