"""Things that stand and move on the ground, and the boxes that a flying camera sees of them, exactly."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from sightline.geodesy.attitude import enu_from_cam
from sightline.geodesy.enu import fall_m
from sightline.geodesy.terrain import Terrain
from sightline.model.lens import Lens
from sightline.model.tracks import Tracks
from sightline.simulation.flight.paths import FlightPlan

Times = Float[np.ndarray, " t"]
GroundShape = Literal["flat", "slope", "hill"]
_HEIGHT_M = 1.6


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Sightings, and where each thing truly was."""

    tracks: Tracks
    """One row each; the lower edge's middle is the point on the ground."""
    xyz_enu_m: Float[np.ndarray, "n 3"]
    """True place of each row."""
    velocity_enu_mps: Float[np.ndarray, "n 3"]
    """True velocity of each row."""


def ground_up_m(shape: GroundShape, xy_m: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n"]:
    """Height of the ground: level as the earth is, rising 5 degrees to the east, or a hill 15 m high."""
    level = -fall_m(xy_m)
    if shape == "slope":
        return level + np.tan(np.deg2rad(5.0)) * xy_m[..., 0]
    if shape == "hill":
        return level + 15.0 * np.exp(-((xy_m - [40.0, 20.0]) ** 2).sum(axis=-1) / (2 * 60.0**2))
    return level


def terrain(shape: GroundShape, step_m: float = 2.0, reach_m: float = 1200.0) -> Terrain:
    """That ground as a grid."""
    side = np.arange(-reach_m, reach_m + step_m / 2, step_m)
    xy = np.stack(np.meshgrid(side, side), axis=-1)
    return Terrain(-reach_m, -reach_m, step_m, ground_up_m(shape, xy))


def paths(n: int, plan: FlightPlan, rng: np.random.Generator) -> Callable[[Times], Float[np.ndarray, "n t 2"]]:
    """Ways of ``n`` things about where the camera looks: a third parked, a third straight on, a third in circles."""
    middle_s = np.array([sum(plan.recorded_s) / 2])
    eye, yaw = plan.eye_enu_m(middle_s)[0], float(plan.yaw_rad(middle_s)[0])
    ahead = eye[2] / np.tan(-plan.pitch_rad) if plan.pitch_rad > -1.5 else 0.0
    centre = eye[:2] + ahead * np.array([np.sin(yaw), np.cos(yaw)])
    home = centre + rng.uniform(-0.8, 0.8, (n, 2)) * eye[2]
    kind = np.arange(n) % 3
    speed = np.where(kind == 0, 0.0, rng.uniform(1.0, 8.0, n))
    heading, turn = rng.uniform(-np.pi, np.pi, n), np.where(kind == 2, rng.choice([-0.25, 0.25], n), 1e-9)

    def at(t_s: Times) -> Float[np.ndarray, "n t 2"]:
        angle = heading[:, None] + turn[:, None] * (t_s - middle_s)
        radius = (speed / turn)[:, None]
        east = radius * (np.cos(heading)[:, None] - np.cos(angle))
        north = radius * (np.sin(angle) - np.sin(heading)[:, None])
        return home[:, None] + np.stack([east, north], axis=-1)

    return at


def seen(
    plan: FlightPlan,
    lens: Lens,
    at: Callable[[Times], Float[np.ndarray, "n t 2"]],
    t_video_s: Times,
    shape: GroundShape = "flat",
) -> Seen:
    """What the camera sees of them in each picture: those whose point on the ground is in it, and behind no hill."""
    t_log = t_video_s + plan.recorded_s[0]
    xyz = _on_ground(at(t_log), shape)
    step = 1e-3
    velocity = (_on_ground(at(t_log + step), shape) - _on_ground(at(t_log - step), shape)) / (2 * step)
    yaw = plan.yaw_rad(t_log)
    turn = enu_from_cam(yaw, np.full(len(yaw), plan.pitch_rad), np.zeros(len(yaw)))
    cam = np.einsum("tji,ntj->nti", turn, xyz - plan.eye_enu_m(t_log))
    px = cam[..., :2] / cam[..., 2:] * lens.focal_px + lens.centre_px
    inside = (cam[..., 2] > 1) & (px > 0).all(axis=-1) & (px < [lens.width, lens.height]).all(axis=-1)
    if shape == "hill":
        inside &= _is_clear(plan.eye_enu_m(t_log), xyz, shape)
    frame, number = np.nonzero(inside.T)
    foot, tall = px[number, frame], lens.focal_px[1] * _HEIGHT_M / cam[number, frame, 2]
    box = np.column_stack([foot[:, 0] - tall / 2, foot[:, 1] - tall, foot[:, 0] + tall / 2, foot[:, 1]])
    n = len(frame)
    tracks = Tracks(
        camera="drone",
        frame_index=frame,
        t_s=t_video_s[frame],
        number=number + 1,
        xyxy_px=box,
        score=np.ones(n),
        label=np.zeros(n, np.int64),
        detection=np.arange(n),
    )
    return Seen(tracks, xyz[number, frame], velocity[number, frame])


def _is_clear(eye: Float[np.ndarray, "t 3"], xyz: Float[np.ndarray, "n t 3"], shape: GroundShape) -> np.ndarray:
    """Whether nothing of the ground stands between the eye and each point; what is a hand's breadth off counts not."""
    clear = np.ones(xyz.shape[:2], bool)
    for share in np.linspace(0.05, 0.99, 48):
        between = eye + share * (xyz - eye)
        clear &= between[..., 2] > ground_up_m(shape, between[..., :2]) + 0.1
    return clear


def _on_ground(xy_m: Float[np.ndarray, "n t 2"], shape: GroundShape) -> Float[np.ndarray, "n t 3"]:
    """With the ground's height."""
    return np.concatenate([xy_m, ground_up_m(shape, xy_m)[..., None]], axis=-1)
