import numpy as np
import pytest

from sightline.formats.drawing import colour, drawn
from sightline.formats.trails import Trails
from sightline.model.tracks import Tracks


def rows(boxes, numbers=None, detection=0, classes=("person",)):
    n = len(boxes)
    return Tracks(
        "gate", np.zeros(n, np.int64), np.zeros(n), np.arange(1, n + 1) if numbers is None else np.array(numbers),
        np.array(boxes, float).reshape(n, 4), np.ones(n), np.zeros(n, np.int64), np.full(n, detection), classes,
    )  # fmt: skip


def black(height=200, width=300):
    return np.zeros((height, width, 3), np.uint8)


def painted(boxes, **more):
    return drawn(black(), rows(boxes, **more)).max(axis=2) > 60


def test_the_picture_itself_is_left_as_it_was():
    picture = black()
    assert drawn(picture, rows([[20, 50, 60, 150]])).max() > 0
    assert picture.max() == 0


def test_a_box_is_where_it_is():
    on = painted([[20, 50, 60, 150]])
    assert on[60:140, 19:21].any(axis=1).all()
    assert on[60:140, 59:61].any(axis=1).all()
    assert on[149:151, 25:55].any(axis=0).all()
    assert not on[60:140, 25:55].any()
    assert not on[155:].any()


def test_a_filled_in_box_is_dashed():
    whole, dashed = (painted([[20, 50, 60, 150]], detection=d)[60:140, 19:21].any(axis=1) for d in (0, -1))
    assert whole.all()
    assert 0.3 < dashed.mean() < 0.7


def test_a_track_keeps_its_colour_and_neighbours_differ():
    assert colour(17) == colour(17)
    shades = np.array([colour(k) for k in range(1, 60)], float)
    apart = np.linalg.norm(shades[:, None] - shades[None], axis=2)
    near = np.abs(np.subtract.outer(np.arange(59), np.arange(59))) <= 3
    assert apart[near & ~np.eye(59, dtype=bool)].min() > 60
    assert len({tuple(shade) for shade in shades}) == 59


def test_rows_of_no_track_are_grey_and_have_no_number():
    picture = drawn(black(), rows([[20, 50, 60, 150]], numbers=[-1]))
    assert np.ptp(picture.astype(int), axis=2).max() == 0
    assert not picture[:45].any()


def test_labels_say_the_class_where_there_are_several():
    box = [[20, 50, 60, 150]]
    assert painted(box, classes=("person", "car"))[:49].sum() > 1.5 * painted(box)[:49].sum()


@pytest.mark.parametrize(
    "box",
    [
        [np.nan, 1, 2, 3], [-1e9, -1e9, 1e9, 1e9], [50, 60, 40, 30], [290, 190, 400, 400], [-50, -50, -10, -10],
        [1e300, 1e300, 1e301, 1e301], [np.inf, 0, 1, 1], [10, 10, 10, 10],
    ],
)  # fmt: skip
@pytest.mark.parametrize("detection", [0, -1])
def test_any_box_can_be_drawn(box, detection):
    assert drawn(black(), rows([box], detection=detection)).shape == (200, 300, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (2000, 3)])
def test_pictures_of_any_size_can_be_drawn_into(size):
    assert drawn(black(*size), rows([[0, 0, 5, 5]])).shape == (*size, 3)


def test_no_rows_change_nothing():
    assert drawn(black(), rows([])).max() == 0


def test_names_in_any_script_are_drawn():
    assert painted([[20, 50, 60, 150]], classes=("行人", "Fußgänger"))[:49].any()


def test_trails_follow_the_feet_and_fade():
    trails = Trails(2.0)
    for k in range(21):
        trails.add(k / 10, rows([[50 + 10 * k, 50, 60 + 10 * k, 100]]))
    ((number, feet, fresh),) = trails.at(2.0)
    assert number == 1
    assert feet[-1].tolist() == [255, 100]
    assert fresh[[0, -1]].tolist() == [0, 1]
    picture = drawn(black(), rows([]), trails.at(2.0)).max(axis=2)
    assert picture[99:101, 240:250].max() > picture[99:101, 70:80].max() > 0


def test_trails_forget_what_is_old_and_what_has_no_number():
    trails = Trails(1.0)
    trails.add(0.0, rows([[0, 0, 2, 2], [5, 5, 6, 6]], numbers=[1, -1]))
    trails.add(0.9, rows([[1, 0, 2, 2]]))
    assert [trail[0] for trail in trails.at(0.9)] == [1]
    trails.add(5.0, rows([]))
    assert trails.at(5.0) == []


def test_trails_do_not_grow_with_the_rate():
    trails = Trails(10.0)
    for k in range(3000):
        trails.add(k / 1000, rows([[0, 0, k % 7, 2]]))
    assert len(trails.at(3.0)[0][1]) <= 512
