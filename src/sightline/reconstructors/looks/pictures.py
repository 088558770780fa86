"""All pictures at a network's size, each read once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from sightline.errors import EngineError, OptionError
from sightline.executors.local import Stopped, Tell
from sightline.model.arrays import Image
from sightline.model.shots import Shots
from sightline.reconstructors.looks.framing import LEAST_PX, Framing, framings
from sightline.reconstructors.looks.loading import Ready
from sightline.reconstructors.looks.memory import free_bytes, load
from sightline.reconstructors.looks.wishes import Wishes

_GB: Final = 1e9


def check(wishes: Wishes) -> None:
    """Nothing, if the wishes can be met.

    Raises:
        OptionError: they cannot.
    """
    if wishes.side_px < LEAST_PX:
        raise OptionError(f"side_px = {wishes.side_px}: at least {LEAST_PX}")
    if wishes.chunk < 0 or wishes.chunk == 1:
        raise OptionError(f"chunk = {wishes.chunk}: 2 or more; or 0 for as many as memory allows")


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """All pictures, at the network's size."""

    shown: list[Image]
    """Each as drawn for the network, without what is around it."""
    framings: list[Framing]
    """Where each lies in the network's."""

    @classmethod
    def read(cls, shots: Shots, wishes: Wishes, net: Ready, tell: Tell, stopped: Stopped) -> "Pictures":
        """Each is read once.

        Raises:
            EngineError: stopped, or there is no room for what will be said of all of them.
        """
        sizes: list[tuple[int, int]] = []
        shown: list[Image] = []
        for number, shot in enumerate(shots.shots):
            if stopped():
                raise EngineError("stopped before there was a scene")
            tell("reading pictures", number, len(shots))
            rgb = shot.read()
            sizes.append((rgb.shape[0], rgb.shape[1]))
            framing = framings(sizes[-1:], wishes.side_px)[0]
            shown.append(framing.shown(rgb))
            if number == 0:
                _check_room(len(shots), framing.outer, net, points=wishes.points)
        return cls(shown, framings(sizes, wishes.side_px))

    @property
    def size(self) -> tuple[int, int]:
        """Of the network's picture, down and across."""
        return self.framings[0].outer

    def tensor(self, numbers: Sequence[int]) -> torch.Tensor:
        """Those pictures, as the network takes them."""
        return torch.from_numpy(np.stack([self.framings[n].framed(self.shown[n]) for n in numbers]))


def _check_room(n: int, size: tuple[int, int], net: Ready, *, points: bool) -> None:
    """Nothing, if there is room for n pictures and what will be said of them.

    Raises:
        EngineError: there is not.
    """
    free = free_bytes(torch.device("cpu"))
    # Twice: the looks, and the scene that is made of them.
    needed = n * (2 * load(net, size, points=points).answered + 3 * size[0] * size[1])
    if needed > free:
        raise EngineError(
            f"{n} pictures take {needed / _GB:.1f} GB at this size, {free / _GB:.1f} are free; give at most "
            f"{int(n * free / needed)}, or a smaller side_px"
        )
