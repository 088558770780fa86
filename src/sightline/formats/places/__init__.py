"""Places on earth as files for maps, tables and other programs; the format is told by the file's ending."""

import importlib
from pathlib import Path

from sightline.errors import FormatError
from sightline.formats.places.about import About
from sightline.model.positions import Positions

__all__ = ["ENDINGS", "About", "write"]

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


def write(path: Path, positions: Positions, about: About) -> None:
    """Puts the positions into ``path``, in the format that its name ends in (one of ``ENDINGS``).

    Raises:
        FormatError: no such ending, positions on no place on earth, or without what the format cannot do without.
        OSError: the file cannot be written; nothing is left under its name then.
    """
    fitting = [ending for ending in ENDINGS if path.name.lower().endswith(f".{ending}")]
    if not fitting:
        raise FormatError(f"{path}: no known ending; there are: {', '.join(f'.{ending}' for ending in ENDINGS)}")
    module, _, function = ENDINGS[max(fitting, key=len)].partition(":")
    getattr(importlib.import_module(f"sightline.formats.places.{module}"), function)(path, positions, about)
