"""Against the real supervision: the one installed here, else the one of the peers' environment."""

import importlib
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from sightline.errors import EngineError
from sightline.formats.supervision import (
    detections_from_supervision,
    supervision_from_detections,
    supervision_from_tracks,
)
from sightline.model.detections import Detections
from sightline.model.tracks import Tracks

PEERS = next(iter(Path(__file__).parents[3].glob(".venv-peers/lib/python*/site-packages")), None)


@pytest.fixture
def sv(monkeypatch):
    if importlib.util.find_spec("supervision") is None:
        if PEERS is None:
            pytest.skip("supervision is neither installed nor in .venv-peers")
        monkeypatch.setattr(sys, "path", [*sys.path, str(PEERS)])
    return importlib.import_module("supervision")


def found(**extra):
    box = np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]])
    return Detections(box, np.array([0.5, 1]), np.array([1, 0]), ("person", "car"), extra)


@pytest.mark.filterwarnings("ignore")
def test_detections_come_back_from_supervision(sv):
    extra = {"plate": np.array(["a", "b"]), "look": np.eye(2), "mask": np.ones((2, 9, 9), bool)}
    theirs = supervision_from_detections(found(**extra))
    assert isinstance(theirs, sv.Detections)
    assert theirs.data["class_name"].tolist() == ["car", "person"]
    assert theirs.mask.shape == (2, 9, 9)
    again = detections_from_supervision(theirs)
    assert again.xyxy_px.tolist() == found().xyxy_px.tolist()
    assert again.score.tolist() == [0.5, 1]
    assert again.label.tolist() == [1, 0]
    assert again.classes == ("person", "car")
    assert {name: column.tolist() for name, column in again.extra.items()} == {
        name: column.tolist() for name, column in extra.items()
    }


@pytest.mark.filterwarnings("ignore")
def test_what_supervision_writes_into_is_a_copy(sv):
    ours = found(look=np.eye(2))
    theirs = supervision_from_detections(ours)
    theirs.xyxy[:] = 0
    theirs.data["look"][:] = 0
    assert ours.xyxy_px[0].tolist() == [1, 2, 3, 4]
    assert ours.extra["look"].tolist() == np.eye(2).tolist()


@pytest.mark.filterwarnings("ignore")
def test_tracks_carry_their_numbers(sv):
    tracks = Tracks(
        "gate", np.array([7, 7]), np.array([1.0, 1]), np.array([3, 9]), found().xyxy_px, np.array([0.5, 1]),
        np.array([1, 0]), np.array([0, -1]), ("person", "car"), {"look": np.eye(2)},
    )  # fmt: skip
    theirs = supervision_from_tracks(tracks)
    assert theirs.tracker_id.tolist() == [3, 9]
    assert theirs.data["detection"].tolist() == [0, -1]
    assert theirs[theirs.tracker_id == 9].data["look"].tolist() == [[0, 1]]
    zone = sv.PolygonZone(np.array([[0, 0], [10, 0], [10, 5], [0, 5]]))
    assert zone.trigger(theirs).tolist() == [True, False]
    assert detections_from_supervision(theirs).extra["tracker_id"].tolist() == [3, 9]


@pytest.mark.filterwarnings("ignore")
def test_nothing_is_nothing_both_ways(sv):
    assert len(supervision_from_detections(Detections.none())) == 0
    assert len(detections_from_supervision(sv.Detections.empty())) == 0
    assert len(supervision_from_tracks(Tracks.none("gate"))) == 0


@pytest.mark.filterwarnings("ignore")
def test_bare_detections_of_theirs_are_enough(sv):
    bare = sv.Detections(xyxy=np.array([[1, 2, 3, 4]], np.float32))
    ours = detections_from_supervision(bare)
    assert (ours.score.tolist(), ours.label.tolist(), ours.classes) == ([1], [0], ("object",))
    numbered = sv.Detections(xyxy=np.zeros((2, 4)), class_id=np.array([2, 0]), data={"note": ["a", "b"]})
    ours = detections_from_supervision(numbered)
    assert ours.classes == ("0", "1", "2")
    assert ours.extra["note"].tolist() == ["a", "b"]
    assert detections_from_supervision(numbered, ("a", "b", "c")).classes == ("a", "b", "c")


def test_without_supervision_one_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(EngineError, match="pip install supervision"):
        supervision_from_detections(found())
