"""Cars and vans: hulls of rounded ribs from nose to tail, with wheels, windows and lamps."""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from jaxtyping import Float

from sightline.simulation.rendering.looks import Look, Rgb

Points = Float[np.ndarray, "n 3"]
_GLASS, _BLACK, _RIM = (44.0, 54.0, 64.0), (26.0, 26.0, 28.0), (158.0, 160.0, 164.0)
_LAMP, _TAIL, _PLATE = (244.0, 240.0, 222.0), (176.0, 26.0, 24.0), (232.0, 230.0, 220.0)
_RIM_POINTS = 16
_TRACK = 0.985
"""How far out the wheels are, as a share of the hull's half width."""


@dataclass(frozen=True, slots=True)
class _Rib:
    """One cross-section of a hull."""

    x: float
    """How far ahead of the middle."""
    half: float
    """Half the width."""
    belt: float
    """Height of the window sills, or of the bonnet."""
    top: float
    """Height of the roof, or of the bonnet."""
    glass: bool
    """Whether what lies between this rib and the next has side windows."""
    screen: bool
    """Whether it is a windscreen on top."""
    low: float = 0.24
    """Height of the underside."""


_CAR = (
    _Rib(2.16, 0.62, 0.60, 0.64, False, False, 0.32), _Rib(2.05, 0.78, 0.68, 0.74, False, False),
    _Rib(1.75, 0.85, 0.74, 0.84, False, False), _Rib(0.95, 0.88, 0.86, 0.98, False, True),
    _Rib(0.30, 0.88, 0.90, 1.40, True, False), _Rib(-0.28, 0.88, 0.91, 1.46, False, False),
    _Rib(-0.36, 0.88, 0.91, 1.46, True, False), _Rib(-1.05, 0.88, 0.92, 1.41, False, True),
    _Rib(-1.68, 0.86, 0.93, 1.02, False, False), _Rib(-2.06, 0.80, 0.88, 0.96, False, False),
    _Rib(-2.18, 0.66, 0.70, 0.74, False, False, 0.34),
)  # fmt: skip
_VAN = (
    _Rib(2.62, 0.70, 0.72, 0.80, False, False, 0.34), _Rib(2.48, 0.88, 0.90, 1.02, False, False),
    _Rib(2.05, 0.96, 1.06, 1.20, False, True), _Rib(1.35, 0.98, 1.14, 2.02, True, False),
    _Rib(0.62, 0.98, 1.15, 2.16, False, False), _Rib(-0.60, 0.98, 1.15, 2.20, False, False),
    _Rib(-2.40, 0.98, 1.15, 2.18, False, False), _Rib(-2.60, 0.94, 1.14, 2.08, False, False),
)  # fmt: skip
_HULLS = {"car": (_CAR, 0.325, (1.34, -1.34)), "van": (_VAN, 0.36, (1.66, -1.62))}


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Flat faces in a vehicle's own frame: x ahead, y to its left, z up, metres."""

    corners: Float[np.ndarray, "f c 3"]
    """Corners of each, anticlockwise seen from outside."""
    normal: Float[np.ndarray, "f 3"]
    """Directions outwards, length one."""
    rgb: Float[np.ndarray, "f 3"]
    """Colours."""
    gloss: Float[np.ndarray, " f"]
    """How much of the sky each mirrors."""


def vehicle(kind: str, look: Look, wheel_rad: float) -> list[Faces]:
    """The faces of a vehicle whose middle is over the origin: its hull, then what is fixed on it."""
    ribs, radius, axles = _HULLS[kind]
    hull, lamps, wheels = _fixed(kind, look.paint)
    return [hull, *wheels, _spokes(ribs, radius, axles, wheel_rad), lamps]


@lru_cache(maxsize=64)
def _fixed(kind: str, paint: Rgb) -> tuple[Faces, Faces, tuple[Faces, ...]]:
    """What does not change while a vehicle drives: hull, lamps, tyres and rims."""
    ribs, radius, axles = _HULLS[kind]
    return _hull(ribs, paint), _lamps(ribs), _wheels(ribs, radius, axles)


@cache
def outline(kind: str) -> Points:
    """Points whose hull is the vehicle, for its shadow."""
    ribs, radius, axles = _HULLS[kind]
    turn = np.linspace(0, 2 * np.pi, _RIM_POINTS, endpoint=False)
    half = max(rib.half for rib in ribs) * _TRACK + 0.02
    wheels = [
        (x + radius * np.cos(a), side * half, radius + radius * np.sin(a))
        for x in axles for a in turn for side in (1, -1)
    ]  # fmt: skip
    return np.concatenate([_sections(ribs).reshape(-1, 3), np.array(wheels)])


def _sections(ribs: tuple[_Rib, ...]) -> Float[np.ndarray, "r 12 3"]:
    """Twelve points round each rib, from the lower right over the roof to the lower left."""
    rows = []
    for rib in ribs:
        cabin = rib.top - rib.belt > 0.25
        shoulder = 0.80 if cabin else 0.97
        roof = 0.66 if cabin else 0.80
        edge = rib.top - (0.07 if cabin else 0.4 * (rib.top - rib.belt))
        half = [
            (0.88, rib.low), (0.97, rib.low + 0.2 * (rib.belt - rib.low)), (1.0, rib.low + 0.62 * (rib.belt - rib.low)),
            (0.965, rib.belt), (shoulder, edge), (roof, rib.top),
        ]  # fmt: skip
        right = [(rib.x, -rib.half * share, z) for share, z in half]
        rows.append([*right, *((x, -y, z) for x, y, z in reversed(right))])
    return np.array(rows)


def _hull(ribs: tuple[_Rib, ...], rgb_paint: Rgb) -> Faces:
    """Quadrilaterals between neighbouring ribs, and the flat ends."""
    ring = _sections(ribs)
    paint = np.array(rgb_paint)
    corners, rgb, gloss = [], [], []
    for i, rib in enumerate(ribs[:-1]):
        for k in range(11):
            corners.append([ring[i, k], ring[i, k + 1], ring[i + 1, k + 1], ring[i + 1, k]])
            window = (rib.glass and k in {3, 7}) or (rib.screen and k in {4, 5, 6})
            sill = k in {0, 10}
            rgb.append(_GLASS if window else paint * 0.55 if sill else paint)
            gloss.append(0.55 if window else 0.16)
    for end, turn in ((ring[0], -1), (ring[-1], 1)):
        for k in range(5):
            corners.append([end[k], end[k + 1], end[10 - k], end[11 - k]][::turn])
            rgb.append(np.array(_BLACK) * 1.6 if k == 0 else paint * 0.92)
            gloss.append(0.1)
    return _faces(np.array(corners), np.array(rgb), np.array(gloss))


def _faces(corners: Float[np.ndarray, "f c 3"], rgb: Float[np.ndarray, "f 3"], gloss: Float[np.ndarray, " f"]) -> Faces:
    """Faces with the directions they look in, worked out from their diagonals."""
    quarter = corners.shape[1] // 4
    one = corners[:, 2 * quarter] - corners[:, 0]
    other = corners[:, 3 * quarter] - corners[:, quarter]
    normal = np.cross(one, other)
    outward = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    inner = corners.mean(axis=1) - np.array([0.0, 0.0, 0.7])
    flip = np.sign((outward * inner).sum(axis=1, keepdims=True) + 1e-12)
    return Faces(corners, outward * flip, rgb, gloss)


def _wheels(ribs: tuple[_Rib, ...], radius: float, axles: tuple[float, ...]) -> tuple[Faces, ...]:
    """Arch, tyre, rim and hub, on both sides."""
    turn = np.linspace(0, 2 * np.pi, _RIM_POINTS, endpoint=False)
    half = max(rib.half for rib in ribs) * _TRACK
    made = []
    for share, rgb, out in (
        (1.16, (18.0, 18.0, 20.0), 0.0),
        (1.0, _BLACK, 0.015),
        (0.62, _RIM, 0.02),
        (0.18, _BLACK, 0.025),
    ):
        discs = []
        for x in axles:
            for side in (1, -1):
                out_m, up = np.full(_RIM_POINTS, side * (half + out)), radius + share * radius * np.sin(turn)
                circle = np.stack([x + share * radius * np.cos(turn), out_m, up], axis=1)
                circle[:, 2] = np.maximum(circle[:, 2], 0.0 if share <= 1 else 0.34)
                discs.append(circle)
        made.append(_faces(np.array(discs), np.tile(rgb, (len(discs), 1)), np.full(len(discs), 0.05)))
    return tuple(made)


def _spokes(ribs: tuple[_Rib, ...], radius: float, axles: tuple[float, ...], wheel_rad: float) -> Faces:
    """The gaps between the five spokes of each wheel."""
    half = max(rib.half for rib in ribs) * _TRACK
    spokes = []
    for x in axles:
        for side in (1, -1):
            for spoke in np.arange(5) * 2 * np.pi / 5 - wheel_rad:
                a, b = np.array([np.cos(spoke), np.sin(spoke)]), np.array([-np.sin(spoke), np.cos(spoke)])
                flat = (
                    np.array([0.2 * a + 0.09 * b, 0.56 * a + 0.14 * b, 0.56 * a - 0.14 * b, 0.2 * a - 0.09 * b])
                    * radius
                )
                spokes.append(
                    np.stack([x + flat[:, 0], np.full(4, side * (half + 0.022)), radius + flat[:, 1]], axis=1)
                )
    return _faces(np.array(spokes), np.tile((70.0, 72.0, 76.0), (len(spokes), 1)), np.zeros(len(spokes)))


def _lamps(ribs: tuple[_Rib, ...]) -> Faces:
    """Head lamps and tail lamps at the corners, number plates between."""
    corners, rgb = [], []
    for a, b, lamp in ((ribs[0], ribs[1], _LAMP), (ribs[-1], ribs[-2], _TAIL)):
        low, high = a.belt - 0.16, a.belt - 0.02
        out = np.sign(a.x) * 0.012
        for side in (1, -1):
            inner, outer = 0.62 * a.half * side, 0.99 * a.half * side
            far = (a.half + 0.72 * (b.half - a.half)) * side
            corners.append(
                [(a.x + out, inner, low), (a.x + out, outer, low), (a.x + out, outer, high), (a.x + out, inner, high)]
            )
            bend = a.x + 0.72 * (b.x - a.x) + out
            corners.append(
                [(a.x + out, outer, low), (bend, far, low), (bend, far, high + 0.03), (a.x + out, outer, high)]
            )
            rgb += [lamp, lamp]
        corners.append([(a.x + 2 * out, y, z) for y, z in ((0.26, 0.44), (-0.26, 0.44), (-0.26, 0.56), (0.26, 0.56))])
        rgb.append(_PLATE)
    return _faces(np.array(corners), np.array(rgb), np.full(len(rgb), 0.1))
