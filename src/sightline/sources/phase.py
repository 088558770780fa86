"""A sampling grid that leans on keyframes, where a live stream leaves its phase free."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, final

from sightline.sources.grid import Verdicts

_EARLY = Fraction(1, 8)
_LATE = Fraction(1, 4)
"""How far before or after its time a keyframe may be taken, as a share of the shorter of step and keyframe distance."""
_MISFIT = Fraction(1, 50)
"""Share of a step by which a keyframe distance may miss fitting the steps."""
_N_REGULAR = 3
"""Equal keyframe distances in a row before they are believed."""


@final
@dataclass
class Aligned:
    """One picture per ``1 / fps``, moved by a little so that keyframes are taken where they fit.

    They fit where keyframes are a step, a part of it, or a number of steps apart; elsewhere, and where they come
    irregularly, the first picture at or after each due time is taken. A picture never comes later than a quarter of
    a step after it is due, and none that is due is left out. Where keyframes drift past that, one more picture is
    taken and the grid moves to them; so there may be a few more pictures than ``fps``, never fewer.
    """

    fps: Fraction
    """Pictures per second."""
    slack: Fraction
    """How far short of its time one may fall, for timestamps that were rounded."""
    is_keyframe: Callable[[Any], bool]
    """Whether a thing that is offered is one."""
    _due: Fraction = Fraction(0)
    _last_key: Fraction | None = None
    _gap: Fraction = Fraction(0)
    _n_regular: int = 0

    def offer(self, t: Fraction, item: Any) -> Verdicts:
        """Judged at once."""
        is_key = self.is_keyframe(item)
        if is_key:
            self._note(t)
        return [(item, self._is_taken(t, is_key=is_key))]

    def close(self, end: Fraction) -> Verdicts:  # noqa: ARG002  (as the others take it)
        """Nothing is left."""
        return []

    @property
    def _step(self) -> Fraction:
        return 1 / self.fps

    @property
    def _unit(self) -> Fraction:
        """The shorter of step and keyframe distance."""
        return min(self._step, self._gap)

    def _note(self, t: Fraction) -> None:
        """Takes down when a keyframe came."""
        if self._last_key is not None:
            gap = t - self._last_key
            is_same = abs(gap - self._gap) <= min(gap, self._gap) * _EARLY
            self._n_regular = self._n_regular + 1 if is_same else 1
            self._gap = gap
        self._last_key = t

    def _fits(self) -> bool:
        """Whether keyframes can be taken again and again without moving the grid by much."""
        if self._n_regular < _N_REGULAR:
            return False
        long, short = max(self._step, self._gap), self._unit
        return abs(long - round(long / short) * short) <= min(self._step * _MISFIT, short * _EARLY)

    def _is_taken(self, t: Fraction, *, is_key: bool) -> bool:
        fits = self._fits()
        if fits and is_key and t >= self._due - self._unit * _EARLY:
            self._go_on(t, min(t, self._due) + self._step)
            return True
        if t + self.slack < self._due:
            return False
        following = self._due + self._step
        if fits and self._last_key is not None:
            ahead = self._last_key + self._gap - self._due
            if t - self._due < ahead <= self._unit * _LATE:
                return False
            beside = ahead % self._unit
            if self._unit * _LATE < beside < self._unit * (1 - _EARLY):
                following += beside - self._unit
        self._go_on(t, following)
        return True

    def _go_on(self, t: Fraction, following: Fraction) -> None:
        """The next is due then, or as many steps later as it takes to lie ahead: a stream may pause."""
        behind = math.floor((t + self.slack - following) * self.fps) + 1
        self._due = following + max(behind, 0) * self._step
