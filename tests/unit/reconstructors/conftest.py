"""A corner of a room with patterned walls, seen by cameras whose places are known exactly."""

from functools import partial

import cv2
import numpy as np
import pytest

from sightline.geometry.rigid import inverse, looking_at
from sightline.model.lens import Lens
from sightline.model.shots import Shot, Shots

WIDTH, HEIGHT, FOCAL = 400, 300, 380.0
LENS = Lens.pinhole(WIDTH, HEIGHT, np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1.0]]))


def pattern(seed, size=1024):
    """Blotches of all sizes, in colour."""
    rng = np.random.default_rng(seed)
    sizes = [size >> k for k in range(1, 7)]
    parts = [cv2.resize(rng.normal(0, 1, (s, s, 3)), (size, size), interpolation=cv2.INTER_CUBIC) for s in sizes]
    return np.clip(128 + 28 * sum(parts), 0, 255).astype(np.float32)


def marked(wall, number, kind=cv2.aruco.DICT_5X5_250):
    """The wall with a marker on it, one metre wide, from 0.75 m on; mirrored, as seen from behind."""
    code = cv2.aruco.generateImageMarker(cv2.aruco.getPredefinedDictionary(kind), number, 128)
    wall[80:240, 80:240] = 255
    wall[96:224, 96:224] = code[::-1, :, None]
    return wall


def picture(cam_from_world, seed=0, *, is_marked=False):
    """What the camera sees of the floor and two walls, 8 m long and wide each; markers 3 and 5 on two of them."""
    world_from_cam = inverse(cam_from_world)
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    rays = np.stack([(x - WIDTH / 2) / FOCAL, (y - HEIGHT / 2) / FOCAL, np.ones_like(x)], -1) @ world_from_cam[:3, :3].T
    eye = world_from_cam[:3, 3]
    nearest, rgb = np.full(x.shape, np.inf), np.full((*x.shape, 3), 128.0, np.float32)
    for axis in range(3):
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = -eye[axis] / rays[..., axis]
            at = eye + depth[..., None] * rays
        across, down = (np.nan_to_num(at[..., k] * 128.0, posinf=-1, neginf=-1) for k in range(3) if k != axis)
        hit = (depth > 0) & (depth < nearest)
        wall = pattern(10 * seed + axis)
        if is_marked and axis != 1:
            wall = marked(wall, 3 + axis)
        seen = cv2.remap(wall, across.astype(np.float32), down.astype(np.float32), cv2.INTER_LINEAR)
        rgb[hit], nearest[hit] = seen[hit], depth[hit]
    return np.round(rgb).astype(np.uint8)


def poses(n):
    """On an arc before the corner, looking at it from changing heights."""
    turns = np.linspace(0.35, 1.2, n)
    eyes = [np.array([6 * np.cos(a), 6 * np.sin(a), 2 + 0.5 * np.sin(5 * a)]) for a in turns]
    return [looking_at(eye, np.array([1.0, 1.0, 0.8])) for eye in eyes]


@pytest.fixture(scope="session")
def corner():
    """Eight pictures of the corner and where they were taken: all that is known goes in by ``known``."""
    at = poses(8)
    pictures = [picture(pose) for pose in at]

    def make(known=lambda _: {}, order=None, is_sequence=False):
        rows = range(len(at)) if order is None else order
        shots = [Shot(f"{i}.png", partial(np.copy, pictures[i]), **known(at[i])) for i in rows]
        return Shots(tuple(shots), is_sequence), [at[i] for i in rows]

    return make


@pytest.fixture(scope="session")
def corner_poses():
    """Where four pictures of the corner were taken."""
    return poses(8)[::2]


@pytest.fixture(scope="session")
def marked_pictures(corner_poses):
    """Those pictures, with two markers on floor and wall."""
    return [picture(pose, is_marked=True) for pose in corner_poses]


@pytest.fixture(scope="session")
def unrelated():
    """Six pictures of different rooms."""
    pictures = [picture(pose, seed) for seed, pose in enumerate(poses(6), 1)]
    return Shots(tuple(Shot(f"{i}.png", partial(np.copy, rgb)) for i, rgb in enumerate(pictures)))


@pytest.fixture(scope="session")
def turned():
    """Four pictures of the corner from one spot."""
    eye = np.array([5.0, 5.0, 2.0])
    looks = [eye - np.array([np.cos(a), np.sin(a), 0.25]) for a in (0.5, 0.65, 0.8, 0.95)]
    return Shots(tuple(Shot(f"{i}.png", partial(np.copy, picture(looking_at(eye, at)))) for i, at in enumerate(looks)))


@pytest.fixture(scope="session")
def other_room():
    """Five pictures of another room."""
    return tuple(Shot(f"other {i}.png", partial(np.copy, picture(pose, 7))) for i, pose in enumerate(poses(5)))
