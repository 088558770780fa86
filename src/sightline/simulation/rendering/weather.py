"""How the light changes while a camera watches: clouds that pass, and a sensor that is never quite the same twice."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int8

from sightline.model.arrays import Image

_WAVES = 5
_BANK = 3
"""Noise pictures made once per camera; each frame takes one, shifted, turned and mirrored at random."""


@dataclass(frozen=True, slots=True, eq=False)
class Weather:
    """Clouds over a site: the same for all its cameras."""

    rate_hz: Float[np.ndarray, " w"]
    """How fast each of several waves passes."""
    start_rad: Float[np.ndarray, " w"]
    """Where each begins."""

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Weather":
        """A day with some clouds."""
        return cls(
            np.geomspace(0.012, 0.12, _WAVES) * rng.uniform(0.8, 1.25, _WAVES), rng.uniform(0, 2 * np.pi, _WAVES)
        )

    def sun(self, t_s: float) -> float:
        """How much of the sun comes through at a time: from 0.35 under a cloud to 1."""
        waves = np.sin(2 * np.pi * self.rate_hz * t_s + self.start_rad) * np.geomspace(1, 0.3, _WAVES)
        return float(np.clip(0.8 + 0.22 * waves.sum(), 0.35, 1.0))

    def exposure(self, t_s: float) -> float:
        """How the camera answers: it opens a little when the sun goes."""
        return 1.22 + 0.22 * (1 - self.sun(t_s))


@dataclass(frozen=True, slots=True, eq=False)
class Sensor:
    """What a lens and a chip do to a picture."""

    bank: Int8[np.ndarray, "b h w 3"]
    """Noise pictures, larger than the frames."""
    seed: tuple[int, ...]
    """Of the choice that each frame makes among them."""

    @classmethod
    def made(cls, width: int, height: int, noise: float, seed: tuple[int, ...]) -> "Sensor":
        """A sensor with noise of that many grey levels, mostly alike in the three colours."""
        rng = np.random.default_rng(seed)
        size = (_BANK, height + 32, width + 32)
        grey = rng.standard_normal((*size, 1), dtype=np.float32)
        colour = rng.standard_normal((*size, 3), dtype=np.float32)
        bank = np.clip(np.round(noise * (0.85 * grey + 0.55 * colour)), -127, 127).astype(np.int8)
        return cls(bank, seed)

    def seen(self, rgb: Image, index: int) -> Image:
        """The picture with this frame's noise: the same for the same ``index``, whichever was asked for before."""
        rng = np.random.default_rng((*self.seed, index))
        which, down, across, mirror = rng.integers((len(self.bank), 32, 32, 4)).tolist()
        height, width = rgb.shape[:2]
        noise = self.bank[which, down : down + height, across : across + width]
        noise = np.ascontiguousarray(noise[:: -1 if mirror & 1 else 1, :: -1 if mirror & 2 else 1])
        return cv2.add(rgb, noise, dtype=cv2.CV_8U)


def vignette(width: int, height: int) -> Float[np.ndarray, "h w 1"]:
    """How much of the light reaches each pixel through a plain lens: less in the corners."""
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-height / width, height / width, height))
    return (1 - 0.16 * (x**2 + y**2) ** 1.2)[..., None].astype(np.float32)
