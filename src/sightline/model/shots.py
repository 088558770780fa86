"""Pictures to rebuild a scene from, and what is known of each beforehand."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from sightline.model.arrays import Image, readonly
from sightline.model.lens import Lens
from sightline.model.scene import Scale


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One picture. Whatever is None is not known and is found out."""

    name: str
    """File name; tells it from the others."""
    read: Callable[[], Image]
    """Gives the picture, upright, always the same; asked for more than once, so that not all need be kept."""
    camera: str = ""
    """Who took it: pictures of one camera and one size are taken to have one lens."""
    lens: Lens | None = None
    """The lens, calibrated: kept as it is."""
    focal_px: float | None = None
    """Roughly the focal length, as EXIF tells it: where the search begins."""
    cam_from_world: Float[np.ndarray, "4 4"] | None = None
    """Takes metres of the world to metres in the camera's frame."""
    eye_world_m: Float[np.ndarray, " 3"] | None = None
    """Where it was taken in the world, metres, as GPS tells it: several metres wrong, perhaps."""

    def __post_init__(self) -> None:
        for name in ("cam_from_world", "eye_world_m"):
            array = getattr(self, name)
            object.__setattr__(self, name, None if array is None else readonly(array))


@dataclass(frozen=True, slots=True, eq=False)
class Shots:
    """Pictures of one scene at rest."""

    shots: tuple[Shot, ...]
    """Those pictures; names are not repeated."""
    is_sequence: bool = False
    """Whether each was taken soon after the one before, as in a video."""
    unit: Scale | None = None
    """What a scene laid into the world says its unit comes from; None: given poses, or GPS for positions alone."""
    origin: tuple[float, float, float | None] | None = None
    """Latitude and longitude in degrees and height in metres of the world's origin, if its axes are east, north, up."""

    def __post_init__(self) -> None:
        names = [shot.name for shot in self.shots]
        if len(set(names)) < len(names):
            raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice")

    def __len__(self) -> int:
        return len(self.shots)
