"""NPZ with the names, shapes and conventions of VGGT's ``predictions.npz``; what they have no room for stands beside.

| name | shape | |
|---|---|---|
| extrinsic | S 3 4 | scene to camera; x right, y down, z forward |
| intrinsic | S 3 3 | of the maps' pixels |
| pose_enc | S 9 | shift, quaternion x y z w, angles of view down and across in radians |
| images | S 3 H W | 0 to 1 |
| depth, depth_conf | S H W 1, S H W | depth 0 where it is not known, with confidence 0 |
| world_points, world_points_conf | S H W 3, S H W | from engines that have them |
| world_points_from_depth | S H W 3 | depth seen through its camera |

All float32. Names that begin with ``sightline`` hold the rest of the scene, exactly.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, UInt8
from scipy.spatial.transform import Rotation

from sightline.errors import FormatError
from sightline.formats.scenes.about import about, json_text, made_by
from sightline.formats.scenes.archive import Reading, Writing
from sightline.geometry import lens as lenses
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import DensePoints, MadeBy, Maps, Mesh, Scale, Scene, SparsePoints, Views

OURS = "sightline"
"""Holds what made the scene, names and lenses as JSON, in bytes; other arrays of ours begin with it."""
VERSION = 1
_PARTS: dict[str, type[SparsePoints] | type[DensePoints] | type[Mesh]] = {
    "sparse": SparsePoints,
    "dense": DensePoints,
    "mesh": Mesh,
}


def write(scene: Scene, path: Path, *, compress: bool = False) -> None:
    """Puts the scene into the file, one view's maps at a time.

    Smaller maps are filled up at the right and below: white, depth and confidence 0. Views without a place have NaN
    for it. Compressed files are smaller by a third to a half, and take ten times as long.

    Raises:
        FormatError: settings that JSON cannot say.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    said = json_text(path, _said(scene)).encode()
    matrices = np.array([lens.px_from_cam for lens in _map_lenses(scene)]).reshape(-1, 3, 3)
    with Writing(path, compress=compress) as archive:
        archive.put("extrinsic", scene.views.cam_from_scene[:, :3].astype(np.float32))
        archive.put("intrinsic", matrices.astype(np.float32))
        archive.put("pose_enc", _encoded(scene).astype(np.float32))
        for name, layer in _LAYERS.items():
            _put_layer(archive, scene, name, layer)
        archive.put(OURS, np.frombuffer(said, np.uint8))
        archive.put(f"{OURS}_cam_from_scene", scene.views.cam_from_scene)
        for part, kind in _PARTS.items():
            columns = getattr(scene, part)
            for name in kind.__slots__ if columns is not None else ():
                if (array := getattr(columns, name)) is not None:
                    archive.put(f"{OURS}_{part}_{name}", array)


def _said(scene: Scene) -> dict[str, Any]:
    """What JSON says of the scene."""
    return {
        "format": VERSION,
        **about(scene),
        "names": scene.views.names,
        "lens": scene.views.lens.tolist(),
        "registered": scene.views.is_registered.tolist(),
        "lenses": [_lens_said(lens) for lens in scene.lenses],
        "maps": [maps and {"lens": _lens_said(maps.lens), "has": _present(maps)} for maps in scene.maps],
    }


def _lens_said(lens: Lens) -> list[Any]:
    return [lens.model.value, lens.width, lens.height, lens.params.tolist()]


def _present(maps: Maps) -> list[str]:
    """Which maps there are."""
    return [name for name in Maps.__slots__ if name != "lens" and getattr(maps, name) is not None]


def _map_lenses(scene: Scene) -> list[Lens]:
    """Of each view's maps; the view's own where it has none."""
    maps = scene.maps or (None,) * len(scene.views)
    own = [scene.lenses[k] for k in scene.views.lens]
    return [lens if m is None else m.lens for m, lens in zip(maps, own, strict=True)]


def _encoded(scene: Scene) -> Float[np.ndarray, "k 9"]:
    """Places and angles of view as the network says them."""
    rows = np.full((len(scene.views), 9), np.nan)
    placed = scene.views.is_registered
    poses = scene.views.cam_from_scene[placed]
    if len(poses):
        rows[placed, :3] = poses[:, :3, 3]
        rows[placed, 3:7] = Rotation.from_matrix(poses[:, :3, :3]).as_quat(canonical=True)
    for row, lens in zip(rows, _map_lenses(scene), strict=True):
        fx, fy = lens.focal_px
        row[7:] = 2 * np.arctan(lens.height / 2 / fy), 2 * np.arctan(lens.width / 2 / fx)
    return rows


@dataclass(frozen=True, slots=True)
class _Layer:
    """One of the file's arrays that have a value for each pixel."""

    of: str
    """Which of the maps it is there for."""
    filled: float
    """Where a view has no such map, and beside smaller ones."""
    channels: tuple[int, ...]
    """Shape of one pixel."""
    value: Callable[[Maps, Float[np.ndarray, "4 4"]], np.ndarray]
    """Of all pixels, height and width first."""
    is_planar: bool = False
    """Whether channels come before height and width."""


def _known(maps: Maps) -> np.ndarray:
    """Which pixels have a depth."""
    depth = maps.depth
    return np.zeros((1, 1), bool) if depth is None else np.isfinite(depth) & (depth > 0)


def _depth(maps: Maps) -> np.ndarray:
    """Depth, 0 where there is none."""
    return np.where(_known(maps), 0 if maps.depth is None else maps.depth, np.float32(0))


def _sure(confidence: np.ndarray | None, known: np.ndarray) -> np.ndarray:
    """Confidence where something is known: as given, else 1."""
    return np.where(known, np.float32(1) if confidence is None else confidence, np.float32(0))


def _unprojected(maps: Maps, cam_from_scene: Float[np.ndarray, "4 4"]) -> Float32[np.ndarray, "h w 3"]:
    xyz = np.where(_known(maps)[..., None], lenses.points(maps, cam_from_scene), np.float32(0))
    return np.nan_to_num(xyz, copy=False)


_LAYERS = {
    "images": _Layer("rgb", 1.0, (3,), lambda m, _: _rgb(m).astype(np.float32) / np.float32(255), is_planar=True),
    "depth": _Layer("depth", 0.0, (1,), lambda m, _: _depth(m)[..., None]),
    "depth_conf": _Layer("depth", 0.0, (), lambda m, _: _sure(m.depth_confidence, _known(m))),
    "world_points": _Layer("xyz_scene", 0.0, (3,), lambda m, _: np.nan_to_num(_xyz(m))),
    "world_points_conf": _Layer(
        "xyz_scene", 0.0, (), lambda m, _: _sure(m.xyz_confidence, np.isfinite(_xyz(m)).all(axis=-1))
    ),
    "world_points_from_depth": _Layer("depth", 0.0, (3,), _unprojected),
}


def _rgb(maps: Maps) -> UInt8[np.ndarray, "h w 3"]:
    return np.zeros((0, 0, 3), np.uint8) if maps.rgb is None else maps.rgb


def _xyz(maps: Maps) -> Float32[np.ndarray, "h w 3"]:
    return np.zeros((0, 0, 3), np.float32) if maps.xyz_scene is None else maps.xyz_scene


def _put_layer(archive: Writing, scene: Scene, name: str, layer: _Layer) -> None:
    """Writes one array, view by view; not at all where no view has it."""
    there = [maps is not None and getattr(maps, layer.of) is not None for maps in scene.maps]
    if not any(there):
        return
    sizes = [(maps.lens.height, maps.lens.width) for maps in scene.maps if maps is not None]
    height, width = max(size[0] for size in sizes), max(size[1] for size in sizes)
    one = (*layer.channels, height, width) if layer.is_planar else (height, width, *layer.channels)

    def pieces() -> Iterator[np.ndarray]:
        for maps, is_there, pose in zip(scene.maps, there, scene.views.cam_from_scene, strict=True):
            full = np.full((height, width, *layer.channels), layer.filled, np.float32)
            if is_there and maps is not None:
                full[: maps.lens.height, : maps.lens.width] = layer.value(maps, pose)
            yield np.moveaxis(full, -1, 0) if layer.is_planar else full

    archive.put_pieces(name, (len(scene.maps), *one), np.float32, pieces())


def read(path: Path) -> Scene:
    """The scene in the file, also of files that VGGT's demonstrations wrote, with a batch of one or without.

    Those do not say names (000000.png and on are made up) or what made them.

    Raises:
        FormatError: names the file, the array and what was expected of it.
        OSError: the file cannot be read.
    """
    with Reading(path) as archive:
        extrinsic = _shaped(path, archive, "extrinsic", (3, 4))
        intrinsic = _shaped(path, archive, "intrinsic", (3, 3))
        if len(extrinsic) != len(intrinsic):
            raise FormatError(f"{path}: extrinsic is of {len(extrinsic)} views, intrinsic of {len(intrinsic)}")
        if OURS not in archive.names:
            return _of_others(path, archive, extrinsic, intrinsic)
        try:
            return _ours(path, archive)
        except FormatError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise FormatError(f"{path}: {OURS}: damaged ({str(error).splitlines()[0]})") from None


def _shaped(path: Path, archive: Reading, name: str, one: tuple[int | None, ...]) -> np.ndarray:
    """An array of numbers with a row per view; each of shape ``one``, None for any."""
    array = archive.get(name)
    if array.ndim == len(one) + 2 and len(array) == 1:
        array = array[0]
    fits = array.ndim == len(one) + 1 and all(o in {None, n} for o, n in zip(one, array.shape[1:], strict=True))
    if not fits or array.dtype.kind != "f":
        wanted = " x ".join(["S", *("any" if o is None else str(o) for o in one)])
        raise FormatError(f"{path}: {name} is {array.dtype} {array.shape}, expected floats {wanted}")
    return array


def _of_others(path: Path, archive: Reading, extrinsic: np.ndarray, intrinsic: np.ndarray) -> Scene:
    """A scene of what the demonstrations write."""
    n = len(extrinsic)
    layers = _layers(path, archive, n)
    height, width = next(iter(layers.values())).shape[1:3] if layers else (1, 1)
    # Without maps there is no size; the networks' principal point is the middle.
    sizes = [(width, height) if layers else (round(2 * k[0][2]), round(2 * k[1][2])) for k in intrinsic.tolist()]
    own = tuple(Lens.pinhole(w, h, k.astype(np.float64)) for (w, h), k in zip(sizes, intrinsic, strict=True))
    poses = np.tile(np.eye(4), (n, 1, 1))
    poses[:, :3] = extrinsic
    placed = np.isfinite(extrinsic).all(axis=(1, 2))
    views = Views(tuple(f"{k:06d}.png" for k in range(n)), np.arange(n), poses, placed)
    maps = tuple(_maps(own[k], {name: layer[k] for name, layer in layers.items()}) for k in range(n)) if layers else ()
    return Scene(own, views, MadeBy("", ""), maps, scale=Scale.UNKNOWN)


_READ = {
    "images": ("rgb", (3, None, None)),
    "depth": ("depth", (None, None, 1)),
    "depth_conf": ("depth_confidence", (None, None)),
    "world_points": ("xyz_scene", (None, None, 3)),
    "world_points_conf": ("xyz_confidence", (None, None)),
}
"""Array names to those of maps, and the shape of one view."""


def _layers(path: Path, archive: Reading, n: int) -> dict[str, np.ndarray]:
    """Maps of all views, by their names in ``Maps``, view, height and width first."""
    found: dict[str, np.ndarray] = {}
    for name, (called, one) in _READ.items():
        if name not in archive.names:
            continue
        array = _shaped(path, archive, name, one)
        if called == "rgb":
            array = np.stack([_bytes(picture) for picture in array]) if len(array) else array.transpose(0, 2, 3, 1)
        array = array[..., 0] if called == "depth" else array
        array = array if called == "rgb" else array.astype(np.float32, copy=False)
        size = next(iter(found.values())).shape[:3] if found else (n, *array.shape[1:3])
        if array.shape[:3] != size:
            raise FormatError(f"{path}: {name} is of {array.shape[:3]} views, rows and columns, others of {size}")
        found[called] = array
    return found


def _bytes(picture: Float[np.ndarray, "3 h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """0 to 1 as 0 to 255."""
    levels = np.rint(np.clip(np.nan_to_num(picture), 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(1, 2, 0))


def _maps(lens: Lens, layers: dict[str, np.ndarray], has: list[str] | None = None) -> Maps:
    """One view's maps, cut to its size."""
    cut = {
        name: layer[: lens.height, : lens.width] for name, layer in layers.items() if has is None or name in has
    }  # fmt: skip
    return Maps(lens, **cut)


def _ours(path: Path, archive: Reading) -> Scene:
    """A scene of what is written here."""
    said = json.loads(archive.get(OURS).tobytes())
    if said["format"] > VERSION:
        raise FormatError(f"{path}: written by a later version of sightline; update it")
    engine, scale = made_by(said)
    names = tuple(map(str, said["names"]))
    layers = _layers(path, archive, len(names)) if said["maps"] else {}
    maps = tuple(
        m and _maps(_lens(m["lens"]), {name: layer[k] for name, layer in layers.items()}, m["has"])
        for k, m in enumerate(said["maps"])
    )
    poses = archive.get(f"{OURS}_cam_from_scene")
    views = Views(names, np.array(said["lens"], np.int64), poses, np.array(said["registered"], bool))
    if not len(names) == len(views.lens) == len(poses) == len(views.is_registered):
        raise FormatError(f"{path}: {OURS}: {len(names)} names, {len(poses)} places")
    parts = {part: _part(archive, part) for part in _PARTS}
    own = tuple(_lens(lens) for lens in said["lenses"])
    return Scene(own, views, engine, maps, scale=scale, **{part: one for part, one in parts.items() if one})


def _lens(said: list[Any]) -> Lens:
    model, width, height, params = said
    return Lens(LensModel(model), width, height, np.array(params, np.float64))


def _part(archive: Reading, part: str) -> Any:
    """Points or a surface; None where there are none."""
    start = f"{OURS}_{part}_"
    columns = {name: archive.get(start + name) for name in _PARTS[part].__slots__ if start + name in archive.names}
    return _PARTS[part](**columns) if columns else None
