"""The recordings of a task with everybody in a box, under one number in all cameras."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sightline.errors import OptionError
from sightline.executors.local import Stopped, Tell
from sightline.fetching import Policy
from sightline.formats.annotated_video import AnnotatedVideo
from sightline.formats.privacy import Privacy
from sightline.jobs.footage import is_live
from sightline.jobs.history.answers import Answers
from sightline.jobs.history.story import Chronicle, Seen
from sightline.jobs.sites.bringing import brought, opened
from sightline.model.detections import Detections
from sightline.model.frame import Frame, Moment
from sightline.model.site import Site
from sightline.model.tracks import UNTRACKED, Tracks
from sightline.pipeline.site import Post, in_step
from sightline.pipeline.track import Sight
from sightline.ports import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """What to draw."""

    camera: str
    """Whose recordings."""
    folder: Path
    """Where recordings that are elsewhere are brought to."""
    policy: Policy
    """Which addresses may be opened."""
    privacy: Privacy = "none"
    """What is covered of everybody who was found."""


def overlaid(chronicle: Chronicle, answers: Answers, asked: Overlay, path: Path, tell: Tell, stopped: Stopped) -> int:
    """Writes an annotated video of one camera of the story's one task, and returns how many pictures it has.

    Raises:
        OptionError: the site or its cameras are not known any more, or the camera is a stream.
        SourceError: the recordings cannot be read.
        OSError: the file cannot be written.
    """
    site, task = answers.site, answers.story.tasks[0]
    if site is None or asked.camera not in {watch.id for watch in site.watches}:
        raise OptionError(f"camera {asked.camera!r}: site {task.site!r} has none of that id (any more)")
    if task.fps is None:
        raise OptionError("nobody was seen in this task: there is nothing to draw")
    low_s, high_s = answers.story.spans_s[0]
    boxes, count = _Boxes(answers, chronicle.seen(answers.story, 0), asked.camera), 0
    total = round((min(high_s, task.ends_s) - max(low_s, 0.0)) * task.fps) or None
    with AnnotatedVideo(path, privacy=asked.privacy) as video:
        for moment, frame in _pictures(site, task.fps, task.firsts, asked, tell, stopped):
            if stopped() or moment / task.fps >= high_s:
                break
            if moment / task.fps >= low_s:
                video.add(frame, boxes.at(moment))
                count += 1
                tell(f"drawing {asked.camera}", count, total)
    if not count:
        raise OptionError(f"camera {asked.camera!r} has no pictures in the time asked for")
    return count


def _pictures(
    site: Site, fps: float, firsts: tuple[int, ...], asked: Overlay, tell: Tell, stopped: Stopped
) -> Iterator[tuple[int, Frame]]:
    """All pictures of a camera, each with the moment at which it was looked at."""
    watch = next(one for one in site.watches if one.id == asked.camera)
    alone, last = Site(site.id, site.name, site.map, (watch,)), -1
    for number, first in enumerate(firsts[: len(watch.videos)], start=1):
        videos, missing = brought(alone, number, asked.folder / str(number), asked.policy, tell, stopped)
        if any(is_live(address) for address in videos.values()):
            raise OptionError(f"camera {watch.id!r} is a stream: its pictures were not kept")
        with opened(videos, missing, fps, asked.policy) as (sources, _):
            post = Post(watch.id, _sights(sources[watch.id]), watch.offset_s)
            for instant in in_step([post], fps):
                moment = first + instant.index
                if moment > last:
                    last = moment
                    yield moment, Frame(Moment(watch.id, moment, moment / fps), instant.sights[watch.id].frame.rgb)


def _sights(source: Source) -> Iterator[Sight]:
    """Pictures in which nobody is looked for."""
    for frame in source.frames():
        yield Sight(frame, Detections.none(), Tracks.none(frame.moment.camera))


class _Boxes:
    """The boxes of one camera, moment by moment; asked for in the order of time."""

    def __init__(self, answers: Answers, seen: Iterator[Seen], camera: str) -> None:
        self._seen, self._camera = seen, camera
        none = np.zeros(0, np.int64)
        self._moment, self._person, self._xyxy_px, self._score = none, none, np.zeros((0, 4)), np.zeros(0)
        named = [answers.story.people.names.get(one, "") for one in answers.story.people.ids]
        self._names = ("", *dict.fromkeys(name for name in named if name))
        self._label = np.array([self._names.index(name) for name in [*named, ""]], np.int64)
        self._number = np.append(np.arange(1, len(named) + 1), UNTRACKED)  # the last is nobody's: -1 finds it

    def _read_until(self, moment: int) -> None:
        """Has all boxes until the end of a moment, and forgets those before it."""
        while not len(self._moment) or self._moment[-1] <= moment:
            seen = next(self._seen, None)
            if seen is None:
                return
            mine, left = np.flatnonzero(seen.columns["camera"] == self._camera), self._moment >= moment
            boxes = np.column_stack([seen.columns[name][mine] for name in ("x1_px", "y1_px", "x2_px", "y2_px")])
            self._moment = np.append(self._moment[left], seen.columns["moment"][mine])
            self._person = np.append(self._person[left], seen.person[mine])
            self._xyxy_px = np.concatenate([self._xyxy_px[left], boxes])
            self._score = np.append(self._score[left], seen.columns["score"][mine])

    def at(self, moment: int) -> Tracks:
        """Everybody at one moment."""
        self._read_until(moment)
        rows = slice(*np.searchsorted(self._moment, [moment, moment + 1]).tolist())
        person = self._person[rows]
        n = len(person)
        return Tracks(
            self._camera,
            np.full(n, moment),
            np.full(n, np.nan),
            self._number[person],
            self._xyxy_px[rows],
            self._score[rows],
            self._label[person],
            np.arange(n),
            self._names,
        )
