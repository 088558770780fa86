"""How right cameras and depth are where the truth is known: made-up places, beside ``pycolmap`` with its defaults.

``python benchmarks/scenes.py [--width 960] [--views 20] [--seed 0] [--quality draft] [--keep FOLDER] [PLACE ...]``

Places are ``table``, ``room`` and ``town``; ``:bent`` behind one takes its pictures through a lens with distortion and
with all flaws: noise, exposure, motion blur. Both engines get the same PNG files and know nothing else. ``colmap`` is
pycolmap alone: its features, exhaustive matching, incremental mapping, one camera for all pictures, all else default.
It has no dense part without CUDA.

A scene is laid upon the truth by where its cameras are (robustly). ``rotation`` is in degrees, ``position`` in percent
of the scene's size, ``of path`` in percent of that of the cameras' path: diagonals of the boxes around all that is seen
(98 % along each axis) and around the cameras. ``sparse`` is the median error of the points' depth in the pictures that
see them, ``depth`` that of the depth maps, both in percent of the true depth; ``filled`` the share of pixels that have
a depth, ``in 1 %`` of those whose depth is no more than 1 % wrong. Medians over views, the worst view behind.
"""

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pycolmap

from sightline.errors import ReconstructionError
from sightline.evaluation.scenes import (
    camera_errors,
    depth_errors,
    path_size,
    scene_size,
    sparse_errors,
    truth_from_found,
)
from sightline.formats.scenes.colmap import read as read_colmap
from sightline.model.shots import Shot, Shots
from sightline.simulation.scenes import PLACES, Sensor, Stage, read, write
from sightline.simulation.scenes.writing import TRUTH
from sightline.wiring import build

FLAWS = {"distortion": (-0.08, 0.01), "noise": 4.0, "exposure": 0.2, "blur_px": 1.5, "fineness": 3}
TITLES = ("cpu s", "placed", "rotation", "", "position", "", "of path", "sparse", "depth", "", "filled", "in 1 %")


def picture(path):
    return np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])


def ours(folder, is_sequence, quality):
    shots = tuple(Shot(path.name, partial(picture, path)) for path in sorted(folder.iterdir()))
    try:
        engine = build("reconstructor", "sfm", {"quality": quality})
        return engine.reconstruct(Shots(shots, is_sequence), lambda *_: None, lambda: False)
    except ReconstructionError as error:
        print(f"  {error}", file=sys.stderr)
        return error.scene


def colmap(folder):
    pycolmap.logging.minloglevel = int(pycolmap.logging.Level.ERROR)
    with tempfile.TemporaryDirectory() as scratch:
        database = Path(scratch, "database")
        pycolmap.extract_features(database, folder, camera_mode=pycolmap.CameraMode.SINGLE)
        pycolmap.match_exhaustive(database)
        models = pycolmap.incremental_mapping(database, folder, scratch)
        if not models:
            return None
        best = max(models.values(), key=lambda model: model.num_reg_images())
        model = Path(scratch, "best")
        model.mkdir()
        best.write(model)
        return read_colmap(model)


def row(truth, found, cpu_s):
    """The numbers of one engine, in the order of ``TITLES``."""
    if found is None:
        return f"{cpu_s:9.1f}" + "   no scene"
    laid = truth_from_found(truth, found, np.random.default_rng(0))
    cameras, depth = camera_errors(truth, found, laid), depth_errors(truth, found, laid)
    placed = cameras.is_placed
    turned, off = np.degrees(cameras.rotation_rad[placed]), 100 * cameras.position[placed]
    if not placed.any():
        return f"{cpu_s:9.1f}" + f"{'0':>9s}   cannot be laid upon the truth"
    size, path = scene_size(truth), path_size(truth)
    wrong = sparse_errors(truth, found, laid)
    sparse = 100 * float(np.nanmedian(wrong)) if np.isfinite(wrong).any() else np.nan
    text = f"{cpu_s:9.1f}{placed.sum():>5d}/{len(placed):<3d}"
    text += f"{np.median(turned):9.3f}{turned.max():9.3f}{np.median(off) / size:9.3f}{off.max() / size:9.3f}"
    text += f"{np.median(off) / path:9.3f}{sparse:9.3f}"
    if np.isfinite(depth.relative).any():
        text += f"{100 * np.nanmedian(depth.relative):9.3f}{100 * np.nanmax(depth.relative):9.3f}"
        text += f"{np.median(depth.density):9.2f}{np.median(depth.within[:, 0]):9.2f}"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", nargs="*", default=[*PLACES, "table:bent"])
    parser.add_argument("--width", type=int, default=960)
    parser.add_argument("--views", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quality", default="draft", help="of our depth: sparse, draft, normal or high")
    parser.add_argument("--keep", type=Path, help="a folder for pictures and truth, kept; otherwise they are forgotten")
    asked = parser.parse_args()
    print(f"{'':12s}{'':8s}" + "".join(f"{title:>9s}" for title in TITLES))
    for place in asked.places:
        name, _, flaws = place.partition(":")
        with tempfile.TemporaryDirectory() as scratch:
            folder = (asked.keep or Path(scratch)) / place.replace(":", "-")
            size = (asked.width, asked.width * 3 // 4)
            stage = Stage(name, n_views=asked.views, seed=asked.seed, sensor=Sensor(size, **(FLAWS if flaws else {})))
            write(stage, folder)
            truth = read(folder / TRUTH)
            ways = {"ours": partial(ours, is_sequence=stage.place.is_sequence, quality=asked.quality), "colmap": colmap}
            for engine, way in ways.items():
                began = time.process_time()
                found = way(folder / "images")
                print(f"{place:12s}{engine:8s}{row(truth, found, time.process_time() - began)}", flush=True)


if __name__ == "__main__":
    main()
