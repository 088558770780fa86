"""A camera: its lens, and where it stands."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from sightline.model.arrays import readonly


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """A pinhole camera. In its own frame x is right, y down, z forward."""

    name: str
    """As in the pictures it took."""
    width: int
    """Pixels across."""
    height: int
    """Pixels down."""
    px_from_cam: Float[np.ndarray, "3 3"]
    """Intrinsic matrix; the top-left corner of the picture is (0, 0)."""
    cam_from_enu: Float[np.ndarray, "4 4"]
    """Takes metres east, north and up of the site's origin to metres in the camera's frame."""

    def __post_init__(self) -> None:
        for name in ("px_from_cam", "cam_from_enu"):
            object.__setattr__(self, name, readonly(getattr(self, name)))
