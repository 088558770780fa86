"""How much memory there is, and how many pictures a network can see at once in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from sightline.errors import EngineError
from sightline.reconstructors.looks.chunks import LEAST
from sightline.reconstructors.looks.loading import Ready
from sightline.reconstructors.networks.encoder import PATCH
from sightline.reconstructors.networks.vggt import VggtNet

_SPARED: Final = 0.85
"""Of the free memory, the share that is counted on: others want some, and none is handed out without gaps."""
_FIXED: Final = 400 << 20
"""What runs besides the pictures: libraries, and parts that are worked on."""
_HEAD_PER_PIXEL: Final = 3200
"""Bytes that a dense head takes for each pixel of a picture that it works on."""
_MAPS: Final = 4
"""Features as they are made, joined, normed, and on coarser levels, while points are followed."""
_TRACK: Final = 30
"""Of a track's numbers in a picture, how many are there at a time."""
_GROUPS: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"))


@dataclass(frozen=True, slots=True)
class Load:
    """What a picture takes while a network looks at it; bytes."""

    seen: int
    """As long as all pictures are looked at."""
    worked_on: int
    """While it is one of those that a dense head works on."""
    answered: int
    """Of the answer."""


def load(ready: Ready, size: tuple[int, int], *, points: bool) -> Load:
    """What one picture of that size (down, across) takes."""
    pixels = size[0] * size[1]
    net = ready.net
    if isinstance(net, VggtNet):
        dim, n_kept = net.aggregator.camera_token.shape[-1], len(net.read)
    else:
        dim, n_kept = net.backbone.pretrained.cls_token.shape[-1], 4
    tokens = pixels // PATCH**2 + 5
    width = 2 if ready.precision == "bfloat16" else 4
    # The tokens, their queries, keys, values and answers, what heads will read, and the turns.
    seen = tokens * (dim * (4 + 4 * width + 2 * width * n_kept) + 2 * 64 * 4)
    answer = pixels * 4 * (6 if points else 2)
    return Load(seen + 3 * 4 * pixels, _HEAD_PER_PIXEL * pixels, answer)


def load_of_following(net: VggtNet, size: tuple[int, int], n_points: int) -> int:
    """What each picture takes besides, in bytes, while so many points are followed."""
    tracker = net.track_head.tracker
    features, dim = len(tracker.fmap_norm.weight), len(tracker.updateformer.output_norm.weight)
    return 4 * (_MAPS * features * size[0] * size[1] // 4 + _TRACK * dim * n_points)


def at_once(size: tuple[int, int], device: torch.device) -> int:
    """How many pictures to work on where each is by itself: enough to keep the device busy, no more."""
    return 8 if device.type == "cuda" else 1 + (PATCH * 8) ** 2 // (size[0] * size[1])


def seen_at_once(free: int, load_: Load, some: int) -> int:
    """How many pictures can be seen at once in ``free`` bytes, ``some`` of them worked on at a time."""
    left = free * _SPARED - _FIXED - some * load_.worked_on
    return max(int(left // (load_.seen + load_.answered)), 0)


def together(ready: Ready, size: tuple[int, int], n: int, free: int, *, points: bool) -> int:
    """How many of n pictures can be looked at together in ``free`` bytes.

    Raises:
        EngineError: too few for parts to be laid upon each other.
    """
    some, each = at_once(size, ready.device), load(ready, size, points=points)
    can = seen_at_once(free, each, some)
    if can >= min(n, LEAST):
        return min(can, n)
    needed = (min(n, LEAST) * (each.seen + each.answered) + some * each.worked_on + _FIXED) / _SPARED
    raise EngineError(
        f"not enough memory on {ready.device}: {free / 1e9:.1f} GB free, about {needed / 1e9:.1f} needed; a smaller "
        "side_px, precision = int8, smaller weights or a larger machine will do"
    )


def free_bytes(device: torch.device) -> int:
    """What the device has to give away now: the machine's, or what this process's group may take of it.

    Raises:
        EngineError: nobody says.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        free = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))
        most, used = (path.read_text("ascii").strip() for path in _GROUPS) if _GROUPS[0].exists() else ("max", "0")
    except (OSError, ValueError, StopIteration):
        raise EngineError(
            "this system does not say how much memory is free; say how many pictures: chunk = 20"
        ) from None
    return free if most == "max" else min(free, int(most) - int(used))
