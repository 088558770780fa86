"""Pairs of points of a picture and a map, as files: NumPy archives and JSON."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from sightline.errors import FormatError
from sightline.estimation.plane_fit import plane_fit
from sightline.model.arrays import Warp
from sightline.model.site import Plane

_Points = Float[np.ndarray, "n 2"]
_LARGEST_BYTES = 10_000_000


def read_npz(path: Path) -> tuple[_Points, _Points]:
    """``image_points`` and ``map_points`` of a NumPy archive.

    Raises:
        FormatError: it is no archive, lacks one of them, or they are no list of pairs.
        OSError: it cannot be read.
    """
    _refuse_large(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = {"image_points", "map_points"} - set(archive.files)
            if missing:
                raise FormatError(f"{path}: no {' and no '.join(sorted(missing))}; both are needed, as (n, 2) numbers")
            image, there = (np.asarray(archive[name], np.float64) for name in ("image_points", "map_points"))
    except (ValueError, EOFError, zipfile.BadZipFile, TypeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path}: no NumPy archive of numbers ({error}); save it with numpy.savez") from None
    for name, points in (("image_points", image), ("map_points", there)):
        if points.ndim != 2 or points.shape[1] != 2:
            raise FormatError(f"{path}: {name} is {points.shape}; it must be (n, 2)")
    if len(image) != len(there):
        raise FormatError(f"{path}: {len(image)} image_points, but {len(there)} map_points; each needs its twin")
    return image, there


def read_json(path: Path, camera: str) -> Plane:
    """The plane of one camera in a JSON file: ``cameras`` with ``source_points`` and ``destination_points``.

    Where a camera has a ``homography`` and no points, that is taken.

    Raises:
        FormatError: it is no such file, or has nothing for this camera.
        OSError: it cannot be read.
    """
    _refuse_large(path)
    try:
        whole = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: no JSON ({error})") from None
    cameras = whole.get("cameras") if isinstance(whole, dict) else None
    listed = [one for one in cameras if isinstance(one, dict)] if isinstance(cameras, list) else []
    found = next((one for one in listed if one.get("id") == camera), None)
    if found is None:
        known = ", ".join(str(one.get("id")) for one in listed[:20]) or "none"
        raise FormatError(f"{path}: no camera {camera!r} under cameras; there are {known}")
    where = f"{path}: camera {camera!r}"
    if found.get("source_points"):
        return fitted(_pairs(found, "source_points", where), _pairs(found, "destination_points", where), where)
    if found.get("homography"):
        return given(found["homography"], f"{where}: homography")
    raise FormatError(f"{where} has neither source_points nor homography")


def fitted(xy_px: _Points, xy_map: _Points, where: str, names: tuple[str, ...] = ()) -> Plane:
    """The plane that pairs of points agree on; they are called by their number where they have no names.

    Raises:
        FormatError: they do not make one; ``where`` says where they are from.
    """
    if len(xy_px) != len(xy_map):
        raise FormatError(f"{where}: {len(xy_px)} points in the picture, but {len(xy_map)} on the map")
    try:
        fit = plane_fit(xy_px, xy_map)
    except ValueError as error:
        raise FormatError(f"{where}: {error}") from None
    numbered = names or tuple(f"point {i}" for i in range(1, len(xy_px) + 1))
    return Plane(fit.map_from_px, numbered, fit.is_used, fit.off_px, fit.off_map)


def given(matrix: Any, where: str, size: tuple[int, int] | None = None) -> Plane:
    """A plane from its matrix, which takes pixels to the map; the middle of the lower edge is before the horizon.

    Pictures of unknown size count as 1920 x 1080 pixels.

    Raises:
        FormatError: it is no 3 x 3 of numbers, or takes all pixels to one line.
    """
    try:
        warp: Warp = np.array(matrix, np.float64)
    except (ValueError, TypeError):
        warp = np.zeros(0)
    if warp.shape != (3, 3) or not np.isfinite(warp).all():
        raise FormatError(f"{where}: must be 3 rows of 3 numbers")
    if np.linalg.cond(warp) > 1e15:
        raise FormatError(f"{where}: takes the whole picture to one line; is it filled in?")
    width, height = size or (1920, 1080)
    w = float(warp[2] @ np.array([width / 2, height, 1.0]))
    return Plane(warp * (np.sign(w) or 1.0) / np.linalg.norm(warp))


def _pairs(camera: dict[str, Any], name: str, where: str) -> _Points:
    try:
        points = np.array(camera.get(name), np.float64)
    except (ValueError, TypeError):
        points = np.zeros(0)
    if points.ndim != 2 or points.shape[1] != 2:
        raise FormatError(f"{where}: {name} must be a list of [x, y]")
    return points


def _refuse_large(path: Path) -> None:
    if (size := path.stat().st_size) > _LARGEST_BYTES:
        raise FormatError(f"{path}: {size:,} bytes are too many for points")
