"""What to simulate: a few numbers from which everything else follows."""

from dataclasses import dataclass

from sightline.errors import OptionError

MOST_CAMERAS = 6


@dataclass(frozen=True, slots=True)
class Plan:
    """A recording to be made. Two equal plans give the same pictures, byte for byte."""

    seed: int = 0
    """Who walks where, what they wear, and how the clouds pass."""
    n_people: int = 8
    """People who come and go."""
    n_vehicles: int = 2
    """Cars, cyclists and vans on the road."""
    n_cameras: int = 4
    """The first two see the same square; the others stand apart."""
    duration_s: float = 20.0
    """How long it lasts."""
    fps: float = 12.5
    """Pictures per second of every camera."""
    size: tuple[int, int] = (640, 360)
    """Width and height of the pictures, both even."""
    noise: float = 2.0
    """Standard deviation of the sensor's noise, in grey levels."""
    shadows: bool = True
    """Whether movers cast shadows."""

    def __post_init__(self) -> None:
        wrong = [
            (not 0 <= self.n_people <= 200, "n_people", "from 0 to 200"),
            (not 0 <= self.n_vehicles <= 20, "n_vehicles", "from 0 to 20"),
            (not 1 <= self.n_cameras <= MOST_CAMERAS, "n_cameras", f"from 1 to {MOST_CAMERAS}"),
            (not self.duration_s > 0, "duration_s", "more than 0 seconds"),
            (not 0 < self.fps <= 120, "fps", "more than 0, at most 120"),
            (not all(96 <= side <= 4096 and side % 2 == 0 for side in self.size), "size", "even, 96 to 4096"),
            (not 0 <= self.noise <= 50, "noise", "from 0 to 50 grey levels"),
            (self.seed < 0, "seed", "0 or more"),
        ]
        for is_wrong, name, should in wrong:
            if is_wrong:
                raise OptionError(f"simulation: {name} = {getattr(self, name)!r} should be {should}")

    @property
    def n_frames(self) -> int:
        """Pictures per camera; at least one."""
        return max(1, round(self.duration_s * self.fps))
