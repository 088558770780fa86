"""What VGGT costs here, beside the same network written straightforwardly; how near it is to the reference.

    .venv/bin/python benchmarks/neural.py [--parity] [--frames 4] [--size 392x518]

The true architecture with made-up weights: times and memory do not depend on what the weights know. Straightforward is:
every layer kept, float32, nothing in parts, the head for points always. Each row runs in a process of its own, on one
thread; seconds are the processor's, memory is the process's peak with all its libraries. ``--parity`` compares the full
network with the reference's numbers for 2 pictures of 196 x 252 (needs the shared folder).
"""

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from sightline.reconstructors.looks.loading import Ready
from sightline.reconstructors.looks.memory import at_once, load
from sightline.reconstructors.networks.camera import intrinsics, poses
from sightline.reconstructors.networks.checkpoint import fitted
from sightline.reconstructors.networks.encoder import HEAD, PATCH, normal, placed
from sightline.reconstructors.networks.following import FollowSize
from sightline.reconstructors.networks.precision import lighten
from sightline.reconstructors.networks.rotary import turned, turns
from sightline.reconstructors.networks.vggt import VggtNet, VggtSize

FULL = VggtSize(1024, 24, 4, 1024, 24, 4, 37, 4, 256, (256, 512, 1024, 1024))
SHARED = Path(os.environ.get("SIGHTLINE_SHARED", Path(__file__).parents[1] / "../shared")).resolve()
ROWS = [
    ("straightforward", "float32", 1),
    ("ours", "float32", 1),
    ("ours", "bfloat16", 1),
    ("ours", "int8", 1),
    ("ours", "float32", 2),
]


def made_up(size, *, points, device="cpu"):
    """A network whose numbers neither vanish nor burst."""
    with torch.device("meta"):
        net = VggtNet(size, points=points)
    net.to_empty(device=device).requires_grad_(requires_grad=False).eval()
    some = torch.randn(1 << 20, device=device)
    for key, tensor in net.state_dict().items():
        drawn = some.repeat(tensor.numel() // len(some) + 1)[: tensor.numel()].view(tensor.shape)
        spread = tensor[0].numel() ** -0.5 if tensor.dim() > 1 else 0.05
        tensor.copy_(drawn * spread)
        if key.endswith("gamma"):
            tensor.fill_(0.3)
        elif tensor.dim() == 1 and key.endswith("weight"):
            tensor.add_(1)
    return net


def straightforward_block(block, x, by=None):
    """As it stands in the papers."""
    b, n, c = x.shape
    q, k, v = block.attn.qkv(block.norm1(x)).view(b, n, 3, block.attn.heads, -1).permute(2, 0, 3, 1, 4)
    if hasattr(block.attn, "q_norm"):
        q, k = block.attn.q_norm(q), block.attn.k_norm(k)
    if by is not None:
        q, k = turned(q, by), turned(k, by)
    told = torch.nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, c)
    x = x + block.attn.proj(told) * block.ls1.gamma
    return x + block.mlp(block.norm2(x)) * block.ls2.gamma


def straightforward_trunk(trunk, pictures):
    """Every layer, both halves."""
    s, rows, columns = len(pictures), pictures.shape[-2] // PATCH, pictures.shape[-1] // PATCH
    encoder = trunk.patch_embed
    x = encoder.patch_embed(normal(pictures))
    x = torch.cat([encoder.cls_token.expand(s, -1, -1), x], dim=1) + placed(encoder.pos_embed, rows, columns)
    x = torch.cat([x[:, :1], encoder.register_tokens.expand(s, -1, -1), x[:, 1:]], dim=1)
    for block in encoder.blocks:
        x = straightforward_block(block, x)
    x = encoder.norm(x)[:, 1 + encoder.register_tokens.shape[1] :]
    special = torch.cat([trunk.camera_token, trunk.register_token], dim=2)[0]
    x = torch.cat([torch.cat([special[:1], special[1:].expand(s - 1, -1, -1)]), x], dim=1)
    by = turns(rows, columns, special.shape[1], HEAD, x.device)
    by_all = (by[0].repeat(s, 1), by[1].repeat(s, 1))
    kept = []
    for within, across in zip(trunk.frame_blocks, trunk.global_blocks, strict=True):
        alone = straightforward_block(within, x, by)
        x = straightforward_block(across, alone.reshape(1, -1, x.shape[-1]), by_all).view_as(alone)
        kept.append(torch.cat([alone, x], dim=-1))
    return kept, special.shape[1]


@torch.inference_mode()
def straightforward(net, pictures):
    """The whole, at once."""
    kept, n_special = straightforward_trunk(net.aggregator, pictures)
    size = (pictures.shape[-2], pictures.shape[-1])
    layers = [kept[number][:, n_special:] for number in net.read]
    cameras = net.camera_head(kept[-1][:, 0].contiguous())
    depth = net.depth_head(layers, size)
    points = net.point_head(layers, size)
    return cameras, depth[:, 0].exp(), 1 + depth[:, 1].exp(), points


def one(way, precision, frames, height, width):
    """One row, in this process."""
    torch.set_num_threads(1)
    net = made_up(FULL, points=way == "straightforward")
    pictures = torch.rand(frames, 3, height, width)
    began = time.process_time()
    if way == "straightforward":
        straightforward(net, pictures)
    else:
        lighten(net.aggregator, precision, torch.device("cpu"))
        began = time.process_time()
        net(pictures, at_once((height, width), torch.device("cpu")), lambda: None)
    spent = time.process_time() - began
    planned = load(Ready(net, "vggt", torch.device("cpu"), precision), (height, width), points=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6 * 1.024
    print(json.dumps({"cpu_s": spent, "peak_gb": peak, "planned_mb": planned.seen / 1e6}))


def parity():
    """How far the full network is from the reference."""
    spec = importlib.util.spec_from_file_location("stand_in_weights", SHARED / "golden" / "weights.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    shapes = json.loads((SHARED / "golden/vggt/full.shapes.json").read_text())
    shapes = {key: tuple(shape) for key, shape in shapes.items()}
    with torch.device("meta"):
        net = VggtNet(VggtSize.of(shapes), points=True, follows=FollowSize.of(shapes))
    wanted = {key: shapes[key] for key in net.state_dict()}
    weights = {key: torch.from_numpy(made.tensor(key, shape)) for key, shape in wanted.items()}
    fitted(net, weights, [], Path("golden"))
    golden = np.load(SHARED / "golden/vggt/full.npz")
    answer = net(torch.from_numpy(made.images(2, 196, 252)), 1, lambda: None)
    pairs = {
        "pose_enc": answer.cameras, "extrinsic": poses(answer.cameras),
        "intrinsic": intrinsics(answer.cameras, (196, 252)),
        "depth": answer.depth, "depth_conf": answer.depth_confidence,
        "world_points": answer.points, "world_points_conf": answer.points_confidence,
    }  # fmt: skip
    for name, found in pairs.items():
        array = golden[name].reshape(found.shape)
        known = np.isfinite(array) & (np.abs(array) < 1e6)
        off = np.abs(found.numpy()[known] - array[known])
        print(f"  {name:18s} off by at most {off.max() / np.abs(array[known]).max():.1e} of the largest")
    parity_of_tracks(net, torch.from_numpy(made.images(2, 196, 252)), golden)


def parity_of_tracks(net, pictures, golden, draws=16):
    """Prints how near points come: with made-up weights a move hangs on rounding, so features are drawn a few times."""
    with torch.inference_mode():
        torch.manual_seed(0)
        seen = net.aggregator(pictures, net.read, 1, lambda: None)
        features = net.track_head.feature_extractor(seen.layers, seen.size)
        off = []
        for _ in range(draws):
            some = features * (1 + 1e-6 * torch.randn_like(features))
            said = net.track_head.tracker(some, torch.from_numpy(golden["query_points"]), lambda: None)
            pairs = ((said.xy, "track"), (said.visible, "vis"), (said.confidence, "conf"))
            off.append([float(np.abs(found.numpy() - golden[name][0]).max()) for found, name in pairs])
    for name, unit, each in zip(("track", "vis", "conf"), (" px", "", ""), np.array(off).T, strict=True):
        print(f"  {name:18s} off by {each.min():.1e} to {each.max():.1e}{unit} in {draws} draws of the last digits")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parity", action="store_true")
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--size", default="392x518")
    parser.add_argument("--one", nargs=2)
    asked = parser.parse_args()
    height, width = map(int, asked.size.split("x"))
    if asked.one:
        one(*asked.one, asked.frames, height, width)
        return
    if asked.parity:
        print("VGGT, 1257 M parameters, 2 pictures of 196 x 252, beside the reference's numbers")
        parity()
        return
    print(f"VGGT, 1257 M parameters, pictures of {height} x {width}, one thread of {os.cpu_count()} shared cores")
    print(f"{'':16s}{'precision':>10s}{'frames':>7s}{'CPU s/frame':>13s}{'peak GB':>9s}{'beside straightforward':>25s}")
    first = None
    for way, precision, times in ROWS:
        n = asked.frames * times
        command = [sys.executable, __file__, "--one", way, precision, "--frames", str(n), "--size", asked.size]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        each = row["cpu_s"] / n
        first = first or each
        print(f"{way:16s}{precision:>10s}{n:>7d}{each:>13.1f}{row['peak_gb']:>9.2f}{each / first:>24.2f}x", flush=True)


if __name__ == "__main__":
    main()
