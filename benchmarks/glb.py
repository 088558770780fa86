"""A million points written as GLB, beside trimesh writing the same cloud; then five million.

``python benchmarks/glb.py [--points 1000000] [--repeats 5]``

Both write points and colours to a file in the same folder, in turns; the ratio is
of the medians. Both files are read back by trimesh and compared. Then the five times larger cloud, ours alone, with the
largest memory it took above the cloud itself.
The numbers mean nothing for a few thousand points, or where the disk is slower than memory: put TMPDIR on a fast one.
"""

import argparse
import statistics
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import trimesh

from sightline.formats.scenes import glb
from sightline.formats.scenes.filters import Filters, Shown
from sightline.model.scene import DensePoints, MadeBy, Scene, Views


def cloud(n):
    random = np.random.default_rng(0)
    xyz = random.normal(size=(n, 3)).astype(np.float32)
    return DensePoints(xyz, random.integers(0, 256, (n, 3)).astype(np.uint8))


def nothing():
    views = Views((), np.zeros(0, np.int64), np.zeros((0, 4, 4)), np.zeros(0, bool))
    return Scene((), views, MadeBy("made up", "0"))


def ours(points, path):
    glb.write(nothing(), Shown(points, np.zeros(0, np.int64), 1.0, Filters()), path)


def theirs(points, path):
    scene = trimesh.Scene()
    scene.add_geometry(trimesh.PointCloud(points.xyz_scene, colors=points.rgb))
    scene.export(path)


def timed(write, points, path):
    start = time.perf_counter(), time.process_time()
    write(points, path)
    return time.perf_counter() - start[0], time.process_time() - start[1]


def compared(points, folder, repeats):
    seconds = {ours: [], theirs: []}
    for _ in range(repeats):
        for write, taken in seconds.items():
            taken.append(timed(write, points, folder / f"{write.__name__}.glb"))
    print(f"{len(points):,} points, median of {repeats}")
    print("          wall s   cpu s      bytes")
    medians = {}
    for write, taken in seconds.items():
        wall, cpu = (statistics.median(column) for column in zip(*taken, strict=True))
        medians[write] = wall, cpu
        size = (folder / f"{write.__name__}.glb").stat().st_size
        print(f"{write.__name__:8} {wall:7.4f} {cpu:7.4f} {size:10,}")
    wall, cpu = (a / b for a, b in zip(medians[ours], medians[theirs], strict=True))
    print(f"ratio    {wall:7.3f} {cpu:7.3f}")
    for name in ("ours", "theirs"):
        (found,) = trimesh.load(folder / f"{name}.glb").geometry.values()
        same = np.array_equal(found.vertices, points.xyz_scene) and np.array_equal(found.colors[:, :3], points.rgb)
        print(f"{name} read back by trimesh: {'the same' if same else 'DIFFERENT'}")


def large(points, folder):
    wall, cpu = timed(ours, points, folder / "large.glb")
    tracemalloc.start()
    ours(points, folder / "large.glb")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = (folder / "large.glb").stat().st_size
    print(f"{len(points):,} points: {wall:.3f} s wall, {cpu:.3f} s cpu, {size:,} bytes, {peak / 1e6:.1f} MB beside")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compared(cloud(asked.points), Path(folder), asked.repeats)
        large(cloud(5 * asked.points), Path(folder))


if __name__ == "__main__":
    main()
