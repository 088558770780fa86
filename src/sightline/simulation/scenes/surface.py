"""What stands in a scene: simple shapes, each with a texture of its own."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from sightline.geometry.rigid import moved
from sightline.simulation.scenes.casting import BALL, CYLINDER, DISK, HILLS, SQUARE, heights_at

Points = Float[np.ndarray, "n 3"]
Axis = Float[np.ndarray, " 3"]
Vector = tuple[float, float, float]
Colour = tuple[int, int, int]
GREY: Colour = (200, 200, 200)
Heights = Float[np.ndarray, "side side"]


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """One shape in its place."""

    kind: int
    """Which shape, as ``casting`` numbers them."""
    scene_from_local: Float[np.ndarray, "4 4"]
    """Takes points of the simple shape to the scene; its third axis points out."""
    size_m: tuple[float, float]
    """How wide and high its texture is on it."""
    finish: str
    """What it is made of; a name in ``texture``."""
    rgb: Colour = GREY
    """Its main colour."""
    heights: Heights = field(default_factory=lambda: np.zeros((2, 2)))
    """Of hills, as shares of the third axis."""

    def at(self, uv: Float[np.ndarray, "n 2"]) -> tuple[Points, Points]:
        """Points of the surface, and which way is out there, by their places on the texture."""
        local, out = _local(self, uv)
        linear = self.scene_from_local[:3, :3]
        normal = out @ np.linalg.inv(linear)
        return moved(self.scene_from_local, local), normal / np.linalg.norm(normal, axis=1, keepdims=True)


def _local(surface: Surface, uv: Float[np.ndarray, "n 2"]) -> tuple[Points, Points]:
    """Points and what stands upright on them, of the simple shape."""
    u, v = uv.T
    flat = np.zeros_like(u)
    if surface.kind in {SQUARE, DISK}:
        across = uv if surface.kind == SQUARE else 2 * uv - 1
        return np.column_stack([across, flat]), np.column_stack([flat, flat, flat + 1])
    if surface.kind == HILLS:
        step = 0.5 / (len(surface.heights) - 1)
        right, up = np.array([[step, 0.0], [0.0, step]])
        slope = [
            (heights_at(surface.heights, uv + d) - heights_at(surface.heights, uv - d)) / (2 * step)
            for d in (right, up)
        ]
        return np.column_stack([uv, heights_at(surface.heights, uv)]), np.column_stack([-slope[0], -slope[1], flat + 1])
    around = 2 * np.pi * u
    circle = np.column_stack([np.cos(around), np.sin(around)])
    if surface.kind == CYLINDER:
        return np.column_stack([circle, v]), np.column_stack([circle, flat])
    ball = np.column_stack([circle * np.sin(np.pi * v)[:, None], -np.cos(np.pi * v)])
    return ball, ball


def square(corner: Vector, along: Vector, up: Vector, finish: str, rgb: Colour = GREY) -> Surface:
    """A parallelogram from its corner; seen from outside ``along`` goes right and ``up`` up."""
    a, b = np.array(along, np.float64), np.array(up, np.float64)
    out = np.cross(a, b)
    size = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    return Surface(SQUARE, _frame(a, b, out / np.linalg.norm(out), corner), size, finish, rgb)


def box(foot: Vector, size: Vector, turn_rad: float, sides: str, top: str, rgb: Colour = GREY) -> list[Surface]:
    """Four sides and a top; ``foot`` is the middle below, ``size`` along its own axes."""
    (w, d, h), c, s = size, np.cos(turn_rad), np.sin(turn_rad)
    right, back, up = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]) * np.array([[w], [d], [h]])
    low = np.array(foot) - 0.5 * (right + back)
    walls = [(low, right), (low + right, back), (low + right + back, -right), (low + back, -back)]
    return [
        *(square(_v(a), _v(b), _v(up), sides, rgb) for a, b in walls),
        square(_v(low + up), _v(right), _v(back), top, rgb),
    ]


def drum(foot: Vector, radius: float, height: float, side: str, top: str, rgb: Colour = GREY) -> list[Surface]:
    """An upright cylinder with a lid."""
    x, y, z = np.eye(3)
    around = _frame(radius * x, radius * y, height * z, foot)
    lid = _frame(radius * x, radius * y, z, _v(np.array(foot) + height * z))
    return [
        Surface(CYLINDER, around, (2 * np.pi * radius, height), side, rgb),
        Surface(DISK, lid, (2 * radius, 2 * radius), top, rgb),
    ]


def ball(centre: Vector, radius: float, turn_rad: float, finish: str, rgb: Colour = GREY) -> Surface:
    """A ball, turned about the upright."""
    c, s = radius * np.cos(turn_rad), radius * np.sin(turn_rad)
    frame = _frame(np.array([c, s, 0.0]), np.array([-s, c, 0.0]), np.array([0.0, 0.0, radius]), centre)
    return Surface(BALL, frame, (2 * np.pi * radius, np.pi * radius), finish, rgb)


def hills(corner: Vector, size: Vector, heights: Heights, finish: str, rgb: Colour = GREY) -> Surface:
    """Ground over a rectangle, ``heights`` of it 0 to 1 of the height in ``size``; at most one in a scene."""
    w, d, h = size
    frame = _frame(np.array([w, 0.0, 0.0]), np.array([0.0, d, 0.0]), np.array([0.0, 0.0, h]), corner)
    return Surface(HILLS, frame, (w, d), finish, rgb, heights)


def _frame(x: Axis, y: Axis, z: Axis, origin: Vector) -> Float[np.ndarray, "4 4"]:
    """``scene_from_local`` by its axes."""
    scene_from_local = np.eye(4)
    scene_from_local[:3] = np.column_stack([x, y, z, np.array(origin, np.float64)])
    return scene_from_local


def _v(array: Axis) -> Vector:
    x, y, z = array.tolist()
    return x, y, z
