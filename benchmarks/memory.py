"""Whether memory grows with the length of a video.

    .venv/bin/python benchmarks/memory.py [--minutes 60] [--full-minutes 10]

Makes a 1080p H.264 file of an hour by repeating the packets of a clip (copied, not encoded again), then reads it
in processes of their own: the whole hour sampled at 1 per second, and the first minutes in full, every picture in
colour. Prints the resident memory at ten points on the way and its peak, as the system counts it. The limit is
600 MB. The numbers say nothing of pictures larger than 1080p: a decoder holds about 20 of them.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
from clips import FOLDER, clip

from sightline.sources.video import Video

LIMIT_MB = 600


def hour(minutes):
    """The clip, again and again."""
    path = FOLDER / f"camera_{minutes}min.mp4"
    if path.exists():
        return path
    partial = path.with_suffix(".part.mp4")
    with av.open(str(partial), "w") as out:
        stream, shift = None, 0
        for _ in range(minutes):
            with av.open(str(clip("camera"))) as source:
                video = source.streams.video[0]
                if stream is None:
                    stream = out.add_stream_from_template(video)
                for packet in source.demux(video):
                    if packet.dts is None:
                        continue
                    packet.pts += shift
                    packet.dts += shift
                    packet.stream = stream
                    out.mux(packet)
                shift += round(60 / Fraction(video.time_base))
    partial.rename(path)
    return path


def resident_mb():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def child(path, fps, end_s):
    source = Video(Path(path), fps=fps, end_s=end_s)
    every = max(1, (source.about().n_frames or 10) // 10)
    points, n_pictures, end, start = [], 0, 0.0, time.process_time()
    for n_pictures, frame in enumerate(source.frames(), 1):
        end = frame.moment.t_s
        if n_pictures % every == 0:
            points.append(resident_mb())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(
        f"{n_pictures:6} pictures up to {end / 60:4.1f} min, CPU {time.process_time() - start:6.1f} s, "
        f"resident {' '.join(f'{mb:.0f}' for mb in points)} MB, peak {peak:.0f} MB (limit {LIMIT_MB})",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=60, help="length of the file")
    parser.add_argument("--full-minutes", type=int, default=10, help="minutes to decode in full")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        path, fps, end_s = options.child
        child(path, float(fps) or None, float(end_s) or None)
        return
    path = hour(options.minutes)
    print(f"{path.name}: {path.stat().st_size / 1e9:.2f} GB")
    for what, fps, end_s in (("sampled at 1 per second", 1, 0), ("in full", 0, options.full_minutes * 60)):
        print(f"{what:24}", end=" ", flush=True)
        subprocess.run([sys.executable, __file__, "--child", str(path), str(fps), str(end_s)], check=True)


if __name__ == "__main__":
    main()
