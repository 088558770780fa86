"""Whatever a scene is made of, files give back what was put in."""

from dataclasses import replace

import numpy as np
import pycolmap
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation

from sightline.formats.scenes import colmap, glb, nerfstudio, npz
from sightline.formats.scenes.filters import Filters, Shown
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import DensePoints, MadeBy, Maps, Scale, Scene, SparsePoints, Views

COORDINATE = st.floats(-1e6, 1e6)
SINGLE = st.floats(-1e6, 1e6, width=32)
PIXEL = st.floats(-10, 5000)
SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def lenses(draw, models=tuple(LensModel)):
    model = draw(st.sampled_from(models))
    focal = draw(st.lists(st.floats(1, 5000), min_size=2, max_size=2))[: 1 if model.has_one_focal else 2]
    centre = draw(st.lists(PIXEL, min_size=2, max_size=2))
    bent = draw(hnp.arrays(np.float64, model.n_params - len(focal) - 2, elements=st.floats(-0.2, 0.2)))
    return Lens(model, draw(st.integers(1, 9)), draw(st.integers(1, 9)), np.array([*focal, *centre, *bent]))


@st.composite
def poses(draw, k):
    made = np.tile(np.eye(4), (k, 1, 1))
    for pose in made:
        pose[:3, :3] = Rotation.from_rotvec(draw(hnp.arrays(np.float64, 3, elements=st.floats(-4, 4)))).as_matrix()
        pose[:3, 3] = draw(hnp.arrays(np.float64, 3, elements=COORDINATE))
    return made


@st.composite
def sparse_points(draw, k):
    n = draw(st.integers(0, 8)) if k else 0
    tracks = [draw(st.lists(st.integers(0, k - 1), max_size=k, unique=True)) for _ in range(n)]
    seen = np.array([view for track in tracks for view in track], np.int64)
    return SparsePoints(
        draw(hnp.arrays(np.float64, (n, 3), elements=COORDINATE)),
        draw(hnp.arrays(np.uint8, (n, 3))),
        draw(hnp.arrays(np.float64, n, elements=st.floats(0, 10) | st.just(np.nan))),
        np.concatenate([[0], np.cumsum([len(track) for track in tracks])]).astype(np.int64),
        seen,
        draw(hnp.arrays(np.float64, (len(seen), 2), elements=PIXEL)),
    )


@st.composite
def scenes(draw, models=tuple(LensModel)):
    own = tuple(draw(st.lists(lenses(models), min_size=1, max_size=3)))
    k = draw(st.integers(0, 4))
    numbers = draw(hnp.arrays(np.int64, k, elements=st.integers(0, len(own) - 1)))
    places, sparse = draw(poses(k)), draw(sparse_points(k))
    engine, asked = draw(st.text()), draw(st.dictionaries(st.text(), st.integers() | st.text()))
    scale = draw(st.sampled_from(Scale))

    def made():
        # Not while drawing: checking tuples' types looks at items by chance, which would spoil the draw.
        views = Views(tuple(f"{i}.png" for i in range(k)), numbers, places, np.ones(k, bool))
        return Scene(own, views, MadeBy(engine, "1", settings=asked), sparse=sparse, scale=scale)

    return made


def same_columns(one, other):
    for name in one.__slots__:
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None) == (b is None), name
        if a is not None:
            assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f"), name


def same_lenses(one, other):
    for a, b in zip(one, other, strict=True):
        assert (a.model, a.width, a.height, a.params.tolist()) == (b.model, b.width, b.height, b.params.tolist())


@SETTINGS
@given(made=scenes(), text=st.booleans())
def test_colmap_models_come_back(made, text, tmp_path):
    scene = made()
    colmap.write(scene, tmp_path / str(text), text=text)
    found = colmap.read(tmp_path / str(text))
    same_lenses(found.lenses, scene.lenses)
    same_columns(found.sparse, scene.sparse)
    assert found.views.names == scene.views.names
    assert found.views.lens.tolist() == scene.views.lens.tolist()
    assert found.views.cam_from_scene == pytest.approx(scene.views.cam_from_scene, abs=1e-9)
    assert pycolmap.Reconstruction(tmp_path / str(text)).num_points3D() == len(scene.sparse)


@SETTINGS
@given(made=scenes(), data=st.data(), compress=st.booleans())
def test_npz_comes_back(made, data, compress, tmp_path):
    scene = made()

    def maps(lens):
        pinhole = Lens.pinhole(lens.width, lens.height, lens.px_from_cam)
        size = lens.height, lens.width
        depth = data.draw(hnp.arrays(np.float32, size, elements=st.floats(0, 100, width=32)))
        rgb = data.draw(st.none() | hnp.arrays(np.uint8, (*size, 3)))
        return Maps(pinhole, rgb, depth, np.where(depth > 0, depth, np.float32(0)))

    full = replace(scene, maps=tuple(maps(scene.lenses[k]) for k in scene.views.lens))
    npz.write(full, tmp_path / "p.npz", compress=compress)
    found = npz.read(tmp_path / "p.npz")
    same_lenses(found.lenses, full.lenses)
    same_columns(found.sparse, full.sparse)
    assert np.array_equal(found.views.cam_from_scene, full.views.cam_from_scene)
    for one, other in zip(found.maps, full.maps, strict=True):
        assert np.array_equal(one.depth, other.depth)
        assert np.array_equal(one.depth_confidence, other.depth_confidence)
        assert (one.rgb is None) == (other.rgb is None)
        assert one.rgb is None or np.array_equal(one.rgb, other.rgb)
    assert (found.made_by.engine, found.made_by.settings) == (full.made_by.engine, full.made_by.settings)
    assert found.scale is full.scale


PERSPECTIVE = (LensModel.PINHOLE, LensModel.SIMPLE_RADIAL, LensModel.RADIAL, LensModel.OPENCV)


@SETTINGS
@given(made=scenes(PERSPECTIVE))
def test_transforms_json_comes_back(made, tmp_path):
    scene = made()
    nerfstudio.write(scene, tmp_path)
    found = nerfstudio.read(tmp_path)
    assert found.views.names == scene.views.names
    tolerance = 1e-9 * (1 + np.abs(scene.views.cam_from_scene).max(initial=0.0))
    assert found.views.cam_from_scene == pytest.approx(scene.views.cam_from_scene, abs=tolerance)
    assert found.dense.xyz_scene == pytest.approx(scene.sparse.xyz_scene, rel=1e-6, abs=1e-6)


@SETTINGS
@given(data=st.data(), n=st.integers(1, 30), linear=st.booleans())
def test_trimesh_reads_the_points_that_were_shown(data, n, linear, tmp_path):
    xyz = data.draw(hnp.arrays(np.float32, (n, 3), elements=SINGLE | st.just(np.nan)))
    rgb = data.draw(hnp.arrays(np.uint8, (n, 3)))
    bare = Scene((), Views((), np.zeros(0, np.int64), np.zeros((0, 4, 4)), np.zeros(0, bool)), MadeBy("", ""))
    shown = Shown(DensePoints(xyz, rgb), np.zeros(0, np.int64), 1.0, Filters())
    glb.write(bare, shown, tmp_path / "s.glb", linear=linear)
    (found,) = trimesh.load(tmp_path / "s.glb").geometry.values()
    known = np.isfinite(xyz).all(axis=1)
    assert np.array_equal(found.vertices, xyz[known] if known.any() else [[1, 0, 0]])
