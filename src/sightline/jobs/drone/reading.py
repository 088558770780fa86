"""Reading what is given: what the video says of itself, the log, and tracks in whatever format they come."""

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from sightline import wiring
from sightline.errors import FormatError, OptionError
from sightline.flight_logs.telling import log_name
from sightline.formats import picture
from sightline.formats.json_rows import document
from sightline.geometry.camera import intrinsics
from sightline.jobs.drone.options import DroneOptions, lens_from
from sightline.locators.lenses import lens_of
from sightline.model.flight import Flight
from sightline.model.frame import Footage
from sightline.model.lens import Lens
from sightline.model.tracks import Tracks
from sightline.pipeline.drone import Clip
from sightline.pipeline.drone_input import DOCUMENTED, Size, box_size, in_video_px, timed
from sightline.sources.opening import open_file
from sightline.sources.video import Video

_PLACE = re.compile(r"([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)")
"""ISO 6709: latitude, longitude."""
_PLACES = ("location", "location-eng", "com.apple.quicktime.location.ISO6709")
_USUAL_35MM = 24.0
"""Of most cameras that drones carry; they lie between 20 and 28 mm."""
_HEAD = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Tracks that somebody brought."""

    tracks: Tracks
    """Their boxes in the video's pixels."""
    told: Tracks
    """The same with boxes as they came."""
    size: Size
    """Of the pictures that those are in."""
    entries: Sequence[dict[str, Any]] = ()
    """As they stood in the file, oldest picture first; none where it was no JSON."""
    warnings: tuple[str, ...] = ()
    """What is to be said."""


def clip_of(path: Path) -> tuple[Clip, Footage]:
    """What a video says of itself.

    Raises:
        SourceError: it cannot be opened, or no picture in it can be decoded.
    """
    about = Video(path).about()
    with closing(open_file(path)) as opened:
        said = {**opened.stream.metadata, **opened.container.metadata}
    place = next((found for name in _PLACES if (found := _PLACE.match(said.get(name, "")))), None)
    clip = Clip(
        width=about.width,
        height=about.height,
        duration_s=about.duration_s,
        created_utc_ns=_utc_ns(said.get("creation_time", "")),
        place_deg=None if place is None else (float(place[1]), float(place[2])),
    )
    return clip, about


def _utc_ns(text: str) -> int | None:
    """Nanoseconds since 1970; containers write 1904 or 1970 when they do not know."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return round(when.timestamp() * 1e6) * 1000 if when.year > 1970 else None


def flight_of(path: Path, options: DroneOptions, kind: str | None = None) -> Flight:
    """The log.

    Raises:
        SightlineError: it is none that is known, or cannot be read.
    """
    name = kind or log_name(path)
    known = wiring.options("flight_log", name)
    given = {"timezone": options.timezone, "altitude_is": options.altitude_is}
    return wiring.build("flight_log", name, {k: v for k, v in given.items() if v is not None and k in known}).read(path)


def format_of(path: Path) -> str:
    """The name of the format that reads a file of tracks, by its first bytes.

    Raises:
        FormatError: it is empty.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise FormatError(f"{path}: the file is empty; expected tracks")
    if start[:1] in b"{[":
        return "tracking_json"
    if start[:4] == b"PAR1":
        return "parquet"
    is_table = head[:2] != b"\x1f\x8b" and re.match(rb"[\"A-Za-z_]", start) is not None
    return "csv" if is_table else "mot"


def tracks_of(path: Path, options: DroneOptions, clip: Clip, video_fps: float | None) -> Given:
    """The tracks of a file, each row with its time and its box in the video's pixels.

    Raises:
        SightlineError: the file cannot be read, or its times or boxes do not fit the video.
        OSError: it cannot be read.
    """
    name = format_of(path)
    entries, told = ([], None) if name != "tracking_json" else _said(path)
    tracks: Tracks = wiring.build("format", name, {}).read(path)
    if not len(tracks):
        raise FormatError(f"{path}: no tracks found in it")
    if options.tracking_fps is not None:
        tracks = replace(tracks, t_s=tracks.frame_index / options.tracking_fps, extra=dict(tracks.extra))
    tracks, said = timed(tracks, options.fps or video_fps, clip)
    own = (clip.width, clip.height)
    stated = options.source_resolution
    size, more = box_size(
        tracks,
        clip,
        stated=None if stated is None else (stated.width, stated.height),
        told=told,
        otherwise=DOCUMENTED if name == "tracking_json" else own,
    )
    moved, still_more = in_video_px(tracks, size, clip)
    return Given(moved, tracks, size, entries, (*said, *more, *still_more))


def _said(path: Path) -> tuple[list[dict[str, Any]], Size | None]:
    """The entries as they stand, oldest picture first, and the size that the file says its boxes are in."""
    found = document(path)
    about: Any = {} if isinstance(found, list) else found.get("metadata") if isinstance(found, dict) else {}
    entries = found if isinstance(found, list) else found.get("tracks", []) if isinstance(found, dict) else []
    size = about.get("source_resolution") if isinstance(about, dict) else None
    sides: list[Any] = [size.get(side) for side in ("width", "height")] if isinstance(size, dict) else []
    told = (int(sides[0]), int(sides[1])) if len(sides) == 2 and all(_is_side(side) for side in sides) else None
    if size is not None and told is None:
        raise FormatError(f"{path}: metadata.source_resolution: expected a width and a height of 1 or more")
    if not isinstance(entries, list) or not all(isinstance(e, dict) and _is_number(e.get("frame_id")) for e in entries):
        return [], told  # whoever reads them says what is wrong
    return sorted(entries, key=lambda entry: entry["frame_id"]), told


def _is_side(value: Any) -> bool:
    return _is_number(value) and 1 <= value <= 65535


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def lens_for(
    clip: Clip, flight: Flight, options: DroneOptions, photo: Path | None = None
) -> tuple[Lens, str, tuple[str, ...]]:
    """The lens, how it is known, and what is to be said; an unknown one is assumed only where that is asked for.

    Raises:
        OptionError: it is not known.
        FormatError: the photo tells no focal length.
    """
    noted = None if photo is None else _of_photo(photo, clip)
    calibrated = None if options.lens is None else lens_from(options.lens)
    try:
        lens, how, said = lens_of(
            clip.width,
            clip.height,
            lens=calibrated or noted,
            fov_deg=options.fov_deg,
            focal_35mm=options.focal_35mm,
            camera=options.camera,
            flight=flight,
        )
    except OptionError:
        if not options.assume_lens or _is_told(options):
            raise
        lens, _, _ = lens_of(clip.width, clip.height, focal_35mm=_USUAL_35MM)
        how = "assumed"
        usual = f"taken as {_USUAL_35MM:g} mm, as most drones have (20 to 28)"
        said = (
            f"the camera's lens is not known; {usual}, so distances may be a tenth off: give fov_deg or focal_35mm",
        )
    how = "photo" if noted is not None and calibrated is None else how
    return (lens if options.crop == 1.0 else _cropped(lens, options.crop)), how, said


def _is_told(options: DroneOptions) -> bool:
    """Whether the caller says anything of the lens."""
    return {options.lens, options.fov_deg, options.focal_35mm, options.camera} != {None}


def _of_photo(photo: Path, clip: Clip) -> Lens:
    """The lens as a photo of the same camera notes it.

    Raises:
        FormatError: it does not.
    """
    sides = picture.look(photo, str(photo)).exif.focal_sides
    if sides is None:
        raise FormatError(f"{photo}: the photo notes no focal length; give fov_deg or focal_35mm")
    angle = float(2 * np.arctan(0.5 / sides))
    return Lens.pinhole(clip.width, clip.height, intrinsics(clip.width, clip.height, angle))


def _cropped(lens: Lens, crop: float) -> Lens:
    """The lens of a video that shows the middle of the picture only."""
    params = lens.params.copy()
    params[: 1 if lens.model.has_one_focal else 2] *= crop
    return Lens(lens.model, lens.width, lens.height, params)
