"""Times of pictures, from timestamps as good or bad as they come."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(slots=True)
class Clock:
    """Exact seconds since the first picture, strictly rising, whatever the timestamps do.

    A picture without a timestamp comes one step after the one before; one that repeats a time or goes back a
    little, half a step after; one that goes back by more than a second starts a new count there, one step after.
    """

    tick: Fraction
    """The stream's unit of time."""
    step: Fraction
    """How far pictures are apart where nothing says so."""
    is_assumed: bool = False
    """Whether timestamps are lies and pictures are one step apart."""
    origin: int | None = None
    """Timestamp of the first picture."""
    last: Fraction | None = None
    """The latest time given."""

    @property
    def end(self) -> Fraction:
        """When the latest picture ends."""
        return Fraction(0) if self.last is None else self.last + self.step

    def at(self, pts: int, index: int) -> Fraction:
        """The time of picture ``index`` by a timestamp that is known to be good; call in order of showing."""
        if self.origin is None:
            self.origin = pts
        self.last = index * self.step if self.is_assumed else (pts - self.origin) * self.tick
        return self.last

    def next(self, pts: int | None, index: int) -> Fraction:
        """The time of picture ``index`` by a timestamp that may be anything."""
        if self.is_assumed:
            return self.at(0, index)
        t = Fraction(0) if self.last is None else self.last + self.step
        if pts is not None:
            if self.origin is None:
                self.origin = pts - round(t / self.tick)
            said = (pts - self.origin) * self.tick
            if self.last is None or said > self.last:
                t = max(said, Fraction(0))
            elif said < self.last - 1:
                self.origin = pts - round(t / self.tick)
            else:
                t = self.last + self.step / 2
        self.last = t
        return t
