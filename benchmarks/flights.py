"""From a drone's video and its log alone to places: what is found, how well it is placed, what is made of faults.

``python benchmarks/flights.py [--cases 1 2 ...]``

Flights over a made-up town are filmed (``sightline.simulation.flight.rendered``), their logs written with the errors
of a consumer drone, a gimbal 12 or 165 degrees off, and a recording flag half a second late or early. The whole recipe
runs on the files: detected (``aerial``, no weights), followed, brought together in time by the camera's motion, placed,
filtered with noise learnt from the paths. Beside it the documents' way on the same boxes: raw gimbal yaw, box centre,
rows of the log spread over the pictures, depth by height along the axis, forward filter of 0.5 and 5.

``true`` are tracks most of whose boxes are of something that moves there, of so many that moved in sight for two
seconds; errors are of their sightings, median and ninth decile, metres; ``in`` the share within the circle that was
told; speed RMSE in m/s and median heading error in degrees are of what moves by more than 0.5 m/s.
"""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from geolocation import documents_way

from sightline.estimation.circle import ce90_m
from sightline.estimation.constant_velocity import Noise
from sightline.formats.parquet import Parquet
from sightline.geodesy.attitude import wrapped
from sightline.geodesy.enu import enu_from_wgs84, wgs84_from_enu
from sightline.geometry.boxes import iou
from sightline.jobs.drone.options import DroneOptions
from sightline.jobs.drone.running import DroneJob, run
from sightline.locators.doubts import CONSUMER
from sightline.locators.state import followed, headings_rad, speeds_mps
from sightline.model.flight import Angles
from sightline.simulation.flight.faults import Faults
from sightline.simulation.flight.paths import ORIGIN, FlightPlan
from sightline.simulation.flight.rendered.film import FilmPlan
from sightline.simulation.flight.rendered.writing import Wrong, write

CASES = (
    ("orbit", 60, -45, "flat", -12, 0.5, "log_parser"),
    ("line", 60, -60, "flat", -165, -0.5, "airdata"),
    ("hover", 100, -45, "flat", -12, 0.5, "flight_reader"),
    ("line", 40, -90, "flat", -12, 0.5, "txt_log_to_csv"),
    ("orbit", 120, -30, "flat", -165, 0.5, "litchi"),
    ("climb", 60, -45, "slope", -12, 0.5, "flight_reader_metric"),
)


def filmed(case, folder):
    way, height, pitch, ground, off, late, dialect = case
    flight = FlightPlan(way, float(height), np.deg2rad(pitch), duration_s=28.0, recorded_s=(8.0, 24.0))
    plan = FilmPlan(flight, ground=ground, seed=height, n_people=14, n_vehicles=14, fps=10.0)
    wrong = Wrong(Faults(yaw_constant_rad=np.deg2rad(off), late_s=late, blip=True), CONSUMER, dialect)
    write(plan, folder, wrong, progress=lambda *_: None, stopped=lambda: False)


def pairs(tracks, truth):
    same = np.full(len(tracks), -1)
    for index in np.unique(tracks.frame_index):
        rows, there = np.flatnonzero(tracks.frame_index == index), np.flatnonzero(truth.frame_index == index)
        if len(there):
            overlap = iou(tracks.xyxy_px[rows], truth.xyxy_px[there])
            same[rows] = np.where(overlap.max(axis=1) > 0.2, there[overlap.argmax(axis=1)], -1)
    return same


def scored(places, xyz, truth, same, circle=None):
    """Errors of one way of placing, in words."""
    ok = (same >= 0) & np.isfinite(xyz).all(axis=1)
    there = same[ok]
    off = np.hypot(*(xyz[ok] - truth.extra["ground_enu_m"][there])[:, :2].T)
    inside = "" if circle is None else f"{100 * (off < circle[ok]).mean():5.0f} %"
    true = truth.extra["velocity_enu_mps"][there, :2]
    moves = np.hypot(*true.T) > 0.5
    speed = (speeds_mps(places)[ok] - np.hypot(*true.T))[moves]
    turned = np.abs(np.rad2deg(wrapped(headings_rad(places)[ok] - np.arctan2(*true.T))))[moves]
    rmse = np.sqrt(np.nanmean(speed**2))
    return f"{np.median(off):6.1f}/{np.quantile(off, 0.9):6.1f} {rmse:6.2f} {np.nanmedian(turned):6.1f} {inside}"


def tried(case, folder):
    filmed(case, folder)
    truth = Parquet().read(folder / "truth.parquet")
    options = DroneOptions(fov_deg=71.5, time_offset="auto", kf_learn=True)
    began = time.process_time()
    job = DroneJob(video=folder / "flight.mp4", log=folder / "log.csv", folder=folder / "out", options=options)
    result = run(job, lambda *_: None, lambda: False)
    spent = time.process_time() - began
    tracks, places = result.tracks, result.placed.positions
    xyz = enu_from_wgs84(ORIGIN, *wgs84_from_enu(places.origin, places.xyz_enu_m))
    same = pairs(tracks, truth)
    _, which = np.unique(tracks.number, return_inverse=True)
    real = np.bincount(which, same >= 0) / np.bincount(which) > 0.5
    seen = truth.rows((np.hypot(*truth.extra["velocity_enu_mps"][:, :2].T) > 0.5) & (truth.extra["visibility"] > 0.5))
    in_sight = int((np.bincount(seen.number) > 20).sum())
    met = len(np.unique(truth.number[same[same >= 0]]))
    late = result.story["log_from_video_s"] - 8.0
    print(
        f"{' '.join(map(str, case[:4])):22s} {case[4]:5d} {case[5]:+.1f} {case[6]:20s} found {met}/{in_sight}, "
        f"tracks {real.sum()} true {(~real).sum()} false; clock off {late:+.2f} s; "
        f"{1000 * spent / 160:.0f} ms a picture"
    )
    print(f"   ours       {scored(places, xyz, truth, same, ce90_m(places.cov_enu_m2[:, :2, :2]))}")
    flight = result.aim.flight
    level = Angles(flight.gimbal.yaw_rad, flight.gimbal.pitch_rad, np.nan_to_num(flight.gimbal.roll_rad))
    theirs = documents_way(replace(flight, gimbal=level), tracks, tracks.frame_index, 160)
    raw = replace(places, origin=None, xyz_enu_m=theirs)
    filtered = followed(raw, Noise(gate=None), smooth=False)
    print(f"   documents  {scored(filtered, filtered.xyz_enu_m, truth, same)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs="*", default=range(1, len(CASES) + 1), help="Which, from 1.")
    for number in parser.parse_args().cases:
        with tempfile.TemporaryDirectory() as folder:
            tried(CASES[number - 1], Path(folder))


if __name__ == "__main__":
    main()
