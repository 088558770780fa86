"""A drone's video without tracks: its things detected and followed, its camera's motion kept for the log's sake."""

from dataclasses import dataclass

from sightline.executors.local import Stopped, Tell
from sightline.model.frame import Moment
from sightline.model.tracks import Tracks
from sightline.pipeline.track import Gathered, track
from sightline.ports import Detector, Source, Stabilizer, Tracker
from sightline.trackers.offline import refined

STEP = "tracking"
"""Under which name progress is told."""


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """What came of watching a drone's video."""

    tracks: Tracks
    """What was followed, pieces joined and gaps filled."""
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
    return Watched(refined(gathered.all()), tuple(moments), n_found, complete)
