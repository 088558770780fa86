"""A heatmap over the map that a site has."""

from pathlib import Path

import numpy as np

from sightline.formats.heatmap import HeatPicture
from sightline.jobs.history.answers import Answers
from sightline.model.site import Site


def picture_of(answers: Answers, cell_m: float) -> HeatPicture:
    """What is to be drawn: the heat, zones and lines, on the map's picture where there is one.

    Raises:
        OptionError: the cells would be too many.
    """
    heat, site = answers.heat(cell_m), answers.site
    scale = (site.map.metres_per_unit if site else None) or 1.0
    zones = [(zone.name, [(x * scale, y * scale) for x, y in zone.corners]) for zone in site.zones] if site else []
    lines = [(line.name, [(x * scale, y * scale) for x, y in line.ends]) for line in site.lines] if site else []
    anchor = site.map.anchor if site else None
    return HeatPicture(
        low_m=heat.low_m,
        cell_m=heat.cell_m,
        seconds=heat.seconds,
        zones=zones,
        lines=lines,
        is_y_down=anchor is not None and anchor.is_y_down,
        under=_under(site, scale),
    )


def _under(site: Site | None, scale: float) -> tuple[Path, np.ndarray] | None:
    """The picture of a site's map, and what takes metres to its pixels."""
    if site is None or site.map.picture is None or not Path(site.map.picture).is_file():
        return None
    rows = site.map.picture_from_map or ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    return Path(site.map.picture), np.array(rows, np.float64) * np.array([1 / scale, 1 / scale, 1.0])
