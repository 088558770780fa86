"""A block of a vision transformer, written so that what is chunked, and what is kept, costs no more than it must.

Names of parts are those of DINOv2's checkpoints (Oquab et al. 2023, Apache-2.0), which all networks here descend from.
"""

from functools import partial
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from sightline.reconstructors.networks.rotary import Turns, turned

_ROWS: Final = 8192
"""Tokens that pass through a wide layer at once: its hidden numbers are four times theirs."""


class Attention(nn.Module):
    """Every token asks every other of its sequence."""

    def __init__(self, dim: int, heads: int, *, normed: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        if normed:
            self.q_norm = nn.LayerNorm(dim // heads)
            self.k_norm = nn.LayerNorm(dim // heads)

    def forward(self, x: Float[Tensor, "b n c"], by: Turns | None = None) -> Float[Tensor, "b n c"]:
        """What each token is told."""
        b, n, c = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        if hasattr(self, "q_norm"):
            q, k = self.q_norm(q), self.k_norm(k)
        if by is not None:
            q, k = turned(q, by), turned(k, by)
        told = functional.scaled_dot_product_attention(q, k, v)
        return self.proj(told.transpose(1, 2).reshape(b, n, c))


class Mlp(nn.Module):
    """Two layers, applied to each token by itself."""

    def __init__(self, dim: int, hidden: int, out: int | None = None, *, tanh: bool = False) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim if out is None else out)
        self._bend = partial(functional.gelu, approximate="tanh" if tanh else "none")

    def forward(self, x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n o"]:
        """What becomes of each token."""
        return self.fc2(self._bend(self.fc1(x)))


class Scaled(nn.Module):
    """Numbers times one learnt factor each."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n c"]:
        """The numbers, scaled."""
        return x * self.gamma


class Block(nn.Module):
    """Attention, then a wide layer; each adds to what comes in.

    Outside training the tokens given are overwritten with the answer: nobody needs them any more.
    """

    def __init__(self, dim: int, heads: int, *, normed: bool = False, eps: float = 1e-5) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.attn = Attention(dim, heads, normed=normed)
        self.ls1 = Scaled(dim)
        self.norm2 = nn.LayerNorm(dim, eps=eps)
        self.mlp = Mlp(dim, 4 * dim)
        self.ls2 = Scaled(dim)

    def forward(self, x: Float[Tensor, "b n c"], by: Turns | None = None) -> Float[Tensor, "b n c"]:
        """The tokens, changed."""
        x.addcmul_(self.attn(self.norm1(x), by), self.ls1.gamma)
        for rows in x.view(-1, x.shape[-1]).split(_ROWS):
            rows.addcmul_(self.mlp(self.norm2(rows)), self.ls2.gamma)
        return x
