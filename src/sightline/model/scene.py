"""A scene rebuilt from pictures: who looked from where through which lens, how deep they saw, and what stands there.

The ``scene`` frame is a reconstruction's own; ``Scale`` says whether its unit is the metre.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8

from sightline.model.arrays import Image, readonly
from sightline.model.lens import Lens


class Scale(StrEnum):
    """Where the unit of a scene's frame comes from."""

    UNKNOWN = "unknown"
    """Pictures alone do not say how large things are: lengths have no unit."""
    POSES = "poses"
    """Metres, from camera positions that were given."""
    GPS = "gps"
    """Metres, from where the pictures say that they were taken."""
    DISTANCE = "distance"
    """Metres, from one distance that was given."""
    MARKERS = "markers"
    """Metres, from markers of known size."""
    MODEL = "model"
    """Metres, as a network believes."""

    @property
    def is_metric(self) -> bool:
        """Whether one unit of the scene is one metre."""
        return self is not Scale.UNKNOWN


@dataclass(frozen=True, slots=True, eq=False)
class MadeBy:
    """What made a scene; every file made of it says so too."""

    engine: str
    """Name of the reconstructor."""
    version: str
    """Of this package."""
    weights: str = ""
    """Which weights; empty: an engine without any."""
    weights_licence: str = ""
    """What those weights may be used for; empty: an engine without any."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What was asked for, as JSON can say it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))

    def __reduce__(self) -> tuple[type["MadeBy"], tuple[object, ...]]:
        """What it takes to make it again in another process: a read-only mapping cannot travel."""
        return MadeBy, (self.engine, self.version, self.weights, self.weights_licence, dict(self.settings))


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """K pictures, and where each was taken."""

    names: tuple[str, ...]
    """File names of the pictures, each once."""
    lens: Int[np.ndarray, " k"]
    """Which of the scene's lenses took it."""
    cam_from_scene: Float[np.ndarray, "k 4 4"]
    """Takes the scene's points to the camera's frame; NaN where the place was not found."""
    is_registered: Bool[np.ndarray, " k"]
    """Whether the place was found."""

    def __post_init__(self) -> None:
        for name in ("lens", "cam_from_scene", "is_registered"):
            object.__setattr__(self, name, readonly(getattr(self, name)))

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """What is known of each pixel of one view, at a size and through a lens of their own."""

    lens: Lens
    """Without distortion; its width and height are those of all maps here."""
    rgb: Image | None = None
    """The picture as this lens would have taken it."""
    depth: Float32[np.ndarray, "h w"] | None = None
    """Along the camera's axis, in the scene's unit; NaN or 0: unknown."""
    depth_confidence: Float32[np.ndarray, "h w"] | None = None
    """0: not to be trusted, more: better; which numbers there are is the engine's."""
    xyz_scene: Float32[np.ndarray, "h w 3"] | None = None
    """Where the pixel's thing is, from an engine that says so without depth and camera."""
    xyz_confidence: Float32[np.ndarray, "h w"] | None = None
    """Of ``xyz_scene``, as ``depth_confidence``."""

    def __post_init__(self) -> None:
        for name in ("rgb", "depth", "depth_confidence", "xyz_scene", "xyz_confidence"):
            array = getattr(self, name)
            if array is None:
                continue
            if array.shape[:2] != (self.lens.height, self.lens.width):
                raise ValueError(f"{name} is {array.shape[:2]}, its lens {self.lens.height, self.lens.width}")
            object.__setattr__(self, name, readonly(array))


@dataclass(frozen=True, slots=True, eq=False)
class SparsePoints:
    """N points found in several pictures each."""

    xyz_scene: Float[np.ndarray, "n 3"]
    """Where."""
    rgb: UInt8[np.ndarray, "n 3"]
    """Mean colour in the pictures."""
    error_px: Float[np.ndarray, " n"]
    """Mean distance between where it is seen and where it should be; NaN: not measured."""
    track_start: Int[np.ndarray, " m"]
    """Point i is seen in rows ``track_start[i]`` to ``track_start[i + 1]`` of the tracks; n + 1 of them, from 0."""
    track_view: Int[np.ndarray, " o"]
    """Which view sees it."""
    track_xy_px: Float[np.ndarray, "o 2"]
    """Where in that view's picture, through its own lens with distortion."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, readonly(getattr(self, name)))
        if len(self.track_start) != len(self.xyz_scene) + 1:
            raise ValueError(f"{len(self.xyz_scene)} points, but {len(self.track_start)} starts of tracks")

    def __len__(self) -> int:
        return len(self.xyz_scene)

    @classmethod
    def none(cls) -> "SparsePoints":
        """No point."""
        return cls(
            np.zeros((0, 3)), np.zeros((0, 3), np.uint8), np.zeros(0),
            np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros((0, 2)),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class DensePoints:
    """N points of surfaces."""

    xyz_scene: Float32[np.ndarray, "n 3"]
    """Where."""
    rgb: UInt8[np.ndarray, "n 3"]
    """Colour."""
    normal_scene: Float32[np.ndarray, "n 3"] | None = None
    """Out of the surface, towards who saw it, length one; NaN: unknown."""
    confidence: Float32[np.ndarray, " n"] | None = None
    """As ``Maps.depth_confidence``."""
    view: Int[np.ndarray, " n"] | None = None
    """Which view it was taken from."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            array = getattr(self, name)
            object.__setattr__(self, name, None if array is None else readonly(array))

    def __len__(self) -> int:
        return len(self.xyz_scene)

    @classmethod
    def none(cls) -> "DensePoints":
        """No point."""
        return cls(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8))


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A surface of triangles."""

    xyz_scene: Float32[np.ndarray, "n 3"]
    """Corners."""
    triangles: Int[np.ndarray, "m 3"]
    """Rows of the corners, counterclockwise seen from outside."""
    rgb: UInt8[np.ndarray, "n 3"] | None = None
    """Colours of the corners."""
    normal_scene: Float32[np.ndarray, "n 3"] | None = None
    """Out of the surface at the corners, length one."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            array = getattr(self, name)
            object.__setattr__(self, name, None if array is None else readonly(array))


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Cameras, depth and points that belong together."""

    lenses: tuple[Lens, ...]
    """Of the pictures as they were taken; several views may share one."""
    views: Views
    """The pictures, those that found no place among them."""
    made_by: MadeBy
    """What made it."""
    maps: tuple[Maps | None, ...] = ()
    """One per view, None where there is nothing; or none at all."""
    sparse: SparsePoints = field(default_factory=SparsePoints.none)
    """Points that several views agree on."""
    dense: DensePoints = field(default_factory=DensePoints.none)
    """Points of surfaces, from an engine that fuses its maps into one cloud."""
    mesh: Mesh | None = None
    """The surface through them."""
    scale: Scale = Scale.UNKNOWN
    """Whether a unit is a metre, and why."""

    def __post_init__(self) -> None:
        if self.maps and len(self.maps) != len(self.views):
            raise ValueError(f"{len(self.views)} views, but {len(self.maps)} maps")
