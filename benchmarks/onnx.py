"""What the ``onnx`` detector costs beside the network itself.

For each network of the shared folder, the same pictures (PETS09-S2L1, 480x360) go through ``Onnx.detect`` and
through bare ``session.run`` on an input made beforehand, in turns, one thread each. Printed are pictures per
second of CPU time of both, and their ratio: 1 would mean that making pictures fit, decoding boxes and picking
the best cost nothing. Precision and recall against the clip's truth (IoU 0.5) stand beside it, so that it cannot
be fast by being wrong.

    python benchmarks/onnx.py [pictures, 100 unless said]

Needs the shared folder (SIGHTLINE_SHARED, or ../shared beside the repository). CPU time counts this process
only; the ratio means nothing where the machine is so busy that the turns differ by more than what is measured,
so the median of 5 turns is taken and their spread printed.
"""

import os
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import onnxruntime as ort
from scipy.optimize import linear_sum_assignment

from sightline.detectors.onnx import Onnx
from sightline.geometry.boxes import iou
from sightline.model.frame import Frame, Moment

SHARED = Path(os.environ.get("SIGHTLINE_SHARED", Path(__file__).parents[2] / "shared"))
CLIP = SHARED / "data/tracking/PETS09/pets09_s2l1_view001_480x360.mp4"
TRUTH = SHARED / "data/tracking/PETS09/data/annotations/PETS2009-S2L1.xml"
NETWORKS = ("yolox_nano_416", "nanodet_m_416", "light_person_detector")
TURNS = 5
CHUNK = 4


def pictures(n):
    """``n`` pictures spread over the clip, and the boxes of the people in each."""
    notes = list(ET.parse(TRUTH).getroot().iter("frame"))
    wanted = set(np.linspace(0, len(notes) - 1, n).astype(int).tolist())
    clip = cv2.VideoCapture(str(CLIP))
    for index, note in enumerate(notes):
        good, bgr = clip.read()
        if good and index in wanted:
            rows = np.array([[float(box.get(k)) for k in ("xc", "yc", "w", "h")] for box in note.iter("box")])
            low, size = rows[:, :2] - rows[:, 2:] / 2, rows[:, 2:]
            truth = np.concatenate([low, low + size], axis=1) * 0.625
            yield Frame(Moment("pets", index, index / 7), np.ascontiguousarray(bgr[..., ::-1])), truth


def bare(path):
    """The network alone, and an input for it."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # one file has its weights among its inputs, and is told so at length
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (image,) = session.get_inputs()
    picture = np.random.default_rng(0).uniform(0, 255, image.shape).astype(np.float32)
    return lambda: session.run(None, {image.name: picture})


def cpu_s(work, times):
    """CPU seconds that ``times`` calls take."""
    start = time.process_time()
    for _ in range(times):
        work()
    return time.process_time() - start


def accuracy(detector, data):
    """Precision and recall."""
    hits = n_found = n_true = 0
    for frame, truth in data:
        found = detector.detect([frame])[0]
        overlap = iou(truth, found.xyxy_px)
        rows, cols = linear_sum_assignment(-overlap)
        hits += int((overlap[rows, cols] >= 0.5).sum())
        n_found, n_true = n_found + len(found), n_true + len(truth)
    return hits / n_found, hits / n_true


def main(n):
    """Prints the table."""
    cv2.setNumThreads(1)
    data = list(pictures(n))
    frames = [frame for frame, _ in data]
    print(f"{'network':24}{'ours /s':>9}{'bare /s':>9}{'ratio':>8}{'spread':>14}{'P @.5':>8}{'R @.5':>8}")
    for name in NETWORKS:
        path = SHARED / "models" / f"{name}.onnx"
        detector = Onnx(weights=str(path), classes=["person"], score=0.5, threads=1, provider="cpu")
        precision, recall = accuracy(detector, data)  # opens and warms it, too
        run = bare(path)
        run()
        chunks = [frames[k : k + CHUNK] for k in range(0, len(frames), CHUNK)]
        ours, alone = [], []
        for _ in range(TURNS):
            ours.append(cpu_s(lambda c=chunks, d=detector: [d.detect(chunk) for chunk in c], 1) / len(frames))
            alone.append(cpu_s(run, len(frames)) / len(frames))
        ratios = np.array(ours) / np.array(alone)
        print(
            f"{name:24}{1 / np.median(ours):9.1f}{1 / np.median(alone):9.1f}{np.median(ratios):8.3f}"
            f"{f'{ratios.min():.3f}-{ratios.max():.3f}':>14}{precision:8.3f}{recall:8.3f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
