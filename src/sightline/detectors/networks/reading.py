"""What is known of a network once its graph was read: how pictures go in, how boxes come out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

Side = Literal["corner", "centre", "stretch"]
"""How a picture is made to fit: kept in shape at the top left, kept in shape in the middle, or not kept."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """What a network wants to see of a pixel: ``(value - mean) / std``, channel by channel."""

    order: Literal["rgb", "bgr"]
    """Which channel comes first."""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Taken off, in 0..255, in that order."""
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Divided by, in 0..255, in that order."""


PLAIN_BGR = Pixels("bgr")
UNIT_RGB = Pixels("rgb", std=(255.0, 255.0, 255.0))
IMAGENET_RGB = Pixels("rgb", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
IMAGENET_BGR = Pixels("bgr", (103.53, 116.28, 123.675), (57.375, 57.12, 58.395))


@dataclass(frozen=True, slots=True)
class Graph:
    """A network as its file describes it, and what it answered to one grey picture."""

    inputs: Mapping[str, tuple[int | str | None, ...]]
    """Shapes by name, as the file gives them."""
    outputs: Mapping[str, np.ndarray]
    """Answers by name, in the file's order, to a batch of one (or of the size the file insists on)."""
    height: int
    """Pixels of the pictures that go in."""
    width: int
    """Pixels of the pictures that go in."""

    def described(self) -> str:
        """Inputs and outputs with their shapes, on one line."""
        ins = ", ".join(f"{name} {_shape(shape)}" for name, shape in self.inputs.items())
        outs = ", ".join(f"{name} {_shape(array.shape)}" for name, array in self.outputs.items())
        return f"inputs {ins}; outputs {outs}"


class Raw(NamedTuple):
    """Boxes as one picture's answer has them, in pixels of the network's input."""

    xyxy_net: Float[np.ndarray, "n 4"]
    """Left, top, right, bottom."""
    score: Float[np.ndarray, " n"]
    """Confidence in [0, 1]."""
    column: Int[np.ndarray, " n"]
    """Which of the columns the decoder was given is the best."""


Decode = Callable[[Mapping[str, np.ndarray], int, float, np.ndarray], Raw]
"""(answers by name, which picture of the batch, least score, columns of the classes) -> boxes"""


@dataclass(frozen=True, slots=True)
class Reading:
    """How to use one network."""

    family: str
    """Which one it is, for people."""
    fit: Side
    """How pictures are made to fit."""
    fill: int
    """Grey value around the picture."""
    pixels: Pixels
    """What becomes of a pixel."""
    n_columns: int | None
    """Classes it tells apart; None if the graph does not show."""
    outputs: tuple[str, ...]
    """Which answers are needed."""
    decode: Decode
    """Boxes from answers."""
    overlaps: bool
    """One thing may be boxed several times, so the best box must be picked."""


def _shape(shape: tuple[int | str | None, ...]) -> str:
    return "x".join("?" if side is None else str(side) for side in shape) or "scalar"
