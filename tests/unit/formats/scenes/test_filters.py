"""Which points are shown, against the demonstrations' definition said again in plain numpy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sightline.errors import OptionError
from sightline.formats.scenes.filters import Filters, Mode, shown
from sightline.geometry import lens as lenses
from sightline.model.scene import DensePoints, Maps, SparsePoints


def plainly(scene, filters, sky_of):
    """xyz, rgb of what the demonstrations keep."""
    views = [0, 1, 2] if filters.view is None else [filters.view]
    maps = [scene.maps[k] for k in views]
    if filters.mode is Mode.POINTMAP:
        xyz = [m.xyz_scene.reshape(-1, 3) for m in maps]
        conf = [m.xyz_confidence.copy() for m in maps]
    else:
        poses = scene.views.cam_from_scene
        xyz = [lenses.points(m, poses[k]).reshape(-1, 3) for k, m in zip(views, maps, strict=True)]
        conf = [m.depth_confidence.copy() for m in maps]
    if filters.hide_sky:
        conf = [np.where(sky_of(m.rgb), np.float32(0), c) for m, c in zip(maps, conf, strict=True)]
    xyz, conf = np.concatenate(xyz), np.concatenate([c.ravel() for c in conf])
    rgb = np.concatenate([m.rgb.reshape(-1, 3) for m in maps])
    least = 0.0 if filters.confidence_percentile == 0 else np.percentile(conf, filters.confidence_percentile)
    keep = (conf >= least) & (conf > 1e-5)
    if filters.hide_black:
        keep &= rgb.astype(int).sum(axis=1) >= 16
    if filters.hide_white:
        keep &= ~((rgb[:, 0] > 240) & (rgb[:, 1] > 240) & (rgb[:, 2] > 240))
    return xyz[keep], rgb[keep]


def left_half(rgb):
    return np.broadcast_to(np.arange(rgb.shape[1]) < rgb.shape[1] // 2, rgb.shape[:2])


def with_black_and_white(scene):
    """The scene with a share of its pixels nearly black and nearly white."""
    random = np.random.default_rng(0)
    new = []
    for maps in scene.maps[:3]:
        rgb = maps.rgb.copy()
        which = random.integers(0, 4, rgb.shape[:2])
        rgb[which == 0] = random.integers(0, 11, ((which == 0).sum(), 3))
        rgb[which == 1] = random.integers(238, 256, ((which == 1).sum(), 3))
        new.append(replace(maps, rgb=rgb))
    return replace(scene, maps=(*new, None))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mode=st.sampled_from(Mode),
    percentile=st.one_of(st.sampled_from([0.0, 3.0, 45.0, 50.0, 100.0]), st.floats(0, 100)),
    view=st.sampled_from([None, 0, 1, 2]),
    black=st.booleans(),
    white=st.booleans(),
    hide_sky=st.booleans(),
)
def test_what_is_shown_is_what_the_demonstrations_show(scene, mode, percentile, view, black, white, hide_sky):
    scene = with_black_and_white(scene)
    filters = Filters(
        mode=mode,
        confidence_percentile=percentile,
        view=view,
        hide_black=black,
        hide_white=white,
        hide_sky=hide_sky,
    )
    found = shown(scene, filters, left_half)
    xyz, rgb = plainly(scene, filters, left_half)
    assert np.array_equal(found.points.xyz_scene, xyz)
    assert np.array_equal(found.points.rgb, rgb)
    low, high = np.percentile(xyz, [5, 95], axis=0) if len(xyz) else (np.zeros(3), np.zeros(3))
    assert found.extent == pytest.approx(np.linalg.norm(high - low) or 1.0)


def test_so_many_points_are_drawn_by_lot_from_those_that_are_left(scene):
    whole = shown(scene, Filters()).points
    found = shown(scene, Filters(max_points=100)).points
    assert len(found) == 100
    there = {tuple(row): place for place, row in enumerate(whole.xyz_scene.tolist())}
    places = [there[tuple(row)] for row in found.xyz_scene.tolist()]
    assert places == sorted(set(places))
    assert np.array_equal(found.rgb, whole.rgb[places])
    assert set(found.view) == set(whole.view)
    assert np.array_equal(shown(scene, Filters(max_points=100)).points.xyz_scene, found.xyz_scene)
    assert len(shown(scene, Filters(max_points=10**9)).points) == len(whole)
    with pytest.raises(OptionError, match="max_points"):
        Filters(max_points=0)


def test_only_cameras_that_found_their_place_are_drawn(scene):
    assert shown(scene, Filters()).views.tolist() == [0, 1, 2]
    assert shown(scene, Filters(view=1)).views.tolist() == [1]
    assert shown(scene, Filters(view=3)).views.tolist() == []
    assert shown(scene, Filters(show_cameras=False)).views.tolist() == []


def test_points_say_which_view_they_are_from(scene):
    points = shown(scene, Filters(confidence_percentile=0.0)).points
    assert np.bincount(points.view).tolist() == [m.depth.size for m in scene.maps[:3]]


@pytest.mark.parametrize("unknown", [0.0, np.nan, -1.0])
def test_what_has_no_depth_is_not_shown_and_does_not_count(scene, unknown):
    maps = scene.maps[0]
    depth, confidence = maps.depth.copy(), maps.depth_confidence.copy()
    depth[:9], confidence[:9] = unknown, 0.0
    holed = replace(scene, maps=(replace(maps, depth=depth, depth_confidence=confidence), None, None, None))
    found = shown(holed, Filters(confidence_percentile=50.0))
    known = confidence[9:]
    assert len(found.points) == (known >= np.percentile(known, 50)).sum()
    assert np.isfinite(found.points.xyz_scene).all()


def test_a_scene_with_one_cloud_shows_it_in_pointmap_mode(scene):
    maps = tuple(m and replace(m, xyz_scene=None, xyz_confidence=None) for m in scene.maps)
    cloudy = replace(scene, maps=maps)
    found = shown(cloudy, Filters(mode=Mode.POINTMAP, confidence_percentile=20.0, view=2))
    mine = scene.dense.view == 2
    least = np.percentile(scene.dense.confidence[mine], 20)
    assert np.array_equal(found.points.xyz_scene, scene.dense.xyz_scene[mine & (scene.dense.confidence >= least)])


def test_sky_is_taken_out_of_a_cloud_by_where_its_points_are_seen(scene):
    maps = scene.maps[0]
    points = lenses.points(maps, scene.views.cam_from_scene[0]).reshape(-1, 3)
    of_first = np.zeros(len(points), np.int64)
    cloud = DensePoints(points, maps.rgb.reshape(-1, 3), view=of_first)
    cloudy = replace(scene, maps=(Maps(maps.lens, rgb=maps.rgb), None, None, None), dense=cloud)
    filters = Filters(mode=Mode.POINTMAP, confidence_percentile=0.0, hide_sky=True)
    found = shown(cloudy, filters, left_half)
    assert np.array_equal(found.points.xyz_scene, points[~left_half(maps.rgb).reshape(-1)])


def test_without_maps_or_cloud_the_sparse_points_are_shown(scene):
    bare = replace(scene, maps=(), dense=DensePoints.none())
    assert len(shown(bare, Filters()).points) == len(scene.sparse)
    seen = [
        2 in scene.sparse.track_view[a:b]
        for a, b in zip(scene.sparse.track_start[:-1], scene.sparse.track_start[1:], strict=True)
    ]
    assert len(shown(bare, Filters(view=2)).points) == sum(seen)


def test_nothing_found_is_nothing_shown(scene):
    empty = replace(scene, maps=(), dense=DensePoints.none(), sparse=SparsePoints.none())
    found = shown(empty, Filters())
    assert len(found.points) == 0
    assert found.extent == 1.0


def test_views_and_percentages_that_there_are_not_are_refused(scene):
    with pytest.raises(OptionError, match="view must be 0 to 3, not 4"):
        shown(scene, Filters(view=4))
    with pytest.raises(OptionError, match=r"confidence_percentile must be 0 to 100, not 101"):
        Filters(confidence_percentile=101.0)
