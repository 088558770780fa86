import gzip

import numpy as np
import pytest

from sightline.errors import FormatError, OptionError
from sightline.formats.mot import CLASSES, Mot
from sightline.model.tracks import Tracks


def some_tracks(**changed):
    columns = {
        "camera": "gate",
        "frame_index": np.array([0, 0, 3]),
        "t_s": np.full(3, np.nan),
        "number": np.array([1, 2, 1]),
        "xyxy_px": np.array([[10.0, 20, 30, 60], [0.5, 1.25, 2.5, 3.75], [-3.0, 20, 17, 60.125]]),
        "score": np.array([1.0, 0.25, 0.125]),
        "label": np.zeros(3, np.int64),
        "detection": np.array([0, 1, 0]),
    }
    return Tracks(**(columns | changed))


def read(tmp_path, text, name="gate.txt", **options):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Mot(**options).read(path)


def test_results_are_written_as_the_benchmark_wants_them(tmp_path):
    Mot().write(some_tracks(), tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text() == (
        "1,1,10,20,20,40,1,-1,-1,-1\n1,2,0.5,1.25,2,2.5,0.25,-1,-1,-1\n4,1,-3,20,20,40.125,0.125,-1,-1,-1\n"
    )


def test_truth_keeps_class_consideration_and_visibility(tmp_path):
    text = "1,1,17,150,77,191,1,1,0.86\n1,2,17,150,77,191,0,13,0\n2,1,18,150,77,191,1,7,1\n"
    tracks = read(tmp_path, text)
    assert tracks.classes == CLASSES
    assert (tracks.label + 1).tolist() == [1, 13, 7]
    assert tracks.score.tolist() == [1, 0, 1]
    assert tracks.extra["visibility"].tolist() == [0.86, 0, 1]
    Mot().write(tracks, tmp_path / "again.txt")
    assert (tmp_path / "again.txt").read_text() == text


def test_class_numbers_of_others_come_back_as_they_are(tmp_path):
    text = "1,1,17,150,77,191,0.5,0,-1\n1,2,17,150,77,191,0.5,79,-1\n"
    tracks = read(tmp_path, text)
    assert tracks.classes[tracks.label[1]] == "79"
    Mot().write(tracks, tmp_path / "again.txt")
    assert (tmp_path / "again.txt").read_text() == text


def test_places_in_the_world_are_kept(tmp_path):
    text = "1,1,88,99,61.08,218.56,1,4.4852,5.5016,0\n"
    tracks = read(tmp_path, text)
    assert tracks.extra["xyz_world"].tolist() == [[4.4852, 5.5016, 0]]
    Mot().write(tracks, tmp_path / "again.txt")
    assert (tmp_path / "again.txt").read_text() == text


def test_names_of_ours_become_the_benchmarks_classes_in_truth(tmp_path):
    seen = {"visibility": np.array([1.0, 0.5, 1.0])}
    Mot().write(some_tracks(classes=("car", "person"), label=np.array([1, 0, 1]), extra=seen), tmp_path / "t.txt")
    assert [line.split(",")[7] for line in (tmp_path / "t.txt").read_text().splitlines()] == ["1", "3", "1"]
    with pytest.raises(FormatError, match="no class robot"):
        Mot().write(some_tracks(classes=("robot",), extra=seen), tmp_path / "r.txt")
    assert not (tmp_path / "r.txt").exists()


@pytest.mark.parametrize(
    "text",
    [
        "1,3,1,2,3,4,0.5\n2,3,1,2,3,4,0.5\n",
        "\ufeff1,3,1,2,3,4,0.5\r\n\r\n2,3,1,2,3,4,0.5\r\n",
        "1 3 1 2 3 4 0.5\n  2 3  1 2 3 4 0.5 \n",
        "1\t3\t1\t2\t3\t4\t0.5\n\n2\t3\t1\t2\t3\t4\t0.5",
        "1, 3, 1, 2, 3, 4, 0.5\n   \n2, 3, 1.0, 2, 3, 4e0, .5,\n".replace("0.5\n   ", "0.5,\n   "),
        "2,3,1,2,3,4,0.5\n1,3,1,2,3,4,0.5\n",
        gzip.compress(b"1,3,1,2,3,4,0.5\n2,3,1,2,3,4,0.5\n"),
    ],
    ids=["plain", "windows", "blanks", "tabs", "untidy", "unsorted", "gzip"],
)
def test_it_reads_what_people_write(tmp_path, text):
    tracks = read(tmp_path, text)
    assert tracks.frame_index.tolist() == [0, 1]
    assert tracks.number.tolist() == [3, 3]
    assert tracks.xyxy_px.tolist() == [[1, 2, 4, 6]] * 2
    assert tracks.score.tolist() == [0.5, 0.5]
    assert tracks.detection.tolist() == [0, 0]
    assert np.isnan(tracks.t_s).all()


def test_missing_confidence_is_full_confidence(tmp_path):
    assert read(tmp_path, "1,-1,1,2,3,4\n").score.tolist() == [1]
    assert read(tmp_path, "1,-1,1,2,3,4,-1,-1,-1,-1\n").score.tolist() == [1]


def test_raw_confidence_stays_raw(tmp_path):
    assert read(tmp_path, "1,-1,1,2,3,4,-1\n1,-1,1,2,3,4,-0.5\n").score.tolist() == [-1, -0.5]


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_no_tracks(tmp_path, text):
    assert len(read(tmp_path, text)) == 0


BOX = "1,2,3,4"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("1,1,1,2\n", "line 1: 4 columns, expected 6 to 10"),
        (f"1,1,{BOX},1\n1,2,{BOX}\n", "line 2: expected 7 columns as in line 1, found 6"),
        (f"\n1,1,{BOX},1\n\n1,2,1,x,3,4,1\n", "line 4: top is 'x', expected a number"),
        (f"frame,id,left,top,width,height\n1,1,{BOX}\n", "line 1: frame is 'frame', expected a number"),
        (f"1,1,{BOX}\n2,1,,2,3,4\n", "line 2: left is '', expected a number"),
        (f"1,1,{BOX}\n2,1,nan,2,3,4\n", "line 2: left is nan, expected a finite number"),
        (f"1,1,{BOX},inf\n", "line 1: confidence is inf, expected a finite number"),
        ("1,1,1,2,-3,4\n", "line 1: width is -3, expected 0 or more"),
        (f"0,1,{BOX}\n", "line 1: frame is 0, expected a whole number from 1"),
        (f"1.5,1,{BOX}\n", "line 1: frame is 1.5, expected a whole number from 1"),
        (f"1,-2,{BOX}\n", "line 1: id is -2, expected a whole number from 1, or -1 for none"),
        (f"1,1,{BOX},1,-1,1\n1,2,{BOX},1,2,1\n", "line 1: column 8 is -1, expected a class number"),
        (f"1,1,{BOX},1,1e9,1\n", "line 1: column 8 is 1e\\+09, expected a class number"),
        (f"5,3,{BOX}\n\n1,3,{BOX}\n5,3,{BOX}\n", "line 4: id 3 is in frame 5 already, in line 1"),
        (b"\x00\x01\xff\xfe,\x80", "line 1: frame is .*, expected a number"),
        (b"\x1f\x8b\x08\x00garbage", "damaged gzip"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path, text, what):
    with pytest.raises(FormatError, match=what) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert "gate.txt" in str(caught.value)


def test_one_picture_may_hold_many_rows_of_no_track(tmp_path):
    tracks = read(tmp_path, f"2,-1,{BOX}\n1,-1,{BOX}\n2,-1,{BOX}\n")
    assert tracks.number.tolist() == [-1, -1, -1]
    assert tracks.detection.tolist() == [0, 0, 1]


def test_a_rate_that_is_asked_for_dates_the_pictures(tmp_path):
    assert read(tmp_path, f"1,1,{BOX}\n16,1,{BOX}\n", fps=30.0).t_s.tolist() == [0, 0.5]


def test_seqinfo_names_and_dates_the_sequence(tmp_path):
    (tmp_path / "MOT17-02" / "gt").mkdir(parents=True)
    (tmp_path / "MOT17-02" / "seqinfo.ini").write_text("[Sequence]\nname=MOT17-02-FRCNN\nframeRate=25\n")
    tracks = read(tmp_path / "MOT17-02" / "gt", f"26,1,{BOX}\n", name="gt.txt")
    assert tracks.camera == "MOT17-02-FRCNN"
    assert tracks.t_s.tolist() == [1]
    assert read(tmp_path / "MOT17-02" / "gt", f"26,1,{BOX}\n", fps=5.0, camera="a").camera == "a"


@pytest.mark.parametrize("text", ["[Sequence]\nframeRate=fast\n", "frameRate=25\n", "[Sequence]\nframeRate=-1\n"])
def test_a_damaged_seqinfo_is_named(tmp_path, text):
    (tmp_path / "seqinfo.ini").write_text(text)
    with pytest.raises(FormatError, match=r"seqinfo\.ini"):
        read(tmp_path, f"1,1,{BOX}\n")


def test_the_camera_is_the_file_or_the_folder_of_a_truth(tmp_path):
    assert read(tmp_path, f"1,1,{BOX}\n").camera == "gate"
    (tmp_path / "yard" / "gt").mkdir(parents=True)
    assert read(tmp_path / "yard" / "gt", f"1,1,{BOX}\n", name="gt.txt").camera == "yard"


@pytest.mark.parametrize("options", [{"fps": 0.0}, {"fps": np.nan}, {"decimals": -1}])
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(OptionError):
        Mot(**options)


def test_gzip_is_written_where_the_name_asks_for_it(tmp_path):
    Mot().write(some_tracks(), tmp_path / "out.txt.gz")
    assert gzip.decompress((tmp_path / "out.txt.gz").read_bytes()).startswith(b"1,1,10,20,20,40,1,")
    assert len(Mot().read(tmp_path / "out.txt.gz")) == 3


@pytest.mark.shared
def test_real_truth_comes_back_number_for_number(shared, tmp_path):
    def rows(path):
        return sorted(tuple(map(float, line.split(","))) for line in path.read_text().splitlines())

    for truth in sorted((shared / "data" / "tracking" / "MOT17").glob("*/gt/gt.txt")):
        Mot().write(Mot().read(truth), tmp_path / "again.txt")
        assert rows(tmp_path / "again.txt") == rows(truth)
