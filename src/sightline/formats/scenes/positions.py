"""Where pictures were taken, as CSV: ``image,x,y,z`` in metres, or ``image,latitude,longitude,height``."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from sightline.errors import FormatError

_NAMES: Final = ("image", "name", "file", "filename")
_METRES: Final = (("x", "x_m", "east"), ("y", "y_m", "north"), ("z", "z_m", "up"))
_EARTH: Final = (
    ("latitude", "lat", "latitude_deg"),
    ("longitude", "lon", "lng", "longitude_deg"),
    ("height", "altitude", "alt", "height_m"),
)
_EXPECTED: Final = "image,x,y,z in metres, or image,latitude,longitude,height in degrees and metres"


@dataclass(frozen=True, slots=True)
class Positions:
    """Where pictures were taken."""

    by_name: dict[str, tuple[float, float, float]]
    """Of each picture: metres of a world of their own, or latitude, longitude in degrees and height in metres."""
    are_on_earth: bool
    """Whether they are latitude, longitude, height."""


def read(path: Path) -> Positions:
    """The positions in the file; its first line names the columns, others than those expected are passed over.

    Raises:
        FormatError: names the file, the line and what was expected there.
        OSError: it cannot be read.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        lines = csv.reader(stream)
        head = [name.strip().lower() for name in next(lines, [])]
        picture, columns, are_on_earth = _columns(path, head)
        found: dict[str, tuple[float, float, float]] = {}
        for row in lines:
            if not "".join(row).strip():
                continue
            where = f"{path}: line {lines.line_num}"
            if len(row) <= max(picture, *columns):
                raise FormatError(f"{where}: {len(row)} columns, expected {len(head)}")
            name = row[picture].strip()
            if name in found:
                raise FormatError(f"{where}: {name!r} is there twice")
            found[name] = _numbers(where, [row[at] for at in columns], [head[at] for at in columns], are_on_earth)
    if not found:
        raise FormatError(f"{path}: no positions; expected lines of {_EXPECTED}")
    return Positions(found, are_on_earth)


def _columns(path: Path, head: list[str]) -> tuple[int, list[int], bool]:
    """Which columns have the name and the numbers, and whether these are on earth."""
    picture = [at for at, name in enumerate(head) if name in _NAMES]
    for names, are_on_earth in ((_METRES, False), (_EARTH, True)):
        there = [[at for at, name in enumerate(head) if name in alike] for alike in names]
        if len(picture) == 1 and all(len(found) == 1 for found in there):
            return picture[0], [found[0] for found in there], are_on_earth
    raise FormatError(f"{path}: the first line is {','.join(head)[:80]!r}, expected {_EXPECTED}")


def _numbers(where: str, words: list[str], names: list[str], are_on_earth: bool) -> tuple[float, float, float]:
    """Three of them."""
    found = []
    for word, name, most in zip(words, names, (90.0, 180.0, np.inf), strict=True):
        try:
            value = float(word)
        except ValueError:
            value = float("nan")
        if not np.isfinite(value) or (are_on_earth and abs(value) > most):
            raise FormatError(f"{where}: {name} is {word.strip()[:40]!r}, expected a number")
        found.append(value)
    return found[0], found[1], found[2]
