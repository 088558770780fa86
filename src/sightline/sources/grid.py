"""Which pictures to take, by the time they were taken. Times are exact fractions of a second.

Things are offered in order of time. Each is judged once, in that order: at once, or when a later one comes.
"""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, Protocol, final, runtime_checkable

Verdicts = list[tuple[Any, bool]]
"""Things that were offered, and whether they are taken."""
GridName = Literal["start", "ffmpeg", "keyframes"]
"""Where the sampling grid falls; see ``sampling``."""


@runtime_checkable
class Sampling(Protocol):
    """Judges things by their times."""

    def offer(self, t: Fraction, item: Any) -> Verdicts:
        """What is known, now that this one came."""
        ...

    def close(self, end: Fraction) -> Verdicts:
        """What is known, now that nothing comes any more and all ends at ``end``."""
        ...


@final
class Every:
    """Takes all."""

    def offer(self, t: Fraction, item: Any) -> Verdicts:  # noqa: ARG002  (as the others take it)
        """Taken."""
        return [(item, True)]

    def close(self, end: Fraction) -> Verdicts:  # noqa: ARG002  (as the others take it)
        """Nothing is left."""
        return []


@final
@dataclass
class FirstOfSlot:
    """The first of each slot ``[k / fps, (k + 1) / fps)``: the first at or after each time of the grid.

    So there are never more than ``fps`` per second; a slot without pictures gives none, and none is given twice.
    """

    fps: Fraction
    """Slots per second."""
    slack: Fraction
    """How far short of its time one may fall, for timestamps that were rounded."""
    _slot: int = -1

    def offer(self, t: Fraction, item: Any) -> Verdicts:
        """Judged at once."""
        slot = math.floor((t + self.slack) * self.fps)
        taken = slot > self._slot
        self._slot = max(slot, self._slot)
        return [(item, taken)]

    def close(self, end: Fraction) -> Verdicts:  # noqa: ARG002  (as the others take it)
        """Nothing is left."""
        return []


@final
@dataclass
class LastOfRounded:
    """The last of those whose time rounds to the same multiple of ``1 / fps``: what FFmpeg's ``fps`` filter takes.

    Unlike the filter it repeats nothing where a slot is empty.
    """

    fps: Fraction
    """Slots per second."""
    _held: list[tuple[int, Any]] = field(default_factory=list)

    def offer(self, t: Fraction, item: Any) -> Verdicts:
        """The one before is judged."""
        slot = math.floor(t * self.fps + Fraction(1, 2))
        judged = [(held, before != slot) for before, held in self._held]
        self._held = [(slot, item)]
        return judged

    def close(self, end: Fraction) -> Verdicts:
        """The last one, taken unless its slot begins where the stream ends."""
        judged = [(held, slot < math.floor(end * self.fps + Fraction(1, 2))) for slot, held in self._held]
        self._held = []
        return judged


@final
@dataclass
class Span:
    """Only what lies in ``[start, end)``, sampled on a grid that counts from ``start``."""

    inner: Sampling
    """Judges what lies inside."""
    start: Fraction = Fraction(0)
    """First time that counts."""
    end: Fraction | None = None
    """First time that does not count any more; None: no end."""
    slack: Fraction = Fraction(0)
    """How far short of its time one may fall, for timestamps that were rounded."""
    is_over: bool = False
    """Whether something at or after the end was offered: nothing later can be taken."""

    def offer(self, t: Fraction, item: Any) -> Verdicts:
        """What the inner sampling says; outside the span: not taken."""
        if t + self.slack < self.start or self.is_over:
            return [(item, False)]
        if self.end is not None and t + self.slack >= self.end:
            self.is_over = True
            return [*self.inner.close(self.end - self.start), (item, False)]
        return self.inner.offer(max(t - self.start, Fraction(0)), item)

    def close(self, end: Fraction) -> Verdicts:
        """What is left."""
        return [] if self.is_over else self.inner.close(max(end - self.start, Fraction(0)))


def sampling(
    grid: GridName,
    fps: float | None,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    tick: Fraction = Fraction(0),
) -> Span:
    """Where the grid falls.

    ``start``: the first picture at or after 0, 1 / fps, 2 / fps ... past ``start_s``.
    ``ffmpeg``: what FFmpeg's ``fps`` filter takes, the last picture of each rounded slot.
    ``keyframes``: as ``start``, but whoever offers offers keyframes only.
    ``tick`` is the stream's own unit of time: timestamps are trusted to one of it, and at most to a millisecond.
    """
    slack = min(tick, Fraction(1, 1000))
    exact = None if fps is None else Fraction(fps).limit_denominator(100_000)
    inner: Sampling
    if exact is None:
        inner = Every()
    elif grid == "ffmpeg":
        inner = LastOfRounded(exact)
    else:
        inner = FirstOfSlot(exact, slack)
    start = Fraction(start_s or 0).limit_denominator(1_000_000)
    end = None if end_s is None else Fraction(end_s).limit_denominator(1_000_000)
    return Span(inner, start, end, slack)
