"""Numbers for every pixel from tokens of four layers: a dense prediction transformer.

Source: Ranftl et al., "Vision transformers for dense prediction" (2021), sections 3.2 and 3.3; a pixel's place is told
as in Wang et al., "VGGT" (CVPR 2025).
"""

from collections.abc import Sequence
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from sightline.reconstructors.networks.encoder import PATCH

_PLACE: Final = 0.1
"""How loudly a pixel's place is told."""
_SLOWEST: Final = 100.0


class Residual(nn.Module):
    """Two convolutions that add to what comes in: to its positive part only, if ``bent``."""

    def __init__(self, features: int, *, bent: bool) -> None:
        super().__init__()
        self.bent = bent
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: Float[Tensor, "s f h w"]) -> Float[Tensor, "s f h w"]:
        """What comes in, and what is added."""
        positive = functional.relu(x)
        return self.conv2(functional.relu_(self.conv1(positive))).add_(positive if self.bent else x)


class Fusion(nn.Module):
    """A coarse picture joined with a finer one, and drawn to the size of the next."""

    def __init__(self, features: int, *, joins: bool, bent: bool) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(features, features, 1)
        if joins:
            self.resConfUnit1 = Residual(features, bent=bent)
        self.resConfUnit2 = Residual(features, bent=bent)

    def forward(
        self, x: Float[Tensor, "s f h w"], fine: Float[Tensor, "s f h w"] | None, size: tuple[int, int]
    ) -> Float[Tensor, "s f a b"]:
        """The two as one, at ``size``."""
        if fine is not None:
            x = x + self.resConfUnit1(fine)
        x = drawn(self.resConfUnit2(x), size)
        return self.out_conv(x)


class Pyramid(nn.Module):
    """The parts that the checkpoints keep under one name."""

    def __init__(self, features: int, channels: Sequence[int], out: int | None, *, bent: bool) -> None:
        super().__init__()
        for number, channel in enumerate(channels, 1):
            setattr(self, f"layer{number}_rn", nn.Conv2d(channel, features, 3, padding=1, bias=False))
            setattr(self, f"refinenet{number}", Fusion(features, joins=number < len(channels), bent=bent))
        mid = features if out is None else features // 2
        self.output_conv1 = nn.Conv2d(features, mid, 3, padding=1)
        if out is not None:
            self.output_conv2 = nn.Sequential(
                nn.Conv2d(mid, 32, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(32, out, 1)
            )


class DenseHead(nn.Module):
    """Tokens of four layers to ``out`` numbers per pixel.

    Checkpoints were taught ``bent`` (VGGT's) or not (Depth Anything's): see ``Residual``.
    """

    def __init__(self, dim: int, features: int, channels: Sequence[int], out: int, *, bent: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.projects = nn.ModuleList(nn.Conv2d(dim, channel, 1) for channel in channels)
        self.resize_layers = nn.ModuleList(resizers(channels))
        self.scratch = Pyramid(features, channels, out, bent=bent)
        self.out = out

    def forward(self, layers: Sequence[Float[Tensor, "s n d"]], size: tuple[int, int]) -> Float[Tensor, "s o a b"]:
        """The numbers of a few pictures of ``size`` (down, across)."""
        rows, columns = size[0] // PATCH, size[1] // PATCH
        aspect = size[1] / size[0]
        levels = []
        for number, layer in enumerate(layers):
            x = squares(self, number, layer, (rows, columns))
            x = self.resize_layers[number](placed(x, aspect))
            levels.append(getattr(self.scratch, f"layer{number + 1}_rn")(x))
        x = self.scratch.output_conv1(fused(self.scratch, levels))
        return self.scratch.output_conv2(placed(drawn(x, (rows * PATCH, columns * PATCH)), aspect))


class FeatureHead(nn.Module):
    """Tokens of four layers to features of every second pixel down and across; these do not tell where they are."""

    def __init__(self, dim: int, features: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.projects = nn.ModuleList(nn.Conv2d(dim, channel, 1) for channel in channels)
        self.resize_layers = nn.ModuleList(resizers(channels))
        self.scratch = Pyramid(features, channels, None, bent=True)

    def forward(self, layers: Sequence[Float[Tensor, "s n d"]], size: tuple[int, int]) -> Float[Tensor, "s f a b"]:
        """The features of a few pictures of ``size`` (down, across)."""
        grid = size[0] // PATCH, size[1] // PATCH
        levels = [
            getattr(self.scratch, f"layer{number + 1}_rn")(resize(squares(self, number, layer, grid)))
            for number, (layer, resize) in enumerate(zip(layers, self.resize_layers, strict=True))
        ]
        x = self.scratch.output_conv1(fused(self.scratch, levels))
        return drawn(x, (grid[0] * PATCH // 2, grid[1] * PATCH // 2))


def squares(
    head: DenseHead | FeatureHead, number: int, layer: Float[Tensor, "s n d"], grid: tuple[int, int]
) -> Float[Tensor, "s f a b"]:
    """What a head takes from one layer's tokens, on their grid."""
    # A head is small beside its trunk: it works in its own precision, so that nothing is lost to rounding.
    x = head.norm(layer.to(head.norm.weight.dtype))
    return head.projects[number](x.transpose(1, 2).unflatten(2, grid))


def resizers(channels: Sequence[int]) -> list[nn.Module]:
    """What draws the four layers to 4, 2, 1 and 1/2 times the tokens' grid."""
    a, b, _, d = channels
    return [
        nn.ConvTranspose2d(a, a, 4, 4),
        nn.ConvTranspose2d(b, b, 2, 2),
        nn.Identity(),
        nn.Conv2d(d, d, 3, stride=2, padding=1),
    ]


def fused(parts: nn.Module, levels: list[Tensor], suffix: str = "") -> Float[Tensor, "s f h w"]:
    """The four levels as one, twice as large as the finest; each is let go as soon as it is joined."""
    fine = levels.pop()
    sizes = [(level.shape[-2], level.shape[-1]) for level in levels]
    x = getattr(parts, f"refinenet4{suffix}")(fine, None, sizes[2])
    x = getattr(parts, f"refinenet3{suffix}")(x, levels.pop(), sizes[1])
    x = getattr(parts, f"refinenet2{suffix}")(x, levels.pop(), sizes[0])
    return getattr(parts, f"refinenet1{suffix}")(x, levels.pop(), (2 * sizes[0][0], 2 * sizes[0][1]))


def drawn(x: Float[Tensor, "s f h w"], size: tuple[int, int]) -> Float[Tensor, "s f a b"]:
    """The picture at another size; corners stay corners."""
    return functional.interpolate(x, size, mode="bilinear", align_corners=True)


def placed(x: Float[Tensor, "s f h w"], aspect: float) -> Float[Tensor, "s f h w"]:
    """Features that also tell where each is: waves along the directions across and down, ``aspect`` wide per high."""
    n = x.shape[1] // 4
    wave = _SLOWEST ** -(torch.arange(n, device=x.device, dtype=torch.float64) / n)
    diagonal = (1 + aspect * aspect) ** 0.5
    across, down = (
        _centres(x.shape[axis], length / diagonal, x.device)[:, None] * wave for axis, length in ((3, aspect), (2, 1.0))
    )
    u = torch.cat([across.sin(), across.cos()], dim=1).T[None, :, None, :]
    v = torch.cat([down.sin(), down.cos()], dim=1).T[None, :, :, None]
    half = x.shape[1] // 2
    x[:, :half] += _PLACE * u.to(x.dtype)
    x[:, half:] += _PLACE * v.to(x.dtype)
    return x


def _centres(n: int, span: float, device: torch.device) -> Float[Tensor, " n"]:
    """Centres of n pixels that cover -span to span."""
    edge = span * (n - 1) / n
    return torch.linspace(-edge, edge, n, device=device, dtype=torch.float64)
