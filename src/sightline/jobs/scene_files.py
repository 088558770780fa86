"""Files made of a scene that was rebuilt: for viewers, for trainers, for clients of the run server."""

import json
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from sightline.errors import OptionError
from sightline.files import whole
from sightline.formats.scenes import Form, colmap, glb, nerfstudio, ply, undistorted
from sightline.formats.scenes.filters import Filters, shown
from sightline.geometry.rigid import inverse
from sightline.model.arrays import Image
from sightline.model.scene import Scene

SCENE, PREDICTIONS, CAMERAS = "scene.glb", "predictions.npz", "cameras.json"
NAMES: dict[Form, str] = {"ply": "points.ply", "colmap": "colmap.zip", "nerfstudio": "nerfstudio.zip"}
"""Of the files."""
Pictures = Callable[[int], Image]
"""The picture of a view as it was taken."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_FLIPPED = np.diag([1.0, -1.0, -1.0, 1.0])
_ABOUT_Y = np.diag([-1.0, 1.0, -1.0, 1.0])
"""Half a turn."""


def written(scene: Scene, filters: Filters, forms: Sequence[Form], folder: Path, pictures: Pictures | None) -> Path:
    """Puts ``scene.glb`` and the other forms into the folder; the first of them.

    Raises:
        OptionError: there is no such view, or a form needs pictures that are not there.
        FormatError: something that a form cannot say.
        OSError: a file cannot be written.
    """
    left = shown(scene, filters)
    glb.write(scene, left, folder / SCENE, surface=scene.mesh)
    for form in forms:
        target = folder / NAMES[form]
        if form == "ply":
            ply.write(scene, left.points, target)
            continue
        if pictures is None:
            raise OptionError(f"formats: {form} is made with the pictures, which are not there; give them too")
        with TemporaryDirectory(dir=folder, prefix=".form-") as inside:
            undistorted.write(scene, Path(inside), pictures)
            if form == "nerfstudio":
                _for_nerfstudio(Path(inside))
            _pack(Path(inside), target)
    return folder / SCENE


def write_cameras(scene: Scene, path: Path) -> None:
    """Puts the cameras into the file, as the run server tells them; views without a place are left out.

    Raises:
        OSError: it cannot be written.
    """
    shapes = _shapes(scene)
    maps = scene.maps or (None,) * len(scene.views)
    lenses = [
        scene.lenses[k] if one is None else one.lens for one, k in zip(maps, scene.views.lens.tolist(), strict=True)
    ]
    said = {
        "numFrames": len(scene.views),
        "cameras": [
            _camera(view, scene.views.cam_from_scene[view], lenses[view].px_from_cam, scene.views.names[view])
            for view in np.flatnonzero(scene.views.is_registered).tolist()
        ],
        "hasDepth": "depthShape" in shapes,
        "hasWorldPoints": "worldPointsShape" in shapes,
        **shapes,
    }
    with whole(path) as partial:
        partial.write_text(json.dumps(said, allow_nan=False) + "\n", encoding="utf-8")


def _shapes(scene: Scene) -> dict[str, list[int]]:
    """Shapes of the arrays in ``predictions.npz`` that have a value for each pixel, of those that are there."""
    there = [maps for maps in scene.maps if maps is not None]
    n = len(scene.maps)
    height, width = (max((getattr(maps.lens, side) for maps in there), default=0) for side in ("height", "width"))
    shapes = {
        "imageShape": ("rgb", [n, 3, height, width]),
        "depthShape": ("depth", [n, height, width, 1]),
        "worldPointsShape": ("xyz_scene", [n, height, width, 3]),
    }
    return {
        called: shape
        for called, (name, shape) in shapes.items()
        if any(getattr(maps, name) is not None for maps in there)
    }


def _camera(view: int, cam_from_scene: np.ndarray, intrinsic: np.ndarray, name: str) -> dict[str, Any]:
    """One camera: OpenCV's matrices, and the one that three.js wants, column by column."""
    scene_from_cam = inverse(cam_from_scene)
    return {
        "index": view,
        "image": name,
        "extrinsic": cam_from_scene[:3].tolist(),
        "intrinsic": intrinsic.tolist(),
        "position": scene_from_cam[:3, 3].tolist(),
        "threeMatrix": (scene_from_cam @ _FLIPPED @ _ABOUT_Y).T.reshape(-1).tolist(),
    }


def _for_nerfstudio(folder: Path) -> None:
    """Says of the straightened pictures in the folder where they are, in nerfstudio's words instead of COLMAP's."""
    nerfstudio.write(colmap.read(folder / "sparse" / "0"), folder)
    shutil.rmtree(folder / "sparse")


def _pack(folder: Path, target: Path) -> None:
    """The folder as a ZIP file; the same files make the same bytes."""
    with whole(target) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(str(path.relative_to(folder)), _EPOCH)
            with archive.open(entry, "w", force_zip64=True) as stream, path.open("rb") as file:
                while piece := file.read(1 << 20):
                    stream.write(piece)
