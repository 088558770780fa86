"""What is known of the pictures before any place is found: lenses, spots and matches, as COLMAP keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from sightline.model.lens import Lens, LensModel
from sightline.model.shots import Shot
from sightline.reconstructors.colmap import pycolmap
from sightline.reconstructors.structure.features import Features
from sightline.reconstructors.structure.matching import Matches

Sharing = Literal["camera", "each"]
"""One lens for all pictures of one camera and size, or one for each picture."""
_FOCAL: Final = 1.2
"""A guess at a focal length; times the picture's longer side."""
_LEAST: Final = 15
"""Fewer matches do not relate two pictures."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture, looked at."""

    shot: Shot
    """The picture."""
    width: int
    """Pixels across."""
    height: int
    """Pixels down."""
    features: Features
    """What was found in it."""


def lenses(seen: Sequence[Seen], model: LensModel, sharing: Sharing) -> tuple[list[pycolmap.Camera], list[int]]:
    """The lenses to begin with, numbered from 1, and which of them took each picture."""
    known: dict[object, int] = {}
    cameras: list[pycolmap.Camera] = []
    taken: list[int] = []
    for number, one in enumerate(seen):
        # A focal length known for one picture must not be lost in those that know nothing.
        given = one.shot.lens and (one.shot.lens.model, one.shot.lens.params.tobytes())
        shared = (one.shot.camera, one.width, one.height, given or one.shot.focal_px)
        key = number if sharing == "each" else shared
        if key not in known:
            known[key] = len(cameras) + 1
            cameras.append(_camera(one, model, len(cameras) + 1))
        taken.append(known[key])
    return cameras, taken


def written(
    path: Path,
    seen: Sequence[Seen],
    cameras: Sequence[pycolmap.Camera],
    taken: Sequence[int],
    found: Mapping[tuple[int, int], Matches],
) -> None:
    """Puts all of it into a database of COLMAP's; picture i gets the number i + 1."""
    database = pycolmap.Database.open(path)
    try:
        with pycolmap.DatabaseTransaction(database):
            for camera in cameras:
                database.write_camera(camera, use_camera_id=True)
                rig = pycolmap.Rig(rig_id=camera.camera_id)
                rig.add_ref_sensor(camera.sensor_id)
                database.write_rig(rig, use_rig_id=True)
            for number, (picture, camera_id) in enumerate(zip(seen, taken, strict=True), 1):
                image = pycolmap.Image(picture.shot.name, camera_id=camera_id, image_id=number)
                database.write_image(image, use_image_id=True)
                frame = pycolmap.Frame(frame_id=number, rig_id=camera_id)
                frame.add_data_id(image.data_id)
                database.write_frame(frame, use_frame_id=True)
                database.write_keypoints(number, np.ascontiguousarray(picture.features.xy_px))
            for (one, other), matches in found.items():
                if len(matches) >= _LEAST:
                    database.write_matches(one + 1, other + 1, matches.astype(np.uint32))
    finally:
        database.close()


def _camera(one: Seen, model: LensModel, number: int) -> pycolmap.Camera:
    """What COLMAP calls a camera: the lens as given, or a guess at it."""
    given = one.shot.lens
    focal = one.shot.focal_px or _FOCAL * max(one.width, one.height)
    name = str(given.model if given else model)
    camera = pycolmap.Camera.create_from_model_name(number, name, focal, one.width, one.height)
    camera.has_prior_focal_length = given is not None or one.shot.focal_px is not None
    if given is not None:
        camera.params = list(given.params)
    return camera


def lens_of(camera: pycolmap.Camera) -> Lens:
    """The lens that COLMAP calls a camera."""
    return Lens(LensModel(camera.model_name), camera.width, camera.height, np.array(camera.params, np.float64))
