"""The answer of the drone service: metadata, and a flat list of sightings sorted by picture and track.

Source: the service's integration guide (document 000). Metres north, east and down of home; degrees; what a client sent
with a track comes back with it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from sightline.errors import FormatError
from sightline.estimation.circle import ce90_m
from sightline.files import whole
from sightline.geodesy.course import headings_rad, speeds_mps
from sightline.geodesy.enu import ned_from_enu, wgs84_from_enu
from sightline.model.positions import Positions
from sightline.model.tracks import Tracks

NEAR_M = 10.0
"""How near others are that count for the density."""
_APART_M = 1e5
"""Between pictures, where neighbours are looked for: further than anything lies from anything."""
_AIRCRAFT = {"track_id": 0, "class_name": "UAV", "bbox": None, "confidence": None, "depth_m": None, "density": None}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Answer:
    """What there is to say."""

    metadata: Mapping[str, Any]
    """Of the whole."""
    tracks: Tracks
    """The sightings, with boxes as they came."""
    positions: Positions
    """Where each stood; those without a place are left out."""
    depth_m: Float[np.ndarray, " n"]
    """How far before the lens each stood."""
    entries: Sequence[Mapping[str, Any]] = ()
    """What came with each; none: what the tracks themselves hold."""
    aircraft: Positions | None = None
    """The aircraft, to be among them."""
    aircraft_yaw_rad: Float[np.ndarray, " k"] | None = None
    """Its heading where it hardly moves."""
    null_heading: bool = False
    """Whether what hardly moves has no heading; clients of the guide cannot do without one."""


def write(answer: Answer, path: Path) -> None:
    """Puts the answer into the file, one entry per line.

    Raises:
        FormatError: something that came with a track cannot be said in JSON.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    with whole(path) as partial, partial.open("w", encoding="utf-8") as stream:
        try:
            _put(answer, stream)
        except (ValueError, TypeError) as error:
            raise FormatError(f"{path}: not to be said in JSON: {error}") from None


def _put(answer: Answer, stream: TextIO) -> None:
    about = json.dumps(_said(answer.metadata), ensure_ascii=False, allow_nan=False)
    lines = (line for _, line in sorted(_lines(answer), key=lambda one: one[0]))
    stream.write(f'{{"metadata":{about},"tracks":[')
    stream.writelines(("\n" if number == 0 else ",\n") + line for number, line in enumerate(lines))
    stream.write("\n]}\n")


def _lines(answer: Answer) -> Iterator[tuple[tuple[int, int], str]]:
    """Every entry with what it is sorted by."""
    if answer.aircraft is not None:
        yield from _aircraft(answer, answer.aircraft)
    places = answer.positions
    kept = np.flatnonzero(places.is_known)
    brought = answer.entries or _entries(answer.tracks)
    number, frame = places.number.tolist(), places.frame_index.tolist()
    columns = _columns(places, kept, null_heading=answer.null_heading)
    columns["depth_m"] = _rounded(answer.depth_m[kept], 3)
    columns["density"] = density(places.xyz_enu_m[kept], places.frame_index[kept]).tolist()
    columns["ce90_m"] = _rounded(ce90_m(places.cov_enu_m2[kept, :2, :2]), 2)
    names, encode = list(columns), json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    for row, values in zip(kept.tolist(), zip(*columns.values(), strict=True), strict=True):
        own = {"frame_id": frame[row], "track_id": number[row]}
        entry = {**own, **brought[row], **own, **dict(zip(names, values, strict=True))}
        yield (frame[row], number[row]), _spelled(encode, entry)


def _aircraft(answer: Answer, places: Positions) -> Iterator[tuple[tuple[int, int], str]]:
    kept = np.flatnonzero(places.is_known)
    columns = _columns(places, kept, null_heading=False)
    still = np.isnan(headings_rad(places, 0.01)[kept])
    if answer.aircraft_yaw_rad is not None:
        yaw = np.rad2deg(answer.aircraft_yaw_rad[kept]) % 360
        columns["heading_deg"] = _rounded(np.where(still, yaw, np.array(columns["heading_deg"], float)), 2)
    names = list(columns)
    for frame, values in zip(places.frame_index[kept].tolist(), zip(*columns.values(), strict=True), strict=True):
        entry = {"frame_id": frame, **_AIRCRAFT, **dict(zip(names, values, strict=True))}
        yield (frame, 0), json.dumps(entry, allow_nan=False)


def _columns(places: Positions, kept: Int[np.ndarray, " k"], *, null_heading: bool) -> dict[str, list[Any]]:
    """What is told of every entry, column by column."""
    if places.origin is None:
        raise ValueError("places on a map of its own have no latitude")
    lat, lon, _ = wgs84_from_enu(places.origin, places.xyz_enu_m[kept])
    velocity = places.velocity_enu_mps[kept]
    is_moving = np.isfinite(headings_rad(places)[kept])
    heading = np.round(np.rad2deg(np.arctan2(velocity[:, 0], velocity[:, 1])), 2) % 360
    if null_heading:
        heading[~is_moving] = np.nan
    return {
        "lat": _rounded(lat, 9),
        "lon": _rounded(lon, 9),
        "pos_ned": _rounded(ned_from_enu(places.xyz_enu_m[kept]), 4),
        "vel_ned": _rounded(ned_from_enu(velocity), 4),
        "speed_mps": _rounded(speeds_mps(places)[kept], 4),
        "heading_deg": _rounded(heading, 2),
        "is_moving": is_moving.tolist(),
    }


def density(xyz_m: Float[np.ndarray, "n 3"], frame_index: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """How many others are within ten metres in the same picture."""
    if not len(xyz_m):
        return np.zeros(0, np.int64)
    _, picture = np.unique(frame_index, return_inverse=True)
    points = np.column_stack([xyz_m, picture * _APART_M])
    return np.asarray(cKDTree(points).query_ball_point(points, NEAR_M, return_length=True), np.int64) - 1


def _entries(tracks: Tracks) -> list[dict[str, Any]]:
    """What tracks hold that came in another format, as entries."""
    names = np.array([*tracks.classes, ""])[tracks.label].tolist()
    columns = {
        "bbox": np.round(tracks.xyxy_px, 3).tolist(),
        "confidence": tracks.score.tolist(),
        "class_name": names,
        **{name: column.tolist() for name, column in tracks.extra.items()},
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _rounded(values: Float[np.ndarray, "n ..."], decimals: int) -> list[Any]:
    """As lists, with None for what is not known."""
    rounded = (np.round(values, decimals) + 0.0).astype(object)  # so that -0.0 is 0
    rounded[np.isnan(values)] = None
    return rounded.tolist()


def _spelled(encode: Callable[[Any], str], entry: Mapping[str, Any]) -> str:
    """The entry as JSON; what came with it may hold numbers that JSON has none for."""
    try:
        return encode(entry)
    except ValueError:
        return encode(_said(entry))


def _said(value: Any) -> Any:
    """The same with null for what JSON has no number for."""
    if isinstance(value, Mapping):
        return {name: _said(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_said(inner) for inner in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
