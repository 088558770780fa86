import numpy as np
import pytest

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


def boxes_of(foot, height):
    return np.stack([np.zeros_like(foot), foot - height, height / 3, foot], axis=1)


@pytest.mark.parametrize("times_as_far", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("seed", range(5))
def test_people_far_away_do_not_silence_people_near(seed, times_as_far):
    """Near people were once judged by a line through the far ones, as if it were as sure there."""
    rng, stature = np.random.default_rng(seed), Stature()
    for _ in range(100):
        foot = rng.uniform(100, 120, 5)
        stature.learn(boxes_of(foot, 0.4 * (foot - 20) * np.exp(rng.normal(0, 0.07, 5))), np.ones(5))
    near = np.array([110 * times_as_far])
    on_the_line = boxes_of(near, 0.4 * (near - 20))
    assert stature.oddness(on_the_line)[0] < 2
    assert stature.oddness(boxes_of(near, 0.34 * (near - 20)))[0] < 2.5
    for _ in range(40):
        stature.learn(on_the_line, np.ones(1))
    np.testing.assert_allclose(stature.expected_px(near), 0.4 * (near - 20), rtol=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_surest_where_people_were_seen_and_less_so_with_every_step_away(seed):
    rng, stature = np.random.default_rng(seed), Stature()
    for _ in range(60):
        foot = rng.uniform(150, 200, 5)
        stature.learn(boxes_of(foot, 0.3 * foot * np.exp(rng.normal(0, 0.05, 5))), np.ones(5))
    spread = stature.spread(np.linspace(200, 600, 9))
    assert (np.diff(spread) > 0).all()
    assert stature.spread(np.array([175.0]))[0] < 0.1


def test_more_people_make_it_surer():
    few, many, foot = taught(40), taught(1500), np.array([200.0, 500])
    assert (many.spread(foot) < few.spread(foot)).all()


def test_the_bent_line_of_a_steep_camera_is_learnt():
    rng, stature = np.random.default_rng(0), Stature()
    for _ in range(300):
        foot = rng.uniform(60, 350, 5)
        stature.learn(boxes_of(foot, 10 + 0.4 * foot - 4e-4 * foot**2), np.ones(5))
    foot = np.array([80.0, 200, 330])
    np.testing.assert_allclose(stature.expected_px(foot), 10 + 0.4 * foot - 4e-4 * foot**2, rtol=0.03)


def test_nothing_known_is_infinitely_vague():
    assert np.isinf(Stature().spread(np.array([100.0]))).all()
