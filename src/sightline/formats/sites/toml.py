"""Sites as TOML, written by people; see ``docs/reference/sites.md``."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from sightline.errors import FormatError
from sightline.formats.sites.points import fitted, given, read_json, read_npz
from sightline.model.site import Anchor, HandOver, Line, Plane, Site, SiteMap, Watch, Zone

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Number = Annotated[float, Field(allow_inf_nan=False)]
Row = tuple[Number, Number, Number]
_FLAT = 1e-9
"""An area this small beside the square of its width is none."""


class _Table(BaseModel):
    """A table of the file; what it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Pair(_Table):
    px: tuple[Number, Number]
    map: tuple[Number, Number]
    name: str = ""


class _HandOver(_Table):
    to: list[Id] = Field(min_length=1)
    side: Literal["left", "right", "up", "down"] | None = None
    share: float = Field(0.4, gt=0, le=1)


class _Camera(_Table):
    id: Id
    videos: list[str] = Field(default_factory=list)
    offset_s: Number = 0.0
    size: tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]] | None = None
    points: list[_Pair] = Field(default_factory=list)
    points_file: str = ""
    map_from_px: tuple[Row, Row, Row] | None = None
    overlaps: list[Id] = Field(default_factory=list)
    hand_overs: list[_HandOver] = Field(default_factory=list)


class _Anchor(_Table):
    lat_deg: float = Field(ge=-90, le=90)
    lon_deg: float = Field(ge=-180, le=180)
    x_bearing_deg: float = Field(90.0, ge=-360, le=360)
    y: Literal["left", "right"] = "left"


class _Map(_Table):
    metres_per_unit: float | None = Field(None, gt=0)
    picture: str = ""
    picture_from_map: tuple[Row, Row] | None = None
    anchor: _Anchor | None = None


class _Zone(_Table):
    id: Id
    name: str = ""
    corners: list[tuple[Number, Number]] = Field(min_length=3)


class _Line(_Table):
    id: Id
    name: str = ""
    ends: tuple[tuple[Number, Number], tuple[Number, Number]]
    inside: tuple[Number, Number]


class _File(_Table):
    id: Id
    name: str = ""
    base: str = ""
    begins: AwareDatetime | None = None
    map: _Map = _Map()
    cameras: list[_Camera] = Field(min_length=1)
    zones: list[_Zone] = Field(default_factory=list)
    lines: list[_Line] = Field(default_factory=list)


def read(path: Path) -> Site:
    """The site in a file. Paths in it are meant from its own folder.

    Raises:
        FormatError: it is no site; the message names the field, what is wrong with it and what would be right.
        OSError: it, or a file of points that it names, cannot be read.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: no TOML ({error})") from None
    try:
        file = _File.model_validate(table)
    except ValidationError as error:
        raise FormatError(f"{path}: {_first(error)}") from None
    _check(path, file)
    watches = tuple(_watch(path, file, camera) for camera in file.cameras)
    return Site(
        file.id,
        file.name or file.id,
        _map(path, file.map),
        watches,
        tuple(Zone(zone.id, zone.name or zone.id, tuple(zone.corners)) for zone in file.zones),
        tuple(Line(line.id, line.name or line.id, line.ends, line.inside) for line in file.lines),
        None if file.begins is None else file.begins.timestamp(),
    )


def shipped() -> dict[str, Path]:
    """Sites that come with the package, by id: they have no footage, and show how a file is written."""
    folder = Path(__file__).with_name("shipped")
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def _check(path: Path, file: _File) -> None:
    """What one field alone does not tell."""
    ids = [camera.id for camera in file.cameras]
    if twice := next((one for one in ids if ids.count(one) > 1), None):
        raise FormatError(f"{path}: two cameras are called {twice!r}; give each its own id")
    for camera in file.cameras:
        named = {*camera.overlaps, *(to for rule in camera.hand_overs for to in rule.to)}
        if strangers := sorted(named - {*ids}):
            raise FormatError(f"{path}: camera {camera.id!r} names {strangers[0]!r}; there are {', '.join(ids)}")
        if camera.id in named:
            raise FormatError(f"{path}: camera {camera.id!r} hands over to itself or overlaps itself; leave that out")
        ways = [bool(camera.points), bool(camera.points_file), camera.map_from_px is not None]
        if sum(ways) > 1:
            raise FormatError(f"{path}: camera {camera.id!r} has several of points, points_file, map_from_px; keep one")
    _check_counted(path, file)


def _check_counted(path: Path, file: _File) -> None:
    """Zones and lines enclose something, and have ids of their own."""
    counted = [*(zone.id for zone in file.zones), *(line.id for line in file.lines)]
    if twice := next((one for one in counted if counted.count(one) > 1), None):
        raise FormatError(f"{path}: two zones or lines are called {twice!r}; give each its own id")
    for zone in file.zones:
        corners = np.array(zone.corners)
        beside = np.stack([corners - corners[0], np.roll(corners, -1, axis=0) - corners[0]], axis=1)
        if abs(np.linalg.det(beside).sum()) <= _FLAT * np.ptp(corners, axis=0).max() ** 2:
            raise FormatError(f"{path}: zone {zone.id!r}: corners enclose no area; give them in order round it")
    for line in file.lines:
        start, end, inside = np.array([*line.ends, line.inside])
        if abs(np.linalg.det(np.stack([end - start, inside - start]))) <= _FLAT * np.abs(inside - start).max() ** 2:
            raise FormatError(f"{path}: line {line.id!r}: inside lies on the line; give a point on the side that is in")
    if file.begins is not None and file.begins.timestamp() < 0:
        raise FormatError(f"{path}: begins: before 1970; give when the recordings began")


def _watch(path: Path, file: _File, camera: _Camera) -> Watch:
    mutual = {other.id for other in file.cameras if camera.id in other.overlaps}
    return Watch(
        camera.id,
        tuple(_address(path.parent, file.base, video) for video in camera.videos),
        camera.offset_s,
        camera.size,
        _plane(path, camera),
        tuple(sorted({*camera.overlaps} | mutual)),
        tuple(HandOver(tuple(rule.to), rule.side, rule.share) for rule in camera.hand_overs),
    )


def _address(folder: Path, base: str, video: str) -> str:
    """A path or an address, whole."""
    joined = video if "://" in video or not base else f"{base.rstrip('/')}/{video.lstrip('/')}"
    return joined if "://" in joined else str(folder / joined)


def _plane(path: Path, camera: _Camera) -> Plane | None:
    where = f"{path}: camera {camera.id!r}"
    if camera.map_from_px is not None:
        return given(camera.map_from_px, f"{where}: map_from_px", camera.size)
    if camera.points:
        names = tuple(pair.name or f"point {i}" for i, pair in enumerate(camera.points, start=1))
        px, there = (np.array([getattr(pair, name) for pair in camera.points]) for name in ("px", "map"))
        return fitted(px, there, f"{where}: points", names)
    if not camera.points_file:
        return None
    points = path.parent / camera.points_file
    if not points.is_file():
        raise FormatError(f"{where}: points_file {points} is not there")
    if points.suffix == ".json":
        return read_json(points, camera.id)
    return fitted(*read_npz(points), str(points))


def _map(path: Path, table: _Map) -> SiteMap:
    anchor = None
    if table.anchor is not None:
        lat, lon, bearing = (
            float(np.radians(value))
            for value in (table.anchor.lat_deg, table.anchor.lon_deg, table.anchor.x_bearing_deg)
        )
        anchor = Anchor(lat, lon, bearing, table.anchor.y == "right")
        if table.metres_per_unit is None:
            raise FormatError(f"{path}: map.anchor without map.metres_per_unit; say how long a unit of the map is")
    picture = str(path.parent / table.picture) if table.picture else None
    return SiteMap(table.metres_per_unit, picture, table.picture_from_map, anchor)


def _first(error: ValidationError) -> str:
    """The first mistake: where, and what."""
    one: Any = error.errors(include_url=False, include_input=False)[0]
    where = ""
    for step in one["loc"]:
        where += f"[{step + 1}]" if isinstance(step, int) else f"{'.' if where else ''}{step}"
    said = str(one["msg"])
    if one["type"] == "extra_forbidden":
        said = "is not known here; see docs/reference/sites.md"
    return f"{where}: {said[0].lower()}{said[1:]}"
