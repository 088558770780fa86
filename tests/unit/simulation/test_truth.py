"""Who is listed in the truth, and under which number."""

import numpy as np
import pytest

from sightline.model.frame import Moment
from sightline.simulation.motion.trajectories import Trajectories
from sightline.simulation.rendering.view import Shot
from sightline.simulation.truth import MEMORY_S, Visits, as_mot, clearly_seen

FPS = 2.0


@pytest.fixture
def visits(still_day):
    n = 60
    zeros = np.zeros((n, 2))
    made = Trajectories(
        np.arange(n) / FPS, np.array([0, 2]), np.zeros((n, 2, 2)), zeros, zeros, zeros, np.ones((n, 2), bool)
    )
    return Visits.of(still_day.cameras[0], made)


def seen(visits, index, visibility, box=(10.0, 20.0, 30.0, 80.0), mover=0):
    rgb = np.zeros((4, 4, 3), np.uint8)
    shot = Shot(rgb, np.array([mover]), np.array([box]), np.array([visibility]), rgb[..., 0])
    return visits.rows(Moment("cam1", index, index / FPS), shot)


def test_who_has_never_been_seen_is_not_listed(visits):
    assert len(seen(visits, 0, 0.0)) == 0
    assert len(seen(visits, 1, 1.0)) == 1


def test_who_hides_keeps_number_and_row_for_a_while(visits):
    first = seen(visits, 0, 1.0)
    hidden = seen(visits, 4, 0.0)
    back = seen(visits, 6, 0.8)
    assert first.number.tolist() == hidden.number.tolist() == back.number.tolist() == [1]
    assert hidden.extra["visibility"].tolist() == [0.0]


def test_who_comes_back_late_has_a_new_number_and_the_old_identity(visits):
    first = seen(visits, 0, 1.0)
    late = int(MEMORY_S * FPS) + 1
    assert len(seen(visits, late, 0.0)) == 0
    back = seen(visits, late + 1, 1.0)
    assert (first.number.tolist(), back.number.tolist()) == ([1], [2])
    assert first.extra["identity"].tolist() == back.extra["identity"].tolist() == [1]


def test_numbers_count_from_one_and_are_not_shared(visits):
    assert seen(visits, 0, 1.0, mover=1).number.tolist() == [1]
    assert seen(visits, 1, 1.0, mover=0).number.tolist() == [2]


def test_boxes_end_at_the_edge_of_the_picture(visits):
    rows = seen(visits, 0, 0.5, box=(-20.0, 300.0, 40.0, 400.0))
    assert rows.xyxy_px.tolist() == [[0.0, 300.0, 40.0, 360.0]]


def test_slivers_are_left_out(visits):
    assert len(seen(visits, 0, 1.0, box=(10.0, -50.0, 30.0, 3.0))) == 0


def test_what_can_hardly_be_seen_is_not_asked_of_a_tracker(visits):
    rows = seen(visits, 0, 0.2)
    assert len(rows) == 1
    assert len(clearly_seen(rows)) == 0
    assert as_mot(rows).score.tolist() == [0.0]


def test_mot_truth_is_in_the_benchmarks_classes(visits):
    rows = as_mot(seen(visits, 0, 0.9, mover=1))
    assert rows.classes[rows.label[0]] == "car"
    assert list(rows.extra) == ["visibility"]
