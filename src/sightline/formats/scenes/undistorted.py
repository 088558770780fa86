"""Pictures without distortion beside their COLMAP model: ``images/`` and ``sparse/0``, as splatting trainers want."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32

from sightline.errors import FormatError
from sightline.formats.scenes import colmap
from sightline.formats.scenes.folder import safe, staged
from sightline.geometry import lens as lenses
from sightline.model.arrays import Image
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import DensePoints, Scene, SparsePoints

QUALITY = 95
"""Of JPEG and WebP."""
_ZOOMS = 0.8, 2.0
"""A pinhole's focal length is the lens's own times something between."""
_KNOWN = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
_MOST_POINTS = 100_000


def write(scene: Scene, folder: Path, picture: Callable[[int], Image]) -> None:
    """Puts straightened pictures of all views with a place, and their model, into the folder.

    ``picture`` gives a view's picture as it was taken, at the size that its lens says; one is held at a time.
    Every lens becomes a pinhole of the same size that sees as much as it can without a blank border.
    Pictures keep their names; where the suffix is of no format that can be written, PNG is added.
    A scene without sparse points hands over some of its dense ones.

    Raises:
        FormatError: a picture of another size than its lens says, or a name that leads out of the folder.
        OSError: the files cannot be written; the folder is as it was then.
    """
    pinholes = tuple(pinhole(lens) for lens in scene.lenses)
    maps: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    names = [_name(name) for name in scene.views.names]
    with staged(folder) as partial:
        for view in np.flatnonzero(scene.views.is_registered).tolist():
            number = int(scene.views.lens[view])
            lens = scene.lenses[number]
            rgb = picture(view)
            if rgb.shape[:2] != (lens.height, lens.width):
                size = f"{rgb.shape[1]} x {rgb.shape[0]}, its lens {lens.width} x {lens.height}"
                raise FormatError(f"{folder}: picture {scene.views.names[view]!r} is {size}")
            if number not in maps:
                maps[number] = _sources(lens, pinholes[number])
            columns, rows = maps[number]
            straight = cv2.remap(rgb, columns, rows, cv2.INTER_CUBIC)
            _save(straight, partial / "images" / names[view])
        views = replace(scene.views, names=tuple(map(str, names)))
        model = replace(scene, lenses=pinholes, views=views, sparse=_straight(scene, pinholes))
        colmap.write(model, partial / "sparse" / "0")


def pinhole(lens: Lens) -> Lens:
    """A lens without distortion of the same size and centre that sees as much as it can of what ``lens`` sees.

    Its focal length is the least at which the whole border of its picture lies in the other's.
    """
    matrix = lens.px_from_cam
    if lens.model in {LensModel.PINHOLE, LensModel.SIMPLE_PINHOLE}:
        return Lens.pinhole(lens.width, lens.height, matrix)
    low, high = _ZOOMS
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if _fits(lens, _zoomed(lens, middle)) else (middle, high)
    return _zoomed(lens, high)


def _zoomed(lens: Lens, zoom: float) -> Lens:
    matrix = lens.px_from_cam @ np.diag([zoom, zoom, 1.0])
    return Lens.pinhole(lens.width, lens.height, matrix)


def _fits(lens: Lens, straight: Lens) -> bool:
    """Whether every pixel of the border is somewhere in the distorted picture, further in than the next one out."""
    across, down = np.linspace(0, lens.width, 33), np.linspace(0, lens.height, 33)
    sides = [(across, 0 * across), (across, 0 * across + lens.height), (0 * down, down), (0 * down + lens.width, down)]
    border = np.concatenate([np.stack(side, axis=-1) for side in sides])
    rays = (border - straight.centre_px) / straight.focal_px
    here, beyond = lenses.distorted(lens, rays), lenses.distorted(lens, rays * 1.001)
    px = here * lens.focal_px + lens.centre_px
    is_unfolded = (beyond * beyond).sum(axis=1) > (here * here).sum(axis=1)
    return bool(((px >= 0) & (px <= [lens.width, lens.height])).all() and is_unfolded.all())


def _sources(lens: Lens, straight: Lens) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """Column and row of the distorted picture for each pixel, as OpenCV counts: from the first pixel's centre."""
    (fx, fy), (cx, cy) = straight.focal_px, straight.centre_px
    across = (np.arange(straight.width) + 0.5 - cx) / fx
    columns, rows = np.empty((2, straight.height, straight.width), np.float32)
    for row in range(straight.height):
        flat = np.stack([across, np.full_like(across, (row + 0.5 - cy) / fy)], axis=-1)
        px = lenses.distorted(lens, flat) * lens.focal_px + lens.centre_px - 0.5
        columns[row], rows[row] = px.T
    return columns, rows


def _name(name: str) -> PurePosixPath:
    """Where a picture is written, under ``images``."""
    path = safe(name, "views")
    return path if path.suffix.lower() in _KNOWN else path.with_name(f"{path.name}.png")


def _save(rgb: Image, path: Path) -> None:
    """Writes a picture in the format that its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = {".jpg": cv2.IMWRITE_JPEG_QUALITY, ".jpeg": cv2.IMWRITE_JPEG_QUALITY, ".webp": cv2.IMWRITE_WEBP_QUALITY}
    flag = flags.get(path.suffix.lower())
    options = [] if flag is None else [flag, QUALITY]
    _, data = cv2.imencode(path.suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    path.write_bytes(data.data)


def _straight(scene: Scene, pinholes: tuple[Lens, ...]) -> SparsePoints:
    """Sparse points with what the straightened pictures see of them; those that fewer than two see are left out."""
    sparse = scene.sparse
    if not len(sparse):
        return sparse_of(scene.dense)
    xy = np.full_like(sparse.track_xy_px, np.nan)
    lens_of = scene.views.lens[sparse.track_view]
    for number, (lens, straight) in enumerate(zip(scene.lenses, pinholes, strict=True)):
        mine = lens_of == number
        xy[mine] = lenses.straightened(lens, sparse.track_xy_px[mine]) * straight.focal_px + straight.centre_px
    sizes = np.array([(lens.width, lens.height) for lens in scene.lenses]).reshape(-1, 2)
    seen: Bool[np.ndarray, " o"] = ((xy >= 0) & (xy <= sizes[lens_of])).all(axis=1)
    seen &= scene.views.is_registered[sparse.track_view]
    sums = np.concatenate([[0], np.cumsum(seen)])
    lengths = sums[sparse.track_start[1:]] - sums[sparse.track_start[:-1]]
    kept = lengths >= 2
    seen &= np.repeat(kept, np.diff(sparse.track_start))
    return SparsePoints(
        sparse.xyz_scene[kept],
        sparse.rgb[kept],
        sparse.error_px[kept],
        np.concatenate([[0], np.cumsum(lengths[kept])]),
        sparse.track_view[seen],
        xy[seen],
    )


def sparse_of(dense: DensePoints, most: int = _MOST_POINTS) -> SparsePoints:
    """Some of the dense points, evenly taken, as sparse points that nobody saw: what trainers can start from."""
    known = np.flatnonzero(np.isfinite(dense.xyz_scene).all(axis=1))
    which = known[np.linspace(0, len(known) - 1, min(most, len(known))).astype(np.int64)]
    xyz: Float[np.ndarray, "n 3"] = dense.xyz_scene[which].astype(np.float64)
    nobody = np.zeros(0, np.int64)
    starts = np.zeros(len(which) + 1, np.int64)
    return SparsePoints(xyz, dense.rgb[which], np.full(len(which), np.nan), starts, nobody, np.zeros((0, 2)))
