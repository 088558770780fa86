import numpy as np

from sightline.detectors.stature import Stature


def people(n, rng, slope=0.3, start=20.0, spread=0.04):
    foot = rng.uniform(80, 350, n)
    height = (start + slope * foot) * np.exp(rng.normal(0, spread, n))
    left = rng.uniform(0, 400, n)
    return np.stack([left, foot - height, left + height / 3, foot], axis=1)


def taught(n=300, **how):
    rng, stature = np.random.default_rng(0), Stature()
    for _ in range(n // 5):
        stature.learn(people(5, rng, **how), np.ones(5))
    return stature


def test_nothing_is_claimed_before_enough_was_seen():
    stature = taught(20)
    assert not stature.known
    boxes = people(4, np.random.default_rng(1))
    np.testing.assert_array_equal(stature.oddness(boxes), 0)
    np.testing.assert_array_equal(stature.settled(boxes, 0.1), boxes)


def test_the_line_is_learnt():
    stature = taught()
    assert stature.known
    np.testing.assert_allclose(stature.expected_px(np.array([100.0, 200, 300])), [50, 80, 110], rtol=0.05)


def test_a_box_twice_as_tall_is_odd_and_the_usual_is_not():
    odd = taught().oddness(np.array([[0.0, 120, 25, 200], [0, 40, 50, 200]]))
    assert odd[0] < 1
    assert odd[1] > 5


def test_the_odd_teach_nothing():
    stature = taught()
    before = stature.expected_px(np.array([200.0]))
    stature.learn(np.array([[0.0, 0, 60, 200]]).repeat(50, axis=0), np.ones(50))
    np.testing.assert_array_equal(stature.expected_px(np.array([200.0])), before)


def test_where_people_do_not_fit_a_line_nothing_is_claimed():
    assert not taught(spread=0.9).known


def test_settled_boxes_keep_their_centres_and_come_closer():
    stature = taught()
    box = np.array([[0.0, 100, 30, 200]])
    settled = stature.settled(box, 0.07)
    np.testing.assert_allclose(settled[:, :2] + settled[:, 2:], box[:, :2] + box[:, 2:])
    assert 80 < settled[0, 3] - settled[0, 1] < 100


def test_it_forgets_when_told():
    stature = taught()
    stature.forget()
    assert not stature.known


def test_no_people_no_lesson():
    stature = Stature()
    stature.learn(np.zeros((0, 4)), np.zeros(0))
    assert not stature.known
