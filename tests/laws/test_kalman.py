"""The block filter equals the textbook filter with joint matrices."""

import numpy as np
import pytest

from sightline.estimation import kalman
from sightline.estimation.smoothing import filtered, reversed_in_time, smoothed

MOTION = kalman.Motion(
    seen=0.06, wander=np.array([0.2, 0.1, 0.05, 0.04]), swerve=np.array([0.7, 0.3, 0.1, 0.2]), first_speed=1.3
)
H = np.concatenate([np.eye(4), np.zeros((4, 4))], axis=1)


def transition(dt_s):
    return np.block([[np.eye(4), dt_s * np.eye(4)], [np.zeros((4, 4)), np.eye(4)]])


def process_noise(dt_s, height):
    """White-noise acceleration and a random walk of the position, as joint 8x8 matrix."""
    q = np.diag(np.broadcast_to(MOTION.swerve, 4) ** 2) * height**2
    w = np.diag(np.broadcast_to(MOTION.wander, 4) ** 2) * height**2
    return np.block([[q * dt_s**3 / 3 + w * dt_s, q * dt_s**2 / 2], [q * dt_s**2 / 2, q * dt_s]])


def dense_start(z):
    r = (MOTION.seen * z[3]) ** 2 * np.ones(4)
    v = (MOTION.first_speed * z[3]) ** 2 * np.ones(4)
    return np.concatenate([z, np.zeros(4)]), np.diag(np.concatenate([r, v]))


def dense_predict(x, p, dt_s):
    f = transition(dt_s)
    return f @ x, f @ p @ f.T + process_noise(dt_s, max(x[3], 1.0))


def dense_update(x, p, z):
    r = (MOTION.seen * z[3]) ** 2 * np.eye(4)
    gain = p @ H.T @ np.linalg.inv(H @ p @ H.T + r)
    return x + gain @ (z - H @ x), (np.eye(8) - gain @ H) @ p


def joint(belief, k):
    """State and covariance of thing ``k`` as the textbook has them."""
    at, speed, var, cov, speed_var = belief[:, k]
    p = np.block([[np.diag(var), np.diag(cov)], [np.diag(cov), np.diag(speed_var)]])
    return np.concatenate([at, speed]), p


@pytest.fixture
def path():
    """Three noisy paths of 12 looks at uneven times, each as ``12 4``."""
    rng = np.random.default_rng(3)
    t_s = np.cumsum(rng.uniform(0.02, 0.4, 12))
    start = np.array([[100.0, 200, 40, 90], [300, 50, 20, 50], [10, 10, 60, 120]])
    speed = rng.normal(0, 20, (3, 4)) * [1, 1, 0.1, 0.1]
    return t_s, start[:, None] + speed[:, None] * t_s[:, None] + rng.normal(0, 2, (3, 12, 4))


def dense_filter(t_s, z):
    states = [dense_start(z[0])]
    for k in range(1, len(t_s)):
        states.append(dense_update(*dense_predict(*states[-1], t_s[k] - t_s[k - 1]), z[k]))
    return states


def dense_smoother(t_s, states):
    after = [states[-1]]
    for k in range(len(t_s) - 2, -1, -1):
        dt_s = t_s[k + 1] - t_s[k]
        x, p = states[k]
        x_next, p_next = dense_predict(x, p, dt_s)
        c = p @ transition(dt_s).T @ np.linalg.inv(p_next)
        after.insert(0, (x + c @ (after[0][0] - x_next), p + c @ (after[0][1] - p_next) @ c.T))
    return after


def same(belief, k, state):
    for ours, textbook in zip(joint(belief, k), state, strict=True):
        np.testing.assert_allclose(ours, textbook, rtol=1e-9, atol=1e-9)


def test_step_by_step_as_the_textbook(path):
    t_s, z = path
    belief = kalman.begun(z[:, 0], MOTION)
    for k in range(1, len(t_s)):
        belief = kalman.updated(kalman.predicted(belief, t_s[k] - t_s[k - 1], MOTION), z[:, k], MOTION)
    for i in range(3):
        same(belief, i, dense_filter(t_s, z[i])[-1])


def test_paths_of_different_length_at_once_as_the_textbook_one_by_one(path):
    t_s, z = path
    lengths = (12, 1, 7)
    starts = np.cumsum([0, *lengths[:-1]])
    times = np.concatenate([t_s[:n] for n in lengths])
    looks = np.concatenate([z[i, :n] for i, n in enumerate(lengths)])
    past = filtered(looks, times, starts, MOTION)
    both = smoothed(past, times, starts, MOTION)
    for i, n in enumerate(lengths):
        states = dense_filter(t_s[:n], z[i, :n])
        for k, (state, after) in enumerate(zip(states, dense_smoother(t_s[:n], states), strict=True)):
            same(past, starts[i] + k, state)
            same(both, starts[i] + k, after)


def test_backwards_is_forwards_on_the_mirrored_path(path):
    t_s, z = path
    starts = np.zeros(1, np.int64)
    back = reversed_in_time(z[0], t_s, starts, MOTION)
    mirrored = filtered(z[0, ::-1], -t_s[::-1], starts, MOTION)[:, ::-1]
    np.testing.assert_allclose(back[[0, 2, 4]], mirrored[[0, 2, 4]])
    np.testing.assert_allclose(back[[1, 3]], -mirrored[[1, 3]])


def test_two_half_steps_are_one_step(path):
    _, z = path
    still = kalman.Motion(first_speed=1.0)
    belief = kalman.begun(z[:, 0], still)
    halves = kalman.predicted(kalman.predicted(belief, 0.2, still), 0.2, still)
    np.testing.assert_allclose(halves, kalman.predicted(belief, 0.4, still), rtol=1e-12)


@pytest.mark.parametrize("swerve", [0.7, np.array([0.4, 0.2, 0.1, 0.3])])
def test_one_step_for_all_is_the_same_step(path, swerve):
    t_s, z = path
    motion = kalman.Motion(swerve=swerve)
    belief = kalman.begun(z[:, 0], motion)
    for k in range(1, len(t_s)):
        dt_s = t_s[k] - t_s[k - 1]
        one = kalman.predicted(belief, dt_s, motion)
        np.testing.assert_allclose(kalman.stepped(belief, dt_s, motion), one, rtol=1e-12)
        belief = kalman.updated(one, z[:, k], motion)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_a_picture_twice_as_large_gives_beliefs_twice_as_large(path, size):
    t_s, z = path
    grow = np.array([size, size, size**2, size**2, size**2])[:, None, None]
    starts = np.zeros(1, np.int64)
    big = z[0] + [0, 0, 0, 1e4]  # above the floor of one pixel, whatever the size
    small_first = filtered(big, t_s, starts, MOTION) * grow
    np.testing.assert_allclose(filtered(big * size, t_s, starts, MOTION), small_first, rtol=1e-9)


def test_a_shifted_turned_and_zoomed_camera_moves_means_as_a_dense_map_would(path):
    _, z = path
    belief = kalman.begun(z[:, 0], MOTION)
    belief[1] = 5.0
    turn, zoom = 0.3, 1.2
    a = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    px_from_before = np.block([[a, np.array([[7.0], [-3.0]])], [np.zeros((1, 2)), np.ones((1, 1))]])
    after = kalman.moved(belief, px_from_before)
    np.testing.assert_allclose(after[0, :, :2], belief[0, :, :2] @ a.T + [7, -3])
    np.testing.assert_allclose(after[1, :, :2], belief[1, :, :2] @ a.T)
    np.testing.assert_allclose(after[:2, :, 2:], zoom * belief[:2, :, 2:])
    for k in range(3):
        x_of_joint = a @ np.diag(belief[2, k, :2]) @ a.T
        np.testing.assert_allclose(after[2, k, :2], np.diag(x_of_joint))


def test_a_camera_at_rest_changes_nothing(path):
    _, z = path
    belief = kalman.predicted(kalman.begun(z[:, 0], MOTION), 0.3, MOTION)
    np.testing.assert_array_equal(kalman.moved(belief, np.eye(3)), belief)


def test_boxes_survive_the_way_to_centre_and_size(path):
    xyxy_px = np.array([[1.0, 2, 5, 9], [-4, 0, 3, 1]])
    np.testing.assert_allclose(kalman.xyxy_from_measured(kalman.measured_from_xyxy(xyxy_px)), xyxy_px)
