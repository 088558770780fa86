"""Clocks of logs: times of day in every notation met, and what can be known of the date."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from jaxtyping import Float

from sightline.errors import OptionError

_TIME = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d{1,6})(?:[.,](\d{3}))?)?\s*([AaPp])?\.?[Mm]?")
_DATE = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})")
_DAY_S = 86400.0
_SPAN = re.compile(r"(?:(\d+)h\s*)?(?:(\d+)m\s*)?(\d+(?:[.,]\d+)?)s?")


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """What the clock showed, row by row."""

    t_s: Float[np.ndarray, " n"]
    """Seconds since the midnight before the first row; NaN where nothing is shown."""
    day: date | None
    """That midnight's date; None: not written, or in an order that cannot be told."""
    is_ambiguous: bool = False
    """Whether a date is written whose order of day and month cannot be told."""

    def utc_ns(self, row: int, zone: str | None) -> int | None:
        """Nanoseconds since 1970 at a row, for a clock of that zone; None where that is not known.

        Raises:
            OptionError: no such zone.
        """
        if self.day is None or zone is None or not np.isfinite(self.t_s[row]):
            return None
        try:
            there = UTC if zone.upper() == "UTC" else ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise OptionError(f"timezone {zone!r} is not known; give a name such as 'Europe/London'") from None
        midnight = datetime(self.day.year, self.day.month, self.day.day, tzinfo=there)
        moment = midnight + timedelta(microseconds=round(self.t_s[row] * 1e6))
        return round(moment.timestamp() * 1e6) * 1000


def read_clock(times: Sequence[str], dates: Sequence[str] | None = None) -> Clock:
    """The clock with these times, and dates in or beside them. A day passes where time falls back by half of one."""
    days = [_DATE.search(text) for text in (times if dates is None else dates)]
    shown = [_TIME.search(text) for text in times]
    t_s = np.array([np.nan if found is None else _of_day(found) for found in shown], float)
    known = np.flatnonzero(np.isfinite(t_s))
    passed = np.concatenate([[0], np.cumsum(np.diff(t_s[known]) < -_DAY_S / 2)]) if len(known) else np.zeros(0)
    t_s[known] += _DAY_S * passed
    written = [found for found in days if found]
    order = _order(written)
    first = None if not written or order is None else _day(written[0], order)
    return Clock(t_s, first, is_ambiguous=bool(written) and order is None)


def _of_day(found: re.Match[str]) -> float:
    """Seconds since midnight."""
    hours, minutes, seconds, fraction, more, half = found.groups()
    hour = int(hours) % 12 + 12 * (half.lower() == "p") if half else int(hours)
    part = float(f"0.{fraction or '0'}{more or ''}")
    return hour * 3600 + int(minutes) * 60 + int(seconds) + part


def _order(written: Sequence[re.Match[str]]) -> str | None:
    """Which of year, month, day stands first, second, third; None where month and day cannot be told apart."""
    if not written:
        return None
    if len(written[0][1]) == 4:
        return "ymd"
    if written[0][2] == ".":
        return "dmy"
    pairs = [(int(found[1]), int(found[3])) for found in written]
    if any(a > 12 for a, _ in pairs):
        return "dmy"
    return "mdy" if any(b > 12 for _, b in pairs) or all(a == b for a, b in pairs) else None


def _day(found: re.Match[str], order: str) -> date | None:
    """The date, or None where there is no such day."""
    numbers = dict(zip(order, (int(found[1]), int(found[3]), int(found[4])), strict=True))
    year = numbers["y"] + (2000 if numbers["y"] < 100 else 0)
    try:
        return date(year, numbers["m"], numbers["d"])
    except ValueError:
        return None


def span_s(text: str) -> float:
    """Seconds in ``9m 15.0s``; NaN where it is no such thing."""
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        return float("nan")
    hours, minutes, seconds = found.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds.replace(",", "."))
