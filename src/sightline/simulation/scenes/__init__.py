"""Made-up places, photographed: pictures for a reconstruction, with the truth about cameras and depth.

place (surfaces, light, a camera's way) -> stage (textures, rays) -> pictures and truth -> files
"""

from sightline.simulation.scenes.places import PLACES
from sightline.simulation.scenes.stage import Sensor, Stage
from sightline.simulation.scenes.writing import read, write

__all__ = ["PLACES", "Sensor", "Stage", "read", "write"]
