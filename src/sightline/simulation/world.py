"""A simulated recording: a site, those who move on it, and what its cameras see of them."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import final

import numpy as np

from sightline.errors import OptionError
from sightline.geometry import homography
from sightline.model.arrays import Image, Warp
from sightline.model.camera import Camera
from sightline.model.frame import Frame, Moment
from sightline.model.tracks import Tracks
from sightline.simulation.motion.moving import trajectories
from sightline.simulation.motion.trajectories import Trajectories
from sightline.simulation.plan import Plan
from sightline.simulation.rendering.ground import Ground, ground, top_view
from sightline.simulation.rendering.looks import Look, looks
from sightline.simulation.rendering.noise import tile
from sightline.simulation.rendering.sprite import Pose
from sightline.simulation.rendering.view import Shot, View
from sightline.simulation.rendering.weather import Sensor, Weather
from sightline.simulation.site import Site
from sightline.simulation.truth import Visits, joined
from sightline.simulation.yard import yard

_SENSOR = 5
"""Cameras draw their noise from the seeds after this one; those up to here are the world's."""


@final
class Simulation:
    """A site and a crowd, filmed by fixed cameras; who is where is known exactly.

    Nothing is rendered before it is asked for, and no more than one picture at a time is held. Equal plans give
    equal pictures and truth on one machine and one version of this package.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.site: Site = yard()
        self.cameras: tuple[Camera, ...] = self.site.cameras(plan.n_cameras, plan.size)
        self.looks: tuple[Look, ...] = looks(plan.n_people, plan.n_vehicles, self._rng(0))
        heights = np.array([look.height_m for look in self.looks[: plan.n_people]])
        t_s = np.arange(plan.n_frames) / plan.fps
        self.trajectories: Trajectories = trajectories(self.site, heights, plan.n_vehicles, t_s, self._rng(1))

    def camera(self, name: str) -> Camera:
        """The camera of that name.

        Raises:
            OptionError: there is none; the message lists those there are.
        """
        for camera in self.cameras:
            if camera.name == name:
                return camera
        raise OptionError(f"no camera {name!r}; there are: {', '.join(camera.name for camera in self.cameras)}")

    def map_from_px(self, camera: str) -> Warp:
        """Takes pixels of a camera's picture to metres east and north on the ground."""
        return homography.map_from_px(self.camera(camera))

    def frames(self, camera: str) -> Iterator[Frame]:
        """The pictures of a camera, rendered as they are asked for."""
        return (frame for frame, _ in self.recording(camera))

    def truth(self, camera: str) -> Tracks:
        """Who is in the pictures of a camera: full boxes, clipped to the picture, hidden parts included.

        Extra columns: ``visibility``, the share of the outline that shows; ``identity``, the same in all cameras
        and after every return; ``ground_enu_m``, where the mover stands. ``truth.Visits`` says who is listed.
        """
        return joined(camera, (rows for _, rows in self._shots(camera, paint=False)))

    def recording(self, camera: str) -> Iterator[tuple[Frame, Tracks]]:
        """The pictures of a camera, each with its truth."""
        return self._shots(camera, paint=True)

    def shot(self, camera: str, index: int) -> Shot:
        """One picture of a camera, with the masks of who is where in it; ``mover`` counts from 0."""
        return self._shot(self._view(self.camera(camera)), index, paint=True)

    def map_rgb(self) -> Image:
        """The site from above: ``site.low_m`` is at the lower left corner, ``site.high_m`` at the upper right."""
        return top_view(self.site, self._ground)

    def _shots(self, camera: str, *, paint: bool) -> Iterator[tuple[Frame, Tracks]]:
        """The pictures of a camera, black unless painted, each with its truth."""
        view = self._view(self.camera(camera))
        visits = Visits.of(view.camera, self.trajectories)
        for index, t_s in enumerate(self.trajectories.t_s.tolist()):
            shot = self._shot(view, index, paint=paint)
            moment = Moment(camera=camera, index=index, t_s=t_s)
            yield Frame(moment, shot.rgb), visits.rows(moment, shot)

    def _shot(self, view: View, index: int, *, paint: bool) -> Shot:
        """One picture, its rows numbering all movers, present or not."""
        of = self.trajectories
        there = np.flatnonzero(of.present[index]).tolist()
        poses = [
            Pose(
                label=int(of.label[who]),
                look=self.looks[who],
                east_m=float(of.xy_enu_m[index, who, 0]),
                north_m=float(of.xy_enu_m[index, who, 1]),
                heading_rad=float(of.heading_rad[index, who]),
                phase_rad=float(of.phase_rad[index, who]),
                speed_mps=float(of.speed_mps[index, who]),
            )
            for who in there
        ]
        shot = view.shot(poses, float(of.t_s[index]), index, paint=paint)
        return replace(shot, mover=np.array(there, np.int64)[shot.mover])

    def _view(self, camera: Camera) -> View:
        """What ``camera`` takes pictures with."""
        plan = self.plan
        seed = (plan.seed, _SENSOR + self.cameras.index(camera))
        sensor = Sensor.made(camera.width, camera.height, plan.noise, seed)
        grain = tile(self._rng(2))
        weather = Weather.drawn(self._rng(3))
        return View.made(self.site, self._ground, grain, camera, weather=weather, sensor=sensor, shadows=plan.shadows)

    @cached_property
    def _ground(self) -> Ground:
        return ground(self.site, self._rng(4))

    def _rng(self, what: int) -> np.random.Generator:
        """A stream of random numbers of its own for each thing that needs one."""
        return np.random.default_rng((self.plan.seed, what))


def simulate(
    *,
    seed: int = 0,
    n_people: int = 8,
    n_vehicles: int = 2,
    n_cameras: int = 4,
    duration_s: float = 20.0,
    fps: float = 12.5,
    size: tuple[int, int] = (640, 360),
) -> Simulation:
    """A simulated recording, ready to be rendered; the same for the same arguments. ``Plan`` has more to choose.

    Raises:
        OptionError: a number is out of range; the message says which, and what it may be.
    """
    return Simulation(Plan(seed, n_people, n_vehicles, n_cameras, duration_s, fps, size))
