"""What somebody knows of pictures beforehand: lenses, poses, positions, one length; put to those it is about."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Final, TypeVar

import numpy as np

from sightline.errors import FormatError, OptionError
from sightline.formats.scenes import about, colmap, nerfstudio, positions
from sightline.jobs.album import Album, enu_m, shots
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import Scale, Scene
from sightline.model.shots import Shot, Shots
from sightline.reconstructors.scale import Distance, by_distance, by_markers, checked

Thing = TypeVar("Thing")
_MODELS: Final = ", ".join(LensModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Whatever is None is not known."""

    lens: str | None = None
    """Model, width, height and numbers, as a line of COLMAP's ``cameras.txt`` has them."""
    poses: Path | None = None
    """A COLMAP model, or nerfstudio's ``transforms.json``: poses and lenses, taken as they are."""
    positions: Path | None = None
    """CSV of where pictures were taken."""
    distance: Distance | None = None
    """Two pictures, and how far apart they were taken."""
    marker_side_m: float | None = None
    """Side of the markers in the scene."""


def with_known(album: Album, known: Known) -> Shots:
    """The pictures of the album with all that is known of them; the cameras' own notes count where nobody says more.

    Raises:
        FormatError: a file is not what it should be, or says nothing about these pictures.
        OptionError: what is known contradicts itself, or fits no picture.
        OSError: a file cannot be read.
    """
    if known.poses is not None and known.positions is not None:
        raise OptionError("poses, positions: poses have positions in them; give one of them")
    taken = shots(album)
    sizes = [(one.width, one.height) for one in album.pictures]
    if known.positions is not None:
        taken = _at_positions(taken, known.positions)
    if known.poses is not None:
        taken = _at_poses(taken, sizes, known.poses)
    if known.lens is not None:
        taken = _through(taken, sizes, lens_said(known.lens))
    checked(known.distance, known.marker_side_m, taken)
    return taken


def scaled(scene: Scene, known: Known, taken: Shots) -> Scene:
    """The scene in metres, if a length is known and found in it."""
    if known.distance is not None:
        return by_distance(scene, known.distance)
    return scene if known.marker_side_m is None else by_markers(scene, known.marker_side_m, taken)


def _at_positions(taken: Shots, path: Path) -> Shots:
    """With positions from the file, and no others."""
    given = positions.read(path)
    found = _found(path, given.by_name, taken)
    if not given.are_on_earth:
        eyes = [None if one is None else np.array(one) for one in found]
        origin = None
    else:
        eyes = enu_m(found)
        origin = next(one for one in found if one is not None)
    put = tuple(replace(shot, eye_world_m=eye) for shot, eye in zip(taken.shots, eyes, strict=True))
    return replace(taken, shots=put, origin=origin, unit=Scale.GPS if given.are_on_earth else Scale.POSES)


def _at_poses(taken: Shots, sizes: Sequence[tuple[int, int]], path: Path) -> Shots:
    """With poses and lenses from the file; positions in another world are let go."""
    scene, unit = _posed(path)
    rows = {name: row for row, name in enumerate(scene.views.names)}
    put = []
    for shot, size, row in zip(taken.shots, sizes, _found(path, rows, taken), strict=True):
        if row is None:
            put.append(replace(shot, eye_world_m=None))
            continue
        lens = _resized(scene.lenses[scene.views.lens[row]], size)
        if lens is None:
            theirs = scene.lenses[scene.views.lens[row]]
            raise FormatError(
                f"{path}: {shot.name} is {theirs.width}x{theirs.height} there, the picture {size[0]}x{size[1]}"
            )
        pose = scene.views.cam_from_scene[row]
        put.append(replace(shot, lens=lens, cam_from_world=pose, eye_world_m=None))
    return replace(taken, shots=tuple(put), origin=None, unit=unit)


def _posed(path: Path) -> tuple[Scene, Scale]:
    """The scene in the file or folder, and what its unit comes from: metres, unless it says otherwise."""
    if path.suffix.lower() == ".json" or (path / nerfstudio.TRANSFORMS).is_file():
        scene = nerfstudio.read(path)
        return scene, scene.scale if scene.made_by.engine else Scale.POSES
    scene, note = colmap.read(path), path / colmap.ABOUT
    if not note.is_file():
        return scene, Scale.POSES
    try:
        return scene, about.made_by(json.loads(note.read_bytes()))[1]
    except (ValueError, TypeError, AttributeError) as error:
        raise FormatError(f"{note}: {error}") from None


def _found(path: Path, given: Mapping[str, Thing], taken: Shots) -> list[Thing | None]:
    """What is given for each picture, by its name or, where that is enough to tell it, the last part of its name.

    Raises:
        FormatError: nothing is given for any of them.
    """
    last: dict[str, list[Thing]] = {}
    for name, thing in given.items():
        last.setdefault(PurePath(name).name, []).append(thing)

    def one(shot: Shot) -> Thing | None:
        alike = last.get(PurePath(shot.name).name, [])
        return given[shot.name] if shot.name in given else alike[0] if len(alike) == 1 else None

    found = [one(shot) for shot in taken.shots]
    if all(thing is None for thing in found):
        raise FormatError(f"{path}: says nothing of these pictures; it has {next(iter(given), 'none')!r} first")
    return found


def lens_said(text: str) -> Lens:
    """The lens that a line of COLMAP's ``cameras.txt``, without its number, tells of.

    Raises:
        OptionError: it is none.
    """
    words = text.replace(",", " ").split()
    model = words[0].upper() if words else ""
    if model not in set(LensModel):
        raise OptionError(f"lens: {model[:40]!r} is no lens model; MODEL WIDTH HEIGHT NUMBERS, of {_MODELS}")
    try:
        width, height, *params = map(float, words[1:])
    except ValueError:
        raise OptionError(f"lens: {text[:80]!r}: MODEL WIDTH HEIGHT NUMBERS, as in COLMAP's cameras.txt") from None
    if len(params) != LensModel(model).n_params:
        raise OptionError(f"lens: {len(params)} numbers, {model} has {LensModel(model).n_params}")
    lens = Lens(LensModel(model), int(width), int(height), np.array(params))
    if not np.isfinite([*params, width, height]).all() or min(lens.width, lens.height, *lens.focal_px) <= 0:
        raise OptionError(f"lens: {text[:80]!r}: sizes and focal lengths are more than 0")
    return lens


def _through(taken: Shots, sizes: Sequence[tuple[int, int]], lens: Lens) -> Shots:
    """With the lens for all pictures of its shape.

    Raises:
        OptionError: there is none.
    """
    resized = [_resized(lens, size) for size in sizes]
    if not any(resized):
        raise OptionError(
            f"lens: it is for {lens.width}x{lens.height}, no picture has that shape; the first is {sizes[0]}"
        )
    put = (replace(shot, lens=one or shot.lens) for shot, one in zip(taken.shots, resized, strict=True))
    return replace(taken, shots=tuple(put))


def _resized(lens: Lens, size: tuple[int, int]) -> Lens | None:
    """The lens for pictures made smaller or larger; None for those of another shape."""
    width, height = size
    factor = width / lens.width
    if abs(lens.height * factor - height) > 1:
        return None
    params = lens.params.copy()
    n = 3 if lens.model.has_one_focal else 4
    params[:n] *= factor
    return Lens(lens.model, width, height, params)
