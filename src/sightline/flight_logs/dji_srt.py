"""Subtitles that DJI (and Autel) aircraft write beside a video: one block of telemetry for each picture or second.

A dozen notations are read from each block by what they look like; blocks of several notations may share a file.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, final

import numpy as np

from sightline.errors import FormatError
from sightline.flight_logs.clock import Clock, read_clock
from sightline.flight_logs.draft import Column, Draft, any_finite, home_at
from sightline.model.flight import Flight
from sightline.model.positions import Origin

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_RANGE = re.compile(r"(\d+):(\d\d):(\d\d)[,.](\d{1,3})\s*-->")
_PAIR = re.compile(
    rf"\b(latitude|longt?itude|altitude|rel_alt|abs_alt|focal_len|gb_yaw|gb_pitch|gb_roll)\s*:\s*({_NUMBER})"
)
_TRIPLE = re.compile(
    rf"\b(GPS|HOME|F\.PRY|G\.PRY)\s*\(\s*({_NUMBER})°?\s*,\s*({_NUMBER})°?\s*(?:,\s*({_NUMBER})\s*(°|[Mm])?)?\s*\)"
)
_SIDES = re.compile(
    rf"\bGPS\s*\(\s*([WE])\s*:\s*({_NUMBER})\s*,\s*([NS])\s*:\s*({_NUMBER})\s*(?:,\s*({_NUMBER})\s*m)?", re.IGNORECASE
)
_HEIGHT = re.compile(rf"(?:\bBAROMETER\s*:|\bH[bs]\s*:|(?<=,\s)H\s)\s*({_NUMBER})\s*[Mm]?")
_MOMENT = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}[ T]\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,6}){0,2}")
_LARGEST = 256 * 2**20
_LATE_S = 5.0
_NAMES = {
    "latitude": "lat", "longitude": "lon", "longtitude": "lon", "altitude": "altitude", "rel_alt": "takeoff",
    "abs_alt": "sea", "focal_len": "focal", "gb_yaw": "yaw", "gb_pitch": "pitch", "gb_roll": "roll",
}  # fmt: skip

Block = dict[str, float]


@final
class DjiSrt:
    """One subtitle file; its seconds are the video's own."""

    def __init__(
        self, *, altitude_is: Literal["takeoff", "sea", "unknown"] = "unknown", timezone: str | None = None
    ) -> None:
        self._altitude_is = altitude_is
        """What ``[altitude: ]`` counts from: models differ and none says."""
        self._timezone = timezone
        """Of the clock, as in ``Europe/London``."""

    def read(self, path: Path) -> Flight:
        """The flight in the subtitles.

        Raises:
            FormatError: there is no telemetry in it.
            OSError: it cannot be read.
        """
        if path.stat().st_size > _LARGEST:
            raise FormatError(f"{path}: larger than {_LARGEST // 2**20} MiB, which no such file is")
        text = path.read_bytes().decode("utf-8-sig", "replace")
        texts = [block for block in re.split(r"\r?\n\s*\r?\n", text) if block.strip()]
        blocks = [_block(block) for block in texts]
        said = _cut_off(blocks)
        texts = texts[: len(blocks)]
        if not any(len(block) > 1 for block in blocks):
            raise FormatError(f"{path}: no block of these subtitles tells of a flight (latitude, GPS, rel_alt)")
        columns = {name: np.array([block.get(name, np.nan) for block in blocks], float) for name in _all_names(blocks)}
        clock = read_clock([found[0] if (found := _MOMENT.search(block)) else "" for block in texts])
        return self._flight(path, columns, clock, said)

    def _flight(self, path: Path, columns: dict[str, Column], clock: Clock, said: list[str]) -> Flight:
        """The flight that the columns make."""
        n = len(clock.t_s)
        start = columns.get("start", np.full(n, np.nan))
        t_s = start if any_finite(start) else clock.t_s - np.nanmin(clock.t_s) if any_finite(clock.t_s) else start
        known = np.flatnonzero(np.isfinite(clock.t_s) & np.isfinite(t_s))
        moment = clock.utc_ns(int(known[0]), self._timezone) if len(known) else None
        heights = {"takeoff": columns.get("takeoff"), "sea": columns.get("sea")}
        if "altitude" in columns and self._altitude_is == "unknown":
            said.append("[altitude: ] does not say what it counts from; left out unless altitude_is is given")
        elif "altitude" in columns:
            heights[self._altitude_is] = columns["altitude"]
        if any_finite(start) and np.nanmin(start) > _LATE_S:
            said.append(f"the first subtitle stands at {np.nanmin(start):.1f} s; is this the whole file?")
        if moment is None and any_finite(clock.t_s):
            said.append("the clock is local; give timezone (for example Europe/London) to know UTC")
        lat_deg, lon_deg, more = _in_degrees(columns.get("lat"), columns.get("lon"))
        said += more
        return Draft(
            path=path,
            log="DJI subtitles",
            t_s=t_s,
            is_video_time=True,
            utc_ns=None if moment is None else moment - round(float(t_s[known[0]]) * 1e9),
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            height_takeoff_m=heights["takeoff"],
            height_sea_m=heights["sea"],
            aircraft_deg=(columns.get("aircraft_yaw"), columns.get("aircraft_pitch"), columns.get("aircraft_roll")),
            gimbal_deg=(columns.get("yaw"), columns.get("pitch"), columns.get("roll")),
            focal_35mm=_focal(columns.get("focal")),
            home=_home(columns),
            warnings=tuple(said),
        ).flight()


def _block(text: str) -> Block:
    """What one block says."""
    said: Block = {}
    if found := _RANGE.search(text):
        hours, minutes, seconds, part = found.groups()
        said["start"] = int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{part}")
    for name, number in _PAIR.findall(text):
        said[_NAMES[name]] = float(number)
    for name, first, second, third, unit in _TRIPLE.findall(text):
        said |= _triple(name, float(first), float(second), float(third) if third else np.nan, unit)
    if found := _SIDES.search(text):
        said["lon"] = float(found[2]) * (-1 if found[1] in "Ww" else 1)
        said["lat"] = float(found[4]) * (-1 if found[3] in "Ss" else 1)
    if found := _HEIGHT.search(text):
        said["takeoff"] = float(found[1])
    return said


def _triple(name: str, first: float, second: float, third: float, unit: str) -> Block:
    """What a name with numbers in brackets says. Longitude stands first, but where a height in metres stands last.

    An aircraft with a fix writes how many satellites it sees; the one that writes metres there has turned the order.
    """
    if name == "GPS":
        return {"lat": first, "lon": second} if unit in {"M", "m"} else {"lon": first, "lat": second}
    if name == "HOME":
        return {"home_lon": first, "home_lat": second} | ({"home_height": third} if np.isfinite(third) else {})
    prefix = "" if name == "G.PRY" else "aircraft_"
    return {f"{prefix}pitch": first, f"{prefix}roll": second, f"{prefix}yaw": third}


def _cut_off(blocks: list[Block]) -> list[str]:
    """Takes away what a last block, broken off in the middle, lacks against the one before; says so."""
    if len(blocks) > 1 and len(blocks[-1]) < len(blocks[-2]):
        blocks.pop()
        return ["the file breaks off in its last block, which is left out"]
    return []


def _all_names(blocks: Sequence[Block]) -> list[str]:
    """Everything that any block says."""
    return sorted({name for block in blocks for name in block})


def _in_degrees(lat: Column | None, lon: Column | None) -> tuple[Column | None, Column | None, list[str]]:
    """Some aircraft write radians. All of them, read as degrees, lie in one stretch of open ocean without an island."""
    if lat is None or lon is None:
        return lat, lon, []
    flown = np.isfinite(lat) & np.isfinite(lon) & ((lat != 0) | (lon != 0))
    if not flown.any() or np.abs(lat[flown]).max() > np.pi / 2 or np.abs(lon[flown]).max() > np.pi:
        return lat, lon, []
    said = "latitude and longitude would lie in the ocean off Africa as degrees; taken as radians"
    return np.rad2deg(lat), np.rad2deg(lon), [said]


def _focal(focal: Column | None) -> Column | None:
    """Millimetres of a picture 36 mm wide: some write tenths. No such lens is longer than 200 mm nor shorter than 5."""
    if focal is None:
        return None
    shown = np.where(focal > 200, focal / 10, focal)
    return np.where(shown >= 5, shown, np.nan)


def _home(columns: dict[str, Column]) -> Origin | None:
    """The first place called home."""
    if "home_lat" not in columns:
        return None
    row = int(np.flatnonzero(np.isfinite(columns["home_lat"]))[0])
    height = columns.get("home_height")
    height_m = 0.0 if height is None else float(np.nan_to_num(height[row]))
    return home_at(float(columns["home_lat"][row]), float(columns["home_lon"][row]), height_m)
