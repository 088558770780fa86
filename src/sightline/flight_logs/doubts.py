"""What is odd about a flight, seen by holding its columns against each other."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from sightline.geodesy.enu import enu_from_wgs84
from sightline.model.flight import Flight
from sightline.model.positions import Origin

Column = Float[np.ndarray, " n"]
_SAME_M = 1.5
_MOVED_M = 5.0
_FAST_MPS = 2.0
_FEW = 20


def checked(flight: Flight) -> Flight:
    """The flight with what contradicts itself taken out, turned round or warned of."""
    return _coarse(_horizontal(_vertical(_sea(flight))))


def _warned(flight: Flight, warning: str, **changes: object) -> Flight:
    """The flight with a warning more."""
    return replace(flight, warnings=(*flight.warnings, warning), **changes)  # type: ignore[arg-type]


def _sea(flight: Flight) -> Flight:
    """A height above the sea that follows the one above take-off from 0 is not one."""
    takeoff, sea = flight.height_takeoff_m, flight.height_sea_m
    both = np.isfinite(takeoff) & np.isfinite(sea)
    if not both.any():
        return flight
    level_m = float(np.median((sea - takeoff)[both]))
    if abs(level_m) < _SAME_M and both.sum() >= _FEW and np.ptp(takeoff[both]) >= _MOVED_M:
        unknown = np.full(len(flight), np.nan)
        said = "the height above the sea equals that above take-off, so it is none; taken as unknown"
        return _warned(flight, said, height_sea_m=unknown)
    if level_m < -50:
        return _warned(
            flight, f"take-off would lie {-level_m:.0f} m below the sea; heights above the sea are not usable"
        )
    return flight


def _vertical(flight: Flight) -> Flight:
    """Whether the speed upwards is that of the height: some logs count it downwards."""
    height, up = flight.height_takeoff_m, flight.velocity_enu_mps[:, 2]
    rate = _rate(flight.t_s, height)
    climbs = np.isfinite(rate) & np.isfinite(up) & (np.abs(rate) > 0.5)
    if climbs.sum() < _FEW:
        return flight
    slope = float((rate[climbs] * up[climbs]).sum() / (rate[climbs] ** 2).sum())
    if slope < -0.5:
        turned = flight.velocity_enu_mps * [1.0, 1.0, -1.0]
        return _warned(flight, "vertical speed counts upwards in this log; turned round", velocity_enu_mps=turned)
    return flight


def _horizontal(flight: Flight) -> Flight:
    """Whether speeds are those of the positions: a wrong unit or swapped axes show here."""
    place, known = _places(flight), flight.has_place
    if known.sum() < _FEW:
        return flight
    seen = np.stack([_rate(flight.t_s, place[:, axis], 1.0) for axis in (0, 1)], axis=1)
    told = flight.velocity_enu_mps[:, :2]
    fast = np.isfinite(seen).all(axis=1) & np.isfinite(told).all(axis=1)
    fast &= np.hypot(*np.nan_to_num(seen).T) > _FAST_MPS
    if fast.sum() < _FEW:
        return flight
    ratio = float(np.median(np.hypot(*told[fast].T) / np.hypot(*seen[fast].T)))
    turn = np.median(
        (told[fast] * seen[fast]).sum(axis=1) / np.hypot(*told[fast].T).clip(1e-6) / np.hypot(*seen[fast].T)
    )
    if not 0.75 < ratio < 1.33:
        return _warned(flight, f"speeds in the log are {ratio:.2f} times those of its positions; is a unit wrong?")
    if turn < 0.5:
        return _warned(flight, "speeds in the log point elsewhere than its positions move; are north and east swapped?")
    return flight


def _coarse(flight: Flight) -> Flight:
    """Whether positions come in steps too wide to locate anything with."""
    places = np.unique(np.stack([flight.lat_deg, flight.lon_deg])[:, flight.has_place], axis=1)
    if not places.size:
        return flight
    for decimals in (3, 4):
        if np.allclose(places, np.round(places, decimals), rtol=0, atol=1e-9):
            metres = 111_320 * 10.0**-decimals
            return _warned(flight, f"positions have {decimals} decimals only: steps of {metres:.0f} m")
    return flight


def _places(flight: Flight) -> Float[np.ndarray, "n 3"]:
    """Metres about the first known place; heights are left out."""
    known = np.flatnonzero(flight.has_place)
    if not len(known):
        return np.full((len(flight), 3), np.nan)
    origin = Origin(float(flight.lat_deg[known[0]]), float(flight.lon_deg[known[0]]))
    return enu_from_wgs84(origin, flight.lat_deg, flight.lon_deg, np.zeros(len(flight)))


def _rate(t_s: Column, value: Column, over_s: float = 0.5) -> Column:
    """Change per second over about a second, NaN across gaps."""
    before = np.searchsorted(t_s, t_s - over_s).clip(0, len(t_s) - 1)
    after = np.searchsorted(t_s, t_s + over_s).clip(0, len(t_s) - 1)
    lasts = t_s[after] - t_s[before]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((lasts > 0) & (lasts < 6 * over_s), (value[after] - value[before]) / lasts, np.nan)
