"""Small simulations that several tests look at."""

import numpy as np
import pytest

from sightline.simulation import Plan, Simulation
from sightline.simulation.rendering.looks import looks
from sightline.simulation.rendering.sprite import Pose


@pytest.fixture(scope="session")
def still_day():
    """A short simulation without noise or shadows: pictures differ only by who is in them."""
    return Simulation(Plan(seed=1, n_people=2, n_vehicles=0, n_cameras=1, duration_s=1.0, noise=0.0, shadows=False))


@pytest.fixture(scope="session")
def plain_view(still_day):
    """Camera 1 of that day."""
    return still_day._view(still_day.cameras[0])


@pytest.fixture
def pose():
    """Makes poses of a well-lit person, or of another mover."""
    some = looks(12, 0, np.random.default_rng(3))

    def make(east_m, north_m, *, label=0, look=0, heading_rad=0.6, phase_rad=1.0, speed_mps=1.2):
        return Pose(label, some[look], float(east_m), float(north_m), heading_rad, phase_rad, speed_mps)

    return make
