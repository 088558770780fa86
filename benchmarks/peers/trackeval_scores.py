"""TrackEval's scores and CPU time for given files, as JSON on stdout. Runs where trackeval is installed.

``python trackeval_scores.py JOBS``: JOBS is a JSON file, a list of {name, truth, found, n_frames, mot_challenge}.
"""

import contextlib
import io
import json
import sys
import tempfile
import time
from pathlib import Path

from trackeval.datasets import MotChallenge2DBox
from trackeval.metrics import CLEAR, HOTA, Identity

METRICS = (HOTA(), CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False}))


def dataset(folder: Path, job: dict) -> MotChallenge2DBox:
    """One sequence, laid out as TrackEval wants it."""
    gt, found = folder / "gt" / job["name"] / "gt", folder / "trackers" / "it" / "data"
    for made in (gt, found):
        made.mkdir(parents=True, exist_ok=True)
    (gt / "gt.txt").write_bytes(Path(job["truth"]).read_bytes())
    (found / f"{job['name']}.txt").write_bytes(Path(job["found"]).read_bytes())
    return MotChallenge2DBox(
        {
            "GT_FOLDER": str(folder / "gt"),
            "TRACKERS_FOLDER": str(folder / "trackers"),
            "TRACKERS_TO_EVAL": ["it"],
            "SEQ_INFO": {job["name"]: job["n_frames"]},
            "SKIP_SPLIT_FOL": True,
            "BENCHMARK": "MOT17" if job["mot_challenge"] else "MOT15",
            "DO_PREPROC": job["mot_challenge"],
            "PRINT_CONFIG": False,
        }
    )


def plain(value: object) -> object:
    """Numbers and lists of numbers, as JSON has them."""
    return value.tolist() if hasattr(value, "tolist") else value


def main() -> None:
    jobs = json.loads(Path(sys.argv[1]).read_text())
    scores, raw, cpu_s = {}, {}, 0.0
    for job in jobs:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            data = dataset(Path(folder), job)
            began = time.process_time()
            sequence = data.get_preprocessed_seq_data(data.get_raw_seq_data("it", job["name"]), "pedestrian")
            result = [metric.eval_sequence(sequence) for metric in METRICS]
            cpu_s += time.process_time() - began
        raw[job["name"]] = result
        sizes = {key: sequence[key] for key in ("num_gt_dets", "num_tracker_dets", "num_gt_ids", "num_tracker_ids")}
        scores[job["name"]] = {k: plain(v) for part in (*result, sizes) for k, v in part.items()}
    challenge = [job["name"] for job in jobs if job["mot_challenge"]]
    together: dict = {}
    for at, metric in enumerate(METRICS):
        together |= metric.combine_sequences({name: raw[name][at] for name in challenge})
    scores["COMBINED"] = {k: plain(v) for k, v in together.items()}
    json.dump({"cpu_s": cpu_s, "scores": scores}, sys.stdout)


if __name__ == "__main__":
    main()
