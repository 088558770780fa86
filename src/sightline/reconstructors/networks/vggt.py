"""VGGT put together: pictures to cameras, depth and points in one pass, or points of the first followed through all.

Source: Wang et al., "VGGT: Visual Geometry Grounded Transformer" (CVPR 2025). Names of parts are those of the published
checkpoints, so that these load as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sightline.errors import WeightsError
from sightline.reconstructors.networks.aggregator import Aggregator
from sightline.reconstructors.networks.answer import Answer, Glance, dense
from sightline.reconstructors.networks.camera import CameraHead
from sightline.reconstructors.networks.dense import DenseHead
from sightline.reconstructors.networks.encoder import Encoder
from sightline.reconstructors.networks.following import Followed, FollowHead, FollowSize

READ: Final = {24: (4, 11, 17, 23), 4: (0, 1, 2, 3)}
"""Which layers the dense heads read, by how many there are; the smaller is for tests."""


@dataclass(frozen=True, slots=True)
class VggtSize:
    """How large a VGGT is; its checkpoint tells."""

    dim: int
    """Numbers per token."""
    depth: int
    """Layers of alternating attention."""
    registers: int
    """Tokens of each picture without a place, besides the camera's."""
    encoder_dim: int
    """Numbers per token in the encoder."""
    encoder_depth: int
    """Its blocks."""
    encoder_registers: int
    """Its registers."""
    grid: int
    """Squares along a side of the pictures that its places were learnt on."""
    camera_depth: int
    """Blocks of the camera head."""
    features: int
    """Of the dense heads."""
    channels: tuple[int, ...]
    """Of the four levels of the dense heads."""

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> "VggtSize":
        """What the shapes of a checkpoint's tensors tell.

        Raises:
            WeightsError: they are not those of a VGGT.
        """
        try:
            _, _, registers, dim = shapes["aggregator.register_token"]
            _, places, encoder_dim = shapes["aggregator.patch_embed.pos_embed"]
            projects = [shapes[f"depth_head.projects.{level}.weight"] for level in range(4)]
            size = cls(
                dim=dim,
                depth=_count(shapes, "aggregator.frame_blocks."),
                registers=registers,
                encoder_dim=encoder_dim,
                encoder_depth=_count(shapes, "aggregator.patch_embed.blocks."),
                encoder_registers=shapes["aggregator.patch_embed.register_tokens"][1],
                grid=round((places - 1) ** 0.5),
                camera_depth=_count(shapes, "camera_head.trunk."),
                features=shapes["depth_head.scratch.layer1_rn.weight"][0],
                channels=tuple(project[0] for project in projects),
            )
        except (KeyError, ValueError, IndexError) as error:
            raise WeightsError(f"not a VGGT: no tensor {error} of a shape that one has") from None
        if size.depth not in READ:
            raise WeightsError(f"not a VGGT: {size.depth} layers of alternating attention, where one has 24")
        return size


def _count(shapes: Mapping[str, tuple[int, ...]], prefix: str) -> int:
    """How many numbered parts there are."""
    return len({key.removeprefix(prefix).split(".")[0] for key in shapes if key.startswith(prefix)})


class VggtNet(nn.Module):
    """The network.

    ``points`` says whether it has the head that tells points without depth and camera, ``follows`` which head follows
    points.
    """

    def __init__(self, size: VggtSize, *, points: bool = False, follows: FollowSize | None = None) -> None:
        super().__init__()
        encoder = Encoder(size.encoder_dim, size.encoder_depth, size.grid, size.encoder_registers)
        self.aggregator = Aggregator(encoder, size.dim, size.depth, size.registers)
        self.camera_head = CameraHead(2 * size.dim, size.camera_depth)
        self.depth_head = DenseHead(2 * size.dim, size.features, size.channels, 2, bent=True)
        if points:
            self.point_head = DenseHead(2 * size.dim, size.features, size.channels, 4, bent=True)
        if follows:
            self.track_head = FollowHead(2 * size.dim, follows)
        self.read = READ[size.depth]

    @torch.inference_mode()
    def forward(self, pictures: Float[Tensor, "s 3 h w"], at_once: int, glance: Glance) -> Answer:
        """What there is to say of pictures of 0 to 1, whose sides are multiples of 14.

        Raises:
            EngineError: ``glance`` does.
        """
        seen = self.aggregator(pictures, self.read, at_once, glance)
        cameras = self.camera_head(seen.cameras.to(self.camera_head.token_norm.weight.dtype))
        depth, depth_confidence = dense(self.depth_head, seen, at_once, glance)
        points, points_confidence = None, None
        if hasattr(self, "point_head"):
            points, points_confidence = dense(self.point_head, seen, at_once, glance)
            points = points.sign() * points.abs_().expm1_()
        return Answer(
            cameras.float().cpu(), depth[..., 0].exp_(), depth_confidence, points, points_confidence
        )  # fmt: skip

    @torch.inference_mode()
    def follow(
        self, pictures: Float[Tensor, "s 3 h w"], xy: Float[Tensor, "n 2"], at_once: int, glance: Glance
    ) -> Followed:
        """Where the points at ``xy`` of the first picture are in all: across and down, the first pixel's centre is 0.

        Raises:
            EngineError: ``glance`` does.
        """
        seen = self.aggregator(pictures, self.read, at_once, glance)
        return self.track_head(seen, xy, at_once, glance)
