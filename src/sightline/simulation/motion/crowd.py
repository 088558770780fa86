"""People who walk from place to place, stop, make way for one another, leave and come back."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import map_coordinates

from sightline.simulation.motion.routes import BODY_M, CELL_M, Routes
from sightline.simulation.site import Site

STEP_S = 0.05
"""Everybody moves in steps of this length."""
FASTEST_MPS = 1.75
"""Nobody walks faster, not even when pushed."""
APART_M = 0.6
"""The middles of two people come no nearer."""
_ARRIVED_M = 0.7
_STUCK_S = 2.5
_RELAX_S = 0.45
_TURN_RADPS = 3.2
_KEEP_RIGHT_RAD = 0.5


@dataclass(slots=True, eq=False)
class Crowd:
    """The people of a site at one moment; ``step`` takes them to the next."""

    routes: Routes
    n_gates: int
    rng: np.random.Generator
    pace_mps: Float[np.ndarray, " n"]
    leg_m: Float[np.ndarray, " n"]
    xy_m: Float[np.ndarray, "n 2"]
    velocity_mps: Float[np.ndarray, "n 2"]
    heading_rad: Float[np.ndarray, " n"]
    phase_rad: Float[np.ndarray, " n"]
    spot: Int[np.ndarray, " n"]
    rest_s: Float[np.ndarray, " n"]
    stuck_s: Float[np.ndarray, " n"]
    present: Bool[np.ndarray, " n"]

    @classmethod
    def gathered(
        cls, site: Site, ways: Routes, heights_m: Float[np.ndarray, " n"], rng: np.random.Generator
    ) -> "Crowd":
        """People all over the site, each on the way to somewhere; the first is about to leave."""
        n = len(heights_m)
        xy = _starts(ways, n, rng)
        spot = len(site.gates) + rng.integers(0, len(site.spots), n)
        if n:
            gate = 2
            xy[0], spot[0] = ways.spots_m[gate] + (-0.4, -6.5), gate
        return cls(
            routes=ways, n_gates=len(site.gates), rng=rng, pace_mps=rng.uniform(0.95, 1.45, n),
            leg_m=0.48 * heights_m, xy_m=xy, velocity_mps=np.zeros((n, 2)), heading_rad=rng.uniform(-np.pi, np.pi, n),
            phase_rad=rng.uniform(0, 2 * np.pi, n), spot=spot, rest_s=np.where(rng.random(n) < 0.2, 1.5, 0.0),
            stuck_s=np.zeros(n), present=np.ones(n, bool),
        )  # fmt: skip

    def step(self, busy: Bool[np.ndarray, " crossings"], crossings: Site) -> None:
        """Moves everyone by one step; nobody sets foot on a crossing that is ``busy`` with traffic."""
        self._arrive()
        towards = self.routes.heading_for(self.xy_m, self.spot) - self.xy_m
        distance = np.maximum(np.linalg.norm(towards, axis=1, keepdims=True), 1e-9)
        walks = (self.rest_s <= 0) & ~self._waits(towards, busy, crossings)
        wanted = towards / distance * (self.pace_mps * walks)[:, None]
        push = self._from_others() + self._from_walls()
        self.velocity_mps += ((wanted - self.velocity_mps) / _RELAX_S + push * walks[:, None]) * STEP_S
        self._move()
        self.stuck_s = np.where(walks & (self._speed() < 0.3 * self.pace_mps), self.stuck_s + STEP_S, 0.0)
        self._turn()
        speed = self._speed()
        self.phase_rad = self.phase_rad + 2 * np.pi * speed * STEP_S / stride_m(speed, self.leg_m)

    def _speed(self) -> Float[np.ndarray, " n"]:
        return np.linalg.norm(self.velocity_mps, axis=1)

    def _arrive(self) -> None:
        """Those who are where they wanted to be rest, or leave; those who have rested set out again."""
        here = np.linalg.norm(self.routes.spots_m[self.spot] - self.xy_m, axis=1) < _ARRIVED_M
        rested = self.rest_s > 0
        self.rest_s = np.maximum(self.rest_s - STEP_S, 0.0)
        for who in np.flatnonzero((here & ~rested) | (self.stuck_s > _STUCK_S)):
            at = int(self.spot[who])
            left = bool(here[who]) and at < self.n_gates
            if left:
                self.present[who] = False
                self.rest_s[who] = self.rng.uniform(2.5, 6.0)
                self.velocity_mps[who] = 0.0
            elif here[who] and self.rng.random() < 0.6:
                self.rest_s[who] = self.rng.uniform(1.0, 4.5)
            self.stuck_s[who] = 0.0
            self.spot[who] = self._next(at, self.xy_m[who])
        for who in np.flatnonzero(~self.present & (self.rest_s <= 0)):
            others = self.present & (np.linalg.norm(self.xy_m - self.xy_m[who], axis=1) < 2 * APART_M)
            self.present[who] = not others.any()

    def _next(self, at: int, xy_m: Float[np.ndarray, " 2"]) -> int:
        """Where to go from a place: rather near than far, and out of the gates now and then."""
        distance = np.linalg.norm(self.routes.spots_m - xy_m, axis=1)
        weight = np.exp(-distance / 12)
        weight[at] = 0.0
        weight[: self.n_gates] *= 4.0
        return int(self.rng.choice(len(weight), p=weight / weight.sum()))

    def _waits(
        self, towards: Float[np.ndarray, "n 2"], busy: Bool[np.ndarray, " crossings"], site: Site
    ) -> Bool[np.ndarray, " n"]:
        """Who stands at the kerb and lets a vehicle pass."""
        waits = np.zeros(len(self.xy_m), bool)
        for area, taken in zip(site.crossings, busy, strict=True):
            if taken:
                low, high = np.array(area.low_m), np.array(area.high_m)
                inside = np.all((self.xy_m > low) & (self.xy_m < high), axis=1)
                soon = self.xy_m + 0.9 * towards / np.maximum(np.linalg.norm(towards, axis=1, keepdims=True), 1e-9)
                waits |= ~inside & np.all((soon > low) & (soon < high), axis=1)
        return waits

    def _from_others(self) -> Float[np.ndarray, "n 2"]:
        """Acceleration that keeps people out of each other's way: away, and a little to the right."""
        apart, distance = self._apart()
        strength = 9.0 * np.exp((APART_M + 0.1 - distance) / 0.32)
        ahead = np.einsum("ijk,ik->ij", -apart, self.velocity_mps) / np.maximum(distance, 1e-9)
        strength = strength * np.where(ahead > 0, 1.0, 0.35)
        turn = _KEEP_RIGHT_RAD * (ahead > 0.2)
        cos, sin = np.cos(turn), np.sin(turn)
        unit = apart / np.maximum(distance, 1e-9)[..., None]
        aside = np.stack([unit[..., 0] * cos - unit[..., 1] * sin, unit[..., 0] * sin + unit[..., 1] * cos], axis=-1)
        return (strength[..., None] * aside).sum(axis=1)

    def _apart(self) -> tuple[Float[np.ndarray, "n n 2"], Float[np.ndarray, "n n"]]:
        """From every other person to each, and how far that is; far away for those who are not there."""
        apart = self.xy_m[:, None] - self.xy_m[None]
        distance = np.linalg.norm(apart, axis=-1)
        real = self.present[:, None] & self.present[None] & ~np.eye(len(self.xy_m), dtype=bool)
        return apart, np.where(real, distance, 1e3)

    def _from_walls(self) -> Float[np.ndarray, "n 2"]:
        """Acceleration away from what is in the way."""
        clearance, away = self._clearance()
        return away * 6.0 * np.exp((BODY_M - clearance) / 0.15)[:, None]

    def _clearance(self) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n 2"]]:
        """Distance to the nearest thing in the way, and the direction away from it, between the cells."""
        at = ((self.xy_m - self.routes.low_m) / CELL_M - 0.5)[:, ::-1].T
        clearance = map_coordinates(self.routes.clearance_m, at, order=1, mode="nearest")
        away = [map_coordinates(self.routes.away[..., k], at, order=1, mode="nearest") for k in (0, 1)]
        return clearance, np.stack(away, axis=1)

    def _move(self) -> None:
        """One step along, then out of walls and out of each other, no faster than anyone can walk."""
        before = self.xy_m
        speed = np.maximum(self._speed(), 1e-9)
        top = np.minimum(1.2 * self.pace_mps, FASTEST_MPS)
        self.velocity_mps *= np.minimum(1.0, top / speed)[:, None]
        self.xy_m = before + self.velocity_mps * STEP_S * self.present[:, None]
        for _ in range(3):
            apart, distance = self._apart()
            lack = np.maximum(APART_M - distance, 0) / 2
            self.xy_m = self.xy_m + ((lack / np.maximum(distance, 1e-9))[..., None] * apart).sum(axis=1)
            clearance, away = self._clearance()
            self.xy_m = self.xy_m + away * np.maximum(BODY_M - clearance, 0)[:, None] * self.present[:, None]
        stride = self.xy_m - before
        length = np.maximum(np.linalg.norm(stride, axis=1, keepdims=True), 1e-9)
        self.xy_m = before + stride * np.minimum(1.0, FASTEST_MPS * STEP_S / length)
        self.velocity_mps = (self.xy_m - before) / STEP_S

    def _turn(self) -> None:
        """Everyone who walks turns to where they walk, no faster than people turn."""
        course = np.arctan2(self.velocity_mps[:, 1], self.velocity_mps[:, 0])
        off = (course - self.heading_rad + np.pi) % (2 * np.pi) - np.pi
        most = _TURN_RADPS * STEP_S * np.minimum(1.0, self._speed() / 0.4)
        self.heading_rad = self.heading_rad + np.clip(off * 0.3, -most, most)


def swing_rad(speed_mps: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """How far the thighs swing to either side at that speed."""
    return 0.44 * np.clip(speed_mps / 1.3, 0.0, 1.3) ** 0.6


def stride_m(speed_mps: Float[np.ndarray, " n"], leg_m: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Ground covered by two steps, such that feet do not slide; never less than a shuffle."""
    return np.maximum(4 * leg_m * np.sin(swing_rad(speed_mps)), 0.5)


def _starts(ways: Routes, n: int, rng: np.random.Generator) -> Float[np.ndarray, "n 2"]:
    """Places off the road with room around them, near the destinations, spread out."""
    near = np.zeros(ways.clearance_m.shape, bool)
    row, column = ways.cells(ways.spots_m)
    near[row, column] = True
    rows, columns = np.nonzero(
        (ways.clearance_m > 0.7) & ~ways.crossing & (ways.ahead.min(axis=0) >= 0).reshape(near.shape)
    )
    centre = np.stack([columns, rows], axis=1) * CELL_M + ways.low_m + CELL_M / 2
    weight = np.exp(-np.linalg.norm(centre[:, None] - ways.spots_m[None], axis=-1).min(axis=1) / 2.0)
    starts = np.zeros((n, 2))
    for who in range(n):
        starts[who] = centre[rng.choice(len(centre), p=weight / weight.sum())]
        weight = weight * (1 - np.exp(-((np.linalg.norm(centre - starts[who], axis=1) / 2.5) ** 2)))
        weight = np.maximum(weight, 1e-12)
    return starts
