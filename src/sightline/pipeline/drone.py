"""The recipe for a flying camera: its log and the tracks of its video become places on earth."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Int

from sightline.errors import FormatError
from sightline.estimation.constant_velocity import Noise
from sightline.estimation.lag import Match
from sightline.flight_logs.recordings import Alignment, aligned
from sightline.formats.elevation import Elevations
from sightline.geodesy.terrain import Terrain, terrain_about
from sightline.locators.depth import Agreement, agreement
from sightline.locators.doubts import CONSUMER, Doubts
from sightline.locators.eyes import Eyes, origin_of
from sightline.locators.ground import Anchor, Ground
from sightline.locators.pointing import Pointing, Rule, pointing
from sightline.locators.state import DOCUMENTED, followed, noise_of
from sightline.model.flight import Flight
from sightline.model.lens import Lens
from sightline.model.positions import Positions
from sightline.model.tracks import UNTRACKED, Tracks

Column = Float[np.ndarray, " n"]
_REACH_M, _STEP_M = 2000.0, 10.0
"""Of the ground about the take-off that is cut out of an elevation model."""
_MANY = 40
"""Rows that a pitch of 0 must last for, to be one that nobody recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """What the video says of itself; None where it does not."""

    width: int
    """Pixels across."""
    height: int
    """Pixels down."""
    duration_s: float | None = None
    """How long it lasts."""
    created_utc_ns: int | None = None
    """When it was made, nanoseconds since 1970."""
    place_deg: tuple[float, float] | None = None
    """Latitude and longitude noted in it."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Wishes:
    """What a caller may say of how places are found."""

    recording: int | None = None
    """Which recording of the log the video is, from 1; None: it is found out."""
    time_offset_s: float = 0.0
    """To be added to the video's seconds on top."""
    rule: Rule = field(default_factory=Rule)
    """Which way the camera looked."""
    anchor: Anchor = "base"
    """Which point of a box stands on the ground."""
    ground_m: float = 0.0
    """Height of level ground above the take-off, metres."""
    elevations: Elevations | None = None
    """The ground's shape instead."""
    ground_sea_m: float | None = None
    """Height of the take-off above the sea, for logs with heights above the sea only."""
    doubts: Doubts = CONSUMER
    """How wrong everything may be."""
    noise: Noise | None = DOCUMENTED
    """Of the filter; None: learnt from the paths."""
    smooth: bool = True
    """Whether each row knows the whole path of its track, or its past only."""


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """A flying camera whose place and direction are known at any time of its video."""

    flight: Flight
    """The log."""
    lens: Lens
    """The camera's."""
    looks: Pointing
    """Which way it looked, row by row of the log."""
    alignment: Alignment
    """Where the video lies in the log."""
    ground: Ground
    """Places of what it saw."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know, besides what the log itself warns of."""
        return (*self.alignment.warnings, *self.looks.warnings)


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Places of tracks, one row for each of theirs."""

    positions: Positions
    """Filtered places and speeds; NaN where there is none."""
    depth_m: Column
    """How far in front of the lens each thing stood, along its axis, as seen in that picture; NaN: no place."""
    noise: Noise
    """What the filter took."""
    unplaced: Mapping[str, int]
    """Why rows have no place, and how many."""
    agreed: Agreement | None = None
    """How far places by depth and by rays to the ground are apart; None: there was no depth."""


def aimed(flight: Flight, clip: Clip, lens: Lens, wishes: Wishes = Wishes()) -> Aim:
    """Which way the camera looked, from where, and when, with what was wished for.

    Raises:
        FormatError: the log has no places or heights, or it cannot be told where the video lies in it.
        OptionError: the log lacks angles that were not given, or a wish cannot be granted.
    """
    flight = _gimbal_known(flight)
    looks = pointing(flight, wishes.rule)
    alignment = aligned(
        flight,
        clip.duration_s,
        recording=wishes.recording,
        created_utc_ns=clip.created_utc_ns,
        place_deg=clip.place_deg,
        time_offset_s=wishes.time_offset_s,
    )
    ground = Ground(
        flight=flight,
        pointing=looks,
        lens=lens,
        log_from_video_s=alignment.log_from_video_s,
        ground=_shape(flight, wishes),
        anchor=wishes.anchor,
        doubts=wishes.doubts,
        ground_sea_m=wishes.ground_sea_m,
    )
    return Aim(flight, lens, looks, alignment, ground)


def later(wishes: Wishes, match: Match) -> tuple[Wishes, str]:
    """The wishes with the offset that pictures and log agree on, and what to say of it.

    One that is not sure is left out: cameras that move evenly look the same at any time.
    """
    found = f"{match.offset_s:+.2f} s, likeness {match.likeness:.2f}, good to {match.sd_s:.2f} s"
    if not match.is_sure:
        why = "the camera's motion fits at many times or at none" if np.isfinite(match.offset_s) else "it kept still"
        return wishes, f"time_offset auto: not sure ({why}); the log's own times are used, look at the result"
    offset_s = wishes.time_offset_s + match.offset_s
    doubts = replace(wishes.doubts, time_s=max(match.sd_s, 0.02))
    return replace(wishes, time_offset_s=offset_s, doubts=doubts), f"time_offset auto: {found}"


def placed(aim: Aim, tracks: Tracks, wishes: Wishes = Wishes(), by_depth: Positions | None = None) -> Placed:
    """Where each row of the tracks stood, filtered, with its speed. Rows of no track keep the place of their look.

    ``by_depth`` are places of the same rows that depth maps told; they go before those of rays to the ground.

    Raises:
        FormatError: none of the rows can be placed; says why.
    """
    over_ground = aim.ground.locate(tracks)
    looks = over_ground if by_depth is None else _first_of(by_depth, over_ground)
    moments, row = np.unique(tracks.t_s, return_inverse=True)
    seen = aim.ground.eyes(moments)
    unplaced = _reasons(looks, tracks, seen, row)
    if len(tracks) and not looks.is_known.any():
        raise FormatError(f"nothing can be placed: {told(unplaced)}")
    noise = wishes.noise or noise_of(looks)
    away = looks.xyz_enu_m - seen.eye_enu_m[row]
    depth = np.einsum("ni,ni->n", seen.enu_from_cam[:, :, 2][row], away)
    agreed = None if by_depth is None else agreement(by_depth, over_ground)
    return Placed(_filtered(looks, noise, smooth=wishes.smooth), depth, noise, unplaced, agreed)


def _first_of(one: Positions, other: Positions) -> Positions:
    """The rows of one, and of the other where that has no place."""
    mine = one.is_known
    xyz = np.where(mine[:, None], one.xyz_enu_m, other.xyz_enu_m)
    cov = np.where(mine[:, None, None], one.cov_enu_m2, other.cov_enu_m2)
    return replace(other, xyz_enu_m=xyz, cov_enu_m2=cov)


def told(unplaced: Mapping[str, int]) -> str:
    """The reasons in words."""
    return "; ".join(f"{n} rows: {why}" for why, n in unplaced.items())


def aircraft(aim: Aim, frame_index: Int[np.ndarray, " n"], t_s: Column) -> Positions:
    """The aircraft itself at these moments of the video, as track 0; its speed is that of its places."""
    seen, n = aim.ground.eyes(t_s), len(t_s)
    unknown = np.full((n, 3, 3), np.nan)
    return Positions(
        origin=aim.ground.origin,
        frame_index=frame_index,
        t_s=t_s,
        number=np.zeros(n, np.int64),
        xyz_enu_m=seen.eye_enu_m,
        cov_enu_m2=unknown,
        velocity_enu_mps=seen.velocity_enu_mps,
        cov_velocity_m2ps2=unknown,
    )


def _filtered(looks: Positions, noise: Noise, *, smooth: bool) -> Positions:
    """Filtered by track; a row of no track is a track of its own, whose speed nobody knows."""
    alone = np.flatnonzero(looks.number == UNTRACKED)
    if not len(alone):
        return followed(looks, noise, smooth=smooth)
    number = looks.number.copy()
    number[alone] = -1 - np.arange(len(alone))
    found = followed(replace(looks, number=number), noise, smooth=smooth)
    velocity = found.velocity_enu_mps.copy()
    velocity[alone] = np.nan
    return replace(found, number=looks.number, velocity_enu_mps=velocity)


def _reasons(looks: Positions, tracks: Tracks, seen: Eyes, row: Int[np.ndarray, " n"]) -> dict[str, int]:
    """Why rows have no place."""
    lost = ~looks.is_known
    boxless = lost & ~np.isfinite(tracks.xyxy_px).all(axis=1)
    timeless = lost & ~boxless & ~np.isfinite(tracks.t_s)
    blind = ~np.isfinite(seen.eye_enu_m).all(axis=1) | ~np.isfinite(seen.enu_from_cam).all(axis=(1, 2))
    silent = lost & ~boxless & ~timeless & blind[row]
    flat = lost & ~boxless & ~timeless & ~silent
    counts = {
        "the box is not known": boxless,
        "the time is not known": timeless,
        "the log is silent at that time (a gap, no fix, or before its first or after its last row)": silent,
        "seen at or above the horizon, too flat, or beyond the known ground": flat,
    }
    return {why: int(which.sum()) for why, which in counts.items() if which.any()}


def _shape(flight: Flight, wishes: Wishes) -> float | Terrain:
    """The ground."""
    if wishes.elevations is None:
        return wishes.ground_m
    origin, model = origin_of(flight), wishes.elevations
    first = int(np.flatnonzero(flight.has_place)[0])
    takeoff = (flight.lat_deg[first], flight.lon_deg[first])
    if flight.home is not None and origin.name == "home":
        takeoff = (flight.home.lat_deg, flight.home.lon_deg)
    found = terrain_about(
        origin,
        (float(takeoff[0]), float(takeoff[1])),
        model.lat_deg,
        model.lon_deg,
        model.height_m,
        reach_m=_REACH_M,
        step_m=_STEP_M,
    )
    if not np.isfinite(found.up_m).any():
        raise FormatError(
            f"the elevation model does not hold the take-off ({takeoff[0]:.5f}, {takeoff[1]:.5f}); "
            f"it is from {model.lat_deg[0]:.4f}, {model.lon_deg[0]:.4f} to {model.lat_deg[-1]:.4f}, "
            f"{model.lon_deg[-1]:.4f}"
        )
    return found


def _gimbal_known(flight: Flight) -> Flight:
    """A gimbal whose pitch is exactly 0 in every row was not recorded."""
    pitch = flight.gimbal.pitch_rad
    if len(flight) < _MANY or not np.isfinite(pitch).any() or np.nan_to_num(pitch).any():
        return flight
    unknown = replace(flight.gimbal, pitch_rad=np.full(len(flight), np.nan))
    said = "the gimbal's pitch is 0 in every row, so it was not recorded"
    return replace(flight, gimbal=unknown, warnings=(*flight.warnings, said))
