"""The recipe for a flying camera, on flights with exact truth."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.errors import FormatError, OptionError
from sightline.estimation.lag import Match
from sightline.formats.elevation import Elevations
from sightline.geodesy.enu import wgs84_from_enu
from sightline.geometry.camera import intrinsics
from sightline.locators.pointing import Rule
from sightline.model.flight import Angles
from sightline.model.lens import Lens
from sightline.model.tracks import UNTRACKED
from sightline.pipeline.drone import Clip, Wishes, aimed, aircraft, later, placed
from sightline.pipeline.drone_input import DOCUMENTED, box_size, in_video_px, timed
from sightline.simulation.flight.faults import Faults, faulty
from sightline.simulation.flight.paths import ORIGIN, FlightPlan
from sightline.simulation.flight.things import paths, seen

LENS = Lens.pinhole(1280, 720, intrinsics(1280, 720, np.deg2rad(71.5)))
CLIP = Clip(width=1280, height=720, duration_s=28.0)
PLAN = FlightPlan("orbit")
WISHES = Wishes(anchor="foot")


def there(plan=PLAN, n=6):
    return seen(plan, LENS, paths(n, plan, np.random.default_rng(1)), np.arange(0.05, 27.9, 0.5))


def errors(aim, found, truth):
    off = found.positions.xyz_enu_m - truth.xyz_enu_m
    return np.hypot(off[:, 0], off[:, 1])


def test_a_flight_without_fault_is_placed_where_it_was():
    truth = there()
    aim = aimed(PLAN.log(50.0), CLIP, LENS, WISHES)
    found = placed(aim, truth.tracks, WISHES)
    still = np.linalg.norm(truth.velocity_enu_mps, axis=1) < 0.01
    assert np.nanmax(errors(aim, found, truth)[still]) < 0.06  # half a row of a log of 50 Hz, at 5 m/s
    assert not found.unplaced
    assert "as long as the video" in aim.alignment.how


def test_depth_is_along_the_axis_of_the_lens():
    plan = replace(PLAN, path="hover", pitch_rad=-np.pi / 2)
    aim = aimed(plan.log(50.0), CLIP, LENS, WISHES)
    found = placed(aim, there(plan).tracks, WISHES)
    np.testing.assert_allclose(found.depth_m, plan.height_m, atol=0.01)


def test_rows_without_a_place_are_counted_by_why():
    truth = there()
    tracks = replace(truth.tracks, t_s=truth.tracks.t_s.copy(), xyxy_px=truth.tracks.xyxy_px.copy())
    times, boxes = tracks.t_s.copy(), tracks.xyxy_px.copy()
    times[:3] = 500.0
    boxes[5] = np.nan
    times[7] = np.nan
    aim = aimed(PLAN.log(), CLIP, LENS, WISHES)
    found = placed(aim, replace(tracks, t_s=times, xyxy_px=boxes), WISHES)
    assert list(found.unplaced.values()) == [1, 1, 3]
    with pytest.raises(FormatError, match=f"nothing can be placed: {len(tracks)} rows: the log is silent"):
        placed(aim, replace(tracks, t_s=np.full(len(tracks), 500.0)), WISHES)


def test_rows_of_no_track_keep_their_look_and_have_no_speed():
    truth = there()
    number = truth.tracks.number.copy()
    number[number == 1] = UNTRACKED
    aim = aimed(PLAN.log(50.0), CLIP, LENS, WISHES)
    found = placed(aim, replace(truth.tracks, number=number), WISHES).positions
    loose = number == UNTRACKED
    assert np.isfinite(found.xyz_enu_m[loose]).all()
    assert np.isnan(found.velocity_enu_mps[loose]).all()
    assert (found.number == number).all()


def test_a_constant_in_the_gimbal_is_found_and_told():
    flight = faulty(PLAN.log(), Faults(yaw_constant_rad=np.deg2rad(-165.0)), np.random.default_rng(0))
    truth, aim = there(), aimed(flight, CLIP, LENS, WISHES)
    found = placed(aim, truth.tracks, WISHES)
    assert np.nanmedian(errors(aim, found, truth)) < 3.0
    assert "taken out" in aim.looks.warnings[0]


def test_a_gimbal_that_nobody_recorded_is_asked_for():
    log, level = PLAN.log(), np.zeros(401)
    silent = replace(log, gimbal=Angles(log.gimbal.yaw_rad, level, level))
    with pytest.raises(OptionError, match="give pitch_deg"):
        aimed(silent, CLIP, LENS)
    aim = aimed(silent, CLIP, LENS, Wishes(rule=Rule(pitch_deg=-45.0)))
    assert np.rad2deg(aim.looks.pitch_rad) == pytest.approx(-45)
    assert "not recorded" in aim.flight.warnings[-1]


def test_places_by_depth_go_first_and_the_ground_fills_what_they_leave_open():
    truth, aim = there(), aimed(PLAN.log(), CLIP, LENS, WISHES)
    by_ground = aim.ground.locate(truth.tracks)
    xyz = by_ground.xyz_enu_m + np.array([3.0, 4.0, 1.0])
    xyz[::2] = np.nan
    found = placed(aim, truth.tracks, WISHES, replace(by_ground, xyz_enu_m=xyz))
    assert found.agreed is not None
    assert found.agreed.n == len(truth.tracks) // 2
    assert (found.agreed.median_m, found.agreed.up_m) == pytest.approx((5.0, 1.0))
    assert found.positions.is_known.all()
    middle = np.nanmean(found.positions.xyz_enu_m - by_ground.xyz_enu_m, axis=0)
    assert middle == pytest.approx([1.5, 2.0, 0.5], abs=0.3)


def test_the_aircraft_is_where_it_flew():
    aim = aimed(PLAN.log(50.0), CLIP, LENS)
    found = aircraft(aim, np.arange(3), np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(found.xyz_enu_m, PLAN.eye_enu_m(found.t_s + 8.0), atol=0.15)
    assert np.hypot(*found.velocity_enu_mps[:, :2].T) == pytest.approx(5.0, abs=0.1)
    assert (found.number == 0).all()


def test_an_elevation_model_is_met_where_it_is_and_refused_where_it_is_not():
    side = np.linspace(-0.03, 0.03, 61)
    hill = Elevations(ORIGIN.lat_deg + side, ORIGIN.lon_deg + side, np.full((61, 61), 200.0))
    flat = aimed(PLAN.log(), CLIP, LENS, WISHES)
    bumpy = aimed(PLAN.log(), CLIP, LENS, replace(WISHES, elevations=hill))
    tracks = there().tracks
    a, b = (placed(aim, tracks, WISHES).positions.xyz_enu_m for aim in (flat, bumpy))
    np.testing.assert_allclose(a, b, atol=0.05)
    away = replace(hill, lat_deg=hill.lat_deg + 5.0)
    with pytest.raises(FormatError, match="does not hold the take-off"):
        aimed(PLAN.log(), CLIP, LENS, replace(WISHES, elevations=away))


def test_an_offset_is_taken_from_the_pictures_only_if_it_is_sure():
    sure, said = later(Wishes(time_offset_s=0.1), Match(0.5, 0.9, 0.5, 0.03))
    assert sure.time_offset_s == pytest.approx(0.6)
    assert sure.doubts.time_s == pytest.approx(0.03)
    assert "+0.50 s" in said
    unsure, said = later(Wishes(), Match(0.5, 0.9, 0.01, 0.03))
    assert unsure.time_offset_s == 0.0
    assert "not sure" in said


def test_tracks_at_another_rate_than_told_are_refused_with_the_rate_that_fits():
    tracks = there().tracks
    ids = np.round(tracks.t_s * 30).astype(int)
    fast = replace(tracks, frame_index=ids, t_s=np.full(len(tracks), np.nan))
    with pytest.raises(
        FormatError, match=r"run to 16\d\.\d s, it lasts 28.0 s; give tracking_fps \(29.\d+ would fit\)"
    ):
        timed(fast, 5.0, CLIP)
    with pytest.raises(OptionError, match="give tracking_fps"):
        timed(fast, None, CLIP)
    found, said = timed(fast, 30.0, CLIP)
    np.testing.assert_allclose(found.t_s, ids / 30)
    assert not said
    _, said = timed(fast, 29.0, CLIP)
    assert "behind the video's end" in said[0]
    _, said = timed(fast, 100.0, CLIP)
    assert "is tracking_fps right?" in said[0]


@pytest.mark.parametrize(
    ("video", "reach", "size", "n_said"),
    [
        ((1280, 720), (1200, 700), (1280, 720), 0),
        ((3840, 2160), (3000, 700), (3840, 2160), 0),  # beyond 1280: the video's own
        ((3840, 2160), (1275, 600), (1280, 720), 0),  # fills 1280 x 720 to its edge
        ((3840, 2160), (600, 300), (1280, 720), 1),  # could be either
        ((320, 180), (1000, 300), (1280, 720), 0),  # beyond the small video
        ((320, 180), (319, 179), (320, 180), 0),
    ],
)
def test_what_boxes_are_in_shows_in_how_far_they_reach(video, reach, size, n_said):
    tracks = there().tracks
    boxes = np.tile(np.array([0.0, 0.0, *reach]), (len(tracks), 1))
    clip = Clip(width=video[0], height=video[1])
    found, said = box_size(replace(tracks, xyxy_px=boxes), clip, stated=None, told=None, otherwise=DOCUMENTED)
    assert found == size
    assert len(said) == n_said


def test_boxes_that_fit_no_picture_are_refused():
    tracks = there().tracks
    with pytest.raises(FormatError, match="beyond pictures of 320 x 180; give source_resolution"):
        box_size(tracks, CLIP, stated=(320, 180), told=None, otherwise=DOCUMENTED)
    huge = replace(tracks, xyxy_px=tracks.xyxy_px * 10)
    with pytest.raises(FormatError, match="beyond pictures of 1280 x 720;"):
        box_size(huge, CLIP, stated=None, told=None, otherwise=DOCUMENTED)


def test_boxes_come_into_the_videos_pixels():
    tracks = there().tracks
    clip = Clip(width=640, height=360)
    scaled, said = in_video_px(tracks, DOCUMENTED, clip)
    np.testing.assert_allclose(scaled.xyxy_px, tracks.xyxy_px / 2)
    assert not said
    _, said = in_video_px(tracks, DOCUMENTED, Clip(width=640, height=480))
    assert "another shape" in said[0]


def test_latitude_and_longitude_are_those_of_the_true_place():
    truth = there()
    aim = aimed(PLAN.log(50.0), CLIP, LENS, WISHES)
    found = placed(aim, truth.tracks, WISHES).positions
    still = np.linalg.norm(truth.velocity_enu_mps, axis=1) < 0.01
    lat, lon, _ = wgs84_from_enu(found.origin, found.xyz_enu_m)
    true_lat, true_lon, _ = wgs84_from_enu(ORIGIN, truth.xyz_enu_m)
    np.testing.assert_allclose(lat[still], true_lat[still], atol=6e-7)
    np.testing.assert_allclose(lon[still], true_lon[still], atol=9e-7)
