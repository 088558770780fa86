"""A drone's video and its log alone, both with faults, to places on earth."""

import numpy as np
import pytest

from sightline.formats.parquet import Parquet
from sightline.geodesy.enu import enu_from_wgs84, wgs84_from_enu
from sightline.jobs.drone.options import DroneOptions
from sightline.jobs.drone.running import DroneJob, run
from sightline.simulation.flight.faults import Faults
from sightline.simulation.flight.paths import ORIGIN, FlightPlan
from sightline.simulation.flight.rendered.film import FilmPlan
from sightline.simulation.flight.rendered.writing import Wrong, write


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flight")
    flight = FlightPlan("hover", 35.0, np.deg2rad(-50.0), duration_s=20.0, recorded_s=(8.0, 16.0))
    plan = FilmPlan(flight, n_people=2, n_vehicles=12, fps=5.0, size=(640, 360))
    wrong = Wrong(Faults(yaw_constant_rad=np.deg2rad(-165.0), late_s=0.5, blip=True))
    write(plan, folder, wrong, progress=lambda *_: None, stopped=lambda: False)
    options = DroneOptions(fov_deg=71.5, time_offset="auto", kf_learn=True)
    job = DroneJob(video=folder / "flight.mp4", log=folder / "log.csv", folder=folder / "out", options=options)
    return run(job, lambda *_: None, lambda: False), Parquet().read(folder / "truth.parquet")


def test_cars_are_followed_and_placed_within_a_metre_or_two(flown):
    result, truth = flown
    places = result.placed.positions
    xyz = enu_from_wgs84(ORIGIN, *wgs84_from_enu(places.origin, places.xyz_enu_m))
    off = []
    for k, t_s in enumerate(places.t_s):
        there = truth.extra["ground_enu_m"][np.abs(truth.t_s - t_s) < 0.01]
        off.append(np.linalg.norm((there - xyz[k])[:, :2], axis=1).min(initial=99.0))
    assert len(off) > 25
    assert np.median(off) < 1.5


def test_the_half_second_and_the_half_turn_are_found_and_told(flown):
    result, _ = flown
    assert result.story["log_from_video_s"] == pytest.approx(8.0, abs=0.1)
    assert result.story["yaw_constant_deg"] == pytest.approx(-165.0, abs=1.0)
    assert any("-165" in line for line in result.story["warnings"])
