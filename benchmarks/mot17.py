"""Tracks on MOT17 with FRCNN detections: ours and roboflow ``trackers`` 2.6.1, scored and timed in one run.

``python benchmarks/mot17.py [--per-sequence] [--times N] [--peers PYTHON]``

Every detection is fed; constructor defaults on both sides but for the peers' ``frame_rate``; no pictures, so nobody
knows the camera's motion; tracked is what ``update`` gives back. One peer more runs with our waiting time (2 s; its
own default is 30 frames at 30 per second), to tell what the longer patience alone brings. Scores are TrackEval
1.3.0's (MotChallenge2DBox, preprocessing on), and a line says whether our own evaluation agrees.
Frames per second are of the CPU time of ``update`` alone, one thread, best of N, detections made beforehand.

The last lines are the aims: ``botsort`` no worse than the peer's BoT-SORT, at twice the speed of its SORT or more;
the offline stage at least 2.5 HOTA and 2.7 IDF1 above that online peer.
Times of two runs say nothing about each other, and ratios little while other work presses on the processor.
The shared folder is SIGHTLINE_SHARED or ../shared beside the repository; peers run under ``.venv-peers``.
"""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))

import argparse
import configparser
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from sightline.evaluation import combined, evaluate, mot_challenge
from sightline.formats.mot import Mot
from sightline.geometry.boxes import xyxy_from_xywh
from sightline.model.detections import Detections
from sightline.model.frame import Moment
from sightline.model.tracks import Tracks
from sightline.trackers.offline import refined
from sightline.wiring import ENGINES, build

ROOT = Path(__file__).parents[1]
MOT17 = Path(os.environ.get("SIGHTLINE_SHARED", ROOT.parent / "shared")) / "data" / "tracking" / "MOT17"
PEERS = {f"peer {kind}": [f"{kind}Tracker", {}] for kind in ("SORT", "ByteTrack", "OCSORT", "BoTSORT")}
PEERS["peer BoTSORT, waits 2 s"] = ["BoTSORTTracker", {"lost_track_buffer": 60}]
OFFLINE = "botsort + offline"
COLUMNS = ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "IDSW")


def sequences():
    """Name -> frames per second, number of frames, table of detections."""
    found = {}
    for folder in sorted(MOT17.glob("*-FRCNN")):
        said = configparser.ConfigParser()
        said.read(folder / "seqinfo.ini")
        about = said["Sequence"]
        table = np.loadtxt(folder / "det" / "det.txt", delimiter=",")
        found[folder.name] = (float(about["frameRate"]), int(about["seqLength"]), table)
    return found


def pictures(name, fps, n_frames, table):
    """What our trackers are given, made beforehand."""
    made = []
    for k in range(n_frames):
        rows = table[table[:, 0] == k + 1]
        label = np.zeros(len(rows), np.int64)
        found = Detections(xyxy_from_xywh(rows[:, 2:6]), rows[:, 6].copy(), label, ("person",))
        made.append((Moment(name, k, k / fps), found))
    return made


def ours(known, out, times):
    """Writes our tracks; CPU seconds by tracker and sequence."""
    cpu = {}
    for name, (fps, n_frames, table) in known.items():
        seen = pictures(name, fps, n_frames, table)
        for engine in ENGINES["tracker"]:
            best, tracks = np.inf, None
            for _ in range(times):
                tracker = build("tracker", engine, {})
                began = time.process_time()
                given = [tracker.update(moment, found) for moment, found in seen]
                best = min(best, time.process_time() - began)
                tracks = Tracks.joined(name, given, ("person",))
            cpu.setdefault(engine, {})[name] = best
            Mot().write(tracks, out / engine / f"{name}.txt")
            if engine == "botsort":
                began = time.process_time()
                better = refined(tracks)
                cpu.setdefault(OFFLINE, {})[name] = best + time.process_time() - began
                Mot().write(better, out / OFFLINE / f"{name}.txt")
    return cpu


def theirs(known, out, times, python):
    """Has the peers write theirs; CPU seconds by tracker and sequence."""
    table = {}
    for name, (_, _, rows) in known.items():
        table |= {f"{name}/boxes": xyxy_from_xywh(rows[:, 2:6]), f"{name}/score": rows[:, 6]}
        table[f"{name}/frame"] = rows[:, 0].astype(int) - 1
    np.savez(out / "detections.npz", **table)
    jobs = {"detections": str(out / "detections.npz"), "out": str(out), "trackers": PEERS, "times": times}
    jobs["sequences"] = {name: known[name][:2] for name in known}
    return asked(python, "trackers_run.py", jobs, out)


def asked(python, script, jobs, out):
    """What a script of ``peers/`` answers."""
    listed = out / "jobs.json"
    listed.write_text(json.dumps(jobs))
    command = [str(python), str(ROOT / "benchmarks" / "peers" / script), str(listed)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def scored(label, known, out, python):
    """TrackEval's and our numbers for one tracker, by sequence and COMBINED."""
    jobs = [
        {
            "name": name, "truth": str(MOT17 / name / "gt" / "gt.txt"), "found": str(out / label / f"{name}.txt"),
            "n_frames": known[name][1], "mot_challenge": True,
        }
        for name in known
    ]  # fmt: skip
    peer = asked(python, "trackeval_scores.py", jobs, out)["scores"]
    mine = {j["name"]: evaluate(*mot_challenge(*(Mot().read(Path(j[k])) for k in ("truth", "found")))) for j in jobs}
    mine["COMBINED"] = combined(list(mine.values()))
    return {name: numbers(peer[name]) for name in peer}, {name: numbers(mine[name].numbers()) for name in mine}


def numbers(scores):
    """The columns of the table, in percent."""
    means = [100 * float(np.mean(scores[name])) for name in COLUMNS[:-1]]
    return np.array([*means, scores["IDSW"]])


def printed(label, row, fps):
    print(f"{label:26s}" + "".join(f"{x:8.2f}" for x in row[:5]) + f"{row[5]:7.0f}{fps:9.0f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-sequence", action="store_true")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers" / "bin" / "python")
    given = parser.parse_args()
    known = sequences()
    lengths = {name: n_frames for name, (_, n_frames, _) in known.items()}
    rows, fps, gap = {}, {}, 0.0
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        cpu = ours(known, out, given.times) | theirs(known, out, given.times, given.peers)
        print(f"{'':26s}" + "".join(f"{name:>8s}" for name in COLUMNS[:5]) + f"{'IDSW':>7s}{'CPU fps':>9s}")
        for label in [*PEERS, *ENGINES["tracker"], OFFLINE]:
            peer, mine = scored(label, known, out, given.peers)
            gap = max([gap, *(np.abs(peer[name] - mine[name]).max() for name in peer)])
            rows[label], fps[label] = peer["COMBINED"], sum(lengths.values()) / sum(cpu[label].values())
            printed(label, rows[label], fps[label])
            for name in known if given.per_sequence else ():
                printed(f"  {name}", peer[name], lengths[name] / cpu[label][name])
    print(f"\nour evaluation differs from TrackEval's by at most {gap:.1e}")
    lead = rows["botsort"] - rows["peer BoTSORT"]
    print(f"botsort - peer BoTSORT: HOTA {lead[0]:+.2f}, IDF1 {lead[3]:+.2f}   (aim: >= 0)")
    lead = rows["botsort"] - rows["peer BoTSORT, waits 2 s"]
    print(f"  the same, peer waiting 2 s: HOTA {lead[0]:+.2f}, IDF1 {lead[3]:+.2f}")
    print(f"botsort CPU fps / peer SORT CPU fps: {fps['botsort'] / fps['peer SORT']:.2f}   (aim: >= 2)")
    lead = rows[OFFLINE] - rows["peer BoTSORT"]
    print(f"offline - peer BoTSORT: HOTA {lead[0]:+.2f}, IDF1 {lead[3]:+.2f}   (aim: >= +2.5, +2.7)")


if __name__ == "__main__":
    main()
