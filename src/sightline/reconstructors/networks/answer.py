"""What the networks here say of pictures, and what their heads read to say it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from sightline.reconstructors.networks.dense import DenseHead

Glance = Callable[[], None]
"""Called between steps; raises when somebody wants the work to end."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the heads read."""

    layers: tuple[Float[Tensor, "s n d"], ...]
    """Tokens of the pictures' squares after the layers asked for: by picture, then by all pictures."""
    cameras: Float[Tensor, "s d"]
    """The token of each picture's camera after the last layer."""
    size: tuple[int, int]
    """Pixels down and across."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a network says of S pictures; all on the processor, float32."""

    cameras: Float[Tensor, "s 9"]
    """As ``CameraHead`` says them."""
    depth: Float[Tensor, "s h w"]
    """Along each camera's axis, more than 0."""
    depth_confidence: Float[Tensor, "s h w"]
    """1 and more."""
    points: Float[Tensor, "s h w 3"] | None = None
    """In the frame of the first picture's camera."""
    points_confidence: Float[Tensor, "s h w"] | None = None
    """1 and more."""


def dense(
    head: DenseHead, seen: Seen, at_once: int, glance: Glance
) -> tuple[Float[Tensor, "s h w c"], Float[Tensor, "s h w"]]:
    """What a head says of each pixel, as it says it, and how sure it is (1 and more); some pictures at a time."""
    n, (height, width) = len(seen.cameras), seen.size
    value = torch.empty(n, height, width, head.out - 1)
    confidence = torch.empty(n, height, width)
    for start in range(0, n, at_once):
        some = slice(start, start + at_once)
        said = head([layer[some] for layer in seen.layers], seen.size).float()
        value[some] = said[:, :-1].permute(0, 2, 3, 1).cpu()
        confidence[some] = (1 + said[:, -1].exp()).cpu()
        glance()
    return value, confidence
