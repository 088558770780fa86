"""Sightings put on common moments, so that cameras which were not triggered together can be compared."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from sightline.model.identities import NOBODY, Sightings

STEP_S = 0.2
"""Cameras that ran faster are looked at this often: a walker goes 0.3 m meanwhile, and errors of boxes last as long."""
LONGEST_GAP_S = 10.0
"""Pauses in which nobody saw anybody are filled with moments up to this length; longer ones are one step."""
AROUND_S = 1.0
"""A track is of one person for so long."""
NO_TRACK = -1


@dataclass(frozen=True, slots=True, eq=False)
class Glances:
    """K looks at some of N sightings; most are not looked at, so that rows for all would be mostly empty."""

    row: Int[np.ndarray, " k"]
    """Whose each is, rising; no sighting twice."""
    look: Float[np.ndarray, "k d"]
    """Appearance as a vector of length one, in single precision."""

    @classmethod
    def of(cls, look: Float[np.ndarray, "n d"]) -> "Glances":
        """Those rows of ``look`` that are known."""
        row = np.flatnonzero(known(look))
        return cls(row, look[row].astype(np.float32))


def known(look: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
    """Which rows are a look."""
    return np.isfinite(look).all(axis=1) if look.shape[1] else np.zeros(len(look), bool)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """N sightings with a place, at one of M moments, at most one by each track of a camera; sorted by moment."""

    t_s: Float[np.ndarray, " m"]
    """When each moment was."""
    moment: Int[np.ndarray, " n"]
    """Which moment a sighting belongs to."""
    camera: Int[np.ndarray, " n"]
    """Which camera."""
    tracklet: Int[np.ndarray, " n"]
    """Which track of which camera, counted from 0 over all of them; -1: a bare detection."""
    xy_m: Float[np.ndarray, "n 2"]
    """Where, east and north of the middle of everything."""
    cov_m2: Float[np.ndarray, "n 2 2"]
    """How well that is known."""
    whole: Bool[np.ndarray, " n"]
    """Whether the box lay inside the picture."""
    glances: Glances
    """What they look like, as far as they were looked at."""
    row: Int[np.ndarray, " n"]
    """Row of the sighting in what was given."""

    def __len__(self) -> int:
        return len(self.moment)

    def begins(self) -> Int[np.ndarray, " b"]:
        """The first sighting of each moment, and one past the last."""
        return np.searchsorted(self.moment, np.arange(len(self.t_s) + 1))


def seen(sightings: Sightings, middle_m: Float[np.ndarray, " 2"], glances: Glances | None = None) -> Seen:
    """The sightings that have a place, by moments: of each camera one picture, of each track in it one sighting.

    ``glances`` are what some of the sightings look like; None: what they say themselves.

    Moments are the times themselves where those are at least ``STEP_S`` apart, else pieces of that length, of which
    each camera's first picture counts.
    """
    usable = np.flatnonzero(np.isfinite(sightings.xy_enu_m).all(axis=1) & np.isfinite(sightings.t_s))
    # Whatever order they came in, the same sightings give the same answer.
    usable = usable[np.lexsort((*sightings.xy_enu_m[usable].T, sightings.t_s[usable]))]
    moment, t_s = _moments(sightings.t_s[usable])
    camera = sightings.camera[usable]
    shown = _first(moment, camera, sightings.t_s[usable])
    usable, moment, camera = usable[shown], moment[shown], camera[shown]
    track = sightings.track[usable]
    tracklet = np.full(len(usable), NO_TRACK)
    followed = track >= 0
    if followed.any():
        keys = np.column_stack([camera, track])[followed]
        tracklet[followed] = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    bare = np.where(followed, 0, np.arange(1, len(usable) + 1))
    _, first = np.unique(np.column_stack([moment, camera, track, bare]), axis=0, return_index=True)
    rows = usable[first]
    return Seen(
        t_s, moment[first], camera[first], tracklet[first],
        sightings.xy_enu_m[rows] - middle_m, np.array(sightings.cov_enu_m2[rows]),
        sightings.whole[rows], _of_rows(glances or Glances.of(sightings.look), rows, len(sightings)), rows,
    )  # fmt: skip


def _of_rows(glances: Glances, rows: Int[np.ndarray, " m"], n: int) -> Glances:
    """The glances at some of ``n`` rows, in their order."""
    place = np.full(n, -1)
    place[glances.row] = np.arange(len(glances.row))
    which = place[rows]
    there = np.flatnonzero(which >= 0)
    return Glances(there, glances.look[which[there]])


def stand_in(
    t_s: Float[np.ndarray, " n"], camera: Int[np.ndarray, " n"], track: Int[np.ndarray, " n"]
) -> Int[np.ndarray, " n"]:
    """By sighting that has a place, the one that ``seen`` looks at in its stead; -1: none.

    That is the one of the same track in the picture of that camera and moment that is looked at, or itself.
    """
    moment = _moments(t_s)[0]
    shown = np.flatnonzero(_first(moment, camera, t_s))[::-1]  # of two in one picture the first stays
    tracks, code = np.unique(track, return_inverse=True)
    key = (moment * (int(camera.max(initial=0)) + 1) + camera) * max(len(tracks), 1) + code.reshape(-1)
    _, which = np.unique(key, return_inverse=True)
    leads = np.full(int(which.max(initial=-1)) + 1, -1)
    leads[which[shown]] = shown
    found = leads[which]
    bare = track < 0
    found[bare] = -1
    found[shown[bare[shown]]] = shown[bare[shown]]
    return found


def looked_at(t_s: Float[np.ndarray, " n"], camera: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Which sightings are in pictures that ``seen`` looks at, of those that have a place; it needs no others."""
    return _first(_moments(t_s)[0], camera, t_s)


def _first(
    moment: Int[np.ndarray, " n"], camera: Int[np.ndarray, " n"], t_s: Float[np.ndarray, " n"]
) -> Bool[np.ndarray, " n"]:
    """Which are of the first picture of their camera in their moment."""
    first_s = np.full((int(moment.max(initial=-1)) + 1, int(camera.max(initial=-1)) + 1), np.inf)
    np.minimum.at(first_s, (moment, camera), t_s)
    return t_s == first_s[moment, camera]


def _moments(t_s: Float[np.ndarray, " n"]) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " m"]]:
    """Which moment each time belongs to, and when the moments are."""
    times, moment = np.unique(t_s, return_inverse=True)
    if len(times) > 1 and np.diff(times).min() < STEP_S:
        pieces, moment = np.unique(np.floor((t_s - times[0]) / STEP_S + 0.5), return_inverse=True)
        times = times[0] + STEP_S * pieces
    place, all_times = _without_gaps(times)
    return place[moment], all_times


def _without_gaps(times_s: Float[np.ndarray, " k"]) -> tuple[Int[np.ndarray, " k"], Float[np.ndarray, " m"]]:
    """The times with those put in at which nobody saw anybody, and where among all of them the first ones are."""
    steps = np.diff(times_s)
    usual = float(np.median(steps)) if len(steps) else 1.0
    count = np.where(steps <= LONGEST_GAP_S, np.maximum(np.rint(steps / usual), 1), 1).astype(np.int64)
    which, part = ranges(np.zeros_like(count), count)
    all_times = np.append(times_s[which] + part / count[which] * steps[which], times_s[-1:])
    return np.append(0, np.cumsum(count)), all_times


def ranges(first: Int[np.ndarray, " k"], count: Int[np.ndarray, " k"]) -> tuple[np.ndarray, np.ndarray]:
    """The numbers ``first[i], first[i] + 1, ...``, ``count[i]`` of them, for every i; and before them each one's i."""
    which = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    return which, first[which] + within


def in_between(
    camera: Int[np.ndarray, " n"],
    track: Int[np.ndarray, " n"],
    all_s: Float[np.ndarray, " n"],
    number: Int[np.ndarray, " n"],
) -> Int[np.ndarray, " n"]:
    """The identities once tracked sightings without one have that of their track up to ``AROUND_S`` before or after.

    ``all_s`` are the times of the sightings. Nobody gets to be twice in one camera at one time by that.
    """
    order = np.lexsort((all_s, track, camera))
    order = order[(track[order] >= 0) & np.isfinite(all_s[order])]
    t_s, known = all_s[order], number[order] != NOBODY
    key = np.column_stack([camera, track])[order]
    place = np.arange(len(order))
    before = np.maximum.accumulate(np.where(known, place, -1))
    after = np.minimum.accumulate(np.where(known, place, len(order))[::-1])[::-1]
    filled, nearest_s = number.copy(), np.full(len(order), AROUND_S)
    for other in (before, after):
        there = (other >= 0) & (other < len(order))
        other = np.where(there, other, 0)  # noqa: PLW2901 - the same places, made safe to look at
        gap_s = np.abs(t_s[other] - t_s) if len(order) else nearest_s
        near = there & ~known & (key[other] == key).all(axis=1) & (gap_s <= nearest_s)
        filled[order[near]] = number[order[other[near]]]
        nearest_s = np.where(near, gap_s, nearest_s)
    mine = np.flatnonzero(filled != NOBODY)
    mine = mine[np.argsort(number[mine] == NOBODY, kind="stable")]
    keys = np.column_stack([camera[mine], all_s[mine], filled[mine]])
    _, first = np.unique(keys, axis=0, return_index=True)
    filled[np.setdiff1d(mine, mine[first])] = NOBODY
    return filled
