"""Pictures to tokens: DINOv2's vision transformer, without and with alternating attention inside.

Source: Oquab et al., "DINOv2" (2023) and Darcet et al., "Vision transformers need registers" (2023).
"""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from sightline.reconstructors.networks.block import Block

PATCH: Final = 14
"""A token is a square of so many pixels."""
EPS: Final = 1e-6
HEAD: Final = 64
"""Numbers in one head of the encoder's attention."""
MEAN: Final = (0.485, 0.456, 0.406)
"""Of the pictures it was taught with, red first,"""
SPREAD: Final = (0.229, 0.224, 0.225)
"""and their standard deviation."""


class Patches(nn.Module):
    """Squares of a picture, each made a token."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, PATCH, PATCH)

    def forward(self, pictures: Float[Tensor, "s 3 h w"]) -> Float[Tensor, "s n c"]:
        """One token per square, row after row."""
        return self.proj(pictures).flatten(2).transpose(1, 2)


class Encoder(nn.Module):
    """DINOv2 with registers: what each picture shows, by itself."""

    def __init__(self, dim: int, depth: int, grid: int, registers: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + grid * grid, dim))
        self.register_tokens = nn.Parameter(torch.zeros(1, registers, dim))
        self.mask_token = nn.Parameter(torch.zeros(1, dim))  # in the checkpoints; nothing is masked here
        self.patch_embed = Patches(dim)
        self.blocks = nn.ModuleList(Block(dim, dim // HEAD, eps=EPS) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=EPS)

    def forward(self, pictures: Float[Tensor, "s 3 h w"]) -> Float[Tensor, "s n c"]:
        """One token per square of each picture; sides are multiples of ``PATCH``."""
        x = self.patch_embed(pictures)
        rows, columns = pictures.shape[-2] // PATCH, pictures.shape[-1] // PATCH
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1) + placed(self.pos_embed, rows, columns)
        x = torch.cat([x[:, :1], self.register_tokens.expand(len(x), -1, -1), x[:, 1:]], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x[:, 1 + self.register_tokens.shape[1] :])


def placed(known: Float[Tensor, "1 n c"], rows: int, columns: int, offset: float = 0.0) -> Float[Tensor, "1 m c"]:
    """Numbers that tell a token's place, drawn to another grid than the square one they were learnt on.

    With an ``offset`` the scale is that of a grid larger by it, as checkpoints were taught that use one.
    """
    side = int((known.shape[1] - 1) ** 0.5)
    if (rows, columns) == (side, side):
        return known
    first, grid = known[:, :1], known[:, 1:].float().view(1, side, side, -1).permute(0, 3, 1, 2)
    if offset:
        scale = ((rows + offset) / side, (columns + offset) / side)
        drawn = functional.interpolate(grid, scale_factor=scale, mode="bicubic")
    else:
        drawn = functional.interpolate(grid, (rows, columns), mode="bicubic", antialias=True)
    return torch.cat([first, drawn.flatten(2).transpose(1, 2).to(known.dtype)], dim=1)


def normal(pictures: Float[Tensor, "s 3 h w"]) -> Float[Tensor, "s 3 h w"]:
    """Pictures of 0 to 1 as the encoder was taught them: without mean, with spread one."""
    mean, spread = (pictures.new_tensor(known).view(1, 3, 1, 1) for known in (MEAN, SPREAD))
    return (pictures - mean) / spread
