"""A drone's flight as its camera films it."""

import json
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from sightline.cli.simulate_flight import simulate_flight
from sightline.errors import OptionError
from sightline.flight_logs.dji_csv import DjiCsv
from sightline.flight_logs.dji_srt import DjiSrt
from sightline.formats.parquet import Parquet
from sightline.geometry.camera import depths, eye, pixels
from sightline.geometry.homography import px_from_map
from sightline.simulation.flight.faults import Faults
from sightline.simulation.flight.paths import FlightPlan
from sightline.simulation.flight.rendered.film import Film, FilmPlan
from sightline.simulation.flight.rendered.movers import LOOPS, movers
from sightline.simulation.flight.rendered.writing import Wrong, write
from sightline.sources.video import Video

app = typer.Typer()
app.command()(simulate_flight)
PLAN = FilmPlan(
    FlightPlan("orbit", 40.0, np.deg2rad(-50.0), duration_s=14.0, recorded_s=(8.0, 10.0)),
    n_people=5,
    n_vehicles=6,
    fps=5.0,
    size=(320, 180),
)


@pytest.fixture(scope="module")
def shots():
    return list(islice(Film(PLAN).shots(), 4))


def test_everyone_stands_in_their_box(shots):
    film = Film(PLAN)
    n = 0
    for frame, rows in shots:
        camera = film.camera(frame.moment.t_s)
        feet = pixels(camera, rows.extra["ground_enu_m"])
        assert (feet >= rows.xyxy_px[:, :2] - 2).all()
        assert (feet <= rows.xyxy_px[:, 2:] + 2).all()
        n += len(rows)
    assert n > 8


def test_people_are_as_tall_as_people(shots):
    film = Film(PLAN)
    tall = []
    for frame, rows in shots:
        camera = film.camera(frame.moment.t_s)
        whole = (rows.xyxy_px[:, 1] > 0) & (rows.xyxy_px[:, 3] < 180) & (rows.label == 0)
        stand = rows.extra["ground_enu_m"][whole]
        sink = np.abs((stand - eye(camera))[:, 2]) / np.linalg.norm(stand - eye(camera), axis=1)
        m_per_px = depths(camera, stand) / camera.px_from_cam[1, 1]
        high = np.diff(rows.xyxy_px[whole, 1::2], axis=1)[:, 0] * m_per_px
        tall += ((high - 0.4 * sink) / np.sqrt(1 - sink**2)).tolist()
    assert 1.3 < np.median(tall) < 2.2


def test_what_is_in_the_boxes_differs_from_the_empty_town(shots):
    empty = next(Film(replace(PLAN, n_people=0, n_vehicles=0)).shots())[0].rgb
    frame, rows = shots[0]
    unlike = np.abs(frame.rgb.astype(int) - empty).max(axis=2) > 25
    inside = np.zeros(unlike.shape, bool)
    for left, top, right, bottom in np.round(rows.xyxy_px).astype(int):
        inside[top:bottom, left:right] = True
        if rows.extra["visibility"].min() > 0.9:
            assert unlike[top:bottom, left:right].mean() > 0.2
    assert unlike[inside].mean() > 8 * unlike[~inside].mean()


def test_the_ground_moves_as_the_camera_says():
    film = Film(replace(PLAN, n_people=0, n_vehicles=0, noise=0.0))
    (one, _), (other, _) = islice(film.shots(), 2)
    now_from_before = px_from_map(film.camera(0.2)) @ np.linalg.inv(px_from_map(film.camera(0.0)))
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])  # cv2's pixels are counted from their middles
    carried = cv2.warpPerspective(one.rgb, np.linalg.inv(half) @ now_from_before @ half, (320, 180))
    inner = np.s_[60:120, 100:220]
    moved = np.abs(carried[inner].astype(int) - other.rgb[inner]).mean()
    still = np.abs(one.rgb[inner].astype(int) - other.rgb[inner]).mean()
    assert moved < 0.4 * still


def test_equal_plans_give_equal_pictures(shots):
    frame, rows = next(Film(PLAN).shots())
    np.testing.assert_array_equal(frame.rgb, shots[0][0].rgb)
    np.testing.assert_array_equal(rows.xyxy_px, shots[0][1].xyxy_px)


def test_on_a_hill_things_stand_on_it():
    hilly = replace(PLAN, ground="hill", flight=replace(PLAN.flight, path="hover"))
    _, rows = next(Film(hilly).shots())
    assert rows.extra["ground_enu_m"][:, 2].max() > 5


@given(st.sampled_from(LOOPS), st.floats(-500, 500), st.floats(0.1, 3))
def test_a_step_along_a_way_is_as_long_as_it_is_and_goes_where_one_faces(loop, along, step):
    (here, there), heading = loop.at(np.array([along, along + step]))
    assert np.linalg.norm(there - here) <= step + 1e-9
    ahead = np.array([np.cos(heading[0]), np.sin(heading[0])])
    assert (there - here) @ ahead > 0.5 * step * (1 - step / loop.radius_m)


def test_cars_never_drive_through_cars():
    about = movers(FlightPlan(), 0, 20, np.random.default_rng(4))
    for t_s in np.arange(0, 40, 0.5):
        xy, _ = about.at(t_s)
        apart = np.linalg.norm(xy[:, None] - xy[None], axis=2) + 99 * np.eye(len(xy))
        assert apart.min() > 2.2


@pytest.mark.parametrize("wrong", [{"fps": 0.0}, {"size": (320, 181)}, {"n_people": -1}, {"fov_deg": 5.0}])
def test_what_cannot_be_filmed_is_refused_by_name(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        replace(PLAN, **wrong)


def test_a_flight_is_written_as_its_aircraft_would_write_it(tmp_path):
    wrong = Wrong(Faults(yaw_constant_rad=np.deg2rad(-12.0), late_s=0.4, zeroes=5))
    plan = replace(PLAN, size=(192, 108), fps=2.0)
    files = write(plan, tmp_path, wrong, progress=lambda *_: None, stopped=lambda: False)
    assert all(file.stat().st_size > 500 for file in files)
    assert Video(tmp_path / "flight.mp4").about().n_frames == 4
    log = DjiCsv().read(tmp_path / "log.csv")
    assert log.t_s[log.is_recording == 1][0] == pytest.approx(8.4, abs=0.11)
    assert np.isnan(log.lat_deg[:5]).all()
    subtitles = DjiSrt().read(tmp_path / "flight.srt")
    assert subtitles.t_s[-1] == pytest.approx(2.0, abs=0.1)
    truth = Parquet().read(tmp_path / "truth.parquet")
    assert truth.extra["ground_enu_m"].shape == (len(truth), 3)
    assert json.loads((tmp_path / "flight.json").read_text())["lens"]["fov_deg"] == 71.5


def test_stopping_leaves_no_half_video(tmp_path):
    plan = replace(PLAN, size=(192, 108))
    assert write(plan, tmp_path, progress=lambda *_: None, stopped=lambda: True) is None
    assert not list(tmp_path.glob("*.mp4"))


def test_the_command_says_what_to_try_next(tmp_path):
    short = ["--seconds", "1", "--fps", "2", "--size", "192x108", "--people", "1", "--vehicles", "1", "--height", "30"]
    ran = CliRunner().invoke(app, [str(tmp_path), *short, "--yaw-off", "-12", "--noise"])
    assert ran.exit_code == 0, ran.output
    assert "sightline drone" in ran.output


@pytest.mark.parametrize("wrong", [["--path", "zigzag"], ["--ground", "bumpy"], ["--log", "morse"]])
def test_the_command_names_what_is_wrong(wrong, tmp_path):
    with pytest.raises(OptionError, match=wrong[1]):
        CliRunner().invoke(app, [str(tmp_path), *wrong], catch_exceptions=False)
