"""A page that shows a run: videos, numbers, maps. One HTML file, no scripts, nothing fetched from elsewhere."""

from collections import Counter
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from sightline.files import whole
from sightline.formats.report.page import (
    CameraPart,
    Chart,
    Curve,
    GroundMap,
    Listing,
    MapPicture,
    Number,
    Person,
    Portrait,
    ReportPage,
    Trail,
)
from sightline.formats.report.plots import chart, ground_map, hue, inlined

__all__ = [
    "CameraPart",
    "Chart",
    "Curve",
    "GroundMap",
    "Listing",
    "MapPicture",
    "Number",
    "Person",
    "Portrait",
    "ReportPage",
    "Trail",
    "html",
    "write",
]


def write(path: Path, page: ReportPage) -> None:
    """Puts the page into ``path``; videos and stills are named relative to it and are not copied.

    Raises:
        OSError: the file cannot be written; nothing is left under its name then.
    """
    text = html(page)
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def html(page: ReportPage) -> str:
    """The page as text. Everything in it is escaped, whatever names and warnings hold."""
    environment = Environment(
        loader=PackageLoader("sightline.formats", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"chart": chart, "ground_map": ground_map, "hue": hue, "inlined": inlined, "url": _url}
    return environment.get_template("page.html.j2").render(page=page, columns=_columns(page))


def _url(name: str) -> str:
    """A file's name as a relative address: a colon in it begins no scheme."""
    return quote(name.replace("\\", "/"))


def _columns(page: ReportPage) -> list[str]:
    """Names of the numbers that several cameras have, each once, in the order they come."""
    names = Counter(number.name for camera in page.cameras for number in camera.numbers)
    return [name for name, n in names.items() if n > 1]
