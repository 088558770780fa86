"""How association grows: time per picture with 10, 100 and 500 objects, ours and roboflow ``trackers`` 2.6.1.

``python benchmarks/association.py [--pictures N] [--peers PYTHON]``

A made-up crowd at 30 pictures per second: people 60 px high walk at up to a height per second through a picture
that grows with their number (as dense as 100 people in 1920x1080), boxes tremble by 2 % of the height, one in ten
is missed, one false box per fifty. The same boxes go to all. Printed is the CPU time of ``update`` alone in
milliseconds per picture, one thread, the better of two runs, and the exponent p of time ~ objects^p from 100 to
500: 1 is in proportion, 2 is every pair looked at. The last line is ``refined`` on the 500's tracks.
Times of two runs say nothing about each other; ratios mean little while other work presses on the processor.
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

from sightline.model.detections import Detections
from sightline.model.frame import Moment
from sightline.model.tracks import Tracks
from sightline.trackers.offline import refined
from sightline.wiring import ENGINES, build

ROOT = Path(__file__).parents[1]
SIZES = (10, 100, 500)
FPS = 30.0
HEIGHT = 60.0
PEERS = {f"peer {kind}": [f"{kind}Tracker", {}] for kind in ("SORT", "ByteTrack", "OCSORT", "BoTSORT")}


def crowd(n, n_pictures):
    """Boxes seen in each picture, people walking straight and turning round at the edges."""
    rng = np.random.default_rng(n)
    size = np.array([1920.0, 1080.0]) * np.sqrt(n / 100)
    start, speed = rng.uniform(0, 1, (n, 2)) * size, rng.uniform(-HEIGHT, HEIGHT, (n, 2))
    for k in range(n_pictures):
        there = start + speed * k / FPS
        foot = size - np.abs(size - there % (2 * size))
        foot = np.vstack([foot[rng.uniform(size=n) > 0.1], rng.uniform(0, 1, (rng.poisson(n / 50), 2)) * size])
        box = np.hstack([foot - [0.2 * HEIGHT, HEIGHT], foot + np.array([0.2 * HEIGHT, 0])])
        yield box + rng.normal(0, 0.02 * HEIGHT, box.shape)


def ours(pictures, engine):
    """The better CPU time of two runs, and the tracks."""
    given = [Detections(b, np.full(len(b), 0.9), np.zeros(len(b), np.int64)) for b in pictures]
    best = np.inf
    for _ in range(2):
        tracker = build("tracker", engine, {})
        began = time.process_time()
        parts = [tracker.update(Moment("crowd", k, k / FPS), found) for k, found in enumerate(given)]
        best = min(best, time.process_time() - began)
    return best, Tracks.joined("crowd", parts)


def theirs(crowds, python):
    """The peers' CPU seconds by tracker and crowd."""
    with tempfile.TemporaryDirectory() as folder:
        out, table, sequences = Path(folder), {}, {}
        for n, pictures in crowds.items():
            lengths = [len(b) for b in pictures]
            table |= {f"{n}/boxes": np.concatenate(pictures), f"{n}/score": np.full(sum(lengths), 0.9)}
            table[f"{n}/frame"] = np.repeat(np.arange(len(pictures)), lengths)
            sequences[str(n)] = [FPS, len(pictures)]
        np.savez(out / "detections.npz", **table)
        jobs = {"detections": str(out / "detections.npz"), "out": folder, "trackers": PEERS, "times": 2}
        (out / "jobs.json").write_text(json.dumps(jobs | {"sequences": sequences}))
        command = [str(python), str(ROOT / "benchmarks" / "peers" / "trackers_run.py"), str(out / "jobs.json")]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=150)
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers" / "bin" / "python")
    asked = parser.parse_args()
    crowds = {n: list(crowd(n, asked.pictures)) for n in SIZES}
    rows, tracks = {}, Tracks.none("crowd")
    for engine in ENGINES["tracker"]:
        runs = [ours(crowds[n], engine) for n in SIZES]
        rows[engine], tracks = [cpu_s for cpu_s, _ in runs], runs[-1][1]
    rows |= {label: [cpu[str(n)] for n in SIZES] for label, cpu in theirs(crowds, asked.peers).items()}
    print(f"{'ms per picture':18s}" + "".join(f"{n:>9d}" for n in SIZES) + "   exponent 100 to 500")
    for label, cpu_s in rows.items():
        power = np.log(cpu_s[2] / cpu_s[1]) / np.log(SIZES[2] / SIZES[1])
        print(f"{label:18s}" + "".join(f"{1000 * x / asked.pictures:9.3f}" for x in cpu_s) + f"{power:12.2f}")
    began = time.process_time()
    refined(tracks)
    print(f"refined: {time.process_time() - began:.2f} s of CPU time for {len(tracks)} rows")


if __name__ == "__main__":
    main()
