"""A surface through points."""

import numpy as np
import pytest

from sightline.errors import OptionError
from sightline.model.scene import DensePoints, MadeBy, Scene, Views
from sightline.reconstructors.meshing import meshed


def ball(n=8000, strays=3):
    """Points on half of a ball around (5, 0, 0), and some far away."""
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(n, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    normal = normal[normal[:, 2] < 0].astype(np.float32)
    xyz = normal + np.float32([5, 0, 0])
    xyz[:strays] *= 500
    rgb = np.where(xyz[:, :1] > 5, [200, 30, 30], [30, 30, 200]).astype(np.uint8)
    return DensePoints(xyz, rgb, normal)


def scene(points):
    nothing = Views((), np.zeros(0, np.int64), np.zeros((0, 4, 4)), np.zeros(0, bool))
    return Scene((), nothing, MadeBy("sfm", "1"), dense=points)


def test_a_surface_is_where_points_are_and_nowhere_else():
    mesh = meshed(scene(ball())).mesh
    off = np.linalg.norm(mesh.xyz_scene - [5, 0, 0], axis=1)
    assert np.abs(off - 1).max() < 0.15
    assert np.median(np.abs(off - 1)) < 0.01
    assert mesh.xyz_scene[:, 2].max() < 0.4
    assert len(mesh.triangles) > 1000
    assert mesh.triangles.max() == len(mesh.xyz_scene) - 1
    red = mesh.rgb[mesh.xyz_scene[:, 0] > 5.3]
    assert (red[:, 0] > red[:, 2]).all()


def test_triangles_face_outwards():
    mesh = meshed(scene(ball())).mesh
    one, two, three = (mesh.xyz_scene[mesh.triangles[:, k]] for k in range(3))
    outwards = (np.cross(two - one, three - one) * (one - [5, 0, 0])).sum(axis=1)
    assert (outwards > 0).mean() > 0.95


def test_too_few_points_are_no_surface():
    with pytest.raises(OptionError, match="sfm makes them with depth"):
        meshed(scene(DensePoints.none()))
    with pytest.raises(OptionError, match="it takes 1000"):
        meshed(scene(ball(300)))
