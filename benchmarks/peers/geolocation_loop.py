"""Places, filters and smooths detections one after the other, as a script would: pymap3d 3.2 and filterpy 2.0.

``python geolocation_loop.py JOB.npz``: prints processor seconds and count, leaves ``result.npz`` beside the job.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pymap3d
from filterpy.kalman import KalmanFilter


def main():
    path = Path(sys.argv[1])
    job = dict(np.load(path))
    began = time.process_time()
    lats, lons = [], []
    for number in np.unique(job["number"]):
        rows = np.flatnonzero(job["number"] == number)
        means, covs, turns, noises = [], [], [], []
        kf, last = None, 0.0
        for row in rows:
            picture = job["picture"][row]
            u, v = (job["foot"][row] - job["centre"]) / job["focal"]
            ray = job["ned_from_cam"][picture] @ np.array([u, v, 1.0])
            lat, lon, height = job["eye"][:, picture]
            length = (height - job["home"][2]) / ray[2]
            north, east, down = pymap3d.geodetic2ned(lat, lon, height, *job["home"])
            place = np.array([north, east, down]) + length * ray
            fall = (place[0] ** 2 + place[1] ** 2) / (2 * 6_371_000.0)
            length = (-down + fall) / ray[2]
            place = np.array([north, east, down]) + length * ray
            t_s = job["t_s"][row]
            if kf is None:
                kf = KalmanFilter(dim_x=6, dim_z=3)
                kf.x = np.concatenate([place, np.zeros(3)])
                kf.P = np.diag([25.0] * 3 + [4.0] * 3)
                kf.R = np.diag([25.0, 25.0, 4.0])
                kf.H = np.eye(3, 6)
                kf.F, kf.Q = np.eye(6), np.zeros((6, 6))
            else:
                dt = t_s - last
                kf.F = np.eye(6)
                kf.F[:3, 3:] = dt * np.eye(3)
                g = np.concatenate([dt * dt / 2 * np.eye(3), dt * np.eye(3)])
                kf.Q = 0.25 * g @ g.T
                kf.predict()
                kf.update(place)
            last = t_s
            means.append(kf.x.copy())
            covs.append(kf.P.copy())
            turns.append(kf.F.copy())
            noises.append(kf.Q.copy())
        smooth, _, _, _ = kf.rts_smoother(np.array(means), np.array(covs), turns, noises)
        for place in smooth:
            lat, lon, _ = pymap3d.ned2geodetic(*place[:3], *job["home"])
            lats.append(lat)
            lons.append(lon)
    cpu_s = time.process_time() - began
    np.savez(path.with_name("result.npz"), lat=np.array(lats), lon=np.array(lons))
    print(json.dumps({"cpu_s": cpu_s, "n": len(lats)}))


if __name__ == "__main__":
    main()
