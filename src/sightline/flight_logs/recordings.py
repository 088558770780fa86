"""When a log says that video was recorded, and which of those times a video belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from sightline.errors import FormatError, OptionError
from sightline.model.flight import Flight

Column = Float[np.ndarray, " n"]
_SHORTEST_S = 1.0
"""Of a recording: a flag set for less is a blip."""
_FLICKER_S = 0.35
"""A flag that is off for less went on recording."""
_SAME_S = 1.5
"""How far a recording's length may be from its video's: two edges, each a row late, and the app's own delay."""
_CLEARLY_S = 0.5
"""How much better one recording's length must fit than another's to tell them apart."""
_SHARE = 0.1
"""A lone recording may be shorter than its video by this share: the flag came late, or the log broke off."""
_NEAR_DEG = 2e-4
"""A place is the same within some twenty metres."""
_CLOCK_S = 5.0
"""How far a video's creation time may be from its recording's start."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One stretch of a log in which video was recorded."""

    start_s: float
    """On the log's clock: half-way between the last row without and the first one with."""
    end_s: float
    """The same for the end."""
    start_sd_s: float
    """How well the start is known."""

    @property
    def length_s(self) -> float:
        """Seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where a video lies in a log: log seconds = video seconds + ``log_from_video_s``."""

    log_from_video_s: float
    """What to add to the video's seconds."""
    sd_s: float
    """How well that is known."""
    how: str
    """What it follows from, for a reader."""
    warnings: tuple[str, ...] = ()
    """What a reader must know before trusting it."""


def recordings(flight: Flight) -> list[Recording]:
    """The stretches in which video was recorded, blips and flickers taken out, oldest first."""
    on, t_s = flight.is_recording == 1, flight.t_s
    _fill(on, t_s, value=False, shorter_s=_FLICKER_S)
    _fill(on, t_s, value=True, shorter_s=_SHORTEST_S)
    found = []
    for first, after in _runs(on, value=True):
        before = t_s[max(first - 1, 0)]
        end = t_s[after] if after < len(t_s) else t_s[-1]
        sd = float(t_s[first] - before) / np.sqrt(12)
        found.append(Recording(float(before + t_s[first]) / 2, float(t_s[after - 1] + end) / 2, max(sd, 0.03)))
    return found


def aligned(
    flight: Flight,
    duration_s: float | None,
    *,
    recording: int | None = None,
    created_utc_ns: int | None = None,
    place_deg: tuple[float, float] | None = None,
    time_offset_s: float = 0.0,
) -> Alignment:
    """Where a video of that length lies in the log.

    By the number of the recording if given (from 1), else the one as long as the video; of several, the one that the
    video's creation time names, or the latitude and longitude noted in it. ``time_offset_s`` is added to the video's
    seconds on top.

    Raises:
        FormatError: it cannot be told; lists what there is.
        OptionError: there is no recording of that number.
    """
    if flight.is_video_time:
        return Alignment(time_offset_s, 0.02, "the log is in the video's own time")
    found = recordings(flight)
    if recording is not None:
        if not 1 <= recording <= len(found):
            raise OptionError(f"recording {recording}: the log has {len(found)}{_listed(found)}")
        return _placed(found[recording - 1], f"recording {recording} was asked for", [], time_offset_s)
    if not found:
        return _without_flag(flight, duration_s, created_utc_ns, time_offset_s)
    if duration_s is None:
        if len(found) == 1:
            return _placed(found[0], "the only recording", ["the video's length is unknown"], time_offset_s)
        raise FormatError(f"the video's length is unknown and the log has {len(found)} recordings{_listed(found)}")
    named = [r for r in found if _is_created(flight, r, created_utc_ns)]
    named = named or [r for r in found if _is_there(flight, r, place_deg)]
    return _by_length(found, named, duration_s, time_offset_s)


def _by_length(found: list[Recording], named: list[Recording], duration_s: float, offset_s: float) -> Alignment:
    """The recording that is as long as the video; of several, the one among those that the video itself names.

    Raises:
        FormatError: none is, or several are and nothing tells them apart.
    """
    near = sorted((r for r in found if _misfit(r, duration_s) <= _SAME_S), key=lambda r: _misfit(r, duration_s))
    if len(near) > 1 and _misfit(near[1], duration_s) - _misfit(near[0], duration_s) > _CLEARLY_S:
        near = near[:1]
    near = [r for r in near if r in named] or near if len(near) > 1 else near
    if len(near) == 1:
        off = near[0].length_s - duration_s
        how = f"recording {found.index(near[0]) + 1} is as long as the video ({off:+.1f} s)"
        return _placed(near[0], how, [], offset_s)
    if near:
        raise FormatError(f"several recordings are as long as the video; give recording{_listed(found)}")
    only = named if len(named) == 1 else found
    if len(only) == 1 and (only[0].length_s > duration_s or _misfit(only[0], duration_s) < _SHARE * duration_s):
        lasts = f"the recording lasts {only[0].length_s:.1f} s, the video {duration_s:.1f} s; taken to begin together"
        return _placed(only[0], "the only recording that it can be from", [lasts], offset_s)
    raise FormatError(
        f"no recording in the log is as long as the video ({duration_s:.1f} s){_listed(found)}; "
        "is it the log of this flight? else give recording"
    )


def _misfit(recording: Recording, duration_s: float) -> float:
    """How much longer or shorter it is than the video."""
    return abs(recording.length_s - duration_s)


def _without_flag(flight: Flight, duration_s: float | None, created_utc_ns: int | None, offset_s: float) -> Alignment:
    """By the clocks, the length of the whole log, or as told, where the log does not say when video was recorded.

    Raises:
        FormatError: neither tells.
    """
    if flight.utc_ns is not None and created_utc_ns is not None:
        start_s = (created_utc_ns - flight.utc_ns) / 1e9
        if -_SAME_S <= start_s <= flight.t_s[-1]:
            said = ("the log has no recording flag; the video's creation time was used, which is good to a second",)
            return Alignment(start_s + offset_s, 1.0, "by the video's creation time", said)
    lasts = float(flight.t_s[-1] - flight.t_s[0])
    if duration_s is not None and abs(lasts - duration_s) <= _SAME_S:
        said = ("the log has no recording flag, but is as long as the video",)
        return Alignment(float(flight.t_s[0]) + offset_s, 0.5, "the log is as long as the video", said)
    if offset_s:
        said = ("the log has no recording flag; time_offset is counted from its first row",)
        return Alignment(float(flight.t_s[0]) + offset_s, 0.5, "by time_offset alone", said)
    raise FormatError(
        "the log does not say when video was recorded (no recording flag is on), and neither its length nor the "
        "video's creation time tells; export the log with CAMERA.isVideo, or give time_offset: the second of the log "
        "at which the video begins"
    )


def _is_created(flight: Flight, recording: Recording, created_utc_ns: int | None) -> bool:
    """Whether the video's creation time is that of the recording: its start, or as some write it, its end."""
    if flight.utc_ns is None or created_utc_ns is None:
        return False
    at_s = (created_utc_ns - flight.utc_ns) / 1e9
    return min(abs(at_s - recording.start_s), abs(at_s - recording.end_s)) <= _CLOCK_S


def _is_there(flight: Flight, recording: Recording, place_deg: tuple[float, float] | None) -> bool:
    """Whether the place noted in the video is where the aircraft was when the recording began."""
    known = np.flatnonzero(flight.has_place)
    if place_deg is None or not len(known):
        return False
    lat, lon = (np.interp(recording.start_s, flight.t_s[known], c[known]) for c in (flight.lat_deg, flight.lon_deg))
    east = (lon - place_deg[1]) * np.cos(np.deg2rad(lat))
    return bool(np.hypot(lat - place_deg[0], east) < _NEAR_DEG)


def _placed(chosen: Recording, how: str, said: Sequence[str], offset_s: float) -> Alignment:
    """At the start of that recording."""
    return Alignment(chosen.start_s + offset_s, float(np.hypot(chosen.start_sd_s, 0.05)), how, tuple(said))


def _listed(found: list[Recording]) -> str:
    """All of them, for a message."""
    lengths = ", ".join(f"{k}: {r.length_s:.1f} s from {r.start_s:.1f} s" for k, r in enumerate(found, 1))
    return f" ({lengths})" if found else ""


def _runs(on: np.ndarray, *, value: bool) -> list[tuple[int, int]]:
    """First row of each run of ``value`` and the row after it."""
    edges = np.flatnonzero(np.diff(np.concatenate([[not value], on, [not value]]).astype(int)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _fill(on: np.ndarray, t_s: Column, *, value: bool, shorter_s: float) -> None:
    """Turns runs of ``value`` that last shorter into the other; off runs at the ends are not runs between."""
    for first, after in _runs(on, value=value):
        inside = value or (first > 0 and after < len(on))
        if inside and t_s[min(after, len(on) - 1)] - t_s[first] < shorter_s:
            on[first:after] = not value
