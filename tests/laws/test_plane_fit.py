"""A plane from clicked pairs of points: exact where the clicks are, and wrong pairs are named."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sightline.estimation.plane_fit import plane_fit
from sightline.geometry.camera import intrinsics
from sightline.geometry.homography import map_from_px, px_from_map
from sightline.geometry.rigid import looking_at
from sightline.geometry.warp import warped
from sightline.model.camera import Camera

seeds = st.integers(0, 2**32 - 1)


def seen(seed, n):
    """A camera that hangs somewhere, points on the ground before it, and where they appear."""
    rng = np.random.default_rng(seed)
    eye = np.array([*rng.uniform(-10, 10, 2), rng.uniform(3, 8)])
    target = np.array([*(eye[:2] + rng.uniform(8, 15) * np.array([np.cos(seed), np.sin(seed)])), 0.0])
    camera = Camera("one", 1280, 720, intrinsics(1280, 720, np.radians(70.0)), looking_at(eye, target))
    xy_px = np.column_stack([rng.uniform(0, 1280, n), rng.uniform(330, 720, n)])
    return camera, xy_px, warped(map_from_px(camera), xy_px), rng


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(4, 20))
def test_exact_pairs_give_the_cameras_own_homography(seed, n):
    _, xy_px, xy_m, _ = seen(seed, n)
    assume(np.isfinite(xy_m).all() and np.ptp(xy_px, axis=0).min() > 200)
    assume(n > 4 or np.linalg.cond(np.column_stack([xy_px[:3] / 720, np.ones(3)])) < 20)
    fit = plane_fit(xy_px, xy_m)
    assert fit.is_used.all()
    assert fit.off_px.max() < 1e-5
    assert np.isnan(fit.off_map).all() if n == 4 else fit.off_map.max() < 1e-3
    assert np.allclose(warped(fit.map_from_px, xy_px), xy_m, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(8, 20), st.integers(1, 2))
def test_wrong_pairs_have_no_say_and_are_named(seed, n, n_wrong):
    camera, xy_px, xy_m, rng = seen(seed, n)
    assume(np.isfinite(xy_m).all() and np.linalg.norm(xy_m - xy_m.mean(axis=0), axis=1).max() < 200)
    clicked = xy_px + rng.normal(0, 0.5, xy_px.shape)
    clicked[:n_wrong] += 120.0 * np.array([[1, -1], [-1, -1]])[:n_wrong]
    fit = plane_fit(clicked, xy_m)
    assert not fit.is_used[:n_wrong].any()
    assert fit.off_px[:n_wrong].min() > 50
    assert np.linalg.norm(warped(px_from_map(camera), xy_m[n_wrong:]) - clicked[n_wrong:], axis=1).max() < 5


def test_the_far_side_of_the_horizon_is_no_place():
    _, xy_px, xy_m, _ = seen(3, 12)
    fit = plane_fit(xy_px, xy_m)
    assert np.isnan(warped(fit.map_from_px, np.array([[640.0, -3000.0]]))).all()


@pytest.mark.parametrize(
    ("xy_px", "xy_map", "said"),
    [
        (np.zeros((3, 2)), np.zeros((3, 2)), "needs 4"),
        (np.full((4, 2), np.nan), np.zeros((4, 2)), "no number"),
        (np.zeros((6, 2)), np.zeros((6, 2)), "on a line"),
        (np.arange(12.0).reshape(6, 2), np.arange(12.0).reshape(6, 2), "on a line"),
    ],
)
def test_points_that_say_nothing_are_refused(xy_px, xy_map, said):
    with pytest.raises(ValueError, match=said):
        plane_fit(xy_px, xy_map)
