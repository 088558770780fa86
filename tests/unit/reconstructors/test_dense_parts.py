"""What the parts that make depth promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.geometry.rigid import looking_at
from sightline.model.lens import Lens
from sightline.model.scene import MadeBy, Maps, Scene, Views
from sightline.reconstructors.dense.agreeing import between, heard, slopes
from sightline.reconstructors.dense.cloud import _even, fused
from sightline.reconstructors.dense.densified import fitting
from sightline.reconstructors.dense.depth import _guess, _planes, guess
from sightline.reconstructors.dense.neighbours import _covering
from sightline.reconstructors.dense.straight import Straight, across

WIDTH, HEIGHT = 40, 30
LENS = Lens.pinhole(WIDTH, HEIGHT, np.array([[50.0, 0, 19], [0, 50, 16], [0, 0, 1]]))


def plane(right, down, middle=0.25):
    """Depth of a slanted plane: its inverse changes so much a pixel."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return (1 / (middle + right * (columns - 19) + down * (rows - 15))).astype(np.float32)


def view(eye):
    rgb = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    return Straight(LENS, rgb, looking_at(np.array(eye), np.array([0.0, 0.0, 0.0])))


slope = st.floats(-0.003, 0.003)


@given(slope, slope)
@settings(max_examples=20, deadline=None)
def test_the_slope_of_a_plane_is_found(right, down):
    found = slopes(plane(right, down))
    assert np.abs(found - [right, down])[2:-2, 2:-2].max() < 2e-5


def test_a_pixel_alone_has_no_slope():
    depth = np.zeros((HEIGHT, WIDTH), np.float32)
    depth[10, 10] = 4
    assert np.isnan(slopes(depth)).all()


@given(slope, slope, st.integers(3, 26), st.integers(3, 36))
@settings(max_examples=20, deadline=None)
def test_a_small_hole_in_a_plane_is_closed_exactly_and_nothing_else(right, down, row, column):
    whole = plane(right, down)
    depth = whole.copy()
    depth[row, column : column + 2] = 0
    found = between(depth)
    assert set(zip(*np.nonzero(found), strict=True)) == {(row, c) for c in (column, column + 1) if c < WIDTH - 2}
    there = found > 0
    assert found[there] == pytest.approx(whole[there], rel=1e-4)


def test_a_hole_at_the_edge_of_a_surface_stays():
    depth = np.full((HEIGHT, WIDTH), 4.0, np.float32)
    depth[:, 20:] = 0
    assert not between(depth).any()


@given(slope, slope)
@settings(max_examples=10, deadline=None)
def test_planes_come_back_from_depth_and_normals(right, down):
    planes = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    planes[..., 0], planes[..., 1], planes[..., 2] = 1 / plane(right, down), right, down
    again = _planes(_guess(planes, LENS.px_from_cam), LENS.px_from_cam)
    assert again[..., 0] == pytest.approx(planes[..., 0], rel=1e-5)
    # Normals are kept in bytes.
    assert np.abs(again[..., 1:3] - planes[..., 1:3]).max() < 2e-4
    assert (again[..., 3] == -1).all()


def test_the_way_there_and_back_is_none():
    one, other = view([0.0, -4.0, 0.5]), view([1.0, -3.5, -0.3])
    there, back = (np.vstack([way, [0, 0, 0, 1]]) for way in (across(one, other), across(other, one)))
    assert back @ there == pytest.approx(np.eye(4), abs=1e-9)


def test_a_view_agrees_with_itself_and_not_with_another_depth():
    one, depth = view([0.0, -4.0, 0.0]), plane(0.001, 0.0)
    way = across(one, one)
    for theirs, agrees in ((depth, True), (depth * np.float32(1.05), False), (np.zeros_like(depth), False)):
        count, total = np.zeros(depth.shape, np.int32), np.zeros_like(depth)
        heard(depth, way, theirs, way, count, total)
        assert (count == agrees).all()
        assert total[count > 0] == pytest.approx(depth[count > 0], rel=1e-5)


@given(st.floats(0.01, 1.0))
@settings(max_examples=30, deadline=None)
def test_thinning_leaves_about_the_share_everywhere(share):
    kept = _even((200, 200), share)
    for part in (kept, kept[:100, :100], kept[100:, 50:150]):
        assert part.mean() == pytest.approx(share, abs=0.01)


def test_a_cloud_has_no_more_points_than_wanted():
    views = {n: view([n / 10, -4.0, 0.0]) for n in range(2)}
    maps = {n: Maps(LENS, views[n].rgb, plane(0.0, 0.0), np.ones((HEIGHT, WIDTH), np.float32)) for n in views}
    alone = {0: [], 1: []}
    assert len(fused(views, maps, alone)) == 2 * WIDTH * HEIGHT
    assert len(fused(views, maps, alone, most=500)) == pytest.approx(500, rel=0.1)


def test_views_are_chosen_for_what_others_do_not_show():
    worth = np.zeros((90, 3))
    worth[:60, 0], worth[:55, 1], worth[60:, 2] = 1.0, 1.0, 1.0
    assert _covering(worth, np.ones(90), 3) == [0, 2, 1]


@given(st.integers(2, 400), st.integers(200, 6000), st.sampled_from([400, 800, 1600]), st.integers(1, 8))
@settings(max_examples=30, deadline=None)
def test_pictures_are_made_smaller_only_where_memory_would_not_do(n_views, width, side, threads):
    lens = Lens.pinhole(width, width * 3 // 4, np.diag([width, width, 1.0]))
    poses, names = np.tile(np.eye(4), (n_views, 1, 1)), tuple(map(str, range(n_views)))
    views = Views(names, np.zeros(n_views, int), poses, np.ones(n_views, bool))
    fits = fitting(side, Scene((lens,), views, MadeBy("test", "0")), threads)
    pixels = n_views * min(fits, width) ** 2 * 3 / 4
    assert fits <= side
    assert fits == side or 26 * pixels < 2.6e9


def test_depth_ends_in_the_middle_of_a_picture():
    class _EnoughError(Exception):
        pass

    calls = []

    def go_on():
        calls.append(1)
        if len(calls) == 2:
            raise _EnoughError

    one, other, seed = view([0.0, -4.0, 0.0]), view([0.5, -4.0, 0.0]), np.array([[0.0, 0.0, 4.0]])
    with pytest.raises(_EnoughError):
        guess(one, [other], seed, np.random.default_rng(0), go_on)
    assert len(calls) == 2
