"""Weights to a network that is ready to run: which of the two it is, and where it runs."""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from sightline.errors import OptionError, WeightsError
from sightline.reconstructors.looks.found import Found
from sightline.reconstructors.networks.checkpoint import fitted, opened
from sightline.reconstructors.networks.choices import Kind, Precision
from sightline.reconstructors.networks.da3 import Da3Net, Da3Size
from sightline.reconstructors.networks.following import FollowSize
from sightline.reconstructors.networks.precision import chosen, lighten
from sightline.reconstructors.networks.vggt import VggtNet, VggtSize

_PREFIX: Final = "model."
_MARKS: Final[dict[Kind, str]] = {"vggt": "aggregator.camera_token", "da3": "backbone.pretrained.camera_token"}
_UNREAD_DA3: Final = (
    "cam_enc.", "gs_head.", "gs_adapter.", "head.scratch.output_conv1_aux.", "head.scratch.output_conv2_aux.",
    *(f"head.scratch.refinenet{level}_aux." for level in range(1, 5)),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A network, ready to run."""

    net: VggtNet | Da3Net
    """It."""
    kind: Kind
    """Which."""
    device: torch.device
    """Where it runs."""
    precision: Precision
    """How finely."""

    @property
    def trunk(self) -> torch.nn.Module:
        """Its part that all pictures pass through together."""
        return self.net.aggregator if isinstance(self.net, VggtNet) else self.net.backbone

    @property
    def n_bytes(self) -> int:
        """What its numbers take."""
        numbers = [*self.net.parameters(), *self.net.buffers()]
        return sum(tensor.numel() * tensor.element_size() for tensor in numbers)

    @property
    def mapped_bytes(self) -> int:
        """What of it lies in a file's pages, which the system says are free, but which had better stay."""
        return self.n_bytes if self.device.type == "cpu" and self.precision == "float32" else 0


def ready(
    found: Found, kind: Kind | None, precision: Precision, device: str, *, points: bool, follows: bool = False
) -> Ready:
    """The network that the weights are for, which must be of that kind if one is given.

    ``points`` and ``follows`` say which of VGGT's heads are wanted besides camera and depth.

    Raises:
        WeightsError: the file is damaged, or for another network.
        OptionError: there is no such device here.
    """
    where = placed(device)
    tensors = opened(found.path)
    if all(key.startswith(_PREFIX) for key in tensors):
        tensors = {key.removeprefix(_PREFIX): tensor for key, tensor in tensors.items()}
    is_kind = _kind(tensors, found)
    if kind not in {None, is_kind}:
        raise WeightsError(f"{found.name}: weights for the engine {is_kind}, not {kind}; --engine {is_kind} takes them")
    shapes = {key: tuple(tensor.shape) for key, tensor in tensors.items()}
    try:
        with torch.device("meta"):
            net = (
                VggtNet(VggtSize.of(shapes), points=points, follows=FollowSize.of(shapes) if follows else None)
                if is_kind == "vggt"
                else Da3Net(Da3Size.of(shapes))
            )
    except WeightsError as error:
        raise WeightsError(f"{found.path}: {error}") from None
    unasked = {"point_head.": not points, "track_head.": not follows}
    unread = _UNREAD_DA3 if is_kind == "da3" else tuple(head for head, is_unasked in unasked.items() if is_unasked)
    fitted(net, tensors, unread, found.path)
    made = Ready(net, is_kind, where, chosen(precision, where))
    lighten(made.trunk, made.precision, where)
    net.to(where)
    return made


def placed(device: str) -> torch.device:
    """The device of that name; ``auto``: a GPU if there is one.

    Raises:
        OptionError: there is none here.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        where = torch.device(device)
        torch.empty(0, device=where)
    except (RuntimeError, AssertionError) as error:
        why = str(error).splitlines()[0][:120]
        raise OptionError(f"device = {device!r}: not to be had here ({why}); auto, cpu or cuda") from None
    return where


def _kind(tensors: dict[str, Tensor], found: Found) -> Kind:
    """Which network the tensors are of.

    Raises:
        WeightsError: neither.
    """
    for kind, mark in _MARKS.items():
        if mark in tensors:
            return kind
    some = ", ".join(list(tensors)[:3]) or "none"
    raise WeightsError(
        f"{found.path}: neither VGGT nor Depth Anything 3 Small or Base: no tensor {' or '.join(_MARKS.values())} "
        f"among its {len(tensors)} ({some}, ...)"
    )
