"""Depth, on slanted and standing surfaces that are known exactly."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from sightline import wiring
from sightline.errors import EngineError, OptionError
from sightline.geometry.lens import pixels, points, straightened
from sightline.geometry.rigid import inverse, moved
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import MadeBy, Scene, SparsePoints, Views
from sightline.model.shots import Shot, Shots
from sightline.reconstructors.at_work import AtWork
from sightline.reconstructors.dense.densified import affordable, densified
from sightline.reconstructors.sfm import Sfm

WIDTH, HEIGHT = 240, 180
PINHOLE = Lens.pinhole(WIDTH, HEIGHT, np.array([[220.0, 0, 118], [0, 220, 91], [0, 0, 1]]))
BENT = Lens(LensModel.SIMPLE_RADIAL, WIDTH, HEIGHT, np.array([220.0, 118, 91, -0.08]))
SLANTED = (np.array([0.25, 0.35, 1.0, -6.0]), np.inf)
"""a x + b y + c z + d = 0, without end."""
CARD = (np.array([0.0, 0.0, 1.0, -4.0]), 0.7)
"""Before it, so wide to all sides."""


def pattern(seed, size=1024):
    rng = np.random.default_rng(seed)
    sizes = [size >> k for k in range(1, 7)]
    return sum(cv2.resize(rng.normal(0, 28, (s, s)), (size, size), interpolation=cv2.INTER_CUBIC) for s in sizes)


def hits(eye, rays, surfaces):
    """How many times along each ray the first surface is met, and which."""
    nearest, which = np.full(rays.shape[:-1], np.inf), np.full(rays.shape[:-1], -1)
    for number, (plane, half) in enumerate(surfaces):
        times = -(eye @ plane[:3] + plane[3]) / (rays @ plane[:3])
        inside = (np.abs((eye + times[..., None] * rays)[..., :2]) <= half).all(axis=-1)
        met = (times > 1e-6) & (times < nearest) & inside
        nearest[met], which[met] = times[met], number
    return nearest, which


def looked(lens, cam_from_scene, surfaces):
    """The picture, and depth along the axis, through a lens without distortion."""
    scene_from_cam = inverse(cam_from_scene)
    x, y = np.meshgrid(np.arange(lens.width) + 0.5, np.arange(lens.height) + 0.5)
    rays = np.stack([*((np.stack([x, y], -1) - lens.centre_px) / lens.focal_px).transpose(2, 0, 1), np.ones_like(x)])
    rays = rays.transpose(1, 2, 0) @ scene_from_cam[:3, :3].T
    depth, which = hits(scene_from_cam[:3, 3], rays, surfaces)
    spots = (scene_from_cam[:3, 3] + depth[..., None] * rays)[..., :2] * 90 + 512
    spots = np.ascontiguousarray(np.moveaxis(spots, -1, 0), np.float32)
    seen = [cv2.remap(pattern(n), spots[0], spots[1], cv2.INTER_LINEAR) for n in range(len(surfaces))]
    grey = np.clip(128 + np.choose(which, seen), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1), depth


def bent(rgb):
    """The picture that the bent lens makes of what a lens without distortion sees."""

    x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    flat = straightened(BENT, np.stack([x.ravel(), y.ravel()], -1))
    px = (flat * PINHOLE.focal_px + PINHOLE.centre_px - 0.5).reshape(HEIGHT, WIDTH, 2).astype(np.float32)
    return cv2.remap(rgb, px[..., 0], px[..., 1], cv2.INTER_LINEAR)


def pose(x, turn):
    cos, sin = np.cos(turn), np.sin(turn)
    cam_from_scene = np.array([[cos, 0, sin, 0], [0, 1, 0, 0], [-sin, 0, cos, 0], [0, 0, 0, 1.0]])
    cam_from_scene[:3, 3] = -cam_from_scene[:3, :3] @ [x, 0.1 * np.sin(9 * x), 0]
    return cam_from_scene


POSES = np.array([pose(x, 0.08 * x) for x in (-0.9, -0.45, 0.0, 0.45, 0.9)])


def world(surfaces, lens=PINHOLE):
    """A scene with places and a few points, and its pictures."""
    pictures = [looked(PINHOLE, at, surfaces) for at in POSES]
    rgbs = [rgb if lens is PINHOLE else bent(rgb) for rgb, _ in pictures]
    shots = Shots(tuple(Shot(f"{i}.png", rgb.copy) for i, rgb in enumerate(rgbs)))
    rng = np.random.default_rng(3)
    rows, columns = rng.integers(10, HEIGHT - 10, 150), rng.integers(10, WIDTH - 10, 150)
    depth = pictures[2][1][rows, columns]
    flat = (np.stack([columns, rows], -1) + 0.5 - PINHOLE.centre_px) / PINHOLE.focal_px
    xyz = moved(inverse(POSES[2]), np.column_stack([flat, np.ones(150)]) * depth[:, None])
    views = np.tile(np.arange(5), 150)
    xy = np.stack([pixels(lens, moved(at, xyz)) for at in POSES], axis=1).reshape(-1, 2)
    sparse = SparsePoints(xyz, np.zeros((150, 3), np.uint8), np.zeros(150), np.arange(151) * 5, views, xy)
    known = Views(tuple(s.name for s in shots.shots), np.zeros(5, int), POSES, np.ones(5, bool))
    return Scene((lens,), known, MadeBy("test", "0"), sparse=sparse), shots


@pytest.fixture(scope="module")
def at_work():
    with ThreadPoolExecutor(1) as pool:
        yield AtWork(pool, lambda *_: None, lambda: False)


@pytest.fixture(scope="module")
def flat(at_work):
    return densified(*world([SLANTED]), WIDTH, 0, at_work)


@pytest.fixture(scope="module")
def stepped(at_work):
    return densified(*world([SLANTED, CARD]), WIDTH, 0, at_work)


def off(scene, surfaces):
    """By what share depth is wrong where there is one."""
    for maps, at in zip(scene.maps, scene.views.cam_from_scene, strict=True):
        truth = looked(maps.lens, at, surfaces)[1]
        known = maps.depth > 0
        yield np.abs(maps.depth / truth - 1)[known], known.mean()


def test_depth_of_a_slanted_plane_is_right_nearly_everywhere(flat):
    for wrong, filled in off(flat, [SLANTED]):
        assert np.median(wrong) < 0.002
        assert np.quantile(wrong, 0.99) < 0.01
        assert filled > 0.8


def test_depth_of_two_surfaces_is_right(stepped):
    for wrong, filled in off(stepped, [SLANTED, CARD]):
        assert np.median(wrong) < 0.002
        assert np.mean(wrong > 0.05) < 0.02
        assert filled > 0.7


def test_what_fewer_than_two_others_see_is_left_out(stepped):
    n_hidden = 0
    for maps, at in zip(stepped.maps, POSES, strict=True):
        truth = looked(maps.lens, at, [SLANTED, CARD])[1]
        flat = (np.indices(truth.shape)[::-1].transpose(1, 2, 0) + 0.5 - maps.lens.centre_px) / maps.lens.focal_px
        xyz = moved(inverse(at), np.concatenate([flat, np.ones_like(flat[..., :1])], -1) * truth[..., None])
        sees = np.zeros(truth.shape, int)
        for other in POSES:
            eye = inverse(other)[:3, 3]
            px = pixels(PINHOLE, moved(other, xyz))
            inside = ((px > -3) & (px < [WIDTH + 3, HEIGHT + 3])).all(axis=-1)
            sees += (hits(eye, xyz - eye, [SLANTED, CARD])[0] > 0.999) & inside
        hidden = cv2.erode((sees < 3).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        n_hidden += hidden.sum()
        assert (maps.depth > 0)[hidden].sum() <= 0.1 * hidden.sum()
    assert n_hidden > 500


def test_confidence_is_there_where_depth_is(stepped):
    for maps in stepped.maps:
        assert np.array_equal(maps.depth_confidence > 0, maps.depth > 0)
        assert maps.depth_confidence.max() <= 4


def test_the_cloud_lies_on_the_surface_and_looks_at_who_saw_it(flat):
    cloud = flat.dense
    plane = SLANTED[0] / np.linalg.norm(SLANTED[0][:3])
    assert np.median(np.abs(cloud.xyz_scene @ plane[:3] + plane[3])) < 0.012
    known = cloud.normal_scene[np.isfinite(cloud.normal_scene).all(axis=1)]
    assert len(known) > 0.99 * len(cloud)
    assert np.median(known @ -plane[:3]) > 0.995
    assert np.linalg.norm(known, axis=1) == pytest.approx(1, abs=1e-5)


def test_the_cloud_holds_what_several_views_see_about_once(flat):
    n_seen = sum(int((maps.depth > 0).sum()) for maps in flat.maps)
    assert 0.8 * WIDTH * HEIGHT < len(flat.dense) < 0.55 * n_seen
    assert set(np.unique(flat.dense.view)) <= set(range(5))


def test_a_distorted_lens_is_straightened_first(at_work):
    scene = densified(*world([SLANTED], BENT), WIDTH, 0, at_work)
    for wrong, filled in off(scene, [SLANTED]):
        assert np.median(wrong) < 0.003
        assert filled > 0.7
    assert scene.maps[0].lens.model is LensModel.PINHOLE


def test_maps_are_as_large_as_was_asked_for(at_work):
    small = densified(*world([SLANTED]), 120, 0, at_work)
    assert small.maps[0].depth.shape == (90, 120)
    xyz = points(small.maps[2], POSES[2])[small.maps[2].depth > 0]
    assert np.median(np.abs(xyz @ SLANTED[0][:3] + SLANTED[0][3])) < 0.02


def test_the_same_seed_gives_the_same_depth_to_the_last_bit(flat, at_work):
    again = densified(*world([SLANTED]), WIDTH, 0, at_work)
    for one, other in zip(flat.maps, again.maps, strict=True):
        assert np.array_equal(one.depth, other.depth)
    assert np.array_equal(flat.dense.xyz_scene, again.dense.xyz_scene)


def test_a_view_without_a_place_has_no_maps_and_one_without_neighbours_has_no_depth(at_work):
    scene, shots = world([SLANTED])
    places, has_place = POSES.copy(), np.array([True, True, True, True, False])
    places[4] = np.nan
    sparse = scene.sparse
    seen = np.flatnonzero(sparse.track_view < 3)
    fewer = SparsePoints(
        sparse.xyz_scene, sparse.rgb, sparse.error_px,
        np.arange(151) * 3, sparse.track_view[seen], sparse.track_xy_px[seen],
    )  # fmt: skip
    views = Views(scene.views.names, scene.views.lens, places, has_place)
    made = densified(Scene(scene.lenses, views, scene.made_by, sparse=fewer), shots, WIDTH, 0, at_work)
    assert made.maps[4] is None
    assert not made.maps[3].depth.any()
    assert (made.maps[1].depth > 0).mean() > 0.5


def test_the_engine_gives_depth_and_ends_when_asked_while_at_it(corner):
    told = []

    def tell(step, done, total):
        told.append((step, done, total))

    shots, _ = corner(order=range(1, 6))
    scene = Sfm(side_px=400).reconstruct(shots, tell, lambda: False)
    assert {("depth", 5, 5), ("refining", 5, 5), ("agreeing", 5, 5)} <= set(told)
    assert all((maps.depth > 0).mean() > 0.5 for maps in scene.maps)
    told.clear()
    with pytest.raises(EngineError, match="stopped"):
        Sfm(side_px=400).reconstruct(shots, tell, lambda: any(step == "straightening" for step, *_ in told))
    assert ("depth", 5, 5) not in told


@pytest.mark.parametrize(("took_s", "left_s", "side_px"), [(10, -5, 0), (10, 10, 346), (10, 60, 848), (1, 1e6, 1600)])
def test_depth_is_as_fine_as_there_is_time_for(took_s, left_s, side_px):
    assert affordable(400, float(took_s), float(left_s)) == side_px


def test_with_no_time_left_depth_is_a_draft_and_says_so(corner):
    shots, _ = corner(order=range(1, 4))
    scene = Sfm(side_px=400, minutes=0.001).reconstruct(shots, lambda *_: None, lambda: False)
    assert (scene.made_by.settings["minutes"], scene.made_by.settings["depth_px"]) == (0.001, 400)
    assert {maps.lens.width for maps in scene.maps} == {400}


def test_a_quality_that_there_is_not_is_refused():
    with pytest.raises(OptionError, match="quality"):
        wiring.build("reconstructor", "sfm", {"quality": "best"})
