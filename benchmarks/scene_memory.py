"""How much memory a scene of many large pictures takes, from the first picture to the last point.

``python benchmarks/scene_memory.py [--pictures 100] [--width 1600] [--quality draft ...] [--job]``

Pictures are those of the kitchen in the shared data, each at several zooms, made as large as asked for when they are
read: none lies in memory for longer than that. Each quality runs in a process of its own; its peak is what the system
counts for it, libraries included, and must stay below 4000 MB. With ``--job`` the files are made as well: NPZ and GLB.
A hundred pictures take a quarter of an hour of one core and more for ``draft``, twice that for ``normal``, and an hour
for ``high``.
"""

import argparse
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from sfm import SHARED

from sightline.formats.scenes import npz
from sightline.formats.scenes.filters import Filters
from sightline.jobs.scene_files import written
from sightline.model.shots import Shot, Shots
from sightline.reconstructors.sfm import Sfm

LIMIT_MB = 4000
ZOOMS = 1.0, 0.94, 0.88, 0.82, 0.76, 0.7


def picture(path, share, width):
    """The middle of the picture, so wide and high, as large as asked for."""
    rgb = cv2.imread(str(path))[:, :, ::-1]
    down, right = (round(side * (1 - share) / 2) for side in rgb.shape[:2])
    rgb = rgb[down : rgb.shape[0] - down, right : rgb.shape[1] - right]
    size = width, round(width * 2 / 3)
    return np.ascontiguousarray(cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC))


def pictures(most, width):
    """So many pictures: those of one zoom are one camera's."""
    paths = sorted((SHARED / "data" / "scenes" / "kitchen" / "images").iterdir())
    every = [
        Shot(f"{number}-{path.name}", partial(picture, path, share, width), camera=str(number))
        for number, share in enumerate(ZOOMS)
        for path in paths
    ]
    return Shots(tuple(every[:most]))


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def child(asked, quality):
    shots, reached = pictures(asked.pictures, asked.width), {}

    def tell(step, *_):
        reached[step] = peak_mb()

    began = time.process_time()
    scene = Sfm(quality=quality).reconstruct(shots, tell, lambda: False)
    engine_mb = peak_mb()
    if asked.job:
        with TemporaryDirectory() as folder:
            npz.write(scene, Path(folder, "predictions.npz"))
            reached["npz"] = peak_mb()
            written(scene, Filters(), (), Path(folder), None)
            reached["glb"] = peak_mb()
    side = max((max(maps.depth.shape) for maps in scene.maps if maps is not None and maps.depth is not None), default=0)
    print(
        f"{quality:8} {scene.views.is_registered.sum()} of {len(shots)} placed, depth {side} px, "
        f"{len(scene.dense)} points, CPU {time.process_time() - began:.0f} s, "
        f"peak {engine_mb:.0f} MB (limit {LIMIT_MB}); peak by then: "
        + ", ".join(f"{step} {mb:.0f}" for step, mb in reached.items()),
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--width", type=int, default=1600)
    parser.add_argument("--quality", nargs="*", default=["draft", "normal", "high"])
    parser.add_argument("--job", action="store_true", help="make files of it, too")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked, asked.child)
        return
    for quality in asked.quality:
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--child", quality], check=True)


if __name__ == "__main__":
    main()
