"""What a report says: plain values, already in the order they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from sightline.model.tracks import UNTRACKED, Tracks


@dataclass(frozen=True, slots=True)
class Number:
    """One number as it is shown."""

    name: str
    """What it is; explained if ``ReportPage.meaning`` has it."""
    text: str
    """As it is read."""
    share: float | None = None
    """Drawn as a bar, 0 to 1; None draws none."""

    @classmethod
    def percent(cls, name: str, share: float) -> "Number":
        """A share, as a percentage with a bar."""
        return cls(name, f"{100 * share:.1f} %", min(max(share, 0.0), 1.0))

    @classmethod
    def count(cls, name: str, n: int) -> "Number":
        """A whole number, thousands apart."""
        return cls(name, f"{n:,}".replace(",", "\u2009"))


@dataclass(frozen=True, slots=True, eq=False)
class Trail:
    """Where one track went on the ground."""

    number: int
    """The track's number; tracks of one number have one colour."""
    xy_m: Float[np.ndarray, "n 2"]
    """Metres east and north, oldest first; NaN breaks the line."""
    circle_m: float | None = None
    """Radius of a circle about its end, for how well that is known; None draws none."""

    @classmethod
    def each(cls, number: Int[np.ndarray, " n"], xy_m: Float[np.ndarray, "n 2"]) -> tuple["Trail", ...]:
        """One trail for each track, from rows oldest first; rows without a track are left out."""
        return tuple(cls(int(k), xy_m[number == k]) for k in np.unique(number) if k != UNTRACKED)


@dataclass(frozen=True, slots=True)
class MapPicture:
    """A picture of the ground, to draw tracks on."""

    jpeg: bytes
    """The picture, x to the right and y up; it becomes part of the page."""
    low_m: tuple[float, float]
    """Where its lower left corner is."""
    high_m: tuple[float, float]
    """Where its upper right corner is; nothing beyond is drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class GroundMap:
    """Tracks seen from above, found over true."""

    truth: tuple[Trail, ...] = ()
    """Where objects really went."""
    found: tuple[Trail, ...] = ()
    """Where they were found."""
    caption: str = "Seen from above: found tracks in colour over the true ones in grey."
    """A line beneath."""
    is_north_up: bool = True
    """Whether y is north."""
    under: MapPicture | None = None
    """What is drawn beneath; None: plain ground."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A number over time; it holds until the next."""

    name: str
    """As in the key."""
    t_s: Float[np.ndarray, " n"]
    """Seconds, rising."""
    n: Int[np.ndarray, " n"] | Float[np.ndarray, " n"]
    """The number from then on."""

    @classmethod
    def of_ids(cls, name: str, tracks: Tracks, t_s: Float[np.ndarray, " n"]) -> "Curve":
        """How many tracks are in each picture; ``t_s`` are the moments of all pictures, also of empty ones."""
        tracked = tracks.t_s[tracks.number != UNTRACKED]
        between = (t_s[1:] + t_s[:-1]) / 2  # so that rounding in files does not move a row to the next picture
        return cls(name, t_s, np.bincount(np.searchsorted(between, tracked), minlength=len(t_s)))


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """Numbers over time; the first curve is drawn in the page's colour, the others in grey."""

    title: str
    """Above it."""
    curves: tuple[Curve, ...]
    """What is drawn, at most four."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A table of texts."""

    title: str
    """Above it."""
    head: tuple[str, ...]
    """Names of the columns."""
    rows: tuple[tuple[str, ...], ...]
    """As many texts each."""
    note: str = ""
    """A line beneath."""


@dataclass(frozen=True, slots=True, eq=False)
class CameraPart:
    """What one camera's part of the page shows."""

    name: str
    """The camera."""
    video: str | None = None
    """MP4 file, relative to the page."""
    still: str | None = None
    """Picture shown until the video plays, or in its stead; relative to the page."""
    jpeg: bytes | None = None
    """The same where there are neither; it becomes part of the page."""
    numbers: tuple[Number, ...] = ()
    """Scores, counts, speed."""
    chart: Chart | None = None
    """For example ids over time."""
    ground: GroundMap | None = None
    """This camera's tracks from above."""
    files: tuple[str, ...] = ()
    """Results to open, relative to the page."""
    warnings: tuple[str, ...] = ()
    """What a reader must know before trusting the numbers."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """Somebody as one camera saw them."""

    camera: str
    """Which."""
    jpeg: bytes
    """The picture; it becomes part of the page."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was followed, across all cameras."""

    number: int
    """As on the map."""
    name: str
    """What they are called."""
    lines: tuple[str, ...]
    """What is known of them: when, where, how far."""
    portraits: tuple[Portrait, ...] = ()
    """What to see whether they are one."""


@dataclass(frozen=True, slots=True, eq=False)
class ReportPage:
    """The whole page."""

    title: str
    """Of the page."""
    lead: str = ""
    """One or two sentences: what was done, and how it went."""
    numbers: tuple[Number, ...] = ()
    """Of all cameras together; the first is shown largest."""
    cameras: tuple[CameraPart, ...] = ()
    """One part each."""
    ground: GroundMap | None = None
    """The whole site from above."""
    people: tuple[Person, ...] = ()
    """Who was there."""
    people_note: str = ""
    """A line beneath them."""
    listing: Listing | None = None
    """More than numbers can say."""
    meaning: Mapping[str, str] = field(default_factory=dict)
    """What each number means, one line each; only those that occur are shown."""
    made: tuple[tuple[str, str], ...] = ()
    """How it was made: engine, options, versions, seed."""
    command: str = ""
    """What to type to get it again."""
    warnings: tuple[str, ...] = ()
    """What a reader must know before trusting any of it."""

    def explained(self) -> list[tuple[str, str]]:
        """Those meanings whose numbers are on the page."""
        numbers = [*self.numbers, *(number for camera in self.cameras for number in camera.numbers)]
        shown = {number.name for number in numbers}
        return [(name, meaning) for name, meaning in self.meaning.items() if name in shown]
