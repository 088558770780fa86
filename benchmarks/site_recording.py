"""The simulated site of ``benchmarks/site.py``, filmed and watched: boxes, tracks, looks and truth of each camera.

Kept in a folder, since filming takes most of the time: the same plan is filmed once.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sightline import simulation, wiring
from sightline.geometry.boxes import clipped
from sightline.model.detections import Detections
from sightline.model.tracks import Tracks
from sightline.pipeline.looking import LEAST_WORTH, Looking
from sightline.pipeline.track import Gathered
from sightline.simulation.motion.trajectories import CLASSES
from sightline.simulation.truth import CLEAR

SHARED = Path(os.environ.get("SIGHTLINE_SHARED", Path(__file__).parents[2] / "shared"))
MODELS = SHARED / "models"
PERSON = ("person",)
MISSED, JITTER, N_FALSE = 0.10, 0.02, 0.1
"""A good detector: one in ten of the clearly visible is missed, edges tremble by 2 % of the box, one false box in
ten pictures."""
EMBEDDERS = {
    "colour": ("colour", {}),
    "onnx 0287": ("onnx", {"weights": str(MODELS / "person-reidentification-retail-0287.onnx"), "threads": 1}),
    "onnx 0288": ("onnx", {"weights": str(MODELS / "person-reidentification-retail-0288.onnx"), "threads": 1}),
}
DETECTORS = {
    "people_hog": ("people_hog", {}),
    "yolox_nano": ("onnx", {"weights": str(MODELS / "yolox_nano_416.onnx"), "classes": ["person"], "threads": 1}),
}


@dataclass(frozen=True)
class Watched:
    """What one camera's pictures gave."""

    tracks: Tracks
    """Followed boxes."""
    looks: dict
    """By embedder and least worth, one row for each of the tracks."""
    truth: Tracks
    """Everybody listed in its pictures."""


def watched(plan, camera, boxes, folder, worths=(LEAST_WORTH,)):
    """The camera watched with such boxes (``good`` or a detector), from the folder where it is there."""
    size = "x".join(map(str, plan.size))
    path = folder / f"{plan.seed}-{plan.n_people}p-{plan.duration_s:g}s-{plan.fps:g}-{size}-{camera}-{boxes}.npz"
    kept = np.load(path, allow_pickle=False) if path.is_file() else None
    if kept is None or not {f"look:colour, {worth:g}" for worth in worths} <= set(kept.files):
        folder.mkdir(parents=True, exist_ok=True)
        _film(plan, camera, boxes, path, worths)
        kept = np.load(path, allow_pickle=False)
    looks = {name[5:]: kept[name].astype(float) for name in kept.files if name.startswith("look:")}
    return Watched(_tracks(kept, "found", camera), looks, _tracks(kept, "truth", camera))


def _film(plan, camera, boxes, path, worths):
    site = simulation.Simulation(plan)
    looked = _engines(worths)
    detector = wiring.build("detector", *DETECTORS[boxes]) if boxes in DETECTORS else None
    tracker, found, truth = wiring.build("tracker", "botsort", {}), Gathered(camera), []
    looks = {name: [] for name in looked}
    rng = np.random.default_rng((plan.seed, site.cameras.index(site.camera(camera)), 99))
    for frame, rows in site.recording(camera):
        seen = detector.detect([frame])[0] if detector else good(rows, truth, plan.size, rng)
        tracks = tracker.update(frame.moment, seen)
        for name, looking in looked.items():
            looks[name].append(looking.looks(frame, tracks))
        found.add(tracks)
        truth.append(rows)
    columns = {f"look:{name}": np.concatenate(parts).astype(np.float32) for name, parts in looks.items()}
    columns |= _columns("found", found.all()) | _columns("truth", Tracks.joined(camera, truth, truth[0].classes))
    np.savez_compressed(path, **columns)


def _engines(worths):
    return {
        f"{name}, {worth:g}": Looking(wiring.build("embedder", *made), least_worth=worth)
        for name, made in EMBEDDERS.items()
        if name == "colour" or MODELS.is_dir()
        for worth in worths
    }


def good(rows, before, size, rng):
    """What a good detector would see: most of the clearly visible, a little off, and seldom nobody."""
    people = rows.classes.index("person")
    clear = rows.rows((rows.label == people) & (rows.extra["visibility"] >= CLEAR))
    boxes = clear.xyxy_px[rng.random(len(clear)) >= MISSED]
    for _ in range(rng.poisson(N_FALSE)):
        once = before[int(rng.integers(len(before)))] if before else rows
        boxes = np.concatenate([boxes, once.xyxy_px[once.label == people][:1]])
    side = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    boxes = clipped(boxes + rng.normal(0, JITTER, boxes.shape) * side, *size)
    return Detections(boxes, np.full(len(boxes), 0.9), np.zeros(len(boxes), np.int64), PERSON)


def _columns(prefix, tracks):
    names = ("frame_index", "t_s", "number", "xyxy_px", "score", "label", "detection")
    columns = {name: getattr(tracks, name) for name in names} | dict(tracks.extra)
    return {f"{prefix}:{name}": column for name, column in columns.items()}


def _tracks(kept, prefix, camera):
    own = {name.split(":")[1]: kept[name] for name in kept.files if name.startswith(f"{prefix}:")}
    names = ("frame_index", "t_s", "number", "xyxy_px", "score", "label", "detection")
    classes = CLASSES if prefix == "truth" else PERSON
    extra = {name: column for name, column in own.items() if name not in names}
    return Tracks(camera, *(own[name] for name in names), classes=tuple(classes), extra=extra)
