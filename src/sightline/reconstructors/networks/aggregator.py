"""Alternating attention: tokens ask those of their own picture, then those of all pictures, again and again.

Source: Wang et al., "VGGT: Visual Geometry Grounded Transformer" (CVPR 2025), section 3.2.
"""

from collections.abc import Sequence
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sightline.reconstructors.networks.answer import Glance, Seen
from sightline.reconstructors.networks.block import Attention, Block
from sightline.reconstructors.networks.encoder import HEAD, PATCH, Encoder, normal
from sightline.reconstructors.networks.rotary import turns

FIRST: Final = 0
"""Which of the two learnt sets of special tokens the picture has whose camera is the scene's frame; 1: all others."""


class Aggregator(nn.Module):
    """The trunk of VGGT."""

    def __init__(self, encoder: Encoder, dim: int, depth: int, registers: int) -> None:
        super().__init__()
        self.camera_token = nn.Parameter(torch.zeros(1, 2, 1, dim))
        self.register_token = nn.Parameter(torch.zeros(1, 2, registers, dim))
        self.patch_embed = encoder
        self.frame_blocks = nn.ModuleList(Block(dim, dim // HEAD, normed=True) for _ in range(depth))
        self.global_blocks = nn.ModuleList(Block(dim, dim // HEAD, normed=True) for _ in range(depth))

    def forward(self, pictures: Float[Tensor, "s 3 h w"], keep: Sequence[int], at_once: int, glance: Glance) -> Seen:
        """What is to be seen after the layers ``keep``; pictures are of 0 to 1.

        Work that is of each picture by itself is done for ``at_once`` of them at a time.

        Raises:
            EngineError: ``glance`` does.
        """
        x = self._tokens(pictures, at_once, glance)
        n_special = 1 + self.register_token.shape[2]
        rows, columns = pictures.shape[-2] // PATCH, pictures.shape[-1] // PATCH
        by = turns(rows, columns, n_special, HEAD, x.device)
        by_all = (by[0].repeat(len(x), 1), by[1].repeat(len(x), 1))
        kept: dict[int, Tensor] = {}
        kind = next(part.kind for part in self.modules() if isinstance(part, Attention))
        alone = x[:0]
        for number, (within, across) in enumerate(zip(self.frame_blocks, self.global_blocks, strict=True)):
            for some in x.split(at_once):
                within(some, by)
            if number in keep:
                size = (len(x), x.shape[1] - n_special, 2 * x.shape[2])
                kept[number] = x.new_empty(size, dtype=kind)
                kept[number][:, :, : x.shape[2]] = x[:, n_special:]
            if number == len(self.frame_blocks) - 1:
                alone = x[:, 0].clone()
            across(x.view(1, -1, x.shape[2]), by_all)
            if number in keep:
                kept[number][:, :, x.shape[2] :] = x[:, n_special:]
            glance()
        cameras = torch.cat([alone, x[:, 0]], dim=1)
        return Seen(tuple(kept[number] for number in keep), cameras, (pictures.shape[-2], pictures.shape[-1]))

    def _tokens(self, pictures: Float[Tensor, "s 3 h w"], at_once: int, glance: Glance) -> Float[Tensor, "s n c"]:
        """What each picture shows, and its camera and registers before it."""
        n_special = 1 + self.register_token.shape[2]
        special = torch.cat([self.camera_token, self.register_token], dim=2)[0]
        n = (pictures.shape[-2] // PATCH) * (pictures.shape[-1] // PATCH)
        x = special.new_empty(len(pictures), n_special + n, special.shape[-1])
        x[:, :n_special] = special[1 - FIRST]
        x[:1, :n_special] = special[FIRST]
        for start in range(0, len(pictures), at_once):
            some = normal(pictures[start : start + at_once]).to(x.device, x.dtype)
            x[start : start + at_once, n_special:] = self.patch_embed(some)
            glance()
        return x
