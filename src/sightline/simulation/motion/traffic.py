"""Vehicles that keep to their lane and their distance, stop at crossings, leave and come back."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.simulation.motion.crowd import STEP_S
from sightline.simulation.motion.trajectories import CLASSES
from sightline.simulation.site import Site

ORDER = ("car", "cyclist", "van")
"""Kinds of vehicles, dealt out in turn."""
LENGTH_M = {"car": 4.4, "cyclist": 1.8, "van": 5.3}
_CRUISE_MPS = {"car": 6.4, "cyclist": 3.8, "van": 5.6}
WHEEL_M = 0.33
_BRAKE_MPS2 = 2.6
_STOP_LINE_M = 1.0
_CLEAR_M = 1.5
"""Nobody may be nearer to the line that a vehicle's middle follows."""
_KERB_M = 0.95
"""How far to the right of the lane's middle cyclists keep."""


@dataclass(slots=True, eq=False)
class Traffic:
    """The vehicles of a site at one moment; ``step`` takes them to the next."""

    site: Site
    rng: np.random.Generator
    label: Int[np.ndarray, " n"]
    length_m: Float[np.ndarray, " n"]
    cruise_mps: Float[np.ndarray, " n"]
    lane: Int[np.ndarray, " n"]
    along_m: Float[np.ndarray, " n"]
    """How far the vehicle's middle has come since its lane began."""
    speed_mps: Float[np.ndarray, " n"]
    phase_rad: Float[np.ndarray, " n"]
    away_s: Float[np.ndarray, " n"]
    present: Bool[np.ndarray, " n"]

    @classmethod
    def on(cls, site: Site, n: int, rng: np.random.Generator) -> "Traffic":
        """The first few on the road, well apart, in both directions; the others soon to come."""
        kinds = [ORDER[i % len(ORDER)] for i in range(n)]
        place = np.arange(n)
        slots = 3 * len(site.lanes)
        return cls(
            site=site, rng=rng, label=np.array([CLASSES.index(kind) for kind in kinds], np.int64),
            length_m=np.array([LENGTH_M[kind] for kind in kinds]),
            cruise_mps=np.array([_CRUISE_MPS[kind] for kind in kinds]) * rng.uniform(0.9, 1.1, n),
            lane=place % len(site.lanes), along_m=np.where(place < slots, 38.0 - 14.0 * (place // 2), 0.0),
            speed_mps=np.full(n, 3.0), phase_rad=np.zeros(n), away_s=np.where(place < slots, 0.0, 1.0 + place),
            present=place < slots,
        )  # fmt: skip

    def xy_m(self) -> Float[np.ndarray, "n 2"]:
        """Where each is, metres east and north."""
        start = np.array([lane.ends_m[0] for lane in self.site.lanes])[self.lane]
        north = np.array([lane.north_m for lane in self.site.lanes])[self.lane]
        right = np.where(self.label == CLASSES.index("cyclist"), _KERB_M, 0.0)
        return np.stack([start + self._sense() * self.along_m, north - self._sense() * right], axis=1)

    def heading_rad(self) -> Float[np.ndarray, " n"]:
        """Where each faces, anticlockwise from east."""
        return np.where(self._sense() > 0, 0.0, np.pi)

    def _sense(self) -> Float[np.ndarray, " n"]:
        """+1 for those who drive east, -1 for west."""
        return np.array([np.sign(lane.ends_m[1] - lane.ends_m[0]) for lane in self.site.lanes])[self.lane]

    def busy(self) -> Bool[np.ndarray, " crossings"]:
        """Which crossings a vehicle is on, or will reach too soon to stop for someone who steps out."""
        moves = self.present & (self.speed_mps > 0.8)
        taken = []
        for area in self.site.crossings:
            near, far = self._reach(area.low_m[0], area.high_m[0])
            gone = self.along_m - self.length_m / 2 > far
            soon = moves & (near - self.along_m < 1.0 + 2.4 * self.speed_mps)
            taken.append(bool(np.any(~gone & (soon | (self.present & (near < self.along_m))))))
        return np.array(taken, bool)

    def _reach(self, west_m: float, east_m: float) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Where along each one's lane its front meets the nearer edge, and its middle the farther edge."""
        start = np.array([lane.ends_m[0] for lane in self.site.lanes])[self.lane]
        a, b = (west_m - start) * self._sense(), (east_m - start) * self._sense()
        return np.minimum(a, b) - self.length_m / 2, np.maximum(a, b)

    def step(self, walkers_m: Float[np.ndarray, "m 2"]) -> None:
        """Moves everyone by one step; ``walkers_m`` are the people on the site."""
        gap = np.minimum(self._to_leader(), self._to_people(walkers_m))
        target = np.minimum(self.cruise_mps, np.sqrt(2 * _BRAKE_MPS2 * np.maximum(gap, 0)))
        change = np.clip((target - self.speed_mps) / 0.4, -2.4 * _BRAKE_MPS2, 1.6)
        self.speed_mps = np.maximum(self.speed_mps + change * STEP_S, 0.0) * self.present
        self.along_m = self.along_m + self.speed_mps * STEP_S
        self.phase_rad = self.phase_rad + self.speed_mps * STEP_S / WHEEL_M
        self._leave_and_return()

    def _to_leader(self) -> Float[np.ndarray, " n"]:
        """Free road up to whoever drives in front."""
        same = (self.lane[:, None] == self.lane[None]) & self.present[None] & self.present[:, None]
        lead = self.along_m[None] - self.along_m[:, None]
        room = lead - (self.length_m[None] + self.length_m[:, None]) / 2 - 1.6
        return np.min(np.where(same & (lead > 0), room, 1e3), axis=1, initial=1e3)

    def _to_people(self, walkers_m: Float[np.ndarray, "m 2"]) -> Float[np.ndarray, " n"]:
        """Free road up to the next crossing that someone walks on, and to anyone right ahead."""
        off = walkers_m[None] - self.xy_m()[:, None]
        ahead_m = off[..., 0] * self._sense()[:, None]
        in_the_way = (np.abs(off[..., 1]) < _CLEAR_M) & (ahead_m > 0)
        gap = np.min(np.where(in_the_way, ahead_m, 1e3), axis=1, initial=1e3) - self.length_m / 2 - _STOP_LINE_M
        for area in self.site.crossings:
            rim = np.array([0.3, 0.5])
            low, high = np.array(area.low_m) - rim, np.array(area.high_m) + rim
            if np.any(np.all((walkers_m > low) & (walkers_m < high), axis=1)):
                near, _ = self._reach(area.low_m[0], area.high_m[0])
                ahead = near - _STOP_LINE_M - self.along_m
                gap = np.where(ahead > -0.5, np.minimum(gap, ahead), gap)
        return gap

    def _leave_and_return(self) -> None:
        """At the end of a lane one is gone for a while, then back on the next."""
        ends = np.array([abs(lane.ends_m[1] - lane.ends_m[0]) for lane in self.site.lanes])
        gone = self.present & (self.along_m > ends[self.lane])
        self.away_s = np.where(gone, self.rng.uniform(2.0, 5.0, len(gone)), np.maximum(self.away_s - STEP_S, 0))
        self.present = self.present & ~gone
        self.lane = np.where(gone, (self.lane + 1) % len(ends), self.lane)
        self.along_m = np.where(gone, 0.0, self.along_m)
        for who in np.flatnonzero(~self.present & (self.away_s <= 0)):
            there = self.present & (self.lane == self.lane[who]) & (self.along_m < 9.0)
            if not there.any():
                self.present[who], self.speed_mps[who] = True, 3.0
