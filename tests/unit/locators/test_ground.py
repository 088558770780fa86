"""Places on the ground: exact without noise, honest with it."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.estimation.constant_velocity import Noise
from sightline.flight_logs.recordings import aligned
from sightline.geodesy.enu import wgs84_from_enu
from sightline.geometry.camera import intrinsics
from sightline.geometry.lens import distorted
from sightline.locators.doubts import Doubts, ce90_m
from sightline.locators.ground import Ground
from sightline.locators.pointing import pointing
from sightline.locators.state import followed, headings_rad, speeds_mps
from sightline.model.lens import Lens, LensModel
from sightline.model.tracks import Tracks
from sightline.simulation.flight import faults
from sightline.simulation.flight.paths import ORIGIN, FlightPlan
from sightline.simulation.flight.things import paths, seen, terrain

LENS = Lens.pinhole(1280, 720, intrinsics(1280, 720, np.deg2rad(71.5)))
PICTURES_S = np.arange(0.05, 27.9, 0.2)


def world(plan, shape="flat", n=12, seed=1):
    return seen(plan, LENS, paths(n, plan, np.random.default_rng(seed)), PICTURES_S, shape)


def ground(plan, flight=None, **options):
    flight = plan.log() if flight is None else flight
    options.setdefault("log_from_video_s", plan.recorded_s[0])
    return Ground(flight=flight, pointing=pointing(flight), lens=LENS, anchor="foot", **options)


@pytest.mark.parametrize("path", ["hover", "line", "orbit", "climb"])
@pytest.mark.parametrize("pitch_deg", [-90, -60, -30])
def test_without_noise_places_are_exact_to_a_centimetre(path, pitch_deg):
    plan = FlightPlan(path, pitch_rad=np.deg2rad(pitch_deg))
    there = world(plan)
    found = ground(plan).locate(there.tracks)
    assert len(there.tracks) > 100
    assert np.abs(found.xyz_enu_m - there.xyz_enu_m).max() < 0.01


@pytest.mark.parametrize("shape", ["slope", "hill"])
def test_on_a_terrain_too(shape):
    plan = FlightPlan("orbit", height_m=60.0)
    there = world(plan, shape)
    found = ground(plan, ground=terrain(shape)).locate(there.tracks)
    assert np.abs(found.xyz_enu_m - there.xyz_enu_m).max() < 0.02
    level = ground(plan).locate(there.tracks)
    assert np.abs(level.xyz_enu_m - there.xyz_enu_m).max() > 1.0


def test_a_lens_that_bends_is_unbent():
    plan = FlightPlan("line")
    bent = Lens(LensModel.RADIAL, 1280, 720, np.array([889.0, 640.0, 360.0, -0.05, 0.01]))
    straight = Lens(LensModel.SIMPLE_PINHOLE, 1280, 720, np.array([889.0, 640.0, 360.0]))
    there = seen(plan, straight, paths(5, plan, np.random.default_rng(2)), PICTURES_S)
    foot = there.tracks.xyxy_px[:, [0, 3]] + [0, 0]
    foot[:, 0] = there.tracks.xyxy_px[:, [0, 2]].mean(axis=1)
    moved = distorted(bent, (foot - [640, 360]) / 889.0) * 889.0 + [640, 360] - foot
    tracks = replace(there.tracks, xyxy_px=there.tracks.xyxy_px + np.tile(moved, 2), extra={})
    flight = plan.log()
    found = Ground(flight=flight, pointing=pointing(flight), lens=bent, log_from_video_s=8.0, anchor="foot").locate(
        tracks
    )
    assert np.abs(found.xyz_enu_m - there.xyz_enu_m).max() < 0.01


def test_rays_at_the_horizon_and_gaps_in_the_log_have_no_place():
    plan = FlightPlan("line", pitch_rad=np.deg2rad(-10))
    box = np.array([[600.0, 0.0, 640.0, 5.0], [600.0, 600.0, 640.0, 700.0], [600.0, 600.0, 640.0, 700.0]])
    n = np.arange(3)
    tracks = Tracks("drone", n, np.array([1.0, 1.0, 500.0]), n + 1, box, np.ones(3), 0 * n, n)
    found = ground(plan).locate(tracks)
    np.testing.assert_array_equal(found.is_known, [False, True, False])
    assert np.isnan(found.cov_enu_m2[0]).all()
    silent = faults.faulty(plan.log(), faults.Faults(gap_s=31.0), np.random.default_rng(0))
    assert not ground(plan, silent).locate(tracks).is_known.any()


def test_a_box_cut_off_below_is_placed_less_surely():
    plan = FlightPlan("hover", pitch_rad=np.deg2rad(-40))
    n = np.arange(2)
    box = np.array([[600.0, 500.0, 640.0, 717.0], [600.0, 500.0, 640.0, 720.0]])
    tracks = Tracks("drone", n, np.full(2, 3.0), n + 1, box, np.ones(2), 0 * n, n)
    whole, cut = ce90_m(ground(plan).locate(tracks).cov_enu_m2[:, :2, :2])
    assert cut > whole + 1.0


def test_no_rows_give_no_rows():
    found = ground(FlightPlan()).locate(Tracks.none("drone"))
    assert len(found) == 0
    assert len(followed(found)) == 0


LOG = FlightPlan("orbit", pitch_rad=np.deg2rad(-35)).log()


def moved_by(name, step, tracks, shaped):
    """Places with one thing wrong by ``step`` of its deviations, east and north."""
    d, flight, lens, late = Doubts(), LOG, LENS, 8.0
    size = step * getattr(
        d, name.removesuffix("_east").removesuffix("_north").removesuffix("_across").removesuffix("_down")
    )
    place = np.array(wgs84_from_enu(ORIGIN, np.zeros((1, 3))))[:2, 0]
    if name.startswith("gps_m"):
        axis = np.array([[size, 0.0, 0.0]] if name.endswith("east") else [[0.0, size, 0.0]])
        lat, lon, _ = wgs84_from_enu(ORIGIN, axis)
        flight = replace(flight, lat_deg=flight.lat_deg + lat[0] - place[0], lon_deg=flight.lon_deg + lon[0] - place[1])
    elif name == "height_m":
        flight = replace(flight, height_takeoff_m=flight.height_takeoff_m + size)
    elif name in {"yaw_rad", "pitch_rad", "roll_rad"}:
        angles = replace(flight.gimbal, **{name: getattr(flight.gimbal, name) + size})
        body = replace(flight.aircraft, yaw_rad=flight.aircraft.yaw_rad + size * (name == "yaw_rad"))
        flight = replace(flight, gimbal=angles, aircraft=body)
    elif name.startswith("box_px"):
        axis = [size, 0, size, 0] if name.endswith("across") else [0, size, 0, size]
        tracks = replace(tracks, xyxy_px=tracks.xyxy_px + axis, extra={})
    elif name == "focal":
        lens = Lens.pinhole(1280, 720, LENS.px_from_cam * [[1 + size, 1, 1], [1, 1 + size, 1], [1, 1, 1]])
    else:
        late += size
    options = {"log_from_video_s": late, "anchor": "foot", "ground": shaped}
    return Ground(flight=flight, pointing=pointing(flight), lens=lens, **options).locate(tracks).xyz_enu_m[:, :2]


@pytest.mark.parametrize("shape", ["flat", "slope"])
def test_the_covariance_is_the_sum_of_what_each_error_does(shape):
    """Against places computed again with everything in turn wrong by a hundredth of its deviation."""
    doubts = replace(Doubts(), ground_m=0.0)
    plan = FlightPlan("orbit", pitch_rad=np.deg2rad(-35))
    there = world(plan, shape, n=9)
    tracks = there.tracks.rows(np.linspace(0, len(there.tracks) - 1, 9).astype(int))
    shaped = 0.0 if shape == "flat" else terrain(shape)
    told = ground(plan, doubts=doubts, ground=shaped).locate(tracks).cov_enu_m2
    names = [
        "gps_m_east",
        "gps_m_north",
        "height_m",
        "yaw_rad",
        "pitch_rad",
        "roll_rad",
        "box_px_across",
        "box_px_down",
    ]
    wanted = np.zeros((9, 2, 2))
    for name in [*names, "focal", "time_s"]:
        step = 0.3 if name == "time_s" else 0.01  # the log's rows are a tenth of a second apart
        slope = (moved_by(name, step, tracks, shaped) - moved_by(name, -step, tracks, shaped)) / (2 * step)
        wanted += slope[:, :, None] * slope[:, None, :]
    np.testing.assert_allclose(told[:, :2, :2], wanted, rtol=0.02, atol=0.02)


def test_ground_of_unknown_height_moves_places_along_the_ray():
    plan = FlightPlan("hover", pitch_rad=np.deg2rad(-30), heading_rad=0.0)
    tracks = world(plan, n=6).tracks.rows(slice(0, 1))
    only = replace(faults.NONE, ground_m=2.0)
    cov = ground(plan, doubts=only).locate(tracks).cov_enu_m2[0]
    shifted = ground(plan, ground=0.01).locate(tracks).xyz_enu_m[0] - ground(plan).locate(tracks).xyz_enu_m[0]
    np.testing.assert_allclose(cov, np.outer(shifted, shifted) * (2.0 / 0.01) ** 2, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("ratio", [0.0, 0.2, 0.5, 0.83, 1.0])
def test_the_circle_holds_nine_in_ten(ratio):
    rng = np.random.default_rng(3)
    points = rng.normal(0, 1, (200_000, 2)) * [2.0, 2.0 * ratio]
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    cov = turn @ np.diag([4.0, 4.0 * ratio**2]) @ turn.T
    assert (np.hypot(*points.T) < ce90_m(cov[None])[0]).mean() == pytest.approx(0.9, abs=0.003)


def test_from_right_above_a_thing_stands_in_the_middle_of_its_box_and_from_aside_at_its_foot():
    flight = FlightPlan("hover", pitch_rad=np.deg2rad(-90)).log()
    n = np.zeros(1, np.int64)
    tracks = Tracks("drone", n, np.zeros(1) + 5, n + 1, np.array([[620.0, 340.0, 660.0, 380.0]]), np.ones(1), n, n)
    above = Ground(flight=flight, pointing=pointing(flight), lens=LENS, log_from_video_s=8.0)
    assert np.abs(above.locate(tracks).xyz_enu_m[0, :2]).max() < 0.01
    flat = FlightPlan("hover", pitch_rad=np.deg2rad(-8)).log()
    options = {"flight": flat, "pointing": pointing(flat), "lens": LENS, "log_from_video_s": 8.0}
    base, foot, centre = (Ground(anchor=a, **options).locate(tracks).xyz_enu_m[0] for a in ("base", "foot", "centre"))
    assert np.linalg.norm(base - foot) < 0.4 * np.linalg.norm(centre - foot)


def test_yaw_constants_and_blips_and_zeroes_are_found_and_taken_out():
    plan = FlightPlan("line", pitch_rad=np.deg2rad(-45))
    there = world(plan)
    wrong = faults.Faults(yaw_constant_rad=np.deg2rad(-164.6), blip=True, zeroes=20)
    flight = faults.faulty(plan.log(), wrong, np.random.default_rng(4))
    at = aligned(flight, 28.0)
    assert at.log_from_video_s == pytest.approx(plan.recorded_s[0], abs=0.06)
    found = ground(plan, flight, log_from_video_s=at.log_from_video_s).locate(there.tracks)
    assert np.median(np.linalg.norm(found.xyz_enu_m - there.xyz_enu_m, axis=1)) < 0.6


def test_speeds_and_headings_are_those_of_the_things():
    plan = FlightPlan("hover", pitch_rad=np.deg2rad(-60))
    there = world(plan, n=30)
    located = ground(plan).locate(there.tracks)
    moving = followed(located, Noise(sigma_a=1.0, sigma_meas_h=0.3))
    true = np.hypot(*there.velocity_enu_mps[:, :2].T)
    straight = (there.tracks.number - 1) % 3 == 1
    assert np.sqrt(np.mean((speeds_mps(moving) - true)[straight] ** 2)) < 0.05
    documented = followed(located)
    assert np.sqrt(np.mean((speeds_mps(documented) - true)[straight] ** 2)) < 0.5
    parked = (there.tracks.number - 1) % 3 == 0
    assert np.isnan(headings_rad(moving)[parked]).all()
    heading = np.arctan2(*there.velocity_enu_mps[straight, :2].T) % (2 * np.pi)
    off = (headings_rad(moving)[straight] - heading + np.pi) % (2 * np.pi) - np.pi
    assert np.rad2deg(np.nanmedian(np.abs(off))) < 2.0
