"""COLMAP's text model files: ``cameras.txt``, ``images.txt``, ``points3D.txt``.

Source: COLMAP's documentation, "Output Format".
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from sightline.errors import FormatError
from sightline.formats.scenes.colmap_model import MODEL_IDS, Model
from sightline.model.lens import Lens, LensModel


def write(model: Model, folder: Path) -> None:
    """Puts the three files into the folder; every number comes back exactly.

    Raises:
        FormatError: a picture's name has blanks, which COLMAP cannot read in text.
    """
    with (folder / "cameras.txt").open("w", encoding="utf-8") as stream:
        stream.write("# CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n")
        stream.writelines(
            f"{camera} {lens.model} {lens.width} {lens.height} {_joined(lens.params.tolist())}\n"
            for camera, lens in model.lenses.items()
        )
    with (folder / "images.txt").open("w", encoding="utf-8") as stream:
        stream.write("# IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME\n# POINTS2D[] as (X, Y, POINT3D_ID)\n")
        for k, name in enumerate(model.names):
            if len(name.split()) != 1:
                raise FormatError(f"{folder}: images.txt has no room for {name!r}; rename it, or write binary")
            pose = _joined([*model.quat_wxyz[k].tolist(), *model.shift[k].tolist()])
            stream.write(f"{model.image_id[k]} {pose} {model.camera_id[k]} {name}\n")
            here = slice(model.keypoint_start[k], model.keypoint_start[k + 1])
            pairs = zip(model.keypoint_xy[here].tolist(), model.keypoint_point[here].tolist(), strict=True)
            stream.write(" ".join(f"{x!r} {y!r} {point}" for (x, y), point in pairs) + "\n")
    with (folder / "points3D.txt").open("w", encoding="utf-8") as stream:
        stream.write("# POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[] as (IMAGE_ID, POINT2D_IDX)\n")
        stream.writelines(_points(model))


def _joined(values: Sequence[float | int]) -> str:
    return " ".join(map(repr, values))


def _points(model: Model) -> Iterator[str]:
    """One line per point."""
    columns = zip(model.point_id.tolist(), model.xyz, model.rgb, model.error_px.tolist(), strict=True)
    starts = model.track_start.tolist()
    for k, (point, xyz, rgb, error) in enumerate(columns):
        rows = slice(starts[k], starts[k + 1])
        pairs = zip(model.track_image[rows].tolist(), model.track_keypoint[rows].tolist(), strict=True)
        track = "".join(f" {image} {keypoint}" for image, keypoint in pairs)
        yield f"{point} {_joined(xyz.tolist())} {_joined(rgb.tolist())} {error!r}{track}\n"


def _lines(path: Path, *, blank: bool = False) -> Iterator[tuple[str, str]]:
    """Where each line is, and the line; comments are passed over, empty lines too unless ``blank``."""
    with path.open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, 1):
            if not line.startswith("#") and (blank or line.strip()):
                yield f"{path}: line {number}", line.strip()


def _numbers(where: str, words: list[str], expected: str) -> Float[np.ndarray, " n"]:
    """The words as numbers.

    Raises:
        FormatError: one is none.
    """
    try:
        return np.array(words, np.float64)
    except ValueError as error:
        raise FormatError(f"{where}: {error}, expected {expected}") from None


def read(folder: Path) -> Model:
    """What the three files say.

    Raises:
        FormatError: names the file, the line and what was expected there.
        OSError: a file cannot be read.
    """
    lenses = dict(_lens(where, line.split()) for where, line in _lines(folder / "cameras.txt"))
    return Model(lenses=lenses, **_images(folder / "images.txt"), **_cloud(folder / "points3D.txt"))


def _lens(where: str, words: list[str]) -> tuple[int, Lens]:
    expected = "CAMERA_ID MODEL WIDTH HEIGHT PARAMS"
    if len(words) < 4:
        raise FormatError(f"{where}: {len(words)} words, expected {expected}")
    if words[1] not in {*MODEL_IDS.values()}:
        known = ", ".join(MODEL_IDS.values())
        raise FormatError(f"{where}: lens model {words[1][:40]!r} is not known here ({known})")
    camera, width, height, *params = _numbers(where, [words[0], *words[2:]], expected).tolist()
    model = LensModel(words[1])
    if len(params) != model.n_params:
        raise FormatError(f"{where}: {len(params)} parameters, {model} has {model.n_params}")
    return int(camera), Lens(model, int(width), int(height), np.array(params))


def _images(path: Path) -> dict[str, Any]:
    """The columns of the images and their keypoints: two lines each, the second may be empty."""
    heads, names, keypoints = [], [], [np.zeros((0, 3))]
    lines = _lines(path, blank=True)
    for where, line in lines:
        if not line:
            continue
        words = line.split(maxsplit=9)
        if len(words) < 10:
            raise FormatError(f"{where}: {len(words)} words, expected IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME")
        heads.append(_numbers(where, words[:9], "a number"))
        names.append(words[9])
        below, line = next(lines, (where, ""))  # noqa: PLW2901  # the pair is one entry
        rows = _numbers(below, line.split(), "X Y POINT3D_ID, thrice as many numbers as keypoints")
        if len(rows) % 3:
            raise FormatError(f"{below}: {len(rows)} numbers, expected X Y POINT3D_ID of each keypoint")
        keypoints.append(rows.reshape(-1, 3))
    table, joined = np.array(heads, np.float64).reshape(-1, 9), np.concatenate(keypoints)
    return {
        "image_id": table[:, 0].astype(np.int64),
        "names": tuple(names),
        "camera_id": table[:, 8].astype(np.int64),
        "quat_wxyz": table[:, 1:5],
        "shift": table[:, 5:8],
        "keypoint_start": np.cumsum([len(rows) for rows in keypoints]),
        "keypoint_xy": joined[:, :2],
        "keypoint_point": joined[:, 2].astype(np.int64),
    }


def _cloud(path: Path) -> dict[str, Any]:
    """The columns of the points and their tracks."""
    heads, tracks = [], [np.zeros((0, 2), np.int64)]
    for where, line in _lines(path):
        row = _numbers(where, line.split(), "numbers")
        if len(row) < 8 or len(row) % 2:
            raise FormatError(f"{where}: {len(row)} numbers, expected POINT3D_ID X Y Z R G B ERROR and pairs")
        heads.append(row[:8])
        tracks.append(row[8:].astype(np.int64).reshape(-1, 2))
    table, joined = np.array(heads, np.float64).reshape(-1, 8), np.concatenate(tracks)
    return {
        "point_id": table[:, 0].astype(np.int64),
        "xyz": table[:, 1:4],
        "rgb": np.clip(table[:, 4:7], 0, 255).astype(np.uint8),
        "error_px": table[:, 7],
        "track_start": np.cumsum([len(rows) for rows in tracks]),
        "track_image": joined[:, 0],
        "track_keypoint": joined[:, 1],
    }
