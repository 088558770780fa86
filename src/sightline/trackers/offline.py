"""The second look at recorded video: pieces joined, gaps filled, boxes smoothed, with both past and future known."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from sightline.errors import OptionError
from sightline.estimation.kalman import Belief, Motion, measured_from_xyxy, xyxy_from_measured
from sightline.estimation.smoothing import filtered, smoothed
from sightline.model.tracks import UNTRACKED, Tracks
from sightline.trackers.linking import linked
from sightline.trackers.paths import Paths, runs
from sightline.trackers.sway import Sway

_ROUNDS = 2
"""Times that pieces are joined; a joined piece has better known ends."""


def refined(tracks: Tracks, *, link_s: float = 4.0, fill_s: float = 4.0, smooth: bool = True) -> Tracks:
    """The same things, followed through what hid them.

    Tracks that are likely pieces of one (a gap of at most ``link_s`` seconds, see ``linking``) become one.
    Gaps of at most ``fill_s`` seconds are filled along the smoothest path; 0 fills none. With ``smooth`` the boxes
    are what the whole track makes of them, else they stay as detected. Filled rows have ``detection`` -1, the lower
    score of the two sightings round the gap, and label and extra columns of the sighting before it.
    Numbers count from 1 without gaps, by first appearance; rows are sorted by picture, then number.
    Rows that belong to no track are left out.

    Pictures are those in which anything was tracked; in between they are taken to go on at the same rate.
    Work grows with the longest track and with the number of rows: some seconds for a hundred thousand.

    Raises:
        ValueError: the rows have no times.
        OptionError: a time limit is negative.
    """
    if not np.isfinite(tracks.t_s).all():
        raise ValueError("tracks without times cannot be refined; give t_s, say frame_index / frames per second")
    if not (link_s >= 0 and fill_s >= 0):
        raise OptionError(f"link_s = {link_s} and fill_s = {fill_s} are seconds; neither can be negative")
    kept = tracks.rows(tracks.number != UNTRACKED)
    if not len(kept):
        return kept
    paths = Paths.of(kept, kept.number)
    sway = Sway.of(paths)
    paths = Paths.of(sway.added(paths.rows, -1.0), paths.rows.number)
    for _ in range(_ROUNDS if link_s else 0):
        paths = Paths.of(paths.rows, paths.spread(linked(paths, link_s)))
    belief = _hindsight(paths)
    seen_px = xyxy_from_measured(belief[0]) if smooth else paths.rows.xyxy_px
    seen = replace(paths.rows, number=paths.spread(np.arange(len(paths))), xyxy_px=seen_px)
    return _numbered(sway.added(Tracks.joined(kept.camera, [seen, _fillings(seen, belief, fill_s)]), 1.0))


def _hindsight(paths: Paths) -> Belief:
    """What is believed at each row, given the whole path."""
    measured, motion = measured_from_xyxy(paths.rows.xyxy_px), Motion()
    belief = filtered(measured, paths.rows.t_s, paths.first, motion)
    return smoothed(belief, paths.rows.t_s, paths.first, motion)


def _fillings(seen: Tracks, belief: Belief, fill_s: float) -> Tracks:
    """Rows for the pictures between two sightings of a track."""
    frame_index, t_s = _pictures(seen.frame_index, seen.t_s)
    place = np.searchsorted(frame_index, seen.frame_index)
    gap = (np.diff(seen.number) == 0) & (np.diff(place) > 1) & (np.diff(seen.t_s) <= fill_s)
    before = np.flatnonzero(gap)
    which, picture = runs(place[before] + 1, place[before + 1] - place[before] - 1)
    row = before[which]
    return replace(
        seen.rows(row),
        frame_index=frame_index[picture], t_s=t_s[picture],
        xyxy_px=_between(seen, belief, row, t_s[picture]),
        score=np.minimum(seen.score[row], seen.score[row + 1]),
        detection=np.full(len(row), UNTRACKED),
    )  # fmt: skip


def _between(
    seen: Tracks, belief: Belief, row: Int[np.ndarray, " k"], t_s: Float[np.ndarray, " k"]
) -> Float[np.ndarray, "k 4"]:
    """Boxes on the cubic from one row to the next that has the believed speed at both.

    That is the likeliest path of something whose speed is a random walk (a cubic Hermite spline).
    """
    ends = measured_from_xyxy(seen.xyxy_px)
    span_s = (seen.t_s[row + 1] - seen.t_s[row])[:, None]
    u = (t_s - seen.t_s[row])[:, None] / span_s
    left, right = ends[row], ends[row + 1]
    go, come = belief[1, row] * span_s, belief[1, row + 1] * span_s
    curve = u * (1 - u) * ((1 - u) * (go - (right - left)) - u * (come - (right - left)))
    return xyxy_from_measured(left + u * (right - left) + curve)


def _pictures(
    frame_index: Int[np.ndarray, " n"], t_s: Float[np.ndarray, " n"]
) -> tuple[Int[np.ndarray, " f"], Float[np.ndarray, " f"]]:
    """Index and time of all pictures from first to last; those without tracks are put in at the usual distance."""
    known, first = np.unique(frame_index, return_index=True)
    known_s = t_s[first]
    steps = np.diff(known)
    usual = float(np.median(steps)) if len(steps) else 1.0
    count = np.maximum(np.rint(steps / usual).astype(np.int64), 1)
    which, part = runs(np.zeros_like(count), count)
    share = part / count[which]
    index = known[which] + np.rint(share * steps[which]).astype(np.int64)
    times = known_s[which] + share * np.diff(known_s)[which]
    return np.append(index, known[-1]), np.append(times, known_s[-1])


def _numbered(tracks: Tracks) -> Tracks:
    """Counted from 1 by first appearance, sorted by picture and number."""
    tracks = tracks.rows(np.lexsort((tracks.number, tracks.frame_index)))
    _, first, inverse = np.unique(tracks.number, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(1, len(first) + 1)
    tracks = replace(tracks, number=rank[inverse])
    return tracks.rows(np.lexsort((tracks.number, tracks.frame_index)))
