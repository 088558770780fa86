"""A block of a vision transformer, written so that what is chunked, and what is kept, costs no more than it must.

Names of parts are those of DINOv2's checkpoints (Oquab et al. 2023, Apache-2.0), which all networks here descend from.
"""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from sightline.reconstructors.networks.rotary import Turns, turned

_ROWS: Final = 4096
"""Tokens that pass through a layer at once: what is between layers is several times as large as what is kept."""
Asked = tuple[Float[Tensor, "b h n d"], Float[Tensor, "b h n d"], Float[Tensor, "b h n d"]]
"""Queries, keys and values."""


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

    @property
    def kind(self) -> torch.dtype:
        """What products are reckoned in."""
        return self.proj.bias.dtype

    def asked(self, x: Float[Tensor, "b n c"], by: Turns | None) -> Asked:
        """What each token asks, and what it has to say."""
        b, n, c = x.shape
        q, k, v = self.qkv(x.to(self.kind)).view(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        if hasattr(self, "q_norm"):
            q, k = self.q_norm(q), self.k_norm(k)
        if by is not None:
            q, k = turned(q, by), turned(k, by)
        return q, k, v


class Mlp(nn.Module):
    """Two layers, applied to each token by itself."""

    def __init__(self, dim: int, hidden: int, out: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, out)

    def forward(self, x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n o"]:
        """What becomes of each token."""
        return self.fc2(functional.gelu(self.fc1(x.to(self.fc1.bias.dtype))))


class Scaled(nn.Module):
    """One learnt factor for each number of a token; applied where it is added."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))


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
        self.mlp = Mlp(dim, 4 * dim, dim)
        self.ls2 = Scaled(dim)

    def forward(self, x: Float[Tensor, "b n c"], by: Turns | None = None) -> Float[Tensor, "b n c"]:
        """The tokens, changed."""
        b, n, _ = x.shape
        step = max(_ROWS // b, 1)
        parts = [slice(start, start + step) for start in range(0, n, step)]
        told = functional.scaled_dot_product_attention(*self._asked(x, by, parts)).transpose(1, 2)
        for part in parts:
            x[:, part].addcmul_(self.attn.proj(told[:, part].flatten(2)), self.ls1.gamma)
            x[:, part].addcmul_(self.mlp(self.norm2(x[:, part])), self.ls2.gamma)
        return x

    def _asked(self, x: Float[Tensor, "b n c"], by: Turns | None, parts: list[slice]) -> Asked:
        """Queries, keys and values of all tokens; made for a part of them at a time."""
        if len(parts) == 1:
            return self.attn.asked(self.norm1(x), by)
        b, n, c = x.shape
        heads = self.attn.heads
        q, k, v = (x.new_empty(b, heads, n, c // heads, dtype=self.attn.kind) for _ in range(3))
        for part in parts:
            turn = None if by is None else (by[0][part], by[1][part])
            q[:, :, part], k[:, :, part], v[:, :, part] = self.attn.asked(self.norm1(x[:, part]), turn)
        return q, k, v
