"""Cameras adjusted to what their pictures share, where the truth is known."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sightline.errors import EngineError
from sightline.geometry.rigid import inverse, moved
from sightline.geometry.umeyama import umeyama
from sightline.reconstructors.looks.assembled import Look
from sightline.reconstructors.looks.framing import framings
from sightline.reconstructors.looks.refining import adjusted


def tell(step, done, total):
    pass


def depth_of(pose, framing, focal_px):
    """Of the corner's floor and walls."""
    height, width = framing.outer
    y, x = np.mgrid[:height, :width] + 0.5
    rays = np.stack([(x - width / 2) / focal_px, (y - height / 2) / focal_px, np.ones_like(x)], -1)
    world_from_cam = inverse(pose)
    along = rays @ world_from_cam[:3, :3].T
    with np.errstate(divide="ignore"):
        depth = -world_from_cam[:3, 3] / along
    return np.where(depth > 0, depth, np.inf).min(axis=-1)


def looks(poses, rng, error):
    """What a network says that errs by so many radians and metres, and takes the lens for 3 % longer."""
    (framing,) = framings([(300, 400)], 392)
    focal_px = 380 * 392 / 400
    said = []
    for pose in poses:
        depth = depth_of(pose, framing, focal_px).astype(np.float32)
        off = np.eye(4)
        off[:3, :3] = Rotation.from_rotvec(rng.normal(0, error / 3, 3)).as_matrix()
        off[:3, 3] = rng.normal(0, error, 3)
        px_from_cam = np.array([[1.03 * focal_px, 0, 196], [0, 1.03 * focal_px, 147], [0, 0, 1]])
        sure = np.full(depth.shape, 2.0, np.float32)
        shown = np.zeros((*framing.inner, 3), np.uint8)
        said.append(Look(framing, shown, px_from_cam, off @ pose, depth, sure))
    return said


def wrong(found, poses):
    """Largest distance of a camera from where it was, after the best similarity."""
    eyes, true = (np.array([inverse(pose)[:3, 3] for pose in some]) for some in (found, poses))
    return np.linalg.norm(moved(umeyama(eyes, true), eyes) - true, axis=1).max()


def test_cameras_come_to_where_they_were(corner):
    shots, poses = corner()
    begun = looks(poses, np.random.default_rng(0), 0.05)
    better, n = adjusted(shots, begun, tell, lambda: False)
    before, after = (wrong([one.cam_from_scene for one in some], poses) for some in (begun, better))
    assert n == 8
    assert after < 0.2 * before
    assert better[0].lens.focal_px[0] == pytest.approx(380, rel=0.01)
    scale = better[3].depth / depth_of(poses[3], better[3].framing, 380 * 392 / 400)
    eyes, true = (
        np.array([inverse(pose)[:3, 3] for pose in some]) for some in ([b.cam_from_scene for b in better], poses)
    )
    unit = np.cbrt(np.linalg.det(umeyama(true, eyes)[:3, :3]))
    assert np.median(scale) == pytest.approx(unit, rel=0.02)


def test_pictures_that_share_nothing_stay_where_they_are(unrelated):
    rng = np.random.default_rng(1)
    begun = looks([np.eye(4)] * len(unrelated), rng, 0.05)
    better, n = adjusted(unrelated, begun, tell, lambda: False)
    assert n == 0
    assert all(
        np.array_equal(one.cam_from_scene, other.cam_from_scene) for one, other in zip(begun, better, strict=True)
    )


def test_it_ends_when_asked(corner):
    shots, poses = corner()
    with pytest.raises(EngineError, match="stopped"):
        adjusted(shots, looks(poses, np.random.default_rng(2), 0.01), tell, lambda: True)
