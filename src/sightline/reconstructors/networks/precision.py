"""How finely a trunk reckons. Sums of what is added to tokens stay in float32; products are in what is asked for."""

from pathlib import Path
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sightline.reconstructors.networks.block import Attention, Mlp
from sightline.reconstructors.networks.choices import Precision

_UNITS: Final = ("avx512_bf16", "amx_bf16")
_MOST: Final = 127


class Rounded(nn.Module):
    """A linear layer in bytes: weights rounded once per row, tokens as they come; sums are exact.

    Source: Dettmers et al., "LLM.int8()" (2022), section 2.1, without its outliers.
    """

    weight: Tensor
    scale: Tensor
    bias: Tensor

    def __init__(self, exact: nn.Linear) -> None:
        super().__init__()
        scale = exact.weight.abs().amax(dim=1).clamp_min(torch.finfo(torch.float32).tiny) / _MOST
        self.register_buffer("weight", (exact.weight / scale[:, None]).round().to(torch.int8).T)
        self.register_buffer("scale", scale)
        self.register_buffer("bias", exact.bias)

    def forward(self, x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n o"]:
        """What the layer gives, to within the rounding."""
        rows = x.flatten(0, -2)
        scale = rows.abs().amax(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny) / _MOST
        sums = torch._int_mm((rows / scale).round_().to(torch.int8), self.weight)  # noqa: SLF001  (has no other name)
        return torch.addcmul(self.bias, sums * scale, self.scale).unflatten(0, x.shape[:-1])


def chosen(precision: Precision, device: torch.device) -> Precision:
    """What ``auto`` means on the device."""
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "bfloat16" if device.type == "cpu" and _has_units() else "float32"


def lighten(trunk: nn.Module, precision: Precision, device: torch.device) -> None:
    """Moves the trunk to the device, part by part, its attention and wide layers in that precision."""
    for part in list(trunk.modules()):
        if not isinstance(part, Attention | Mlp):
            continue
        if precision == "int8":
            for name, layer in list(part.named_children()):
                if isinstance(layer, nn.Linear):
                    setattr(part, name, Rounded(layer))
        part.to(device, torch.bfloat16 if precision == "bfloat16" else None)
    trunk.to(device)


def _has_units() -> bool:
    """Whether this processor multiplies bfloat16; on others it takes four times as long as float32."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return any(unit in flags.split() for unit in _UNITS)
