"""Nouns made of columns."""

import pickle

import numpy as np
import pytest

from sightline.model.detections import Detections
from sightline.model.tracks import Tracks

FOUND = Detections(
    np.array([[0.0, 0, 2, 2], [5, 5, 9, 9]]), np.array([0.5, 0.9]), np.array([0, 1]), ("person", "car"),
    {"plate": np.array(["", "AB 1"])},
)  # fmt: skip


def tracks(camera="a", frame=0, extra="plate"):
    n = np.array([frame, frame])
    return Tracks(
        camera, n, n / 25, np.array([1, 2]), FOUND.xyxy_px, FOUND.score, FOUND.label, np.array([0, 1]), FOUND.classes,
        {extra: FOUND.extra["plate"]},
    )  # fmt: skip


def test_columns_are_read_only_and_the_callers_are_not():
    box = np.zeros((1, 4))
    found = Detections(box, np.ones(1), np.zeros(1, int))
    with pytest.raises(ValueError, match="read-only"):
        found.xyxy_px[0] = 1
    box[0] = 1


def test_columns_of_other_lengths_are_refused_under_test():
    with pytest.raises(TypeError):
        Detections(np.zeros((2, 4)), np.ones(3), np.zeros(2, int))


def test_rows_keep_all_columns():
    (plate,) = FOUND.rows(FOUND.score > 0.6).extra["plate"]
    assert plate == "AB 1"


@pytest.mark.parametrize("value", [FOUND, tracks()])
def test_they_travel_to_other_processes(value):
    came = pickle.loads(pickle.dumps(value))
    assert came.classes == value.classes
    np.testing.assert_array_equal(came.xyxy_px, value.xyxy_px)
    np.testing.assert_array_equal(came.extra["plate"], value.extra["plate"])
    with pytest.raises(ValueError, match="read-only"):
        came.score[0] = 0


def test_joining_keeps_what_all_parts_have():
    joined = Tracks.joined("a", [tracks(), Tracks.none("a"), tracks(frame=1)])
    assert joined.frame_index.tolist() == [0, 0, 1, 1]
    assert joined.extra["plate"].tolist() == ["", "AB 1", "", "AB 1"]
    assert not Tracks.joined("a", [tracks(), tracks(frame=1, extra="colour")]).extra


def test_tracks_of_two_cameras_do_not_join():
    with pytest.raises(ValueError, match="other cameras"):
        Tracks.joined("a", [tracks("a"), tracks("b")])
