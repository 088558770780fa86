"""What somebody knows of pictures beforehand, as a job is told: in words, since it cannot read its client's files."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, model_validator

from sightline.errors import SightlineError
from sightline.jobs.kinds.kind import Params

if TYPE_CHECKING:
    from sightline.jobs.known import Known

_Name = Annotated[str, Field(min_length=1, max_length=256)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_METRES = ("x", "y", "z")
_EARTH = ("latitude", "longitude", "height")


class PositionParams(Params):
    """Where one picture was taken: x, y, z, or latitude, longitude, height."""

    image: _Name
    """The picture's name."""
    x: _Number | None = None
    """Metres in a world of its own, as y and z."""
    y: _Number | None = None
    """Metres."""
    z: _Number | None = None
    """Metres, upwards."""
    latitude: Annotated[float | None, Field(ge=-90, le=90)] = None
    """Degrees north."""
    longitude: Annotated[float | None, Field(ge=-180, le=180)] = None
    """Degrees east."""
    height: _Number | None = None
    """Metres above the sea, or above anything that is the same for all."""

    @model_validator(mode="after")
    def _whole(self) -> "PositionParams":
        """All of the one and nothing of the other."""
        if self.names() not in {_METRES, _EARTH}:
            raise ValueError("give x, y and z in metres, or latitude, longitude and height")
        return self

    def names(self) -> tuple[str, ...]:
        """Which numbers there are."""
        return tuple(name for name in (*_METRES, *_EARTH) if getattr(self, name) is not None)


class DistanceParams(Params):
    """How far apart two pictures were taken."""

    images: Annotated[tuple[_Name, ...], Field(min_length=2, max_length=2)]
    """Names of both."""
    metres: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """The distance."""


class KnownParams(Params):
    """What is known of the pictures beforehand; whatever is null is not."""

    lens: Annotated[str | None, Field(max_length=400)] = None
    """The calibrated lens, as a line of COLMAP's ``cameras.txt`` without its number: MODEL WIDTH HEIGHT NUMBERS."""
    poses: dict[str, Any] | None = None
    """Poses and lenses, taken as they are: what a ``transforms.json`` of nerfstudio's has in it."""
    positions: Annotated[tuple[PositionParams, ...] | None, Field(min_length=1, max_length=5000)] = None
    """Where pictures were taken; all in the same terms."""
    distance: DistanceParams | None = None
    """How far apart two pictures were taken."""
    marker_side_m: Annotated[float | None, Field(gt=0, allow_inf_nan=False)] = None
    """Side of the ArUco or AprilTag markers in the scene, metres."""

    @model_validator(mode="after")
    def _consistent(self) -> "KnownParams":
        """Nothing is told twice, and the lens is one."""
        if self.poses is not None and self.positions is not None:
            raise ValueError("poses, positions: poses have positions in them; give one of them")
        if self.distance is not None and self.marker_side_m is not None:
            raise ValueError("distance, marker_side_m: give one of them")
        if len({one.names() for one in self.positions or ()}) > 1:
            raise ValueError("positions: give all in metres, or all in latitude, longitude and height")
        if self.lens is not None:
            from sightline.jobs.known import lens_said  # noqa: PLC0415  (whoever takes jobs in needs no engine)

            try:
                lens_said(self.lens)
            except SightlineError as error:
                raise ValueError(str(error)) from None
        return self


@contextmanager
def told(params: KnownParams, folder: Path) -> Iterator["Known"]:
    """What is known, as engines are told; files that this takes are in the folder. Errors inside name the parameters.

    Raises:
        OSError: a file cannot be written.
    """
    from sightline.jobs.known import Known  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    poses, positions = folder / "poses.json", folder / "positions.csv"
    if params.poses is not None:
        poses.write_text(json.dumps({name: value for name, value in params.poses.items() if name != "ply_file_path"}))
    if params.positions is not None:
        _write(params.positions, positions)
    apart = params.distance
    try:
        yield Known(
            lens=params.lens,
            poses=None if params.poses is None else poses,
            positions=None if params.positions is None else positions,
            distance=None if apart is None else (apart.images[0], apart.images[1], apart.metres),
            marker_side_m=params.marker_side_m,
        )
    except SightlineError as error:
        said = str(error).replace(str(poses), "known.poses").replace(str(positions), "known.positions")
        if said == str(error):
            raise
        raise type(error)(said) from None


def _write(positions: tuple[PositionParams, ...], path: Path) -> None:
    """As a CSV file."""
    names = positions[0].names()
    with path.open("w", encoding="utf-8", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(["image", *names])
        lines.writerows([one.image, *(getattr(one, name) for name in names)] for one in positions)
