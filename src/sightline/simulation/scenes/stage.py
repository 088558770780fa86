"""A place before a camera: pictures of it, and the truth about each of them."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final, final

import numpy as np
from jaxtyping import Float, Float32
from scipy.spatial.transform import Rotation

from sightline import __version__
from sightline.errors import OptionError
from sightline.geometry.camera import intrinsics
from sightline.geometry.lens import straightened
from sightline.geometry.rigid import inverse
from sightline.model.arrays import Image
from sightline.model.lens import Lens, LensModel
from sightline.model.scene import MadeBy, Maps, Scale, Scene, Views
from sightline.model.shots import Shot, Shots
from sightline.simulation.scenes import casting
from sightline.simulation.scenes.lighting import light
from sightline.simulation.scenes.packing import TILE, Shapes, Textures, shapes, textures, visible
from sightline.simulation.scenes.places import Place, place
from sightline.simulation.scenes.texture import levels, texture

_PICTURE, _LOOK, _LIGHT, _PLACE = range(4)
"""What chance is asked for; each has a row of its own, so that one does not change the others."""
_TILE: Final = TILE


@dataclass(frozen=True, slots=True)
class Sensor:
    """The camera and its flaws."""

    size: tuple[int, int] = (960, 720)
    """Width and height of pictures."""
    fov_across_rad: float = 1.1
    """What the lens sees from left to right, were it without distortion."""
    distortion: tuple[float, float] = (0.0, 0.0)
    """k1 and k2 of a radial lens."""
    noise: float = 2.0
    """Standard deviation in grey levels."""
    exposure: float = 0.0
    """Pictures are up to so much brighter or darker, as a share."""
    blur_px: float = 0.0
    """How far the middle of the picture moves while it is taken."""
    fineness: int = 2
    """Rays per pixel across and down."""

    def __post_init__(self) -> None:
        wrong = [
            (not all(64 <= side <= 8192 for side in self.size), "size", "from 64 to 8192"),
            (not 0.1 <= self.fov_across_rad <= 2.4, "fov_across_rad", "from 0.1 to 2.4"),
            (not all(abs(k) <= 0.5 for k in self.distortion), "distortion", "from -0.5 to 0.5"),
            (not 0 <= self.noise <= 50, "noise", "from 0 to 50 grey levels"),
            (not 0 <= self.exposure < 1, "exposure", "0 or more, less than 1"),
            (not 0 <= self.blur_px <= 50, "blur_px", "from 0 to 50 pixels"),
            (not 1 <= self.fineness <= 8, "fineness", "from 1 to 8"),
        ]
        for is_wrong, name, should in wrong:
            if is_wrong:
                raise OptionError(f"sensor: {name} = {getattr(self, name)!r} should be {should}")

    @property
    def straight(self) -> Lens:
        """The lens without its distortion."""
        return Lens.pinhole(*self.size, intrinsics(*self.size, self.fov_across_rad))

    @property
    def lens(self) -> Lens:
        """The lens that takes the pictures."""
        if self.distortion == (0.0, 0.0):
            return self.straight
        params = [self.straight.focal_px[0], *self.straight.centre_px, *self.distortion]
        return Lens(LensModel.RADIAL, *self.size, np.array(params))


@final
class Stage:
    """Pictures of a made-up place and the truth about them, the same for the same seed, in any order."""

    def __init__(self, name: str, *, n_views: int = 20, seed: int = 0, sensor: Sensor | None = None) -> None:
        if n_views < 1 or seed < 0:
            raise OptionError(f"n_views = {n_views}, seed = {seed}: at least 1 and 0")
        self.name = name
        self.seed = seed
        self.sensor = sensor or Sensor()
        self.place: Place = place(name, n_views, self._chance(_PLACE))
        self.names = tuple(f"{name}-{view:03d}.png" for view in range(n_views))
        self._shapes: Shapes = shapes(self.place.surfaces)

    def __len__(self) -> int:
        return len(self.names)

    def picture(self, view: int) -> Image:
        """What the camera sees, flaws and all."""
        chance = self._chance(_PICTURE, view)
        fine, sensor = self.sensor.fineness, self.sensor
        spots = ((np.stack(np.meshgrid(np.arange(fine), np.arange(fine)), axis=-1) + 0.5) / fine - 0.5).reshape(-1, 2)
        poses = self._shaken(view, chance.permutation(len(spots)), chance)
        flat, slope = self._rays
        looks, of = self._textures, self._shapes
        solids = (of.local_from_scene, of.kinds, of.heights, *visible(flat, poses, of), _TILE)
        sky = np.array(self.place.sky, np.float64)
        rgb = casting.painted(flat, slope, spots, poses, *solids, looks.texels, looks.levels, looks.per_unit, sky)
        rgb *= np.float32(1 + chance.uniform(-sensor.exposure, sensor.exposure))
        rgb += np.float32(sensor.noise) * chance.standard_normal(rgb.shape, np.float32)
        return np.rint(np.clip(rgb, 0, 255)).astype(np.uint8)

    def surfaces(self, view: int) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w 3"]]:
        """Depth through the lens without distortion, and normals in the scene towards the camera; NaN for the sky."""
        lens = self.sensor.straight
        poses = inverse(self.place.cam_from_scene[view])[None, :3]
        flat, of = _straight(lens), self._shapes
        depth, _, normal = casting.truth(
            flat, poses[0], of.local_from_scene, of.kinds, of.heights, *visible(flat, poses, of), _TILE
        )
        return depth.astype(np.float32), normal

    def truth(self) -> Scene:
        """Cameras and exact depth of all views, in metres."""
        lens = self.sensor.straight
        maps = tuple(Maps(lens, depth=self.surfaces(view)[0]) for view in range(len(self)))
        views = Views(self.names, np.zeros(len(self), np.int64), self.place.cam_from_scene, np.ones(len(self), bool))
        made_by = MadeBy("simulation", __version__, settings={"place": self.name, "seed": self.seed})
        return Scene((self.sensor.lens,), views, made_by, maps, scale=Scale.POSES)

    def shots(self) -> Shots:
        """The pictures, for an engine that knows nothing more of them; painted whenever they are asked for."""
        shots = (Shot(name, partial(self.picture, view)) for view, name in enumerate(self.names))
        return Shots(tuple(shots), self.place.is_sequence)

    @cached_property
    def _rays(self) -> tuple[Float[np.ndarray, "h w 2"], Float[np.ndarray, "h w 2 2"]]:
        """Directions of pixels' centres through the lens, and how they change per pixel."""
        lens = self.sensor.lens
        if lens.model is LensModel.PINHOLE:
            flat = _straight(lens)
        else:
            flat = straightened(lens, _centres(lens).reshape(-1, 2)).reshape(lens.height, lens.width, 2)
            if np.isnan(flat).any():
                raise OptionError(f"sensor: distortion = {self.sensor.distortion} folds the picture's corners over")
        slope = np.stack([np.gradient(flat, axis=1), np.gradient(flat, axis=0)], axis=-1)
        return flat, np.ascontiguousarray(slope)

    @cached_property
    def _textures(self) -> Textures:
        """What the surfaces look like, lit."""
        looks, per_m = [], self.place.texels_per_m * self.sensor.size[0] / 960
        for number, one in enumerate(self.place.surfaces):
            chance = self._chance(_LOOK, number)
            plain = texture(one.finish, one.size_m, per_m, one.rgb, chance)
            size = (plain.shape[1], plain.shape[0])
            looks.append(levels(plain * light(one, self.place, self._shapes, size, self._chance(_LIGHT))))
        return textures(looks, self.place.surfaces)

    def _shaken(self, view: int, moments: np.ndarray, chance: np.random.Generator) -> Float[np.ndarray, "s 3 4"]:
        """``scene_from_cam`` at moments while the picture is taken; the truth is the middle one."""
        scene_from_cam = inverse(self.place.cam_from_scene[view])
        angle = self.sensor.blur_px / self.sensor.straight.focal_px[0]
        way = chance.uniform(0, 2 * np.pi)
        when = (moments + 0.5) / len(moments) - 0.5
        turns = np.outer(when * angle, [np.cos(way), np.sin(way), 0.0])
        poses = np.tile(scene_from_cam[:3], (len(moments), 1, 1))
        poses[:, :, :3] = scene_from_cam[:3, :3] @ Rotation.from_rotvec(turns).as_matrix()
        return np.ascontiguousarray(poses)

    def _chance(self, *row: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *row])


def _centres(lens: Lens) -> Float[np.ndarray, "h w 2"]:
    return np.stack(np.meshgrid(np.arange(lens.width) + 0.5, np.arange(lens.height) + 0.5), axis=-1)


def _straight(lens: Lens) -> Float[np.ndarray, "h w 2"]:
    """Directions of pixels' centres, were there no distortion."""
    return (_centres(lens) - lens.centre_px) / lens.focal_px
