import csv

import numpy as np
import pytest

from sightline.errors import FormatError
from sightline.formats.csv import Csv
from sightline.model.tracks import Tracks

NEEDED = "frame_index,track,x1,y1,x2,y2"


def one_track(**changed):
    columns = {
        "camera": "gate", "frame_index": np.array([4]), "t_s": np.array([0.1]), "number": np.array([3]),
        "xyxy_px": np.array([[1.0, 2, 3.5, 4]]), "score": np.array([0.5]), "label": np.array([1]),
        "detection": np.array([-1]), "classes": ("person", "car"),
    }  # fmt: skip
    return Tracks(**(columns | changed))


def read(tmp_path, text):
    (tmp_path / "gate.csv").write_bytes(text.encode())
    return Csv().read(tmp_path / "gate.csv")


def written(tmp_path, tracks):
    Csv().write(tracks, tmp_path / "out.csv")
    return (tmp_path / "out.csv").read_bytes().decode()


def test_a_row_says_everything(tmp_path):
    assert written(tmp_path, one_track()) == (
        "camera,frame_index,t_s,track,x1,y1,x2,y2,score,class,detection\ngate,4,0.1,3,1,2,3.5,4,0.5,car,-1\n"
    )


def test_an_unknown_time_is_empty(tmp_path):
    assert written(tmp_path, one_track(t_s=np.array([np.nan]))).splitlines()[1].startswith("gate,4,,3,")


def test_extra_columns_of_several_numbers_get_a_column_each(tmp_path):
    extra = {"look": np.array([[1.5, 2.5]]), "pose": np.array([[[1, 2], [3, 4]]]), "plate": np.array(["A,1"])}
    head, row = csv.reader(written(tmp_path, one_track(extra=extra)).splitlines())
    assert head[11:] == ["look[0]", "look[1]", "pose[0][0]", "pose[0][1]", "pose[1][0]", "pose[1][1]", "plate"]
    assert row[11:] == ["1.5", "2.5", "1", "2", "3", "4", "A,1"]


@pytest.mark.parametrize(
    ("extra", "what"),
    [({"score": np.zeros(1)}, "'score' has the name"), ({"odd": np.array([{}], object)}, "'odd' holds neither")],
)
def test_an_extra_column_without_a_place_is_refused(tmp_path, extra, what):
    with pytest.raises(FormatError, match=what):
        Csv().write(one_track(extra=extra), tmp_path / "out.csv")
    assert not list(tmp_path.iterdir())


def test_six_columns_in_any_order_are_enough(tmp_path):
    tracks = read(tmp_path, "y2,x2,note,y1,x1,track,frame_index\r\n4,3,hello,2,1,7,5\r\n\r\n8,7,,6,5,7,2\r\n")
    assert tracks.frame_index.tolist() == [2, 5]
    assert tracks.xyxy_px.tolist() == [[5, 6, 7, 8], [1, 2, 3, 4]]
    assert tracks.camera == "gate"
    assert tracks.classes == ("object",)
    assert tracks.score.tolist() == [1, 1]
    assert np.isnan(tracks.t_s).all()
    assert tracks.extra["note"].tolist() == ["", "hello"]


def test_numbered_columns_with_a_gap_stay_apart(tmp_path):
    tracks = read(tmp_path, f"{NEEDED},v[0],v[2]\n0,1,1,2,3,4,5,6\n")
    assert sorted(tracks.extra) == ["v[0]", "v[2]"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("\n", "line 1: expected the names of the columns"),
        ("frame_index;track;x1\n0;1;2\n", "no column 'frame_index'"),
        ("frame_index,track,x1,y1,x2\n0,1,1,2,3\n", "no column 'y2'; needed are"),
        (f"{NEEDED},x1\n", "line 1: column 'x1' is there 2 times"),
        (f"{NEEDED}\n0,1,1,2,3\n", "line 2: expected 6 columns as in line 1, found 5"),
        (f"{NEEDED}\n0,x,1,2,3,4\n", "line 2: track is 'x', expected a whole number"),
        (f"{NEEDED}\n\n0,1,1,2,far,4\n", "line 3: x2 is 'far', expected a number"),
        (f"{NEEDED}\n0,1,1,2,,4\n", "line 2: x2 is empty"),
        (f"{NEEDED}\n0,1,1,2,nan,4\n", "line 2: x2 is nan, expected a finite number"),
        (f"{NEEDED}\n-1,1,1,2,3,4\n", "line 2: frame_index is -1, expected 0 or more"),
        (f"{NEEDED}\n0,1,1,2,3,4\n0,1,1,2,3,4\n", "line 3: track 1 is in picture 0 already, in line 2"),
        (f'{NEEDED},class\n0,1,1,2,3,4,"a\nb"\n1,1,1,inf,3,4,a\n', "line 4: y1 is inf"),
        (f"{NEEDED},camera\n0,1,1,2,3,4,a\n1,1,1,2,3,4,b\n", "line 3: camera is 'b', but 'a' before"),
    ],
)
def test_a_fault_is_named_with_its_line_and_column(tmp_path, text, what):
    with pytest.raises(FormatError, match=what) as caught:
        read(tmp_path, text)
    assert "gate.csv" in str(caught.value)
