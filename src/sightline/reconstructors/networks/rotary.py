"""Where a token is, told by turning its queries and keys: rows in one half of a head, columns in the other.

Source: Su et al., "RoFormer" (2021), in two dimensions.
"""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

Turns = tuple[Float[Tensor, "_ d"], Float[Tensor, "_ d"]]
"""Cosines and sines that turn each of n tokens; equal for every head."""

_SLOWEST: Final = 100.0
"""How much longer the longest wave is than the shortest."""


def turns(rows: int, columns: int, specials: int, dim: int, device: torch.device) -> Turns:
    """The turns of ``specials`` tokens without a place, then of a grid's, row after row, numbered from 1."""
    y = 1 + torch.arange(rows, device=device).repeat_interleave(columns)
    x = 1 + torch.arange(columns, device=device).repeat(rows)
    yx = torch.stack([y, x], dim=1).float()
    yx = torch.cat([yx.new_zeros(specials, 2), yx])
    wave = _SLOWEST ** -(torch.arange(0, dim // 2, 2, device=device) / (dim // 2))
    angle = (yx[:, :, None] * wave).repeat(1, 1, 2).flatten(1)
    return angle.cos(), angle.sin()


def still(tokens: int, dim: int, device: torch.device) -> Turns:
    """Turns that leave every token as it is."""
    return torch.ones(tokens, dim, device=device), torch.zeros(tokens, dim, device=device)


def turned(heads: Float[Tensor, "b h n d"], by: Turns) -> Float[Tensor, "b h n d"]:
    """Queries or keys, turned; in their own precision."""
    cos, sin = by[0].to(heads.dtype), by[1].to(heads.dtype)
    a, b, c, d = heads.chunk(4, dim=-1)
    return torch.addcmul(heads * cos, torch.cat([-b, a, -d, c], dim=-1), sin)
