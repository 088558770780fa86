"""A site comes to life: people and vehicles, moved together and sampled at the times of the pictures."""

import numpy as np
from jaxtyping import Float

from sightline.simulation.motion.crowd import STEP_S, Crowd
from sightline.simulation.motion.routes import routes
from sightline.simulation.motion.traffic import Traffic
from sightline.simulation.motion.trajectories import CLASSES, Trajectories
from sightline.simulation.site import Site

_COLUMNS = ("xy_enu_m", "heading_rad", "speed_mps", "phase_rad", "present")


def trajectories(
    site: Site,
    heights_m: Float[np.ndarray, " n"],
    n_vehicles: int,
    t_s: Float[np.ndarray, " t"],
    rng: np.random.Generator,
) -> Trajectories:
    """Who is where at each of the times ``t_s``, which start at 0 or later and rise.

    There is one person for each of ``heights_m``. A mover counts as present when it is so before and after.
    """
    crowd = Crowd.gathered(site, routes(site), heights_m, rng)
    traffic = Traffic.on(site, n_vehicles, rng)
    steps = [_state(crowd, traffic)]
    for _ in range(int(np.ceil(t_s[-1] / STEP_S)) + 1):
        traffic.step(crowd.xy_m[crowd.present])
        crowd.step(traffic.busy(), site)
        steps.append(_state(crowd, traffic))
    record = {name: np.stack([step[name] for step in steps]) for name in _COLUMNS}
    before = np.minimum((t_s / STEP_S).astype(int), len(steps) - 2)
    share = t_s / STEP_S - before
    label = np.concatenate([np.full(len(heights_m), CLASSES.index("person")), traffic.label])
    return Trajectories(
        t_s=t_s,
        label=label.astype(np.int64),
        present=record.pop("present")[before] & _after(steps, before),
        **{name: _between(column, before, share) for name, column in record.items()},
    )


def _state(crowd: Crowd, traffic: Traffic) -> dict[str, np.ndarray]:
    """All movers at one moment, people first."""
    return {
        "xy_enu_m": np.concatenate([crowd.xy_m, traffic.xy_m()]),
        "heading_rad": np.concatenate([crowd.heading_rad, traffic.heading_rad()]),
        "speed_mps": np.concatenate([np.linalg.norm(crowd.velocity_mps, axis=1), traffic.speed_mps]),
        "phase_rad": np.concatenate([crowd.phase_rad, traffic.phase_rad]),
        "present": np.concatenate([crowd.present, traffic.present]),
    }


def _after(steps: list[dict[str, np.ndarray]], before: np.ndarray) -> np.ndarray:
    """Who is present in the step after each picture."""
    return np.stack([steps[i + 1]["present"] for i in before])


def _between(column: np.ndarray, before: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The column at the times of the pictures, straight lines between steps."""
    weight = share.reshape(-1, *[1] * (column.ndim - 1))
    return column[before] * (1 - weight) + column[before + 1] * weight
