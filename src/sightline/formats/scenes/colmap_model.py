"""What COLMAP's three files hold, and what a scene makes of it and the other way round."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8
from scipy.spatial.transform import Rotation

from sightline.errors import FormatError
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import MadeBy, Scene, SparsePoints, Views

MODEL_IDS = {
    0: LensModel.SIMPLE_PINHOLE, 1: LensModel.PINHOLE, 2: LensModel.SIMPLE_RADIAL, 3: LensModel.RADIAL,
    4: LensModel.OPENCV, 5: LensModel.OPENCV_FISHEYE, 6: LensModel.FULL_OPENCV,
    8: LensModel.SIMPLE_RADIAL_FISHEYE, 9: LensModel.RADIAL_FISHEYE,
}  # fmt: skip
"""COLMAP's numbers of the lens models that are known here."""
UNMEASURED = -1.0
"""COLMAP's error of a point whose error is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Cameras, images and points as COLMAP numbers them."""

    lenses: dict[int, Lens]
    """By camera id."""
    image_id: Int[np.ndarray, " k"]
    """Of each image."""
    names: tuple[str, ...]
    """Of each image."""
    camera_id: Int[np.ndarray, " k"]
    """Of each image."""
    quat_wxyz: Float[np.ndarray, "k 4"]
    """Turns the world into the camera."""
    shift: Float[np.ndarray, "k 3"]
    """And then moves it there."""
    keypoint_start: Int[np.ndarray, " k1"]
    """Image i has keypoints ``keypoint_start[i]`` to ``keypoint_start[i + 1]``."""
    keypoint_xy: Float[np.ndarray, "o 2"]
    """Where, in pixels."""
    keypoint_point: Int[np.ndarray, " o"]
    """Id of its point; -1: none."""
    point_id: Int[np.ndarray, " n"]
    """Of each point."""
    xyz: Float[np.ndarray, "n 3"]
    """Where."""
    rgb: UInt8[np.ndarray, "n 3"]
    """Colour."""
    error_px: Float[np.ndarray, " n"]
    """Mean reprojection error; -1: not measured."""
    track_start: Int[np.ndarray, " n1"]
    """Point i has track rows ``track_start[i]`` to ``track_start[i + 1]``."""
    track_image: Int[np.ndarray, " m"]
    """Image id of each row."""
    track_keypoint: Int[np.ndarray, " m"]
    """Which of that image's keypoints."""


def model_of(scene: Scene, points: SparsePoints) -> Model:
    """The views that found their place, and ``points`` with what those views see of them; ids count from 1."""
    views = np.flatnonzero(scene.views.is_registered)
    image_of = np.zeros(len(scene.views) + 1, np.int64)
    image_of[views] = np.arange(1, len(views) + 1)
    seen = image_of[points.track_view] > 0
    image = image_of[points.track_view[seen]]
    point = np.repeat(np.arange(1, len(points) + 1), np.diff(points.track_start))[seen]
    order = np.argsort(image, kind="stable")
    starts = np.searchsorted(image[order], np.arange(1, len(views) + 2))
    keypoint = np.empty(len(image), np.int64)
    keypoint[order] = np.arange(len(image)) - starts[image[order] - 1]
    poses = scene.views.cam_from_scene[views]
    turns = Rotation.from_matrix(poses[:, :3, :3]).as_quat(canonical=True) if len(views) else np.zeros((0, 4))
    return Model(
        lenses=dict(enumerate(scene.lenses, 1)),
        image_id=np.arange(1, len(views) + 1),
        names=tuple(scene.views.names[view] for view in views),
        camera_id=scene.views.lens[views] + 1,
        quat_wxyz=np.roll(turns, 1, axis=1),
        shift=poses[:, :3, 3],
        keypoint_start=starts,
        keypoint_xy=points.track_xy_px[seen][order],
        keypoint_point=point[order],
        point_id=np.arange(1, len(points) + 1),
        xyz=points.xyz_scene,
        rgb=points.rgb,
        error_px=np.where(np.isfinite(points.error_px), points.error_px, UNMEASURED),
        track_start=np.searchsorted(point, np.arange(1, len(points) + 2)),
        track_image=image,
        track_keypoint=keypoint,
    )


def scene_of(path: Path, model: Model) -> Scene:
    """The scene; its views are the images in the order of their ids.

    Raises:
        FormatError: an image of a camera that there is not, or a track of an image or keypoint that there is not.
    """
    ids = sorted(model.lenses)
    lens = np.searchsorted(ids, model.camera_id)
    _refuse(path, model.camera_id, np.array(ids, np.int64), lens, "images", "camera")
    order = np.argsort(model.image_id, kind="stable")
    sorted_ids = model.image_id[order]
    twice = np.flatnonzero(np.diff(sorted_ids) == 0)
    if len(twice):
        raise FormatError(f"{path}: images: id {sorted_ids[twice[0]]} is there twice")
    view = np.searchsorted(sorted_ids, model.track_image)
    _refuse(path, model.track_image, sorted_ids, view, "points3D", "image")
    n_keypoints = np.diff(model.keypoint_start)[order][view]
    wrong = np.flatnonzero((model.track_keypoint < 0) | (model.track_keypoint >= n_keypoints))
    if len(wrong):
        k = wrong[0]
        has = f"image {model.track_image[k]} has no keypoint {model.track_keypoint[k]}"
        raise FormatError(f"{path}: points3D: {has}; it has {n_keypoints[k]}")
    error = np.where(model.error_px < 0, np.nan, model.error_px)
    xy = model.keypoint_xy[model.keypoint_start[:-1][order][view] + model.track_keypoint]
    sparse = SparsePoints(model.xyz, model.rgb, error, model.track_start, view, xy)
    views = Views(
        tuple(model.names[k] for k in order), lens[order], _poses(path, model)[order], np.ones(len(order), bool)
    )
    return Scene(tuple(model.lenses[k] for k in ids), views, MadeBy("colmap", ""), sparse=sparse)


def _poses(path: Path, model: Model) -> Float[np.ndarray, "k 4 4"]:
    """``cam_from_scene`` of each image."""
    poses = np.tile(np.eye(4), (len(model.names), 1, 1))
    if not len(model.names):
        return poses
    good = (np.linalg.norm(model.quat_wxyz, axis=1) > 0) & np.isfinite(model.quat_wxyz).all(axis=1)
    if not good.all():
        raise FormatError(f"{path}: images: image {model.image_id[~good][0]} has a quaternion that is no rotation")
    poses[:, :3, :3] = Rotation.from_quat(np.roll(model.quat_wxyz, -1, axis=1)).as_matrix()
    poses[:, :3, 3] = model.shift
    return poses


def _refuse(
    path: Path,
    asked: Int[np.ndarray, " m"],
    known: Int[np.ndarray, " k"],
    found: Int[np.ndarray, " m"],
    file: str,
    what: str,
) -> None:
    """Raises for the first id that is not among the known."""
    padded = np.append(known, -1)
    wrong = np.flatnonzero(padded[np.minimum(found, len(known))] != asked)
    if len(wrong):
        raise FormatError(f"{path}: {file}: there is no {what} {asked[wrong[0]]}")
