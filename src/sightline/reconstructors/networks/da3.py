"""Depth Anything 3 put together: a plain encoder whose later blocks look at all pictures, every other one.

Source: Lin et al., "Depth Anything 3: Recovering the visual space from any views" (2025); the authors' code
(Apache-2.0) was read. Names of parts are those of the published checkpoints. Left out: the head that tells rays, and
the encoder of cameras that are known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from sightline.errors import WeightsError
from sightline.reconstructors.networks.answer import Answer, Glance, Seen, dense
from sightline.reconstructors.networks.block import Block
from sightline.reconstructors.networks.camera import turned_back
from sightline.reconstructors.networks.dense import DenseHead
from sightline.reconstructors.networks.encoder import EPS, HEAD, PATCH, Patches, normal, placed
from sightline.reconstructors.networks.rotary import Turns, turns

DEPTH: Final = 12
"""Blocks of the two checkpoints that anybody may use."""
ALONE: Final = 4
"""So many blocks look at each picture by itself; from then on, odd ones look at all."""
READ: Final = (5, 7, 9, 11)
"""Blocks that the dense head reads."""
_OFFSET: Final = 0.1
_CHOSEN_FROM: Final = 3
"""With fewer pictures, the first one's camera is the scene's frame."""


@dataclass(frozen=True, slots=True)
class Da3Size:
    """How large a Depth Anything 3 is; its checkpoint tells."""

    dim: int
    """Numbers per token."""
    grid: int
    """Squares along a side of the pictures that its places were learnt on."""
    features: int
    """Of the dense head."""
    channels: tuple[int, ...]
    """Of its four levels."""

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> "Da3Size":
        """What the shapes of a checkpoint's tensors tell.

        Raises:
            WeightsError: they are not those of a Depth Anything 3 Small or Base.
        """
        try:
            _, places, dim = shapes["backbone.pretrained.pos_embed"]
            channels = tuple(shapes[f"head.projects.{level}.weight"][0] for level in range(4))
            features = shapes["head.scratch.layer1_rn.weight"][0]
        except (KeyError, ValueError, IndexError) as error:
            raise WeightsError(f"not a Depth Anything 3: no tensor {error} of a shape that one has") from None
        if f"backbone.pretrained.blocks.{DEPTH}.norm1.weight" in shapes:
            raise WeightsError("a Depth Anything 3, but neither Small nor Base, which are those known here")
        return cls(dim, round((places - 1) ** 0.5), features, channels)


class Trunk(nn.Module):
    """DINOv2 with alternating attention inside."""

    def __init__(self, dim: int, grid: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.camera_token = nn.Parameter(torch.zeros(1, 2, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + grid * grid, dim))
        self.patch_embed = Patches(dim)
        self.blocks = nn.ModuleList(Block(dim, dim // HEAD, normed=i >= ALONE, eps=EPS) for i in range(DEPTH))
        self.norm = nn.LayerNorm(dim, eps=EPS)

    def forward(self, pictures: Float[Tensor, "s 3 h w"], at_once: int, glance: Glance) -> Seen:
        """What is to be seen after the blocks ``READ``, in the pictures' order.

        Raises:
            EngineError: ``glance`` does.
        """
        rows, columns = pictures.shape[-2] // PATCH, pictures.shape[-1] // PATCH
        x, order = self._by_themselves(pictures, at_once, glance)
        by = turns(rows, columns, 1, HEAD, x.device)
        by_all = _level(by, rows * columns, len(x))
        back = order.argsort()
        kept: list[Tensor] = []
        cameras = x[:, 0]
        for number, block in enumerate(self.blocks[ALONE:], ALONE):
            if number % 2 == 0:
                for some in x.split(at_once):
                    block(some, by)
                glance()
                continue
            both = x.new_empty(len(x), x.shape[1], 2 * x.shape[2]) if number in READ else x[:0]
            if number in READ:
                both[:, :, : x.shape[2]] = x[back]
            block(x.view(1, -1, x.shape[2]), by_all)
            if number in READ:
                both[:, :, x.shape[2] :] = x[back]
                cameras = both[:, 0].clone()
                for one in both[:, :, x.shape[2] :]:
                    one.copy_(self.norm(one))
                kept.append(both[:, 1:])
            glance()
        return Seen(tuple(kept), cameras, (pictures.shape[-2], pictures.shape[-1]))

    def _by_themselves(
        self, pictures: Float[Tensor, "s 3 h w"], at_once: int, glance: Glance
    ) -> tuple[Float[Tensor, "s n c"], Tensor]:
        """Tokens after the blocks that look at each picture alone, and which picture each row is.

        The first row's camera will be the scene's frame.
        """
        rows, columns = pictures.shape[-2] // PATCH, pictures.shape[-1] // PATCH
        places = placed(self.pos_embed, rows, columns, _OFFSET)
        x = places.new_empty(len(pictures), places.shape[1], places.shape[2])
        for start in range(0, len(pictures), at_once):
            some = x[start : start + at_once]
            some[:, :1] = self.cls_token
            some[:, 1:] = self.patch_embed(normal(pictures[start : start + at_once]).to(x.device, x.dtype))
            some += places
            for block in self.blocks[: ALONE - 1]:
                block(some)
            glance()
        order = torch.arange(len(x), device=x.device)
        if len(x) >= _CHOSEN_FROM:
            first = middling(x[:, 0].float())
            order = torch.cat([order[first : first + 1], order[:first], order[first + 1 :]])
            x = x[order]
        for some in x.split(at_once):
            self.blocks[ALONE - 1](some)
        x[:, 0] = self.camera_token[0, 1]
        x[0, 0] = self.camera_token[0, 0]
        return x, order


def _level(by: Turns, tokens: int, pictures: int) -> Turns:
    """Turns for tokens of all pictures: special ones are told from the others, which all have one place."""
    cos, sin = (torch.cat([part[:1], part[1:2].expand(tokens, -1)]).repeat(pictures, 1) for part in by)
    return cos, sin


def middling(summaries: Float[Tensor, "s c"]) -> int:
    """Which picture is the least extreme, by likeness to the others, by strength and by spread of its summary."""
    strength = summaries.norm(dim=1)
    plain = functional.normalize(summaries, dim=1)
    likeness = ((plain @ plain.T).sum(dim=1) - 1) / (len(plain) - 1)
    off = torch.zeros_like(strength)
    for told in (likeness, strength, plain.var(dim=1)):
        low, high = told.aminmax()
        off += ((told - low) / (high - low + 1e-8) - 0.5).abs()
    return int(off.argmin())


class Backbone(nn.Module):
    """The trunk, under the name that the checkpoints give it."""

    def __init__(self, dim: int, grid: int) -> None:
        super().__init__()
        self.pretrained = Trunk(dim, grid)


class CameraDecoder(nn.Module):
    """Camera tokens to where each camera stands, how it is turned, and its angles of view."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim), nn.ReLU())
        self.fc_t = nn.Linear(dim, 3)
        self.fc_qvec = nn.Linear(dim, 4)
        self.fc_fov = nn.Sequential(nn.Linear(dim, 2), nn.ReLU())

    def forward(self, tokens: Float[Tensor, "s d"]) -> Float[Tensor, "s 9"]:
        """Per picture, as ``CameraHead`` says it, but of ``world_from_cam``."""
        x = self.backbone(tokens)
        return torch.cat([self.fc_t(x), self.fc_qvec(x), self.fc_fov(x)], dim=-1)


class Da3Net(nn.Module):
    """The network."""

    def __init__(self, size: Da3Size) -> None:
        super().__init__()
        self.backbone = Backbone(size.dim, size.grid)
        self.head = DenseHead(2 * size.dim, size.features, size.channels, 2, bent=False)
        self.cam_dec = CameraDecoder(2 * size.dim)

    @torch.inference_mode()
    def forward(self, pictures: Float[Tensor, "s 3 h w"], at_once: int, glance: Glance) -> Answer:
        """What there is to say of pictures of 0 to 1, whose sides are multiples of 14.

        Raises:
            EngineError: ``glance`` does.
        """
        seen = self.backbone.pretrained(pictures, at_once, glance)
        cameras = self.cam_dec(seen.cameras.to(self.cam_dec.fc_t.weight.dtype))
        depth, confidence = dense(self.head, seen, at_once, glance)
        return Answer(turned_back(cameras.float().cpu()), depth[..., 0].exp_(), confidence)
