"""How far a long video drifts that is looked at in parts: exact and noisy ones, with and without loops closed.

    .venv/bin/python benchmarks/chunks.py [--frames 160] [--chunk 30] [--seeds 5]

A camera goes once around a made-up place, ending where it began, and what a perfect network would say of every picture
is known. Each part is put into a frame and a unit of its own; noisy parts also have depth that is off by so much from
pixel to pixel, and by so much from part to part in a way that bends it (near and far differently), and cameras that are
off by as much. Drift is the distance of cameras from the truth after the best similarity, in hundredths of the path.
Nothing here is a network: what its own errors are, and how alike from part to part, only its weights can tell.
"""

import argparse

import numpy as np
from scipy.spatial.transform import Rotation

from sightline.geometry.rigid import inverse, looking_at, moved
from sightline.geometry.umeyama import umeyama
from sightline.reconstructors.looks.assembled import Look
from sightline.reconstructors.looks.chunks import joined, loop, planned
from sightline.reconstructors.looks.framing import Framing

HEIGHT, WIDTH = 56, 84
FRAME = Framing((HEIGHT, WIDTH), (HEIGHT, WIDTH), (HEIGHT, WIDTH))
PX_FROM_CAM = np.array([[60.0, 0, WIDTH / 2], [0, 60, HEIGHT / 2], [0, 0, 1]])
SHOWN = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
RADIUS = 20.0


def walk(n):
    """Cameras once around; the last ones see what the first ones saw."""
    angles = 2 * np.pi * 1.05 * np.arange(n) / n
    eyes = np.stack([RADIUS * np.cos(angles), RADIUS * np.sin(angles), np.full(n, 2.0)], axis=1)
    ahead = np.stack([-np.sin(angles), np.cos(angles), np.full(n, -0.45)], axis=1)
    return [looking_at(eye, eye + to) for eye, to in zip(eyes, ahead, strict=True)]


def depth_of(pose):
    """Of a ground with waves, far hills cut off."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    rays = np.stack([(x - WIDTH / 2) / 60, (y - HEIGHT / 2) / 60, np.ones_like(x)], -1)
    world_from_cam = inverse(pose)
    down = np.minimum(rays @ world_from_cam[2, :3], -0.05)
    depth = -world_from_cam[2, 3] / down
    at = moved(world_from_cam, rays * depth[..., None])
    return depth * (1 + 0.15 * np.sin(at[..., 0]) * np.sin(at[..., 1]))


def similarity(rng, turn, shift, scale):
    made = np.eye(4)
    made[:3, :3] = np.exp(rng.normal(0, scale)) * Rotation.from_rotvec(rng.normal(0, turn, 3)).as_matrix()
    made[:3, 3] = rng.normal(0, shift, 3)
    return made


def part(poses, depths, numbers, noise, rng):
    """Looks at some pictures together, in a frame of their own."""
    frame, bend = similarity(rng, 1, 5, 0.5), noise * rng.normal(0, 1)
    looks = []
    for n in numbers:
        depth = depths[n] * (1 + noise * rng.normal(0, 1, depths[n].shape)) * (depths[n] / 5) ** bend
        pose = similarity(rng, noise / 10, noise / 10, 0.0) @ poses[n]
        sure = np.full(depth.shape, 3.0, np.float32)
        looks.append(Look(FRAME, SHOWN, PX_FROM_CAM, pose, depth.astype(np.float32), sure).moved(frame))
    return looks


def drift(whole, poses):
    """Mean distance of cameras from the truth; hundredths of the path."""
    found = np.array([inverse(look.cam_from_scene)[:3, 3] for look in whole])
    true = np.array([inverse(pose)[:3, 3] for pose in poses])
    path = np.linalg.norm(np.diff(true, axis=0), axis=1).sum()
    return 100 * np.linalg.norm(moved(umeyama(found, true), found) - true, axis=1).mean() / path


def once(frames, size, noise, seed):
    """Drift without and with the loop."""
    rng = np.random.default_rng(seed)
    poses = walk(frames)
    depths = [depth_of(pose) for pose in poses]
    chunks = planned(frames, size)
    looks = [part(poses, depths, chunk.numbers, noise, rng) for chunk in chunks]
    some, others = list(range(size // 2)), list(range(frames - size // 2, frames))
    third = part(poses, depths, [*some, *others], noise, rng)
    of_first = [(looks[0][n], third[n]) for n in some]
    of_last = [(looks[-1][n - chunks[-1].first], third[len(some) + k]) for k, n in enumerate(others)]
    closing = loop(0, len(chunks) - 1, of_first, of_last)
    closed = joined(chunks, looks, [] if closing is None else [closing])
    return len(chunks), drift(joined(chunks, looks), poses), drift(closed, poses)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=160)
    parser.add_argument("--chunk", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    print(f"{asked.frames} pictures, {asked.chunk} at a time; drift in % of the path, mean and worst of {asked.seeds}")
    print(f"{'noise':>7s}{'parts':>7s}{'open':>9s}{'':>9s}{'closed':>9s}")
    for noise in (0.0, 0.01, 0.02, 0.05, 0.1):
        runs = [once(asked.frames, asked.chunk, noise, seed) for seed in range(asked.seeds if noise else 1)]
        parts, opened, closed = (np.array(column) for column in zip(*runs, strict=True))
        print(
            f"{noise:>7.1%}{parts[0]:>7d}{opened.mean():>9.4f}{opened.max():>9.4f}{closed.mean():>9.4f}{closed.max():>9.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
