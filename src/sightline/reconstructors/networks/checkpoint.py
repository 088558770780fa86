"""Checkpoints: files of named tensors, mapped into memory and put into a network as they are, or not at all.

Two kinds are read: what PyTorch writes since 2020 (without ever running what a pickle asks for), and safetensors.
Source of the latter: the format's description by Hugging Face.
"""

import json
import math
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from sightline.errors import WeightsError

_KINDS: Final = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip
"""What safetensors calls its numbers."""
_HEADER: Final = 100 << 20
"""A longer header is none."""
_WRAPPED: Final = ("model", "state_dict")
"""Names under which tensors lie in checkpoints that hold more than them."""


def opened(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name; they stay in the file until they are used.

    Raises:
        WeightsError: it is neither kind, is cut off, or wants code to be run.
    """
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from None
    if start[:2] == b"PK":
        return _pytorch(path)
    if start[8:] == b"{":
        return _safetensors(path)
    raise WeightsError(
        f"{path}: not a checkpoint, or cut off: neither safetensors nor a file of PyTorch's since 2020; fetch it again"
    )


def fitted(net: nn.Module, tensors: Mapping[str, Tensor], unread: Iterable[str], path: Path) -> None:
    """Puts the tensors into the network, which may be on no device; those that begin as ``unread`` are left out.

    Raises:
        WeightsError: one is missing or unexpected, has another shape, or holds something that is no number.
    """
    wanted = {key: tuple(tensor.shape) for key, tensor in net.state_dict().items()}
    skipped = tuple(unread)
    given = {key: tensor for key, tensor in tensors.items() if key in wanted or not key.startswith(skipped)}
    missing, unexpected = [key for key in wanted if key not in given], [key for key in given if key not in wanted]
    if missing or unexpected:
        parts = (f"{len(missing)} missing ({_some(missing)})", f"{len(unexpected)} unexpected ({_some(unexpected)})")
        wrong = " and ".join(part for part, keys in zip(parts, (missing, unexpected), strict=True) if keys)
        raise WeightsError(f"{path}: not the tensors that the network has: {wrong}")
    for key, shape in wanted.items():
        if tuple(given[key].shape) != shape:
            raise WeightsError(f"{path}: {key} is {tuple(given[key].shape)}, the network's is {shape}")
        # A sum is one pass without another array, and whatever is not a number makes it none.
        if not math.isfinite(float(given[key].sum(dtype=torch.float64))):
            raise WeightsError(f"{path}: {key} holds NaN or infinity; the file is damaged, fetch it again")
    net.load_state_dict({key: given[key].float() for key in wanted}, assign=True)
    net.requires_grad_(requires_grad=False).eval()


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")


def _pytorch(path: Path) -> dict[str, Tensor]:
    try:
        held = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    except pickle.UnpicklingError:
        raise WeightsError(
            f"{path}: holds more than tensors, and reading it might run code; get it as safetensors"
        ) from None
    except (RuntimeError, EOFError, ValueError, LookupError, OSError) as error:
        raise WeightsError(f"{path}: not a checkpoint, or cut off ({_line(error)}); fetch it again") from None
    for name in _WRAPPED:
        if isinstance(held, dict) and isinstance(held.get(name), dict):
            held = held[name]
    if not isinstance(held, dict) or not all(isinstance(tensor, Tensor) for tensor in held.values()):
        raise WeightsError(f"{path}: holds no tensors by name")
    return dict(held)


def _safetensors(path: Path) -> dict[str, Tensor]:
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length < min(_HEADER, n_bytes - 8):
            raise WeightsError(f"{path}: not a checkpoint, or cut off (its header does not fit); fetch it again")
        header = file.read(length)
    try:
        table = json.loads(header)
        table.pop("__metadata__", None)
        data = torch.from_numpy(np.memmap(path, np.uint8, mode="c", offset=8 + length))
        return {str(key): _tensor(data, entry) for key, entry in table.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise WeightsError(f"{path}: not a checkpoint, or cut off ({_line(error)}); fetch it again") from None


def _tensor(data: Tensor, entry: Mapping[str, Any]) -> Tensor:
    """One tensor of the file."""
    start, end = entry["data_offsets"]
    if not 0 <= start <= end <= len(data):
        raise ValueError(f"a tensor ends at byte {end} of {len(data)}")
    numbers = data[start:end].clone() if start % 8 else data[start:end]
    return numbers.view(_KINDS[str(entry["dtype"])]).view(entry["shape"])


def _line(error: Exception) -> str:
    """The first sentence of what the library says."""
    return (str(error).splitlines() or [type(error).__name__])[0].partition(". ")[0][:120]
