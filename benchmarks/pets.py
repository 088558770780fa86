"""PETS09-S2L1 from the MP4 to scored tracks, at its true 7 frames per second.

``python benchmarks/pets.py [--detector people_hog motion yolox yolox_weak] [--peers PYTHON]``

For each detector: the video is read, every picture held against the one before (``flow``), things are found in it
and followed by each of our trackers, then the offline stage; the best of the peers' trackers (roboflow ``trackers``
2.6.1: SORT, ByteTrack, OC-SORT, BoT-SORT, C-BIoU, each with its default patience and with lost_track_buffer 90,
frame_rate 7) gets the same detections, once with our scores and once with all set to 0.9, and only those above 0.5.
``yolox`` is yolox_nano_416.onnx of the shared models, scores from 0.3, ``yolox_weak`` the same from 0.1; the others
need no weights. The last lines of a detector set ``botsort``, online and offline, beside the best peer. Truth: the
annotations of the whole picture, scaled by 0.625. Scores are our evaluation's, without preprocessing;
benchmarks/evaluation.py shows that they are TrackEval's.

Frames per second are of CPU time of the whole process on one thread, decoding to offline stage, for one tracker.
It is one short clip, the only one with truth at hand, on which the detectors' constants were chosen: differences of
a few points mean nothing, and other scenes will be harder. Times of two runs say nothing about each other.
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
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from sightline.evaluation import evaluate
from sightline.formats.mot import Mot
from sightline.geometry.boxes import clipped, iou
from sightline.model.tracks import Tracks
from sightline.sources.video import Video
from sightline.trackers.offline import refined
from sightline.wiring import ENGINES, build

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("SIGHTLINE_SHARED", ROOT.parent / "shared"))
PETS = SHARED / "data" / "tracking" / "PETS09"
FPS, SCALE, SIZE = 7.0, 0.625, (480, 360)
WEIGHTS = str(SHARED / "models" / "yolox_nano_416.onnx")
DETECTORS = {
    "people_hog": ("people_hog", {}),
    "motion": ("motion", {}),
    "yolox": ("onnx", {"weights": WEIGHTS, "classes": ["person"], "threads": 1}),
    "yolox_weak": ("onnx", {"weights": WEIGHTS, "classes": ["person"], "threads": 1, "score": 0.1}),
}
KINDS = ("SORT", "ByteTrack", "OCSORT", "BoTSORT", "CBIoU")
PEERS = {f"peer {kind} {wait}": [f"{kind}Tracker", {"lost_track_buffer": wait}] for kind in KINDS for wait in (30, 90)}
COLUMNS = ("hota", "deta", "assa", "idf1", "mota")


def truth():
    """The annotated people, as tracks."""
    rows = [
        [
            int(frame.get("number")),
            int(person.get("id")),
            *(float(person.find("box").get(k)) for k in ("xc", "yc", "w", "h")),
        ]
        for frame in ET.parse(PETS / "data" / "annotations" / "PETS2009-S2L1.xml").getroot()
        for person in frame.iter("object")
    ]
    table = np.array(rows)
    centre, half = table[:, 2:4] * SCALE, table[:, 4:] * SCALE / 2
    frame, number = table[:, 0].astype(int), table[:, 1].astype(int) + 1
    n = len(table)
    return Tracks(
        "pets", frame, frame / FPS, number, np.hstack([centre - half, centre + half]),
        np.ones(n), np.zeros(n, np.int64), np.full(n, -1), ("person",),
    )  # fmt: skip


def seen(engine, options):
    """Moments and detections of every picture, and the CPU seconds they took, decoding included."""
    began = time.process_time()
    source = Video(PETS / "pets09_s2l1_view001_480x360.mp4", camera="pets", assume_fps=FPS, parallel=False)
    stabilizer, detector = build("stabilizer", "flow", {}), build("detector", engine, options)
    found = []
    for frame in source.frames():
        steadied = replace(frame, moment=replace(frame.moment, px_from_before=stabilizer.px_from_before(frame)))
        found.append((steadied.moment, detector.detect([steadied])[0]))
    return found, time.process_time() - began


def quality(found, real):
    """Precision and recall of detections scored above 0.5, at IoU 0.5."""
    hits = n_found = 0
    for moment, boxes in found:
        boxes_px = boxes.xyxy_px[boxes.score > 0.5]
        shares = iou(clipped(real.xyxy_px[real.frame_index == moment.index], *SIZE), boxes_px)
        hits += len(matches(shares))
        n_found += len(boxes_px)
    return hits / max(n_found, 1), hits / len(real)


def matches(shares):
    """Pairs of the best assignment that overlap by half or more."""
    rows, columns = linear_sum_assignment(np.where(shares >= 0.5, shares, 0), maximize=True)
    return [pair for pair in zip(rows, columns, strict=True) if shares[pair] >= 0.5]


def ours(found, engine):
    """Online tracks, offline tracks, and the CPU seconds of both."""
    began = time.process_time()
    tracker = build("tracker", engine, {})
    online = Tracks.joined("pets", [tracker.update(moment, boxes) for moment, boxes in found])
    middle = time.process_time()
    offline = refined(online)
    ended = time.process_time()
    return (online, middle - began), (offline, ended - began)


def theirs(found, python, out, *, flat):
    """Tracks of every peer on the same detections; ``flat``: those above 0.5 only, as if all were equally certain."""
    frame = np.concatenate([np.full(len(boxes), moment.index) for moment, boxes in found])
    boxes = np.concatenate([boxes.xyxy_px for _, boxes in found])
    score = np.concatenate([boxes.score for _, boxes in found])
    if flat:
        kept = score > 0.5
        frame, boxes, score = frame[kept], boxes[kept], np.full(kept.sum(), 0.9)
    np.savez(out / "detections.npz", **{"pets/boxes": boxes, "pets/score": score, "pets/frame": frame})
    jobs = {"detections": str(out / "detections.npz"), "out": str(out), "trackers": PEERS, "times": 1}
    jobs["sequences"] = {"pets": [FPS, len(found)]}
    (out / "jobs.json").write_text(json.dumps(jobs))
    script = ROOT / "benchmarks" / "peers" / "trackers_run.py"
    subprocess.run([str(python), str(script), str(out / "jobs.json")], check=True, capture_output=True)
    return {label: Mot().read(out / label / "pets.txt") for label in PEERS}


def printed(label, tracks, real, fps=None):
    """One line of the table; the scores."""
    scores = evaluate(real, replace(tracks, camera="pets"))
    shares = "".join(f"{100 * getattr(scores, name):8.2f}" for name in COLUMNS)
    print(f"  {label:30s}{shares}{scores.clear.idsw:7d}" + (f"{fps:9.1f}" if fps else ""), flush=True)
    return scores


def best_peer(found, real, given, out):
    """Prints the best peer by HOTA of either way to feed it; its scores."""
    every = {}
    for flat in (False, True):
        for label, tracks in theirs(found, given.peers, out, flat=flat).items():
            every[label + (" flat" if flat else "")] = tracks
    by_hota = {label: evaluate(real, replace(tracks, camera="pets")) for label, tracks in every.items()}
    chosen = max(by_hota, key=lambda label: by_hota[label].hota)
    return printed(f"best: {chosen}", every[chosen], real), max(scores.idf1 for scores in by_hota.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", nargs="+", choices=DETECTORS, default=list(DETECTORS))
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers" / "bin" / "python")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    real = truth()
    for name in given.detector:
        found, cpu_s = seen(*DETECTORS[name])
        precision, recall = quality(found, real)
        print(f"{name}: precision {precision:.3f}, recall {recall:.3f}, {len(found) / cpu_s:.1f} frames per CPU second")
        print(f"  {'':30s}" + "".join(f"{c.upper():>8s}" for c in COLUMNS) + f"{'IDSW':>7s}{'CPU fps':>9s}")
        mine = {}
        for engine in ENGINES["tracker"]:
            for kind, (tracks, more_s) in zip(("", " + offline"), ours(found, engine), strict=True):
                mine[engine + kind] = printed(engine + kind, tracks, real, len(found) / (cpu_s + more_s))
        with tempfile.TemporaryDirectory() as folder:
            best, idf1 = best_peer(found, real, given, Path(folder))
        print(f"  {'best IDF1 of any peer':30s}{'':24s}{100 * idf1:8.2f}")
        for label in ("botsort", "botsort + offline"):
            lead = 100 * (mine[label].hota - best.hota), 100 * (mine[label].idf1 - idf1)
            print(f"  {label} - best peer: HOTA {lead[0]:+.2f}, IDF1 {lead[1]:+.2f}")
    print("aim without weights: HOTA >= 50, IDF1 >= 68, 15 frames per CPU second; with yolox: above the best peer")


if __name__ == "__main__":
    main()
