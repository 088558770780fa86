"""The picture of a site's map, and where its metres are on it."""

from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from jaxtyping import Float

from sightline.errors import FormatError
from sightline.formats.picture import decoded
from sightline.formats.report import MapPicture
from sightline.model.arrays import Image
from sightline.model.site import Site

_MARGIN_M = 2.0
_LONGEST_PX = 1000
_PALE = 0.4
"""Of white over it, so that what is drawn on it shows."""
_QUALITY = 80


def picture_under(site: Site) -> tuple[Path, Float[np.ndarray, "2 3"]] | None:
    """The file with the picture, and what takes metres of the map to its pixels; None where there is no such file."""
    if site.map.picture is None or not Path(site.map.picture).is_file():
        return None
    scale = site.map.metres_per_unit or 1.0
    rows = site.map.picture_from_map or ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    return Path(site.map.picture), np.array(rows, np.float64) * np.array([1 / scale, 1 / scale, 1.0])


def is_y_down(site: Site) -> bool:
    """Whether the map's y runs to the right of its x, as in pictures.

    Told by the anchor, else by the map's picture: a mirrored map would be a wrong one.
    """
    if site.map.anchor is not None:
        return site.map.anchor.is_y_down
    under = picture_under(site)
    return under is not None and float(np.linalg.det(under[1][:, :2])) > 0


def pale_map(site: Site, xy_m: Float[np.ndarray, "n 2"]) -> MapPicture | None:
    """The part of the map around these points, x to the right and y up; None without points or a picture of the map.

    Where y runs down on the map, the points and the part are of its mirror image, (x, -y). Points with NaN count not.

    Raises:
        FormatError: the picture cannot be read.
    """
    under = picture_under(site)
    xy_m = xy_m[np.isfinite(xy_m).all(axis=1)]
    if under is None or not len(xy_m):
        return None
    low_m, high_m = xy_m.min(axis=0) - _MARGIN_M, xy_m.max(axis=0) + _MARGIN_M
    path, px_from_m = under
    try:
        picture: Image = decoded(path, path.name)
    except OSError as error:
        raise FormatError(f"{path.name}: the map's picture cannot be read ({error.strerror})") from None
    size_m = high_m - low_m
    per_px_m = float(size_m.max()) / _LONGEST_PX
    width, height = (max(round(float(side) / per_px_m), 1) for side in size_m)
    up = -1.0 if is_y_down(site) else 1.0
    m_from_drawn = np.array([[per_px_m, 0, low_m[0]], [0, -up * per_px_m, up * high_m[1]], [0, 0, 1.0]])
    px_from_drawn = px_from_m @ m_from_drawn
    drawn = cv2.warpAffine(
        picture, px_from_drawn, (width, height), flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP, borderValue=(255,) * 3
    )
    pale = cv2.addWeighted(drawn, 1 - _PALE, np.full_like(drawn, 255), _PALE, 0)
    jpeg = simplejpeg.encode_jpeg(np.ascontiguousarray(pale), _QUALITY, "RGB", "420")
    return MapPicture(jpeg, (float(low_m[0]), float(low_m[1])), (float(high_m[0]), float(high_m[1])))
