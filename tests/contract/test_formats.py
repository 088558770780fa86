"""Every format in the table: what it promises, whatever it is called."""

import subprocess
import sys

import numpy as np
import pytest

from sightline import wiring
from sightline.errors import FormatError
from sightline.model.tracks import Tracks

EXACT_CLASSES = {"csv", "parquet", "coco", "tracking_json"}
EXTRA = {"csv", "parquet", "coco", "tracking_json"}


@pytest.fixture(params=list(wiring.ENGINES["format"]))
def name(request):
    return request.param


@pytest.fixture
def form(name):
    return wiring.build("format", name, {})


def some_tracks(n=40, **changed):
    random = np.random.default_rng(7)
    frame_index = np.sort(random.integers(0, 9, n))
    corner = random.uniform(-20, 600, (n, 2)).round(2)
    columns = {
        "camera": "gate",
        "frame_index": frame_index,
        "t_s": frame_index / 7,
        "number": np.arange(n) % 11 + 1,
        "xyxy_px": np.hstack([corner, corner + random.uniform(1, 99, (n, 2)).round(2)]),
        "score": random.random(n).round(4),
        "label": random.integers(0, 2, n),
        "detection": np.where(random.random(n) < 0.2, -1, np.arange(n)),
        "classes": ("person", "car, red"),
        "extra": {
            "plate": np.array(["A-1", "", 'say "x"', "ü,\n2"])[np.arange(n) % 4],
            "look": random.random((n, 3)),
            "seen": random.random(n) < 0.5,
            "age": np.arange(n),
        },
    }
    _, first = np.unique(frame_index * 100 + columns["number"], return_index=True)
    return Tracks(**(columns | changed)).rows(np.sort(first))


def there_and_back(form, tracks, path):
    form.write(tracks, path)
    return form.read(path)


def read_or_refused(form, path):
    try:
        return form.read(path), None
    except FormatError as error:
        return None, str(error)


def names(tracks):
    return [tracks.classes[k] for k in tracks.label]


def test_what_was_written_is_read(form, name, tmp_path):
    tracks = some_tracks()
    again = there_and_back(form, tracks, tmp_path / "gate.x")
    assert again.camera == "gate"
    assert again.frame_index.tolist() == tracks.frame_index.tolist()
    assert again.number.tolist() == tracks.number.tolist()
    np.testing.assert_allclose(again.xyxy_px, tracks.xyxy_px, rtol=0, atol=1e-9)
    np.testing.assert_allclose(again.score, tracks.score, rtol=0, atol=1e-9)
    if name in EXACT_CLASSES:
        assert names(again) == names(tracks)
        assert again.t_s.tolist() == tracks.t_s.tolist()
        assert again.detection.tolist() == tracks.detection.tolist()


def test_extra_columns_come_back_with_their_shapes(form, name, tmp_path):
    tracks = some_tracks()
    again = there_and_back(form, tracks, tmp_path / "gate.x")
    for key, column in tracks.extra.items() if name in EXTRA else ():
        assert again.extra[key].shape == column.shape
        assert again.extra[key].tolist() == column.tolist()


def test_unknown_times_stay_unknown(form, tmp_path):
    tracks = some_tracks(t_s=np.full(40, np.nan))
    assert np.isnan(there_and_back(form, tracks, tmp_path / "gate.x").t_s).all()


def test_no_tracks_are_written_and_read(form, tmp_path):
    again = there_and_back(form, Tracks.none("gate"), tmp_path / "gate.x")
    assert len(again) == 0
    assert again.camera == "gate"
    assert again.xyxy_px.shape == (0, 4)


def test_rows_come_back_oldest_first(form, tmp_path):
    tracks = some_tracks()
    shuffled = tracks.rows(np.random.default_rng(0).permutation(len(tracks)))
    again = there_and_back(form, shuffled, tmp_path / "gate.x")
    assert again.frame_index.tolist() == sorted(tracks.frame_index.tolist())


def test_the_tracks_given_are_left_as_they_were(form, tmp_path):
    tracks, untouched = some_tracks(), some_tracks()
    form.write(tracks, tmp_path / "gate.x")
    assert tracks.xyxy_px.tolist() == untouched.xyxy_px.tolist()


def test_folders_are_made(form, tmp_path):
    form.write(some_tracks(), tmp_path / "a" / "b" / "gate.x")
    assert len(form.read(tmp_path / "a" / "b" / "gate.x")) == len(some_tracks())


GARBAGE = {
    "noise": np.random.default_rng(1).bytes(5000),
    "zeros": bytes(500),
    "prose": b"It was a dark and stormy night.\nThe rain fell in torrents.\n",
    "half of JSON": b'{"tracks": [{"frame_id": 0, ',
    "number": b"17",
    "null": b"null",
    "half of Parquet": b"PAR1" + bytes(40) + b"PAR1",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("what", list(GARBAGE))
def test_what_is_not_of_the_format_is_refused_in_one_line(form, what, tmp_path):
    path = tmp_path / "gate.x"
    path.write_bytes(GARBAGE[what])
    with pytest.raises(FormatError) as caught:
        form.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_an_empty_file_is_no_tracks_or_refused(form, name, tmp_path):
    path = tmp_path / "gate.x"
    path.write_bytes(b"")
    if name == "mot":
        assert len(form.read(path)) == 0
        return
    with pytest.raises(FormatError, match=r"gate\.x"):
        form.read(path)


def test_a_file_cut_short_is_refused_or_read_to_the_cut(form, tmp_path):
    """Never anything but a FormatError, wherever the cut is."""
    form.write(some_tracks(), tmp_path / "whole.x")
    data = (tmp_path / "whole.x").read_bytes()
    for stop in np.linspace(1, len(data) - 1, 40).astype(int):
        (tmp_path / "cut.x").write_bytes(data[:stop])
        again, complaint = read_or_refused(form, tmp_path / "cut.x")
        assert again is None or len(again) <= len(some_tracks())
        assert again is not None or "cut.x" in complaint


def test_flipped_bytes_are_refused_or_read(form, tmp_path):
    form.write(some_tracks(), tmp_path / "whole.x")
    data = (tmp_path / "whole.x").read_bytes()
    random = np.random.default_rng(3)
    for _ in range(60):
        broken = bytearray(data)
        broken[random.integers(len(data))] = random.integers(256)
        (tmp_path / "broken.x").write_bytes(broken)
        _, complaint = read_or_refused(form, tmp_path / "broken.x")
        assert complaint is None or "broken.x" in complaint
        assert "\n" not in str(complaint)


def test_a_missing_file_and_a_folder_are_the_systems_errors(form, tmp_path):
    with pytest.raises(FileNotFoundError):
        form.read(tmp_path / "gate.x")
    with pytest.raises(IsADirectoryError):
        form.read(tmp_path)


def test_one_track_twice_in_a_picture_is_refused(form, tmp_path):
    tracks = some_tracks()
    twice = tracks.rows(np.array([0, 1, 1]))
    form.write(twice, tmp_path / "gate.x")
    with pytest.raises(FormatError, match="already"):
        form.read(tmp_path / "gate.x")


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from sightline import wiring
from sightline.model.tracks import Tracks

n = 20_000
random = np.random.default_rng(0)
box = random.uniform(0, 900, (n, 4))
box[:, 2:] += box[:, :2]
rows = np.arange(n)
tracks = Tracks("gate", rows, rows / 7, rows, box, random.random(n), 0 * rows, rows)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    wiring.build("format", sys.argv[1], {}).write(tracks, Path(sys.argv[2]))
except OSError as error:
    print("OSError", str(error).replace("\\n", " | "))
"""


@pytest.mark.parametrize("before", [None, b"the file of before"])
def test_a_full_disk_leaves_no_half_file(name, before, tmp_path):
    path = tmp_path / "gate.x"
    if before:
        path.write_bytes(before)
    command = [sys.executable, "-c", FULL_DISK, name, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("OSError"), done.stderr
    assert [file.name for file in tmp_path.iterdir()] == (["gate.x"] if before else [])
    assert not before or path.read_bytes() == before
