"""Cameras from pictures: how many find a place, in what time, beside ``pycolmap`` with its defaults.

``python benchmarks/sfm.py [--dense] [SCENE ...]``

Scenes are folders and videos in ``scenes`` of the shared data; of a video, frames are chosen as ``sightline`` chooses
them, and both get the same. ``colmap`` is pycolmap alone: its features, exhaustive matching and incremental mapping,
all defaults. Each runs in a process of its own, one after the other, so the ratio of their seconds by the clock means
something only when the machine has nothing else to do; the ratio of CPU seconds always does, roughly.
Memory is the peak of that process, libraries included. ``error`` is the mean distance in pixels between where points
are seen and where they should be.

With ``--dense``: what depth costs beyond that at each quality, in all and for each placed view; points of the cloud
and the share of pixels with a depth. The compiler's seconds count, too, where it has not run before.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

SHARED = Path(os.environ.get("SIGHTLINE_SHARED", Path(__file__).parents[2] / "shared"))
QUALITIES = ("sparse", "draft", "normal", "high")
SCENES = ("kitchen/images", "llff_fern/images", "great_wall.mp4", "pyramid.mp4")


# ruff: noqa: PLC0415  (each process imports only what it measures)


def picture(path):
    import cv2
    import numpy as np

    return np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])


def ours(folder, is_sequence, quality="sparse"):
    import numpy as np

    from sightline.model.shots import Shot, Shots
    from sightline.reconstructors.sfm import Sfm

    shots = [Shot(path.name, partial(picture, path)) for path in sorted(folder.iterdir())]
    began, cpu = time.perf_counter(), time.process_time()
    scene = Sfm(quality=quality).reconstruct(Shots(tuple(shots), is_sequence), lambda *_: None, lambda: False)
    seconds = time.perf_counter() - began, time.process_time() - cpu
    if quality != "sparse":
        filled = np.mean([(maps.depth > 0).mean() for maps in scene.maps if maps is not None])
        return *seconds, int(scene.views.is_registered.sum()), len(scene.dense), float(filled)
    placed, error = int(scene.views.is_registered.sum()), float(np.mean(scene.sparse.error_px))
    return *seconds, placed, len(scene.sparse), error, scene.lenses[0].focal_px[0]


def colmap(folder, _):
    import pycolmap

    pycolmap.logging.minloglevel = int(pycolmap.logging.Level.ERROR)
    began, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as scratch:
        database = Path(scratch, "database")
        pycolmap.extract_features(database, folder, camera_mode=pycolmap.CameraMode.SINGLE)
        pycolmap.match_exhaustive(database)
        models = pycolmap.incremental_mapping(database, folder, scratch)
    seconds = time.perf_counter() - began, time.process_time() - cpu
    if not models:
        return *seconds, 0, 0, float("nan"), float("nan")
    best = max(models.values(), key=lambda model: model.num_reg_images())
    focal = next(iter(best.cameras.values())).focal_length
    return *seconds, best.num_reg_images(), best.num_points3D(), best.compute_mean_reprojection_error(), focal


def chosen_frames(video, folder):
    import cv2

    from sightline.reconstructors.choosing import chosen
    from sightline.sources.video import Video

    for frame in chosen(Video(video).frames()):
        cv2.imwrite(str(folder / f"{frame.moment.index:06d}.png"), frame.rgb[:, :, ::-1])


def dense(name, folder, is_video):
    """What each quality costs beyond cameras and sparse points, for each placed view."""
    sparse = alone("sparse", folder, is_video)
    print(f"{name:18s}{'quality':8s}{'wall s':>8s}{'cpu s':>8s}{'a view':>8s}{'points':>10s}{'filled':>8s}{'MB':>6s}")
    for quality in QUALITIES[1:]:
        wall, cpu, placed, points, filled, memory = alone(quality, folder, is_video)
        wall, cpu = wall - sparse[0], cpu - sparse[1]
        start = f"{'':18s}{quality:8s}{wall:8.1f}{cpu:8.1f}{cpu / placed:8.2f}"
        print(f"{start}{points:10d}{filled:8.2f}{memory:6d}", flush=True)


def alone(engine, folder, is_sequence):
    """What the engine makes of the folder in a process of its own."""
    command = [sys.executable, __file__, "--alone", engine, str(folder), *(["--sequence"] if is_sequence else [])]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", nargs="*", default=SCENES)
    parser.add_argument("--dense", action="store_true", help="cost of depth instead, at each quality")
    parser.add_argument("--alone", choices=("colmap", *QUALITIES), help=argparse.SUPPRESS)
    parser.add_argument("--sequence", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        folder = Path(asked.scenes[0])
        if asked.alone == "colmap":
            result = colmap(folder, asked.sequence)
        else:
            result = ours(folder, asked.sequence, asked.alone)
        print(json.dumps([*result, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]))
        return
    if not asked.dense:
        print(
            f"{'scene':26s}{'wall s':>8s}{'cpu s':>8s}{'placed':>10s}{'points':>8s}{'error':>7s}{'focal':>8s}{'MB':>6s}"
        )
    for name in asked.scenes:
        with tempfile.TemporaryDirectory() as scratch:
            folder, is_video = SHARED / "data" / "scenes" / name, name.endswith(".mp4")
            if is_video:
                chosen_frames(folder, Path(scratch))
                folder = Path(scratch)
            if asked.dense:
                dense(name.split("/")[0], folder, is_video)
                continue
            n, rows = len(list(folder.iterdir())), {e: alone(e, folder, is_video) for e in ("sparse", "colmap")}
        for engine, (wall, cpu, placed, points, error, focal, memory) in rows.items():
            label = "ours" if engine == "sparse" else engine
            start = f"{name.split('/')[0]:18s}{label:8s}{wall:8.1f}{cpu:8.1f}"
            print(f"{start}{placed:>6d}/{n:<3d}{points:8d}{error:7.2f}{focal:8.1f}{memory:6d}")
        ratio = [a / b for a, b in zip(rows["sparse"][:2], rows["colmap"][:2], strict=True)]
        print(f"{'':18s}{'ratio':8s}{ratio[0]:8.2f}{ratio[1]:8.2f}", flush=True)


if __name__ == "__main__":
    main()
