"""How far a long video drifts that is looked at in parts: exact and noisy ones, with and without loops closed.

    .venv/bin/python benchmarks/chunks.py [--place waves|table|town] [--frames 160] [--chunk 30] [--seeds 5]

What a perfect network would say of every picture is known. ``waves``: a camera goes once around a ground with waves,
ending where it began; there are no pictures, the loop is given. ``table`` and ``town`` are painted with exact cameras
and depth (``simulation/scenes``): once around a table, there and back over a town; which parts show one place is found
in the pictures, as the engines do. Each part is put into a frame and a unit of its own; noisy parts also have depth
that is off by so much from pixel to pixel, and by so much from part to part in a way that bends it (near and far
differently), and cameras that are off by as much. Drift is the distance of cameras from the truth after the best
similarity, in hundredths of the path. Nothing here is a network: what its own errors are, and how alike from part to
part, only its weights can tell.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from sightline.geometry.rigid import inverse, looking_at, moved
from sightline.geometry.umeyama import umeyama
from sightline.reconstructors.looks.assembled import Look
from sightline.reconstructors.looks.chunks import joined, loop, planned
from sightline.reconstructors.looks.framing import Framing
from sightline.reconstructors.looks.loops import glances, returns
from sightline.simulation.scenes.stage import Sensor, Stage

HEIGHT, WIDTH = 56, 84
PX_FROM_CAM = np.array([[60.0, 0, WIDTH / 2], [0, 60, HEIGHT / 2], [0, 0, 1]])
RADIUS = 20.0
SIZE = (168, 126)
"""Of painted pictures, across and down."""


@dataclass(frozen=True)
class World:
    """What is there to be seen; ``shown`` is empty where there are no pictures."""

    poses: list
    depths: list
    px_from_cam: np.ndarray
    framing: Framing
    shown: list


def waves(n):
    """Once around a ground with waves."""
    poses = walk(n)
    framing = Framing((HEIGHT, WIDTH), (HEIGHT, WIDTH), (HEIGHT, WIDTH))
    return World(poses, [depth_of(pose) for pose in poses], PX_FROM_CAM, framing, [])


def painted(name, n):
    """A made-up place; the sky is far off."""
    stage = Stage(name, n_views=n, sensor=Sensor(size=SIZE, fineness=1))
    depths = [np.nan_to_num(stage.surfaces(view)[0], nan=1000.0).astype(np.float64) for view in range(n)]
    shown = [stage.picture(view) for view in range(n)]
    size = SIZE[::-1]
    return World(
        list(stage.place.cam_from_scene), depths, stage.sensor.lens.px_from_cam, Framing(size, size, size), shown
    )


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


def part(world, numbers, noise, rng):
    """Looks at some pictures together, in a frame of their own."""
    frame, bend = similarity(rng, 1, 5, 0.5), noise * rng.normal(0, 1)
    middle = np.median(world.depths[numbers[0]])
    looks = []
    for n in numbers:
        true = world.depths[n]
        depth = true * (1 + noise * rng.normal(0, 1, true.shape)) * (true / middle) ** bend
        pose = similarity(rng, noise / 10, noise / 50 * middle, 0.0) @ world.poses[n]
        sure = np.where(true < 1000, 3.0, 1.0).astype(np.float32)
        shown = world.shown[n] if world.shown else np.zeros((*true.shape, 3), np.uint8)
        looks.append(Look(world.framing, shown, world.px_from_cam, pose, depth.astype(np.float32), sure).moved(frame))
    return looks


def drift(whole, poses):
    """Mean distance of cameras from the truth; hundredths of the path."""
    found = np.array([inverse(look.cam_from_scene)[:3, 3] for look in whole])
    true = np.array([inverse(pose)[:3, 3] for pose in poses])
    path = np.linalg.norm(np.diff(true, axis=0), axis=1).sum()
    return 100 * np.linalg.norm(moved(umeyama(found, true), found) - true, axis=1).mean() / path


def once(world, size, noise, seed):
    """Parts, loops closed, drift without and with them."""
    rng = np.random.default_rng(seed)
    frames = len(world.poses)
    chunks = planned(frames, size)
    looks = [part(world, chunk.numbers, noise, rng) for chunk in chunks]
    half = size // 2
    if world.shown:
        closing = returns(glances(world.shown), chunks, size)
    else:
        closing = [(0, len(chunks) - 1, list(range(half)), list(range(frames - half, frames)))]
    joints = []
    for first, last, some, others in closing:
        third = part(world, [*some, *others], noise, rng)
        of_first = [(looks[first][n - chunks[first].first], third[k]) for k, n in enumerate(some)]
        of_last = [(looks[last][n - chunks[last].first], third[len(some) + k]) for k, n in enumerate(others)]
        joints.append(loop(first, last, of_first, of_last))
    joints = [joint for joint in joints if joint is not None]
    opened, closed = joined(chunks, looks), joined(chunks, looks, joints)
    return len(chunks), len(joints), drift(opened, world.poses), drift(closed, world.poses)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=160)
    parser.add_argument("--chunk", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--place", choices=("waves", "table", "town"), default="waves")
    asked = parser.parse_args()
    world = waves(asked.frames) if asked.place == "waves" else painted(asked.place, asked.frames)
    print(f"{asked.place}: {asked.frames} pictures, {asked.chunk} at a time")
    print(f"drift in % of the path, mean and worst of {asked.seeds}")
    print(f"{'noise':>7s}{'parts':>7s}{'loops':>7s}{'open':>9s}{'':>9s}{'closed':>9s}")
    for noise in (0.0, 0.01, 0.02, 0.05, 0.1):
        runs = [once(world, asked.chunk, noise, seed) for seed in range(asked.seeds if noise else 1)]
        parts, loops, opened, closed = (np.array(column) for column in zip(*runs, strict=True))
        print(
            f"{noise:>7.1%}{parts[0]:>7d}{loops.mean():>7.1f}{opened.mean():>9.4f}{opened.max():>9.4f}{closed.mean():>9.4f}{closed.max():>9.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
