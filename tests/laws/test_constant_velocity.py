"""The batched filter equals the textbook's with joint matrices, Joseph form and all."""

import numpy as np
import pytest

from sightline.estimation.constant_velocity import Noise, believed, fitted

NOISE = Noise(sigma_a=0.7, sigma_meas_h=1.3, sigma_meas_v=0.6, gate=None)
H = np.concatenate([np.eye(3), np.zeros((3, 3))], axis=1)


def transition(dt):
    return np.block([[np.eye(3), dt * np.eye(3)], [np.zeros((3, 3)), np.eye(3)]])


def pushed(dt):
    g = np.concatenate([dt * dt / 2 * np.eye(3), dt * np.eye(3)])
    return NOISE.sigma_a**2 * g @ g.T


def textbook(t_s, z):
    """Means and covariances of filter and smoother."""
    r = np.diag(NOISE.measured_m2)
    x, p = np.concatenate([z[0], np.zeros(3)]), np.diag([25.0] * 3 + [4.0] * 3)
    means, covs, forecasts = [x], [p], [None]
    for k in range(1, len(t_s)):
        f = transition(t_s[k] - t_s[k - 1])
        x, p = f @ x, f @ p @ f.T + pushed(t_s[k] - t_s[k - 1])
        forecasts.append((f, x, p))
        gain = p @ H.T @ np.linalg.inv(H @ p @ H.T + r)
        x = x + gain @ (z[k] - H @ x)
        keep = np.eye(6) - gain @ H
        p = keep @ p @ keep.T + gain @ r @ gain.T
        means.append(x)
        covs.append(p)
    late_means, late_covs = list(means), list(covs)
    for k in range(len(t_s) - 2, -1, -1):
        f, x, p = forecasts[k + 1]
        gain = covs[k] @ f.T @ np.linalg.inv(p)
        late_means[k] = means[k] + gain @ (late_means[k + 1] - x)
        late_covs[k] = covs[k] + gain @ (late_covs[k + 1] - p) @ gain.T
    return (np.array(means), np.array(covs)), (np.array(late_means), np.array(late_covs))


@pytest.fixture
def looks():
    rng = np.random.default_rng(5)
    lengths = [12, 1, 7]
    t_s = np.concatenate([np.cumsum(rng.uniform(0.05, 0.9, n)) for n in lengths])
    starts = np.array([0, 12, 13])
    return t_s, np.cumsum(rng.normal(0, 1, (20, 3)), axis=0), starts


def test_filter_and_smoother_are_the_textbooks(looks):
    t_s, z, starts = looks
    belief, used = believed(z, t_s, starts, NOISE, smooth=False)
    late, _ = believed(z, t_s, starts, NOISE, smooth=True)
    assert used.all()
    for first, after in zip(starts, [*starts[1:], len(t_s)], strict=True):
        rows = slice(first, after)
        for found, (means, covs) in zip((belief, late), textbook(t_s[rows], z[rows]), strict=True):
            np.testing.assert_allclose(np.concatenate([found[0], found[1]], axis=1)[rows], means, atol=1e-9)
            for k, (a, b) in enumerate(((0, 0), (0, 3), (3, 3))):
                wanted = np.stack([covs[:, a + axis, b + axis] for axis in range(3)], axis=1)
                np.testing.assert_allclose(found[2 + k][rows], wanted, atol=1e-9)


def test_paths_do_not_touch_each_other(looks):
    t_s, z, starts = looks
    together, _ = believed(z, t_s, starts, NOISE, smooth=True)
    alone, _ = believed(z[13:], t_s[13:], np.array([0]), NOISE, smooth=True)
    np.testing.assert_array_equal(together[:, 13:], alone)


def test_a_look_far_off_is_refused_but_not_for_ever():
    t_s = np.arange(20.0)
    z = np.stack([2 * t_s, np.zeros(20), np.zeros(20)], axis=1)
    jumped = z.copy()
    jumped[8, 1] = 80.0
    noise = Noise(sigma_a=0.5, sigma_meas_h=0.5, sigma_meas_v=0.5)
    belief, used = believed(jumped, t_s, np.array([0]), noise, smooth=False)
    assert np.flatnonzero(~used).tolist() == [8]
    assert np.abs(belief[0, 8:, 1]).max() < 1.0
    moved = z.copy()
    moved[8:, 1] = 80.0
    belief, used = believed(moved, t_s, np.array([0]), noise, smooth=False)
    assert (~used).sum() >= 3
    assert abs(belief[0, -1, 1] - 80.0) < 5.0


def test_nothing_to_filter_is_nothing():
    belief, used = believed(np.zeros((0, 3)), np.zeros(0), np.zeros(0, np.int64), NOISE, smooth=True)
    assert belief.shape == (5, 0, 3)
    assert not len(used)


@pytest.mark.parametrize(("sigma_a", "tremble"), [(0.1, 0.3), (2.0, 0.3), (1.0, 0.05)])
def test_the_noise_of_paths_is_found_from_the_paths(sigma_a, tremble):
    rng = np.random.default_rng(8)
    dt = rng.uniform(0.15, 0.25, (40, 60))
    push = rng.normal(0, sigma_a, (40, 60, 2))
    speed = rng.normal(0, 3, (40, 1, 2)) + np.cumsum(push * dt[..., None], axis=1)
    place = np.cumsum(speed * dt[..., None], axis=1)
    xyz = np.concatenate([place + rng.normal(0, tremble, place.shape), np.zeros((40, 60, 1))], axis=2).reshape(-1, 3)
    t_s = np.cumsum(dt, axis=1).ravel()
    found = fitted(xyz, t_s, np.arange(40) * 60, Noise())
    assert found.sigma_meas_h == pytest.approx(tremble, rel=0.2)
    assert sigma_a / 2 <= found.sigma_a <= sigma_a * 2.5
    assert found.sigma_meas_v == Noise().sigma_meas_v


def test_too_few_looks_change_nothing():
    assert fitted(np.zeros((5, 3)), np.arange(5.0), np.array([0]), NOISE) == NOISE
    assert fitted(np.zeros((0, 3)), np.zeros(0), np.zeros(0, np.int64), NOISE) == NOISE
