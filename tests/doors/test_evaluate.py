"""``sightline evaluate`` as a user meets it."""

import gzip
import json

import pytest
from typer.testing import CliRunner

from sightline.cli import app
from sightline.errors import SightlineError


def lines(numbers=(1, 2), frames=range(1, 11), kind="1,-1,-1,-1"):
    """MOT text of walkers side by side."""
    rows = [f"{frame},{k},{200 * k + 3 * frame},50,40,80,{kind}" for frame in frames for k in numbers]
    return "\n".join(rows) + "\n"


@pytest.fixture
def pair(tmp_path):
    """A truth of two walkers, and a result whose second walker changes number half-way."""
    (tmp_path / "truth.txt").write_text(lines())
    second = lines((2,), range(6, 11)).replace(",2,", ",3,", 5)
    (tmp_path / "yard.txt").write_text(lines((1,)) + lines((2,), range(1, 6)) + second)
    return "yard.txt", "truth.txt"


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Runs the command without the cost of a process; the result has ``stdout``, ``stderr`` and ``exception``."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["evaluate", *map(str, words)])


def test_the_table_teaches(sightline, pair):
    done = sightline("evaluate", *pair)
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if "yard" in line)
    assert row.split()[:11] == ["yard", "86.6", "100.0", "75.0", "75.0", "95.0", "0", "0", "1", "2", "0"]
    assert "3/2" in row
    assert "an object goes on under another number" in done.stdout


def test_json_has_every_number(ask, pair):
    answer = json.loads(ask(*pair, "--json", "--iou", "0.7").stdout)
    assert answer["settings"] == {"iou": 0.7, "mot_challenge": False, "visible": 0.0}
    assert answer["sequences"]["yard"] == answer["combined"]
    assert answer["combined"]["IDSW"] == 1
    assert answer["combined"]["HOTA"] == pytest.approx(0.75**0.5)
    assert (answer["combined"]["n_found_ids"], answer["combined"]["n_truth_ids"]) == (3, 2)


def test_folders_are_matched_by_name_wherever_the_truth_lies(ask, tmp_path):
    for place in ("a/gt/gt.txt", "b.txt", "c/truth.txt", "unseen/gt/gt.txt"):
        (tmp_path / "truths" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "truths" / place).write_text(lines())
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "a.txt").write_text(lines())
    (tmp_path / "results" / "b.txt.gz").write_bytes(gzip.compress(lines((1,)).encode()))
    (tmp_path / "results" / "c.txt").write_text(lines((1, 2), range(1, 6)))
    (tmp_path / "results" / "notes.md").write_text("not a result")
    done = ask("results", "truths", "--json")
    answer = json.loads(done.stdout)
    assert {name: numbers["Recall"] for name, numbers in answer["sequences"].items()} == {"a": 1, "b": 0.5, "c": 0.5}
    assert answer["combined"]["Recall"] == pytest.approx(2 / 3)
    assert answer["missing"] == ["unseen"]
    assert "unseen has a truth but no result" in done.stderr


@pytest.mark.parametrize("kind", ["csv", "parquet", "coco", "tracking_json"])
def test_every_format_is_accepted(ask, tmp_path, pair, kind):
    from sightline import wiring

    suffix = {"csv": "csv", "parquet": "parquet"}.get(kind, "json")
    tracks = wiring.build("format", "mot", {}).read(tmp_path / pair[1])
    wiring.build("format", kind, {}).write(tracks, tmp_path / f"copy.{suffix}")
    answer = json.loads(ask(f"copy.{suffix}", pair[1], "--json").stdout)
    assert answer["combined"]["HOTA"] == pytest.approx(1)


def test_mot_challenge_forgives_what_the_benchmark_forgives(ask, tmp_path):
    (tmp_path / "gt.txt").write_text(lines((1,), kind="1,1,1") + lines((2,), kind="1,7,1"))
    (tmp_path / "found.txt").write_text(lines())
    plain = ask("found.txt", "gt.txt", "--json")
    assert json.loads(plain.stdout)["combined"]["n_truth_ids"] == 2
    assert "--mot-challenge" in plain.stderr
    challenge = json.loads(ask("found.txt", "gt.txt", "--json", "--mot-challenge").stdout)["combined"]
    assert (challenge["n_truth_ids"], challenge["FP"]) == (1, 0)


def test_hidden_and_ignored_truth_is_neither_right_nor_wrong(ask, tmp_path):
    marks = ("1,1,1", "1,1,0.1", "0,1,1")
    (tmp_path / "gt.txt").write_text("".join(lines((k,), kind=kind) for k, kind in enumerate(marks, 1)))
    (tmp_path / "found.txt").write_text(lines((1, 2, 3)))
    answer = json.loads(ask("found.txt", "gt.txt", "--json", "--visible", "0.25").stdout)["combined"]
    assert (answer["n_truth_ids"], answer["FP"], answer["MOTA"]) == (1, 0, 1)


BAD = {
    "no truth": ("yard.txt", "absent.txt", "absent.txt: no such file"),
    "empty truth": ("yard.txt", "empty.txt", "empty.txt: holds no boxes"),
    "another video": (
        "yard.txt",
        "later.txt",
        "none of its frames (0 to 9, counted from 0) is in later.txt (100 to 109)",
    ),
    "an id twice": ("twice.txt", "truth.txt", "id 1 is in frame 1 already"),
    "too long": ("long.txt", "seq/gt/gt.txt", "frame 39 (counted from 0) is beyond the 10 frames"),
    "no length": ("yard.txt", "odd/gt.txt", "seqinfo.ini: seqLength cannot be read"),
    "a folder and a file": ("odd", "truth.txt", "odd is a folder and truth.txt a file"),
    "two of a name": ("two", "odd", "both yard.csv and yard.txt are there; say which with --format"),
    "no results": ("seq", "odd", "seq: no results in this folder"),
    "no truth of that name": ("two", "odd", "odd: no truth for yard", "--format", "mot"),
    "no format": ("yard.dat", "truth.txt", "its name tells no format; say --format"),
    "no classes": ("yard.txt", "truth.txt", "no MOT Challenge classes", "--mot-challenge"),
    "no such format": ("yard.txt", "truth.txt", "no format 'xml'; there are: mot", "--format", "xml"),
    "no visibility": ("yard.txt", "truth.txt", "truth.txt: has no column visibility", "--visible", "0.5"),
    "no threshold": ("yard.txt", "truth.txt", "--iou must be above 0 and at most 1", "--iou", "0"),
}


def test_an_error_is_one_line_and_exit_code_2(sightline, pair):
    done = sightline("evaluate", pair[0], "absent.txt")
    assert done.returncode == 2
    assert done.stderr == "sightline: absent.txt: no such file or folder\n"


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_that_names_the_file(ask, tmp_path, pair, case):
    (tmp_path / "seq" / "gt").mkdir(parents=True)
    (tmp_path / "seq" / "seqinfo.ini").write_text("[Sequence]\nname=seq\nframeRate=25\nseqLength=10\n")
    (tmp_path / "seq" / "gt" / "gt.txt").write_text(lines())
    texts = {
        "empty": "",
        "later": lines(frames=range(101, 111)),
        "twice": lines((1, 1)),
        "long": lines(frames=range(1, 41)),
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_text(text)
    for name in ("odd", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "odd" / "seqinfo.ini").write_text("[Sequence]\nseqLength=ten\n")
    for place in ("yard.dat", "odd/gt.txt", "two/yard.txt", "two/yard.csv"):
        (tmp_path / place).write_text(lines())
    result, truth, said, *options = BAD[case]
    error = ask(result, truth, *options).exception
    assert isinstance(error, SightlineError), error
    assert said in str(error)
    assert "\n" not in str(error)


def test_a_result_without_tracks_is_scored_and_noted(ask, tmp_path, pair):
    (tmp_path / "nothing.txt").write_text("")
    done = ask("nothing.txt", pair[1], "--json")
    assert json.loads(done.stdout)["combined"]["FN"] == 20
    assert "holds no tracks" in done.stderr


@pytest.mark.shared
def test_published_tracks_give_the_published_numbers(ask, shared):
    folder = shared / "data" / "tracking" / "MOT17"
    words = (folder / "Lif_T" / "MOT17-09-SDP.txt.gz", folder / "MOT17-09-FRCNN" / "gt" / "gt.txt", "--mot-challenge")
    numbers = json.loads(ask(*words, "--json").stdout)["combined"]
    assert [numbers[name] for name in ("FP", "FN", "IDSW", "MT", "ML")] == [69, 1356, 12, 14, 1]
