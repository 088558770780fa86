"""Light on surfaces that does not depend on who looks: a lamp with shadows, and daylight that nooks keep out."""

import cv2
import numpy as np
from jaxtyping import Float, Float32

from sightline.simulation.scenes.casting import shaded_share
from sightline.simulation.scenes.packing import Shapes
from sightline.simulation.scenes.places import Place
from sightline.simulation.scenes.surface import Surface

_AMBIENT, _LAMP = 0.55, 0.75
_LAMPS, _WAYS = 5, 24


def light(
    surface: Surface, place: Place, shapes: Shapes, size: tuple[int, int], rng: np.random.Generator
) -> Float32[np.ndarray, "h w 1"]:
    """What to multiply a texture of that width and height with."""
    width, height = (int(np.clip(side // 8, 4, 200)) for side in size)
    across, up = np.meshgrid((np.arange(width) + 0.5) / width, 1 - (np.arange(height) + 0.5) / height)
    xyz, out = surface.at(np.column_stack([across.ravel(), up.ravel()]))
    rest = (shapes.local_from_scene, shapes.kinds, shapes.heights)
    distance = float(np.linalg.norm(place.lamp))
    lamps = np.array(place.lamp) + rng.normal(0, 0.02 * distance, (_LAMPS, 3))
    direct = shaded_share(xyz, out, lamps, True, 1.0, *rest)
    ambient = shaded_share(xyz, out, _all_around(), False, place.nook_m, *rest)
    total = (_AMBIENT * ambient + _LAMP * direct).reshape(height, width).astype(np.float32)
    return cv2.resize(total, size, interpolation=cv2.INTER_LINEAR)[..., None]


def _all_around() -> Float[np.ndarray, "n 3"]:
    """Directions spread evenly over the sphere. Source: the golden spiral."""
    k = np.arange(2 * _WAYS) + 0.5
    z, turn = 1 - k / _WAYS, np.pi * (1 + np.sqrt(5)) * k
    flat = np.sqrt(1 - z * z)
    return np.column_stack([flat * np.cos(turn), flat * np.sin(turn), z])
