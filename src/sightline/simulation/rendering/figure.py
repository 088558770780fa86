"""People: a skeleton that walks, and what it wears. All lengths are shares of the body's height."""

from math import cos, sin

import numpy as np

from sightline.simulation.motion.crowd import swing_rad
from sightline.simulation.rendering.looks import Look, Rgb
from sightline.simulation.rendering.parts import Body, Real

Point = tuple[Real, Real, Real]
_THIGH, _SHANK, _ANKLE = 0.245, 0.235, 0.04
_HIP_WIDE, _SHOULDER_WIDE = 0.05, 0.1
_UPPER_ARM, _FOREARM = 0.168, 0.15
_PELVIS, _WAIST, _CHEST, _SHOULDER, _NECK, _HEAD = -0.03, 0.085, 0.21, 0.29, 0.315, 0.4
"""Heights above the hip."""


def walker(body: Body, look: Look, phase_rad: float, speed_mps: float) -> None:
    """Adds a person who stands at the origin and faces ahead, at that point of the gait.

    ``body`` must measure in the person's height.
    """
    swing = float(swing_rad(np.array([speed_mps]))[0])
    legs = [_leg(phase_rad + turn, swing) for turn in (0.0, np.pi)]
    hip = max(_ANKLE + reach for _, _, reach in legs)
    lean = 0.008 * min(speed_mps, 1.5)
    for side, (thigh, shank, _) in zip((1, -1), legs, strict=True):
        _add_leg(body, look, (lean * 0.3, side * _HIP_WIDE, hip), thigh, shank)
    _trunk(body, look, hip, lean)
    twist = 0.22 * swing * sin(phase_rad)
    for side, turn in ((1, np.pi), (-1, 0.0)):
        bend = 0.24 + 0.5 * swing * (1 + sin(phase_rad + turn))
        shoulder = (lean * 3.4 - side * twist * _SHOULDER_WIDE, side * _SHOULDER_WIDE * look.girth, hip + 0.285)
        _add_arm(body, look, shoulder, 0.75 * swing * sin(phase_rad + turn), bend)
    add_head(body, look, (lean * 4.6, 0.0, hip + _HEAD))
    _luggage(body, look, hip, lean)


def _leg(phase_rad: float, swing: float) -> tuple[float, float, float]:
    """Angles of thigh and shank ahead of the plumb line, and how far down the ankle is from the hip."""
    thigh = swing * sin(phase_rad) + 0.1 * swing
    shank = thigh - 0.06 - swing * (0.2 + 1.5 * max(0.0, cos(phase_rad + 0.25)) ** 2)
    return thigh, shank, _THIGH * cos(thigh) + _SHANK * cos(shank)


def _add_leg(body: Body, look: Look, hip: Point, thigh_rad: float, shank_rad: float) -> None:
    """Thigh, shank and foot, in trousers or bare."""
    wide = look.girth
    x, y, z = hip
    knee = (x + _THIGH * sin(thigh_rad), y * 0.96, z - _THIGH * cos(thigh_rad))
    ankle = (knee[0] + _SHANK * sin(shank_rad), y * 0.9, knee[2] - _SHANK * cos(shank_rad))
    upper: Rgb = look.bottom if look.legs != "skirt" else look.skin
    lower: Rgb = look.bottom if look.legs == "trousers" else look.skin
    full = wide if look.legs == "trousers" else 0.84 * wide
    body.group()
    body.limb(hip, knee, (0.052 * wide, 0.036 * wide), upper)
    body.limb(knee, ankle, (0.035 * full, 0.024 * full), lower)
    pitch = float(np.clip(-shank_rad * 0.9 - 0.1, -0.5, 1.0)) * min(1.0, abs(shank_rad) * 3)
    toe = (ankle[0] + 0.088 * cos(pitch), ankle[1], ankle[2] - 0.026 - 0.075 * sin(pitch))
    heel = (ankle[0] - 0.022, ankle[1], ankle[2] - 0.018 + 0.02 * sin(pitch))
    body.limb(heel, toe, (0.024, 0.019), look.shoe)


def _trunk(body: Body, look: Look, hip: float, lean: float) -> None:
    """Hips, waist, chest and shoulders; a skirt or a coat's tails below."""

    def ring(low: Point, ahead: float, side: float, high: Point, ahead_2: float, side_2: float, rgb: Rgb) -> None:
        wide = look.girth
        body.ring(low, (ahead * wide, side * wide), high, (ahead_2 * wide, side_2 * wide), rgb)

    pelvis, waist = (0.0, 0.0, hip + _PELVIS), (lean, 0.0, hip + _WAIST)
    chest, shoulder = (lean * 2.4, 0.0, hip + _CHEST), (lean * 3.2, 0.0, hip + _SHOULDER)
    neck = (lean * 3.4, 0.0, hip + _NECK)
    body.group(0.01)
    if look.legs == "skirt":
        ring((0.0, 0.0, hip - 0.21), 0.084, 0.1, pelvis, 0.06, 0.086, look.bottom)
    ring(pelvis, 0.058, 0.086, waist, 0.054, 0.076, look.bottom)
    body.group(0.04)
    hem, flare = (0.0, 0.0, hip + (-0.13 if look.coat else 0.01)), (1.12 if look.coat else 1.03)
    ring(hem, 0.059 * flare, 0.087 * flare, waist, 0.056, 0.076, look.top)
    ring(waist, 0.056, 0.076, chest, 0.066, 0.088, look.top)
    ring(chest, 0.066, 0.088, shoulder, 0.046, 0.092, look.top)
    ring(shoulder, 0.047, 0.094, neck, 0.032, 0.04, look.top)
    if look.coat or look.carries == "nothing":
        front = 0.062 * look.girth
        shirt = (0.35 * look.bag[0] + 140, 0.35 * look.bag[1] + 140, 0.35 * look.bag[2] + 140)
        body.group(-0.02)
        body.limb((chest[0] + front, 0.0, chest[2]), (neck[0] + front / 2, 0.0, neck[2]), (0.008, 0.018), shirt)


def _add_arm(body: Body, look: Look, shoulder: Point, ahead_rad: float, bend_rad: float) -> None:
    """Upper arm, forearm and hand."""
    wide = look.girth
    x, y, z = shoulder
    side = 1 if y > 0 else -1
    reach = ahead_rad + bend_rad
    elbow = (x + _UPPER_ARM * sin(ahead_rad), y + side * 0.012, z - _UPPER_ARM * cos(ahead_rad))
    wrist = (elbow[0] + _FOREARM * sin(reach), elbow[1] - side * 0.004, elbow[2] - _FOREARM * cos(reach))
    hand = (wrist[0] + 0.03 * sin(reach), wrist[1], wrist[2] - 0.04 * cos(reach))
    body.group()
    body.limb(shoulder, elbow, (0.032 * wide, 0.026 * wide), look.top)
    sleeve = look.skin if look.short_sleeves and not look.coat else look.top
    body.limb(elbow, wrist, (0.024 * wide, 0.018 * wide), sleeve)
    body.limb(wrist, hand, (0.016 * wide, 0.018 * wide), look.skin)


def add_head(body: Body, look: Look, head: Point, size: float = 1.0) -> None:
    """Neck, face, and hair or a cap; ``head`` is the middle of the head, ``size`` the person's height."""
    x, y, z = head

    def point(ahead: float, up: float) -> Point:
        return x + ahead * size, y, z + up * size

    def ball(at: Point, radii: Point, rgb: Rgb, nearer: float) -> None:
        body.group(nearer * size)
        middle = (x + at[0] * size, y + at[1] * size, z + at[2] * size)
        body.ball(middle, (radii[0] * size, radii[1] * size, radii[2] * size), rgb)

    body.group(0.03 * size)
    body.limb(point(-0.012, -0.095), point(0.0, -0.04), (0.03 * size, 0.028 * size), look.skin)
    ball((0.0, 0.0, 0.0), (0.053, 0.044, 0.066), look.skin, 0.06)
    for side in (1, -1):
        ball((0.047, side * 0.017, 0.008), (0.006, 0.009, 0.005), _toned(look.skin, 0.5), 0.053)
    ball((0.046, 0, -0.034), (0.006, 0.016, 0.004), _toned(look.skin, 0.78), 0.053)
    ball((0.054, 0, -0.008), (0.009, 0.008, 0.014), _toned(look.skin, 0.94), 0.053)
    if look.head == "bald":
        return
    ball((-0.022, 0, 0.012), (0.046, 0.049, 0.062), look.hair, 0.06)
    ball((-0.006, 0, 0.045), (0.052, 0.047, 0.03), look.hair, 0.075)
    if look.head == "long":
        body.group(0.017 * size)
        body.ring(
            point(-0.034, -0.1), (0.018 * size, 0.04 * size), point(-0.024, 0.0), (0.03 * size, 0.048 * size), look.hair
        )
    elif look.head == "bun":
        ball((-0.058, 0, 0.038), (0.026, 0.026, 0.026), look.hair, 0.06)
    elif look.head == "cap":
        ball((-0.004, 0, 0.046), (0.056, 0.05, 0.034), look.bag, 0.085)
        brim = (0.035 * size, 0.036 * size)
        body.group(0.09 * size)
        body.ring(point(0.055, 0.032), brim, point(0.055, 0.037), brim, look.bag)


def _toned(rgb: Rgb, share: float) -> Rgb:
    """A darker shade of a colour."""
    return rgb[0] * share, rgb[1] * share, rgb[2] * share


def _luggage(body: Body, look: Look, hip: float, lean: float) -> None:
    """A backpack, a satchel at the side, or a bag in the hand."""
    if look.carries == "backpack":
        back = lean * 2 - 0.105
        body.group()
        body.ring((back, 0, hip + 0.075), (0.04, 0.064), (back, 0, hip + 0.265), (0.03, 0.056), look.bag)
        body.group(0.012)
        for side in (0.06, -0.06):
            low, high = (lean * 3 + 0.055, side, hip + 0.15), (lean * 3 + 0.02, side * 1.17, hip + 0.3)
            body.limb(low, high, (0.009, 0.009), look.bag)
    elif look.carries == "satchel":
        y = -0.12 * look.girth
        body.group(0.03)
        body.ring((-0.01, y, hip - 0.07), (0.06, 0.024), (-0.01, y, hip + 0.02), (0.056, 0.02), look.bag)
        body.group(0.017)
        body.limb((lean * 2 + 0.05, -0.06, hip + 0.12), (lean * 3, 0.05, hip + 0.295), (0.008, 0.008), look.bag)
    elif look.carries == "handbag":
        y = 0.135 * look.girth
        body.group(0.012)
        body.ring((0.02, y, hip - 0.19), (0.07, 0.026), (0.02, y, hip - 0.1), (0.058, 0.02), look.bag)
