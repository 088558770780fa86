"""PLY files: round trips, other programs' files, and damaged ones."""

from dataclasses import replace

import numpy as np
import pycolmap
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sightline.errors import FormatError
from sightline.formats.scenes import ply
from sightline.model.scene import DensePoints, MadeBy

BINARY = {"little": "<", "big": ">"}


def same(a, b):
    for name in DensePoints.__slots__:
        one, other = getattr(a, name), getattr(b, name)
        assert (one is None) == (other is None), name
        if one is not None:
            assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f"), name


@st.composite
def clouds(draw):
    n = draw(st.integers(0, 20))
    floats = st.floats(width=32)
    xyz = draw(hnp.arrays(np.float32, (n, 3), elements=floats))
    rgb = draw(hnp.arrays(np.uint8, (n, 3)))
    normal = draw(st.none() | hnp.arrays(np.float32, (n, 3), elements=st.sampled_from([0.6, -0.8, 1.0])))
    confidence = draw(st.none() | hnp.arrays(np.float32, n, elements=floats))
    view = draw(st.none() | hnp.arrays(np.int64, n, elements=st.integers(0, 2**24)))
    return DensePoints(xyz, rgb, normal if n else None, confidence, view)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=clouds())
def test_what_is_written_comes_back(scene, tmp_path, points):
    ply.write(scene, points, tmp_path / "p.ply")
    same(ply.read(tmp_path / "p.ply"), points)


def test_unknown_normals_come_back_unknown(scene, tmp_path):
    normal = scene.dense.normal_scene.copy()
    normal[7] = np.nan
    points = replace(scene.dense, normal_scene=normal)
    ply.write(scene, points, tmp_path / "p.ply")
    same(ply.read(tmp_path / "p.ply"), points)


def test_other_readers_see_the_same(scene, tmp_path):
    ply.write(scene, scene.dense, tmp_path / "p.ply")
    found = trimesh.load(tmp_path / "p.ply")
    assert np.array_equal(found.vertices, scene.dense.xyz_scene)
    assert np.array_equal(found.colors[:, :3], scene.dense.rgb)
    model = pycolmap.Reconstruction()
    model.import_PLY(tmp_path / "p.ply")
    points = sorted(model.points3D.items())
    assert np.array_equal([point.xyz for _, point in points], scene.dense.xyz_scene)
    assert np.array_equal([point.color for _, point in points], scene.dense.rgb)


def test_the_first_properties_are_what_splatting_trainers_start_from(scene, tmp_path):
    ply.write(scene, DensePoints.none(), tmp_path / "p.ply")
    lines = (tmp_path / "p.ply").read_text().splitlines()
    assert [line.split()[1:] for line in lines if line.startswith("property")] == [
        *(["float", name] for name in ("x", "y", "z", "nx", "ny", "nz")),
        *(["uchar", name] for name in ("red", "green", "blue")),
    ]
    assert '"weights_licence":"CC0"' in lines[2]


@pytest.mark.parametrize("order", ["ascii", *BINARY])
def test_files_of_others_are_read_whatever_their_order_and_types(tmp_path, order):
    kind = np.dtype([("w", "i2"), ("z", "f8"), ("r", "f4"), ("g", "f4"), ("b", "f4"), ("y", "f8"), ("x", "f8")])
    rows = np.array([(7, 3.5, 1.0, 0.5, 0.0, 2.5, 1.5), (8, -3.0, 2.0, -1.0, 0.2, -2.0, -1.0)], kind)
    names = {"i2": "short", "f8": "double", "f4": "float32"}
    lines = ["ply", f"format {'ascii' if order == 'ascii' else f'binary_{order}_endian'} 1.0", "comment hello",
             "obj_info x", "element stray 1", "property uchar q", "element vertex 2"]  # fmt: skip
    lines += [f"property {names[kind[name].str[1:]]} {name}" for name in kind.names]
    lines += ["element face 1", "property list uchar int vertex_indices", "end_header\n"]
    if order == "ascii":
        body = "9\n" + "\n".join(" ".join(map(str, row)) for row in rows.tolist()) + "\n3 0 1 0\n"
        data = body.encode()
    else:
        data = b"\x09" + rows.astype(kind.newbyteorder(BINARY[order])).tobytes() + b"\x03" + bytes(12)
    (tmp_path / "p.ply").write_bytes("\r\n".join(lines).encode().replace(b"\r\n", b"\n") + data)
    found = ply.read(tmp_path / "p.ply")
    assert found.xyz_scene.tolist() == [[1.5, 2.5, 3.5], [-1.0, -2.0, -3.0]]
    assert found.rgb.tolist() == [[255, 128, 0], [255, 0, 51]]
    assert found.normal_scene is None


HEAD = "ply\nformat {} 1.0\nelement vertex {}\nproperty float x\nproperty float y\nproperty float z\nend_header\n"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "not PLY"),
        (b"PK\x03\x04", "not PLY"),
        (b"ply\nformat ascii 1.0\n", "no line 'end_header'"),
        (b"ply\nend_header\n", "header line 2: 'end_header', expected"),
        (b"ply\nformat cuneiform 1.0\n", "header line 2: 'format cuneiform 1.0', expected"),
        (b"ply\nformat ascii 1.0\nelement vertex -1\n", "header line 3"),
        (b"ply\nformat ascii 1.0\nproperty float x\n", "header line 3"),
        (b"ply\nformat ascii 1.0\nelement vertex 1\nproperty quark x\n", "a type such as float"),
        (b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float x\n", "'x' already"),
        (b"ply\nformat ascii 1.0\nend_header\n", "no element 'vertex'; it holds nothing"),
        (b"ply\nformat ascii 1.0\nelement vertex 5\nend_header\n", "element 'vertex' has no properties"),
        (
            b"ply\nformat ascii 1.0\nelement face 999999999999999\nproperty list uchar int i\nend_header\n3 0 1 2\n",
            "no element 'vertex'; it holds face",
        ),
        (b"ply\nformat ascii 1.0\nelement vertex 0\nproperty float x\nend_header\n", "no property y, z"),
        (HEAD.format("binary_little_endian", 10**15).encode(), "cut off: the header says 1,000,000,000,000,000 rows"),
        (HEAD.format("binary_little_endian", 2).encode() + bytes(23), "cut off"),
        (HEAD.format("ascii", 2).encode() + b"1 2 3\n", "1 lines of 3, expected 2 lines of 3 numbers"),
        (HEAD.format("ascii", 1).encode() + b"1 2\n", "1 lines of 2, expected 1 lines of 3 numbers"),
        (HEAD.format("ascii", 1).encode() + b"1 2 north\n", "element 'vertex': could not convert"),
        (HEAD.format("ascii", 1).encode() + b"", "element 'vertex': the file ends"),
    ],
)
def test_damaged_files_are_refused_by_name_with_what_is_wrong(tmp_path, data, what):
    path = tmp_path / "odd.ply"
    path.write_bytes(data)
    with pytest.raises(FormatError) as refused:
        ply.read(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert what in str(refused.value)
    assert "\n" not in str(refused.value)


def test_nothing_is_left_where_writing_fails(scene, tmp_path):
    odd = replace(scene, made_by=MadeBy("e", "1", settings={"x": object()}))
    with pytest.raises(FormatError, match="not to be said in JSON"):
        ply.write(odd, scene.dense, tmp_path / "p.ply")
    assert not list(tmp_path.iterdir())
