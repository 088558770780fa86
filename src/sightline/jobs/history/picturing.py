"""A heatmap over the map that a site has."""

from sightline.formats.heatmap import HeatPicture
from sightline.jobs.history.answers import Answers
from sightline.jobs.sites.maps import is_y_down, picture_under


def picture_of(answers: Answers, cell_m: float) -> HeatPicture:
    """What is to be drawn: the heat, zones and lines, on the map's picture where there is one.

    Raises:
        OptionError: the cells would be too many.
    """
    heat, site = answers.heat(cell_m), answers.site
    scale = (site.map.metres_per_unit if site else None) or 1.0
    zones = [(zone.name, [(x * scale, y * scale) for x, y in zone.corners]) for zone in site.zones] if site else []
    lines = [(line.name, [(x * scale, y * scale) for x, y in line.ends]) for line in site.lines] if site else []
    return HeatPicture(
        low_m=heat.low_m,
        cell_m=heat.cell_m,
        seconds=heat.seconds,
        zones=zones,
        lines=lines,
        is_y_down=site is not None and is_y_down(site),
        under=picture_under(site) if site else None,
    )
