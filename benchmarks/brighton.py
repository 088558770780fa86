"""Real photos of a drone: do two of them place the same ground at the same spot.

``python benchmarks/brighton.py``

18 photos straight down from 40 m (drone_dataset_brighton_beach), with what the aircraft wrote into them. Points found
in two photos (SIFT, checked by a homography) are placed from both; the median distance of the two places says how
well a pair agrees. It has no truth: what all photos get wrong together does not show. The CE90 of the difference of
two places should hold nine pairs in ten or more. Pictures 24 to 29 were turned by 180 degrees after they were taken.
"""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))

import json
from datetime import datetime
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np

from sightline.locators.doubts import ce90_m
from sightline.locators.ground import Ground
from sightline.locators.lenses import lens_of
from sightline.locators.pointing import Rule, pointing
from sightline.model.flight import UNKNOWN, Angles, Flight
from sightline.model.tracks import Tracks

SHARED = Path(os.environ.get("SIGHTLINE_SHARED", Path(__file__).parents[2] / "shared"))
TURNED = range(24, 30)
FEWEST = 40


def flight_of(rows):
    """The photos' own notes as a log: a row each."""

    def column(name):
        return np.array([float(row[name]) for row in rows])

    times = [datetime.strptime(row["time"] + "+0000", "%Y:%m:%d %H:%M:%S%z").timestamp() for row in rows]
    turned = np.array([int(row["file"][4:8]) in TURNED for row in rows])
    n, nothing = len(rows), np.full(len(rows), np.nan)
    gimbal = Angles(
        np.deg2rad(column("gimbal_yaw")) + np.pi * turned,
        np.deg2rad(column("gimbal_pitch")),
        np.deg2rad(column("gimbal_roll")),
    )
    return Flight(
        log="photos",
        t_s=np.array(times) - times[0],
        is_video_time=True,
        utc_ns=None,
        lat_deg=column("lat"),
        lon_deg=column("lon"),
        height_takeoff_m=column("rel_alt"),
        height_sea_m=column("abs_alt"),
        height_ellipsoid_m=nothing,
        height_ground_m=nothing,
        aircraft=Angles(np.deg2rad(column("flight_yaw")), nothing, nothing),
        gimbal=gimbal,
        gimbal_mode=np.full(n, UNKNOWN),
        velocity_enu_mps=np.full((n, 3), np.nan),
        is_recording=np.full(n, UNKNOWN),
        focal_35mm=column("f35"),
    )


def pairs(files):
    """Points that two photos share, for each two that share enough."""
    sift = cv2.SIFT_create(2000)
    seen = [sift.detectAndCompute(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE), None) for file in files]
    for a, b in combinations(range(len(files)), 2):
        near = cv2.BFMatcher().knnMatch(seen[a][1], seen[b][1], k=2)
        good = [first for first, second in near if first.distance < 0.7 * second.distance]
        if len(good) < FEWEST:
            continue
        here = np.array([seen[a][0][match.queryIdx].pt for match in good])
        there = np.array([seen[b][0][match.trainIdx].pt for match in good])
        _, mask = cv2.findHomography(here, there, cv2.RANSAC, 4.0)
        if mask is not None and mask.sum() >= FEWEST:
            yield a, b, here[mask.ravel() > 0], there[mask.ravel() > 0]


def main():
    folder = SHARED / "data" / "geo" / "brighton"
    rows = json.loads((folder / "images.json").read_text())
    files = [folder / f"{Path(row['file']).stem}_1600.jpg" for row in rows]
    flight = flight_of(rows)
    height, width = cv2.imread(str(files[0])).shape[:2]
    lens, how, _ = lens_of(width, height, flight=flight)
    ground = Ground(flight=flight, pointing=pointing(flight, Rule(yaw_source="gimbal")), lens=lens, anchor="foot")

    def placed(xy_px, k):
        n = np.zeros(len(xy_px), np.int64)
        t_s = np.full(len(xy_px), flight.t_s[k])
        return ground.locate(Tracks("photos", n, t_s, n + 1, np.hstack([xy_px, xy_px]), n + 1.0, n, n))

    apart, held = [], []
    for a, b, here, there in pairs(files):
        first, second = placed(here, a), placed(there, b)
        off = np.hypot(*(first.xyz_enu_m - second.xyz_enu_m)[:, :2].T)
        apart.append(float(np.median(off)))
        held.append(apart[-1] < np.median(ce90_m((first.cov_enu_m2 + second.cov_enu_m2)[:, :2, :2])))
    print(f"{len(apart)} pairs of {len(rows)} photos; lens by {how}")
    print(f"two places of one point are {np.median(apart):.2f} m apart (median), {np.quantile(apart, 0.9):.2f} m (p90)")
    print(f"{100 * np.mean(held):.0f} % of pairs lie inside the CE90 of the difference")


if __name__ == "__main__":
    main()
