"""Decode, sample and write JPEG: CPU time of ours against the newest ffmpeg that installs from packages.

    .venv/bin/python benchmarks/extract.py [--pairs 5] [--quick]

Runs both in turns on the same clip, each as its own process, and compares the CPU time that the system charged
to it (user and system, all threads, start-up included), pair by pair. ffmpeg runs ``-vf fps=N -q:v 2``; ours takes
the same pictures (``grid="ffmpeg"``), at the JPEG quality whose total size comes nearest to ffmpeg's. That they are
the same pictures is shown by the least PSNR between their files (a neighbouring picture gives about 20 dB).
"keyframe-aligned" is our own default grid, other pictures than ffmpeg's: it flatters us where keyframes fall on it.

Ours decodes one picture at a time here (``parallel=False``), since the encoder has the other core.
The numbers mean nothing where the two are not run in turns, or on clips whose groups of pictures look otherwise:
the gain comes from not decoding what comes after a group's last wanted picture, so long groups and low rates gain.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from clips import clip, ffmpeg

from sightline.formats.jpeg import encoded
from sightline.sources.video import Video

OURS = Path(__file__).with_name("extract_ours.py")
LIMITS = {("bframes", 1): 0.6, ("camera", 1): 0.6, ("bframes", 5): 0.9}


def charged(command, **options):
    """CPU seconds of the command and its threads, seconds on the wall, and what it printed."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command[0]} failed")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - start, out


def ours(path, fps, folder, quality, *, grid="ffmpeg", parallel=False):
    order = {"path": str(path), "fps": fps, "folder": str(folder), "quality": quality}
    order = json.dumps({**order, "grid": grid, "parallel": parallel})
    cpu, wall, out = charged([sys.executable, OURS, order])
    return {"cpu": cpu, "wall": wall, **json.loads(out)}


def theirs(exe, path, fps, folder):
    folder.mkdir(exist_ok=True)
    command = [exe, "-y", "-v", "error", "-nostdin", "-i", path, "-vf", f"fps={fps}", "-q:v", "2", folder / "%04d.jpg"]
    cpu, wall, _ = charged(command)
    return {"cpu": cpu, "wall": wall}


def size(folder):
    return sum(file.stat().st_size for file in folder.iterdir())


def matched_quality(path, fps, target, folder):
    """The quality whose files come nearest to ``target`` bytes, found on a part of the pictures."""
    source = Video(path, fps=float(fps), grid="ffmpeg")
    sample = [planes for at, planes in enumerate(source.planes()) if at % (6 * fps) == 0]
    n_files = len(list(folder.iterdir()))
    per_picture = {q: sum(len(encoded(p, q)) for p in sample) / len(sample) for q in range(80, 99)}
    return min(per_picture, key=lambda q: abs(per_picture[q] - target / n_files))


def least_psnr(a, b):
    """Between the files of two folders, in grey, by order of name; and the best that a neighbour reaches."""

    def grey(file):
        return cv2.imread(str(file), cv2.IMREAD_GRAYSCALE).astype(np.float32)

    def psnr(x, y):
        return 10 * np.log10(255**2 / max(float(np.mean((x - y) ** 2)), 1e-9))

    ours_, theirs_ = sorted(a.iterdir()), sorted(b.iterdir())
    assert len(ours_) == len(theirs_), f"{len(ours_)} pictures of ours, {len(theirs_)} of ffmpeg's"
    least, before, neighbour = 99.0, None, 0.0
    for x, y in zip(ours_, theirs_, strict=True):
        picture = grey(x)
        least = min(least, psnr(picture, grey(y)))
        neighbour = max(neighbour, 0.0 if before is None else psnr(picture, before))
        before = picture
    return least, neighbour


def is_identical(path, fps, grid):
    """Whether the pictures are those of full decoding, bit for bit."""

    def digest(sparse):
        total = hashlib.sha256()
        for moment, frame in Video(path, fps=float(fps), grid=grid, sparse=sparse).pictures():
            total.update(repr((moment.index, moment.t_s)).encode())
            total.update(frame.to_ndarray().tobytes())
        return total.hexdigest()

    return digest(True) == digest(False)


def compare(name, fps, exe, n_pairs, scratch):
    path = clip(name)
    a, b = scratch / f"{name}{fps}ours", scratch / f"{name}{fps}ffmpeg"
    theirs(exe, path, fps, b)
    quality = matched_quality(path, fps, size(b), b)
    pairs = [(ours(path, fps, a, quality), theirs(exe, path, fps, b)) for _ in range(n_pairs)]
    ratios = sorted(x["cpu"] / y["cpu"] for x, y in pairs)
    inner = statistics.median((x["cpu"] - x["startup"]) / y["cpu"] for x, y in pairs)
    least, neighbour = least_psnr(a, b)
    mine = {key: statistics.median(x[key] for x, _ in pairs) for key in ("cpu", "wall", "startup")}
    peer = {key: statistics.median(y[key] for _, y in pairs) for key in ("cpu", "wall")}
    limit = LIMITS.get((name, fps))
    print(
        f"{name:8} {fps} fps  CPU {mine['cpu']:5.2f} s (start-up {mine['startup']:.2f}) against {peer['cpu']:5.2f} s: "
        f"ratio {statistics.median(ratios):.2f} [{ratios[0]:.2f} .. {ratios[-1]:.2f}], without start-up {inner:.2f}"
        + (f", limit {limit}" if limit else ", no claim")
        + f"; wall {mine['wall']:.2f} / {peer['wall']:.2f} s; {size(a) / 1e6:.2f} / {size(b) / 1e6:.2f} MB (quality "
        f"{quality}); same pictures: least PSNR {least:.1f} dB, best of neighbours {neighbour:.1f}",
        flush=True,
    )
    aligned = scratch / f"{name}{fps}aligned"
    flattered = [ours(path, fps, aligned, quality, grid="start")["cpu"] for _ in range(max(1, n_pairs // 2))]
    faster = [ours(path, fps, a, quality, parallel=True) for _ in range(max(1, n_pairs // 2))]
    cpu, wall = (statistics.median(run[key] for run in faster) for key in ("cpu", "wall"))
    print(f"{name:8} {fps} fps  ours decoding in parallel: CPU {cpu:.2f} s, wall {wall:.2f} s", flush=True)
    print(
        f"{name:8} {fps} fps  keyframe-aligned grid, other pictures: CPU {statistics.median(flattered):.2f} s",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="runs of each, in turns")
    parser.add_argument("--quick", action="store_true", help="one pair, and no comparison with full decoding")
    parser.add_argument("--only", choices=["bframes", "camera"], help="one clip")
    options = parser.parse_args()
    exe = ffmpeg()
    print(subprocess.run([exe, "-version"], check=True, capture_output=True, text=True).stdout.splitlines()[0])
    with tempfile.TemporaryDirectory() as scratch:
        for name in [options.only] if options.only else ["bframes", "camera"]:
            for fps in (1, 5):
                compare(name, fps, exe, 1 if options.quick else options.pairs, Path(scratch))
                if not options.quick:
                    same = [is_identical(clip(name), fps, grid) for grid in ("ffmpeg", "start")]
                    print(
                        f"{name:8} {fps} fps  bit for bit as by full decoding: {'yes' if all(same) else 'NO'}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
