"""Whether a focal length that came out is one that the pictures tell."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sightline.geometry.lens import pixels
from sightline.model.lens import Lens
from sightline.model.scene import MadeBy, Scene, SparsePoints, Views
from sightline.model.shots import Shot, Shots
from sightline.reconstructors.structure.doubting import doubt, focal_doubt, with_doubts

LENS = Lens.pinhole(800, 600, np.array([[700.0, 0, 400], [0, 700, 300], [0, 0, 1]]))
FLAT, DEEP = (6.0, 6.001), (4.0, 9.0)
STRAIGHT = np.zeros((6, 3))
ASIDE = np.stack([0.6 * np.arange(6), np.zeros(6), np.zeros(6)], axis=1)
OBLIQUE = np.stack([0.1 * np.sin(2 * np.arange(6)), 0.35 * np.cos(np.arange(6)), np.zeros(6)], axis=1)


def rebuilt(turns_rad, eyes, depth, noise_px=0.3, n_points=600):
    """The scene as it is, seen with noise."""
    chance = np.random.default_rng(0)
    xyz = chance.uniform([-6, -4, depth[0]], [6, 4, depth[1]], (n_points, 3))
    poses = np.tile(np.eye(4), (len(turns_rad), 1, 1))
    poses[:, :3, :3] = Rotation.from_rotvec(turns_rad).as_matrix()
    poses[:, :3, 3] = -np.einsum("kij,kj->ki", poses[:, :3, :3], eyes)
    px = np.stack([pixels(LENS, xyz @ pose[:3, :3].T + pose[:3, 3]) for pose in poses], axis=1)
    px += chance.normal(0, noise_px, px.shape)
    inside = ((px > 0) & (px < [800, 600])).all(axis=2)
    inside[inside.sum(axis=1) < 2] = False
    kept = inside.any(axis=1)
    point, view = np.nonzero(inside[kept])
    start = np.searchsorted(point, np.arange(kept.sum() + 1))
    rgb = np.zeros((int(kept.sum()), 3), np.uint8)
    sparse = SparsePoints(xyz[kept], rgb, np.full(len(rgb), noise_px), start, view, px[kept][inside[kept]])
    views = Views(tuple(map(str, range(len(poses)))), np.zeros(len(poses), np.int64), poses, np.ones(len(poses), bool))
    return Scene((LENS,), views, MadeBy("sfm", "1"), sparse=sparse)


def taken(**known):
    return Shots(tuple(Shot(str(k), lambda: np.zeros((1, 1, 3), np.uint8), **known) for k in range(6)))


@pytest.mark.parametrize("turns", [STRAIGHT, [[0, 0, 0.5 * k] for k in range(6)]], ids=["straight on", "rolled"])
def test_a_wall_from_one_side_tells_no_focal_length(turns):
    scene = rebuilt(np.array(turns, float), ASIDE, FLAT)
    assert focal_doubt(scene, 0) > 1
    assert "hardly at all; they show one flat thing" in doubt(scene, taken())


@pytest.mark.parametrize("n_points", [3, 9])
def test_a_few_points_tell_nothing_and_are_no_flat_thing(n_points):
    said = doubt(rebuilt(STRAIGHT, ASIDE, FLAT, n_points=n_points), taken())
    assert "hardly at all: depth may be" in said


def test_a_wall_from_several_sides_does():
    assert doubt(rebuilt(OBLIQUE, ASIDE, FLAT), taken()) is None


def test_a_camera_that_never_turned_stretches_depth_with_its_lens():
    assert doubt(rebuilt(STRAIGHT, ASIDE, DEEP), taken()).startswith(
        "the pictures tell the focal length hardly at all:"
    )
    turned = np.array([[0.0, 0.05 * k, 0.0] for k in range(6)])
    assert doubt(rebuilt(turned, ASIDE, DEEP), taken()) is None


def test_doubt_grows_with_noise():
    quiet, loud = (focal_doubt(rebuilt(OBLIQUE, ASIDE, DEEP, noise_px=noise), 0) for noise in (0.4, 1.6))
    assert 3 < loud / quiet < 5


def test_a_lens_that_is_known_is_not_doubted():
    wall = rebuilt(STRAIGHT, ASIDE, FLAT)
    assert doubt(wall, taken(lens=LENS)) is None
    assert doubt(wall, taken(focal_px=690.0)) is None
    assert doubt(wall, taken(focal_px=1400.0)) is not None


def test_doubts_are_noted_with_the_scene():
    assert len(with_doubts(rebuilt(STRAIGHT, ASIDE, FLAT), taken()).made_by.settings["doubts"]) == 1
    assert "doubts" not in with_doubts(rebuilt(OBLIQUE, ASIDE, FLAT), taken()).made_by.settings
