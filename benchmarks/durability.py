"""Whether work survives kill -9: of a worker, of all its processes at once, and of the server above it.

    .venv/bin/python benchmarks/durability.py [--kills 20] [--seed 0] [--database postgresql://...]

Jobs of eight steps run all the time, and a file is decoded to pictures; each step ends with a line in a file of its
job. At random moments something is killed and started again at once. Afterwards every job must have come to its
end, every step must have been done, none twice, and every picture of the file must be there once.
Before that, on the same installation: the processor time of a worker with nothing to do, the time from handing a job
in until it begins, until it has ended, until a cancel is through (of work that does not listen), and jobs per second
of jobs that do nothing. The machine's other work shows in these numbers.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import av
import numpy as np

from sightline import settings as all_settings
from sightline.formats.jpeg import comment_of
from sightline.jobs.desk import Desk
from sightline.model.decoding import CameraRecord, DecodingState
from sightline.model.job import OPEN, JobState
from sightline.stores.sql.cameras import Cameras
from sightline.stores.sql.database import database_at
from sightline.stores.sql.jobs import Jobs

N_STEPS = 8
N_PICTURES = 3000
KINDS = f"""
import subprocess, sys, time
from pathlib import Path
from sightline.jobs.kinds import Kind, Params, Step

class Told(Params):
    file: str
    pace_s: float = 0.25

def line(task, tell, stopped):
    end_s = time.monotonic() + task.params["pace_s"]
    while time.monotonic() < end_s:
        if stopped():
            return {{}}
        time.sleep(0.01)
    with Path(task.params["file"]).open("a") as lines:
        lines.write(task.folder.name + "\\n")
    return {{}}

def nothing(task, tell, stopped):
    return {{}}

def deaf(task, tell, stopped):
    Path(task.params["file"]).touch()
    time.sleep(600)

def kind(name, *steps, queue="heavy"):
    steps = tuple(Step(name=f"{{w.__name__}}{{n}}", shown=w.__name__, share=1.0, work=w) for n, w in enumerate(steps))
    return Kind(name=name, about="A benchmark.", queue=queue, params=Told, steps=steps)

LINES = kind("lines", *[line] * {N_STEPS})
EMPTY = kind("empty", nothing, queue="light")
DEAF = kind("deaf", deaf, queue="light")
"""
POINTS = "[sightline.job]\nlines = bench_jobs:LINES\nempty = bench_jobs:EMPTY\ndeaf = bench_jobs:DEAF\n"


@dataclass
class Installation:
    """What is killed and started again."""

    folder: Path
    desk: Desk
    jobs: Jobs
    cameras: Cameras
    environment: dict
    process: subprocess.Popen | None = None
    n_files: int = 0

    def start(self, what):
        """A worker, or a server with one."""
        if what == "server":
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            more = ["serve", "--port", str(port)]
        else:
            more = ["worker", "--name", "bench"]
        command = [sys.executable, "-m", "sightline", *more, "--data", str(self.folder / "data")]
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            command, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )

    def kill(self, what):
        """At once, without a word."""
        (os.killpg if what == "group" else os.kill)(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def submit(self, kind, **params):
        """A job with a file of its own."""
        self.n_files += 1
        return self.desk.submit(kind, {"file": str(self.folder / f"{self.n_files}.txt"), **params}, "bench")

    def n_done(self):
        """Lines and pictures so far."""
        n_lines = sum(file.read_text().count("\n") for file in self.folder.glob("*.txt"))
        return n_lines + sum(1 for _ in (self.folder / "data" / "frames").glob("*/*.jpg"))


def installation(folder, database):
    (folder / "bench_jobs.py").write_text(KINDS)
    info = folder / "bench_jobs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bench-jobs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    sys.path.insert(0, str(folder))
    film(folder / "film.mp4")
    settings = all_settings.load(None, data_folder=folder / "data", database=database)
    engine = database_at(settings.database_url())
    environment = os.environ | {
        "PYTHONPATH": str(folder),
        "SIGHTLINE_DATABASE": settings.database_url(),
        "SIGHTLINE_FETCHING__MEDIA_FOLDERS": str(folder),
        "SIGHTLINE_VIDEO_PIPELINE__KEEP_COUNT": "100000",
    }
    return Installation(folder, Desk(engine), Jobs(engine), Cameras(engine), environment)


def film(path):
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 640, 480, "yuv420p", 4_000_000
        for number in range(N_PICTURES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(noise, number, axis=1), format="rgb24")))
        container.mux(stream.encode())


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def until(holds, within_s=60.0):
    end_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.01)
    return True


def speeds(site):
    site.start("worker")
    site.desk.wait(site.submit("empty").id, 60.0)
    time.sleep(2.0)
    began_s, spent_s = time.monotonic(), cpu_s(site.process.pid)
    time.sleep(15.0)
    idle = (cpu_s(site.process.pid) - spent_s) / (time.monotonic() - began_s)
    done = [site.desk.wait(site.submit("empty").id, 60.0) for _ in range(20)]
    begins = [job.started_utc_s - job.created_utc_s for job in done]
    ends = [job.finished_utc_s - job.created_utc_s for job in done]
    began_s = time.monotonic()
    jobs = [site.submit("empty") for _ in range(100)]
    for job in jobs:
        site.desk.wait(job.id, 120.0)
    rate = len(jobs) / (time.monotonic() - began_s)
    cancels = []
    for _ in range(10):
        job = site.submit("deaf")
        until(Path(job.params["file"]).exists)
        asked_s = time.monotonic()
        site.desk.cancel(job.id)
        site.desk.wait(job.id, 10.0)
        cancels.append(time.monotonic() - asked_s)
    site.kill("group")
    print(f"worker with nothing to do: {idle:.1%} of a core")
    print(f"handed in until begun:     median {statistics.median(begins):.3f} s, worst {max(begins):.3f} s")
    print(f"handed in until ended:     median {statistics.median(ends):.3f} s, worst {max(ends):.3f} s (nothing to do)")
    print(f"empty jobs:                {rate:.1f} per second")
    print(f"cancel of deaf work:       median {statistics.median(cancels):.2f} s, worst {max(cancels):.2f} s (bar 2 s)")
    for file in site.folder.glob("*.txt"):
        file.unlink()


def camera(site, number):
    site.cameras.start(
        CameraRecord(
            camera_id=f"film-{number}",
            source=str(site.folder / "film.mp4"),
            shown="film.mp4",
            is_live=False,
            fps=25.0,
            force_format=None,
            is_wanted=True,
            generation=0,
            state=DecodingState.RUNNING,
        )
    )


def kills(site, n_kills, chance):
    """Kills again and again; jobs and cameras that were begun."""
    jobs, n_cameras = [], 0
    print(f"\n{'kill':>4} {'of':<8} {'after s':>7} {'open jobs':>9} {'decoding':>8} {'state kept':>10} {'on in s':>7}")
    victims = cycle(["worker", "group", "server"])
    for number, victim in zip(range(1, n_kills + 1), victims, strict=False):
        site.start(victim)
        while sum(site.jobs.get(job.id).state in OPEN for job in jobs) < 3:
            jobs.append(site.submit("lines"))
        if not site.cameras.n_running():
            n_cameras += 1
            camera(site, n_cameras)
        before, began_s = site.n_done(), time.monotonic()
        goes_on = until(lambda before=before: site.n_done() > before)
        took_s = time.monotonic() - began_s if goes_on else float("nan")
        wait_s = chance.uniform(0.0, 2.5)
        time.sleep(wait_s)
        running = {job.id for job in jobs if site.jobs.get(job.id).state is JobState.RUNNING}
        n_open = sum(site.jobs.get(job.id).state in OPEN for job in jobs)
        n_decoding = site.cameras.n_running()
        site.kill(victim)
        after = {job.id: site.jobs.get(job.id).state for job in jobs}
        is_kept = all(after[job_id] in {JobState.RUNNING, JobState.COMPLETED} for job_id in running)
        print(
            f"{number:>4} {victim:<8} {took_s + wait_s:>7.2f} {n_open:>9} {n_decoding:>8} "
            f"{'yes' if is_kept else 'NO':>10} {took_s:>7.2f}",
            flush=True,
        )
    return jobs, n_cameras


def verdict(site, jobs, n_cameras):
    """Whether all is done, and once."""
    site.start("worker")
    ended = [site.desk.wait(job.id, 120.0) for job in jobs]
    until(lambda: not site.cameras.n_running(), 120.0)
    lost = twice = 0
    for job in ended:
        lines = Path(job.params["file"]).read_text().split() if Path(job.params["file"]).exists() else []
        lost += len({f"line{n}" for n in range(N_STEPS)} - set(lines))
        twice += len(lines) - len(set(lines))
    open_or_failed = sum(job.state is not JobState.COMPLETED for job in ended)
    pictures_lost = pictures_twice = 0
    for number in range(1, n_cameras + 1):
        files = sorted((site.folder / "data" / "frames" / f"film-{number}").glob("*.jpg"))
        places = [json.loads(comment_of(file.read_bytes()))["index"] for file in files]
        pictures_lost += len(set(range(N_PICTURES)) - set(places))
        pictures_twice += len(places) - len(set(places))
    states = {site.cameras.get(f"film-{n}").state.value for n in range(1, n_cameras + 1)}
    site.kill("group")
    n_steps, n_pictures = len(jobs) * N_STEPS, n_cameras * N_PICTURES
    print(f"\njobs:     {len(jobs)}, not completed {open_or_failed}; steps {n_steps}, lost {lost}, twice {twice}")
    print(f"cameras:  {n_cameras} ({', '.join(states)}); pictures {n_pictures}, lost {pictures_lost}, ", end="")
    print(f"twice {pictures_twice}")
    return not (open_or_failed or lost or twice or pictures_lost or pictures_twice)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--database")
    given = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="durability"))
    site = installation(folder, given.database)
    try:
        speeds(site)
        is_well = verdict(site, *kills(site, given.kills, random.Random(given.seed)))
    finally:
        if site.process is not None and site.process.poll() is None:
            site.kill("group")
        shutil.rmtree(folder, ignore_errors=True)
    print("nothing lost, nothing done twice" if is_well else "NOT WELL")
    sys.exit(not is_well)


if __name__ == "__main__":
    main()
