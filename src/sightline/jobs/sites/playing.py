"""How a site is played while it is watched: at what pace, standing still, or going elsewhere when somebody wants it.

A moment that lies ahead is jumped to: what is between is passed over and never watched. One that was watched already
is shown again from what was told of it, and then it goes on where it was. So nothing is watched twice, everybody keeps
the identity that they were given, and a task that is taken up after a crash passes over the same again. One that was
paused first comes to where it was, and stands still there.
"""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, final

from sqlalchemy.exc import SQLAlchemyError

from sightline.executors.local import Stopped
from sightline.model.playback import Playback
from sightline.stores.sql.playbacks import Playbacks

_LOOK_S: Final = 0.2
"""How often it is looked what somebody wants."""
_NOTE_S: Final = 1.0
"""How often it is noted where it is."""
_NAP_S: Final = 0.1
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """How far a part is."""

    moments: int
    """Moments of it that are done."""
    total: int | None
    """How many there are, about."""
    index: int
    """The newest moment, counted from the first of all parts."""
    is_paused: bool = False
    """Whether it stands still there."""


@final
class Playing:
    """Asked after every moment whether to go on. Nobody steers it where there are no ``playbacks``."""

    def __init__(
        self,
        stopped: Stopped,
        *,
        fps: float,
        speed: float | None = None,
        playbacks: Playbacks | None = None,
        job_id: str = "",
        edge: int = 0,
    ) -> None:
        """``speed``: how much faster than real time; None: as fast as can be, and in real time what is shown again.

        ``edge`` is the first moment that was not watched yet.
        """
        self._stopped, self._fps, self._speed = stopped, fps, speed
        self._playbacks, self._job_id = playbacks, job_id
        self._edge, self._last = edge, None if edge == 0 else edge - 1
        self._row = Playback(job_id=job_id)
        self._look_s = self._note_s = -1.0
        self._begin: tuple[int, float] | None = None
        self._look()
        self._before = self._row.edge  # what was watched before a crash, and will be again

    @property
    def wanted(self) -> Collection[str]:
        """Names of the pictures that somebody looks at."""
        now = time.time()
        return [name for name, until in self._row.wanted.items() if until > now]

    @property
    def edge(self) -> int:
        """The moment after the furthest that was watched."""
        return self._edge

    def begin(self, total: int | None, still: Callable[[], None]) -> int:
        """The moment to begin with, as soon as it may begin; ``total`` is the number of moments of all sub-videos."""
        self._note(total=total)
        at = self._past(self._edge)
        if any(after == at for _, after in self._row.passed):
            return at  # where somebody jumped to, who wants to see it, paused or not
        goal = self._wish(still)
        return at if goal is None else goal

    def after(self, index: int, still: Callable[[], None], *, again: bool = False) -> int | None:
        """Returns when the next moment is due: None, or the moment to go to instead.

        ``still`` is called now and then while it stands still; ``again``: moment ``index`` was shown again only.
        """
        self._last = index
        if again or index >= self._before:
            self._pace(index, (self._speed or 1.0) if again else self._speed)
        if not again:
            self._edge = max(self._edge, index + 1)
        now = time.monotonic()
        if now >= self._look_s:
            self._look()
            if now >= self._note_s:
                self._note_place()
        if (goal := self._wish(still)) is not None:
            return goal
        past = self._past(self._edge)
        return None if again or past == self._edge else past

    def _wish(self, still: Callable[[], None]) -> int | None:
        """The moment that somebody wants to see, at once or while it stands still; None when it is to go on."""
        is_noted = False
        while not self._stopped():
            if (goal := self._taken()) is not None:
                self._begin = None
                return goal
            if not self._row.is_paused or self._edge < self._before:
                return None
            self._begin = None
            if not is_noted:
                self._note_place()
                is_noted = True
            still()
            time.sleep(_NAP_S)
            self._look()
        return None

    def _taken(self) -> int | None:
        """The moment that was asked for last, once."""
        row = self._row
        if row.goal is None or row.n_done >= row.n_asked:
            return None
        changes: dict[str, Any] = {"n_done": row.n_asked}
        is_jump = row.goal >= max(self._edge, self._before)
        if is_jump and row.goal > self._edge:
            changes["passed"] = [*row.passed, [self._edge, row.goal]]
        self._note(**changes)
        self._look()
        return row.goal if is_jump or row.goal < self._edge else None

    def _past(self, index: int) -> int:
        """The first moment from ``index`` on that was not passed over."""
        for first, after in sorted(map(tuple, self._row.passed)):
            if first <= index < after:
                index = after
        return index

    def _pace(self, index: int, speed: float | None) -> None:
        """Returns when the moment after ``index`` is due."""
        if speed is None:
            return
        if self._begin is None or index < self._begin[0]:
            self._begin = index, time.monotonic()
        first, began_s = self._begin
        due_s = began_s + (index + 1 - first) / (self._fps * speed)
        if (late_s := time.monotonic() - due_s) > 1.0:
            self._begin = first, began_s + late_s  # what cannot be had faster is not made up for by haste
        while (left_s := due_s - time.monotonic()) > 0 and not self._stopped():
            time.sleep(min(left_s, _NAP_S))

    def _look(self) -> None:
        self._look_s = time.monotonic() + _LOOK_S
        if self._playbacks is not None:
            try:
                self._row = self._playbacks.get(self._job_id)
            except SQLAlchemyError as error:
                _log.warning("task=%s playback not seen: %s", self._job_id, type(error).__name__)

    def _note_place(self) -> None:
        self._note(last=self._last, edge=max(self._edge, self._before))

    def _note(self, **changes: Any) -> None:
        self._note_s = time.monotonic() + _NOTE_S
        if self._playbacks is not None:
            try:
                self._playbacks.note(self._job_id, **changes)
            except SQLAlchemyError as error:
                _log.warning("task=%s playback not noted: %s", self._job_id, type(error).__name__)
