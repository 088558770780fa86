"""The picture half of a CLIP-ReID network, as it was trained: a vision transformer with two answers put together.

Source: Li, Sun, Li, CLIP-ReID (AAAI 2023), and Radford et al., CLIP (ICML 2021), written from the papers and the names
of the tensors. The vector is the class token after the last norm, and the same projected, both before the bottleneck
(``NECK_FEAT: before`` of its configuration).
"""

import math
import pickle
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional

from sightline.errors import WeightsError

HEIGHT, WIDTH = 256, 128
"""Of the crops that such networks are trained on, in pixels."""
_PREFIX = "image_encoder."
_HEAD = 64
"""Numbers of each head of attention, in all of CLIP's transformers."""
_BLOCK = (
    "ln_1.weight", "ln_1.bias", "attn.in_proj_weight", "attn.in_proj_bias", "attn.out_proj.weight",
    "attn.out_proj.bias", "ln_2.weight", "ln_2.bias", "mlp.c_fc.weight", "mlp.c_fc.bias", "mlp.c_proj.weight",
    "mlp.c_proj.bias",
)  # fmt: skip
_AROUND = (
    "class_embedding", "positional_embedding", "proj", "conv1.weight",
    "ln_pre.weight", "ln_pre.bias", "ln_post.weight", "ln_post.bias",
)  # fmt: skip


class VisionTransformer:
    """The network of a checkpoint: sizes are read from its tensors."""

    def __init__(self, path: Path) -> None:
        """Reads the file; the text half, the prompts and the classifiers in it are left out.

        Raises:
            WeightsError: it is no such checkpoint, or a damaged one.
        """
        tensors = {
            key.removeprefix("module.").removeprefix(_PREFIX): tensor
            for key, tensor in _read(path).items()
            if key.removeprefix("module.").startswith(_PREFIX)
        }
        blocks = {key.split(".")[2] for key in tensors if key.startswith("transformer.resblocks.")}
        self._n_blocks = len(blocks)
        wanted = [*_AROUND, *(f"{_block(i)}{name}" for i in range(max(self._n_blocks, 1)) for name in _BLOCK)]
        missing = [key for key in wanted if key not in tensors]
        if missing:
            raise WeightsError(
                f"{path}: not a CLIP-ReID checkpoint: {len(missing)} tensors are missing, {_PREFIX}{missing[0]} first"
            )
        self._tensors = {key: tensors[key].float() for key in wanted}
        for key, tensor in self._tensors.items():
            if not math.isfinite(float(tensor.sum(dtype=torch.float64))):
                raise WeightsError(f"{path}: {_PREFIX}{key} holds NaN or infinity; the file is damaged, fetch it again")
        self._stride = self._checked(path)

    @property
    def n_numbers(self) -> int:
        """Length of the vectors."""
        return sum(self._tensors["proj"].shape)

    def looks(self, batch: Float32[np.ndarray, "n 3 h w"]) -> Float[np.ndarray, "n d"]:
        """Vectors of crops with pixels from -1 to 1, red first; their length is not one yet."""
        of = self._tensors
        with torch.inference_mode():
            x = functional.conv2d(torch.from_numpy(batch), of["conv1.weight"], stride=self._stride)
            x = x.flatten(2).transpose(1, 2)
            token = of["class_embedding"].expand(len(x), 1, -1)
            x = self._normed(torch.cat([token, x], dim=1) + of["positional_embedding"], "ln_pre")
            for i in range(self._n_blocks):
                x = self._further(x, _block(i))
            said = self._normed(x[:, 0], "ln_post")
            vectors: Tensor = torch.cat([said, said @ of["proj"]], dim=1)
        return np.asarray(vectors.double().numpy())

    def _further(self, x: Tensor, block: str) -> Tensor:
        """One block: every patch asks every other, then thinks by itself."""
        of = self._tensors
        n, tokens, width = x.shape
        asked = functional.linear(
            self._normed(x, f"{block}ln_1"), of[f"{block}attn.in_proj_weight"], of[f"{block}attn.in_proj_bias"]
        )
        q, k, v = asked.view(n, tokens, 3, width // _HEAD, _HEAD).permute(2, 0, 3, 1, 4)
        heard = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, tokens, width)
        x = x + functional.linear(heard, of[f"{block}attn.out_proj.weight"], of[f"{block}attn.out_proj.bias"])
        inner = functional.linear(
            self._normed(x, f"{block}ln_2"), of[f"{block}mlp.c_fc.weight"], of[f"{block}mlp.c_fc.bias"]
        )
        inner = inner * torch.sigmoid(1.702 * inner)  # CLIP's own approximation of the GELU
        return x + functional.linear(inner, of[f"{block}mlp.c_proj.weight"], of[f"{block}mlp.c_proj.bias"])

    def _normed(self, x: Tensor, name: str) -> Tensor:
        of = self._tensors
        return functional.layer_norm(x, x.shape[-1:], of[f"{name}.weight"], of[f"{name}.bias"])

    def _checked(self, path: Path) -> int:
        """The step between patches; all shapes fit each other."""
        of = self._tensors
        width, n_positions = len(of["class_embedding"]), len(of["positional_embedding"])
        patch = of["conv1.weight"].shape[-1]
        shapes = {"class_embedding": (width,), "positional_embedding": (n_positions, width)}
        shapes |= {"conv1.weight": (width, 3, patch, patch), "proj": (width, of["proj"].shape[-1])}
        shapes |= {f"ln_{where}.{part}": (width,) for where in ("pre", "post") for part in ("weight", "bias")}
        for i in range(self._n_blocks):
            hidden = len(of[f"{_block(i)}mlp.c_fc.bias"])
            sizes = (
                (width,), (width,), (3 * width, width), (3 * width,), (width, width), (width,), (width,), (width,),
                (hidden, width), (hidden,), (width, hidden), (width,),
            )  # fmt: skip
            shapes |= {f"{_block(i)}{name}": size for name, size in zip(_BLOCK, sizes, strict=True)}
        for key, shape in shapes.items():
            if tuple(of[key].shape) != shape or width % _HEAD:
                raise WeightsError(f"{path}: {_PREFIX}{key} is {tuple(of[key].shape)}, which is not CLIP-ReID's")
        for step in range(patch, 0, -1):
            if ((HEIGHT - patch) // step + 1) * ((WIDTH - patch) // step + 1) + 1 == n_positions:
                return step
        raise WeightsError(f"{path}: {n_positions} positions are not those of crops of {WIDTH} x {HEIGHT}")


def _block(number: int) -> str:
    return f"transformer.resblocks.{number}."


def _read(path: Path) -> dict[str, Tensor]:
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise WeightsError(f"{path}: no checkpoint, or one that holds more than tensors and may run code") from None
    except (RuntimeError, EOFError, ValueError, LookupError, OSError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise WeightsError(f"{path}: not a checkpoint, or cut off ({said}); fetch it again") from None
    if isinstance(held, dict) and isinstance(held.get("state_dict"), dict):
        held = held["state_dict"]
    if not isinstance(held, dict):
        raise WeightsError(f"{path}: holds no tensors by name")
    return {str(key): tensor for key, tensor in held.items() if isinstance(tensor, Tensor)}
