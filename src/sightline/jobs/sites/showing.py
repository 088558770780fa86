"""One part of a site's recordings, from its first moment to its last, or to wherever somebody wants to go."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final, final

from sightline.executors.local import Stopped
from sightline.jobs.sites import rows
from sightline.jobs.sites.playing import Done, Playing
from sightline.jobs.sites.reel import Reel
from sightline.jobs.sites.telling import Shown, Telling
from sightline.jobs.sites.told import ToldFile, told
from sightline.jobs.sites.watching import Lookout, Part
from sightline.model.arrays import Image
from sightline.model.site import Site
from sightline.pipeline.site import Instant

TOLD: Final = ".told"
"""Ends the file with what was told; it lies beside the one with what was seen."""


@final
class Show:
    """Watches a part, and shows again what was watched of it and of those before."""

    def __init__(
        self,
        site: Site,
        part: Part,
        lookout: Lookout,
        playing: Playing,
        telling: Telling,
        tell: Callable[[Done], None],
        stopped: Stopped,
    ) -> None:
        self._part, self._lookout, self._playing, self._telling = part, lookout, playing, telling
        self._tell, self._stopped = tell, stopped
        self._reel: Reel | None = None
        if part.since is not None:
            self._reel = Reel(site.watches, lookout.fps, [*part.firsts, part.first], part.since)
        self._done = Done(0, lookout.total, part.first)
        self._instants: Iterator[Instant] = iter(())
        self._next = -1
        self._is_resting = False

    def run(self, path: Path, total: int | None) -> int:
        """Writes what is seen to ``path``, and returns how many moments there were, those passed over among them.

        ``total`` is how many moments all parts have.

        Raises:
            SightlineError: a source breaks off at once, or an engine fails.
            OSError: a file cannot be written.
        """
        with ExitStack() as stack:
            seen = stack.enter_context(rows.SeenFile(path, self._lookout.cameras))
            written = stack.enter_context(ToldFile(path.with_suffix(TOLD))) if self._reel is not None else None
            goal: int | None = self._playing.begin(total, self._rest)
            while not self._stopped():
                while goal is not None and goal < self._playing.edge and not self._stopped():
                    goal = self._show_again(goal, written)
                instant = self._instant(goal)
                if instant is None:
                    break
                shown = self._lookout.watched(instant, seen)
                if written is not None:
                    written.add(shown)
                self._show(instant, shown)
                goal = self._playing.after(shown.index, self._rest)
            if not self._stopped():
                self._lookout.keep(path)
        return self._done.moments

    def _instant(self, goal: int | None) -> Instant | None:
        """The next moment, or the first at or after ``goal``; None: the part is over."""
        first = self._part.first
        if self._next < 0 or (goal is not None and goal != self._next):
            at = first if goal is None else goal
            if self._lookout.total is not None and at >= first + self._lookout.total:
                self._note(self._lookout.total, at)
                return None
            self._instants = self._lookout.instants(at - first)
            self._note(at - first, at)
        instant = next(self._instants, None)
        if instant is not None:
            self._next = first + instant.index + 1
        return instant

    def _show(self, instant: Instant, shown: Shown) -> None:
        def pictures() -> dict[str, Image]:
            return {name: sight.frame.rgb for name, sight in instant.sights.items()}

        self._telling.tell(self._lookout.named(shown), pictures, self._playing.wanted)
        self._note(instant.index + 1, shown.index)
        self._is_resting = False
        self._tell(self._done)

    def _show_again(self, goal: int, written: ToldFile | None) -> int | None:
        """Shows what was watched from ``goal`` on; where to go then, None: on with the work."""
        if written is None or self._reel is None:
            return None
        earlier = chain.from_iterable(told(path.with_suffix(TOLD), goal) for path in self._part.earlier)
        for shown in chain(earlier, written.since(goal)):
            self._telling.tell(self._lookout.named(shown), partial(self._reel.at, shown.index), self._playing.wanted)
            self._is_resting = False
            after = self._playing.after(shown.index, self._rest, again=True)
            if after is not None or self._stopped():
                return after
        return None

    def _rest(self) -> None:
        """It stands still: told once."""
        self._telling.rest(self._playing.wanted)
        if not self._is_resting:
            self._is_resting = True
            self._tell(replace(self._done, is_paused=True))

    def _note(self, moments: int, index: int) -> None:
        self._done = Done(max(moments, self._done.moments), self._lookout.total, index)
