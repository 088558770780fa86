"""The one site there is: a square and a yard on a road, apart from each other, walled in all round.

Cameras 1 and 2 overlap on the square in the west; camera 3 sees the yard in the east; camera 4 the road.
Who goes from the square to the yard is out of every sight on the way.
"""

from sightline.simulation.site import Area, Lane, Mount, Site, Solid, Spot

_BRICK, _CREAM, _GREY, _SAND = (158, 92, 72), (212, 203, 184), (168, 170, 172), (196, 172, 136)
_RED, _BLUE, _GREEN, _DARK = (168, 62, 48), (44, 92, 140), (62, 112, 86), (30, 30, 32)


def yard() -> Site:
    """The site."""
    return Site(
        name="yard",
        origin_lat_lon_deg=(46.5191, 6.6323),
        low_m=(-36.0, -24.0),
        high_m=(36.0, 26.0),
        solids=(*_houses(), *_portals(), *_square(), *_storage(), *_street()),
        areas=_areas(),
        mounts=(
            Mount((-29.6, 10.0, 4.6), (-20.0, 2.6, 0.4), 64.0),
            Mount((-2.6, 11.6, 4.2), (-12.0, 3.2, 0.4), 66.0),
            Mount((29.6, 16.4, 5.0), (21.6, 7.0, 0.4), 66.0),
            Mount((7.4, -5.2, 5.2), (15.4, -10.4, 0.4), 68.0),
            Mount((-19.0, -15.6, 5.6), (-15.0, 0.0, 0.6), 72.0),
            Mount((8.3, 17.2, 5.0), (20.0, 8.4, 0.6), 72.0),
        ),
        spots=(
            (-26.0, 4.0), (-21.0, -1.6), (-21.5, 8.2), (-17.0, 2.5), (-15.0, -5.5), (-12.5, 6.5), (-8.5, -0.5),
            (-6.0, 5.0), (-11.0, 13.0), (-25.0, -6.0), (2.5, -6.5), (11.5, 3.5), (14.5, -0.5), (19.5, 1.0),
            (24.5, 4.5), (21.5, 10.5), (14.0, 12.0), (25.5, -1.0), (13.5, -7.0), (21.0, -7.2), (-15.0, -15.6),
            (15.5, -15.6), (24.0, -15.6),
        ),
        gates=((-34.0, -7.0), (34.0, -7.0), (-9.0, 22.6), (20.0, 21.6)),
        road=Area((-36.0, -15.0), (36.0, -9.0), "asphalt"),
        crossings=(Area((-16.6, -15.0), (-13.4, -9.0), "crossing"), Area((14.2, -15.0), (17.4, -9.0), "crossing")),
        lanes=(Lane(-13.5, (-33.4, 33.4)), Lane(-10.5, (33.4, -33.4))),
        sun_enu=(0.4874, -0.4265, 0.7619),
    )  # fmt: skip


def _houses() -> tuple[Solid, ...]:
    """The walls of the place: north, west, east and south, and the house in the middle."""
    return (
        Solid((-36.0, 18.0, 0.0), (-10.0, 24.0, 7.5), "facade", _BRICK),
        Solid((-8.0, 18.0, 0.0), (8.0, 24.0, 8.5), "facade", _CREAM),
        Solid((8.0, 18.0, 0.0), (18.0, 24.0, 6.5), "ribbed", _GREY),
        Solid((22.0, 18.0, 0.0), (36.0, 24.0, 6.5), "ribbed", _GREY),
        Solid((18.0, 18.0, 4.0), (22.0, 24.0, 6.5), "ribbed", _GREY),
        Solid((-10.0, 18.0, 3.2), (-8.0, 24.0, 7.5), "plaster", _SAND),
        Solid((-36.0, -5.4, 0.0), (-30.4, 18.0, 8.0), "facade", _SAND),
        Solid((30.4, -5.4, 0.0), (36.0, 18.0, 8.0), "facade", _BRICK),
        Solid((-36.0, -24.0, 0.0), (-12.0, -16.4, 7.0), "facade", _CREAM),
        Solid((-12.0, -24.0, 0.0), (9.0, -16.4, 8.2), "facade", _BRICK),
        Solid((9.0, -24.0, 0.0), (36.0, -16.4, 6.6), "facade", _GREY),
        Solid((-2.0, -1.0, 0.0), (6.0, 12.4, 7.0), "facade", _CREAM),
    )


def _portals() -> tuple[Solid, ...]:
    """Roofs over the ways out, and the dark behind them."""
    return (
        Solid((-36.0, -16.4, 4.2), (-30.4, -5.4, 8.0), "plaster", _SAND),
        Solid((30.4, -16.4, 4.2), (36.0, -5.4, 8.0), "plaster", _BRICK),
        Solid((-36.4, -16.4, 0.0), (-35.9, -5.4, 4.2), "dark", _DARK),
        Solid((35.9, -16.4, 0.0), (36.4, -5.4, 4.2), "dark", _DARK),
        Solid((-10.0, 23.6, 0.0), (-8.0, 24.0, 3.2), "dark", _DARK),
        Solid((18.0, 23.6, 0.0), (22.0, 24.0, 4.0), "dark", _DARK),
    )


def _tree(east_m: float, north_m: float, height_m: float = 5.6, width_m: float = 3.6) -> tuple[Solid, ...]:
    """A trunk and a crown one can walk under."""
    half = width_m / 2
    return (
        Solid((east_m - 0.16, north_m - 0.16, 0.0), (east_m + 0.16, north_m + 0.16, height_m * 0.55), "bark",
              (96, 78, 62), "cylinder"),
        Solid((east_m - half, north_m - half, height_m * 0.4), (east_m + half, north_m + half, height_m), "leaves",
              (78, 112, 52), "crown"),
    )  # fmt: skip


def _column(spot: Spot, radius_m: float, height_m: float, finish: str, rgb: tuple[int, int, int]) -> Solid:
    """Something round and upright."""
    (east, north), r = spot, radius_m
    return Solid((east - r, north - r, 0.0), (east + r, north + r, height_m), finish, rgb, "cylinder")


def _square() -> tuple[Solid, ...]:
    """What people hide behind in the west: a kiosk, columns, trees, benches."""
    return (
        Solid((-16.6, -2.6, 0.0), (-13.8, -0.4, 2.7), "kiosk", (52, 96, 84)),
        Solid((-16.9, -2.9, 2.7), (-13.5, -0.1, 2.86), "plaster", (74, 74, 78)),
        _column((-11.2, 2.2), 0.62, 2.9, "posters", (206, 196, 170)),
        _column((-21.6, -4.4), 0.24, 3.4, "concrete", (176, 174, 168)),
        _column((-18.2, -4.4), 0.24, 3.4, "concrete", (176, 174, 168)),
        Solid((-21.9, -5.4, 3.4), (-17.9, -3.4, 3.6), "plaster", (92, 96, 100)),
        Solid((-9.6, -4.6, 0.0), (-5.4, -3.4, 1.35), "hedge", (66, 104, 52)),
        Solid((-15.4, 8.6, 0.0), (-12.0, 9.1, 0.46), "wood", (146, 104, 66)),
        Solid((-24.6, -0.3, 0.0), (-22.9, 0.2, 0.46), "wood", (146, 104, 66)),
        Solid((-6.3, 1.6, 0.0), (-5.8, 3.4, 0.46), "wood", (146, 104, 66)),
        _column((-7.6, 8.2), 0.28, 0.95, "ribbed", (58, 64, 62)),
        *_tree(-25.6, 15.0),
        *_tree(-14.0, 12.6, 6.2, 4.2),
        *_tree(-6.6, -1.9, 5.0, 3.0),
    )


def _storage() -> tuple[Solid, ...]:
    """The yard in the east: containers, crates, a wall towards the road with a way through."""
    return (
        Solid((9.0, 5.6, 0.0), (15.1, 8.0, 2.6), "container", _BLUE),
        Solid((9.6, 5.6, 2.6), (15.7, 8.0, 5.2), "container", _RED),
        Solid((18.0, 4.6, 0.0), (20.4, 7.8, 2.6), "container", _GREEN),
        Solid((27.9, 4.6, 0.0), (30.3, 10.7, 2.6), "container", _RED),
        Solid((17.2, -1.6, 0.0), (18.4, -0.4, 1.2), "wood", (176, 136, 88)),
        Solid((17.3, -1.5, 1.2), (18.2, -0.6, 2.1), "wood", (162, 122, 76)),
        Solid((22.4, 0.6, 0.0), (23.6, 1.8, 1.1), "wood", (170, 130, 84)),
        Solid((13.0, -4.6, 0.0), (20.0, -4.3, 2.2), "brick", _BRICK),
        Solid((23.4, -4.6, 0.0), (30.4, -4.3, 2.2), "brick", _BRICK),
        _column((20.0, -4.45), 0.2, 2.5, "concrete", (176, 174, 168)),
        _column((23.4, -4.45), 0.2, 2.5, "concrete", (176, 174, 168)),
        *_tree(27.6, 1.4, 5.2, 3.0),
    )


def _street() -> tuple[Solid, ...]:
    """Along the pavement: lamps, a post box, a bus shelter that hides who waits."""
    lamps = tuple(_column((east, -8.5), 0.07, 5.0, "metal", (70, 74, 78)) for east in (-24.0, -6.0, 5.0, 26.0))
    return (
        *lamps,
        _column((18.6, -8.2), 0.22, 1.2, "metal", (196, 160, 40)),
        Solid((22.0, -6.1, 0.0), (25.2, -5.9, 2.3), "posters", (120, 132, 136)),
        Solid((21.9, -7.5, 2.3), (25.3, -5.8, 2.42), "plaster", (74, 84, 90)),
        *_tree(28.4, -7.4, 4.8, 2.4),
    )


def _areas() -> tuple[Area, ...]:
    """The ground, from below."""
    return (
        Area((-36.0, -24.0), (36.0, 26.0), "asphalt"),
        Area((-36.0, -9.0), (36.0, -5.0), "slabs"),
        Area((-36.0, -16.4), (36.0, -15.0), "slabs"),
        Area((-36.0, -5.0), (-2.0, 26.0), "paving"),
        Area((-2.0, -5.0), (8.0, 26.0), "paving"),
        Area((8.0, -5.0), (36.0, 26.0), "concrete"),
        Area((-30.4, 10.6), (-22.0, 18.0), "grass"),
        Area((-16.5, 10.4), (-11.6, 15.4), "grass"),
        Area((-10.2, -4.9), (-4.8, -1.0), "grass"),
        Area((26.0, -4.3), (30.4, 3.6), "grass"),
    )
