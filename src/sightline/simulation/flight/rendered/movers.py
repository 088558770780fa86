"""Who is about in the town while a drone films it: people on pavements and paths, cars that drive or are parked."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from sightline.simulation.flight.paths import FlightPlan
from sightline.simulation.flight.rendered import town
from sightline.simulation.flight.rendered.loops import Loop
from sightline.simulation.motion.crowd import stride_m
from sightline.simulation.motion.trajectories import CLASSES
from sightline.simulation.rendering.looks import Look, looks

_PAVEMENTS = (Loop((35.7, 27.7), 4.2), Loop((34.7, 26.7), 3.2))
LOOPS = (town.LANE, town.KERBSIDE, *_PAVEMENTS, town.WALK)
"""The ways there are."""
_LANE, _KERBSIDE, _WALK = 0, 1, 4
_SLOT_M, _PARKED_M = 13.0, 6.5
_PARKED, _VANS = 0.35, 0.2
_WHEEL_M = 0.32
_TRIES = 60


@dataclass(frozen=True, slots=True, eq=False)
class Movers:
    """All of them, people first. Number ``k`` is row ``k - 1``."""

    label: Int[np.ndarray, " n"]
    """Index into ``CLASSES``."""
    look: tuple[Look, ...]
    """What each looks like."""
    loop: Int[np.ndarray, " n"]
    """Which of ``LOOPS`` each is on; -1: in a bay of a car park."""
    middle_m: Float[np.ndarray, "n 2"]
    """Middle of the block it goes round, or of its bay."""
    start_m: Float[np.ndarray, " n"]
    """How far along it was when the log began."""
    speed_mps: Float[np.ndarray, " n"]
    """Clockwise; negative the other way, 0 for what stands."""

    def at(self, t_s: float) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, " n"]]:
        """Where each is at a time of the log, and where it faces, anticlockwise from east."""
        xy, heading = self.middle_m.copy(), np.full(len(self.label), np.pi / 2)
        for k, loop in enumerate(LOOPS):
            rows = np.flatnonzero(self.loop == k)
            if len(rows):
                there, ahead = loop.at(self.start_m[rows] + self.speed_mps[rows] * t_s)
                xy[rows] += there
                heading[rows] = ahead + np.pi * (self.speed_mps[rows] < 0)
        return xy, heading

    def phase_rad(self, t_s: float) -> Float[np.ndarray, " n"]:
        """How far gait or wheels have turned."""
        speed = np.abs(self.speed_mps)
        legs = 0.48 * np.array([look.height_m for look in self.look])
        walks = 2 * np.pi * speed * t_s / stride_m(speed, legs)
        return np.where(self.label == 0, walks + np.arange(len(speed)), speed * t_s / _WHEEL_M)


def movers(plan: FlightPlan, n_people: int, n_vehicles: int, rng: np.random.Generator) -> Movers:
    """So many, all of them where the camera looks at some time of its video; fewer vehicles where streets are full."""
    rows = [_walker(plan, rng) for _ in range(n_people)]
    taken: set[tuple[int, int, int, int]] = set()
    for _ in range(n_vehicles):
        for _ in range(_TRIES):
            spot, row = _vehicle(plan, rng)
            if spot not in taken:
                taken.add(spot)
                rows.append(row)
                break
    label, loop, middle, start, speed = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return Movers(
        label=np.array(label, np.int64),
        look=looks(n_people, len(rows) - n_people, rng),
        loop=np.array(loop, np.int64),
        middle_m=np.array(middle, float).reshape(-1, 2),
        start_m=np.array(start, float),
        speed_mps=np.array(speed, float),
    )


def looked_at_m(plan: FlightPlan, t_s: float) -> Float[np.ndarray, " 2"]:
    """Where the picture's middle sees the ground, were it level."""
    at = np.array([t_s])
    eye, yaw = plan.eye_enu_m(at)[0], float(plan.yaw_rad(at)[0])
    ahead = eye[2] / np.tan(max(-plan.pitch_rad, 0.3))
    return np.asarray(eye[:2] + ahead * np.array([np.sin(yaw), np.cos(yaw)]))


def _spot(plan: FlightPlan, rng: np.random.Generator) -> tuple[float, np.ndarray, town.Block]:
    """A time of the video, a place seen then, and its block."""
    t_s = float(rng.uniform(*plan.recorded_s))
    xy = looked_at_m(plan, t_s) + rng.normal(0, 0.35 * plan.height_m, 2)
    (block,) = town.blocks_about(xy, xy)
    return t_s, xy, block


def _walker(plan: FlightPlan, rng: np.random.Generator) -> tuple[int, int, np.ndarray, float, float]:
    """A person: class, loop, middle, start, speed."""
    t_s, xy, block = _spot(plan, rng)
    park = town.kind_of(block) == "park"
    loop = _WALK if park and rng.random() < 0.6 else int(rng.integers(2, 4))
    stands = loop == _WALK and rng.random() < 0.25
    speed = 0.0 if stands else float(rng.choice([-1, 1]) * rng.uniform(0.9, 1.7))
    middle = town.middle_m(block)
    return CLASSES.index("person"), loop, middle, _nearest_m(loop, xy - middle) - speed * t_s, speed


def _vehicle(
    plan: FlightPlan, rng: np.random.Generator
) -> tuple[tuple[int, int, int, int], tuple[int, int, np.ndarray, float, float]]:
    """A car or a van, and the spot that it takes up."""
    t_s, xy, block = _spot(plan, rng)
    middle = town.middle_m(block)
    label = CLASSES.index("van" if rng.random() < _VANS else "car")
    if rng.random() >= _PARKED:
        speed = 4.0 + 0.7 * ((3 * block[0] + 5 * block[1]) % 5)
        slot = int((_nearest_m(_LANE, xy - middle) - speed * t_s) // _SLOT_M)
        slot %= int(LOOPS[_LANE].length_m() // _SLOT_M)
        return (*block, _LANE, slot), (label, _LANE, middle, slot * _SLOT_M, speed)
    if town.kind_of(block) == "parking":
        bay = int(rng.integers(len(town.BAYS_M)))
        return (*block, -1, bay), (label, -1, middle + town.BAYS_M[bay], 0.0, 0.0)
    slots = np.arange(int(LOOPS[_KERBSIDE].length_m() // _PARKED_M)) * _PARKED_M
    straight = np.ptp(np.stack([LOOPS[_KERBSIDE].at(slots + off)[1] for off in (-2.5, 2.5)]), axis=0) < 0.01
    slot = int(rng.choice(np.flatnonzero(straight)))
    return (*block, _KERBSIDE, slot), (label, _KERBSIDE, middle, slot * _PARKED_M, 0.0)


def _nearest_m(loop: int, xy_m: Float[np.ndarray, " 2"]) -> float:
    """How far along a loop the point of it is that is nearest to one."""
    along = np.arange(0.0, LOOPS[loop].length_m(), 0.5)
    return float(along[np.linalg.norm(LOOPS[loop].at(along)[0] - xy_m, axis=1).argmin()])
