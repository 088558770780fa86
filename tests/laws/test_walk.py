"""The filter for walkers equals the textbook's where nobody turns, and two that meet its smoother; and turns."""

from dataclasses import replace

import numpy as np
import pytest

from sightline.estimation import turning, walk
from sightline.estimation.walk import Belief, Walk

WALK = Walk(swerve=0.6, sway=0.2, speed_mps=1.1, anew_hz=0.0)
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


def filtered(xy_m, cov_m2, t_s, first=(0,), walk=WALK):
    """Beliefs before and after each row, forth and back; all rows seen."""
    shown = np.ones(len(t_s), bool)
    both = turning.filtered_both_ways(xy_m, cov_m2, shown, t_s, np.array(first), walk)
    return [(ahead.steady, after) for ahead, after in both]


def test_paths_of_different_length_at_once_as_the_textbook_one_by_one(paths):
    t_s, xy_m, cov = paths
    t_s = np.concatenate([t_s[:9], t_s[:1], t_s[:10]])
    (_, after), _ = filtered(xy_m, cov, t_s, (0, 9, 10))
    for begin, end in ((0, 9), (9, 10), (10, 20)):
        for k, (x, p) in enumerate(dense(xy_m[begin:end], cov[begin:end], t_s[begin:end])):
            np.testing.assert_allclose(after.mean[begin + k], x, atol=1e-6)
            np.testing.assert_allclose(after.cov[begin + k], p, atol=1e-6)


def test_backwards_is_forwards_on_the_mirrored_path(paths):
    t_s, xy_m, cov = paths
    _, (before, after) = filtered(xy_m, cov, t_s)
    mirrored, _ = filtered(xy_m[::-1], cov[::-1], -t_s[::-1])
    for ours, theirs in zip((before, after), mirrored, strict=True):
        np.testing.assert_allclose(ours.mean[::-1, :2], theirs.mean[:, :2])
        np.testing.assert_allclose(ours.mean[::-1, 2:], -theirs.mean[:, 2:])


def test_where_two_filters_meet_is_what_one_large_equation_says(paths):
    """All rows but one, as one system of linear equations; the prior of the speeds is all but none."""
    t_s, xy_m, cov = (column[:6] for column in paths)
    vague = Walk(WALK.swerve, WALK.sway, 1e4, 0.0)
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
    (ahead, _), (behind, _) = filtered(xy_m, cov, t_s, walk=vague)
    met = walk.both(ahead, behind)
    np.testing.assert_allclose(met.mean[left_out], np.linalg.solve(information, weighted)[here], atol=1e-4)
    np.testing.assert_allclose(met.cov[left_out], np.linalg.inv(information)[here, here], rtol=1e-3, atol=1e-4)


def test_two_half_steps_are_one_step(paths):
    t_s, xy_m, cov = paths
    (_, after), _ = filtered(xy_m, cov, t_s)
    once = walk.predicted(after, 0.8, WALK)
    twice = walk.predicted(walk.predicted(after, 0.4, WALK), 0.4, WALK)
    np.testing.assert_allclose(twice.mean, once.mean)
    np.testing.assert_allclose(twice.cov, once.cov)


def test_meeting_is_the_normal_density_of_the_gap_between_forecast_and_future(paths):
    t_s, xy_m, cov = paths
    (_, after), _ = filtered(xy_m, cov, t_s)
    one, two = after.rows(slice(3, 4)), after.rows(slice(5, 6))
    forecast = walk.predicted(one, 0.7, WALK)
    gap, spread = two.mean[0] - forecast.mean[0], forecast.cov[0] + two.cov[0]
    density = np.exp(-0.5 * gap @ np.linalg.solve(spread, gap)) / np.sqrt(np.linalg.det(2 * np.pi * spread))
    np.testing.assert_allclose(np.exp(turning.log_meeting(one, two, np.array([0.7]), WALK)), density, rtol=1e-9)


def test_covariances_stay_proper_over_a_long_day():
    """The filter once lost symmetry bit by bit, until variances were negative."""
    rng = np.random.default_rng(0)
    n = 2000
    cov = np.tile(np.diag([1e-4, 1.0]), (n, 1, 1))
    (before, after), _ = filtered(rng.normal(0, 1, (n, 2)), cov, np.arange(n) * 0.5, walk=Walk())
    for belief in (before, after):
        assert np.linalg.eigvalsh(belief.cov).min() > 0
        np.testing.assert_allclose(belief.cov, belief.cov.transpose(0, 2, 1), rtol=1e-9, atol=1e-12)


def test_putting_overwrites_only_the_rows_named():
    belief = walk.nothing_known(3, WALK)
    belief.put(np.array([1]), Belief(np.ones((1, 4)), np.ones((1, 4, 4))))
    assert belief.mean.sum() == 4
    assert belief.cov[1].sum() == 16


def walkers(turns_at_s=3.0, speed_mps=1.2, step_s=0.5):
    """Somebody who walks east, and back from some time on; seen to 10 cm."""
    t_s = step_s * np.arange(13)
    east_m = speed_mps * (turns_at_s - np.abs(t_s - turns_at_s))
    xy_m = np.column_stack([east_m, 0 * east_m])
    return t_s, xy_m, np.tile(0.01 * np.eye(2), (len(t_s), 1, 1))


def test_who_turns_on_the_spot_is_found_again_at_once_and_a_steady_walker_known_as_well_as_ever():
    t_s, xy_m, cov = walkers()
    known = {hz: filtered(xy_m, cov, t_s, walk=Walk(anew_hz=hz)) for hz in (1e-9, 0.05)}
    off_m = {hz: np.linalg.norm(both[0][1].mean[:, :2] - xy_m, axis=1) for hz, both in known.items()}
    assert off_m[1e-9][7:9].max() > 0.2
    assert off_m[0.05][7:9].max() < 0.15
    spreads = [np.sqrt(both[0][1].cov[6, 0, 0]) for both in known.values()]
    assert spreads[1] < 1.05 * spreads[0]


def test_a_forecast_that_sets_off_anew_holds_those_who_do():
    """Against walkers drawn one by one: steady until some time, then with a speed of their own."""
    rng, n, dt_s, own = np.random.default_rng(0), 20_000, 2.0, Walk()
    turn_s = rng.uniform(0, dt_s, n)
    east_m = 1.5 * turn_s + rng.normal(0, own.speed_mps, n) * (dt_s - turn_s)
    start = Belief(np.array([[0.0, 0, 1.5, 0]]), np.zeros((1, 4, 4)))
    ahead = turning.forecast(start, dt_s, replace(own, swerve=0.0, sway=0.0)).anew
    assert abs(ahead.mean[0, 0] - east_m.mean()) < 0.03
    assert abs(ahead.cov[0, 0, 0] / east_m.var() - 1) < 0.05


def test_rows_that_were_not_seen_tell_nothing():
    t_s, xy_m, cov = walkers()
    shown = np.arange(len(t_s)) % 3 != 1
    elsewhere = np.where(shown[:, None], xy_m, 99.0)
    one, other = (
        turning.filtered_both_ways(places, cov, shown, t_s, np.array([0]), Walk()) for places in (xy_m, elsewhere)
    )
    for (_, after), (_, also) in zip(one, other, strict=True):
        np.testing.assert_array_equal(after.mean, also.mean)
