"""People and vehicles: where they may be, and how fast."""

import numpy as np
import pytest

from sightline.errors import EngineError
from sightline.simulation.motion.crowd import FASTEST_MPS
from sightline.simulation.motion.moving import trajectories
from sightline.simulation.motion.routes import CELL_M, routes
from sightline.simulation.motion.traffic import LENGTH_M
from sightline.simulation.motion.trajectories import CLASSES
from sightline.simulation.site import Solid
from sightline.simulation.yard import yard

FPS = 10
N_PEOPLE = 12


@pytest.fixture(scope="module")
def minute():
    """A busy minute."""
    t_s = np.arange(60 * FPS) / FPS
    rng = np.random.default_rng(5)
    return trajectories(yard(), rng.uniform(1.6, 1.9, N_PEOPLE), 5, t_s, rng)


def both(minute):
    return minute.present[1:] & minute.present[:-1]


def test_nobody_is_in_a_wall(minute):
    there = minute.present[:, :N_PEOPLE]
    spots = minute.xy_enu_m[:, :N_PEOPLE][there]
    for solid in yard().solids:
        if solid.in_the_way:
            inside = np.all(
                (spots > np.array(solid.low_m[:2]) - 0.1) & (spots < np.array(solid.high_m[:2]) + 0.1), axis=1
            )
            assert not inside.any(), solid


def test_nobody_walks_faster_than_people_do(minute):
    speed = np.linalg.norm(np.diff(minute.xy_enu_m, axis=0), axis=2) * FPS
    walkers = speed[:, :N_PEOPLE][both(minute)[:, :N_PEOPLE]]
    assert walkers.max() <= FASTEST_MPS + 1e-6
    moving = walkers[walkers > 0.5]
    assert 0.8 < np.median(moving) < 1.6


def test_vehicles_keep_to_the_limit_and_to_the_road(minute):
    speed = np.linalg.norm(np.diff(minute.xy_enu_m, axis=0), axis=2) * FPS
    assert speed[:, N_PEOPLE:][both(minute)[:, N_PEOPLE:]].max() < 8.0
    road, north = yard().road, minute.xy_enu_m[:, N_PEOPLE:, 1]
    assert ((north > road.low_m[1]) & (north < road.high_m[1])).all()


def test_nobody_walks_through_anybody(minute):
    xy, there = minute.xy_enu_m[:, :N_PEOPLE], minute.present[:, :N_PEOPLE]
    apart = np.linalg.norm(xy[:, :, None] - xy[:, None], axis=3)
    pairs = there[:, :, None] & there[:, None] & ~np.eye(N_PEOPLE, dtype=bool)
    assert apart[pairs].min() > 0.45


def test_vehicles_do_not_run_into_each_other(minute):
    xy, there = minute.xy_enu_m[:, N_PEOPLE:], minute.present[:, N_PEOPLE:]
    length = np.array([LENGTH_M[CLASSES[label]] for label in minute.label[N_PEOPLE:]])
    gap = np.abs(xy[:, :, None, 0] - xy[:, None, :, 0]) - (length[:, None] + length) / 2
    same_lane = np.abs(xy[:, :, None, 1] - xy[:, None, :, 1]) < 2.0
    pairs = there[:, :, None] & there[:, None] & same_lane & ~np.eye(len(length), dtype=bool)
    assert gap[pairs].min() > 0.3


def test_vehicles_do_not_run_into_people(minute):
    for vehicle in range(N_PEOPLE, minute.n_movers):
        long = LENGTH_M[CLASSES[minute.label[vehicle]]] / 2
        off = np.abs(minute.xy_enu_m[:, :N_PEOPLE] - minute.xy_enu_m[:, vehicle : vehicle + 1])
        hit = (off[..., 0] < long) & (off[..., 1] < 0.9)
        assert not (hit & minute.present[:, :N_PEOPLE] & minute.present[:, vehicle : vehicle + 1]).any()


def test_people_stop_and_leave_and_return(minute):
    speed = minute.speed_mps[:, :N_PEOPLE]
    there = minute.present[:, :N_PEOPLE]
    assert 0.02 < (speed[there] < 0.05).mean() < 0.6
    returns = (~there[:-1] & there[1:]).sum(axis=0)
    assert (returns > 0).sum() >= 2


def test_who_is_away_is_out_of_sight_of_the_square(minute):
    away = minute.xy_enu_m[:, :N_PEOPLE][~minute.present[:, :N_PEOPLE]]
    gates = np.array(yard().gates)
    assert np.linalg.norm(away[:, None] - gates, axis=2).min(axis=1).max() < 1.5


def test_gait_and_speed_agree_so_that_feet_do_not_slide(minute):
    steps = np.diff(minute.phase_rad[:, :N_PEOPLE], axis=0) / (2 * np.pi)
    length = np.linalg.norm(np.diff(minute.xy_enu_m[:, :N_PEOPLE], axis=0), axis=2)
    brisk = both(minute)[:, :N_PEOPLE] & (length * FPS > 0.9)
    stride = length[brisk] / steps[brisk]
    assert (stride > 0.9).all()
    assert (stride < 1.8).all()


def test_the_way_leads_to_the_destination_from_everywhere():
    ways = routes(yard())
    rng = np.random.default_rng(0)
    open_ = np.argwhere((ways.clearance_m > 0.5) & (ways.ahead.min(axis=0) >= 0).reshape(ways.clearance_m.shape))
    at = open_[rng.choice(len(open_), 40)][:, ::-1] * CELL_M + ways.low_m + CELL_M / 2
    goal = rng.integers(0, len(ways.spots_m), 40)
    for _ in range(400):
        towards = ways.heading_for(at, goal) - at
        far = np.linalg.norm(towards, axis=1, keepdims=True)
        at = at + towards / np.maximum(far, 1e-9) * np.minimum(far, 0.3)
    assert np.linalg.norm(at - ways.spots_m[goal], axis=1).max() < 0.5


def test_a_place_that_cannot_be_reached_is_named():
    from dataclasses import replace

    site = yard()
    cell = tuple(Solid((x0, y0, 0.0), (x1, y1, 2.0)) for x0, y0, x1, y1 in (
        (-27.5, 2.5, -24.5, 2.8), (-27.5, 5.2, -24.5, 5.5), (-27.5, 2.5, -27.2, 5.5), (-24.8, 2.5, -24.5, 5.5),
    ))  # fmt: skip
    with pytest.raises(EngineError, match=r"-26\.0, 4\.0"):
        routes(replace(site, solids=(*site.solids, *cell)))
