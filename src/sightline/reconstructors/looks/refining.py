"""Cameras that a network found, adjusted to what their pictures share: bundle adjustment from where it left them.

A network sees the whole at once, but places cameras a little off; features that several pictures share tell where they
stand to a fraction of a pixel. Features, matching and adjustment are those of structure from motion.
"""

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float

from sightline.executors.local import Stopped, Tell
from sightline.geometry.rigid import moved
from sightline.model.lens import Lens, LensModel
from sightline.model.shots import Shot, Shots
from sightline.reconstructors.at_work import AtWork
from sightline.reconstructors.colmap import pycolmap
from sightline.reconstructors.looks.assembled import Look
from sightline.reconstructors.structure.album import Seen, lens_of, lenses, written
from sightline.reconstructors.structure.features import features
from sightline.reconstructors.structure.mapping import Mapped, empty, incremental_options, refined, verified
from sightline.reconstructors.structure.matching import Matches, matches
from sightline.reconstructors.structure.pairs import Pair, pairs
from sightline.reconstructors.structure.quiet import quiet

_FEATURES: Final = 4096
_SIDE_PX: Final = 1600
_ROUNDS_PX: Final = (24.0, 8.0)
"""How far points may be off in their pictures: a network errs by a degree and a few hundredths of the focal length."""
_LEAST: Final = 30
"""With fewer points that it shares, a camera stays where the network put it."""
_SEED: Final = 0


def adjusted(shots: Shots, looks: Sequence[Look], tell: Tell, stopped: Stopped) -> tuple[list[Look], int]:
    """The looks with better cameras, depth scaled to them; and how many there are that were bettered.

    Pictures of one camera and size get one lens. Nothing is changed where fewer than two pictures share enough.

    Raises:
        EngineError: stopped, or the library gave up.
    """
    with (
        ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool,
        tempfile.TemporaryDirectory(prefix="sightline-") as at,
    ):
        work = AtWork(pool, tell, stopped)
        begun = _begun(shots, looks)
        seen = work.each("features", _seen, begun)
        spots = [one.features for one in seen]
        compared = pairs(spots, shots.is_sequence, lambda task, items: work.each("glancing", task, items))

        def found(pair: Pair) -> Matches:
            return matches(spots[pair[0]], spots[pair[1]], float(_SIDE_PX))

        matched = dict(zip(compared, work.each("matching", found, compared), strict=True))
        tell("adjusting", 0, None)
        cameras, taken = lenses(seen, LensModel.SIMPLE_PINHOLE, "camera")
        fixed = sorted({number for number, shot in zip(taken, shots.shots, strict=True) if shot.lens is not None})
        with quiet(" on refining the cameras"):
            written(Path(at, "database"), seen, cameras, taken, matched)
            verified(Path(at, "database"), _SEED, len(os.sched_getaffinity(0)))
            model = _agreed(Path(at), looks, fixed)
            refined(Mapped(model, "given"), fixed)
    return _bettered(shots, looks, model)


def _begun(shots: Shots, looks: Sequence[Look]) -> list[Shot]:
    """The pictures, with the focal length that the network says: one for all of one camera and size."""
    keys = [(shot.camera, look.framing.own) for shot, look in zip(shots.shots, looks, strict=True)]
    focals = {
        key: float(
            np.median(
                [look.lens.focal_px for look, its in zip(looks, keys, strict=True) if its == key and look.is_placed]
            )
        )
        for key in {key for key, look in zip(keys, looks, strict=True) if look.is_placed}
    }
    return [replace(shot, focal_px=focals.get(key)) for shot, key in zip(shots.shots, keys, strict=True)]


def _seen(shot: Shot) -> Seen:
    rgb = shot.read()
    return Seen(shot, rgb.shape[1], rgb.shape[0], features(rgb, most=_FEATURES, side_px=_SIDE_PX))


def _agreed(folder: Path, looks: Sequence[Look], fixed: Sequence[int]) -> pycolmap.Reconstruction:
    """All placed pictures, begun where the network put them, and the points that they share."""
    model = pycolmap.Reconstruction()
    kept = pycolmap.Database.open(folder / "database")
    try:
        model.load(pycolmap.DatabaseCache.create(kept, pycolmap.DatabaseCacheOptions(load_all_images=True)))
    finally:
        kept.close()
    for number, look in enumerate(looks, 1):
        if look.is_placed:
            pose = pycolmap.Rigid3d(look.cam_from_scene[:3])
            model.frame(number).set_cam_from_world(model.image(number).camera_id, pose)
            model.register_frame(number)
    for px in _ROUNDS_PX:
        options = incremental_options([], _SEED)
        angle_deg = float(np.degrees(px / min(camera.mean_focal_length() for camera in model.cameras.values())))
        options.triangulation.create_max_angle_error = options.triangulation.continue_max_angle_error = angle_deg
        options.triangulation.complete_max_reproj_error = options.triangulation.merge_max_reproj_error = px
        options.mapper.filter_max_reproj_error = px
        model = pycolmap.triangulate_points(
            model, folder / "database", empty(folder, "pictures"), empty(folder, "points"), options=options
        )
        _adjust(model, fixed, px)
    return model


def _adjust(model: pycolmap.Reconstruction, fixed: Sequence[int], px: float) -> None:
    """Moves cameras and points to where all pictures agree best; what is farther off than ``px`` counts little."""
    config = pycolmap.BundleAdjustmentConfig()
    for image_id in model.reg_image_ids():
        config.add_image(image_id)
    for camera_id in fixed:
        config.set_constant_cam_intrinsics(camera_id)
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    options = pycolmap.BundleAdjustmentOptions(print_summary=False)
    options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
    options.ceres.loss_function_scale = px / 4
    options.ceres.solver_options.num_threads = 1
    options.ceres.solver_options.max_num_iterations = 30
    pycolmap.create_default_bundle_adjuster(options, config, model).solve()


def _bettered(shots: Shots, looks: Sequence[Look], model: pycolmap.Reconstruction) -> tuple[list[Look], int]:
    """Each look with its new camera, and depth that fits the points it sees."""
    better = list(looks)
    sure = [number for number in model.reg_image_ids() if model.image(number).num_points3D >= _LEAST]
    for number in sure if len(sure) > 1 else ():
        image, look = model.image(number), looks[number - 1]
        lens = shots.shots[number - 1].lens or lens_of(model.cameras[image.camera_id])
        pose = np.vstack([image.cam_from_world().matrix(), [0.0, 0.0, 0.0, 1.0]])
        spots = [spot for spot in image.points2D if spot.has_point3D()]
        xyz = np.array([model.point3D(spot.point3D_id).xyz for spot in spots])
        better[number - 1] = _fitted(look, lens, pose, np.array([spot.xy for spot in spots]), moved(pose, xyz)[:, 2])
    return better, len(sure) if len(sure) > 1 else 0


def _fitted(
    look: Look,
    lens: Lens,
    pose: Float[np.ndarray, "4 4"],
    xy_px: Float[np.ndarray, "n 2"],
    depth: Float[np.ndarray, " n"],
) -> Look:
    """The look through that lens from there, its depth scaled to that of the points at ``xy_px`` of its picture."""
    outer_from_px = look.framing.outer_from_own
    at = np.floor(np.c_[xy_px, np.ones(len(xy_px))] @ outer_from_px[:2].T).astype(int)
    rows, columns = look.framing.inside
    x, y = np.clip(at[:, 0], columns.start, columns.stop - 1), np.clip(at[:, 1], rows.start, rows.stop - 1)
    scale = np.float32(np.median(depth / look.depth[y, x]))
    return replace(look, px_from_cam=outer_from_px @ lens.px_from_cam, cam_from_scene=pose, depth=look.depth * scale)
