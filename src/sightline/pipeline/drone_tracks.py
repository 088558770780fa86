"""A drone's video without tracks: its things detected and followed, its camera's motion kept for the log's sake."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sightline.executors.local import Stopped, Tell
from sightline.geometry.boxes import areas
from sightline.model.frame import Moment
from sightline.model.tracks import Tracks
from sightline.pipeline.track import Gathered, track
from sightline.ports import Detector, Source, Stabilizer, Tracker
from sightline.trackers.offline import refined

STEP = "tracking"
"""Under which name progress is told."""
NAMELESS = ("object",)
"""Classes of detectors that do not tell one thing from another."""
_SIZES, _LEAST_S, _FAR_PX = 2.0, 1.0, 1e5


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """What came of watching a drone's video."""

    tracks: Tracks
    """What was followed, pieces joined and gaps filled; of what has no name, only what moved over the ground."""
    moments: tuple[Moment, ...]
    """All pictures, each with how its camera moved since the one before: what ``locators.syncing`` asks for."""
    n_found: int
    """Boxes that the detector gave."""
    complete: bool
    """False when stopped before the end."""


def tracked(
    source: Source, detector: Detector, tracker: Tracker, stabilizer: Stabilizer, *, tell: Tell, stopped: Stopped
) -> Watched:
    """Everything in the video that the detector knows, followed; the stabilizer tells both what the camera did.

    When ``stopped`` turns true, what was seen so far is given.

    Raises:
        SightlineError: the video cannot be read, or an engine failed.
    """
    about = source.about()
    gathered, moments, n_found, complete = Gathered(about.name), [], 0, True
    for sight in track(source, detector, tracker, stabilizer):
        gathered.add(sight.tracks)
        moments.append(sight.frame.moment)
        n_found += len(sight.found)
        tell(STEP, len(moments), about.n_frames)
        if stopped():
            complete = False
            break
    tracks = refined(gathered.all())
    if tracks.classes == NAMELESS:
        tracks = movers(tracks, moments)
    return Watched(tracks, tuple(moments), n_found, complete)


def movers(tracks: Tracks, moments: Sequence[Moment]) -> Tracks:
    """The tracks that last a second and get on by twice their size over the ground, numbered anew from 1.

    Roofs and trees slide a little as the camera passes them; nothing else tells them from things that move, to a
    detector that does not know what things are. ``moments`` are those of all pictures, with the camera's motion.
    """
    if not len(tracks):
        return tracks
    first_from_now = np.array([np.eye(3)] * len(moments))
    for k in range(1, len(moments)):
        now_from_before = moments[k].px_from_before
        back = np.eye(3) if now_from_before is None else np.linalg.inv(now_from_before)
        first_from_now[k] = first_from_now[k - 1] @ back
        first_from_now[k] /= first_from_now[k, 2, 2]
    picture = np.searchsorted([moment.index for moment in moments], tracks.frame_index)
    number, start, which = np.unique(tracks.number, return_index=True, return_inverse=True)
    begin_from_now = np.linalg.inv(first_from_now[picture[start]])[which] @ first_from_now[picture]
    box = tracks.xyxy_px
    foot = np.column_stack([(box[:, 0] + box[:, 2]) / 2, box[:, 3], np.ones(len(box))])
    there = np.einsum("nij,nj->ni", begin_from_now, foot)
    xy = there[:, :2] / np.where(there[:, 2:] > 0.1, there[:, 2:], np.nan)
    low, high = np.full((len(number), 3), np.inf), np.full((len(number), 3), -np.inf)
    rows = np.nan_to_num(np.column_stack([xy, tracks.t_s]), nan=_FAR_PX)  # behind the horizon of then: far away
    np.minimum.at(low, which, rows)
    np.maximum.at(high, which, rows)
    size = np.sqrt(np.bincount(which, areas(box)) / np.bincount(which))
    on = (np.hypot(*(high - low)[:, :2].T) > _SIZES * size) & ((high - low)[:, 2] >= _LEAST_S)
    kept = tracks.rows(on[which])
    renumbered = np.cumsum(on)[np.searchsorted(number, kept.number)]
    return replace(kept, number=renumbered, extra=dict(kept.extra))
