"""Whether a reconstruction survives kill -9 and gives the same files: of the server, of the worker, of everything.

    .venv/bin/python benchmarks/scene_durability.py [--kills 10] [--views 16] [--width 480] [--quality draft]

Pictures of a made-up table are brought to a real run server and reconstructed by ``sfm``, undisturbed: twice, since in
the first run on a machine the compiler works. Then again and again, each time on a run of its own: as soon as the run
says that it is at a certain pass or beyond (those of the undisturbed run in turn), something is killed without a word:
the server, its worker, or both with all that they have started. What was killed is started again, nothing else is done.
Each run must come to its end by itself, its GLB and its ``predictions.npz`` must be the undisturbed one's to the last
byte, and neither its status nor its progress may have gone back meanwhile (``onward``), as clients see it that ask ten
times a second.

``again s`` is the time from the kill until the run has ended, beside ``whole s`` of the undisturbed run: what was done
before the kill counts where a step was through. The machine's other work shows in both.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from itertools import cycle
from pathlib import Path

import httpx

from sightline.simulation.scenes import Sensor, Stage, write

RUNS = "/api/runs"
ORDER = ("queued", "uploading", "processing", "fetching", "completed")
KINDS = ("glb", "predictions")
VICTIMS = ("all", "worker", "server")
PATIENCE_S = 600.0


class Site:
    """A server with its worker, killed and started again."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60.0)
        self.process = None

    def start(self):
        """Both, if they are not there; returns when the server answers."""
        if self.process is None or self.process.poll() is not None:
            words = ["serve", "--only", "runs", "--port", str(self.port), "--data", str(self.folder / "data")]
            with (self.folder / "log").open("ab") as log:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "sightline", *words],
                    env=os.environ | {"SIGHTLINE_LIMITS__REQUESTS_PER_MINUTE": "0"},
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )  # fmt: skip
        until(lambda: self.run("") is not None, "the server")

    def run(self, run_id):
        """What the server says of a run; None while it says nothing."""
        with suppress(httpx.TransportError):
            return self.client.get(f"{RUNS}/{run_id}" if run_id else RUNS).raise_for_status().json()
        return None

    def kill(self, victim):
        """At once, without a word."""
        server = self.process.pid
        workers = [pid for pid in below(server) if b"worker" in words_of(pid)]
        found = {"server": [server], "worker": workers, "all": [server, *below(server)]}[victim]
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if server in found:
            self.process.wait()

    def files(self, run_id):
        """What came of a run."""
        return {kind: self.client.get(f"{RUNS}/{run_id}/artifacts/{kind}").raise_for_status().content for kind in KINDS}


def below(pid):
    """Processes that a process has started, and theirs."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [int(word) for task in tasks for word in (task / "children").read_text().split()]
    return [*children, *(one for child in children for one in below(child))]


def words_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


def until(holds, what):
    end_s = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        if time.monotonic() > end_s:
            sys.exit(f"{what} did not come within {PATIENCE_S:g} s")
        time.sleep(0.02)
    return found


def begun(site, pictures, quality):
    """A run on the pictures, under way."""
    settings = {"engine": "sfm", "options": {"quality": quality}, "confThreshold": 20}
    run_id = site.client.post(RUNS, json={"settings": settings}).raise_for_status().json()["runId"]
    parts = [("picture", (path.name, path.read_bytes())) for path in pictures]
    site.client.post(f"{RUNS}/{run_id}/images", files=parts).raise_for_status()
    site.client.post(f"{RUNS}/{run_id}/process").raise_for_status()
    return run_id


def told(site, run_id, seen, passes=()):
    """Looks at a run until it has ended, or is at one of the passes; all that it said goes to ``seen``."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        run = site.run(run_id)
        if run is not None:
            seen.append(run)
            if run["status"] in {"completed", "failed"} or pass_of(run) in passes:
                return run
        time.sleep(0.1)
    sys.exit(f"{run_id} did not end within {PATIENCE_S:g} s")


def pass_of(run):
    return run.get("step", run["status"]).partition(" (")[0]


def never_back(seen):
    """Whether status and progress only ever grew."""
    stages = [ORDER.index(run["status"]) for run in seen if run["status"] in ORDER]
    done = [run["progress"] for run in seen if run.get("progress") is not None]
    return stages == sorted(stages) and done == sorted(done)


def undisturbed(site, pictures, quality):
    """A run that nothing happens to: its files, what it said, and how long it took."""
    seen, began_s = [], time.monotonic()
    run_id = begun(site, pictures, quality)
    if told(site, run_id, seen)["status"] != "completed":
        sys.exit(f"the undisturbed run failed: {seen[-1].get('error')}")
    return site.files(run_id), seen, time.monotonic() - began_s


def killed(site, pictures, quality, passes, victim, whole):
    """One run with one kill: the row for it, and whether all was well."""
    run_id, seen = begun(site, pictures, quality), []
    at = told(site, run_id, seen, passes)
    site.kill(victim)
    began_s = time.monotonic()
    site.start()
    last = told(site, run_id, seen)
    again_s = time.monotonic() - began_s
    same = {kind: last["status"] == "completed" and site.files(run_id)[kind] == whole[kind] for kind in KINDS}
    was_early = at["status"] not in {"completed", "failed"}
    words = ["yes" if one else "NO" for one in (*same.values(), never_back(seen))]
    row = f"{victim:<8}{pass_of(at) if was_early else 'after its end':<22}{last['status']:<11}{again_s:>8.1f}"
    return row + "".join(f"{word:>7}" for word in words), was_early and all(same.values()) and never_back(seen)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=10)
    options.add_argument("--views", type=int, default=16)
    options.add_argument("--width", type=int, default=480)
    options.add_argument("--quality", default="draft")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="scene-durability-") as scratch:
        folder = Path(scratch)
        write(Stage("table", n_views=given.views, seed=0, sensor=Sensor((given.width, given.width * 3 // 4))), folder)
        pictures = sorted((folder / "images").iterdir())
        site = Site(folder)
        try:
            site.start()
            first, _, _ = undisturbed(site, pictures, given.quality)
            whole, seen, whole_s = undisturbed(site, pictures, given.quality)
            passes, n_points = list(dict.fromkeys(map(pass_of, seen[:-1]))), seen[-1]["summary"]["points"]
            print(
                f"{given.views} pictures, {n_points} points, GLB {len(whole['glb'])} bytes, whole {whole_s:.1f} s; ",
                end="",
            )
            print(f"the first run and the second are the same: {'yes' if first == whole else 'NO'}")
            print(f"passes: {', '.join(passes)}\n")
            print(f"{'kill':<8}{'at':<22}{'ended':<11}{'again s':>8}{'glb':>7}{'npz':>7}{'onward':>7}", flush=True)
            wells = []
            for number, victim in zip(range(given.kills), cycle(VICTIMS), strict=False):
                later = passes[number * len(passes) // given.kills :]
                row, is_well = killed(site, pictures, given.quality, later, victim, whole)
                wells.append(is_well)
                print(row, flush=True)
        finally:
            if site.process is not None and site.process.poll() is None:
                site.kill("all")
            site.client.close()
    print(f"\n{sum(wells)} of {len(wells)} killed runs went on and gave the same")
    sys.exit(not all(wells))


if __name__ == "__main__":
    main()
