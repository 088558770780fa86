"""nerfstudio's ``transforms.json``: cameras in OpenGL's convention, in a world whose z points up, and a cloud beside.

Source: nerfstudio's documentation, "Data conventions".
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from sightline.errors import FormatError
from sightline.formats.scenes import ply
from sightline.formats.scenes.about import about, json_text, made_by
from sightline.formats.scenes.folder import safe, staged
from sightline.geometry.rigid import inverse, moved
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import DensePoints, MadeBy, Scale, Scene, Views

TRANSFORMS, CLOUD = "transforms.json", "sparse_pc.ply"
"""Names of the two files."""
UP_FROM_SCENE = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""The scene's -y, which is up for a level first camera, becomes z, as nerfstudio's own COLMAP import does."""
_FLIP = np.diag([1.0, -1.0, -1.0, 1.0])
"""Between our cameras and OpenGL's, which look along -z with y up."""
_BENT = {
    LensModel.SIMPLE_PINHOLE: (), LensModel.PINHOLE: (), LensModel.SIMPLE_RADIAL: ("k1",),
    LensModel.RADIAL: ("k1", "k2"), LensModel.OPENCV: ("k1", "k2", "p1", "p2"),
    LensModel.SIMPLE_RADIAL_FISHEYE: ("k1",), LensModel.RADIAL_FISHEYE: ("k1", "k2"),
    LensModel.OPENCV_FISHEYE: ("k1", "k2", "k3", "k4"),
}  # fmt: skip
"""What nerfstudio calls the numbers of distortion."""
_READ = {
    "SIMPLE_PINHOLE": LensModel.OPENCV, "PINHOLE": LensModel.OPENCV, "SIMPLE_RADIAL": LensModel.OPENCV,
    "RADIAL": LensModel.OPENCV, "OPENCV": LensModel.OPENCV, "OPENCV_FISHEYE": LensModel.OPENCV_FISHEYE,
}  # fmt: skip


def write(scene: Scene, folder: Path, *, images: str = "images") -> None:
    """Puts ``transforms.json`` and the cloud into the folder; pictures are said to be in its ``images``.

    Views without a place are left out. Every frame has its own intrinsics, with the pixel's centre at 0.5.
    The cloud is the sparse points, or the dense ones where there are none.

    Raises:
        FormatError: lenses that the format has no words for, fisheyes beside others, or an unsafe picture's name.
        OSError: the files cannot be written; the folder is as it was then.
    """
    views = np.flatnonzero(scene.views.is_registered).tolist()
    used = [scene.lenses[k] for k in scene.views.lens[views]]
    kinds = {lens.model.is_fisheye for lens in used}
    strange = {lens.model.value for lens in used} - {*_BENT}
    if strange or len(kinds) > 1:
        why = f"no words for {', '.join(sorted(strange))}" if strange else "no room for fisheyes beside other lenses"
        raise FormatError(f"{folder / TRANSFORMS}: {why}; write straightened pictures instead")
    with staged(folder) as partial:
        cloud = _cloud(scene)
        ply.write(scene, replace(cloud, xyz_scene=_turned(cloud.xyz_scene, UP_FROM_SCENE)), partial / CLOUD)
        document = {
            "camera_model": "OPENCV_FISHEYE" if True in kinds else "OPENCV",
            "applied_transform": UP_FROM_SCENE[:3].tolist(),
            "ply_file_path": CLOUD,
            "sightline": about(scene),
            "frames": [_frame(scene, view, images) for view in views],
        }
        text = json_text(folder / TRANSFORMS, document, indent=1)
        (partial / TRANSFORMS).write_text(text + "\n", encoding="utf-8")


def _cloud(scene: Scene) -> DensePoints:
    """The points to start from."""
    if not len(scene.sparse):
        return replace(scene.dense, normal_scene=None, confidence=None, view=None)
    return DensePoints(scene.sparse.xyz_scene.astype(np.float32), scene.sparse.rgb)


def _turned(xyz: Float[np.ndarray, "n 3"], by: Float[np.ndarray, "4 4"]) -> Float[np.ndarray, "n 3"]:
    return np.asarray(moved(by, xyz), np.float32)


def _frame(scene: Scene, view: int, images: str) -> dict[str, Any]:
    """One picture: where it is, through what lens and from where it was taken."""
    lens = scene.lenses[scene.views.lens[view]]
    (fx, fy), (cx, cy) = lens.focal_px, lens.centre_px
    scene_from_cam = inverse(scene.views.cam_from_scene[view])
    return {
        "file_path": f"{images}/{safe(scene.views.names[view], 'views')}",
        "transform_matrix": (UP_FROM_SCENE @ scene_from_cam @ _FLIP).tolist(),
        "w": lens.width,
        "h": lens.height,
        "fl_x": fx,
        "fl_y": fy,
        "cx": cx,
        "cy": cy,
        **dict(zip(_BENT[lens.model], lens.distortion.tolist(), strict=True)),
    }


def read(path: Path) -> Scene:
    """The scene in the file, or in the folder's ``transforms.json``; the cloud beside it as dense points.

    Lenses come back as ``PINHOLE``, ``OPENCV`` or ``OPENCV_FISHEYE``; picture names without their first folder.

    Raises:
        FormatError: names the file, the frame and the key, and what was expected there.
        OSError: a file cannot be read.
    """
    path = path / TRANSFORMS if path.is_dir() else path
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not JSON ({error})") from None
    if not isinstance(document, dict) or not isinstance(document.get("frames"), list):
        raise FormatError(f"{path}: no list 'frames'")
    applied = np.eye(4)
    if "applied_transform" in document:
        applied[:3] = _matrix(f"{path}: applied_transform", document["applied_transform"], 3)
        if np.abs(applied[:3, :3] @ applied[:3, :3].T - np.eye(3)).max() > 1e-3:
            raise FormatError(f"{path}: applied_transform is no rotation and shift")
    lenses: dict[tuple[Any, ...], Lens] = {}
    numbers, names, poses = [], [], []
    for k, frame in enumerate(document["frames"]):
        where = f"{path}: frames[{k}]"
        if not isinstance(frame, dict) or not isinstance(frame.get("file_path"), str):
            raise FormatError(f"{where}: no text 'file_path'")
        lens = _lens(where, {**document, **frame})
        key = lens.model, lens.width, lens.height, *lens.params.tolist()
        lenses.setdefault(key, lens)
        numbers.append([*lenses].index(key))
        names.append(frame["file_path"].removeprefix("./").removeprefix("images/"))
        poses.append(_pose(where, frame, applied))
    views = Views(
        tuple(names),
        np.array(numbers, np.int64),
        np.array(poses, np.float64).reshape(-1, 4, 4),
        np.ones(len(names), bool),
    )
    engine, scale = _made_by(path, document)
    return Scene(tuple(lenses.values()), views, engine, dense=_points(path, document, applied), scale=scale)


def _made_by(path: Path, document: Mapping[str, Any]) -> tuple[MadeBy, Scale]:
    """What made it, if the file says."""
    try:
        return made_by(document.get("sightline", {}))
    except (ValueError, TypeError, AttributeError) as error:
        raise FormatError(f"{path}: sightline: {error}") from None


def _matrix(where: str, value: Any, least: int) -> Float[np.ndarray, "r 4"]:
    """Numbers in rows of four; ``least`` rows, or one more."""
    try:
        matrix = np.array(value, np.float64)
    except (ValueError, TypeError):
        matrix = np.full((1, 1), np.nan)
    if matrix.shape not in {(least, 4), (4, 4)} or not np.isfinite(matrix).all():
        raise FormatError(f"{where}: expected {least} rows of 4 numbers")
    return matrix[:least]


def _pose(where: str, frame: Mapping[str, Any], applied: Float[np.ndarray, "4 4"]) -> Float[np.ndarray, "4 4"]:
    """``cam_from_scene`` of one frame."""
    matrix = np.eye(4)
    matrix[:3] = _matrix(f"{where}: transform_matrix", frame.get("transform_matrix"), 3)
    turn = matrix[:3, :3]
    if np.abs(turn @ turn.T - np.eye(3)).max() > 1e-3:
        raise FormatError(f"{where}: transform_matrix is no rotation and shift")
    return inverse(np.linalg.inv(applied) @ matrix @ _FLIP)


def _lens(where: str, said: Mapping[str, Any]) -> Lens:
    """What a frame, or else the whole file, says of the lens."""
    model = said.get("camera_model", "OPENCV")
    if model not in _READ:
        raise FormatError(f"{where}: camera_model {str(model)[:40]!r}, expected one of {', '.join(_READ)}")
    width, height = _number(where, said, "w"), _number(where, said, "h")
    if "fl_x" not in said and "camera_angle_x" in said:
        angle = _number(where, said, "camera_angle_x")
        said = {"fl_x": float(width / 2 / np.tan(angle / 2)), **said}
    fx = _number(where, said, "fl_x")
    sides = [fx, _number(where, said, "fl_y", fx)]
    sides += [_number(where, said, "cx", width / 2), _number(where, said, "cy", height / 2)]
    bent = [_number(where, said, name, 0.0) for name in _BENT[_READ[model]]]
    known = LensModel.PINHOLE if not any(bent) and not _READ[model].is_fisheye else _READ[model]
    params = sides if known is LensModel.PINHOLE else [*sides, *bent]
    return Lens(known, round(width), round(height), np.array(params))


def _number(where: str, said: Mapping[str, Any], key: str, otherwise: float | None = None) -> float:
    """A finite number."""
    value = said.get(key, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        found = "missing" if value is None else f"{str(value)[:40]!r}"
        raise FormatError(f"{where}: {key} is {found}, expected a number")
    return float(value)


def _points(path: Path, document: Mapping[str, Any], applied: Float[np.ndarray, "4 4"]) -> DensePoints:
    """The cloud that the file names, in the scene's frame; none where it is not there."""
    name = document.get("ply_file_path")
    if not isinstance(name, str) or not (path.parent / safe(name, f"{path}: ply_file_path")).is_file():
        return DensePoints.none()
    points = ply.read(path.parent / name)
    return replace(points, xyz_scene=_turned(points.xyz_scene, np.linalg.inv(applied)))
