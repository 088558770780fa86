"""Tracks and CPU time of roboflow's trackers, for detections in a file. Runs where ``trackers`` is installed.

``python trackers_run.py JOBS``: JOBS is a JSON file: ``detections`` (an .npz with ``NAME/boxes`` xyxy, ``NAME/score``,
``NAME/frame`` from 0), ``sequences`` (NAME -> [frames per second, number of frames]), ``trackers``
(label -> [class, options]), ``out`` (a folder for LABEL/NAME.txt, MOT text), ``times`` (the best of so many counts).
On stdout: label -> {name -> CPU seconds of ``update`` alone}. Constructors get ``frame_rate`` besides their options.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import supervision as sv
import trackers

warnings.simplefilter("ignore")


def pictures(table, name, n_frames):
    """One ``sv.Detections`` per picture, made beforehand."""
    boxes, score, frame = (table[f"{name}/{column}"] for column in ("boxes", "score", "frame"))
    made = []
    for k in range(n_frames):
        rows = frame == k
        label = np.zeros(rows.sum(), int)
        made.append(sv.Detections(xyxy=boxes[rows], confidence=score[rows], class_id=label))
    return made


def tracked(tracker, seen):
    """What ``update`` gives, and its CPU time."""
    began = time.process_time()
    given = [tracker.update(each) for each in seen]
    return given, time.process_time() - began


def text(given):
    """MOT text of the rows that have a number."""
    lines = []
    for frame, each in enumerate(given, 1):
        numbers = each.tracker_id if each.tracker_id is not None else []
        for (left, top, right, bottom), number in zip(each.xyxy, numbers, strict=False):
            if number >= 0:
                lines.append(f"{frame},{number + 1},{left},{top},{right - left},{bottom - top},1,-1,-1,-1\n")
    return "".join(lines)


def main():
    jobs = json.loads(Path(sys.argv[1]).read_text())
    table, answer = np.load(jobs["detections"]), {}
    for name, (fps, n_frames) in jobs["sequences"].items():
        seen = pictures(table, name, n_frames)
        for label, (kind, options) in jobs["trackers"].items():
            make = getattr(trackers, kind)
            runs = [tracked(make(frame_rate=fps, **options), seen) for _ in range(jobs["times"])]
            path = Path(jobs["out"]) / label / f"{name}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text(runs[0][0]))
            answer.setdefault(label, {})[name] = min(cpu_s for _, cpu_s in runs)
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
