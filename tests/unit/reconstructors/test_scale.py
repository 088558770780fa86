"""The size of a scene from one length, on a scene that is right but for its unit."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from sightline.errors import OptionError
from sightline.geometry.rigid import inverse, moved
from sightline.geometry.umeyama import seen_from
from sightline.model.lens import Lens
from sightline.model.scene import DensePoints, MadeBy, Maps, Scale, Scene, SparsePoints, Views
from sightline.model.shots import Shot, Shots
from sightline.reconstructors.scale import by_distance, by_markers, checked, rescaled

LENS = Lens.pinhole(400, 300, np.array([[380.0, 0, 200], [0, 380, 150], [0, 0, 1]]))
CORNER_M = np.array([[0.0, 0.0, 0.0]])


@pytest.fixture(scope="module")
def small(corner_poses, marked_pictures):
    """A scene a seventh as large as the room, in a frame of its own, and the pictures of it; both with two markers."""
    scene_from_world = np.array([[0, -1, 0, 2.0], [1, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 7]]) / 7
    poses = np.array([seen_from(pose, scene_from_world) for pose in corner_poses])
    shots = Shots(tuple(Shot(f"{n}.png", partial(np.copy, rgb)) for n, rgb in enumerate(marked_pictures)))
    k = len(poses)
    views = Views(tuple(shot.name for shot in shots.shots), np.zeros(k, np.int64), poses, np.ones(k, bool))
    sparse = SparsePoints(
        moved(scene_from_world, CORNER_M), np.zeros((1, 3), np.uint8), np.zeros(1), np.array([0, 1]),
        np.zeros(1, np.int64), np.zeros((1, 2)),
    )  # fmt: skip
    return Scene((LENS,), views, MadeBy("test", "1"), sparse=sparse), shots


def eyes(scene):
    return np.array([inverse(pose)[:3, 3] for pose in scene.views.cam_from_scene])


def test_the_distance_of_two_pictures_gives_metres(small, corner_poses):
    scene, _ = small
    there = np.array([inverse(pose)[:3, 3] for pose in corner_poses])
    apart_m = float(np.linalg.norm(there[0] - there[3]))
    found = by_distance(scene, ("0.png", "3.png", apart_m))
    assert found.scale is Scale.DISTANCE
    assert np.allclose(
        np.linalg.norm(np.diff(eyes(found), axis=0), axis=1), np.linalg.norm(np.diff(there, axis=0), axis=1)
    )


def test_markers_of_known_size_give_metres(small, corner_poses):
    scene, shots = small
    found = by_markers(scene, 1.0, shots)
    assert found.scale is Scale.MARKERS
    there = np.array([inverse(pose)[:3, 3] for pose in corner_poses])
    ratio = np.linalg.norm(eyes(found)[3] - eyes(found)[0]) / np.linalg.norm(there[3] - there[0])
    assert ratio == pytest.approx(1, rel=0.01)


def test_what_is_no_square_from_all_sides_is_no_marker(small):
    scene, shots = small
    poses = scene.views.cam_from_scene.copy()
    poses[:, :3, 3] *= np.linspace(0.5, 2, len(poses))[:, None]
    bent = replace(scene, views=replace(scene.views, cam_from_scene=poses))
    found = by_markers(bent, 1.0, shots)
    assert found.scale is Scale.UNKNOWN
    assert found.made_by.settings["scale_notes"] == [
        "markers were not used: 2 seen, none of them as one square from two sides"
    ]


def test_a_picture_without_a_place_gives_no_metres(small):
    scene, _ = small
    placed = np.arange(len(scene.views)) != 3
    found = by_distance(replace(scene, views=replace(scene.views, is_registered=placed)), ("0.png", "3.png", 2.0))
    assert found.scale is Scale.UNKNOWN
    assert found.made_by.settings["scale_notes"] == ["the distance was not used: 3.png found no place"]


def test_pictures_see_the_same_in_the_other_unit(small):
    scene, _ = small
    lens = Lens.pinhole(2, 2, np.eye(3))
    depth = np.full((2, 2), 3.0, np.float32)
    maps = (Maps(lens, depth=depth), *[None] * (len(scene.views) - 1))
    dense = DensePoints(scene.sparse.xyz_scene.astype(np.float32), scene.sparse.rgb)
    found = rescaled(replace(scene, maps=maps, dense=dense), 2.0, Scale.DISTANCE)
    before, after = (moved(s.views.cam_from_scene[2], s.sparse.xyz_scene) for s in (scene, found))
    assert np.allclose(after, 2 * before)
    assert np.array_equal(found.maps[0].depth, 2 * depth)
    assert np.allclose(found.dense.xyz_scene, found.sparse.xyz_scene, atol=1e-6)


def test_what_lies_in_the_world_stays_in_its_middle(small):
    scene, _ = small
    found = rescaled(replace(scene, scale=Scale.GPS), 1.1, Scale.DISTANCE)
    assert np.allclose(eyes(found).mean(axis=0), eyes(scene).mean(axis=0))
    assert np.allclose(np.ptp(eyes(found), axis=0), 1.1 * np.ptp(eyes(scene), axis=0))


@pytest.mark.parametrize(
    ("distance", "side_m", "why"),
    [
        (("0.png", "1.png", 2.0), 0.2, "give one of them"),
        (None, 0.0, r"marker_side_m = 0.0"),
        (("0.png", "0.png", 2.0), None, "two pictures"),
        (("0.png", "1.png", -2.0), None, "more than 0 metres"),
        (("0.png", "9999.png", 2.0), None, "no picture '9999.png'; the first is '0.png'"),
    ],
)
def test_lengths_that_make_no_sense_are_refused(small, distance, side_m, why):
    with pytest.raises(OptionError, match=why):
        checked(distance, side_m, small[1])


def test_poses_have_a_scale_already(small, corner_poses):
    posed = tuple(replace(s, cam_from_world=p) for s, p in zip(small[1].shots, corner_poses, strict=True))
    with pytest.raises(OptionError, match="give poses or a distance"):
        checked(("0.png", "1.png", 2.0), None, Shots(posed))
