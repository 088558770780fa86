"""The places there are to photograph, and the ways a camera takes through them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from sightline.errors import OptionError
from sightline.geometry.rigid import looking_at
from sightline.simulation.rendering.noise import fractal
from sightline.simulation.scenes.surface import Colour, Surface, Vector, ball, box, drum, hills, square

Way = Float[np.ndarray, "k 4 4"]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Surfaces, light, and where the camera goes."""

    surfaces: tuple[Surface, ...]
    """What stands there."""
    lamp: Vector
    """Where the light comes from."""
    sky: tuple[Colour, Colour]
    """At the horizon and above; seen where nothing stands."""
    nook_m: float
    """How near things must be to keep daylight from one another."""
    texels_per_m: float
    """How fine textures are for pictures 960 pixels wide."""
    cam_from_scene: Way
    """One pose per picture."""
    is_sequence: bool
    """Whether each picture follows on the one before."""


def place(name: str, n_views: int, rng: np.random.Generator) -> Place:
    """The place of that name: ``table``, ``room`` or ``town``.

    Raises:
        OptionError: there is none of that name.
    """
    if name not in _PLACES:
        raise OptionError(f"place = {name!r}: there are {', '.join(_PLACES)}")
    return _PLACES[name](n_views, rng)


def _table(n_views: int, rng: np.random.Generator) -> Place:
    """Parcels, tins and balls on a table in a room; the camera goes around it."""
    things = [
        square((-3.5, -3.5, 0.0), (7.0, 0.0, 0.0), (0.0, 7.0, 0.0), "carpet", (120, 92, 84)),
        *_walls((-3.5, -3.5), (7.0, 7.0), 2.8, ["gallery", "brick", "gallery", "books"]),
        *box((0.0, 0.0, 0.0), (0.3, 0.3, 0.7), 0.4, "wood", "wood", (120, 84, 52)),
        *box((0.0, 0.0, 0.7), (1.5, 1.1, 0.05), 0.0, "wood", "carpet", (150, 108, 70)),
    ]
    spots = [(-0.48, -0.28), (0.02, -0.33), (0.5, -0.22), (-0.42, 0.22), (0.08, 0.05), (0.5, 0.27), (0.08, 0.4)]
    for number, (x, y) in enumerate(spots):
        foot = (x + rng.uniform(-0.03, 0.03), y + rng.uniform(-0.03, 0.03), 0.75)
        if number % 3 == 2:
            things += drum(foot, rng.uniform(0.07, 0.11), rng.uniform(0.14, 0.3), "print", "stone", _bright(rng))
        elif number % 3 == 1:
            radius = rng.uniform(0.08, 0.12)
            things.append(ball((foot[0], foot[1], 0.75 + radius), radius, rng.uniform(0, 6), "stone", _bright(rng)))
        else:
            size = _size(rng, (0.14, 0.12, 0.12), (0.28, 0.2, 0.36))
            things += box(foot, size, rng.uniform(0, 3), "print", "print", _bright(rng))
    angle = 2 * np.pi * (np.arange(n_views) + rng.uniform(-0.15, 0.15, n_views)) / n_views
    out, up = rng.uniform(1.35, 1.6, n_views), 1.45 + 0.25 * np.sin(2 * angle) + rng.uniform(-0.05, 0.05, n_views)
    eyes = np.column_stack([out * np.cos(angle), out * np.sin(angle), up])
    targets = np.array([0, 0, 0.82]) + rng.uniform(-0.06, 0.06, (n_views, 3))
    return Place(
        tuple(things), (1.2, 0.9, 2.7), ((90, 90, 90),) * 2, 0.5, 900.0, _looking(eyes, targets), is_sequence=True
    )


def _room(n_views: int, rng: np.random.Generator) -> Place:
    """A hall with shelves, columns and tables; the camera walks through it."""
    things = [
        square((0.0, -2.6, 0.0), (10.0, 0.0, 0.0), (0.0, 5.2, 0.0), "carpet", (104, 96, 88)),
        square((0.0, 2.6, 3.0), (10.0, 0.0, 0.0), (0.0, -5.2, 0.0), "stone", (196, 192, 184)),
        *_walls((0.0, -2.6), (10.0, 5.2), 3.0, ["gallery", "brick", "brick", "gallery"]),
    ]
    for x, y in ((3.2, -1.7), (5.6, 1.75), (8.0, -1.7)):
        things += drum((x, y, 0.0), 0.22, 3.0, "stone", "stone", (168, 150, 130))
    for x, y, turn in ((1.9, 2.2, 0.0), (4.4, -2.25, 0.0), (7.6, 2.2, 0.0)):
        things += box((x, y, 0.0), (1.5, 0.45, 1.9), turn, "books", "wood", (130, 92, 60))
    for x, y in ((4.0, 1.2), (6.7, -0.9), (8.6, 0.9)):
        things += box((x, y, 0.0), (0.9, 0.6, 0.72), rng.uniform(-0.5, 0.5), "wood", "carpet", (150, 110, 72))
        size = _size(rng, (0.2, 0.2, 0.2), (0.4, 0.3, 0.4))
        things += box((x, y, 0.72), size, rng.uniform(0, 3), "print", "print", _bright(rng))
    share = np.linspace(0, 1, n_views)
    side = 0.45 * np.sin(5 * share) + rng.uniform(-0.03, 0.03, n_views)
    eyes = np.column_stack([0.5 + 5.0 * share, side, 1.55 + 0.06 * np.sin(17 * share)])
    heading = 0.16 * np.sin(7 * share + 1)
    targets = eyes + np.column_stack([np.cos(heading), np.sin(heading), np.full(n_views, -0.08)])
    return Place(
        tuple(things), (4.5, 0.3, 2.8), ((90, 90, 90),) * 2, 1.2, 300.0, _looking(eyes, targets), is_sequence=True
    )


def _town(n_views: int, rng: np.random.Generator) -> Place:
    """Houses on uneven ground; a drone flies over it there and back."""
    side_m = 150.0
    heights = fractal(129, 129, (12, 30, 60), rng).astype(np.float64)
    heights = (heights - heights.min()) / np.ptp(heights)
    things = []
    for x in np.linspace(-48, 48, 6).tolist():
        for y in (-26.0, 0.0, 26.0):
            foot = (x + rng.uniform(-4, 4), y + rng.uniform(-4, 4), 0.0)
            size = _size(rng, (7.0, 6.0, 7.0), (12.0, 10.0, 14.0))
            wall, rgb = ("facade", _wall(rng)) if rng.random() < 0.8 else ("container", _bright(rng))
            things += box(foot, size, rng.uniform(-0.5, 0.5), wall, "roof", rgb)
    for _ in range(5):
        foot = (rng.uniform(-50, 50), float(rng.choice([-13.0, 13.0])) + rng.uniform(-1, 1), 0.0)
        things += drum(foot, rng.uniform(1.5, 3), rng.uniform(8, 16), "ribbed", "roof", (170, 172, 176))
    # Last, because what stands on it hides most of it and is met sooner.
    things.append(hills((-side_m / 2, -side_m / 2, 0.0), (side_m, side_m, 5.0), heights, "meadow", (112, 122, 76)))
    n_there = (n_views + 1) // 2
    share = np.concatenate([np.linspace(-1, 1, n_there), np.linspace(1, -1, n_views - n_there)])
    back = np.arange(n_views) >= n_there
    eyes = np.column_stack([34 * share, np.where(back, 4.0, -30.0), np.full(n_views, 52.0)])
    eyes += rng.normal(0, 0.5, eyes.shape)
    targets = eyes + np.column_stack([rng.normal(0, 1.5, n_views), np.full(n_views, 22.0), np.full(n_views, -46.0)])
    sky = ((206, 216, 228), (120, 156, 206))
    return Place(tuple(things), (300.0, -220.0, 420.0), sky, 12.0, 16.0, _looking(eyes, targets), is_sequence=True)


_PLACES: dict[str, Callable[[int, np.random.Generator], Place]] = {"table": _table, "room": _room, "town": _town}
PLACES = tuple(_PLACES)


def _walls(corner: tuple[float, float], size: tuple[float, float], high: float, finishes: list[str]) -> list[Surface]:
    """The four walls of a room, seen from inside."""
    (x, y), (w, d) = corner, size
    along: list[tuple[Vector, Vector]] = [
        ((x + w, y, 0.0), (-w, 0.0, 0.0)),
        ((x, y, 0.0), (0.0, d, 0.0)),
        ((x, y + d, 0.0), (w, 0.0, 0.0)),
        ((x + w, y + d, 0.0), (0.0, -d, 0.0)),
    ]
    colours: list[Colour] = [(206, 196, 178), (168, 92, 70), (176, 190, 186), (160, 104, 84)]
    return [
        square(at, way, (0.0, 0.0, high), finish, rgb)
        for (at, way), finish, rgb in zip(along, finishes, colours, strict=True)
    ]


def _looking(eyes: Float[np.ndarray, "k 3"], targets: Float[np.ndarray, "k 3"]) -> Way:
    return np.stack([looking_at(eye, target) for eye, target in zip(eyes, targets, strict=True)])


def _size(rng: np.random.Generator, low: Vector, high: Vector) -> Vector:
    width, depth, height = rng.uniform(low, high).tolist()
    return width, depth, height


def _bright(rng: np.random.Generator) -> Colour:
    red, green, blue = (int(c) for c in rng.integers(70, 235, 3))
    return red, green, blue


def _wall(rng: np.random.Generator) -> Colour:
    """Plaster, or brick."""
    return (176, 96, 74) if rng.random() < 0.4 else (222, 208, 182)
