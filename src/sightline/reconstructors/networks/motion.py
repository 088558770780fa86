"""How guesses of where points went are bettered: tracks ask themselves over time, and one another at every moment.

Source: Karaev et al., "CoTracker" (2023), section 3.3, as VGGT has it (Wang et al., CVPR 2025, section 3.3): tracks ask
one another by way of a few learnt ones, so that many cost little. Names of parts are those of VGGT's checkpoints.
"""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sightline.reconstructors.networks.block import Mlp

_HEADS: Final = 8


class Within(nn.Module):
    """Tokens ask one another; what they learn is added to them as they asked, of mean nought and spread one."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.attn = nn.MultiheadAttention(dim, _HEADS, batch_first=True)
        self.mlp = Mlp(dim, 4 * dim, dim)

    def forward(self, x: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        """The tokens, changed."""
        x = self.norm1(x)
        x = x + self.attn(x, x, x, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Across(nn.Module):
    """Tokens ask others; what they learn is added likewise."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.norm_context = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.cross_attn = nn.MultiheadAttention(dim, _HEADS, batch_first=True)
        self.mlp = Mlp(dim, 4 * dim, dim)

    def forward(self, x: Float[Tensor, "b n c"], others: Float[Tensor, "b m c"]) -> Float[Tensor, "b n c"]:
        """The tokens, changed; the others stay as they are."""
        x, others = self.norm1(x), self.norm_context(others)
        x = x + self.cross_attn(x, others, others, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Motion(nn.Module):
    """Tokens of tracks to what is to be added to each."""

    def __init__(self, given: int, dim: int, out: int, depth: int, learnt: int) -> None:
        super().__init__()
        self.input_norm = nn.LayerNorm(given)
        self.input_transform = nn.Linear(given, dim)
        self.virual_tracks = nn.Parameter(torch.zeros(1, learnt, 1, dim))  # spelt as in the checkpoints
        self.time_blocks = nn.ModuleList(Within(dim) for _ in range(depth))
        self.space_virtual_blocks = nn.ModuleList(Within(dim) for _ in range(depth))
        self.space_point2virtual_blocks = nn.ModuleList(Across(dim) for _ in range(depth))
        self.space_virtual2point_blocks = nn.ModuleList(Across(dim) for _ in range(depth))
        self.output_norm = nn.LayerNorm(dim)
        self.flow_head = nn.Linear(dim, out)

    def forward(self, tokens: Float[Tensor, "n s g"]) -> Float[Tensor, "n s o"]:
        """What is to be added, for n tracks through s pictures."""
        n, pictures = tokens.shape[:2]
        given = self.input_transform(self.input_norm(tokens))
        x = torch.cat([given, self.virual_tracks[0].expand(-1, pictures, -1)])
        for over_time, to_learnt, learnt_only, from_learnt in zip(
            self.time_blocks,
            self.space_virtual2point_blocks,
            self.space_virtual_blocks,
            self.space_point2virtual_blocks,
            strict=True,
        ):
            by_picture = over_time(x).transpose(0, 1)
            tracks, learnt = by_picture[:, :n], by_picture[:, n:]
            learnt = learnt_only(to_learnt(learnt, tracks))
            tracks = from_learnt(tracks, learnt)
            x = torch.cat([tracks, learnt], dim=1).transpose(0, 1)
        return self.flow_head(self.output_norm(x[:n] + given))
