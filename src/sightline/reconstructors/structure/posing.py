"""Points from pictures whose cameras are known; pictures whose cameras are not find their places among these."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from sightline.geometry.umeyama import posed_alike, seen_from
from sightline.model.shots import Shots
from sightline.reconstructors.colmap import pycolmap
from sightline.reconstructors.structure.agreement import verified_matches
from sightline.reconstructors.structure.laying import LEAST_GIVEN
from sightline.reconstructors.structure.mapping import Mapped, compared, empty, incremental_options, mapped, refined

Poses = Mapping[int, Float[np.ndarray, "4 4"]]
"""Numbers of pictures to their ``cam_from_world``."""


def knows_poses(shots: Shots) -> bool:
    """Whether enough poses are given to see depth from."""
    return sum(shot.cam_from_world is not None for shot in shots.shots) >= LEAST_GIVEN


def posed(folder: Path, shots: Shots, fixed: Sequence[int], seed: int, stopped: Callable[[], bool]) -> Mapped:
    """Points seen from the poses that are given, which stay as they are.

    ``folder`` has the ``database`` in it; ``fixed`` are the numbers of lenses that are known and stay as they are.
    What else is not known, lenses and the other pictures' places, is begun from what the pictures alone say.
    """
    model = _loaded(folder / "database")
    given = {n: shot.cam_from_world for n, shot in enumerate(shots.shots, 1) if shot.cam_from_world is not None}
    poses = dict(given)
    if len(given) < len(shots) or set(model.cameras) - set(fixed):
        alone = mapped(folder, len(shots), fixed, seed, stopped).model
        if alone is not None:
            for camera_id in set(alone.cameras) - set(fixed):
                model.camera(camera_id).params = list(alone.camera(camera_id).params)
            poses = _laid(alone, given) | poses
    for number, pose in poses.items():
        model.frame(number).set_cam_from_world(model.image(number).camera_id, pycolmap.Rigid3d(pose[:3]))
        model.register_frame(number)
    options = incremental_options(fixed, seed)
    seen = pycolmap.triangulate_points(
        model, folder / "database", empty(folder, "pictures"), empty(folder, "points"), options=options
    )
    found = refined(Mapped(seen, "given"), fixed, set(given))
    return compared(found, verified_matches(folder / "database"))


def _loaded(database: Path) -> pycolmap.Reconstruction:
    """All pictures, none at its place."""
    model = pycolmap.Reconstruction()
    kept = pycolmap.Database.open(database)
    try:
        model.load(pycolmap.DatabaseCache.create(kept, pycolmap.DatabaseCacheOptions(load_all_images=True)))
    finally:
        kept.close()
    return model


def _laid(alone: pycolmap.Reconstruction, given: Poses) -> dict[int, Float[np.ndarray, "4 4"]]:
    """Poses in the world of all that the pictures alone placed; none where they do not tell how the two worlds lie."""
    own = {n: np.vstack([alone.image(n).cam_from_world().matrix(), np.eye(4)[3:]]) for n in alone.reg_image_ids()}
    both = sorted(own.keys() & given.keys())
    if len(both) < LEAST_GIVEN:
        return {}
    world_from_own = posed_alike(np.array([own[n] for n in both]), np.array([given[n] for n in both]))
    if not np.isfinite(world_from_own).all():
        return {}
    return {number: seen_from(pose, world_from_own) for number, pose in own.items()}
