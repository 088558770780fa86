"""Scores and CPU time of ours against TrackEval 1.3.0, on the same files in the same run.

``python benchmarks/evaluation.py [--write-golden] [--peers PYTHON]``

From file to scores (HOTA, CLEAR, identity), one thread each: 12 results of Lif_T on MOT17 with MOT Challenge's
preprocessing, TUD-Campus and TUD-Stadtmitte without, and small made-up scenes full of ties.
Prints the largest difference of any number; ``--write-golden`` keeps TrackEval's numbers for the tests.
The shared folder is SIGHTLINE_SHARED or ../shared beside the repository; TrackEval runs under ``.venv-peers``.
Times mean little below one second, and nothing while other work presses on memory.
"""

import argparse
import configparser
import gzip
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from sightline.evaluation import Scores, combined, evaluate, mot_challenge
from sightline.formats.mot import Mot

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("SIGHTLINE_SHARED", ROOT.parent / "shared")) / "data" / "tracking"
GOLDEN = ROOT / "tests" / "golden"
COUNTS = {"TP": "CLR_TP", "FN": "CLR_FN", "FP": "CLR_FP"}
COUNTS |= {name: name for name in ("IDSW", "MT", "PT", "ML", "Frag", "IDTP", "IDFN", "IDFP")}
SIZES = {"n_truth_boxes": "num_gt_dets", "n_found_boxes": "num_tracker_dets"}
SIZES |= {"n_truth_ids": "num_gt_ids", "n_found_ids": "num_tracker_ids"}
SHARES = {"Recall": "CLR_Re", "Precision": "CLR_Pr"}
SHARES |= {name: name for name in ("MOTA", "MODA", "MOTP", "IDF1", "IDP", "IDR")}
ARRAYS = ("HOTA", "DetA", "AssA", "LocA", "DetRe", "DetPr", "AssRe", "AssPr")


def real_jobs(folder: Path) -> list[dict]:
    jobs = []
    for packed in sorted((SHARED / "MOT17" / "Lif_T").glob("*.txt.gz")):
        name = packed.name.removesuffix(".txt.gz")
        sequence = SHARED / "MOT17" / f"{name.rsplit('-', 1)[0]}-FRCNN"
        found = folder / f"{name}.txt"
        found.write_bytes(gzip.decompress(packed.read_bytes()))
        said = configparser.ConfigParser()
        said.read(sequence / "seqinfo.ini")
        truth, n_frames = sequence / "gt" / "gt.txt", int(said["Sequence"]["seqLength"])
        jobs.append(job(name, truth, found, n_frames, mot=True))
    for folder_of in sorted((SHARED / "motmetrics").glob("TUD-*")):
        truth = folder_of / "gt.txt"
        n_frames = int(np.loadtxt(truth, delimiter=",")[:, 0].max())
        jobs.append(job(folder_of.name, truth, folder_of / "test.txt", n_frames, mot=False))
    return jobs


def job(name: str, truth: Path, found: Path, n_frames: int, *, mot: bool) -> dict:
    return {"name": name, "truth": str(truth), "found": str(found), "n_frames": n_frames, "mot_challenge": mot}


def scene(seed: int) -> tuple[str, str]:
    """Truth and result as MOT text: boxes on a coarse grid, so that overlaps tie; all classes; gaps and switches."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    at = rng.integers(1, 60, (8, 2))
    names = np.arange(1, 9)
    for frame in range(1, 41):
        at = at + 2 * rng.integers(-1, 2, at.shape)
        if rng.uniform() < 0.15:
            names = rng.permutation(names)
        for k in range(8):
            if rng.uniform() < 0.85:
                kind = 1 if k < 5 else (2, 7, 3)[k - 5]
                truth.append(f"{frame},{k + 1},{at[k, 0]},{at[k, 1]},20,40,{int(k != 4)},{kind},1")
            if rng.uniform() < 0.75:
                left, top = at[k] + 2 * rng.integers(-1, 2, 2)
                found.append(f"{frame},{names[k]},{left},{top},20,40,1,-1,-1,-1")
    return "\n".join(truth) + "\n", "\n".join(found) + "\n"


def made_jobs(folder: Path, scenes: dict[str, dict[str, str]]) -> list[dict]:
    jobs = []
    for name, texts in scenes.items():
        truth, found = folder / f"{name}-truth.txt", folder / f"{name}.txt"
        truth.write_text(texts["truth"])
        found.write_text(texts["found"])
        jobs.append(job(name, truth, found, 40, mot=name.startswith("challenge")))
    return jobs


def scenes() -> dict[str, dict[str, str]]:
    made = {f"{kind}-{seed}": scene(seed) for kind in ("challenge", "plain") for seed in range(3)}
    truth, found = made["plain-0"]
    made |= {"plain-nothing-found": (truth, ""), "plain-no-truth": ("", found), "challenge-nothing-found": (truth, "")}
    made["plain-one-picture"] = ("1,1,5,5,20,40,1,1,1\n1,2,99,5,20,40,1,1,1\n", "1,7,6,5,20,40,1,-1,-1,-1\n")
    return {name: {"truth": truth, "found": found} for name, (truth, found) in made.items()}


def ours(jobs: list[dict]) -> tuple[float, dict[str, Scores]]:
    mot = Mot()
    began = time.process_time()
    scores = {}
    for each in jobs:
        truth, found = mot.read(Path(each["truth"])), mot.read(Path(each["found"]))
        pair = mot_challenge(truth, found) if each["mot_challenge"] else (truth.rows(truth.score != 0), found)
        scores[each["name"]] = evaluate(*pair)
    cpu_s = time.process_time() - began
    return cpu_s, scores | {"COMBINED": combined([scores[j["name"]] for j in jobs if j["mot_challenge"]])}


def theirs(jobs: list[dict], python: Path, folder: Path) -> tuple[float, dict[str, dict]]:
    listed = folder / "jobs.json"
    listed.write_text(json.dumps(jobs))
    command = [str(python), str(ROOT / "benchmarks" / "peers" / "trackeval_scores.py"), str(listed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    return answer["cpu_s"], answer["scores"]


def differences(mine: Scores, peer: dict) -> tuple[list[str], float]:
    """The names of the counts that differ, and the largest difference of a share at any threshold."""
    numbers = mine.numbers()
    counts = COUNTS | (SIZES if SIZES["n_truth_ids"] in peer else {})
    unequal = [name for name, other in counts.items() if numbers[name] != peer[other]]
    gaps = [abs(numbers[name] - peer[other]) for name, other in SHARES.items()]
    gaps += [np.abs(getattr(mine.by_alpha, name.lower()) - peer[name]).max() for name in ARRAYS]
    return unequal, float(max(gaps))


def kept(peer: dict) -> dict:
    names = [*COUNTS.values(), *SIZES.values(), *SHARES.values(), *ARRAYS]
    return {name: peer[name] for name in names if name in peer}


def write_golden(theirs_: dict[str, dict], made: dict[str, dict[str, str]]) -> None:
    GOLDEN.mkdir(exist_ok=True)
    about = "numbers of TrackEval 1.3.0, written by benchmarks/evaluation.py --write-golden"
    real = {name: kept(peer) for name, peer in theirs_.items() if name not in made}
    small = {name: {**texts, "scores": kept(theirs_[name])} for name, texts in made.items()}
    for file, content in (("mot17_lift_counts.json", real), ("evaluation_scenes.json", small)):
        lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in {"about": about, **content}.items()]
        (GOLDEN / file).write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--write-golden", action="store_true")
    asked.add_argument("--peers", type=Path, default=ROOT / ".venv-peers" / "bin" / "python")
    given = asked.parse_args()
    made = scenes()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        real = real_jobs(folder)
        small = made_jobs(folder, made)
        our_s, our_scores = ours(real)
        their_s, their_scores = theirs(real, given.peers, folder)
        _, small_scores = ours(small)
        _, small_peers = theirs(small, given.peers, folder)
    print(
        f"{'sequence':<24}{'HOTA':>8}{'IDF1':>8}{'MOTA':>8}{'IDSW':>6}  unequal counts, largest difference of a share"
    )
    del small_scores["COMBINED"], small_peers["COMBINED"]
    for name, mine in (our_scores | small_scores).items():
        unequal, gap = differences(mine, (their_scores | small_peers)[name])
        shown = f"{100 * mine.hota:8.3f}{100 * mine.idf1:8.3f}{100 * mine.mota:8.3f}{mine.clear.idsw:6d}"
        print(f"{name:<24}{shown}  {', '.join(unequal) or 'none'}, {gap:.1e}")
    print(
        f"\nCPU time from files to scores: ours {our_s:.2f} s, TrackEval {their_s:.2f} s, ratio {their_s / our_s:.1f}"
    )
    if given.write_golden:
        write_golden(their_scores | small_peers, made)


if __name__ == "__main__":
    main()
