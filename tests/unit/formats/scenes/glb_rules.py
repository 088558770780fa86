"""The rules of glTF 2.0 that can be checked without a network, checked strictly."""

import json
import struct

import numpy as np

WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
TYPES = {5121: np.dtype("u1"), 5123: np.dtype("<u2"), 5125: np.dtype("<u4"), 5126: np.dtype("<f4")}
ALLOWED = {
    "POSITION": {("VEC3", 5126, False)},
    "NORMAL": {("VEC3", 5126, False)},
    "COLOR_0": {("VEC4", 5121, True), ("VEC4", 5123, True), ("VEC3", 5126, False)},
}


def chunks(data):
    """The document and the binary chunk; the container's own rules are checked."""
    magic, version, total = struct.unpack_from("<4sII", data)
    assert (magic, version, total) == (b"glTF", 2, len(data))
    length, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON"
    assert length % 4 == 0
    text = data[20 : 20 + length]
    assert text.lstrip(b" ").startswith(b"{")
    after = 20 + length
    n_binary, kind = struct.unpack_from("<I4s", data, after)
    assert kind == b"BIN\0"
    assert n_binary % 4 == 0
    assert after + 8 + n_binary == len(data)
    return json.loads(text, parse_constant=lambda name: 1 / 0), data[after + 8 :]


def column(document, binary, index):
    """The numbers of an accessor; its rules are checked."""
    accessor = document["accessors"][index]
    view = document["bufferViews"][accessor["bufferView"]]
    kind, width = TYPES[accessor["componentType"]], WIDTHS[accessor["type"]]
    assert accessor["count"] >= 1
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    assert start % kind.itemsize == 0
    stride = view.get("byteStride", width * kind.itemsize)
    assert stride >= width * kind.itemsize
    if view["target"] == 34962:
        assert stride % 4 == 0
        assert start % 4 == 0
    n_bytes = accessor["count"] * stride
    assert accessor.get("byteOffset", 0) + n_bytes <= view["byteLength"]
    values = np.frombuffer(binary[start : start + n_bytes], kind).reshape(accessor["count"], width)
    if kind.kind == "f":
        assert np.isfinite(values).all()
    if "min" in accessor:
        assert np.array_equal(np.array(accessor["min"], kind), values.min(axis=0))
        assert np.array_equal(np.array(accessor["max"], kind), values.max(axis=0))
    return values


def check(data):
    """Everything; gives the document and its columns by accessor."""
    document, binary = chunks(data)
    assert document["asset"]["version"] == "2.0"
    (buffer,) = document["buffers"]
    assert "uri" not in buffer
    assert len(binary) - 3 <= buffer["byteLength"] <= len(binary)
    for view in document["bufferViews"]:
        assert view["buffer"] == 0
        assert view["byteLength"] >= 1
        assert view["target"] in {34962, 34963}
        assert view.get("byteOffset", 0) + view["byteLength"] <= buffer["byteLength"]
        assert view["target"] == 34962 or "byteStride" not in view
    columns = [column(document, binary, k) for k in range(len(document["accessors"]))]
    used = set()
    for mesh in document["meshes"]:
        for primitive in mesh["primitives"]:
            used |= check_primitive(document, columns, primitive)
    assert used == set(range(len(columns)))
    check_nodes(document)
    for material in document["materials"]:
        metal = material["pbrMetallicRoughness"]
        assert len(metal["baseColorFactor"]) == 4
        assert all(0 <= value <= 1 for value in metal["baseColorFactor"])
        assert set(material.get("extensions", {})) <= set(document.get("extensionsUsed", []))
    for camera in document.get("cameras", []):
        lens = camera["perspective"]
        assert camera["type"] == "perspective"
        assert 0 < lens["yfov"] < np.pi
        assert lens["aspectRatio"] > 0
        assert lens["znear"] > 0
    return document, columns


def check_primitive(document, columns, primitive):
    """Attributes and indices of one primitive; gives the accessors that it uses."""
    attributes = primitive["attributes"]
    assert "POSITION" in attributes
    assert {"min", "max"} <= set(document["accessors"][attributes["POSITION"]])
    counts = set()
    for name, index in attributes.items():
        accessor = document["accessors"][index]
        shape = accessor["type"], accessor["componentType"], accessor.get("normalized", False)
        assert name.startswith("_") or shape in ALLOWED[name]
        assert document["bufferViews"][accessor["bufferView"]]["target"] == 34962
        counts.add(accessor["count"])
    assert len(counts) == 1
    assert 0 <= primitive["material"] < len(document["materials"])
    used = set(attributes.values())
    if "NORMAL" in attributes:
        assert np.abs(np.linalg.norm(columns[attributes["NORMAL"]], axis=1) - 1).max() < 0.005
    if "indices" in primitive:
        accessor = document["accessors"][primitive["indices"]]
        assert accessor["type"] == "SCALAR"
        assert accessor["componentType"] in {5121, 5123, 5125}
        assert "normalized" not in accessor
        assert document["bufferViews"][accessor["bufferView"]]["target"] == 34963
        indices = columns[primitive["indices"]]
        assert indices.max() < counts.pop()
        assert primitive["mode"] != 4 or len(indices) % 3 == 0
        used.add(primitive["indices"])
    return used


def check_nodes(document):
    """A forest: every node has one parent at most, matrices are rotations with a shift, roots are the scene's."""
    children = [child for node in document["nodes"] for child in node.get("children", [])]
    assert len(children) == len({*children})
    roots = set(range(len(document["nodes"]))) - {*children}
    assert set(document["scenes"][document["scene"]]["nodes"]) == roots
    assert all(node.get("children", [0]) for node in document["nodes"])
    for node in document["nodes"]:
        if "matrix" in node:
            matrix = np.array(node["matrix"]).reshape(4, 4).T
            assert np.allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-6)
            assert np.linalg.det(matrix[:3, :3]) > 0
            assert np.array_equal(matrix[3], [0, 0, 0, 1])
            assert not {"translation", "rotation", "scale"} & set(node)
    for key in ("mesh", "camera"):
        for node in document["nodes"]:
            assert node.get(key, 0) < len(document.get(f"{key}s" if key == "camera" else "meshes", [0]))
