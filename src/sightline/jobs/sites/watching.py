"""One part of a site's recordings: all cameras watched in step, everybody placed, named and told of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int

from sightline import wiring
from sightline.embedders.crops import worth
from sightline.geodesy.maps import wgs84_from_map
from sightline.geometry.warp import warped
from sightline.jobs.sites import messages, recalling, rows
from sightline.jobs.sites.recognizing import Memory, Recognizing
from sightline.jobs.sites.reel import Since, starts
from sightline.jobs.sites.telling import Shown
from sightline.locators.homography import Homography
from sightline.model.frame import Frame
from sightline.model.identities import NOBODY, Sightings
from sightline.model.site import Plane, Site, Watch
from sightline.model.tracks import Tracks
from sightline.model.view import View
from sightline.pipeline.site import Instant, Post, in_step
from sightline.pipeline.track import Sight, track
from sightline.ports import Detector, Embedder, Identifier, Source, Tracker

_TRACKS = 1_000_000
"""More than a part has tracks: tracks of different parts must not have one number."""
_LOOK_S = 0.5
"""How often it is looked at somebody."""
_WORTH = 0.25
"""Boxes that tell less than this share of a good one are not looked at."""
_ROUNDED = 1e-3
"""Moments that lengths of videos may be wrong by: they are rounded."""
_COLOUR_THRESHOLD = 0.85
"""Colours alone are alike soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """How to watch."""

    task_id: str
    """Names identities."""
    fps: float = 23.0
    """Moments per second."""
    detector: str = "people_hog"
    """Name of a detector."""
    tracker: str = "botsort"
    """Name of a tracker."""
    identifier: str | None = "gallery"
    """Name of an identifier that decides at once; None: nobody has a name before all is seen."""
    embedder: str | None = "colour"
    """Name of what tells looks; None: only places tell who is who."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By kind of engine, its options."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of the recordings: one video of each camera."""

    number: int
    """Which, from 1."""
    sources: Mapping[str, Source]
    """By camera, what it recorded; cameras without are left out."""
    first: int
    """The moment that it begins with."""
    earlier: Sequence[Path]
    """What was written of the parts before."""
    firsts: Sequence[int] = ()
    """The moments with which the parts before began."""
    memory: Memory | None = None
    """Knows people of an earlier task over the same recordings; None: nobody is known."""
    since: Since | None = None
    """Opens recordings of this part and those before from a moment on; None: nobody can go elsewhere."""


def views_of(site: Site, sizes: Mapping[str, tuple[int, int]]) -> dict[str, View]:
    """How the cameras see the site's ground, in the map's own metres; those that cannot tell are left out.

    ``sizes`` are widths and heights of what they recorded.
    """
    scale = site.map.metres_per_unit
    if scale is None:
        return {}
    return {
        watch.id: View(watch.id, *sizes[watch.id], px_from_map(watch, watch.plane, sizes[watch.id], scale))
        for watch in site.watches
        if watch.plane is not None and watch.id in sizes
    }


def px_from_map(watch: Watch, plane: Plane, size: tuple[int, int], metres_per_unit: float) -> Float[np.ndarray, "3 3"]:
    """Takes metres of the map to pixels of pictures of that size, whatever size the points were clicked in."""
    clicked = watch.size or size
    to_clicked = np.diag([clicked[0] / size[0], clicked[1] / size[1], 1.0])
    metres = np.diag([metres_per_unit, metres_per_unit, 1.0])
    return np.linalg.inv(metres @ plane.map_from_px @ to_clicked)


@dataclass(frozen=True, slots=True, eq=False)
class _Spotted:
    """What one camera sees at one moment, placed."""

    tracks: Tracks
    xy_map: Float[np.ndarray, "n 2"]
    sightings: Sightings


@final
class Lookout:
    """Watches one part of a site's recordings."""

    def __init__(self, site: Site, how: Watching, part: Part) -> None:
        """Opens nothing yet but to see how large the pictures are.

        Raises:
            SightlineError: a source cannot be read, or an engine or option is wrong.
        """
        self._site, self._how, self._part = site, how, part
        self._cameras = tuple(watch.id for watch in site.watches)
        self._watches = {watch.id: watch for watch in site.watches}
        footage = {name: source.about() for name, source in part.sources.items()}
        self._sizes = {name: (about.width, about.height) for name, about in footage.items()}
        self._views = views_of(site, self._sizes)
        self._locators = {name: Homography(view=view) for name, view in self._views.items()}
        self._embedder: Embedder | None = None
        if how.embedder is not None:
            self._embedder = wiring.build("embedder", how.embedder, self._given("embedder"))
        self._looked_s: dict[tuple[str, int], float] = {}
        self._engines: dict[str, tuple[Detector, Tracker]] = {}
        self._identifier: Identifier | None = None
        self._recognizing = Recognizing(None, None)
        self._ends_s = [
            None if about.duration_s is None else about.duration_s + self._watches[name].offset_s
            for name, about in footage.items()
        ]

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of all cameras of the site."""
        return self._cameras

    @property
    def fps(self) -> float:
        """Moments per second."""
        return self._how.fps

    @property
    def views(self) -> Mapping[str, View]:
        """How the cameras see the ground."""
        return self._views

    @property
    def total(self) -> int | None:
        """How many moments the part has, about; None: nobody knows."""
        known_s = [end_s for end_s in self._ends_s if end_s is not None]
        if not known_s or len(known_s) < len(self._ends_s):
            return None
        return max(ceil(max(known_s) * self._how.fps - _ROUNDED), 1)

    def instants(self, start: int) -> Iterator[Instant]:
        """Moments of the part from ``start`` on, counted from its first; only where it may begin elsewhere.

        Those who are followed stay followed, as far as their trackers bear what is passed over.

        Raises:
            SightlineError: an engine or option is wrong; later, that a source breaks off at once.
        """
        if not self._engines:
            self._engines = {name: self._engines_of_one() for name in self._part.sources}
            self._identifier = self._knowing()
            self._recognizing = Recognizing(self._identifier, self._part.memory)
        sources = self._part.sources
        if start > 0 and self._part.since is not None:
            watches = self._site.watches
            sources = self._part.since(self._part.number, starts(watches, start, self._how.fps))
        posts = []
        for name, source in sources.items():
            detector, tracker = self._engines[name]
            posts.append(Post(name, track(source, detector, tracker), self._watches[name].offset_s))
        return in_step(posts, self._how.fps)

    def watched(self, instant: Instant, file: rows.SeenFile) -> Shown:
        """What all cameras see at a moment; it is written down.

        Raises:
            SightlineError: an engine fails.
            OSError: the file cannot be written.
        """
        index = self._part.first + instant.index
        spotted = {name: self._spotted(name, sight, index) for name, sight in instant.sights.items()}
        seen = Sightings.joined([one.sightings for one in spotted.values()])
        tracks = {name: one.tracks for name, one in spotted.items()}
        self._recognizing.tell(index / self._how.fps, self._cameras, tracks, _TRACKS * self._part.number)
        number = self._identifier.identify(seen).number if self._identifier else np.full(len(seen), NOBODY)
        boxes = np.concatenate([one.tracks.xyxy_px for one in spotted.values()])
        file.add(index, seen, number, boxes, np.concatenate([one.tracks.score for one in spotted.values()]))
        return self._shown(index, spotted, number)

    def named(self, shown: Shown) -> Shown:
        """A moment, with ids and names of those whom people put right, by what is known now."""
        known = self._recognizing.known()
        if not known:
            return shown
        cameras = {
            name: messages.named(said, shown.numbers.get(name, ()), known) for name, said in shown.cameras.items()
        }
        return Shown(shown.index, cameras, shown.numbers)

    def keep(self, path: Path) -> None:
        """Writes down beside ``path``, where the part is written to, who is known now that it is over.

        What was known earlier goes, but for what this part began with: it may have to be begun again.

        Raises:
            OSError: the file cannot be written.
        """
        if self._identifier is not None and self._how.identifier is not None:
            recalling.keep(self._identifier, self._how.identifier, path)
            for older in self._part.earlier[:-1]:
                older.with_suffix(recalling.KNOWN).unlink(missing_ok=True)

    def _spotted(self, name: str, sight: Sight, index: int) -> _Spotted:
        """What a camera sees, placed on the map as far as its plane tells."""
        tracks, watch, scale = sight.tracks, self._watches[name], self._site.map.metres_per_unit
        n = len(tracks)
        xy_m, cov_m2, is_whole = np.full((n, 2), np.nan), np.full((n, 2, 2), np.nan), np.zeros(n, bool)
        xy_map = np.full((n, 2), np.nan)
        if name in self._locators and scale is not None:
            placed = self._locators[name].locate(tracks)
            xy_m, cov_m2 = placed.xyz_enu_m[:, :2], placed.cov_enu_m2[:, :2, :2]
            is_whole, xy_map = self._locators[name].whole(tracks.xyxy_px), xy_m / scale
        elif watch.plane is not None:
            foot_px = np.column_stack([tracks.xyxy_px[:, ::2].mean(axis=1), tracks.xyxy_px[:, 3]])
            to_clicked = np.array(watch.size or self._sizes[name]) / np.array(self._sizes[name])
            xy_map = warped(watch.plane.map_from_px, foot_px * to_clicked)
        t_s = np.full(n, index / self._how.fps)
        track = tracks.number + _TRACKS * self._part.number
        who = np.full(n, self._cameras.index(name))
        look, share = (
            self._looks(sight.frame, tracks, index / self._how.fps),
            tracks.xyxy_px / np.tile(self._sizes[name], 2),
        )
        seen = Sightings(self._cameras, who, t_s, track, xy_m, cov_m2, is_whole, look, share)
        return _Spotted(tracks, xy_map, seen)

    def _looks(self, frame: Frame, tracks: Tracks, now_s: float) -> Float[np.ndarray, "n d"]:
        """How those look who were not looked at lately, where they are well seen; NaN for all others."""
        if self._embedder is None:
            return np.zeros((len(tracks), 0))
        keys = [(tracks.camera, number) for number in tracks.number.tolist()]
        is_due = np.array([now_s - self._looked_s.get(key, -np.inf) >= _LOOK_S for key in keys], bool)
        due = np.flatnonzero(is_due & (worth(frame.rgb, tracks.xyxy_px) > _WORTH))
        found = self._embedder.embed(frame, tracks.xyxy_px[due])
        looks = np.full((len(tracks), found.shape[1]), np.nan)
        looks[due] = found
        # Who was looked at longer ago is due again, known or not.
        lately = {key: at for key, at in self._looked_s.items() if now_s - at < _LOOK_S}
        self._looked_s = lately | {keys[row]: now_s for row in due.tolist()}
        return looks

    def _shown(self, index: int, spotted: Mapping[str, _Spotted], number: Int[np.ndarray, " n"]) -> Shown:
        """All cameras of the site, those without a picture among them."""
        cameras, numbers, first = {name: messages.camera(index) for name in self._cameras}, {}, 0
        for name, one in spotted.items():
            numbers[name] = number[first : first + len(one.tracks)].tolist()
            first += len(one.tracks)
            names = [messages.identity(self._how.task_id, who) for who in numbers[name]]
            cameras[name] = messages.camera(index, one.tracks, one.xy_map, names)
            if self._site.map.anchor is not None:
                xy_m = one.xy_map * (self._site.map.metres_per_unit or np.nan)
                messages.on_earth(cameras[name], *wgs84_from_map(self._site.map.anchor, xy_m))
        return Shown(index, cameras, numbers)

    def _knowing(self) -> Identifier | None:
        """Who decides at once, knowing all that was seen before this part."""
        if self._how.identifier is None:
            return None
        options = self._given("identifier")
        known = wiring.options("identifier", self._how.identifier)
        if "watches" in known:
            options["watches"] = self._site.watches
        if "threshold" in known and self._how.embedder == "colour":
            options.setdefault("threshold", _COLOUR_THRESHOLD)
        identifier: Identifier = wiring.build("identifier", self._how.identifier, options)
        recalling.recall(identifier, self._how.identifier, self._part.earlier, self._cameras)
        return identifier

    def _engines_of_one(self) -> tuple[Detector, Tracker]:
        """Those of one camera."""
        detector = wiring.build("detector", self._how.detector, self._given("detector"))
        return detector, wiring.build("tracker", self._how.tracker, self._given("tracker"))

    def _given(self, kind: str) -> dict[str, Any]:
        return dict(self._how.options.get(kind, {}))
