"""How well things seen from a drone are placed, how honest the doubt is, and what it costs.

``python benchmarks/geolocation.py [--trials N] [--peers PYTHON]``

All of it is simulated flights with exact truth (``sightline.simulation.flight``), read back as ``Flight``.
1. Without noise, logged 50 times a second: the largest error of any sighting. Must be below a centimetre on level
   ground; a hill is given as a grid of 1 m, which adds its own few millimetres.
2. With the noise of a consumer drone (GPS 2 m per axis, height 1.5 m, ground 2 m, yaw 2 degrees, pitch 0.5, roll 0.3,
   boxes 3 px, focal length 1 %, clock 0.15 s; constant over a flight but for half of the boxes' noise): the median
   error (CEP50), the error that nine of ten stay below (CE90), both of sightings near the middle of the picture,
   and how many of all sightings lie inside the CE90 that was told with them (90 % would be right).
   The budget beside it was computed elsewhere, for the middle pixel.
3. Faults: a constant in the gimbal's yaw, the recording flag half a second late or early, a blip, a gap, rows at 0/0.
   Ours beside the documents' way (raw gimbal yaw, box centre, rows of the log spread evenly over the recorded ones,
   depth scaled by height; its depth is given without error), on the same data.
4. Speeds and headings of moving things, from the same places: the documents' forward filter, and smoothed.
5. A million detections placed, filtered and smoothed, against a loop over objects with pymap3d and filterpy, by
   processor time in the same run; the peer does a slice and is scaled up. The peer computes no covariance of places.
"""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))

import argparse
import json
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from sightline.estimation.constant_velocity import Noise
from sightline.estimation.lag import matched
from sightline.flight_logs.recordings import aligned
from sightline.flight_logs.telling import log_name
from sightline.geodesy.attitude import enu_from_cam, wrapped
from sightline.geodesy.enu import enu_from_wgs84, wgs84_from_enu
from sightline.geometry.camera import intrinsics
from sightline.locators.doubts import Doubts, ce90_m
from sightline.locators.ground import Ground
from sightline.locators.pointing import Rule, pointing
from sightline.locators.state import followed, headings_rad, noise_of, speeds_mps
from sightline.model.lens import Lens
from sightline.model.tracks import Tracks
from sightline.simulation.flight.faults import Faults, faulty, noisy, rows_of, shaken
from sightline.simulation.flight.logs import DIALECTS, write
from sightline.simulation.flight.paths import ORIGIN, FlightPlan
from sightline.simulation.flight.things import paths, seen, terrain
from sightline.wiring import build

ROOT = Path(__file__).parents[1]
LENS = Lens.pinhole(1280, 720, intrinsics(1280, 720, np.deg2rad(71.5)))
PICTURES_S = np.arange(0.05, 27.9, 0.4)
WAYS, SHAPES = ("hover", "line", "orbit", "climb"), ("flat", "slope", "hill")
HEIGHTS_M, PITCHES_DEG = (30, 60, 120), (-90, -60, -45, -30)
BUDGET = {
    (30, -90): "2.5/4.5", (30, -60): "2.8/5.1", (30, -45): "3.3/6.2", (30, -30): "4.4/8.7",
    (60, -90): "2.5/4.5", (60, -60): "3.0/5.4", (60, -45): "3.8/6.9", (60, -30): "5.6/10.3",
    (120, -90): "2.6/4.8", (120, -60): "3.6/6.6", (120, -45): "5.1/9.3", (120, -30): "8.3/15.2",
}  # fmt: skip
DOUBTS = Doubts()


def plan(way, height, pitch_deg):
    return FlightPlan(way, float(height), np.deg2rad(pitch_deg))


def world(planned, shape="flat", n=15, seed=1, pictures_s=PICTURES_S):
    return seen(planned, LENS, paths(n, planned, np.random.default_rng(seed)), pictures_s, shape)


def metres(positions, wanted):
    """Errors east and north; both are counted from the flight's true origin."""
    lat, lon, up = wgs84_from_enu(positions.origin, positions.xyz_enu_m)
    return (enu_from_wgs84(ORIGIN, lat, lon, up) - wanted)[:, :2]


def located(flight, tracks, shift_s, **options):
    options = {"lens": LENS, "anchor": "foot", "log_from_video_s": shift_s} | options
    return Ground(flight=flight, pointing=pointing(flight), **options).locate(tracks)


def noise_free():
    print("1. without noise: largest error, metres")
    for shape in SHAPES:
        worst = 0.0
        for way in WAYS:
            for height in HEIGHTS_M:
                for pitch in PITCHES_DEG:
                    planned = plan(way, height, pitch)
                    there = world(planned, shape)
                    ground = 0.0 if shape == "flat" else terrain(shape, 1.0)
                    found = located(planned.log(50.0), there.tracks, planned.recorded_s[0], ground=ground)
                    worst = max(worst, float(np.nanmax(np.abs(found.xyz_enu_m - there.xyz_enu_m)[:, :2])))
        print(f"   {shape:6s} {worst:.4f}")


def trial(planned, there, rng, shape):
    """Errors of one flight with noise, which rows are near the middle, and which lie in their circle."""
    flight = noisy(planned.log(), DOUBTS, rng)
    tracks = shaken(there.tracks, DOUBTS, rng)
    longer = 1 + rng.normal(0, DOUBTS.focal)
    lens = Lens.pinhole(1280, 720, LENS.px_from_cam * [[longer, 1, 1], [1, longer, 1], [1, 1, 1]])
    late = planned.recorded_s[0] + rng.normal(0, DOUBTS.time_s)
    level = float(rng.normal(0, DOUBTS.ground_m))
    ground = level
    if shape != "flat":
        shaped = terrain(shape, 8.0)
        ground = replace(shaped, up_m=shaped.up_m + level)
    found = located(flight, tracks, late, lens=lens, ground=ground)
    error = metres(found, there.xyz_enu_m)
    inside = np.hypot(*error.T) < ce90_m(found.cov_enu_m2[:, :2, :2])
    box = there.tracks.xyxy_px
    middle = (np.abs(box[:, 3] - 360) < 90) & (np.abs(box[:, [0, 2]].mean(axis=1) - 640) < 160)
    return error[found.is_known], middle[found.is_known], inside[found.is_known]


def accuracy(trials):
    print("\n2. with noise: CEP50/CE90 of sightings near the middle, metres (budget), and coverage of all sightings")
    print(f"   {'m up':>5s}" + "".join(f"{f'{p} deg':>25s}" for p in PITCHES_DEG))
    rng, every = np.random.default_rng(7), []
    for height in HEIGHTS_M:
        cells = []
        for pitch in PITCHES_DEG:
            parts = []
            for way in WAYS:
                planned = plan(way, height, pitch)
                there = world(planned)
                parts += [trial(planned, there, rng, "flat") for _ in range(trials)]
            error, middle, inside = (np.concatenate(column) for column in zip(*parts, strict=True))
            off = np.hypot(*error[middle].T)
            every.append(inside)
            found = f"{np.median(off):.1f}/{np.quantile(off, 0.9):.1f}"
            cells.append(f"{found} ({BUDGET[height, pitch]}) {100 * inside.mean():.0f} %")
        print(f"   {height:5d}" + "".join(f"{cell:>25s}" for cell in cells))
    print(f"   coverage of all: {100 * np.concatenate(every).mean():.1f} %")
    for shape in SHAPES[1:]:
        planned = plan("orbit", 60, -45)
        there = world(planned, shape)
        parts = [trial(planned, there, rng, shape) for _ in range(trials)]
        error, middle, inside = (np.concatenate(column) for column in zip(*parts, strict=True))
        off = np.hypot(*error[middle].T)
        found = f"{np.median(off):.1f}/{np.quantile(off, 0.9):.1f}"
        print(f"   {shape}, orbit at 60 m, -45 deg: {found}, coverage {100 * inside.mean():.0f} %")


def documents_way(flight, tracks, picture_of_row, n_pictures):
    """Places by the documents' way: rows of the log spread over pictures, raw gimbal yaw, depth along the axis."""
    on = np.flatnonzero(flight.is_recording == 1)
    rows = on[np.round(np.linspace(0, len(on) - 1, n_pictures)).astype(int)][picture_of_row]
    angles = flight.gimbal
    turn = enu_from_cam(angles.yaw_rad[rows], angles.pitch_rad[rows], angles.roll_rad[rows])
    box = tracks.xyxy_px
    foot = (np.column_stack([box[:, [0, 2]].mean(axis=1), box[:, 3]]) - LENS.centre_px) / LENS.focal_px
    centre = ((box[:, :2] + box[:, 2:]) / 2 - LENS.centre_px) / LENS.focal_px
    ones = np.ones((len(box), 1))
    sink = -np.einsum("nj,nj->n", turn[:, 2], np.concatenate([foot, ones], axis=1))
    depth = flight.height_takeoff_m[rows] / np.where(sink > 0.02, sink, np.nan)
    lat, lon = (np.nan_to_num(column[rows]) for column in (flight.lat_deg, flight.lon_deg))
    eye = enu_from_wgs84(ORIGIN, lat, lon, ORIGIN.height_m + flight.height_takeoff_m[rows])
    return eye + depth[:, None] * np.einsum("nij,nj->ni", turn, np.concatenate([centre, ones], axis=1))


def shifted(flight, late_s):
    """The log whose clock runs on, while the video begins elsewhere: its flag is late by so much."""
    return replace(
        flight, is_recording=np.interp(flight.t_s - late_s, flight.t_s, flight.is_recording).round().astype(np.int64)
    )


def yaw_rates(planned, t_s, rng):
    """What a look at the pictures would tell of the camera's turning: yaw and pitch, with noise."""
    step = 0.05
    yaw = wrapped(planned.yaw_rad(t_s + step) - planned.yaw_rad(t_s - step)) / (2 * step)
    return np.stack([yaw, np.zeros(len(t_s))], axis=1) + rng.normal(0, np.deg2rad(0.15), (len(t_s), 2))


def told_rates(flight):
    looks = pointing(flight)
    return np.stack([np.gradient(angle, flight.t_s) for angle in (looks.yaw_rad, looks.pitch_rad)], axis=1)


def faults():
    print("\n3. faults: median and 90th percentile of the error, metres; no other noise; 60 m up, -45 degrees")
    print(f"   {'fault':34s}{'path':8s}{'ours':>14s}{'with auto sync':>18s}{'documents':>16s}")
    cases = {
        "none": Faults(),
        "gimbal yaw -12 degrees": Faults(yaw_constant_rad=np.deg2rad(-12)),
        "gimbal yaw -165 degrees": Faults(yaw_constant_rad=np.deg2rad(-165)),
        "flag 0.5 s late": Faults(late_s=0.5),
        "flag 0.5 s early": Faults(late_s=-0.5),
        "blip before the recording": Faults(blip=True),
        "gap of 6 s": Faults(gap_s=6.0),
        "20 rows at 0/0": Faults(zeroes=20),
        "all, yaw -12": Faults(np.deg2rad(-12), 0.5, True, 6.0, 20),
    }
    for name, wrong in cases.items():
        for way in ("hover", "orbit"):
            rng = np.random.default_rng(11)
            planned = plan(way, 60, -45)
            there = world(planned)
            flight = faulty(planned.log(), wrong if wrong.late_s >= 0 else replace(wrong, late_s=0.0), rng)
            if wrong.late_s < 0:
                flight = shifted(flight, wrong.late_s)
            at = aligned(flight, planned.recorded_s[1] - planned.recorded_s[0]).log_from_video_s
            ours = located(flight, there.tracks, at)
            pictures = np.arange(PICTURES_S[0], PICTURES_S[-1], 0.2)
            turned = yaw_rates(planned, planned.recorded_s[0] + pictures, rng)
            match = matched(pictures, turned, flight.t_s - at, told_rates(flight))
            synced = located(flight, there.tracks, at + match.offset_s) if match.is_sure else None
            theirs = documents_way(flight, there.tracks, there.tracks.frame_index, len(PICTURES_S))
            sure = "not sure" if synced is None else told(metres(synced, there.xyz_enu_m))
            plain, documents = told(metres(ours, there.xyz_enu_m)), told((theirs - there.xyz_enu_m)[:, :2])
            print(f"   {name:34s}{way:8s}{plain:>14s}{sure:>18s}{documents:>16s}")


def dialects():
    print("\n   the same from files: yaw -12 degrees, a blip, 20 rows at 0/0; orbit, 60 m up, -45 degrees")
    planned = plan("orbit", 60, -45)
    there = world(planned)
    wrong = Faults(yaw_constant_rad=np.deg2rad(-12), blip=True, zeroes=20)
    flight = faulty(planned.log(), wrong, np.random.default_rng(11))
    recorded = rows_of(flight, flight.t_s >= planned.recorded_s[0])
    with tempfile.TemporaryDirectory() as folder:
        for dialect in DIALECTS:
            path = Path(folder) / ("log.srt" if dialect == "srt" else f"{dialect}.csv")
            if dialect == "srt":  # subtitles begin with the video, and have no aircraft to hold the gimbal against
                write(path, replace(recorded, t_s=recorded.t_s - planned.recorded_s[0]), dialect)
            else:
                write(path, flight, dialect)
            found = build("flight_log", log_name(path), {}).read(path)
            at = aligned(found, planned.recorded_s[1] - planned.recorded_s[0]).log_from_video_s
            rule = Rule(yaw_offset_deg=12.0) if dialect == "srt" else Rule()
            ground = Ground(flight=found, pointing=pointing(found, rule), lens=LENS, log_from_video_s=at, anchor="foot")
            print(f"   {dialect:24s}{told(metres(ground.locate(there.tracks), there.xyz_enu_m)):>14s}")


def told(error):
    off = np.hypot(*error.T)
    return f"{np.nanmedian(off):.2f}/{np.nanquantile(off, 0.9):.2f}"


def speeds():
    print("\n4. moving things, 60 m up, noise of 2: speed RMSE and bias m/s, heading error (median) degrees")
    rng = np.random.default_rng(3)
    kinds = {
        "documents: forward, 0.5, 5": (Noise(gate=None), False),
        "0.5, 5, smoothed (default)": (Noise(), True),
        "0.5, 1, smoothed": (Noise(sigma_meas_h=1.0), True),
        "1, 0.5, smoothed": (Noise(sigma_a=1.0, sigma_meas_h=0.5), True),
        "as the paths show, smoothed": (None, True),
    }
    scores = {name: [] for name in kinds}
    pictures = np.arange(0.05, 27.9, 0.2)
    for pitch in (-90, -60, -45):
        for way in WAYS:
            planned = plan(way, 60, pitch)
            there = world(planned, pictures_s=pictures)
            late_s = planned.recorded_s[0] + rng.normal(0, DOUBTS.time_s)
            found = located(noisy(planned.log(), DOUBTS, rng), shaken(there.tracks, DOUBTS, rng), late_s)
            moves = (there.tracks.number - 1) % 3 != 0
            true = np.hypot(*there.velocity_enu_mps[:, :2].T)
            way_true = np.arctan2(*there.velocity_enu_mps[:, :2].T)
            for name, (noise, smooth) in kinds.items():
                state = followed(found, noise or noise_of(found), smooth=smooth)
                off = speeds_mps(state) - true
                turned = np.abs(np.rad2deg(wrapped(headings_rad(state) - way_true)))
                scores[name].append((off[moves & found.is_known], turned[moves & found.is_known]))
    for name, parts in scores.items():
        off, turned = (np.concatenate(column) for column in zip(*parts, strict=True))
        print(f"   {name:32s}{np.sqrt((off**2).mean()):6.2f} {off.mean():+6.2f} {np.nanmedian(turned):7.1f}")


def speed(peers):
    print("\n5. a million detections")
    n_tracks, n_pictures = 2000, 500
    planned = plan("orbit", 60, -45)
    rng = np.random.default_rng(0)
    t_s = np.repeat(np.arange(n_pictures) * 0.05 + 0.5, n_tracks)
    number = np.tile(np.arange(n_tracks) + 1, n_pictures)
    foot = np.tile(rng.uniform([50, 250], [1230, 700], (n_tracks, 2)), (n_pictures, 1)) + rng.normal(
        0, 2, (len(t_s), 2)
    )
    box = np.column_stack([foot[:, 0] - 9, foot[:, 1] - 40, foot[:, 0] + 9, foot[:, 1]])
    nothing = np.zeros(len(t_s), np.int64)
    picture = np.repeat(np.arange(n_pictures), n_tracks)
    tracks = Tracks("drone", picture, t_s, number, box, nothing + 1.0, nothing, nothing)
    flight = planned.log()
    parts = []
    for _ in range(2):
        began = time.process_time()
        ground = Ground(flight=flight, pointing=pointing(flight), lens=LENS, log_from_video_s=8.0, anchor="foot")
        found = ground.locate(tracks)
        placed = time.process_time()
        state = followed(found, Noise(gate=None))
        filtered = time.process_time()
        lat, lon, _ = wgs84_from_enu(state.origin, state.xyz_enu_m)
        ce90_m(state.cov_enu_m2[:, :2, :2])
        parts.append((placed - began, filtered - placed, time.process_time() - filtered))
    ours = min(parts, key=sum)
    seen_by, few = ground.eyes(np.unique(t_s)), number <= 20
    ned_from_enu = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]])
    job = {
        "foot": foot[few],
        "number": number[few],
        "t_s": t_s[few],
        "picture": picture[few],
        "focal": LENS.focal_px[0],
    }
    job |= {"eye": np.array(wgs84_from_enu(found.origin, seen_by.eye_enu_m)), "centre": LENS.centre_px}
    job |= {"ned_from_cam": ned_from_enu @ seen_by.enu_from_cam}
    job |= {"home": [found.origin.lat_deg, found.origin.lon_deg, found.origin.height_m]}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.npz"
        np.savez(path, **job)
        command = [str(peers), str(ROOT / "benchmarks" / "peers" / "geolocation_loop.py"), str(path)]
        peer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        theirs = dict(np.load(Path(folder) / "result.npz"))
    order = np.lexsort((t_s[few], number[few]))
    apart_deg = np.hypot(lat[few][order] - theirs["lat"], lon[few][order] - theirs["lon"])
    total = sum(ours)
    scaled = peer["cpu_s"] * len(t_s) / peer["n"]
    parts = f"placed {ours[0]:.2f}, filtered and smoothed {ours[1]:.2f}, degrees and CE90 {ours[2]:.2f}"
    print(f"   ours {total:.2f} s of processor: {parts}")
    print(f"   loop with pymap3d and filterpy: {peer['cpu_s']:.2f} s for {peer['n']}, {scaled:.0f} s for a million")
    print(f"   ratio {scaled / total:.0f}")
    print(f"   largest difference of the two: {apart_deg.max() * 111_320:.4f} m")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers" / "bin" / "python")
    asked = parser.parse_args()
    noise_free()
    accuracy(asked.trials)
    faults()
    dialects()
    speeds()
    speed(asked.peers)


if __name__ == "__main__":
    main()
