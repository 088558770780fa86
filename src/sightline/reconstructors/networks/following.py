"""Points followed from the first picture to all others: a guess, bettered four times by what is seen around it.

Source: Wang et al., "VGGT" (CVPR 2025), section 3.3; Karaev et al., "CoTracker" (2023), sections 3.1 and 3.2; what both
leave open was found by comparing with the reference's numbers (docs/decisions/0010). Names of parts are those of VGGT's
checkpoints.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from sightline.errors import WeightsError
from sightline.reconstructors.networks.answer import Glance, Seen
from sightline.reconstructors.networks.block import Mlp
from sightline.reconstructors.networks.dense import FeatureHead
from sightline.reconstructors.networks.motion import Motion

_PREFIX: Final = "track_head."
_REACH: Final = 4
"""Cells that are looked at around a guess, each way, on every level."""
_WINDOW: Final = (2 * _REACH + 1) ** 2
_ROUNDS: Final = 4
_CELL_PX: Final = 2
"""Pixels of a picture along a side of a cell of features."""
_WIDEST: Final = 518.0
"""Moves are told in parts of this, besides as waves."""
_QUICKEST: Final = 1000.0
"""Of the waves that tell a move, radians per cell."""
_SLOWEST: Final = 10000.0
"""Of the waves that tell a place, cells per radian."""


@dataclass(frozen=True, slots=True)
class FollowSize:
    """How large a head for tracks is; its checkpoint tells."""

    features: int
    """Numbers per cell."""
    channels: tuple[int, ...]
    """Of the four levels that features are made from."""
    levels: int
    """On which what is seen around a guess is compared."""
    dim: int
    """Numbers per track and picture while guesses are bettered."""
    depth: int
    """Rounds of asking in each bettering."""
    learnt: int
    """Tracks that stand between the others."""

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> "FollowSize":
        """What the shapes of a checkpoint's tensors tell.

        Raises:
            WeightsError: it has no such head.
        """
        tracker, blocks = f"{_PREFIX}tracker.", f"{_PREFIX}tracker.updateformer.time_blocks."
        try:
            channels = [shapes[f"{_PREFIX}feature_extractor.projects.{level}.weight"][0] for level in range(4)]
            return cls(
                features=shapes[f"{tracker}fmap_norm.weight"][0],
                channels=tuple(channels),
                levels=shapes[f"{tracker}corr_mlp.fc1.weight"][1] // _WINDOW,
                dim=shapes[f"{tracker}updateformer.input_transform.weight"][0],
                depth=len({key.removeprefix(blocks).split(".")[0] for key in shapes if key.startswith(blocks)}),
                learnt=shapes[f"{tracker}updateformer.virual_tracks"][1],
            )
        except (KeyError, IndexError) as error:
            raise WeightsError(f"no head that follows points: no tensor {error}; vggt-1b has one") from None


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Where n points of the first picture are in all S; on the processor, float32."""

    xy: Float[Tensor, "s n 2"]
    """Pixels of the network's pictures across and down; the first pixel's centre is 0."""
    visible: Float[Tensor, "s n"]
    """How likely each is seen there, 0 to 1."""
    confidence: Float[Tensor, "s n"]
    """How sure its place is, 0 to 1."""


class FollowHead(nn.Module):
    """Tokens of four layers and points of the first picture to these points in all pictures."""

    def __init__(self, dim: int, size: FollowSize) -> None:
        super().__init__()
        self.feature_extractor = FeatureHead(dim, size.features, size.channels)
        self.tracker = Follower(size)

    def forward(self, seen: Seen, xy: Float[Tensor, "n 2"], at_once: int, glance: Glance) -> Followed:
        """Points at ``xy`` of the first picture, followed; features are made for ``at_once`` pictures at a time.

        Raises:
            EngineError: ``glance`` does.
        """
        features = []
        for start in range(0, len(seen.cameras), at_once):
            some = [layer[start : start + at_once] for layer in seen.layers]
            features.append(self.feature_extractor(some, seen.size))
            glance()
        return self.tracker(torch.cat(features), xy, glance)


class Follower(nn.Module):
    """Features of pictures to tracks."""

    def __init__(self, size: FollowSize) -> None:
        super().__init__()
        features, told = size.features, 3 * size.features + 4
        self.levels = size.levels
        self.query_ref_token = nn.Parameter(torch.zeros(1, 2, told))
        self.corr_mlp = Mlp(size.levels * _WINDOW, size.dim, features)
        self.updateformer = Motion(told, size.dim, features + 2, size.depth, size.learnt)
        self.fmap_norm = nn.LayerNorm(features)
        self.ffeat_norm = nn.LayerNorm(features)
        self.ffeat_updater = nn.Sequential(nn.Linear(features, features), nn.GELU())
        self.vis_predictor = nn.Sequential(nn.Linear(features, 1))
        self.conf_predictor = nn.Sequential(nn.Linear(features, 1))

    def forward(self, features: Float[Tensor, "s f h w"], xy: Float[Tensor, "n 2"], glance: Glance) -> Followed:
        """Points at ``xy`` of the first picture, in pixels, followed.

        Raises:
            EngineError: ``glance`` does.
        """
        features = self.fmap_norm(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        levels = [features]
        for _ in range(self.levels - 1):
            levels.append(functional.avg_pool2d(levels[-1], 2))
        asked = (xy / _CELL_PX).to(features)
        cells = asked[:, None].repeat(1, len(features), 1)
        looks = sampled(features[:1], asked[None])[0][:, None].repeat(1, len(features), 1)
        whose = self.query_ref_token[0, [0] + [1] * (len(features) - 1)]
        height, width = features.shape[-2:]
        always = whose + place(asked, whose.shape[-1], (height, width))[:, None]
        for _ in range(_ROUNDS):
            told = torch.cat([moves(cells, looks.shape[-1]), self.corr_mlp(likeness(levels, cells, looks)), looks], -1)
            better = self.updateformer(told + always)
            cells = cells + better[..., :2]
            cells[:, 0] = asked
            looks = looks + self.ffeat_updater(self.ffeat_norm(better[..., 2:]))
            glance()
        seen, sure = (head(looks)[..., 0].sigmoid().T.cpu() for head in (self.vis_predictor, self.conf_predictor))
        return Followed((cells * _CELL_PX).transpose(0, 1).cpu(), seen, sure)


def sampled(maps: Float[Tensor, "s f h w"], cells: Float[Tensor, "s k 2"]) -> Float[Tensor, "s k f"]:
    """What maps hold at places across and down, the first cell's centre being 0; outside there is nothing."""
    most = cells.new_tensor([max(maps.shape[-1] - 1, 1), max(maps.shape[-2] - 1, 1)])
    at = 2 * cells / most - 1
    return functional.grid_sample(maps, at[:, :, None], align_corners=True)[..., 0].transpose(1, 2)


def likeness(
    levels: list[Tensor], cells: Float[Tensor, "n s 2"], looks: Float[Tensor, "n s f"]
) -> Float[Tensor, "n s k"]:
    """How alike the features around each guess are to what its point looks like, on every level."""
    near = torch.arange(-_REACH, _REACH + 1.0, device=cells.device)
    window = torch.cartesian_prod(near, near)
    by_picture = []
    # One picture at a time: the features around all guesses are many times what comes of them.
    for number in range(cells.shape[1]):
        alike = []
        for level, maps in enumerate(levels):
            at = (cells[:, number, None] / 2**level + window).flatten(0, 1)
            around = sampled(maps[number : number + 1], at[None])[0].unflatten(0, (len(cells), _WINDOW))
            alike.append((around @ looks[:, number, :, None])[..., 0])
        by_picture.append(torch.cat(alike, dim=-1))
    return torch.stack(by_picture, dim=1) / looks.shape[-1] ** 0.5


def moves(cells: Float[Tensor, "n s 2"], dim: int) -> Float[Tensor, "n s d"]:
    """How far each guess is from its point in the first picture: as waves, then plainly and once more.

    The waves are ``dim`` numbers: sine, cosine, next wave, across and then down.
    """
    far = cells - cells[:, :1]
    wave = torch.arange(0, dim // 2, 2, device=cells.device) * (_QUICKEST / (dim // 2))
    angle = far[..., None] * wave
    waves = torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(2)
    return torch.cat([waves, far / _WIDEST, far / _WIDEST], dim=-1)


def place(cells: Float[Tensor, "n 2"], dim: int, size: tuple[int, int]) -> Float[Tensor, "n d"]:
    """Waves that tell a place on a map of ``size`` (down, across); between cells, what lies between their waves."""
    wave = _SLOWEST ** -(torch.arange(dim // 4, device=cells.device, dtype=torch.float64) / (dim // 4))
    told = []
    for axis in range(2):
        at = cells[:, axis].clamp(0, size[1 - axis] - 1)
        low, high = (
            torch.cat([angle.sin(), angle.cos()], dim=-1).to(cells)
            for angle in (end[:, None].double() * wave for end in (at.floor(), at.ceil()))
        )
        told.append(torch.lerp(low, high, at.frac()[:, None]))
    return torch.cat(told, dim=-1)
