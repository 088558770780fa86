"""The filter for walkers equals the textbook's, and two filters that meet equal the textbook's smoother."""

import numpy as np
import pytest

from sightline.estimation import walk
from sightline.estimation.walk import Belief, Walk

WALK = Walk(swerve=0.6, sway=0.2, speed_mps=1.1)
H = np.eye(2, 4)


def transition(dt_s):
    return np.block([[np.eye(2), dt_s * np.eye(2)], [np.zeros((2, 2)), np.eye(2)]])


def noise(dt_s):
    q, w = WALK.swerve**2, WALK.sway**2
    blocks = np.array([[q * dt_s**3 / 3 + w * dt_s, q * dt_s**2 / 2], [q * dt_s**2 / 2, q * dt_s]])
    return np.kron(blocks, np.eye(2))


def dense(xy_m, cov_m2, t_s):
    """Filtered and smoothed means and covariances of one path (RTS)."""
    x = np.zeros(4)
    p = np.diag([walk.UNSEEN_M2] * 2 + [WALK.speed_mps**2] * 2)
    states = []
    for k in range(len(t_s)):
        if k:
            f = transition(t_s[k] - t_s[k - 1])
            x, p = f @ x, f @ p @ f.T + noise(t_s[k] - t_s[k - 1])
        gain = p @ H.T @ np.linalg.inv(H @ p @ H.T + cov_m2[k])
        x, p = x + gain @ (xy_m[k] - H @ x), (np.eye(4) - gain @ H) @ p
        states.append((x, p))
    return states


@pytest.fixture
def paths():
    rng = np.random.default_rng(5)
    t_s = np.cumsum(rng.uniform(0.1, 0.8, 20))
    a = rng.normal(0, 1, (20, 2, 2))
    cov = 0.05 * (a @ a.transpose(0, 2, 1) + 0.1 * np.eye(2))
    return t_s, rng.normal(0, 3, (20, 2)), cov


def test_paths_of_different_length_at_once_as_the_textbook_one_by_one(paths):
    t_s, xy_m, cov = paths
    t_s = np.concatenate([t_s[:9], t_s[:1], t_s[:10]])
    first = np.array([0, 9, 10])
    _, after = walk.filtered(xy_m, cov, t_s, first, WALK)
    for begin, end in ((0, 9), (9, 10), (10, 20)):
        for k, (x, p) in enumerate(dense(xy_m[begin:end], cov[begin:end], t_s[begin:end])):
            np.testing.assert_allclose(after.mean[begin + k], x, atol=1e-6)
            np.testing.assert_allclose(after.cov[begin + k], p, atol=1e-6)


def test_backwards_is_forwards_on_the_mirrored_path(paths):
    t_s, xy_m, cov = paths
    first = np.array([0])
    before, after = walk.filtered_backwards(xy_m, cov, t_s, first, WALK)
    mirrored = walk.filtered(xy_m[::-1], cov[::-1], -t_s[::-1], first, WALK)
    for ours, theirs in zip((before, after), mirrored, strict=True):
        np.testing.assert_allclose(ours.mean[::-1, :2], theirs.mean[:, :2])
        np.testing.assert_allclose(ours.mean[::-1, 2:], -theirs.mean[:, 2:])


def test_where_two_filters_meet_is_what_one_large_equation_says(paths):
    """All rows but one, as one system of linear equations; the prior of the speeds is all but none."""
    t_s, xy_m, cov = (column[:6] for column in paths)
    vague = Walk(WALK.swerve, WALK.sway, 1e4)
    n, left_out = 6, 3
    information = 1e-12 * np.eye(4 * n)
    weighted = np.zeros(4 * n)
    for k in set(range(n)) - {left_out}:
        information[4 * k : 4 * k + 2, 4 * k : 4 * k + 2] += np.linalg.inv(cov[k])
        weighted[4 * k : 4 * k + 2] += np.linalg.inv(cov[k]) @ xy_m[k]
    for k in range(1, n):
        dt_s = t_s[k] - t_s[k - 1]
        step = np.hstack([-transition(dt_s), np.eye(4)])
        information[4 * k - 4 : 4 * k + 4, 4 * k - 4 : 4 * k + 4] += step.T @ np.linalg.inv(noise(dt_s)) @ step
    here = slice(4 * left_out, 4 * left_out + 4)
    first = np.array([0])
    ahead, _ = walk.filtered(xy_m, cov, t_s, first, vague)
    behind, _ = walk.filtered_backwards(xy_m, cov, t_s, first, vague)
    met = walk.both(ahead, behind)
    np.testing.assert_allclose(met.mean[left_out], np.linalg.solve(information, weighted)[here], atol=1e-4)
    np.testing.assert_allclose(met.cov[left_out], np.linalg.inv(information)[here, here], rtol=1e-3, atol=1e-4)


def test_two_half_steps_are_one_step(paths):
    t_s, xy_m, cov = paths
    _, after = walk.filtered(xy_m, cov, t_s, np.array([0]), WALK)
    once = walk.predicted(after, 0.8, WALK)
    twice = walk.predicted(walk.predicted(after, 0.4, WALK), 0.4, WALK)
    np.testing.assert_allclose(twice.mean, once.mean)
    np.testing.assert_allclose(twice.cov, once.cov)


def test_meeting_is_the_normal_density_of_the_gap_between_forecast_and_future(paths):
    t_s, xy_m, cov = paths
    _, after = walk.filtered(xy_m, cov, t_s, np.array([0]), WALK)
    one, two = after.rows(slice(3, 4)), after.rows(slice(5, 6))
    forecast = walk.predicted(one, 0.7, WALK)
    gap, spread = two.mean[0] - forecast.mean[0], forecast.cov[0] + two.cov[0]
    density = np.exp(-0.5 * gap @ np.linalg.solve(spread, gap)) / np.sqrt(np.linalg.det(2 * np.pi * spread))
    np.testing.assert_allclose(np.exp(walk.log_meeting(one, two, np.array([0.7]), WALK)), density, rtol=1e-9)


def test_covariances_stay_proper_over_a_long_day():
    """The filter once lost symmetry bit by bit, until variances were negative."""
    rng = np.random.default_rng(0)
    n = 2000
    cov = np.tile(np.diag([1e-4, 1.0]), (n, 1, 1))
    before, after = walk.filtered(rng.normal(0, 1, (n, 2)), cov, np.arange(n) * 0.5, np.array([0]), WALK)
    for belief in (before, after):
        assert np.linalg.eigvalsh(belief.cov).min() > 0
        np.testing.assert_array_equal(belief.cov, belief.cov.transpose(0, 2, 1))


def test_putting_overwrites_only_the_rows_named():
    belief = walk.nothing_known(3, WALK)
    belief.put(np.array([1]), Belief(np.ones((1, 4)), np.ones((1, 4, 4))))
    assert belief.mean.sum() == 4
    assert belief.cov[1].sum() == 16
