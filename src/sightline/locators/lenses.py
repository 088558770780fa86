"""Which lens a flying camera has, from whatever is known of it."""

import numpy as np

from sightline.errors import OptionError
from sightline.geometry.camera import intrinsics
from sightline.locators.cameras import focal_35mm_of
from sightline.model.flight import Flight
from sightline.model.lens import Lens

FILM_MM = 36.0
"""Width of the picture that equivalent focal lengths speak of."""
_ZOOMED = 0.02
_APART = 0.05


def lens_of(
    width: int,
    height: int,
    *,
    lens: Lens | None = None,
    fov_deg: float | None = None,
    focal_35mm: float | None = None,
    camera: str | None = None,
    flight: Flight | None = None,
) -> tuple[Lens, str, tuple[str, ...]]:
    """The lens for pictures of that size, where it is from, and what is to be said of it.

    The first that is given: a calibrated ``lens`` (stretched to the size), the angle from left edge to right, the
    focal length of a picture 36 mm wide, that of the ``camera`` of some name, the same as the log tells it.

    Raises:
        OptionError: nothing is given, or no lens can be so; the picture is of another shape than the lens', or no
            camera of that name is known.
    """
    told = _told(flight)
    said = []
    if told is not None and float(np.ptp(told)) > _ZOOMED * float(np.median(told)):
        said.append(f"the log tells focal lengths from {told.min():.0f} to {told.max():.0f} mm; the middle one is used")
    logged = None if told is None else _checked("the log's focal length", float(np.median(told)), 5.0, 1000.0)
    if lens is not None:
        found, how = _stretched(lens, width, height), "calibrated"
    elif fov_deg is not None:
        fov = np.deg2rad(_checked("fov_deg", fov_deg, 1.0, 170.0))
        found, how = Lens.pinhole(width, height, intrinsics(width, height, float(fov))), "angle of view given"
    elif focal_35mm is not None:
        found, how = _of_35mm(width, height, _checked("focal_35mm", focal_35mm, 5.0, 1000.0)), "focal length given"
    elif camera is not None:
        found, how = _of_35mm(width, height, focal_35mm_of(camera)), f"data sheet of {camera}"
        said.append("the focal length is that of photos; if this video mode crops, give crop or fov_deg")
    elif logged is not None:
        return _of_35mm(width, height, logged), "focal length in the log", tuple(said)
    else:
        raise OptionError(
            "the camera's lens is not known: give fov_deg (angle from left to right edge), focal_35mm (its equivalent "
            "focal length, from the maker's data sheet) or camera (its name)"
        )
    if logged is not None:
        ratio = found.focal_px[0] / _of_35mm(width, height, logged).focal_px[0]
        if abs(ratio - 1) > _APART:
            said.append(f"this focal length is {ratio:.2f} times the one in the log ({logged:.0f} mm)")
    return found, how, tuple(said)


def _of_35mm(width: int, height: int, focal_35mm: float) -> Lens:
    """By the width of the picture: videos are cut at top and bottom, not at the sides."""
    angle = float(2 * np.arctan(FILM_MM / (2 * focal_35mm)))
    return Lens.pinhole(width, height, intrinsics(width, height, angle))


def _stretched(lens: Lens, width: int, height: int) -> Lens:
    """The same lens for pictures of another size.

    Raises:
        OptionError: of another shape.
    """
    if (lens.width, lens.height) == (width, height):
        return lens
    across, down = width / lens.width, height / lens.height
    if abs(across / down - 1) > 0.01:
        raise OptionError(
            f"the lens is of pictures {lens.width} x {lens.height}, the video is {width} x {height}: another shape; "
            "calibrate it on the video itself"
        )
    focal = [across] if lens.model.has_one_focal else [across, down]
    params = lens.params.copy()
    params[: len(focal) + 2] *= [*focal, across, down]
    return Lens(lens.model, width, height, params)


def _checked(name: str, value: float, least: float, most: float) -> float:
    """The value.

    Raises:
        OptionError: it is beyond reason.
    """
    if not least <= value <= most:
        raise OptionError(f"{name} must be {least:g} to {most:g}, not {value:g}")
    return value


def _told(flight: Flight | None) -> np.ndarray | None:
    """Focal lengths in the log."""
    if flight is None:
        return None
    known = flight.focal_35mm[np.isfinite(flight.focal_35mm)]
    return known if len(known) else None
