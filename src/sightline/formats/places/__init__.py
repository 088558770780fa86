"""Places on earth as files for maps, tables and other programs; the format is told by the file's ending."""

import importlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from sightline.errors import FormatError
from sightline.formats.places.about import About, height_of
from sightline.model.flight import Flight
from sightline.model.positions import Origin, Positions

__all__ = ["ENDINGS", "WAYS", "About", "height_of", "write", "write_way"]

ENDINGS = {
    "csv": "table:write_csv",
    "parquet": "table:write_parquet",
    "geojson": "geojson:write_lines",
    "points.geojson": "geojson:write_points",
    "kml": "kml:write_kml",
    "kmz": "kml:write_kmz",
    "gpx": "gpx:write",
    "cot.xml": "cot:write",
    "html": "page:write",
}
"""What a file's name ends in -> ``module:function``; all take path, positions and what is to be said about them."""
WAYS = ("geojson", "kml", "kmz", "gpx")
"""Those that draw the aircraft's own way."""


def write(path: Path, positions: Positions, about: About) -> None:
    """Puts the positions into ``path``, in the format that its name ends in (one of ``ENDINGS``).

    Raises:
        FormatError: no such ending, positions on no place on earth, or without what the format cannot do without.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    module, _, function = ENDINGS[_ending(path, ENDINGS)].partition(":")
    getattr(importlib.import_module(f"sightline.formats.places.{module}"), function)(path, positions, about)


def write_way(path: Path, flight: Flight) -> None:
    """Puts the way that the aircraft flew into ``path``, in the format that its name ends in (one of ``WAYS``).

    Raises:
        FormatError: no such ending, or the flight has no place at all.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    _ending(path, WAYS)
    if not flight.has_place.any():
        raise FormatError(f"{path}: not written: no row of the log has a position")
    none, rows = np.zeros(0, np.int64), np.zeros((0, 3))
    nothing = Positions(Origin(0.0, 0.0), none, np.zeros(0), none, rows, np.zeros((0, 3, 3)), rows, np.zeros((0, 3, 3)))
    write(path, nothing, About(name=path.stem, flight=flight))


def _ending(path: Path, known: Iterable[str]) -> str:
    """What the file's name ends in, the longest that fits.

    Raises:
        FormatError: none of the known ones.
    """
    fitting = [ending for ending in ENDINGS if path.name.lower().endswith(f".{ending}")]
    found = max(fitting, key=len, default="")
    if found not in known:
        raise FormatError(f"{path}: no known ending; there are: {', '.join(f'.{ending}' for ending in known)}")
    return found
