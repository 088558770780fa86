"""A made-up site with known answers: rendered pictures of people and vehicles, and the truth about them.

plan -> world (site, looks, trajectories) -> frames and truth of each camera -> files
"""

from sightline.simulation.plan import Plan
from sightline.simulation.truth import clearly_seen
from sightline.simulation.world import Simulation, simulate
from sightline.simulation.writing import write

__all__ = ["Plan", "Simulation", "clearly_seen", "simulate", "write"]
