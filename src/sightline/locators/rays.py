"""Pixels of a flying camera to the ground, with all that makes the place uncertain."""

import numpy as np
from jaxtyping import Float, Int

from sightline.geodesy.enu import EARTH_M
from sightline.geodesy.terrain import Terrain, met
from sightline.locators.doubts import Doubts
from sightline.locators.eyes import Eyes

Column = Float[np.ndarray, " n"]
Flat = Float[np.ndarray, "n 2"]
FLATTEST = float(np.sin(np.deg2rad(3.0)))
"""Rays that sink by less are not followed to the ground: a degree is half a kilometre there."""
_REACH_M = 3000.0
_CHUNK = 1 << 15
"""Rows at a time: what is computed of them stays near the processor."""


def ground_places(
    flat: Flat,
    focal_px: tuple[float, float],
    eyes: Eyes,
    row: Int[np.ndarray, " n"],
    ground: float | Terrain,
    doubts: Doubts,
) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "n 3 3"]]:
    """Where each ray meets the ground, east, north, up in metres, and its covariance; NaN where it does not.

    ``flat`` are directions (right and down per unit forward), ``row`` the moment in ``eyes`` of each. ``ground`` is
    level ground at that height above the origin, bent with the earth, or a terrain. The covariance is of first order
    in each of the ``doubts``: what moves the ray, or its start, moves the place along the ground.
    """
    n = len(flat)
    xyz, cov = np.empty((n, 3)), np.empty((n, 3, 3))
    for first in range(0, n, _CHUNK):
        part = slice(first, first + _CHUNK)
        _part(flat[part], focal_px, eyes, row[part], ground, doubts, xyz[part], cov[part])
    return xyz, cov


def _part(
    flat: Flat, focal_px: tuple[float, float], eyes: Eyes, row: Int[np.ndarray, " n"], ground: float | Terrain,
    doubts: Doubts, xyz: Float[np.ndarray, "n 3"], cov: Float[np.ndarray, "n 3 3"],
) -> None:  # fmt: skip
    """Some rows of it, into ``xyz`` and ``cov``."""
    turn = eyes.enu_from_cam[row]
    right, down, forward = (np.ascontiguousarray(turn[:, :, k].T) for k in range(3))
    x, y = np.ascontiguousarray(flat.T)
    ray = right * x + down * y + forward
    eye = np.ascontiguousarray(eyes.eye_enu_m[row].T)
    length, east_rise, north_rise = _met(eye, ray, ground)
    place = eye + length * ray
    xyz[:] = place.T
    # What the ray's end moves by along the ground, for each metre that it is lifted off it.
    along = ray[:2] / (ray[2] - east_rise * ray[0] - north_rise * ray[1])

    def shifted(w: Float[np.ndarray, "3 n"]) -> Float[np.ndarray, "2 n"]:
        """East and north, where the ray's end is moved by ``w`` and slides along the ray back to the ground."""
        return w[:2] + along * (east_rise * w[0] + north_rise * w[1] - w[2])

    east, north, cross = _along(along, doubts)
    gps = _gps(along, east_rise, north_rise, doubts)
    east, north, cross = east + gps[0], north + gps[1], cross + gps[2]
    # Turning about the lens' axis, pixels and focal length all move the ray to the right or down.
    across, below = shifted(right * length), shifted(down * length)
    px_x, px_y = doubts.box_px / focal_px[0], doubts.box_px / focal_px[1]
    roll2, focal2 = doubts.roll_rad**2, doubts.focal**2
    xx = px_x**2 + roll2 * y * y + focal2 * x * x
    yy = px_y**2 + roll2 * x * x + focal2 * y * y
    xy = (focal2 - roll2) * x * y
    east += xx * across[0] ** 2 + 2 * xy * across[0] * below[0] + yy * below[0] ** 2
    north += xx * across[1] ** 2 + 2 * xy * across[1] * below[1] + yy * below[1] ** 2
    cross += xx * across[0] * across[1] + xy * (across[0] * below[1] + across[1] * below[0]) + yy * below[0] * below[1]
    for sd, w in _turns(eyes, row, ray, length, doubts):
        move = sd * shifted(w)
        east += move[0] ** 2
        north += move[1] ** 2
        cross += move[0] * move[1]
    ground2 = doubts.ground_m**2
    cov[:, 0, 0], cov[:, 1, 1] = east, north
    cov[:, 0, 1] = cov[:, 1, 0] = cross
    cov[:, 0, 2] = cov[:, 2, 0] = east_rise * east + north_rise * cross + along[0] * ground2
    cov[:, 1, 2] = cov[:, 2, 1] = east_rise * cross + north_rise * north + along[1] * ground2
    rises = east_rise * along[0] + north_rise * along[1]
    cov[:, 2, 2] = east_rise**2 * east + 2 * east_rise * north_rise * cross + north_rise**2 * north
    cov[:, 2, 2] += ground2 * (1 + 2 * rises)
    cov[np.isnan(length)] = np.nan


def _met(
    eye: Float[np.ndarray, "3 n"], ray: Float[np.ndarray, "3 n"], ground: float | Terrain
) -> tuple[Column, Column, Column]:
    """Lengths of the rays to the ground, NaN where they miss it, and how it rises east and north there."""
    sinks = -ray[2] > FLATTEST * np.sqrt((ray * ray).sum(axis=0))
    if isinstance(ground, Terrain):
        length = np.full(ray.shape[1], np.nan)
        rows = np.flatnonzero(sinks & np.isfinite(eye).all(axis=0))
        length[rows] = met(ground, eye.T[rows], ray.T[rows], reach_m=_REACH_M)
        end = eye + length * ray
        here = np.isfinite(length)
        rise = ground.slopes(*np.where(here, end[:2], np.nan))
        return length, np.where(here, rise[0], 0.0), np.where(here, rise[1], 0.0)
    sink = np.where(sinks, -ray[2], np.nan)
    length = (eye[2] - ground) / sink
    for _ in range(2):  # level ground falls away with the square of the distance; twice is exact to a micrometre
        away_x, away_y = eye[0] + length * ray[0], eye[1] + length * ray[1]
        length = (eye[2] - ground + (away_x * away_x + away_y * away_y) / (2 * EARTH_M)) / sink
    length = np.where(length > 0, length, np.nan)
    level = np.zeros(ray.shape[1])
    return length, level, level


def _along(along: Float[np.ndarray, "2 n"], doubts: Doubts) -> tuple[Column, Column, Column]:
    """Variance east, north and their covariance, of heights: of the eye and of the ground."""
    height2 = doubts.height_m**2 + doubts.ground_m**2
    return height2 * along[0] ** 2, height2 * along[1] ** 2, height2 * along[0] * along[1]


def _gps(
    along: Float[np.ndarray, "2 n"], east_rise: Column, north_rise: Column, doubts: Doubts
) -> tuple[Column, Column, Column]:
    """The same of the eye's place."""
    gps2 = doubts.gps_m**2
    a, b = 1 + along[0] * east_rise, along[0] * north_rise
    c, d = along[1] * east_rise, 1 + along[1] * north_rise
    return gps2 * (a * a + b * b), gps2 * (c * c + d * d), gps2 * (a * c + b * d)


def _turns(
    eyes: Eyes, row: Int[np.ndarray, " n"], ray: Float[np.ndarray, "3 n"], length: Column, doubts: Doubts
) -> list[tuple[float, Float[np.ndarray, "3 n"]]]:
    """What a radian of yaw, a radian of pitch and a second of time move the ray's end by, and their doubts."""
    reach = ray * length
    yaw = np.stack([reach[1], -reach[0], np.zeros_like(length)])
    pitch = _cross(eyes.turning[:, :, 1][row].T, reach)
    spin = np.einsum("nij,nj->ni", eyes.turning, eyes.rates_rad_s)
    time = eyes.velocity_enu_mps[row].T + _cross(spin[row].T, reach)
    return [(doubts.yaw_rad, yaw), (doubts.pitch_rad, pitch), (doubts.time_s, time)]


def _cross(a: Float[np.ndarray, "3 n"], b: Float[np.ndarray, "3 n"]) -> Float[np.ndarray, "3 n"]:
    """The cross product, column by column."""
    return np.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
