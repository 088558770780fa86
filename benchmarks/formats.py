"""A million rows written and read in every format, and what drawing adds to encoding.

``python benchmarks/formats.py [--rows 1000000]``

Processor seconds and megabytes per format, beside what the standard library takes for the same numbers: its csv module
for the tables (Parquet too), its json module for the JSON files; reading ends in columns of numbers on both sides.
Then a 1080p video with 30 boxes, labels and trails, beside encoding the same drawn pictures alone.
The numbers mean nothing for a few thousand rows, or where the machine swaps: JSON takes 1 to 2 kB a row while read.
"""

import argparse
import csv
import json
import resource
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from sightline import wiring
from sightline.formats import annotated_video
from sightline.formats.drawing import drawn
from sightline.formats.trails import Trails
from sightline.model.frame import Frame, Moment
from sightline.model.tracks import Tracks

COLUMNS = ("frame_index", "t_s", "number", "x1", "y1", "x2", "y2", "score", "label", "detection")


def made_up(n):
    """Sightings of a crowd, 40 in each picture."""
    random = np.random.default_rng(0)
    frame_index, number = np.divmod(np.arange(n), 40)
    corner = random.uniform(0, 1800, (n, 2)).round(2)
    boxes = np.hstack([corner, corner + random.uniform(10, 200, (n, 2)).round(2)])
    score, label = random.random(n).round(4), random.integers(0, 2, n)
    return Tracks(
        "gate", frame_index, frame_index / 25, number + 1, boxes, score, label, number, ("person", "car")
    )  # fmt: skip


def columns_of(tracks):
    values = (
        tracks.frame_index,
        tracks.t_s,
        tracks.number,
        *tracks.xyxy_px.T,
        tracks.score,
        tracks.label,
        tracks.detection,
    )
    return dict(zip(COLUMNS, values, strict=True))


def csv_written(tracks, path):
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(zip(*(column.tolist() for column in columns_of(tracks).values()), strict=True))


def csv_read(path):
    with path.open(newline="") as stream:
        rows = csv.reader(stream)
        names = next(rows)
        grid = np.array([[float(text) for text in row] for row in rows])
        return {name: grid[:, k] for k, name in enumerate(names)}


def json_written(tracks, path):
    columns = [column.tolist() for column in columns_of(tracks).values()]
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=True)]
    path.write_text(json.dumps(rows))


def json_read(path):
    rows = json.loads(path.read_text())
    return {name: np.array([row[name] for row in rows], float) for name in COLUMNS}


def cpu_s(action, *given):
    before = time.process_time()
    action(*given)
    return time.process_time() - before


def measured(name, write, read, tracks, path):
    wrote, took = cpu_s(write, tracks, path), cpu_s(read, path)
    return name, wrote, took, path.stat().st_size / 1e6


def tables(tracks, folder):
    """Each format beside its plain peer."""
    plain = {
        "csv module": measured("csv module", csv_written, csv_read, tracks, folder / "plain.csv"),
        "json module": measured("json module", json_written, json_read, tracks, folder / "plain.json"),
    }
    print(f"{'':14} {'write s':>8} {'read s':>8} {'MB':>7}   write and read, times the plain module's")
    for name, (_, wrote, took, size) in plain.items():
        print(f"{name:14} {wrote:8.2f} {took:8.2f} {size:7.1f}")
    for name in wiring.ENGINES["format"]:
        form = wiring.build("format", name, {})
        _, wrote, took, size = measured(name, form.write, form.read, tracks, folder / name)
        peer = "json module" if name in {"coco", "tracking_json"} else "csv module"
        ratios = f"{wrote / plain[peer][1]:.2f} and {took / plain[peer][2]:.2f} of the {peer}"
        print(f"{name:14} {wrote:8.2f} {took:8.2f} {size:7.1f}   {ratios}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")


def walkers(k, n=30):
    random = np.random.default_rng(1)
    corner = random.uniform((0, 150), (1800, 800), (n, 2)) + random.normal(0, 3, (n, 2)) * k
    boxes = np.hstack([corner, corner + np.array([60, 160])])
    seen = np.where(np.arange(n) % 6, 0, -1)
    same = np.full(n, k)
    return Tracks("gate", same, same / 25, np.arange(1, n + 1), boxes, np.ones(n), 0 * same, seen, ("person", "car"))


def scene(n):
    """A textured ground under a moving light."""
    random = np.random.default_rng(2)
    ground = cv2.GaussianBlur(random.integers(40, 200, (1080, 1920, 3), np.uint8), (0, 0), 4)
    for k in range(n):
        yield np.ascontiguousarray(np.roll(ground, 2 * k, axis=1))


def video(folder, n=100):
    """Drawing and encoding, beside encoding alone."""
    frames = [Frame(Moment("gate", k, k / 25), rgb) for k, rgb in enumerate(scene(n))]
    rows, trails, pictures = [walkers(k) for k in range(n)], Trails(2.0), []
    before = time.process_time()
    for frame, seen in zip(frames, rows, strict=True):
        trails.add(frame.moment.t_s, seen)
        pictures.append(Frame(frame.moment, drawn(frame.rgb, seen, trails.at(frame.moment.t_s))))
    drawing = time.process_time() - before

    def written(frames, rows, path):
        with annotated_video.AnnotatedVideo(path) as out:
            for frame, seen in zip(frames, rows, strict=True):
                out.add(frame, seen)

    everything = cpu_s(written, frames, rows, folder / "a.mp4")
    alone = cpu_s(written, pictures, [Tracks.none("gate")] * n, folder / "b.mp4")
    print(f"\n1080p with {len(rows[0])} people, CPU ms per picture: drawing {drawing / n * 1e3:.1f}, ", end="")
    print(
        f"encoding the drawn alone {alone / n * 1e3:.1f}, both {everything / n * 1e3:.1f} ({everything / alone:.2f}x)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        tables(made_up(asked.rows), Path(place))
        video(Path(place))
