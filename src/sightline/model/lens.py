"""A lens: how a camera's directions become pixels."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float

from sightline.model.arrays import readonly


class LensModel(StrEnum):
    """COLMAP's names for the formulas, those that are known here."""

    SIMPLE_PINHOLE = "SIMPLE_PINHOLE"
    """f, cx, cy."""
    PINHOLE = "PINHOLE"
    """fx, fy, cx, cy."""
    SIMPLE_RADIAL = "SIMPLE_RADIAL"
    """f, cx, cy, k."""
    RADIAL = "RADIAL"
    """f, cx, cy, k1, k2."""
    OPENCV = "OPENCV"
    """fx, fy, cx, cy, k1, k2, p1, p2."""
    FULL_OPENCV = "FULL_OPENCV"
    """fx, fy, cx, cy, k1, k2, p1, p2, k3, k4, k5, k6."""
    SIMPLE_RADIAL_FISHEYE = "SIMPLE_RADIAL_FISHEYE"
    """f, cx, cy, k."""
    RADIAL_FISHEYE = "RADIAL_FISHEYE"
    """f, cx, cy, k1, k2."""
    OPENCV_FISHEYE = "OPENCV_FISHEYE"
    """fx, fy, cx, cy, k1, k2, k3, k4."""

    @property
    def has_one_focal(self) -> bool:
        """Whether pixels are square by definition, so that one focal length says all."""
        return self not in {self.PINHOLE, self.OPENCV, self.FULL_OPENCV, self.OPENCV_FISHEYE}

    @property
    def is_fisheye(self) -> bool:
        """Whether distances in the picture go with the angle rather than with its tangent."""
        return self.value.endswith("FISHEYE")

    @property
    def n_params(self) -> int:
        """How many numbers the formula has."""
        return _N_PARAMS[self]


_N_PARAMS = {
    LensModel.SIMPLE_PINHOLE: 3,
    LensModel.PINHOLE: 4,
    LensModel.SIMPLE_RADIAL: 4,
    LensModel.RADIAL: 5,
    LensModel.OPENCV: 8,
    LensModel.FULL_OPENCV: 12,
    LensModel.SIMPLE_RADIAL_FISHEYE: 4,
    LensModel.RADIAL_FISHEYE: 5,
    LensModel.OPENCV_FISHEYE: 8,
}


@dataclass(frozen=True, slots=True, eq=False)
class Lens:
    """One camera's lens and picture size; the picture's top-left corner is (0, 0), its first pixel's centre 0.5."""

    model: LensModel
    """The formula."""
    width: int
    """Pixels across."""
    height: int
    """Pixels down."""
    params: Float[np.ndarray, " p"]
    """Its numbers in pixels, in COLMAP's order: focal length or lengths, principal point, distortion."""

    def __post_init__(self) -> None:
        if len(self.params) != self.model.n_params:
            raise ValueError(f"{self.model} has {self.model.n_params} parameters, not {len(self.params)}")
        object.__setattr__(self, "params", readonly(self.params))

    @property
    def focal_px(self) -> tuple[float, float]:
        """Focal lengths across and down."""
        return float(self.params[0]), float(self.params[0 if self.model.has_one_focal else 1])

    @property
    def centre_px(self) -> tuple[float, float]:
        """Where the axis meets the picture."""
        first = 1 if self.model.has_one_focal else 2
        return float(self.params[first]), float(self.params[first + 1])

    @property
    def distortion(self) -> Float[np.ndarray, " d"]:
        """The numbers after focal lengths and principal point."""
        return self.params[3 if self.model.has_one_focal else 4 :]

    @property
    def px_from_cam(self) -> Float[np.ndarray, "3 3"]:
        """Intrinsic matrix, without distortion."""
        (fx, fy), (cx, cy) = self.focal_px, self.centre_px
        return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])

    @classmethod
    def pinhole(cls, width: int, height: int, px_from_cam: Float[np.ndarray, "3 3"]) -> "Lens":
        """One without distortion."""
        params = np.array([px_from_cam[0, 0], px_from_cam[1, 1], px_from_cam[0, 2], px_from_cam[1, 2]], np.float64)
        return cls(LensModel.PINHOLE, width, height, params)
