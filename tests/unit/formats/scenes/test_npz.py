"""NPZ files: VGGT's names and shapes, round trips, other programs' files, and damaged ones."""

import zipfile
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sightline.errors import FormatError
from sightline.formats.scenes import npz
from sightline.formats.scenes.archive import Writing
from sightline.formats.scenes.filters import Filters, Mode, shown
from sightline.model.scene import DensePoints, MadeBy, Maps, SparsePoints, Views

NAMES = {
    "extrinsic", "intrinsic", "pose_enc", "images", "depth", "depth_conf", "world_points", "world_points_conf",
    "world_points_from_depth",
}  # fmt: skip


def equal(one, other):
    """Whether two values are equal to the last bit, arrays within them too."""
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            equal(a, b)
    elif hasattr(one, "__dataclass_fields__"):
        assert type(one) is type(other)
        for name in one.__dataclass_fields__:
            equal(getattr(one, name), getattr(other, name))
    else:
        assert one == other


@pytest.mark.parametrize("compress", [False, True])
def test_a_whole_scene_comes_back_to_the_last_bit(scene, tmp_path, compress):
    npz.write(scene, tmp_path / "p.npz", compress=compress)
    equal(npz.read(tmp_path / "p.npz"), scene)


def test_parts_that_are_missing_stay_missing(scene, tmp_path):
    first, second, third, _ = scene.maps
    maps = (Maps(first.lens, depth=first.depth, depth_confidence=first.depth_confidence), second, None,
            Maps(third.lens, rgb=third.rgb))  # fmt: skip
    part = replace(scene, maps=maps, mesh=None, dense=DensePoints.none())
    npz.write(part, tmp_path / "p.npz")
    equal(npz.read(tmp_path / "p.npz"), part)


def test_a_scene_of_cameras_alone_comes_back(scene, tmp_path):
    bare = replace(scene, maps=(), sparse=SparsePoints.none(), dense=DensePoints.none(), mesh=None)
    npz.write(bare, tmp_path / "p.npz")
    assert {"depth", "images"}.isdisjoint(np.load(tmp_path / "p.npz").files)
    equal(npz.read(tmp_path / "p.npz"), bare)


def test_a_scene_of_nothing_comes_back(scene, tmp_path):
    none = Views((), np.zeros(0, np.int64), np.zeros((0, 4, 4)), np.zeros(0, bool))
    nothing = replace(scene, lenses=(), views=none, maps=(), sparse=SparsePoints.none())
    npz.write(nothing, tmp_path / "p.npz")
    equal(npz.read(tmp_path / "p.npz"), nothing)


def test_names_shapes_and_types_are_vggts(scene, tmp_path):
    npz.write(scene, tmp_path / "p.npz")
    found = np.load(tmp_path / "p.npz", allow_pickle=False)
    assert {name for name in found.files if not name.startswith("sightline")} == NAMES
    shapes = {name: found[name].shape for name in NAMES}
    assert shapes == {
        "extrinsic": (4, 3, 4), "intrinsic": (4, 3, 3), "pose_enc": (4, 9), "images": (4, 3, 26, 24),
        "depth": (4, 26, 24, 1), "depth_conf": (4, 26, 24), "world_points": (4, 26, 24, 3),
        "world_points_conf": (4, 26, 24), "world_points_from_depth": (4, 26, 24, 3),
    }  # fmt: skip
    assert {found[name].dtype for name in NAMES} == {np.dtype(np.float32)}


def test_numbers_mean_what_vggt_means(scene, tmp_path):
    npz.write(scene, tmp_path / "p.npz")
    found = np.load(tmp_path / "p.npz")
    for k, maps in enumerate(scene.maps[:3]):
        h, w = maps.depth.shape
        pose, encoded, matrix = found["extrinsic"][k], found["pose_enc"][k], found["intrinsic"][k]
        assert np.array_equal(found["depth"][k, :h, :w, 0], maps.depth)
        assert np.array_equal(np.rint(found["images"][k, :, :h, :w] * 255).transpose(1, 2, 0), maps.rgb)
        xyz = found["world_points_from_depth"][k, :h, :w] @ pose[:, :3].T + pose[:, 3]
        px = xyz @ matrix.T
        across, down = np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
        assert px[..., :2] / px[..., 2:] == pytest.approx(np.stack([across, down], -1), abs=1e-3)
        assert encoded[:3] == pytest.approx(pose[:, 3])
        assert Rotation.from_quat(encoded[3:7]).as_matrix() == pytest.approx(pose[:, :3], abs=1e-6)
        assert h / 2 / np.tan(encoded[7] / 2) == pytest.approx(matrix[1, 1], rel=1e-5)
        assert w / 2 / np.tan(encoded[8] / 2) == pytest.approx(matrix[0, 0], rel=1e-5)
        assert (found["depth_conf"][k, h:] == 0).all()
        assert (found["images"][k, :, h:] == 1).all()
    assert np.isnan(found["extrinsic"][3]).all()


def test_what_has_no_depth_has_no_confidence_so_that_others_leave_it_out(scene, tmp_path):
    depth = scene.maps[0].depth.copy()
    depth[2, 3], depth[4, 5] = np.nan, -1.0
    holed = replace(scene, maps=(replace(scene.maps[0], depth=depth), *scene.maps[1:]))
    npz.write(holed, tmp_path / "p.npz")
    found = np.load(tmp_path / "p.npz")
    for row, column in ((2, 3), (4, 5)):
        assert found["depth"][0, row, column, 0] == found["depth_conf"][0, row, column] == 0
        assert (found["world_points_from_depth"][0, row, column] == 0).all()
    assert all(np.isfinite(found[name]).all() for name in NAMES - {"extrinsic", "pose_enc"})


def test_showing_again_needs_the_file_alone(scene, tmp_path):
    npz.write(scene, tmp_path / "p.npz")
    again = npz.read(tmp_path / "p.npz")
    for mode in Mode:
        filters = Filters(mode=mode, confidence_percentile=30.0, view=1)
        equal(shown(again, filters).points, shown(scene, filters).points)


@pytest.mark.parametrize("batch", [(), (1,)])
def test_files_of_the_demonstrations_are_read(tmp_path, batch):
    random = np.random.default_rng(0)
    poses = np.tile(np.eye(3, 4, dtype=np.float32), (2, 1, 1))
    matrices = np.tile(np.array([[30, 0, 16], [0, 30, 12], [0, 0, 1]], np.float32), (2, 1, 1))
    arrays = {
        "extrinsic": poses, "intrinsic": matrices, "depth": random.uniform(1, 2, (2, 24, 32, 1)).astype(np.float32),
        "depth_conf": random.uniform(1, 2, (2, 24, 32)).astype(np.float32),
        "images": random.random((2, 3, 24, 32)).astype(np.float32),
    }  # fmt: skip
    np.savez(tmp_path / "p.npz", **{name: array.reshape(*batch, *array.shape) for name, array in arrays.items()})
    found = npz.read(tmp_path / "p.npz")
    assert found.views.names == ("000000.png", "000001.png")
    assert found.views.is_registered.all()
    for k, maps in enumerate(found.maps):
        assert np.array_equal(maps.depth, arrays["depth"][k, ..., 0])
        assert np.array_equal(maps.lens.px_from_cam, matrices[k])
        assert np.array_equal(maps.rgb, np.rint(arrays["images"][k].transpose(1, 2, 0) * 255))
        assert maps.xyz_scene is None


def test_cameras_alone_of_others_are_read(tmp_path):
    matrix = np.array([[[30, 0, 16], [0, 30, 12], [0, 0, 1]]], np.float32)
    np.savez(tmp_path / "p.npz", extrinsic=np.eye(3, 4, dtype=np.float32)[None], intrinsic=matrix)
    found = npz.read(tmp_path / "p.npz")
    assert (found.lenses[0].width, found.lenses[0].height, found.maps) == (32, 24, ())


def test_the_same_scene_gives_the_same_bytes(scene, tmp_path):
    for name in ("a.npz", "b.npz"):
        npz.write(scene, tmp_path / name, compress=True)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_nothing_is_left_where_writing_fails(scene, tmp_path):
    with pytest.raises(FormatError, match="not to be said in JSON"):
        npz.write(replace(scene, made_by=MadeBy("e", "1", settings={"x": object()})), tmp_path / "p.npz")

    def halfway():
        with Writing(tmp_path / "p.npz", compress=False) as archive:
            archive.put("a", np.zeros(3))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        halfway()
    assert not list(tmp_path.iterdir())


def refused(path):
    with pytest.raises(FormatError) as error:
        npz.read(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_files_that_are_no_npz_are_refused(tmp_path):
    path = tmp_path / "p.npz"
    path.write_bytes(b"hello")
    assert "not an NPZ file" in refused(path)
    np.savez(path, depth=np.zeros(3))
    assert "extrinsic: not in the file; it has depth" in refused(path)
    np.savez(path, extrinsic=np.zeros((2, 4, 4)), intrinsic=np.zeros((2, 3, 3)))
    assert "extrinsic is float64 (2, 4, 4), expected floats S x 3 x 4" in refused(path)
    np.savez(path, extrinsic=np.zeros((2, 3, 4)), intrinsic=np.zeros((3, 3, 3)))
    assert "extrinsic is of 2 views, intrinsic of 3" in refused(path)
    np.savez(path, extrinsic=np.zeros((2, 3, 4)), intrinsic=np.zeros((2, 3, 3)), depth=np.zeros((3, 4, 5, 1)))
    assert "depth is of (3, 4, 5) views, rows and columns, others of (2, 4, 5)" in refused(path)


def test_python_objects_are_never_made(tmp_path):
    path = tmp_path / "p.npz"
    np.savez(path, extrinsic=np.array([{"a": 1}], object), intrinsic=np.zeros((1, 3, 3)))
    assert "extrinsic: holds Python objects" in refused(path)


def test_sizes_that_the_file_does_not_hold_are_refused_before_memory_is_taken(tmp_path):
    path = tmp_path / "p.npz"
    np.savez(path, extrinsic=np.zeros((1, 3, 4)), intrinsic=np.zeros((1, 3, 3)))
    with zipfile.ZipFile(path) as found:
        data = found.read("extrinsic.npy")
    with zipfile.ZipFile(path, "w") as changed:
        changed.writestr("extrinsic.npy", data.replace(b"(1, 3, 4), }" + b" " * 20, b"(1" + b"0" * 20 + b", 3, 4), }"))
        changed.writestr("intrinsic.npy", data)
    assert "is more than its" in refused(path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_files_that_are_cut_off_are_refused(scene, tmp_path, share):
    path = tmp_path / "p.npz"
    npz.write(scene, path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    refused(path)


def test_files_with_changed_bytes_are_refused_or_read_but_never_worse(scene, tmp_path):
    path = tmp_path / "p.npz"
    npz.write(scene, path, compress=True)
    whole, random = path.read_bytes(), np.random.default_rng(0)
    refusals = []
    for _ in range(150):
        changed = bytearray(whole)
        for place in random.integers(0, len(whole), 3):
            changed[place] = random.integers(256)
        path.write_bytes(changed)
        try:
            npz.read(path)
        except FormatError as error:
            refusals.append(str(error))
    assert len(refusals) > 50
    assert all(refusal.startswith(f"{path}: ") for refusal in refusals)
