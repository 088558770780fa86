"""Photographed places: what pictures and truth owe each other."""

from functools import cache

import cv2
import numpy as np
import pytest

from sightline.errors import FormatError, OptionError
from sightline.geometry import lens as lenses
from sightline.geometry.rigid import inverse, moved
from sightline.simulation.scenes import PLACES, Sensor, Stage, read, write
from sightline.simulation.scenes.casting import height_at
from sightline.simulation.scenes.surface import ball, box, drum, hills

SMALL = Sensor((320, 240), noise=0.0)
BENT = Sensor((320, 240), noise=0.0, distortion=(-0.12, 0.02))


@cache
def stage(name, sensor=SMALL):
    return Stage(name, n_views=12, seed=3, sensor=sensor)


def cloud(truth, view):
    """The points that a view's depth stands for."""
    return lenses.points(truth.maps[view], truth.views.cam_from_scene[view]).reshape(-1, 3).astype(float)


@pytest.mark.parametrize("name", PLACES)
def test_depth_of_one_view_is_where_another_sees_the_same_surface(name):
    truth, other = stage(name).truth(), 1
    here = cloud(truth, 0)
    there = moved(truth.views.cam_from_scene[other], here)
    maps = truth.maps[other]
    px = lenses.pixels(maps.lens, there)
    inside = np.isfinite(px).all(axis=1) & (px > 1).all(axis=1) & (px < np.array([318, 238])).all(axis=1)
    column, row = px[inside].astype(int).T
    around = np.stack([maps.depth[row + j, column + i] for i in (-1, 0, 1) for j in (-1, 0, 1)])
    depth = there[inside, 2]
    unhidden = (around.min(axis=0) * 0.999 < depth) & (depth < around.max(axis=0) * 1.001)
    hidden = depth > around.max(axis=0)
    assert inside.mean() > 0.25
    assert (unhidden | hidden).mean() > 0.998
    assert unhidden.mean() > 0.6


def test_points_lie_on_the_surfaces_that_there_are():
    """Depth of hills is found step by step; it must end on them all the same."""
    town = stage("town")
    xyz = cloud(town.truth(), 2)
    ground = town.place.surfaces[-1]
    local = moved(np.linalg.inv(ground.scene_from_local), xyz)
    off = np.array([z - height_at(ground.heights, x, y) for x, y, z in local])
    assert (np.abs(off) < 1e-5).mean() > 0.5
    assert off.min() > -1e-5


@pytest.mark.parametrize("name", PLACES)
def test_normals_face_the_camera_and_agree_with_depth(name):
    view = stage(name)
    depth, normal = view.surfaces(0)
    xyz = cloud(view.truth(), 0).reshape(*depth.shape, 3)
    eye = inverse(view.place.cam_from_scene[0])[:3, 3]
    seen = np.isfinite(depth)
    assert (((eye - xyz) * normal).sum(axis=-1)[seen] > 0).all()
    assert np.allclose(np.linalg.norm(normal[seen], axis=-1), 1, atol=1e-5)
    measured = np.cross(np.gradient(xyz, axis=0), np.gradient(xyz, axis=1))
    measured /= np.linalg.norm(measured, axis=-1, keepdims=True)
    agree = np.abs((measured * normal).sum(axis=-1))
    assert np.nanmedian(agree) > 0.999


def test_the_same_pixel_of_a_point_has_the_same_colour_in_two_views():
    """Light does not depend on who looks, so pictures must agree where both see a point."""
    room = stage("room")
    truth, first, second = room.truth(), room.picture(3), room.picture(4)
    there = moved(truth.views.cam_from_scene[4], cloud(truth, 3))
    px = lenses.pixels(room.sensor.lens, there).astype(np.float32).reshape(240, 320, 2)
    looked_up = cv2.remap(cv2.blur(second, (3, 3)), px[..., 0] - 0.5, px[..., 1] - 0.5, cv2.INTER_LINEAR)
    depth = cv2.remap(truth.maps[4].depth, px[..., 0] - 0.5, px[..., 1] - 0.5, cv2.INTER_NEAREST, borderValue=0)
    both = np.abs(depth - there[:, 2].reshape(240, 320)) < 0.01
    here = cv2.blur(first, (3, 3)).astype(float)
    assert both.mean() > 0.4
    assert np.median(np.abs(looked_up.astype(float) - here)[both]) < 4
    assert np.median(np.abs(looked_up.astype(float)[:, ::-1] - here)[both]) > 12


def test_a_bent_picture_is_the_straight_one_bent():
    straight, bent = stage("room").picture(0), stage("room", BENT).picture(0)
    centres = np.stack(np.meshgrid(np.arange(320) + 0.5, np.arange(240) + 0.5), axis=-1).reshape(-1, 2)
    flat = lenses.straightened(BENT.lens, centres)
    back = (flat * BENT.straight.focal_px + BENT.straight.centre_px - 0.5).astype(np.float32).reshape(240, 320, 2)
    seen = (back > 1).all(axis=-1) & (back < np.array([318, 238])).all(axis=-1)
    warped = cv2.remap(cv2.blur(straight, (3, 3)), back[..., 0], back[..., 1], cv2.INTER_LINEAR)
    off = np.abs(warped.astype(float) - cv2.blur(bent, (3, 3)))
    assert np.median(off[seen]) < 3
    assert np.median(np.abs(straight.astype(float) - bent)[seen]) > 6


def test_the_same_seed_gives_the_same_pictures_in_any_order():
    one, other = Stage("room", n_views=4, seed=5, sensor=Sensor((96, 72))), stage("room")
    again = Stage("room", n_views=4, seed=5, sensor=Sensor((96, 72)))
    later = [again.picture(view) for view in (2, 0)]
    assert np.array_equal(one.picture(0), later[1])
    assert np.array_equal(one.picture(2), later[0])
    assert not np.array_equal(one.place.cam_from_scene[0], other.place.cam_from_scene[0])


def test_flaws_are_as_large_as_asked():
    clean, size = Stage("room", n_views=3, sensor=Sensor((96, 72), noise=0.0)), (96, 72)
    noisy = Stage("room", n_views=3, sensor=Sensor(size, noise=5.0))
    moving = Stage("room", n_views=3, sensor=Sensor(size, noise=0.0, blur_px=6.0, fineness=4))
    brighter = Stage("room", n_views=3, sensor=Sensor(size, noise=0.0, exposure=0.3))
    plain = clean.picture(1).astype(float)
    middle = (plain > 30) & (plain < 225)
    assert (noisy.picture(1) - plain)[middle].std() == pytest.approx(5.0, rel=0.1)
    gains = [np.median(brighter.picture(k)[middle] / plain[middle]) for k in (1,)]
    assert 0.02 < abs(gains[0] - 1) < 0.3
    edges = [np.abs(np.diff(picture.astype(float), axis=1)).mean() for picture in (clean.picture(1), moving.picture(1))]
    assert edges[1] < 0.85 * edges[0]


def test_what_was_written_reads_back(tmp_path):
    small = Stage("table", n_views=3, sensor=Sensor((96, 72), distortion=(-0.05, 0.0)))
    *pictures, truth = write(small, tmp_path)
    assert [path.name for path in pictures] == list(small.names)
    assert np.array_equal(cv2.imread(str(pictures[1]))[..., ::-1], small.picture(1))
    said, back = small.truth(), read(truth)
    assert np.array_equal(back.views.cam_from_scene, said.views.cam_from_scene)
    assert back.views.names == said.views.names
    assert np.array_equal(back.lenses[0].params, said.lenses[0].params)
    assert np.array_equal(back.maps[2].depth, said.maps[2].depth, equal_nan=True)
    (tmp_path / "other.npz").write_bytes(pictures[0].read_bytes())
    with pytest.raises(FormatError, match=r"other\.npz"):
        read(tmp_path / "other.npz")


def test_what_makes_no_sense_is_refused():
    for wrong, message in [({"size": (8, 8)}, "size"), ({"noise": -1.0}, "noise"), ({"blur_px": 99.0}, "blur_px")]:
        with pytest.raises(OptionError, match=message):
            Sensor(**wrong)
    with pytest.raises(OptionError, match="table, room, town"):
        Stage("attic")
    with pytest.raises(OptionError, match="distortion"):
        Stage("table", n_views=1, sensor=Sensor((160, 120), distortion=(-0.5, 0.0), fov_across_rad=2.0)).picture(0)


def test_shapes_give_their_own_points_and_what_stands_upright_on_them():
    rng = np.random.default_rng(0)
    slope = np.add.outer(np.linspace(0, 0.3, 9), np.linspace(0.6, 0, 9))
    slope = hills((-5.0, -5.0, 1.0), (10.0, 10.0, 2.0), slope, "meadow")
    shapes = [*box((1.0, 2.0, 0.0), (1.0, 2.0, 3.0), 0.7, "wood", "wood"), ball((0.0, 1.0, 2.0), 0.5, 0.3, "stone")]
    shapes += [*drum((3.0, 1.0, 0.0), 0.4, 2.0, "print", "stone"), slope]
    for shape in shapes:
        uv = rng.uniform(0.1, 0.9, (50, 2))
        xyz, out = shape.at(uv)
        step = 1e-6
        for way in np.array([[step, 0.0], [0.0, step]]):
            along = (shape.at(uv + way)[0] - xyz) / step
            assert np.abs((along * out).sum(axis=1)).max() < 1e-4
    middle = np.mean([shape.at(np.full((1, 2), 0.5))[0][0] for shape in shapes[:4]], axis=0)
    for shape in shapes[:4]:
        xyz, out = shape.at(np.full((1, 2), 0.5))
        assert (xyz - middle) @ out[0] > 0
