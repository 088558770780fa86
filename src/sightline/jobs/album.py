"""Pictures gathered for a reconstruction: each checked, and with what its camera noted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
from jaxtyping import Float

from sightline.errors import FormatError, SourceError
from sightline.executors.local import Stopped, Tell
from sightline.formats.picture import decoded, look
from sightline.model.frame import Frame
from sightline.model.shots import Shot, Shots
from sightline.reconstructors.choosing import chosen
from sightline.sources.video import Video

_ONE_WILL_DO = frozenset({"da3", "neural", "vggt"})
"""Engines to which one picture says something."""
_QUALITY = 95
"""Of the JPEG files that a video's pictures are kept as."""
_LOOKED_AT = 15.0
"""Pictures looked at per second of a video, to choose from."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One picture of the album; JSON can say it."""

    name: str
    """What it is called."""
    path: str
    """Where it lies."""
    camera: str = ""
    """Who took it, and through which lens; empty: not known."""
    focal_sides: float | None = None
    """Focal length, times the longer side."""
    width: int = 0
    """Pixels across, upright."""
    height: int = 0
    """Pixels down, upright."""
    place: tuple[float, float, float | None] | None = None
    """Latitude and longitude in degrees, height above the sea in metres."""


@dataclass(frozen=True, slots=True)
class Album:
    """Pictures of one scene; JSON can say it."""

    pictures: tuple[Kept, ...]
    """In their order."""
    is_sequence: bool
    """Whether each was taken soon after the one before."""
    left_out: tuple[str, ...] = ()
    """Why some are not among them, a line each."""

    def said(self) -> dict[str, Any]:
        """The same as JSON."""
        return asdict(self)

    @classmethod
    def heard(cls, said: dict[str, Any]) -> "Album":
        """The other way."""
        kept = tuple(Kept(**{**one, "place": one["place"] and tuple(one["place"])}) for one in said["pictures"])
        return cls(kept, bool(said["is_sequence"]), tuple(said["left_out"]))


def of_pictures(files: Iterable[tuple[str, Path]], engine: str, tell: Tell, stopped: Stopped) -> Album:
    """The album of picture files, given as names and paths; those that cannot be decoded are left out.

    Raises:
        SourceError: fewer are left than the engine takes; says why the first of the others was left out.
    """
    kept: list[Kept] = []
    left_out: list[str] = []
    every = list(files)
    for done, (name, path) in enumerate(every):
        if stopped():
            break
        tell("checking pictures", done, len(every))
        try:
            kept.append(_checked(name, path))
        except FormatError as error:
            left_out.append(str(error))
    if len(kept) < (1 if engine in _ONE_WILL_DO else 2) and not stopped():
        why = f"; {left_out[0]}" if left_out else ""
        least = "one" if engine in _ONE_WILL_DO else "two"
        raise SourceError(f"{len(kept)} of {len(every)} pictures can be used, it takes at least {least}{why}")
    return Album(tuple(kept), is_sequence=False, left_out=tuple(left_out))


def of_video(path: Path, folder: Path, fps: float | None, most: int, tell: Tell, stopped: Stopped) -> Album:
    """The album of those pictures of a video that make a scene, written as JPEG files into ``folder``.

    No more than ``fps`` pictures are taken from each second, and no more than ``most`` from all of it.

    Raises:
        SourceError: it cannot be read, or has fewer than two such pictures.
        OSError: a picture cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about = Video(path, fps=_LOOKED_AT).about()
    apart_s = max((about.duration_s or 0.0) / most, 1 / fps if fps else 0.0)
    kept: list[Kept] = []
    for frame in chosen(_told(path, about.n_frames, tell, stopped), least_apart_s=apart_s):
        if len(kept) >= most:
            break
        name = f"frame_{frame.moment.index:06d}.jpg"
        height, width = frame.rgb.shape[:2]
        (folder / name).write_bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(frame.rgb), _QUALITY, "RGB", "420"))
        kept.append(Kept(name, str(folder / name), "video", None, width, height))
    if len(kept) < 2 and not stopped():
        raise SourceError(
            f"{path}: {len(kept)} pictures at least {apart_s:.3g} s apart show something new, it takes two; "
            "move the camera, or take more pictures per second"
        )
    return Album(tuple(kept), is_sequence=True)


def _told(path: Path, total: int | None, tell: Tell, stopped: Stopped) -> Iterator[Frame]:
    """Pictures of a video, until somebody wants it to end."""
    for done, frame in enumerate(Video(path, fps=_LOOKED_AT).frames()):
        if stopped():
            return
        tell("choosing pictures", done, total)
        yield frame


def shots(album: Album) -> Shots:
    """What an engine is given."""
    noted = [one.place for one in album.pictures]
    origin = next((place for place in noted if place is not None), None)
    return Shots(tuple(map(_shot, album.pictures, enu_m(noted))), album.is_sequence, origin=origin)


def _shot(one: Kept, place: Float[np.ndarray, " 3"] | None) -> Shot:
    focal_px = None if one.focal_sides is None else one.focal_sides * max(one.width, one.height)
    read: Callable[[], Any] = partial(decoded, Path(one.path), one.name)
    return Shot(one.name, read, camera=one.camera, focal_px=focal_px, eye_world_m=place)


def _checked(name: str, path: Path) -> Kept:
    """The picture, decoded once at a small size.

    Raises:
        FormatError: that cannot be done.
    """
    found = look(path, name)
    decoded(path, name, small=True)
    said = found.exif
    camera = said.camera and f"{said.camera} {said.focal_sides or 0:.3f}"
    return Kept(name, str(path), camera, said.focal_sides, *found.upright, said.place)


def enu_m(
    places: Sequence[tuple[float, float, float | None] | None],
) -> list[Float[np.ndarray, " 3"] | None]:
    """Metres east, north and up of the first place that is known; None where none is.

    Heights count only if all places that are known have one.
    Source: WGS 84 (NGA.STND.0036), from latitude and longitude by way of the earth's centre.
    """
    known = [place for place in places if place is not None]
    if not known:
        return [None for _ in places]
    has_heights = all(place[2] is not None for place in known)
    lat, lon = np.radians(known[0][:2])
    enu_from_ecef = np.array(
        [
            [-np.sin(lon), np.cos(lon), 0.0],
            [-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)],
            [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)],
        ]
    )
    origin = _ecef_m(known[0], has_heights)
    return [None if place is None else enu_from_ecef @ (_ecef_m(place, has_heights) - origin) for place in places]


def _ecef_m(place: tuple[float, float, float | None], has_heights: bool) -> Float[np.ndarray, " 3"]:
    """Metres from the earth's centre."""
    lat, lon = np.radians(place[:2])
    height = (place[2] or 0.0) if has_heights else 0.0
    flat = 0.0066943799901413165  # first eccentricity squared
    across = 6378137.0 / np.sqrt(1 - flat * np.sin(lat) ** 2)
    level = (across + height) * np.cos(lat)
    return np.array([level * np.cos(lon), level * np.sin(lon), (across * (1 - flat) + height) * np.sin(lat)])
