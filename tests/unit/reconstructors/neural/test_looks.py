"""Looks: the frame of each picture, parts planned and laid together, and memory that is reckoned with."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sightline.errors import ReconstructionError
from sightline.geometry.rigid import inverse, looking_at, moved
from sightline.geometry.umeyama import scale_of
from sightline.model.scene import MadeBy, Scale
from sightline.model.shots import Shot, Shots
from sightline.reconstructors.looks.aligning import Joint, chained, closed, laid
from sightline.reconstructors.looks.assembled import Look, assembled
from sightline.reconstructors.looks.chunks import Chunk, joined, loop, planned, similar
from sightline.reconstructors.looks.framing import Framing, framings
from sightline.reconstructors.looks.loops import glances, returns
from sightline.reconstructors.looks.memory import Load, seen_at_once

SIDES = st.integers(20, 5000)


def similarity(rng, spread=1.0):
    made = np.eye(4)
    made[:3, :3] = np.exp(spread * rng.normal(0, 0.5)) * Rotation.from_rotvec(spread * rng.normal(0, 1, 3)).as_matrix()
    made[:3, 3] = spread * rng.normal(0, 1, 3)
    return made


@settings(deadline=None)
@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=4), st.integers(56, 800))
def test_every_picture_lies_whole_in_the_frame(sizes, side_px):
    framed = framings(sizes, side_px)
    assert len({one.outer for one in framed}) == 1
    for one, own in zip(framed, sizes, strict=True):
        assert one.own == own
        assert all(n % 14 == 0 for n in (*one.inner, *one.outer))
        corners = np.array([[0, 0, 1], [own[1], own[0], 1]]) @ one.outer_from_own.T
        rows, columns = one.inside
        np.testing.assert_allclose(corners[:, :2], [[columns.start, rows.start], [columns.stop, rows.stop]], atol=1e-9)
        assert 0 <= rows.start < rows.stop <= one.outer[0]
        assert 0 <= columns.start < columns.stop <= one.outer[1]


def test_one_size_of_pictures_needs_no_frame_and_keeps_its_shape():
    (one,) = framings([(520, 779)], 518)
    assert (one.inner, one.outer) == ((350, 518), (350, 518))
    (upright,) = framings([(1920, 1080)], 518)
    assert upright.outer == (518, 294)


def test_pictures_of_other_shapes_lie_in_white():
    wide, tall = framings([(100, 200), (200, 100)], 112)
    assert wide.outer == tall.outer == (112, 112)
    framed = wide.framed(wide.shown(np.zeros((100, 200, 3), np.uint8)))
    assert (framed[:, :28] == 1).all()
    assert (framed[:, 28:84] == 0).all()
    assert (framed[:, 84:] == 1).all()


@settings(deadline=None)
@given(st.integers(1, 3000), st.integers(4, 100))
def test_chunks_cover_everything_and_share_pictures_with_their_neighbours(n, most):
    chunks = planned(n, most)
    assert chunks[0].first == 0
    assert chunks[-1].end == n
    assert all(len(chunk) <= most for chunk in chunks)
    for one, other in pairwise(chunks):
        assert one.first < other.first
        assert one.end - other.first >= 2


def test_all_pictures_are_looked_at_together_where_they_can_be():
    assert planned(100, 100) == [Chunk(0, 100)]


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_points_are_laid_exactly_upon_their_images(seed):
    rng = np.random.default_rng(seed)
    xyz, b_from_a = rng.normal((0, 0, 4), 1, (50, 3)), similarity(rng)
    found, share = laid(xyz, moved(b_from_a, xyz), rng.uniform(0.1, 1, 50))
    np.testing.assert_allclose(found, b_from_a, atol=1e-8 * np.abs(b_from_a).max())
    assert share > 0.5


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_a_third_of_the_points_may_be_anywhere(seed):
    rng = np.random.default_rng(seed)
    xyz, b_from_a = rng.normal((0, 0, 4), 1, (600, 3)), similarity(rng)
    there = moved(b_from_a, xyz)
    there *= 1 + 0.01 * rng.normal(0, 1, (600, 1))
    there[:200] += scale_of(b_from_a) * rng.normal(0, 3, (200, 3))
    found, _ = laid(xyz, there, np.ones(600))
    off = np.linalg.norm(moved(found, xyz[200:]) - moved(b_from_a, xyz[200:]), axis=1)
    assert np.median(off) < 0.01 * scale_of(b_from_a) * 4


def test_what_has_no_weight_or_is_not_known_does_not_count():
    rng = np.random.default_rng(1)
    xyz, b_from_a = rng.normal(0, 1, (30, 3)), similarity(rng)
    there, weight = moved(b_from_a, xyz), np.ones(30)
    there[:5], weight[:5] = 77.0, 0.0
    there[5:9] = np.nan
    found, _ = laid(xyz, there, weight)
    np.testing.assert_allclose(found, b_from_a, atol=1e-9)
    assert np.isnan(laid(xyz, there, np.zeros(30))[0]).all()


def ring(n, noise, seed):
    """Parts around a circle: where they are, and joints of neighbours that err a little, and one from end to start."""
    rng = np.random.default_rng(seed)
    step = np.eye(4)
    step[:3, :3] = Rotation.from_rotvec([0, 2 * np.pi / n, 0]).as_matrix()
    step[0, 3] = 1.0
    places = [np.eye(4)]
    for _ in range(n - 1):
        places.append(places[-1] @ step)
    joints = [Joint(i, i + 1, step @ similarity(rng, noise)) for i in range(n - 1)]
    return np.array(places), joints, Joint(0, n - 1, places[-1] @ similarity(rng, noise))


def drift(found, places):
    return float(np.linalg.norm(found[:, :3, 3] - places[:, :3, 3], axis=1).mean())


def test_exact_joints_place_parts_exactly_with_and_without_a_loop():
    places, joints, end = ring(30, 0.0, 0)
    np.testing.assert_allclose(chained(joints, 30), places, atol=1e-9)
    np.testing.assert_allclose(closed([*joints, end], 30), places, atol=1e-7)


def test_a_loop_takes_most_of_the_drift_away():
    drifts = []
    for seed in range(8):
        places, joints, end = ring(30, 0.01, seed)
        drifts.append((drift(closed(joints, 30), places), drift(closed([*joints, end], 30), places)))
    without, with_loop = np.array(drifts).T
    assert with_loop.mean() < 0.6 * without.mean()


def test_a_loop_that_is_none_is_left_open():
    _, joints, _ = ring(20, 0.002, 1)
    wrong = Joint(2, 15, similarity(np.random.default_rng(3)))
    np.testing.assert_allclose(closed([*joints, wrong], 20), chained(joints, 20))


FRAME = Framing((60, 80), (56, 84), (56, 84))
PX_FROM_CAM = np.array([[70.0, 0, 42], [0, 70, 28], [0, 0, 1]])


def look(cam_from_scene, rng=None, error=0.0):
    """A picture of a bumpy floor, as a network might say it."""
    y, x = np.mgrid[:56, :84] + 0.5
    rays = np.stack([(x - 42) / 70, (y - 28) / 70, np.ones_like(x)], -1)
    scene_from_cam = inverse(cam_from_scene)
    down = rays @ scene_from_cam[2, :3]
    depth = -scene_from_cam[2, 3] / down
    depth *= 1 + 0.1 * np.sin(3 * (scene_from_cam[0, 3] + depth * (rays @ scene_from_cam[0, :3])))
    if rng is not None:
        depth *= 1 + error * rng.normal(0, 1, depth.shape)
    depth = depth.astype(np.float32)
    shown = np.full((56, 84, 3), 90, np.uint8)
    return Look(FRAME, shown, PX_FROM_CAM, cam_from_scene, depth, np.full(depth.shape, 3.0, np.float32))


def walk(n):
    """Cameras once around, looking ahead and down."""
    angles = 2 * np.pi * np.arange(n) / n
    eyes = np.stack([5 * np.cos(angles), 5 * np.sin(angles), np.full(n, 1.5)], axis=1)
    ahead = np.stack([-np.sin(angles), np.cos(angles), np.full(n, -0.7)], axis=1)
    return [looking_at(eye, eye + to) for eye, to in zip(eyes, ahead, strict=True)]


@pytest.mark.parametrize(("error", "most_off"), [(0.0, 1e-3), (0.02, 0.05)])
def test_parts_in_frames_and_units_of_their_own_become_one(error, most_off):
    rng = np.random.default_rng(4)
    poses, chunks = walk(24), planned(24, 10)
    seen = [[look(poses[n], rng, error) for n in chunk.numbers] for chunk in chunks]
    parts = [[one.moved(frame) for one in part] for part in seen for frame in [similarity(rng)]]
    whole = joined(chunks, parts)
    first = similar([(whole[0], look(poses[0]))])[0]
    eyes = np.array([inverse(one.moved(np.linalg.inv(first)).cam_from_scene)[:3, 3] for one in whole])
    assert np.linalg.norm(eyes - [inverse(pose)[:3, 3] for pose in poses], axis=1).max() < most_off * 5


def test_parts_that_share_nothing_known_are_told():
    chunks = planned(8, 6)
    blind = [
        [replace(look(np.eye(4)), depth_confidence=np.ones((56, 84), np.float32)) for _ in c.numbers] for c in chunks
    ]
    with pytest.raises(ReconstructionError, match="share nothing"):
        joined(chunks, blind)


def test_a_third_look_tells_how_two_parts_lie():
    rng = np.random.default_rng(5)
    poses = walk(12)
    first, second, third = (similarity(rng) for _ in range(3))
    of_first = [(look(poses[n]).moved(first), look(poses[n]).moved(third)) for n in (0, 1)]
    of_second = [(look(poses[n]).moved(second), look(poses[n]).moved(third)) for n in (10, 11)]
    found = loop(0, 7, of_first, of_second)
    np.testing.assert_allclose(found.first_from_second, first @ np.linalg.inv(second), atol=1e-4)
    odd = [(one, other.moved(similarity(rng))) for one, other in of_second]
    assert loop(0, 7, of_first, [of_second[0], odd[1]]) is None


def test_how_a_loop_is_closed_does_not_hang_on_where_parts_have_their_origins():
    rng, poses = np.random.default_rng(4), walk(40)
    chunks = planned(40, 12)
    plain = [[look(poses[n], rng, 0.05) for n in chunk.numbers] for chunk in chunks]
    third = [look(poses[n], rng, 0.05) for n in (0, 1, 2, 37, 38, 39)]

    def closing(parts):
        last = len(chunks) - 1
        of_first = [(parts[0][n], third[n]) for n in range(3)]
        of_last = [(parts[last][n - chunks[last].first], third[k]) for k, n in ((3, 37), (4, 38), (5, 39))]
        end = loop(0, last, of_first, of_last)
        end = replace(end, first_from_second=end.first_from_second @ bend)  # as if parts were bent along the way
        return joined(chunks, parts, [end])

    bend = np.eye(4)
    bend[:3, 3] = [0.1, 0.2, -0.1]
    straight = closing(plain)
    frames = [np.eye(4), *(similarity(rng, 3.0) for _ in chunks[1:-1]), np.eye(4)]
    elsewhere = [[one.moved(frame) for one in part] for part, frame in zip(plain, frames, strict=True)]
    for one, other in zip(straight, closing(elsewhere), strict=True):
        np.testing.assert_allclose(one.cam_from_scene, other.cam_from_scene, atol=0.02)
    assert np.abs(straight[-1].cam_from_scene - joined(chunks, plain)[-1].cam_from_scene).max() > 0.05


def test_a_camera_that_comes_back_is_noticed():
    rng = np.random.default_rng(6)
    places = rng.integers(0, 255, (20, 40, 60, 3), np.uint8)
    shown = [*places, places[1] // 2 + 30]
    chunks = [Chunk(0, 7), Chunk(5, 12), Chunk(10, 17), Chunk(14, 21)]
    ((first, second, some, others),) = returns(glances(shown), chunks, 4)
    assert (first, second) == (0, 3)
    assert 1 in some
    assert 20 in others
    assert len(some) == len(others) == 2


def shots(n, **known):
    return Shots(
        tuple(
            Shot(f"{i}.png", lambda: np.zeros((60, 80, 3), np.uint8), **{k: v[i] for k, v in known.items()})
            for i in range(n)
        )
    )


MADE_BY = MadeBy("vggt", "1")


def test_lenses_are_those_of_the_pictures_own_pixels():
    scene = assembled(shots(3), [look(pose) for pose in walk(3)], MADE_BY)
    assert (scene.lenses[0].width, scene.lenses[0].height) == (80, 60)
    np.testing.assert_allclose(scene.lenses[0].focal_px, (70 * 80 / 84, 70 * 60 / 56))
    np.testing.assert_allclose(scene.lenses[0].centre_px, (40, 30))
    assert scene.maps[0].lens.width == 84
    np.testing.assert_allclose(scene.views.cam_from_scene[0], np.eye(4), atol=1e-9)
    assert scene.scale is Scale.UNKNOWN
    assert np.linalg.norm(scene.sparse.xyz_scene, axis=1).mean() == pytest.approx(1)


def test_maps_lie_within_their_frames():
    frame = Framing((60, 80), (28, 42), (56, 84))
    scene = assembled(
        shots(1), [replace(look(walk(1)[0]), framing=frame, shown=np.zeros((28, 42, 3), np.uint8))], MADE_BY
    )
    assert scene.maps[0].depth.shape == (28, 42)
    np.testing.assert_allclose(scene.maps[0].lens.centre_px, (21, 14))
    np.testing.assert_allclose(scene.lenses[0].centre_px, (40, 30))


@pytest.mark.parametrize("known", ["eye_world_m", "cam_from_world"])
def test_known_places_give_metres(known):
    poses = walk(6)
    values = poses if known == "cam_from_world" else [inverse(pose)[:3, 3] for pose in poses]
    frame = similarity(np.random.default_rng(7))
    scene = assembled(shots(6, **{known: values}), [look(pose).moved(frame) for pose in poses], MADE_BY)
    np.testing.assert_allclose(scene.views.cam_from_scene, poses, atol=1e-6)
    assert scene.scale is (Scale.POSES if known == "cam_from_world" else Scale.GPS)
    np.testing.assert_allclose(scene.maps[2].depth, look(poses[2]).depth, rtol=1e-4)


def test_points_for_other_formats_lie_where_the_maps_say():
    poses = walk(4)
    scene = assembled(shots(4, cam_from_world=poses), [look(pose) for pose in poses], MADE_BY)
    assert len(scene.sparse) > 1000
    point = 500
    view, xy_px = scene.sparse.track_view[point], scene.sparse.track_xy_px[point]
    lens = scene.lenses[scene.views.lens[view]]
    seen = lens.px_from_cam @ moved(scene.views.cam_from_scene[view], scene.sparse.xyz_scene[point : point + 1])[0]
    np.testing.assert_allclose(seen[:2] / seen[2], xy_px, atol=1e-6)


def test_a_camera_that_cannot_be_has_no_place():
    odd = replace(look(walk(2)[1]), px_from_cam=np.array([[np.inf, 0, 42], [0, 70, 28], [0, 0, 1.0]]))
    scene = assembled(shots(2), [look(walk(2)[0]), odd], MADE_BY)
    assert scene.views.is_registered.tolist() == [True, False]
    assert np.isnan(scene.views.cam_from_scene[1]).all()
    assert scene.maps[1] is None
    with pytest.raises(ReconstructionError, match=r"none of 1 pictures found a place .*inf times"):
        assembled(shots(1), [odd], MADE_BY)


@settings(deadline=None)
@given(st.integers(0, 10**12), st.integers(1, 10**8), st.integers(1, 10**9))
def test_what_is_planned_fits(free, seen, worked_on):
    n = seen_at_once(free, Load(seen, worked_on, seen // 10), 2)
    assert n >= 0
    assert n == 0 or n * seen + 2 * worked_on < free
