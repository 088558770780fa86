"""Which spots are the same thing, and which pictures are compared at all."""

import cv2
import numpy as np
import pytest

from sightline.reconstructors.structure.comparing import along_lines, near_places, nearest_two
from sightline.reconstructors.structure.features import Features, features
from sightline.reconstructors.structure.matching import _agreed, alike, matches
from sightline.reconstructors.structure.pairs import pairs


def looks(rng, n):
    """Random looks of length one."""
    made = rng.exponential(1, (n, 128)).astype(np.float32) ** 2
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def spots(rng, n, look=None):
    places = rng.uniform(0, [640, 480], (n, 2)).astype(np.float32)
    return Features(places, looks(rng, n) if look is None else look, np.zeros((n, 3), np.uint8))


def slowly(product, allowed):
    """What the compiled loops should give."""
    table = np.where(allowed, product, -1)
    order = np.sort(table, axis=1)
    best = np.where(allowed.any(axis=1), table.argmax(axis=1), -1)
    back = np.where(allowed.any(axis=0), table.argmax(axis=0), -1)
    return best, order[:, -1], order[:, -2], back


def same(fast, slow):
    for one, other in zip(fast, slow, strict=True):
        assert np.allclose(one, other, atol=1e-5)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_the_nearest_two_are_those_of_the_whole_table(rng):
    one, other = looks(rng, 91), looks(rng, 1026)
    product = one @ other.T
    same(nearest_two(one, other), slowly(product, np.ones_like(product, bool)))


@pytest.mark.parametrize("seed", range(5))
def test_along_lines_none_is_missed_and_none_is_too_far(seed):
    rng = np.random.default_rng(seed)
    one, other = spots(rng, 150), spots(rng, 180)
    lines = rng.normal(0, 1, (3, 3)) * [[1, 1, 300], [1, 1, 300], [300, 300, 90000]]
    a = np.column_stack([one.xy_px, np.ones(150)]) @ lines.T
    far = np.abs(a @ np.column_stack([other.xy_px, np.ones(180)]).T) / np.linalg.norm(a[:, :2], axis=1)[:, None]
    fast = along_lines(one.xy_px, one.look, other.xy_px, other.look, lines, 12.0)
    same(fast, slowly(one.look @ other.look.T, far <= 12))


@pytest.mark.parametrize("seed", range(5))
def test_near_places_none_is_missed_and_none_is_too_far(seed):
    rng = np.random.default_rng(seed)
    one, other = spots(rng, 150), spots(rng, 180)
    places = one.xy_px.astype(float) + rng.normal(0, 200, (150, 2))
    far = np.linalg.norm(places[:, None] - other.xy_px[None], axis=2)
    fast = near_places(places, one.look, other.xy_px, other.look, 40.0)
    same(fast, slowly(one.look @ other.look.T, far <= 40))


def test_places_beyond_the_horizon_match_nothing(rng):
    one = spots(rng, 10)
    best, *_ = near_places(np.full((10, 2), np.nan), one.look, one.xy_px, one.look, 20.0)
    assert (best == -1).all()


def test_spots_that_look_like_two_others_match_neither(rng):
    look = looks(rng, 20)
    other = np.vstack([look, look[:1]])
    assert alike(look, other).tolist() == [[i, i] for i in range(1, 20)]


def test_no_spots_match_none(rng):
    nothing = Features.none()
    assert len(matches(nothing, spots(rng, 50), 640.0)) == 0
    assert len(matches(spots(rng, 2000), nothing, 640.0)) == 0


@pytest.mark.parametrize("is_flat", [True, False])
def test_with_many_spots_nearly_all_that_are_the_same_are_found(rng, is_flat):
    n = 3000
    depth = np.full(n, 5.0) if is_flat else rng.uniform(3, 9, n)
    one = spots(rng, n)
    shifted = one.xy_px + np.column_stack([400 / depth, np.zeros(n)]) + rng.normal(0, 0.3, (n, 2))
    order = rng.permutation(n)
    order = np.concatenate([order[order < 1000], order[order >= 1000]])  # the coarsest first, as features are
    noise = np.abs(one.look + rng.normal(0, 0.02, (n, 128)).astype(np.float32))
    look = (noise / np.linalg.norm(noise, axis=1, keepdims=True))[order]
    other = Features(shifted[order].astype(np.float32), look, one.rgb)
    kept = (other.xy_px[:, 0] < 640) & (other.xy_px[:, 0] >= 0) & (other.xy_px >= 0).all(axis=1)
    found = matches(one, Features(other.xy_px[kept], look[kept], one.rgb[kept]), 640.0)
    right = np.flatnonzero(kept)[found[:, 1]]
    assert (order[right] == found[:, 0]).mean() > 0.99
    assert len(found) > 0.95 * kept.sum()


def test_few_pictures_in_no_order_are_all_compared(rng):
    found = [spots(rng, 5) for _ in range(5)]
    assert len(pairs(found, False, lambda work, items: [work(i) for i in items])) == 10


def test_a_sequence_that_comes_back_is_closed(rng):
    found = [spots(rng, 400) for _ in range(60)]
    found[59] = spots(rng, 400, found[0].look)
    compared = pairs(found, True, lambda work, items: [work(i) for i in items])
    assert (0, 59) in compared
    assert all((i, i + 1) in compared for i in range(59))
    assert len(compared) < 60 * 8


def test_many_pictures_in_no_order_are_compared_with_those_that_look_alike(rng):
    rooms = [looks(rng, 300) for _ in range(3)]
    found = [spots(rng, 300, rooms[i % 3]) for i in range(45)]
    compared = pairs(found, False, lambda work, items: [work(i) for i in items])
    alike_pairs = {(i, j) for j in range(45) for i in range(j) if i % 3 == j % 3}
    assert alike_pairs <= set(compared)
    assert len(compared) < 45 * 44 / 2


def test_spots_keep_their_place_when_large_pictures_are_shrunk(rng):
    small = np.kron(rng.integers(0, 255, (40, 50, 1)), np.ones((8, 8, 3))).astype(np.uint8)
    large = np.kron(small, np.ones((4, 4, 1), np.uint8))
    from_small = features(small, most=500, side_px=400)
    from_large = features(large, most=500, side_px=400)
    assert np.array_equal(from_large.xy_px, from_small.xy_px * 4)
    assert np.allclose(np.linalg.norm(from_large.look, axis=1), 1, atol=1e-5)


def test_spots_that_are_there_several_times_do_not_end_it():
    """OpenCV gives up on these: some samples of seven are fewer than seven places."""
    from_px = [
        *[[52.8, 129.8], [257.7, 74.5], [257.7, 74.5], [102.5, 49.0], [355.2, 212.3], [355.2, 212.3], [355.2, 212.3]],
        *[[207.9, 75.3], [150.0, 194.1], [150.0, 194.1], [140.1, 94.0], [112.5, 157.4], [84.3, 139.6], [264.4, 245.1]],
        *[[31.9, 68.3], [176.4, 177.8]],
    ]
    to_px = [
        *[[65.2, 127.8], [264.6, 69.1], [264.6, 69.1], [113.1, 51.0], [348.7, 220.6], [348.7, 220.6], [348.7, 220.6]],
        *[[220.1, 74.5], [161.4, 188.3], [161.4, 188.3], [149.5, 92.2], [119.9, 152.7], [95.2, 138.0], [249.9, 245.7]],
        *[[44.3, 72.7], [185.7, 176.6]],
    ]
    with pytest.raises(cv2.error):
        cv2.findFundamentalMat(np.float32(from_px), np.float32(to_px), cv2.USAC_MAGSAC, 1.0, 0.999, 3000)
    assert _agreed(cv2.findFundamentalMat, np.float32(from_px), np.float32(to_px), 1.0) is None
