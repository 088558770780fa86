"""A cyclist: a bicycle, and a person who pedals it."""

from itertools import pairwise

import numpy as np

from sightline.simulation.rendering.figure import add_head
from sightline.simulation.rendering.looks import Look
from sightline.simulation.rendering.parts import Body

_WHEEL_M, _AXLES_M = 0.34, (0.52, -0.52)
_CRANK = (-0.02, 0.29)
_SADDLE = (-0.2, 0.92)
_BAR = (0.36, 1.02)
_RUBBER = (34.0, 34.0, 36.0)
_SPOKES = 12


def cyclist(body: Body, look: Look, wheel_rad: float) -> None:
    """Adds a bicycle whose middle is over the origin, with its rider; the wheels have turned that far."""
    for axle in _AXLES_M:
        turn = np.linspace(0, 2 * np.pi, _SPOKES + 1) - wheel_rad
        rim = np.stack(
            [axle + _WHEEL_M * np.cos(turn), np.zeros(_SPOKES + 1), _WHEEL_M + _WHEEL_M * np.sin(turn)], axis=1
        )
        body.group()
        for a, b in pairwise(rim):
            body.limb(a, b, (0.02, 0.02), _RUBBER)
        for spoke in rim[:-1:3]:
            body.limb((axle, 0, _WHEEL_M), spoke, (0.005, 0.005), (150.0, 150.0, 152.0))
    crank, saddle, bar = ((x, 0.0, z) for x, z in (_CRANK, _SADDLE, _BAR))
    neck, front, rear = (0.3, 0.0, 0.84), (_AXLES_M[0], 0.0, _WHEEL_M), (_AXLES_M[1], 0.0, _WHEEL_M)
    body.group()
    for a, b in ((crank, saddle), (crank, neck), (saddle, neck), (neck, front), (crank, rear), (saddle, rear)):
        body.limb(a, b, (0.02, 0.02), look.paint)
    body.limb(neck, bar, (0.016, 0.016), _RUBBER)
    body.limb((_BAR[0], 0.26, _BAR[1]), (_BAR[0], -0.26, _BAR[1]), (0.015, 0.015), _RUBBER)
    body.limb((_SADDLE[0] - 0.12, 0, 0.95), (_SADDLE[0] + 0.12, 0, 0.95), (0.05, 0.03), _RUBBER)
    _rider(body, look, wheel_rad * 0.5)


def _rider(body: Body, look: Look, pedal_rad: float) -> None:
    """Legs on the pedals, back bent, hands on the bar."""
    wide = look.girth
    hip = np.array([_SADDLE[0], 0.0, 1.0])
    shoulder = np.array([0.14, 0.0, 1.44])
    for side, turn in ((1, 0.0), (-1, np.pi)):
        angle = -pedal_rad + turn
        foot = np.array([_CRANK[0] + 0.17 * np.cos(angle), side * 0.1, _CRANK[1] + 0.04 + 0.17 * np.sin(angle)])
        thigh, ankle = hip + np.array([0.0, side * 0.09, 0.0]), foot + np.array([0.0, 0.0, 0.06])
        knee = _joint(thigh, ankle, 0.43, 0.42)
        heel, toe = foot + np.array([-0.06, 0.0, 0.02]), foot + np.array([0.13, 0.0, 0.0])
        body.group(0.02)
        body.limb(thigh, knee, (0.085 * wide, 0.06 * wide), look.bottom)
        body.limb(knee, ankle, (0.058 * wide, 0.042), look.bottom)
        body.limb(heel, toe, (0.045, 0.035), look.shoe)
        joint = shoulder + np.array([0.0, side * 0.19 * wide, -0.03])
        hand = np.array([_BAR[0], side * 0.24, _BAR[1] + 0.03])
        elbow = (joint + hand) / 2 + np.array([-0.02, side * 0.06, -0.06])
        body.group()
        body.limb(joint, elbow, (0.06 * wide, 0.048), look.top)
        body.limb(elbow, hand, (0.045, 0.033), look.skin if look.short_sleeves else look.top)
        body.ball(hand, (0.04, 0.035, 0.035), look.skin)
    body.group(0.05)
    body.limb(hip, (hip + shoulder) / 2, (0.14 * wide, 0.14 * wide), look.top)
    body.limb((hip + shoulder) / 2, shoulder, (0.14 * wide, 0.15 * wide), look.top)
    add_head(body, look, (shoulder[0] + 0.1, 0.0, shoulder[2] + 0.26), look.height_m)


def _joint(a: np.ndarray, b: np.ndarray, ab_m: float, bc_m: float) -> np.ndarray:
    """Where the knee is when hip and ankle are at ``a`` and ``b``: bent ahead."""
    way = b - a
    far = float(np.linalg.norm(way))
    span = min(far, 0.999 * (ab_m + bc_m))
    along = (ab_m**2 - bc_m**2 + span**2) / (2 * span)
    out = np.sqrt(max(ab_m**2 - along**2, 0.0))
    unit = way / max(far, 1e-9)
    ahead = np.array([-unit[2], 0.0, unit[0]])
    return a + along * unit + out * ahead
