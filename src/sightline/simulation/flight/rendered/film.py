"""A flight as its camera films it, picture by picture, with the truth of each."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import final

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from sightline.errors import OptionError
from sightline.geodesy.attitude import enu_from_cam
from sightline.geodesy.terrain import met
from sightline.geometry.camera import depths, intrinsics, pixels
from sightline.model.arrays import Image
from sightline.model.camera import Camera
from sightline.model.frame import Frame, Moment
from sightline.model.lens import Lens
from sightline.model.tracks import Tracks
from sightline.simulation.flight.paths import FlightPlan
from sightline.simulation.flight.rendered import standing, town
from sightline.simulation.flight.rendered.land import SUN_ENU, Land, land
from sightline.simulation.flight.rendered.movers import Movers, movers
from sightline.simulation.flight.things import GroundShape, ground_up_m, terrain
from sightline.simulation.motion.trajectories import CLASSES
from sightline.simulation.rendering.looks import Look
from sightline.simulation.rendering.sprite import Light, Pose, filled, outlines, shape, sprite
from sightline.simulation.rendering.weather import Sensor, vignette

NAME = "drone"
"""Of the camera."""
_NOBODY = 255
_NODE_PX = 16
_REACH_M = 600.0
_MOST_CELLS = 4096
_SKY, _HAZE_M, _FLATTEST = np.array([196, 208, 222], np.uint8), 2500.0, 1e-4
_DAY = Light(0.95, 1.0)
_SHADE = 0.45


@dataclass(frozen=True, slots=True)
class FilmPlan:
    """A flight to be filmed. Two equal plans give the same pictures."""

    flight: FlightPlan = field(default_factory=FlightPlan)
    """Where the camera is and looks."""
    ground: GroundShape = "flat"
    """The ground's shape."""
    seed: int = 0
    """Who is about, and how the ground is stained."""
    n_people: int = 20
    """People."""
    n_vehicles: int = 16
    """Cars and vans, a third of them parked."""
    fps: float = 12.5
    """Pictures per second."""
    size: tuple[int, int] = (1280, 720)
    """Width and height of the pictures, both even."""
    fov_deg: float = 71.5
    """Angle from the left edge to the right."""
    noise: float = 1.6
    """Standard deviation of the sensor's noise, in grey levels."""

    def __post_init__(self) -> None:
        wrong = [
            (not 0 <= self.n_people <= 200, "n_people", "from 0 to 200"),
            (not 0 <= self.n_vehicles <= 50, "n_vehicles", "from 0 to 50"),
            (not 0 < self.fps <= 120, "fps", "more than 0, at most 120"),
            (not all(96 <= side <= 4096 and side % 2 == 0 for side in self.size), "size", "even, 96 to 4096"),
            (not 20 <= self.fov_deg <= 120, "fov_deg", "from 20 to 120"),
            (not 15 <= self.flight.height_m <= 500, "flight.height_m", "from 15 to 500"),
            (self.flight.pitch_rad > -0.35, "flight.pitch_rad", "at least 20 degrees down"),
            (self.seed < 0, "seed", "0 or more"),
        ]
        for is_wrong, name, should in wrong:
            if is_wrong:
                raise OptionError(f"simulation: {name} should be {should}")

    @property
    def lens(self) -> Lens:
        """Of the camera, without distortion."""
        across, down = self.size
        return Lens.pinhole(across, down, intrinsics(across, down, float(np.deg2rad(self.fov_deg))))

    @property
    def times_s(self) -> Float[np.ndarray, " t"]:
        """Of the pictures, on the video's clock."""
        first, last = self.flight.recorded_s
        return np.arange(max(1, round((last - first) * self.fps))) / self.fps


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One mover in one picture."""

    row: int
    xyxy_px: Float[np.ndarray, " 4"]
    whole: int


@final
class Film:
    """What the camera sees of the town, rendered as it is asked for."""

    def __init__(self, plan: FilmPlan) -> None:
        self.plan = plan
        self.movers: Movers = movers(plan.flight, plan.n_people, plan.n_vehicles, np.random.default_rng((plan.seed, 0)))
        self._terrain = terrain("hill", 6.0, 800.0) if plan.ground == "hill" else None
        across, down = plan.size
        self._sensor = Sensor.made(across, down, plan.noise, (plan.seed, 2))
        self._falloff = 0.35 * vignette(across, down)[..., 0] + np.float32(0.65)

    def shots(self) -> Iterator[tuple[Frame, Tracks]]:
        """Pictures, each with the truth: boxes round everyone whose middle on the ground is in it.

        Boxes hold the whole outline, cut at the picture's edge. More columns: ``ground_enu_m``, where each stands;
        ``velocity_enu_mps``; ``visibility``, the share of the outline that nothing hides.
        """
        for index, t_s in enumerate(self.plan.times_s.tolist()):
            camera = self.camera(t_s)
            picture, owner, seen = self._painted(camera, t_s)
            moment = Moment(NAME, index, t_s)
            yield Frame(moment, self._exposed(picture, index)), self._truth(moment, camera, owner, seen)

    def camera(self, t_s: float) -> Camera:
        """Where the lens truly is and looks at a second of the video."""
        flight, at = self.plan.flight, np.array([t_s + self.plan.flight.recorded_s[0]])
        turn = enu_from_cam(flight.yaw_rad(at), np.array([flight.pitch_rad]), np.zeros(1))[0]
        eye = flight.eye_enu_m(at)[0]
        cam_from_enu = np.eye(4)
        cam_from_enu[:3, :3], cam_from_enu[:3, 3] = turn.T, -turn.T @ eye
        return Camera(NAME, *self.plan.size, self.plan.lens.px_from_cam, cam_from_enu)

    @cached_property
    def land(self) -> Land:
        """The ground that it flies over, as fine as its pictures are, within reason."""
        reach = []
        for t_s in np.linspace(0, self.plan.times_s[-1], 12):
            w, rays, eye = self._nodes(self.camera(float(t_s)))
            away = np.where(w > 1 / (5 * self.plan.flight.height_m), 1 / np.maximum(w, 1e-6), np.nan)
            reach.append((eye + rays * away[..., None])[..., :2].reshape(-1, 2))
        points = np.concatenate(reach)
        low, high = np.nanmin(points, axis=0) - 5, np.nanmax(points, axis=0) + 5
        side = float(min((high - low).max(), 4 * _REACH_M))
        cell = max(side / _MOST_CELLS, 0.8 * self.plan.flight.height_m / self.plan.lens.focal_px[0])
        return land(low, side, cell, np.random.default_rng((self.plan.seed, 1)))

    def _nodes(self, camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For a grid over the picture: one over how many rays it is to the ground, the rays, and the eye."""
        across, down = self.plan.size
        x, y = np.meshgrid(_nodes_px(across), _nodes_px(down))
        flat = (np.stack([x, y], axis=-1) + 0.5 - self.plan.lens.centre_px) / self.plan.lens.focal_px
        turn = camera.cam_from_enu[:3, :3].T
        rays = np.concatenate([flat, np.ones((*x.shape, 1))], axis=-1) @ turn.T
        eye = -turn @ camera.cam_from_enu[:3, 3]
        rise = np.tan(np.deg2rad(5.0)) if self.plan.ground == "slope" else 0.0
        w = (rise * rays[..., 0] - rays[..., 2]) / (eye[2] - rise * eye[0])
        if self._terrain is not None:
            rows = rays.reshape(-1, 3)
            lengths = met(self._terrain, np.tile(eye, (len(rows), 1)), rows, reach_m=_REACH_M).reshape(x.shape)
            w = np.where(np.isfinite(lengths), 1 / np.maximum(lengths, 1e-6), w)
        return w, rays, eye

    def _ground(self, camera: Camera) -> Image:
        """The picture without anything that stands or moves."""
        across, down = self.plan.size
        w_nodes, rays, eye = self._nodes(camera)
        rows, columns = _between(down), _between(across)
        w, east, north = (rows @ part.astype(np.float32) @ columns.T for part in (w_nodes, rays[..., 0], rays[..., 1]))
        length = 1 / np.maximum(w, np.float32(_FLATTEST))
        middle = len(rays[0]) // 2  # rows see as far as their middles do, more or less
        sink = -rays[:, middle, 2] / np.linalg.norm(rays[:, middle], axis=1)
        spread = np.linalg.norm(rays[:, middle], axis=1) / np.maximum(w_nodes[:, middle], _FLATTEST)
        footprint = rows @ (0.8 * spread / self.plan.lens.focal_px[0] / np.sqrt(np.clip(sink, 0.02, 1)))
        out = self.land.seen(east * length + np.float32(eye[0]), north * length + np.float32(eye[1]), footprint)
        haze = np.repeat(1 - np.exp(-(rows @ spread) / _HAZE_M)[:, None], across, axis=1).astype(np.float32)
        haze[w < _FLATTEST] = 1.0
        sky = np.broadcast_to(_SKY, out.shape)
        return np.asarray(cv2.blendLinear(out, sky, 1 - haze, haze), np.uint8)

    def _painted(self, camera: Camera, t_s: float) -> tuple[Image, UInt8[np.ndarray, "h w"], list[_Seen]]:
        """The picture, whose pixels are whose, and who is in it."""
        picture = self._ground(camera)
        owner = np.full(picture.shape[:2], _NOBODY, np.uint8)
        poses, eye = self._poses(t_s), -camera.cam_from_enu[:3, :3].T @ camera.cam_from_enu[:3, 3]
        spots = [(pose.east_m, pose.north_m) for pose in poses]
        near = [b for b in self._blocks() if np.linalg.norm(town.middle_m(b) - eye[:2]) < _REACH_M]
        still: list[town.House | town.Tree] = []
        for block in near:
            still += [*town.houses(block), *town.trees(block)]
        places = np.array(spots + [thing.xy_m for thing in still]).reshape(-1, 2)
        order = np.argsort(-np.linalg.norm(places - eye[:2], axis=1), kind="stable")
        up = ground_up_m(self.plan.ground, places)
        seen = []
        for k in order.tolist():
            lowered = _lowered(camera, float(up[k]))
            if k < len(poses):
                seen += self._mover(picture, owner, poses[k], k, lowered)
                continue
            thing = still[k - len(poses)]
            drawn = standing.house_drawn if isinstance(thing, town.House) else standing.tree_drawn
            drawn(picture, owner, thing, lowered, _NOBODY)
        return picture, owner, seen

    def _mover(self, picture: Image, owner: np.ndarray, pose: Pose, row: int, camera: Camera) -> list[_Seen]:
        """Draws one with its shadow, if it is in the picture."""
        spot = np.array([[pose.east_m, pose.north_m, 0.0]])
        if depths(camera, spot)[0] < 3.0:
            return []
        margin = 8.0 * camera.px_from_cam[0, 0] / depths(camera, spot)[0]
        at = pixels(camera, spot)[0]
        if (at < -margin).any() or (at > np.array([camera.width, camera.height]) + margin).any():
            return []
        solid = shape(pose, camera, SUN_ENU, _DAY, fine=False)
        edge = outlines(solid.whole, camera)
        if edge is None:
            return []
        _shaded(picture, solid.whole, camera)
        box = np.concatenate([edge.min(axis=(0, 1)), edge.max(axis=(0, 1))])
        cut = sprite(solid, box, camera)
        height, width = cut.alpha.shape
        x0, y0 = max(cut.left, 0), max(cut.top, 0)
        x1, y1 = min(cut.left + width, camera.width), min(cut.top + height, camera.height)
        whole = int(np.count_nonzero(cut.alpha >= 128))
        if x1 > x0 and y1 > y0:
            inside, part = np.s_[y0:y1, x0:x1], np.s_[y0 - cut.top : y1 - cut.top, x0 - cut.left : x1 - cut.left]
            cover = cut.alpha[part][..., None] / np.float32(255)
            picture[inside] = np.minimum(picture[inside] * (1 - cover) + cut.rgb[part], 255)
            owner[inside][cut.alpha[part] >= 128] = row
        return [_Seen(row, box, whole)]

    def _poses(self, t_s: float) -> list[Pose]:
        """All movers at a second of the video."""
        at = t_s + self.plan.flight.recorded_s[0]
        (xy, heading), phase = self.movers.at(at), self.movers.phase_rad(at)
        who: list[Look] = list(self.movers.look)
        return [
            Pose(int(label), look, float(x), float(y), float(turn), float(turned), float(abs(speed)))
            for label, look, (x, y), turn, turned, speed in zip(
                self.movers.label, who, xy, heading, phase, self.movers.speed_mps, strict=True
            )
        ]

    def _blocks(self) -> list[town.Block]:
        """Those on the land."""
        side = self.land.cell_m * np.array(self.land.rgb.shape[1::-1])
        return town.blocks_about(self.land.low_m, self.land.low_m + side)

    def _exposed(self, picture: Image, index: int) -> Image:
        """What the sensor makes of it."""
        soft = cv2.GaussianBlur(picture, (3, 3), 0.5)
        dimmed = cv2.multiply(soft, cv2.merge([self._falloff] * 3), dtype=cv2.CV_8U)
        return self._sensor.seen(np.asarray(dimmed, np.uint8), index)

    def _truth(self, moment: Moment, camera: Camera, owner: np.ndarray, seen: list[_Seen]) -> Tracks:
        """Rows of those whose middle on the ground is in the picture."""
        rows = np.array(sorted(one.row for one in seen), np.int64)
        by_row = {one.row: one for one in seen}
        at, step = moment.t_s + self.plan.flight.recorded_s[0], 1e-3
        before, here, after = (self._stand(self.movers.at(at + off)[0]) for off in (-step, 0.0, step))
        foot = pixels(camera, here[rows])
        rows = rows[((foot > 0) & (foot < self.plan.size)).all(axis=1)]
        shown = np.bincount(owner.ravel(), minlength=256)[rows]
        whole = np.array([by_row[int(row)].whole for row in rows], float)
        box = np.array([by_row[int(row)].xyxy_px for row in rows]).reshape(-1, 4)
        n = len(rows)
        return Tracks(
            camera=NAME,
            frame_index=np.full(n, moment.index),
            t_s=np.full(n, moment.t_s),
            number=rows + 1,
            xyxy_px=np.clip(box, 0, np.tile(self.plan.size, 2)).astype(float),
            score=np.ones(n),
            label=self.movers.label[rows],
            detection=np.arange(n),
            classes=CLASSES,
            extra={
                "ground_enu_m": here[rows],
                "velocity_enu_mps": ((after - before) / (2 * step))[rows],
                "visibility": np.minimum(shown / np.maximum(whole, 1), 1.0),
            },
        )

    def _stand(self, xy_m: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 3"]:
        """On the ground there."""
        return np.column_stack([xy_m, ground_up_m(self.plan.ground, xy_m)])


def _shaded(picture: Image, whole: np.ndarray, camera: Camera) -> None:
    """Darkens the ground where a mover keeps the sun off it."""
    flat = whole.copy()
    flat[..., :2] -= flat[..., 2:] * SUN_ENU[:2] / SUN_ENU[2]
    flat[..., 2] = 0.0
    px = outlines(flat, camera)
    if px is None:
        return
    size = np.array([camera.width, camera.height])
    low = np.clip(np.floor(px.min(axis=(0, 1))) - 3, 0, size).astype(int)
    high = np.clip(np.ceil(px.max(axis=(0, 1))) + 3, 0, size).astype(int)
    if (high <= low).any():
        return
    mask = np.zeros((high - low)[::-1], np.uint8)
    filled(mask, px - low, [(255.0,)] * len(px))
    dark = cv2.GaussianBlur(mask, (0, 0), 0.8)[..., None] * np.float32(_SHADE / 255)
    inside = np.s_[low[1] : high[1], low[0] : high[0]]
    picture[inside] = picture[inside] * (1 - dark)


def _lowered(camera: Camera, up_m: float) -> Camera:
    """The camera as it sees ground that is so much higher, were that at 0."""
    if abs(up_m) < 0.01:
        return camera
    cam_from_enu = camera.cam_from_enu.copy()
    cam_from_enu[:3, 3] += cam_from_enu[:3, 2] * up_m
    return replace(camera, cam_from_enu=cam_from_enu)


def _nodes_px(side: int) -> Float[np.ndarray, " k"]:
    """Pixels that are looked at exactly, the last beyond the edge."""
    return np.arange(0, side + _NODE_PX, _NODE_PX, dtype=float)


def _between(side: int) -> Float[np.ndarray, "side k"]:
    """What makes values of all pixels of those of the nodes: straight between them."""
    at = np.arange(side) / _NODE_PX
    first, share = at.astype(int), at % 1
    out = np.zeros((side, len(_nodes_px(side))), np.float32)
    out[np.arange(side), first] = 1 - share
    out[np.arange(side), first + 1] += share
    return out
