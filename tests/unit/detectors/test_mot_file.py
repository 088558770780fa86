import numpy as np
import pytest

from sightline import wiring
from sightline.detectors.mot_file import MotFile
from sightline.errors import FormatError, OptionError

ROWS = """\
3,-1,10,20,30,40,0.9,-1,-1,-1
1,-1,600,400,100,100,0.5,-1,-1,-1
1,-1,-20,-10,50,40,0.25,-1,-1,-1
1,-1,700,10,50,40,0.7,-1,-1,-1
"""


@pytest.fixture
def det(tmp_path):
    path = tmp_path / "det.txt"
    path.write_text(ROWS)
    return path


def test_frame_1_is_picture_0_and_boxes_end_at_the_edge(det, frame):
    """One box reaches over the right bottom, one over the left top, one lies beyond the picture."""
    first, second, third = MotFile(path=det).detect([frame(index=k) for k in range(3)])
    assert first.xyxy_px.tolist() == [[600, 400, 640, 480], [0, 0, 30, 30]]
    assert first.score.tolist() == [0.5, 0.25]
    assert len(second) == 0
    assert third.xyxy_px.tolist() == [[10, 20, 40, 60]]


def test_pictures_that_were_not_asked_for_are_counted(det, frame):
    assert len(MotFile(path=det).detect([frame(index=2)])[0]) == 1


def test_without_pictures_boxes_are_as_in_the_file(det):
    assert MotFile(path=det).at(0).xyxy_px[0].tolist() == [600, 400, 700, 500]


def test_low_scores_can_be_left_out(det):
    assert MotFile(path=det, min_score=0.6).at(0).score.tolist() == [0.7]


def test_scores_of_old_detectors_are_brought_between_0_and_1(tmp_path):
    path = tmp_path / "dpm.txt"
    path.write_text("1,-1,0,0,9,9,-0.5\n1,-1,0,0,9,9,1.5\n1,-1,0,0,9,9,3.5\n")
    assert MotFile(path=path).at(0).score.tolist() == [0, 0.5, 1]


def test_classes_and_visibility_are_carried_along(tmp_path, frame):
    path = tmp_path / "gt.txt"
    path.write_text("1,1,0,0,9,9,1,1,0.5\n1,2,-9,0,9,9,1,3,0.75\n1,3,5,5,9,9,1,3,0.25\n")
    found = MotFile(path=path).detect([frame()])[0]
    assert [found.classes[label] for label in found.label] == ["pedestrian", "car"]
    assert found.extra["visibility"].tolist() == [0.5, 0.25]


def test_an_empty_file_has_no_boxes(tmp_path, frame):
    path = tmp_path / "det.txt"
    path.touch()
    assert len(MotFile(path=path).detect([frame()])[0]) == 0
    assert MotFile(path=path).detect([]) == []


def test_bad_files_are_named_with_the_line(tmp_path, frame):
    path = tmp_path / "det.txt"
    path.write_text("1,-1,0,0,9,9,1\n2,-1,0,0,nan,9,1\n")
    with pytest.raises(FormatError, match=r"det.txt: line 2"):
        MotFile(path=path).detect([frame()])
    with pytest.raises(OptionError, match=r"path=.*absent.txt: no such file"):
        MotFile(path=tmp_path / "absent.txt")


def test_it_is_built_from_texts(det):
    detector = wiring.build("detector", "mot_file", {"path": str(det), "min_score": "0.6"})
    assert len(detector.at(0)) == 1


@pytest.mark.shared
def test_every_row_of_a_real_file_is_served_once(shared):
    path = shared / "data/tracking/MOT17/MOT17-09-FRCNN/det/det.txt"
    rows = np.loadtxt(path, delimiter=",")
    detector = MotFile(path=path)
    served = [len(detector.at(index)) for index in range(int(rows[:, 0].max()))]
    assert served == np.bincount(rows[:, 0].astype(int))[1:].tolist()
