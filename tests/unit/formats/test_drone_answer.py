"""The answer of the drone service: what is in it, in which order, and that it is JSON whatever came along."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sightline.errors import FormatError
from sightline.formats.drone_answer import NEAR_M, Answer, density, write
from sightline.model.positions import Origin, Positions
from sightline.model.tracks import Tracks


def answer(frames, numbers, xyz, velocity, **more):
    n = len(frames)
    frame, number = np.array(frames), np.array(numbers)
    cov = np.tile(np.eye(3) * 4.0, (n, 1, 1))
    places = Positions(
        Origin(51.5, -3.2, 60.0), frame, frame / 5, number, np.array(xyz, float), cov, np.array(velocity, float), cov
    )
    boxes = np.tile(np.array([1.0, 2, 3, 4]), (n, 1))
    whole = np.zeros(n, np.int64)
    tracks = Tracks("a", frame, frame / 5, number, boxes, np.ones(n), whole, whole, ("car",))
    return Answer(metadata={"fps": 5.0}, tracks=tracks, positions=places, depth_m=np.full(n, 70.0), **more)


def said(told, path):
    write(told, path)
    return json.loads(path.read_text(), parse_constant=pytest.fail)


def test_entries_are_sorted_and_those_without_a_place_left_out(tmp_path):
    nowhere = [np.nan] * 3
    told = answer([0, 0, 1, 2], [5, 2, 1, 1], [[3, 4, 0], [0, 0, 0], nowhere, [1, 1, 0]], [[1, 0, 0]] * 4)
    found = said(told, tmp_path / "a.json")["tracks"]
    assert [(one["frame_id"], one["track_id"]) for one in found] == [(0, 2), (0, 5), (2, 1)]
    assert found[1]["pos_ned"] == [4, 3, 0]
    assert found[1]["heading_deg"] == 90
    assert found[1]["density"] == 1
    assert found[1]["bbox"] == [1, 2, 3, 4]
    assert found[1]["class_name"] == "car"


def test_what_came_along_comes_back_and_no_number_is_none(tmp_path):
    entries = [{"id": 7, "crowd": None, "odd": float("nan"), "deep": {"far": [float("inf"), 1]}, "lat": "mine"}]
    told = answer([0], [7], [[0, 0, 0]], [[np.nan] * 3], entries=entries)
    (one,) = said(told, tmp_path / "a.json")["tracks"]
    assert (one["id"], one["crowd"], one["odd"], one["deep"]) == (7, None, None, {"far": [None, 1]})
    assert one["lat"] == pytest.approx(51.5)
    assert (one["speed_mps"], one["heading_deg"], one["vel_ned"]) == (None, None, [None] * 3)
    with pytest.raises(FormatError, match="not to be said in JSON"):
        write(answer([0], [7], [[0, 0, 0]], [[0, 0, 0]], entries=[{"odd": {1, 2}}]), tmp_path / "b.json")
    assert not (tmp_path / "b.json").exists()


def test_the_heading_of_what_hardly_moves_is_null_on_request(tmp_path):
    both = ([0, 0], [1, 2], [[0, 0, 0], [50, 0, 0]], [[0.1, 0, 0], [0, -3, 0]])
    plain = said(answer(*both), tmp_path / "a.json")["tracks"]
    assert [(one["heading_deg"], one["is_moving"]) for one in plain] == [(90, False), (180, True)]
    strict = said(answer(*both, null_heading=True), tmp_path / "a.json")["tracks"]
    assert [one["heading_deg"] for one in strict] == [None, 180]


def test_the_aircraft_comes_first_in_its_pictures(tmp_path):
    told = answer([0, 1], [3, 3], [[0, 0, 0]] * 2, [[1, 0, 0]] * 2)
    own = answer([0, 1], [0, 0], [[0, 0, 60]] * 2, [[0, 5, 0], [0, 0, 0]]).positions
    more = {"aircraft": own, "aircraft_yaw_rad": np.array([1.0, -np.pi / 2])}
    told = answer([0, 1], [3, 3], [[0, 0, 0]] * 2, [[1, 0, 0]] * 2, **more)
    found = said(told, tmp_path / "a.json")["tracks"]
    assert [one["track_id"] for one in found] == [0, 3, 0, 3]
    assert [found[0]["heading_deg"], found[2]["heading_deg"]] == [0, 270]
    assert found[0]["pos_ned"] == [0, 0, -60]
    assert (found[0]["class_name"], found[0]["bbox"]) == ("UAV", None)


@settings(max_examples=40)
@given(arrays(float, (7, 3), elements=st.floats(-20, 20)), arrays(int, 7, elements=st.integers(0, 2)))
def test_density_counts_others_near_in_the_same_picture(xyz, frame):
    apart = np.linalg.norm(xyz[:, None] - xyz[None], axis=2)
    edge = np.abs(apart - NEAR_M) < 1e-6
    near = (apart <= NEAR_M) & (frame[:, None] == frame[None])
    wanted = near.sum(axis=1) - 1
    found = density(xyz, frame)
    assert ((found == wanted) | (edge & (frame[:, None] == frame[None])).any(axis=1)).all()
