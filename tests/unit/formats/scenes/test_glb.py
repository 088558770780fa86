"""GLB files, against the rules of the format and an independent reader."""

import importlib.util
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from sightline.errors import FormatError
from sightline.formats.scenes import frustum, glb, gltf
from sightline.formats.scenes.filters import Filters, Shown, shown
from sightline.geometry.rigid import inverse, moved
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import DensePoints, MadeBy, Scene, Views

_spec = importlib.util.spec_from_file_location("glb_rules", Path(__file__).with_name("glb_rules.py"))
rules = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(rules)


def cloud(n, **more):
    random = np.random.default_rng(n)
    rgb = random.integers(0, 256, (n, 3)).astype(np.uint8)
    return DensePoints(random.normal(size=(n, 3)).astype(np.float32), rgb, **more)


def only(points, views=()):
    return Shown(points, np.array(views, np.int64), 1.0, Filters())


def written(scene, shown, path, **more):
    glb.write(scene, shown, path, **more)
    return rules.check(path.read_bytes())


def test_all_that_is_shown_follows_the_rules_of_the_format(scene, tmp_path):
    document, _ = written(scene, shown(scene, Filters()), tmp_path / "s.glb", surface=scene.mesh)
    names = [node["name"] for node in document["nodes"] if "camera" not in node]
    assert names == ["points", "surface", "a.png", "sub/b.jpg", "c c.png", "cameras", "scene"]
    assert sum("camera" in node for node in document["nodes"]) == 3


def test_points_and_colours_are_the_scenes_own(scene, tmp_path):
    points = cloud(100_000)
    document, columns = written(scene, only(points), tmp_path / "s.glb")
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    assert np.array_equal(columns[attributes["POSITION"]], points.xyz_scene)
    assert np.array_equal(columns[attributes["COLOR_0"]][:, :3], points.rgb)
    assert (columns[attributes["COLOR_0"]][:, 3] == 255).all()


def test_linear_colours_are_the_light_that_bytes_mean(scene, tmp_path):
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    points = DensePoints(np.random.default_rng(0).normal(size=(256, 3)).astype(np.float32), ramp)
    document, columns = written(scene, only(points), tmp_path / "s.glb", surface=scene.mesh, linear=True)
    light = columns[document["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"]] / 65535
    assert (light[:, 3] == 1).all()
    seen = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    assert np.array_equal(np.rint(255 * seen[:, :3]), ramp)
    assert document["asset"]["extras"]["colours"] == "linear"


def test_another_reader_sees_the_same_cloud_from_the_first_camera(scene, tmp_path):
    points = cloud(1000)
    glb.write(scene, only(points, [0, 1, 2]), tmp_path / "s.glb")
    read = trimesh.load(tmp_path / "s.glb")
    matrix, name = read.graph["points"]
    found = read.geometry[name]
    assert isinstance(found, trimesh.PointCloud)
    assert np.array_equal(np.asarray(found.colors)[:, :3], points.rgb)
    in_first = moved(scene.views.cam_from_scene[0], points.xyz_scene)
    assert trimesh.transform_points(found.vertices, matrix) == pytest.approx(in_first * [-1, -1, 1], abs=1e-5)


def test_another_reader_finds_cameras_where_they_were_and_looking_where_they_looked(scene, tmp_path):
    glb.write(scene, only(cloud(10), [0, 1, 2]), tmp_path / "s.glb")
    read = trimesh.load(tmp_path / "s.glb")
    for view, name in enumerate(scene.views.names[:3]):
        matrix, geometry = read.graph[name]
        corners = trimesh.transform_points(read.geometry[geometry].vertices, matrix)
        cam_from_file = scene.views.cam_from_scene[view] @ inverse(scene.views.cam_from_scene[0]) @ glb.UPRIGHT
        cam = moved(cam_from_file, corners)
        assert cam[0] == pytest.approx([0, 0, 0], abs=1e-6)
        assert (cam[1:, 2] > 0).all()


@pytest.mark.parametrize(("n_lenses", "most"), [(1, 650), (200, 1150)])
def test_a_camera_is_a_few_hundred_bytes_and_its_lens_as_many(tmp_path, n_lenses, most):
    rng = np.random.default_rng(0)
    poses = np.tile(np.eye(4), (200, 1, 1))
    poses[:, :3] = np.linalg.qr(rng.normal(size=(200, 3, 3)))[0] @ np.eye(3, 4)
    poses[:, :3, 3] = rng.normal(size=(200, 3))
    params = [np.array([500.0 + n, 501.0, 320.0, 240.0]) for n in range(n_lenses)]
    lenses = tuple(Lens(LensModel.PINHOLE, 640, 480, one) for one in params)
    views = Views(tuple(f"frame_{n:06d}.jpg" for n in range(200)), np.arange(200) % n_lenses, poses, np.ones(200, bool))
    sizes = []
    for several in ([], list(range(200))):
        glb.write(Scene(lenses, views, MadeBy("made up", "0")), only(cloud(1), several), tmp_path / "s.glb")
        sizes.append((tmp_path / "s.glb").stat().st_size)
    assert sizes[1] - sizes[0] < 200 * most


@pytest.mark.parametrize("lens", [0, 1, 2])
def test_pyramids_end_at_the_corners_of_the_picture(scene, lens):
    of = scene.lenses[lens]
    corners, triangles = frustum.pyramid(of, 10.0)
    cam = corners[1:5] * [1, -1, -1]
    px = cam @ of.px_from_cam.T
    w, h = of.width, of.height
    assert px[:, :2] / px[:, 2:] == pytest.approx(np.array([[0, 0], [w, 0], [w, h], [0, h]]), abs=1e-9)
    assert cam[:, 2].max() <= 10 * frustum.HEIGHT + 1e-9
    assert np.hypot(cam[:, 0], cam[:, 1]).max() <= 10 * frustum.WIDTH + 1e-9
    assert set(triangles.reshape(-1).tolist()) == set(range(len(corners)))


def test_the_rainbow_is_that_of_plotting_programs():
    colormaps = pytest.importorskip("matplotlib").colormaps
    for share in np.linspace(0, 1, 33):
        assert frustum.colour(share) == pytest.approx(colormaps["gist_rainbow"](share)[:3], abs=0.03)


def test_no_point_is_one_white_point_as_in_the_demonstrations(scene, tmp_path):
    document, columns = written(scene, only(DensePoints.none()), tmp_path / "s.glb")
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    assert columns[attributes["POSITION"]].tolist() == [[1, 0, 0]]
    assert columns[attributes["COLOR_0"]].tolist() == [[255, 255, 255, 255]]


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_points_that_are_nowhere_are_left_out(scene, tmp_path, odd):
    points = cloud(10)
    xyz = points.xyz_scene.copy()
    xyz[3, 1] = odd
    document, columns = written(scene, only(replace(points, xyz_scene=xyz)), tmp_path / "s.glb")
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    assert np.array_equal(columns[attributes["POSITION"]], np.delete(points.xyz_scene, 3, axis=0))
    assert np.array_equal(columns[attributes["COLOR_0"]][:, :3], np.delete(points.rgb, 3, axis=0))


def test_a_scene_without_any_place_still_shows_its_points(scene, tmp_path):
    lost = replace(scene.views, cam_from_scene=np.full((4, 4, 4), np.nan), is_registered=np.zeros(4, bool))
    document, _ = written(replace(scene, views=lost), only(cloud(5)), tmp_path / "s.glb")
    assert document["nodes"][-1]["matrix"] == glb.UPRIGHT.reshape(-1).tolist()


def test_the_file_says_what_made_it(scene, tmp_path):
    document, _ = written(scene, shown(scene, Filters(view=1, hide_sky=True)), tmp_path / "s.glb")
    extras = document["asset"]["extras"]
    assert extras == document["scenes"][0]["extras"]
    assert extras["engine"] == "made up"
    assert extras["weights_licence"] == "CC0"
    assert extras["settings"] == {"quality": "draft", "max_size": 100}
    assert extras["scale"] == "poses"
    assert (extras["views"], extras["views_registered"]) == (4, 3)
    assert extras["filters"]["view"] == "sub/b.jpg"
    assert extras["filters"]["hide_sky"] is True


def test_settings_that_json_cannot_say_are_refused_and_nothing_is_left(scene, tmp_path):
    odd = replace(scene, made_by=MadeBy("e", "1", settings={"x": float("nan")}))
    with pytest.raises(FormatError, match=r"s\.glb: not to be said in JSON"):
        glb.write(odd, only(cloud(5)), tmp_path / "s.glb")
    assert not list(tmp_path.iterdir())


def test_more_than_the_format_holds_is_refused_before_anything_is_written(scene, tmp_path):
    # One point, said 400 million times: nothing of the size is in memory.
    xyz = np.broadcast_to(np.ones((1, 3), np.float32), (400_000_000, 3))
    binary = gltf.Binary()
    binary.column(xyz, "<f4", gltf.VERTICES)
    with pytest.raises(FormatError, match="GLB ends at 4,294,967,295; show fewer points"):
        gltf.write(tmp_path / "s.glb", {}, binary)
    assert not list(tmp_path.iterdir())


def test_writing_takes_no_memory_to_speak_of(scene, tmp_path):
    points = cloud(1_000_000)
    tracemalloc.start()
    try:
        glb.write(scene, only(points), tmp_path / "s.glb")
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()
    assert (tmp_path / "s.glb").stat().st_size == pytest.approx(16e6, rel=1e-3)
