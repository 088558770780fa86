"""Which way the camera really looked: a log's angles, with what they are known to get wrong put right.

A gimbal's yaw is often off from north by a constant, the same for minutes; the aircraft's own heading is not.
In a mode that follows the aircraft the constant shows as the middle difference of the two, and is taken out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from sightline.errors import OptionError
from sightline.geodesy.attitude import circular_median, wrapped
from sightline.geodesy.magnetic import declination_deg
from sightline.model.arrays import readonly
from sightline.model.flight import Flight, GimbalMode

Column = Float[np.ndarray, " n"]
YawSource = Literal["auto", "gimbal", "aircraft", "sum"]
_WINDOW_S, _KNOT_S, _FEWEST = 60.0, 10.0, 20
_STEADY_RAD = np.deg2rad(5.0)
"""A gimbal that strays further from its aircraft does not follow it."""
_TOLD_RAD = np.deg2rad(5.0)
"""A constant that is worth a warning."""
_AIRBORNE_M, _FLYING_MPS = 2.0, 1.0


@dataclass(frozen=True, slots=True)
class Rule:
    """What a caller may say of the camera's angles. Degrees, as callers give them."""

    yaw_source: YawSource = "auto"
    """``auto``: the gimbal's without its constant, or the aircraft's; else just that, or both added."""
    add_drone_yaw: bool = False
    """As ``yaw_source`` sum: aircraft and gimbal added, but in modes that do not follow the gimbal alone."""
    use_osd_yaw: bool = False
    """As ``yaw_source`` aircraft; goes before ``add_drone_yaw``."""
    yaw_offset_deg: float = 0.0
    """Added to whichever it is."""
    magnetic_declination: float | Literal["auto"] = 0.0
    """Added too, east positive: for logs whose north is magnetic; ``auto`` asks the world magnetic model."""
    yaw_deg: float | None = None
    """Of the camera, where the log has none."""
    pitch_deg: float | None = None
    """Of the camera, where the log has none."""

    @property
    def source(self) -> YawSource:
        """What the three settings come to."""
        if self.use_osd_yaw:
            return "aircraft"
        return "sum" if self.add_drone_yaw else self.yaw_source


@dataclass(frozen=True, slots=True, eq=False)
class Pointing:
    """Where the camera looked in each row of a log; NaN where that is not known."""

    yaw_rad: Column
    """Clockwise from true north, unwrapped: neighbouring rows differ by what it turned."""
    pitch_rad: Column
    """Up from the horizon."""
    roll_rad: Column
    """Clockwise."""
    source: str
    """What the yaw was taken from."""
    constant_rad: float
    """What the gimbal's yaw is off from the aircraft's by, the middle of all rows; NaN: cannot be told."""
    spread_rad: float
    """How far it strays from that; NaN: cannot be told."""
    warnings: tuple[str, ...] = ()
    """What a reader must know."""

    def __post_init__(self) -> None:
        for name in ("yaw_rad", "pitch_rad", "roll_rad"):
            object.__setattr__(self, name, readonly(getattr(self, name)))


def pointing(flight: Flight, rule: Rule = Rule()) -> Pointing:
    """The camera's angles in every row of the log.

    Raises:
        OptionError: the log has no yaw or no pitch and none was given, or the declination cannot be told.
    """
    constant, spread = _constant(flight)
    middle = circular_median(constant[np.isfinite(constant)])
    yaw, source, said = _yaw(flight, rule, constant, spread)
    if source == "gimbal" and rule.source == "gimbal" and abs(middle) > _TOLD_RAD:
        said.append(_off(middle) + "; places will be turned by that about the drone: use yaw_source auto")
    pitch, roll = flight.gimbal.pitch_rad, flight.gimbal.roll_rad
    if not np.isfinite(pitch).any():
        if rule.pitch_deg is None:
            raise OptionError("the log has no pitch of the camera; give pitch_deg (straight down is -90)")
        pitch = np.full(len(flight), np.deg2rad(rule.pitch_deg))
    if not np.isfinite(roll).any():
        said.append("the log has no roll of the camera; taken as level")
        roll = np.zeros(len(flight))
    fpv = flight.gimbal_mode == GimbalMode.FPV
    roll = np.where(fpv, roll + np.nan_to_num(flight.aircraft.roll_rad), roll)
    turn = np.deg2rad(rule.yaw_offset_deg + _declination_deg(flight, rule))
    return Pointing(_unwrapped(yaw + turn), pitch, roll, source, middle, spread, tuple(said))


def _yaw(flight: Flight, rule: Rule, constant: Column, spread: float) -> tuple[Column, str, list[str]]:
    """The camera's yaw, what it was taken from, and what is to be said."""
    gimbal, aircraft = flight.gimbal.yaw_rad, flight.aircraft.yaw_rad
    has_gimbal, has_aircraft = np.isfinite(gimbal).any(), np.isfinite(aircraft).any()
    free = flight.gimbal_mode == GimbalMode.FREE
    wanted = rule.source
    if wanted == "auto":
        return _auto(flight, rule, constant, spread)
    if (not has_gimbal and wanted != "aircraft") or (not has_aircraft and wanted != "gimbal"):
        raise OptionError(f"yaw_source {wanted!r}: the log does not have that yaw; use auto, or give yaw_deg")
    if wanted == "aircraft":
        return aircraft, "aircraft", []
    return (gimbal, "gimbal", []) if wanted == "gimbal" else (gimbal + np.where(free, 0.0, aircraft), "sum", [])


def _auto(flight: Flight, rule: Rule, constant: Column, spread: float) -> tuple[Column, str, list[str]]:
    """The gimbal's yaw without its constant where it follows the aircraft, else the aircraft's; or what was given."""
    gimbal, aircraft = flight.gimbal.yaw_rad, flight.aircraft.yaw_rad
    has_gimbal, has_aircraft = np.isfinite(gimbal).any(), np.isfinite(aircraft).any()
    if has_gimbal and np.isfinite(spread) and spread < _STEADY_RAD:
        middle = circular_median(constant)
        said = [_off(middle) + "; taken out"] if abs(middle) > _TOLD_RAD else []
        return gimbal - constant, "gimbal, its constant taken out", said
    follows = ~(flight.gimbal_mode == GimbalMode.FREE).any()
    if has_aircraft and (follows or not has_gimbal):
        why = "the log has no yaw of the gimbal"
        if has_gimbal:
            why = "the gimbal's yaw does not go with the aircraft's"
            why += f" (it strays by {np.rad2deg(spread):.0f} degrees)" if np.isfinite(spread) else " in enough rows"
        return aircraft, "aircraft", [f"{why}; the aircraft's is used, which is wrong if the camera was turned aside"]
    if has_gimbal:
        return gimbal, "gimbal", ["the gimbal's yaw cannot be held against the aircraft's; a constant may be in it"]
    if rule.yaw_deg is None:
        raise OptionError("the log has no yaw, neither of the camera nor of the aircraft; give yaw_deg")
    return np.full(len(flight), np.deg2rad(rule.yaw_deg)), "given", []


def _off(middle: float) -> str:
    """The constant, in words."""
    return f"the gimbal's yaw is {np.rad2deg(middle):+.1f} degrees off the aircraft's"


def _constant(flight: Flight) -> tuple[Column, float]:
    """What the gimbal's yaw is off by in each row, from the rows within half a minute; and how far it strays from it.

    Rows on the ground do not count: there, gimbals and compasses are still waking up.
    """
    off = wrapped(flight.gimbal.yaw_rad - flight.aircraft.yaw_rad)
    counts = np.isfinite(off) & (flight.gimbal_mode != GimbalMode.FREE) & _airborne(flight)
    nothing = np.full(len(flight), np.nan)
    if counts.sum() < _FEWEST:
        return nothing, float("nan")
    t_s, off = flight.t_s[counts], off[counts]
    knots = np.arange(t_s[0], t_s[-1] + _KNOT_S, _KNOT_S)
    first, after = np.searchsorted(t_s, knots - _WINDOW_S / 2), np.searchsorted(t_s, knots + _WINDOW_S / 2)
    middles = np.array([_steady_middle(off[a:b]) for a, b in zip(first, after, strict=True)])
    known = np.isfinite(middles)
    if not known.any():
        return nothing, float("nan")
    middles = np.unwrap(middles[known])
    constant = np.interp(flight.t_s, knots[known], middles)
    strays = np.abs(wrapped(off - np.interp(t_s, knots[known], middles)))
    return constant, 1.4826 * float(np.median(strays))


def _steady_middle(off: Column) -> float:
    """The middle of some rows' differences; NaN of too few, and of those that agree on none."""
    if len(off) < _FEWEST:
        return float("nan")
    middle = circular_median(off)
    strays = 1.4826 * float(np.median(np.abs(wrapped(off - middle))))
    return middle if strays < _STEADY_RAD else float("nan")


def _airborne(flight: Flight) -> Bool[np.ndarray, " n"]:
    """Rows in the air, as far as height and speed tell; all where neither is known."""
    height, speed = flight.height_takeoff_m, np.hypot(*flight.velocity_enu_mps[:, :2].T)
    if not (np.isfinite(height).any() or np.isfinite(speed).any()):
        return np.ones(len(flight), bool)
    with np.errstate(invalid="ignore"):
        return (height > _AIRBORNE_M) | (speed > _FLYING_MPS)


def _declination_deg(flight: Flight, rule: Rule) -> float:
    """Degrees to be added.

    Raises:
        OptionError: ``auto``, and the log has no date or no place, or no model holds for that year.
    """
    if rule.magnetic_declination != "auto":
        return rule.magnetic_declination
    known = np.flatnonzero(flight.has_place)
    if flight.utc_ns is None or not len(known):
        raise OptionError("magnetic_declination 'auto' needs the log's date and place; give it in degrees, or timezone")
    row = int(known[len(known) // 2])
    when = datetime.fromtimestamp(flight.utc_ns / 1e9, UTC)
    year = when.year + (when.timetuple().tm_yday - 1) / 365.25
    height = float(np.nan_to_num(flight.height_sea_m[row]))
    return declination_deg(float(flight.lat_deg[row]), float(flight.lon_deg[row]), height, year)


def _unwrapped(yaw_rad: Column) -> Column:
    """The same without jumps, so that rows can be interpolated; NaN stays."""
    known = np.isfinite(yaw_rad)
    out = yaw_rad.copy()
    out[known] = np.unwrap(yaw_rad[known])
    return out
