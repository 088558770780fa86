"""What a camera at rest sees of the ground."""

from dataclasses import dataclass

import numpy as np

from sightline.model.arrays import Warp, readonly


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A camera's picture of a plane, known by its homography alone."""

    camera: str
    """As in the pictures it took."""
    width: int
    """Pixels across."""
    height: int
    """Pixels down."""
    px_from_enu: Warp
    """Takes metres east and north on the ground to pixels; the third coordinate is positive in front of the lens."""

    def __post_init__(self) -> None:
        """Refuses what is no view of a plane.

        Raises:
            ValueError: the matrix has no inverse, or not only numbers.
        """
        if not (np.isfinite(self.px_from_enu).all() and np.linalg.matrix_rank(self.px_from_enu) == 3):
            raise ValueError(
                f"camera {self.camera!r}: its homography has no inverse; choose points that are not in line"
            )
        object.__setattr__(self, "px_from_enu", readonly(self.px_from_enu))
