"""A small made-up scene that has a bit of everything."""

import numpy as np
import pytest

from sightline.geometry.rigid import looking_at
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import DensePoints, MadeBy, Maps, Mesh, Scale, Scene, SparsePoints, Views

SIZES = ((24, 18), (20, 26), (24, 18), (16, 12))
"""Width and height of the maps; pictures are twice as large."""


def lens(model, width, height):
    focal = [1.1 * width] if model.has_one_focal else [1.1 * width, 1.12 * width]
    rest = [0.05, -0.02, 0.001, -0.002][: model.n_params - len(focal) - 2]
    return Lens(model, width, height, np.array([*focal, width / 2 + 1, height / 2 - 1, *rest], np.float64))


def maps(width, height, random):
    return Maps(
        lens(LensModel.PINHOLE, width, height),
        rgb=random.integers(0, 256, (height, width, 3)).astype(np.uint8),
        depth=random.uniform(1, 4, (height, width)).astype(np.float32),
        depth_confidence=random.uniform(1, 9, (height, width)).astype(np.float32),
        xyz_scene=random.normal(size=(height, width, 3)).astype(np.float32),
        xyz_confidence=random.uniform(1, 9, (height, width)).astype(np.float32),
    )


def sparse(n, n_views, random):
    lengths = random.integers(2, n_views + 1, n)
    views = [np.sort(random.permutation(n_views)[:k]) for k in lengths]
    return SparsePoints(
        random.normal(size=(n, 3)),
        random.integers(0, 256, (n, 3)).astype(np.uint8),
        random.uniform(0.1, 2.0, n),
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate(views),
        random.uniform(0, 20, (int(lengths.sum()), 2)),
    )


@pytest.fixture
def scene():
    """Four views through three lenses, the last without a place."""
    random = np.random.default_rng(4)
    models = (LensModel.SIMPLE_RADIAL, LensModel.OPENCV, LensModel.PINHOLE)
    lenses = tuple(lens(model, 2 * w, 2 * h) for model, (w, h) in zip(models, (*SIZES[:2], SIZES[3]), strict=True))
    eyes = ([4.0, 0.0, 1.0], [0.0, 4.0, 1.5], [-3.0, 2.0, 0.5])
    poses = [looking_at(np.array(eye), np.zeros(3)) for eye in eyes] + [np.full((4, 4), np.nan)]
    views = Views(
        ("a.png", "sub/b.jpg", "c c.png", "d.png"),
        np.array([0, 1, 0, 2]),
        np.stack(poses),
        np.array([True, True, True, False]),
    )
    return Scene(
        lenses,
        views,
        MadeBy("made up", "1.2", "none", "CC0", {"quality": "draft", "max_size": 100}),
        (*(maps(w, h, random) for w, h in SIZES[:3]), None),
        sparse(60, 3, random),
        DensePoints(
            random.normal(size=(500, 3)).astype(np.float32),
            random.integers(0, 256, (500, 3)).astype(np.uint8),
            np.tile(np.array([[0, 0, 1]], np.float32), (500, 1)),
            random.uniform(0, 1, 500).astype(np.float32),
            random.integers(0, 3, 500),
        ),
        Mesh(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]]), np.full((3, 3), 200, np.uint8)),
        Scale.POSES,
    )
