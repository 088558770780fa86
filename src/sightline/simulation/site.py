"""A made-up place: what stands on its ground, where one can go, and where its cameras hang."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from sightline.geometry.camera import intrinsics
from sightline.geometry.rigid import looking_at
from sightline.model.camera import Camera

Shape = Literal["box", "cylinder", "crown"]
Span = tuple[float, float, float]
Spot = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Solid:
    """Something that stands still and hides what is behind it, inscribed in an upright box."""

    low_m: Span
    """West, south and lower end, in metres east, north and up."""
    high_m: Span
    """East, north and upper end."""
    finish: str = "plaster"
    """What its surface is made of: see ``rendering.finishes``."""
    rgb: tuple[int, int, int] = (190, 186, 178)
    """Its main colour."""
    shape: Shape = "box"
    """A box, an upright cylinder, or the leafy crown of a tree."""

    @property
    def in_the_way(self) -> bool:
        """Whether people have to walk round it."""
        return self.low_m[2] < 1.9


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of ground; later ones cover earlier ones."""

    low_m: Spot
    """South-west corner, in metres east and north."""
    high_m: Spot
    """North-east corner."""
    finish: str
    """What it is covered with: see ``rendering.ground``."""


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a camera hangs, and what it looks at."""

    eye_m: Span
    """The lens, in metres east, north and up."""
    target_m: Span
    """A point in the middle of its picture."""
    fov_across_deg: float
    """Angle from the left edge of the picture to the right."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A straight lane along the road, west to east or back."""

    north_m: float
    """Where its middle runs."""
    ends_m: Spot
    """East coordinate of where traffic appears, and of where it leaves; both out of sight."""


@dataclass(frozen=True, slots=True)
class Site:
    """A made-up place. East, north and up are metres from ``origin``; the ground is flat, at height 0."""

    name: str
    """What to call it."""
    origin_lat_lon_deg: tuple[float, float]
    """Where on Earth (0, 0) is said to be."""
    low_m: Spot
    """South-west corner of its map."""
    high_m: Spot
    """North-east corner of its map."""
    solids: tuple[Solid, ...]
    """All that stands on it."""
    areas: tuple[Area, ...]
    """What its ground is covered with."""
    mounts: tuple[Mount, ...]
    """Places for cameras: the first two see the same square."""
    spots: tuple[Spot, ...]
    """Where people go, and stop for a while."""
    gates: tuple[Spot, ...]
    """Where people leave and come back, out of sight of every camera."""
    road: Area
    """Where nobody walks, but for the crossings."""
    crossings: tuple[Area, ...]
    """Where people may cross the road, and have precedence."""
    lanes: tuple[Lane, ...]
    """Where vehicles drive."""
    sun_enu: Span
    """Direction to the sun, length one."""

    def cameras(self, n: int, size: tuple[int, int]) -> tuple[Camera, ...]:
        """The first ``n`` cameras, named ``cam1`` and so on, with pictures of that width and height."""
        return tuple(
            Camera(
                name=f"cam{number}",
                width=size[0],
                height=size[1],
                px_from_cam=intrinsics(*size, float(np.radians(mount.fov_across_deg))),
                cam_from_enu=looking_at(np.array(mount.eye_m), np.array(mount.target_m)),
            )
            for number, mount in enumerate(self.mounts[:n], start=1)
        )

    def boxes(self) -> tuple[Float[np.ndarray, "k 3"], Float[np.ndarray, "k 3"]]:
        """Lower and upper corners of all solids, in their order."""
        low = np.array([solid.low_m for solid in self.solids]).reshape(-1, 3)
        return low, np.array([solid.high_m for solid in self.solids]).reshape(-1, 3)
