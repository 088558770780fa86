"""Cameras by RTSP to JPEG files: pictures written, processor time and recovery, beside one ffmpeg command each.

    apt-get install gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-{base,good,bad} python3-gi
    .venv/bin/python benchmarks/live.py [--seconds 300] [--cameras 8] [--quick]

GStreamer's RTSP server plays 720p H.264 at 30 per second, one stream per camera. Ours runs ``decode_camera`` in one
process per camera; the peer is ``ffmpeg -rtsp_transport tcp -i URL -vf fps=N -q:v 2`` for each. They run in turns,
all cameras at once. CPU is what the system charged to the decoding processes and their threads, start-up included.
"Due" is the rate times the time from a camera's first picture to the end. The pictures are not the same ones: ours
leans on keyframes, which is what makes it cheap, and the ffmpeg command cannot.

Then the server is killed and started again; "back" is the time until each camera's next picture is on disk.
"""

import argparse
import logging
import multiprocessing
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from clips import FOLDER, ffmpeg

from sightline.jobs.cameras.decoding import decode_camera
from sightline.jobs.cameras.task import CameraTask
from sightline.stores.frames import count, newest

SERVER = [Path("/usr/bin/python3"), Path(__file__).with_name("live_server.py")]
SCENE = """
    -f lavfi -i testsrc2=s=1280x720:r=30:d=60
    -f lavfi -i mandelbrot=s=640x360:r=30:end_scale=0.002:end_pts=1800
    -filter_complex [0][1]overlay=320:180:shortest=1,noise=alls=6:allf=t,format=yuv420p
"""
CODEC = "-c:v libx264 -preset veryfast -profile:v main -refs 1 -sc_threshold 0 -b:v 2500k"
KINDS = {"gop30": "-bf 0 -g 30", "gop60": "-bf 0 -g 60", "gop30b": "-bf 2 -g 30", "gop60b": "-bf 2 -g 60"}
LIMITS = {1: 0.7, 5: 1.1}


def clip(kind, seconds):
    """A minute of that kind, over and over for so long."""
    minute = FOLDER / f"live-{kind}.mp4"
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = [ffmpeg(), "-y", "-v", "error"]
    if not minute.exists():
        print(f"encoding {minute} ...", file=sys.stderr)
        partial = minute.with_suffix(".part.mp4")
        subprocess.run(
            [*command, *SCENE.split(), *CODEC.split(), *KINDS[kind].split(), "-t", "60", partial], check=True
        )
        partial.rename(minute)
    path = FOLDER / f"live-{kind}-long.mp4"
    rounds = str(int(seconds // 60) + 2)
    subprocess.run([*command, "-stream_loop", rounds, "-i", minute, "-c", "copy", path], check=True)
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def served(path, port):
    """The cameras' server, answering."""
    server = subprocess.Popen([*SERVER, str(port), path])
    try:
        until = time.monotonic() + 20
        while True:
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if time.monotonic() > until or server.poll() is not None:
                raise SystemExit("the RTSP server does not start; see the packages above")
            time.sleep(0.02)
        yield server
    finally:
        server.kill()
        server.wait()


def work(task, stop):
    """A camera's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable()
    decode_camera(task, lambda _: None, stop.is_set)


@contextmanager
def ours(port, folders, fps, quality):
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    children = []
    for at, folder in enumerate(folders):
        url = f"rtsp://127.0.0.1:{port}/cam{at}"
        task = CameraTask(source=url, shown=url, is_live=True, folder=folder, fps=float(fps), quality=quality)
        children.append(context.Process(target=work, args=(task, stop)))
    for child in children:
        child.start()
    try:
        yield
    finally:
        stop.set()
        for child in children:
            child.join(30)


@contextmanager
def theirs(port, folders, fps):
    children = []
    for at, folder in enumerate(folders):
        folder.mkdir(parents=True)
        url = f"rtsp://127.0.0.1:{port}/cam{at}"
        command = [ffmpeg(), "-v", "error", "-nostdin", "-rtsp_transport", "tcp", "-i", url]
        children.append(subprocess.Popen([*command, "-vf", f"fps={fps}", "-q:v", "2", folder / "frame_%04d.jpg"]))
    try:
        yield
    finally:
        for child in children:
            child.send_signal(signal.SIGINT)
        for child in children:
            child.wait(30)


def measured(running, folders, fps, seconds):
    """What comes of running so long: CPU per camera, pictures written per picture due, and more."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.time()
    with running:
        time.sleep(seconds)
        end = time.time()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = usage.ru_utime + usage.ru_stime - before.ru_utime - before.ru_stime
    shares, firsts, sizes = [], [], []
    for folder in folders:
        written = sorted(path.stat().st_mtime for path in folder.glob("*.jpg"))
        if not written:
            raise SystemExit(f"{folder}: no pictures")
        due = int((end - written[0]) * fps) + 1
        shares.append(sum(when <= end for when in written) / due)
        firsts.append(written[0] - begin)
        sizes.extend(path.stat().st_size for path in folder.glob("*.jpg"))
    return {
        "cpu": cpu / len(folders),
        "least share": min(shares),
        "share": sum(shares) / len(shares),
        "first": max(firsts),
        "kb": sum(sizes) / len(sizes) / 1000,
        "n": len(sizes),
    }


def compare(kind, fps, seconds, n_cameras, quality, scratch):
    path, port = clip(kind, seconds), free_port()
    rows = {}
    for who in ("ours", "ffmpeg"):
        folders = [scratch / who / f"{kind}-{fps}-{at}" for at in range(n_cameras)]
        running = ours(port, folders, fps, quality) if who == "ours" else theirs(port, folders, fps)
        with served(path, port):
            rows[who] = row = measured(running, folders, fps, seconds)
        print(
            f"{kind:7} {fps} fps {seconds:3.0f} s  {who:6}: {row['n']:5} pictures, written/due "
            f"{row['share']:.3f} (worst camera {row['least share']:.3f}), CPU per camera {row['cpu']:6.2f} s "
            f"({100 * row['cpu'] / seconds:4.1f} % of a core), first picture after {row['first']:.1f} s, "
            f"{row['kb']:.0f} kB each",
            flush=True,
        )
    ratio = rows["ours"]["cpu"] / rows["ffmpeg"]["cpu"]
    print(
        f"{kind:7} {fps} fps CPU ratio {ratio:.2f}, limit {LIMITS[fps]}: {'ok' if ratio <= LIMITS[fps] else 'NOT MET'}"
    )


def recover(n_cameras, quality, scratch, down_s):
    """Kills the server, starts it again, and says how long each camera takes to come back."""
    path, port = clip("gop60", 60), free_port()
    folders = [scratch / "back" / f"{down_s:.0f}-{at}" for at in range(n_cameras)]
    with ours(port, folders, 1, quality):
        with served(path, port):
            wait_for(lambda: all(count(folder) >= 3 for folder in folders), 60)
        time.sleep(down_s)
        with served(path, port):
            begin, back = time.time(), {}

            def all_back():
                for folder in folders:
                    if newest(folder)[1] > begin:
                        back.setdefault(folder, time.time() - begin)
                return len(back) == n_cameras

            wait_for(all_back, 60)
    worst = max(back.values())
    print(
        f"server killed, away for {down_s:.0f} s: cameras are back after "
        f"{', '.join(f'{s:.1f}' for s in sorted(back.values()))} s; limit 15 s: {'ok' if worst <= 15 else 'NOT MET'}",
        flush=True,
    )


def wait_for(condition, seconds):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise SystemExit("cameras do not come")
        time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0, help="how long each runs")
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--quality", type=int, default=90, help="JPEG quality of ours")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=["gop30"], help="clips")
    parser.add_argument("--fps", nargs="+", type=int, choices=LIMITS, default=[1, 5])
    parser.add_argument("--quick", action="store_true", help="20 s each")
    options = parser.parse_args()
    print(subprocess.run([ffmpeg(), "-version"], check=True, capture_output=True, text=True).stdout.splitlines()[0])
    with tempfile.TemporaryDirectory() as scratch:
        for kind in options.kinds:
            for fps in options.fps:
                seconds = 20.0 if options.quick else options.seconds
                compare(kind, fps, seconds, options.cameras, options.quality, Path(scratch))
        for down_s in (2.0,) if options.quick else (2.0, 20.0, 40.0):
            recover(options.cameras, options.quality, Path(scratch), down_s)


if __name__ == "__main__":
    main()
