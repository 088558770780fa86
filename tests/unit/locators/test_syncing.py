"""Where a video lies in a log, from how its picture slides."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.geodesy.attitude import enu_from_cam
from sightline.geometry.camera import intrinsics
from sightline.locators.ground import Ground
from sightline.locators.pointing import pointing
from sightline.locators.syncing import seen_flow, synced, told_flow
from sightline.model.flight import Angles
from sightline.model.frame import Moment
from sightline.model.lens import Lens
from sightline.simulation.flight.paths import FlightPlan

LENS = Lens.pinhole(1280, 720, intrinsics(1280, 720, np.deg2rad(71.5)))


def homography(plan, t_s):
    """Takes ground metres to pixels, exactly."""
    at = np.array([t_s])
    turn = enu_from_cam(plan.yaw_rad(at), np.array([plan.pitch_rad]), np.zeros(1))[0]
    eye = plan.eye_enu_m(at)[0]
    return LENS.px_from_cam @ turn.T @ np.column_stack([[1, 0, 0], [0, 1, 0], -eye])


def pictures(plan, rng, noise_px=0.3, step_s=0.2):
    """Moments as a stabilizer would fill them, with its errors."""
    moments, before = [], None
    for k, t_s in enumerate(np.arange(0.0, 25.0, step_s)):
        now = homography(plan, plan.recorded_s[0] + t_s)
        warp = None
        if before is not None:
            warp = now @ np.linalg.inv(before)
            warp = np.array([[1, 0, rng.normal(0, noise_px)], [0, 1, rng.normal(0, noise_px)], [0, 0, 1]]) @ (
                warp / warp[2, 2]
            )
        moments.append(Moment("drone", k, float(t_s), warp))
        before = now
    return moments


def over(plan, late_s=0.0, flight=None):
    flight = plan.log() if flight is None else flight
    return Ground(flight=flight, pointing=pointing(flight), lens=LENS, log_from_video_s=plan.recorded_s[0] + late_s)


@pytest.mark.parametrize("path", ["hover", "line", "orbit", "climb"])
def test_the_picture_slides_as_the_log_says(path):
    plan = FlightPlan(path, pitch_rad=-1.0)
    t_s, seen = seen_flow(pictures(plan, np.random.default_rng(0), noise_px=0.0, step_s=0.02), LENS)
    told = told_flow(over(plan).eyes(t_s), LENS, 0.0)
    np.testing.assert_allclose(told, seen, atol=0.01 * np.abs(seen).max() + 0.3)


@pytest.mark.parametrize("path", ["hover", "orbit", "climb"])
@pytest.mark.parametrize("late_s", [-0.5, 0.5, 1.7])
def test_half_a_second_is_found(path, late_s):
    plan = FlightPlan(path, pitch_rad=-0.8)
    match = synced(over(plan, -late_s), LENS, pictures(plan, np.random.default_rng(1)))
    assert match.is_sure
    assert match.offset_s == pytest.approx(late_s, abs=0.06)


@pytest.mark.parametrize("late_s", [-3.0, 0.5, 3.0])
def test_a_straight_flight_is_found_by_how_it_sways_though_angles_come_in_tenths_of_degrees(late_s):
    plan = FlightPlan("line", pitch_rad=-1.0)
    flight = plan.log()
    stepped = [np.deg2rad(np.rad2deg(angle).round(1)) for angle in (flight.gimbal.yaw_rad, flight.gimbal.pitch_rad)]
    angles = Angles(stepped[0], stepped[1], flight.gimbal.roll_rad)
    flight = replace(flight, aircraft=angles, gimbal=angles)
    match = synced(over(plan, -late_s, flight), LENS, pictures(plan, np.random.default_rng(1), 0.2, 0.1))
    assert match.is_sure
    assert match.offset_s == pytest.approx(late_s, abs=0.06)


def test_a_flight_that_is_all_alike_is_not_sure():
    plan = FlightPlan("line", pitch_rad=-1.2)
    flight = plan.log()
    still = Angles(np.full(len(flight), plan.heading_rad), flight.gimbal.pitch_rad, flight.gimbal.roll_rad)
    rigid = replace(flight, aircraft=still, gimbal=still)
    rng = np.random.default_rng(2)
    shaken = [
        replace(m, px_from_before=np.array([[1, 0, rng.normal()], [0, 1, rng.normal()], [0, 0, 1.0]]))
        for m in pictures(plan, rng)
    ]
    assert not synced(over(plan, flight=rigid), LENS, shaken).is_sure


def test_pictures_without_motion_say_nothing():
    plan = FlightPlan("hover")
    match = synced(over(plan), LENS, [Moment("drone", k, k / 5) for k in range(30)])
    assert not match.is_sure
