"""Cameras from their tokens: a guess that is bettered four times, each time with a look at all other cameras.

Source: Wang et al., "VGGT" (CVPR 2025), section 3.3; modulation as in Peebles and Xie, "DiT" (2023).
"""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from sightline.reconstructors.networks.block import Block, Mlp

HEAD: Final = 128
"""Numbers in one head of attention among cameras."""
_ROUNDS: Final = 4
_EPS: Final = 1e-6


class CameraHead(nn.Module):
    """Camera tokens to shift, turn and angles of view."""

    def __init__(self, dim: int, depth: int) -> None:
        super().__init__()
        self.empty_pose_tokens = nn.Parameter(torch.zeros(1, 1, 9))
        self.trunk = nn.ModuleList(Block(dim, dim // HEAD) for _ in range(depth))
        self.token_norm = nn.LayerNorm(dim)
        self.trunk_norm = nn.LayerNorm(dim)
        self.embed_pose = nn.Linear(9, dim)
        self.poseLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(dim, 3 * dim))
        self.pose_branch = Mlp(dim, dim // 2, 9)

    def forward(self, tokens: Float[Tensor, "s d"]) -> Float[Tensor, "s 9"]:
        """Per picture ``cam_from_world``, as a shift and a quaternion x y z w, and the angles of view down and across.

        The angles are in radians, and not below 0.
        """
        tokens = self.token_norm(tokens)[None]
        plain = functional.layer_norm(tokens, tokens.shape[-1:], eps=_EPS)
        pose = self.empty_pose_tokens.expand(1, tokens.shape[1], -1)
        for number in range(_ROUNDS):
            shift, scale, gate = self.poseLN_modulation(self.embed_pose(pose)).chunk(3, dim=-1)
            x = tokens + gate * (plain * (1 + scale) + shift)
            for block in self.trunk:
                x = block(x)
            better = self.pose_branch(self.trunk_norm(x))
            pose = better if number == 0 else pose + better
        return torch.cat([pose[0, :, :7], functional.relu(pose[0, :, 7:])], dim=-1)


def poses(encoded: Float[Tensor, "s 9"]) -> Float[Tensor, "s 3 4"]:
    """``cam_from_world``; quaternions are scaled to length one."""
    x, y, z, w = functional.normalize(encoded[:, 3:7], dim=-1).unbind(-1)
    turn = torch.stack(
        [
            1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
            2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
            2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y),
        ], dim=-1,
    )  # fmt: skip
    return torch.cat([turn.view(-1, 3, 3), encoded[:, :3, None]], dim=-1)


def turned_back(encoded: Float[Tensor, "s 9"]) -> Float[Tensor, "s 9"]:
    """The same cameras, from ``world_from_cam`` to ``cam_from_world``; quaternions come out with length one."""
    quat = functional.normalize(encoded[:, 3:7], dim=-1) * encoded.new_tensor([-1.0, -1.0, -1.0, 1.0])
    back = torch.cat([torch.zeros_like(encoded[:, :3]), quat, encoded[:, 7:]], dim=-1)
    shift = -(poses(back)[:, :, :3] @ encoded[:, :3, None])[:, :, 0]
    return torch.cat([shift, quat, encoded[:, 7:]], dim=-1)


def intrinsics(encoded: Float[Tensor, "s 9"], size: tuple[int, int]) -> Float[Tensor, "s 3 3"]:
    """``px_from_cam`` of pictures of ``size`` (down, across) that are centred; infinite where a lens sees nothing."""
    height, width = size
    px_from_cam = encoded.new_zeros(len(encoded), 3, 3)
    px_from_cam[:, 0, 0] = width / 2 / torch.tan(encoded[:, 8] / 2)
    px_from_cam[:, 1, 1] = height / 2 / torch.tan(encoded[:, 7] / 2)
    px_from_cam[:, 0, 2], px_from_cam[:, 1, 2], px_from_cam[:, 2, 2] = width / 2, height / 2, 1
    return px_from_cam
