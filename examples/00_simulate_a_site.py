"""Film a made-up site, look at one picture, and put what one camera sees on the map.

python examples/00_simulate_a_site.py [FOLDER]
"""

import sys
from pathlib import Path

import numpy as np

from sightline.geometry.warp import warped
from sightline.simulation import clearly_seen, simulate, write


def main(folder: Path) -> None:
    """Writes ten seconds of two overlapping cameras, then reads the truth back as a user would."""
    world = simulate(seed=7, n_people=10, n_vehicles=2, n_cameras=2, duration_s=10.0)

    for path in write(world, folder):
        print(path)

    truth = clearly_seen(world.truth("cam1"))
    people = truth.rows(truth.label == truth.classes.index("person"))
    feet_px = np.stack([people.xyxy_px[:, [0, 2]].mean(axis=1), people.xyxy_px[:, 3]], axis=1)
    feet_m = warped(world.map_from_px("cam1"), feet_px)
    off_m = np.linalg.norm(feet_m - people.extra["ground_enu_m"][:, :2], axis=1)
    print(f"{len(np.unique(people.extra['identity']))} people in sight of cam1; the foot of a box")
    print(f"lies {np.median(off_m):.2f} m from where they stand (median)")

    other = clearly_seen(world.truth("cam2"))
    both = np.intersect1d(people.extra["identity"], other.extra["identity"])
    print(f"seen by both cameras at some time: identities {both.tolist()}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "simulated-site"))
