"""COLMAP models, binary and text: cameras, images and sparse points, for anything that starts from COLMAP."""

from pathlib import Path

from sightline.errors import FormatError
from sightline.formats.scenes import colmap_binary, colmap_text
from sightline.formats.scenes.about import about, json_text
from sightline.formats.scenes.colmap_model import model_of, scene_of
from sightline.formats.scenes.folder import staged
from sightline.model.scene import Scene, SparsePoints

ABOUT = "sightline.json"
"""Beside the model: what made it, which its own files have no room for."""
_FILES = ("cameras", "images", "points3D")


def write(scene: Scene, folder: Path, *, text: bool = False, points: SparsePoints | None = None) -> None:
    """Puts the model into the folder, binary or as text; ``points`` instead of the scene's own sparse ones if given.

    Views without a place are left out, as COLMAP does. The files are those that all versions of COLMAP read:
    without rigs and frames, which newer ones make up from them.

    Raises:
        FormatError: a name with blanks, in text; settings that JSON cannot say.
        OSError: the files cannot be written; the folder is as it was then.
    """
    model = model_of(scene, scene.sparse if points is None else points)
    with staged(folder) as partial:
        (colmap_text if text else colmap_binary).write(model, partial)
        (partial / ABOUT).write_text(json_text(folder / ABOUT, about(scene), indent=2) + "\n", encoding="utf-8")


def read(folder: Path) -> Scene:
    """The model in the folder, binary if there, else text. Keypoints that belong to no point are left out.

    Raises:
        FormatError: there is no model, or names the file, the place and what was expected there.
        OSError: a file cannot be read.
    """
    for suffix, form in ((".bin", colmap_binary), (".txt", colmap_text)):
        if all((folder / f"{name}{suffix}").is_file() for name in _FILES):
            return scene_of(folder, form.read(folder))
    raise FormatError(f"{folder}: no COLMAP model; it has {', '.join(_FILES)}, each .bin or each .txt")
