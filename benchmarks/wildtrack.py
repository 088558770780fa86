"""Who is who on WILDTRACK's square, by places on the ground alone: ours beside the plain method, in one run.

``python benchmarks/wildtrack.py [--more] [--motmetrics PYTHON]``

Rows: MVDeTr's detections on the 40 test pictures; and the noisy protocol on all 400: from the true boxes of 7 views,
in order of pictures, cameras and boxes, drawn with ``default_rng(0)``: 10/25/40 % of the boxes are dropped, the middle
of the lower edge is shifted by normal noise of 2/4/6 % of width and height, and Poisson(.1/.3/.6) false feet per camera
and picture are put uniformly at x in 0..1920, y in 300..1080 inside the area. False boxes are as large as true ones
there, so that size tells nothing. No identities, no looks. Ours runs with its defaults, the same for every row.

Scores are IDF1 and CLEAR (matches within 1 m on the ground, inside the area of 12 x 36 m), from our own evaluation;
with ``--motmetrics``, a Python that has motmetrics 1.4 says the same of every row.
The plain method is the one of most projects: foot points, per picture complete-linkage clustering with one box per
camera, the mean, a Kalman filter of constant velocity, one assignment per picture (gate 1.5 m, 4 misses, at least two
cameras, clusters of 0.5 m for MVDeTr's boxes and 1.6 m for the noisy ones: its best).
Speed is pictures x cameras per second of CPU time, one thread, and its ratio is to the plain method in this run.

``--more`` asks whether that holds elsewhere: other seeds, halves of the recording, fewer cameras, places
without boxes, calibrations that are off.
The shared folder is SIGHTLINE_SHARED or ../shared beside the repository.
"""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from sightline.evaluation.places import Places
from sightline.evaluation.places import scored as compared
from sightline.geometry.warp import warped
from sightline.identifiers.ground import Ground
from sightline.locators.homography import Homography
from sightline.model.identities import Sightings
from sightline.model.tracks import Tracks
from sightline.model.view import View

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("SIGHTLINE_SHARED", ROOT.parent / "shared")) / "data" / "tracking"
STEP_S, LOW_M, HIGH_M = 0.5, np.array([-3.0, -9.0]), np.array([9.0, 27.0])
NOISE = {"noisy easy": (0.10, 0.02, 0.1), "noisy medium": (0.25, 0.04, 0.3), "noisy hard": (0.40, 0.06, 0.6)}
AIMS = {"MVDeTr": (94.5, 91.0), "noisy easy": (84, 89.2), "noisy medium": (65, 69.3), "noisy hard": (45, 46.4)}


def views():
    said = json.loads((DATA / "MVDeTr/wildtrack_metainfo.json").read_text())["sequence1"]
    to_metres = np.diag([100.0, 100.0, 1.0])
    return [View(f"C{k + 1}", 1920, 1080, np.array(h) @ to_metres) for k, h in enumerate(said["homography"])]


def truth():
    """Places (picture, person, x, y) and boxes (picture, camera, left, top, right, bottom)."""
    places, boxes = [], []
    for k, path in enumerate(sorted((DATA / "WILDTRACK/annotations_positions").glob("*.json"))):
        for person in json.loads(path.read_text()):
            cell = np.array([person["positionID"] % 480, person["positionID"] // 480])
            places.append((k, person["personID"], *(LOW_M + 0.025 * cell)))
            boxes += [
                (k, v["viewNum"], v["xmin"], v["ymin"], v["xmax"], v["ymax"])
                for v in person["views"]
                if v["xmax"] > v["xmin"] >= 0
            ]
    return np.array(places), np.array(boxes, float)


def mvdetr():
    said = json.loads((DATA / "MVDeTr/MVDeTr_test.json").read_text())
    return np.array([(int(k), c, x, y, x + w, y + h) for k, v in said.items() for x, y, w, h, _, c in v], float)


def inside(xy_m):
    return ((xy_m >= LOW_M) & (xy_m <= HIGH_M)).all(axis=1)


def noisy(boxes, level, cameras, seed=0):
    """The noisy protocol."""
    dropped, shift, n_false = NOISE[level]
    rng, rows = np.random.default_rng(seed), []
    sizes = [person_sizes(boxes[boxes[:, 1] == c]) for c in range(len(cameras))]
    for k in np.unique(boxes[:, 0]):
        for c, view in enumerate(cameras):
            for box in boxes[(boxes[:, 0] == k) & (boxes[:, 1] == c)]:
                if rng.random() >= dropped:
                    by = rng.normal(0, shift, 2) * (box[4:] - box[2:4])
                    rows.append((k, c, *(box[2:] + np.tile(by, 2))))
            for _ in range(rng.poisson(n_false)):
                foot = np.zeros(2)
                while not inside(warped(np.linalg.inv(view.px_from_enu), foot[None])).all():
                    foot = rng.uniform([0, 300], [1920, 1080])
                height = max(sizes[c][0] @ [1, foot[1], foot[1] ** 2], 20.0)
                half = sizes[c][1] * height / 2
                rows.append((k, c, foot[0] - half, foot[1] - height, foot[0] + half, foot[1]))
    return np.array(rows)


def person_sizes(boxes):
    """How high people are, as a curve of the row of their feet; and how wide for their height."""
    height, foot = boxes[:, 5] - boxes[:, 3], boxes[:, 5]
    curve = np.linalg.lstsq(np.stack([np.ones_like(foot), foot, foot**2], axis=1), height)[0]
    return curve, np.median((boxes[:, 4] - boxes[:, 2]) / height)


def sighted(boxes, cameras, left_out=()):
    """What our engines are given."""
    parts = []
    for c, view in enumerate(cameras):
        mine = boxes[(boxes[:, 1] == c) & (c not in left_out)]
        none, zero = np.full(len(mine), -1), np.zeros(len(mine), np.int64)
        index = mine[:, 0].astype(np.int64)
        tracks = Tracks(view.camera, index, index * STEP_S, none, mine[:, 2:], np.ones(len(mine)), zero, none)
        locator = Homography(view=view)
        if c not in left_out:
            parts.append(Sightings.of(tracks, locator.locate(tracks), locator.whole(tracks.xyxy_px)))
    return Sightings.joined(parts)


def ours(boxes, cameras, left_out=(), *, bare=False):
    """Rows (picture, number, x, y), and CPU seconds; ``bare``: only places, all known alike, no views."""
    began = time.process_time()
    sightings = sighted(boxes, cameras, left_out)
    if bare:
        n = len(sightings)
        columns = {name: getattr(sightings, name) for name in Sightings.__slots__}
        columns |= {"cov_enu_m2": np.tile(0.1 * np.eye(2), (n, 1, 1)), "whole": np.ones(n, bool)}
        paths = Ground().identify(Sightings(**columns)).paths
    else:
        paths = Ground(views={view.camera: view for view in cameras}).identify(sightings).paths
    cpu_s = time.process_time() - began
    rows = np.column_stack([np.rint(paths.t_s / STEP_S), paths.number, paths.xy_enu_m])
    return rows[inside(paths.xy_enu_m)], cpu_s


def plain(boxes, cameras, apart_m):
    """The plain method's rows and CPU seconds."""
    began = time.process_time()
    feet = np.column_stack([(boxes[:, 2] + boxes[:, 4]) / 2, boxes[:, 5]])
    xy_m = np.zeros((len(boxes), 2))
    for c, view in enumerate(cameras):
        xy_m[boxes[:, 1] == c] = warped(np.linalg.inv(view.px_from_enu), feet[boxes[:, 1] == c])
    found = followed_plainly(boxes[:, 0], boxes[:, 1], xy_m, apart_m)
    cpu_s = time.process_time() - began
    return found[inside(found[:, 2:])], cpu_s


def followed_plainly(moment, camera, all_xy_m, apart_m, step_s=STEP_S, at_least=2):
    """Rows (moment, number, x, y) by a Kalman filter of constant velocity and one assignment per moment.

    People are let go unseen for 2.5 s.
    """
    step = np.eye(4) + step_s * np.eye(4, k=2)
    noise = 0.5**2 * np.kron([[step_s**3 / 3, step_s**2 / 2], [step_s**2 / 2, step_s]], np.eye(2))
    mean, cov, numbers, missed, rows, n_numbers = np.zeros((0, 4)), np.zeros((0, 4, 4)), [], [], [], 0
    for k in np.unique(moment):
        here = moment == k
        places = grouped(all_xy_m[here], camera[here], apart_m, at_least)
        mean, cov = mean @ step.T, step @ cov @ step.T + noise
        off = np.linalg.norm(mean[:, None, :2] - places, axis=2)
        pairs = [(i, j) for i, j in zip(*linear_sum_assignment(np.minimum(off, 1.5)), strict=True) if off[i, j] < 1.5]
        missed = [m + 1 for m in missed]
        for i, j in pairs:
            gain = cov[i][:, :2] @ np.linalg.inv(cov[i][:2, :2] + 0.04 * np.eye(2))
            mean[i] += gain @ (places[j] - mean[i, :2])
            cov[i] -= gain @ cov[i][:2]
            missed[i] = 0
            rows.append((k, numbers[i], *mean[i, :2]))
        new = [j for j in range(len(places)) if j not in {j for _, j in pairs}]
        stay = [i for i in range(len(mean)) if missed[i] * step_s <= 2]
        mean = np.concatenate([mean[stay], np.column_stack([places[new], np.zeros((len(new), 2))])])
        cov = np.concatenate([cov[stay], np.tile(np.diag([0.04, 0.04, 1, 1]), (len(new), 1, 1))])
        numbers = [numbers[i] for i in stay] + list(range(n_numbers, n_numbers + len(new)))
        missed = [missed[i] for i in stay] + [0] * len(new)
        rows += [(k, n_numbers + m, *places[j]) for m, j in enumerate(new)]
        n_numbers += len(new)
    return np.array(rows).reshape(-1, 4)


def grouped(xy_m, camera, apart_m, at_least=2):
    """Means of groups by complete linkage, no camera twice in one, of at least so many cameras."""
    apart = np.linalg.norm(xy_m[:, None] - xy_m, axis=2)
    apart[(camera[:, None] == camera) | np.eye(len(camera), dtype=bool)] = np.inf
    groups = {i: [i] for i in range(len(camera))}
    while len(apart) and apart.min() < apart_m:
        i, j = divmod(int(apart.argmin()), len(camera))
        groups[i] += groups.pop(j)
        apart[i] = apart[:, i] = np.maximum(apart[i], apart[j])
        apart[j] = apart[:, j] = np.inf
    means = [xy_m[rows].mean(axis=0) for rows in groups.values() if len(rows) >= at_least]
    return np.array(means).reshape(-1, 2)


def scored(places, found):
    """IDF1, MOTA and MODA in percent, and id switches; matches within 1 m."""
    truth, said = (Places(rows[:, 0].astype(int), rows[:, 1].astype(int), rows[:, 2:]) for rows in (places, found))
    scores = compared(truth, said)
    mota = 100 * scores.mota
    return 100 * scores.idf1, mota, mota + 100 * scores.n_switches / len(places), scores.n_switches


def asked(python, places, found):
    """What motmetrics says of the same."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "rows.npz", truth=places, found=found)
        script = ROOT / "benchmarks" / "peers" / "motmetrics_scores.py"
        command = [str(python), str(script), str(Path(folder) / "rows.npz")]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def printed(label, scores, note=""):
    idf1, mota, moda, idsw = scores
    print(f"{label:34s}{idf1:7.1f}{mota:7.1f}{moda:7.1f}{idsw:6d}  {note}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--more", action="store_true")
    parser.add_argument("--motmetrics", type=Path)
    given = parser.parse_args()
    cameras = views()
    places, boxes = truth()
    rows = {"MVDeTr": mvdetr()} | {level: noisy(boxes, level, cameras) for level in NOISE}
    print(f"{'':34s}{'IDF1':>7s}{'MOTA':>7s}{'MODA':>7s}{'IDSW':>6s}")
    for name, seen in rows.items():
        own = places[np.isin(places[:, 0], seen[:, 0])]
        looks = len(np.unique(own[:, 0])) * len(cameras)
        basis, basis_s = plain(seen, cameras, 0.5 if name == "MVDeTr" else 1.6)
        found, cpu_s = ours(seen, cameras)
        printed(f"{name}, plain", scored(own, basis), f"{looks / basis_s:.0f} per CPU second")
        idf1, mota = AIMS[name]
        note = f"{looks / cpu_s:.0f} per CPU second, {basis_s / cpu_s:.2f} of plain's   (at least {idf1}, {mota})"
        printed(f"{name}, ours", scored(own, found), note)
        if given.motmetrics:
            print(f"    motmetrics: {asked(given.motmetrics, own, found)}")
    if given.more:
        more(places, boxes, cameras)


def more(places, boxes, cameras):
    """Whether it holds elsewhere."""
    for level in NOISE:
        for seed in (1, 2, 3):
            printed(f"{level}, seed {seed}", scored(places, ours(noisy(boxes, level, cameras, seed), cameras)[0]))
        seen = noisy(boxes, level, cameras)
        for half, (first, end) in {"first": (0, 200), "second": (200, 400)}.items():
            part, own = (x[(x[:, 0] >= first) & (x[:, 0] < end)] for x in (seen, places))
            printed(f"{level}, {half} half", scored(own, ours(part, cameras)[0]))
        for left_out in ((1,), (0, 2), (1, 3, 5)):
            label = f"{level}, without {', '.join(cameras[c].camera for c in left_out)}"
            printed(label, scored(places, ours(seen, cameras, left_out)[0]))
        printed(f"{level}, bare places", scored(places, ours(seen, cameras, bare=True)[0]))
    rng = np.random.default_rng(1)
    for off_m in (0.3, 0.5, 0.8):
        moved = [
            View(v.camera, v.width, v.height, v.px_from_enu @ np.array([[1, 0, x], [0, 1, y], [0, 0, 1]]))
            for v, (x, y) in zip(cameras, rng.normal(0, off_m, (len(cameras), 2)), strict=True)
        ]
        label = f"cameras moved by {off_m} m"
        printed(f"noisy medium, {label}", scored(places, ours(noisy(boxes, "noisy medium", cameras), moved)[0]))
        printed(f"MVDeTr, {label}", scored(places[places[:, 0] >= 360], ours(mvdetr(), moved)[0]))
    own = places[places[:, 0] >= 360]
    for left_out in ((1,), (0, 2), (1, 3, 5)):
        label = f"MVDeTr, without {', '.join(cameras[c].camera for c in left_out)}"
        printed(label, scored(own, ours(mvdetr(), cameras, left_out)[0]))
    printed("MVDeTr, bare places", scored(own, ours(mvdetr(), cameras, bare=True)[0]))
    printed("true boxes", scored(places, ours(boxes, cameras)[0]))


if __name__ == "__main__":
    main()
