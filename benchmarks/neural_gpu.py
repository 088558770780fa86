"""VGGT on a GPU, from 1 to 500 pictures, beside the straightforward way and the table that its authors published.

    .venv/bin/python benchmarks/neural_gpu.py [--device cuda] [--frames 1 2 4 ...] [--size 392x518] [--small]

Seconds and peak memory of the trunk alone and of the whole pass (trunk, cameras, depth), by the device's own clock, the
best of three after one to warm up. Straightforward is bfloat16 by autocast with every layer kept, in the same run.
``of peak``: multiplications per second, to the most that the device says it does in bfloat16 (known for H100 and H200).
Without a GPU, ``--device cpu --small --frames 1 2 4`` runs the same code on a small network; its times say nothing.
"""

import argparse
import resource
import time

import torch
from neural import FULL, made_up, straightforward, straightforward_trunk

from sightline.reconstructors.looks.memory import at_once
from sightline.reconstructors.networks.encoder import PATCH
from sightline.reconstructors.networks.precision import lighten
from sightline.reconstructors.networks.vggt import VggtSize

SMALL = VggtSize(64, 4, 4, 64, 2, 4, 37, 1, 16, (8, 8, 8, 8))
PUBLISHED = {  # frames: seconds, GB; H100, trunk alone; README of the reference
    1: (0.04, 1.88), 2: (0.05, 2.07), 4: (0.07, 2.45), 8: (0.11, 3.23), 10: (0.14, 3.63),
    20: (0.31, 5.58), 50: (1.04, 11.41), 100: (3.12, 21.15), 200: (8.75, 40.63),
}  # fmt: skip
PEAKS = {"H100": 989e12, "H200": 989e12}


def multiplications(size, frames, height, width):
    """Of the trunk, two operations each: linear layers and attention."""
    tokens = (height // PATCH) * (width // PATCH) + 1 + size.registers
    linear = 24 * tokens * (size.encoder_depth * size.encoder_dim**2 + 2 * size.depth * size.dim**2)
    within = 4 * tokens**2 * (size.encoder_depth * size.encoder_dim + size.depth * size.dim)
    across = 4 * (frames * tokens) ** 2 * size.depth * size.dim
    return frames * (linear + within) + across


def measured(work, device, times):
    """Seconds and peak gigabytes; None where memory runs out."""
    best = float("inf")
    try:
        for _ in range(times + 1):
            if device.type == "cuda":
                torch.cuda.synchronize()
                torch.cuda.reset_peak_memory_stats()
            began = time.perf_counter()
            work()
            if device.type == "cuda":
                torch.cuda.synchronize()
            best = min(best, time.perf_counter() - began)
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        return None
    if device.type == "cuda":
        return best, torch.cuda.max_memory_allocated() / 1e9
    return best, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def said(row):
    return f"{row[0]:>9.3f}{row[1]:>8.2f}" if row else f"{'memory':>9s}{'':>8s}"


def ours(asked, device, size):
    """Per number of pictures: trunk, whole."""
    net = made_up(size, points=False, device=device)
    lighten(net.aggregator, "bfloat16" if device.type == "cuda" else "float32", device)
    some = at_once(asked.shape, device)
    for n in asked.frames:
        pictures = torch.rand(n, 3, *asked.shape, device=device)
        with torch.inference_mode():
            trunk = measured(lambda p=pictures: net.aggregator(p, net.read, some, lambda: None), device, asked.times)
        yield trunk, measured(lambda p=pictures: net(p, some, lambda: None), device, asked.times)


def theirs(asked, device, size):
    """The same, straightforward."""
    net = made_up(size, points=True, device=device)
    for n in asked.frames:
        pictures = torch.rand(n, 3, *asked.shape, device=device)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            trunk = measured(lambda p=pictures: straightforward_trunk(net.aggregator, p), device, asked.times)
            yield trunk, measured(lambda p=pictures: straightforward(net, p), device, asked.times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--frames", type=int, nargs="+", default=[1, 2, 4, 8, 10, 20, 50, 100, 200, 500])
    parser.add_argument("--size", default="392x518")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="leave the straightforward way out, which takes memory")
    asked = parser.parse_args()
    device = torch.device(asked.device)
    asked.name = torch.cuda.get_device_name(device) if device.type == "cuda" else "processor"
    asked.shape = tuple(map(int, asked.size.split("x")))
    size = SMALL if asked.small else FULL
    print(f"{asked.name}, torch {torch.__version__}, pictures of {asked.size}{', small network' * asked.small}")
    columns = [list(ours(asked, device, size))]  # one way after the other: neither holds the other's weights
    if not asked.alone:
        columns.append(list(theirs(asked, device, size)))
    heads = ["ours: trunk", "ours: whole", "of peak", *([] if asked.alone else ["plain: trunk", "plain: whole"])]
    print("frames | " + " | ".join([*heads, "published: trunk"]) + "; seconds and GB each")
    peak = next((rate for name, rate in PEAKS.items() if name in asked.name), None)
    for row, n in enumerate(asked.frames):
        (trunk, whole), *plain = (column[row] for column in columns)
        rate = multiplications(size, n, *asked.shape) / trunk[0] if trunk else 0.0
        share = f"{rate / peak:>9.0%}" if peak else f"{rate / 1e12:>7.2f} T"
        published = said(PUBLISHED[n]) if n in PUBLISHED and not asked.small else ""
        print(f"{n:>6d}{said(trunk)}{said(whole)}{share}", *(said(r) for both in plain for r in both), published)


if __name__ == "__main__":
    main()
