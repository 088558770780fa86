"""Every number as TrackEval 1.3.0 gives it; benchmarks/evaluation.py writes the golden files."""

import json
from pathlib import Path

import numpy as np
import pytest

from sightline.evaluation import combined, evaluate, mot_challenge
from sightline.formats.mot import Mot

GOLDEN = Path(__file__).parents[2] / "golden"
MOT17 = json.loads((GOLDEN / "mot17_lift_counts.json").read_text())
SCENES = json.loads((GOLDEN / "evaluation_scenes.json").read_text())
COUNTS = {"TP": "CLR_TP", "FN": "CLR_FN", "FP": "CLR_FP"}
COUNTS |= {name: name for name in ("IDSW", "MT", "PT", "ML", "Frag", "IDTP", "IDFN", "IDFP")}
SIZES = {"n_truth_boxes": "num_gt_dets", "n_found_boxes": "num_tracker_dets"}
SIZES |= {"n_truth_ids": "num_gt_ids", "n_found_ids": "num_tracker_ids"}
SHARES = {name: name for name in ("MOTA", "MODA", "MOTP", "IDF1", "IDP", "IDR")}
SHARES |= {"Recall": "CLR_Re", "Precision": "CLR_Pr"}
ARRAYS = ("HOTA", "DetA", "AssA", "LocA", "DetRe", "DetPr", "AssRe", "AssPr")
LIFT = [name for name in MOT17 if name.startswith("MOT17")]


def agree(scores, golden):
    numbers = scores.numbers()
    expected = COUNTS | {name: key for name, key in SIZES.items() if key in golden}
    assert {name: numbers[name] for name in expected} == {name: golden[key] for name, key in expected.items()}
    assert {name: numbers[name] for name in SHARES} == pytest.approx(
        {n: golden[k] for n, k in SHARES.items()}, abs=1e-9
    )
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(scores.by_alpha, name.lower()), golden[name], rtol=0, atol=1e-9)
        assert numbers[name] == pytest.approx(np.mean(golden[name]), abs=1e-9)


@pytest.fixture(scope="module")
def lift(shared):
    """The scores of every published result, by name."""
    folder, mot = shared / "data" / "tracking" / "MOT17", Mot()
    scores = {}
    for name in LIFT:
        truth = mot.read(folder / f"{name.rsplit('-', 1)[0]}-FRCNN" / "gt" / "gt.txt")
        scores[name] = evaluate(*mot_challenge(truth, mot.read(folder / "Lif_T" / f"{name}.txt.gz")))
    return scores


@pytest.mark.shared
@pytest.mark.parametrize("name", LIFT)
def test_mot17_sequence_by_sequence(lift, name):
    agree(lift[name], MOT17[name])


@pytest.mark.shared
def test_mot17_taken_together(lift):
    agree(combined(list(lift.values())), MOT17["COMBINED"])


@pytest.mark.shared
@pytest.mark.parametrize("name", ["TUD-Campus", "TUD-Stadtmitte"])
def test_own_data_without_preprocessing(shared, name):
    folder = shared / "data" / "tracking" / "motmetrics" / name
    agree(evaluate(Mot().read(folder / "gt.txt"), Mot().read(folder / "test.txt")), MOT17[name])


@pytest.mark.parametrize("name", [name for name in SCENES if name != "about"])
def test_scenes_full_of_ties(tmp_path, name):
    for file in ("truth", "found"):
        (tmp_path / file).write_text(SCENES[name][file])
    truth, found = Mot().read(tmp_path / "truth"), Mot().read(tmp_path / "found")
    challenge = name.startswith("challenge")
    agree(
        evaluate(*(mot_challenge(truth, found) if challenge else (truth.rows(truth.score != 0), found))),
        SCENES[name]["scores"],
    )


def test_all_published_sequences_are_there():
    assert len(LIFT) == 12
