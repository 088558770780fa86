"""Pictures as a lens without distortion would have taken them, at the size that is worked at."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from sightline.formats.scenes.undistorted import pinhole
from sightline.geometry import lens as lenses
from sightline.model.arrays import Image
from sightline.model.lens import Lens


@dataclass(frozen=True, slots=True, eq=False)
class Straight:
    """One placed picture."""

    lens: Lens
    """Without distortion."""
    rgb: Image
    """What it shows."""
    cam_from_scene: Float[np.ndarray, "4 4"]
    """Where it was taken."""

    @property
    def px_from_cam(self) -> Float[np.ndarray, "3 3"]:
        """Intrinsic matrix that counts from the first pixel's centre."""
        matrix = self.lens.px_from_cam
        matrix[:2, 2] -= 0.5
        return matrix


def straight(rgb: Image, lens: Lens, cam_from_scene: Float[np.ndarray, "4 4"], side_px: int) -> Straight:
    """The picture straightened, its longer side no longer than ``side_px``."""
    wanted = sized(pinhole(lens), side_px)
    if wanted.width < lens.width:
        # Made smaller first: a pixel then stands for all that it covers.
        rgb = cv2.resize(rgb, (wanted.width, wanted.height), interpolation=cv2.INTER_AREA)
        lens = resized(lens, wanted.width, wanted.height)
    if not np.any(lens.distortion):
        return Straight(wanted, np.ascontiguousarray(rgb), cam_from_scene)
    (fx, fy), (cx, cy) = wanted.focal_px, wanted.centre_px
    across = np.tile((np.arange(wanted.width) + 0.5 - cx) / fx, (wanted.height, 1))
    down = np.tile(((np.arange(wanted.height) + 0.5 - cy) / fy)[:, None], (1, wanted.width))
    px = lenses.distorted(lens, np.stack([across, down], axis=-1)) * lens.focal_px + lens.centre_px - 0.5
    columns, rows = np.ascontiguousarray(np.moveaxis(px, -1, 0), np.float32)
    seen = cv2.remap(rgb, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return Straight(wanted, seen.astype(np.uint8), cam_from_scene)


def sized(lens: Lens, side_px: int) -> Lens:
    """The same lens on a smaller picture; as it is if small enough."""
    factor = side_px / max(lens.width, lens.height)
    if factor >= 1:
        return lens
    return resized(lens, max(8, round(lens.width * factor)), max(8, round(lens.height * factor)))


def resized(lens: Lens, width: int, height: int) -> Lens:
    """The same lens on a picture of this size; one focal length stays one, so sides must be in about the same ratio."""
    across, down = width / lens.width, height / lens.height
    params = lens.params.copy()
    if lens.model.has_one_focal:
        params[:3] *= [(across * down) ** 0.5, across, down]
    else:
        params[:4] *= [across, down, across, down]
    return Lens(lens.model, width, height, params)


def across(view: Straight, other: Straight) -> Float[np.ndarray, "3 4"]:
    """Takes (x, y, 1) times depth, and 1, to the other's (x, y, 1) times its depth."""
    motion = other.cam_from_scene @ np.linalg.inv(view.cam_from_scene)
    matrix = np.empty((3, 4))
    matrix[:, :3] = other.px_from_cam @ motion[:3, :3] @ np.linalg.inv(view.px_from_cam)
    matrix[:, 3] = other.px_from_cam @ motion[:3, 3]
    return matrix
