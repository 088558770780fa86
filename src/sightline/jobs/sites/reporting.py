"""What came of watching a site, as a page to look at: the map with everybody's way, and everybody's pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float, Int
from pyarrow import csv

from sightline import __version__
from sightline.executors.local import Stopped, Tell
from sightline.formats import report
from sightline.formats.privacy import Privacy
from sightline.formats.report import CameraPart, Chart, Curve, GroundMap, Number, Person, Portrait, ReportPage, Trail
from sightline.jobs.sites.maps import is_y_down, pale_map
from sightline.jobs.sites.portraits import Chosen, Gathered, Watched, gathered, portraits, still
from sightline.model.identities import NOBODY
from sightline.model.site import Site

NAME = "report.html"
_MOST = 60
"""People who are shown; of more, those who were there longest."""
_TRAIL_S = 1.0
"""How far apart points of ways are, at least."""
_GAP_S = 5.0
"""Nobody says where somebody was in a longer time without a place."""
MEANING = {
    "people": "identities: everybody has one, in all cameras and after coming back as far as that could be told",
    "in two cameras or more": "of these people",
    "boxes": "found by the detector in all pictures",
    "nobody's": "boxes that are false alarms, or of whom too little was seen",
    "90 % circle": "a place on the map is this near to the true one in nine cases of ten; the middle one of all boxes",
}
"""What the numbers mean."""


@dataclass(frozen=True, slots=True)
class Story:
    """What is to be shown of a run."""

    site: Site
    """The place."""
    folder: Path
    """Where ``sightings.parquet`` and ``paths.csv`` are, and the page comes to."""
    parts: Sequence[Watched]
    """The recordings."""
    summary: Mapping[str, Any]
    """In numbers."""
    made: tuple[tuple[str, str], ...]
    """How it was watched."""
    privacy: Privacy = "none"
    """What is covered of everybody."""


@dataclass(frozen=True, slots=True, eq=False)
class _Ways:
    """Where people went, M points by person and time, a second or more apart."""

    number: Int[np.ndarray, " m"]
    t_s: Float[np.ndarray, " m"]
    xy_m: Float[np.ndarray, "m 2"]


def write_report(story: Story, tell: Tell, stopped: Stopped) -> Path:
    """Writes the page; pictures come from the recordings as far as those are files and still there.

    Raises:
        SightlineError: the picture of the map cannot be read.
        OSError: a file cannot be read or written.
    """
    site = story.site
    cameras = [watch.id for watch in site.watches]
    found = gathered(story.folder / "sightings.parquet", cameras)
    ways = _ways(story.folder / "paths.csv", {stay.name: number for number, stay in found.stays.items()})
    shown = list(found.stays)[:_MOST]
    faces: dict[int, list[Portrait]] = {}
    wanted = replace(found, best={name: _only(one, shown) for name, one in found.best.items()})
    for identity, camera, jpeg in portraits(site, wanted, story.parts, story.privacy, tell, stopped):
        faces.setdefault(identity, []).append(Portrait(camera, jpeg))
    n_people = len(found.stays)
    page = ReportPage(
        title=f"{site.name}: who was where",
        lead=f"{n_people} people before {len(cameras)} cameras, under one identity each.",
        numbers=_numbers(story, found),
        people=tuple(_person(number, found, ways, faces.get(number, ())) for number in shown),
        people_note=f"The {_MOST} who were there longest, of {n_people}." if n_people > _MOST else "",
        cameras=tuple(_camera(story, name, found) for name in cameras),
        ground=_ground(site, ways, shown) if len(ways.t_s) else None,
        meaning=MEANING,
        made=(("Sightline", __version__), *story.made),
        warnings=_warnings(story),
    )
    path = story.folder / NAME
    report.write(path, page)
    return path


def _warnings(story: Story) -> tuple[str, ...]:
    """Which cameras are missing, and which have no say in where people are."""
    said = [f"{camera} was left out: {why}" for camera, why in story.summary["missing"].items()]
    bare = [watch.id for watch in story.site.watches if watch.plane is None]
    if bare:
        said.append(f"{', '.join(bare)}: no points on the map; who is seen there is told by looks alone")
    return (*said, *late_clocks(story.site, story.summary["late_s"]))


def late_clocks(site: Site, late_s: Mapping[str, float]) -> list[str]:
    """What is said of cameras whose clocks are off: that it was put right, and how to tell it for good."""
    offset_s = {watch.id: watch.offset_s for watch in site.watches}
    return [
        f"{camera}: its clock seems {abs(late):.2f} s {'slow' if late > 0 else 'fast'}; put right in the paths. "
        f"If so, its offset_s in the site's file is {offset_s[camera] - late:.2f}"
        for camera, late in late_s.items()
    ]


def _ways(paths: Path, number_of: Mapping[str, int]) -> _Ways:
    """Reads ``paths.csv`` piece by piece, and keeps about a point a second of everybody."""
    kinds = {"global_id": pa.string(), "t_s": pa.float64(), "x_m": pa.float64(), "y_m": pa.float64()}
    convert = csv.ConvertOptions(include_columns=list(kinds), column_types=kinds)
    number, t_s, xy_m = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros((0, 2))]
    with csv.open_csv(paths, read_options=csv.ReadOptions(use_threads=False), convert_options=convert) as reader:
        for batch in reader:
            codes = batch["global_id"].dictionary_encode()
            numbers = np.array([number_of.get(one, NOBODY) for one in codes.dictionary.to_pylist()], np.int64)
            who, when = numbers[codes.indices.to_numpy()], batch["t_s"].to_numpy()
            _, first = np.unique(np.column_stack([who, np.floor(when / _TRAIL_S)]), axis=0, return_index=True)
            number.append(who[first])
            t_s.append(when[first])
            xy_m.append(np.column_stack([batch["x_m"].to_numpy(), batch["y_m"].to_numpy()])[first])
    who, when, where = np.concatenate(number), np.concatenate(t_s), np.concatenate(xy_m)
    order = np.lexsort((when, who))
    return _Ways(who[order], when[order], where[order])


def _only(chosen: Chosen, shown: Sequence[int]) -> Chosen:
    """Those of people who are shown."""
    kept: Bool[np.ndarray, " k"] = np.isin(chosen.identity, shown)
    return Chosen(chosen.moment[kept], chosen.identity[kept], chosen.xyxy_px[kept])


def _person(number: int, found: Gathered, ways: _Ways, portraits: Sequence[Portrait]) -> Person:
    """One card."""
    stay, mine = found.stays[number], ways.xy_m[ways.number == number]
    length_m = np.hypot(*np.diff(mine, axis=0).T).sum() if len(mine) > 1 else 0.0
    went = f", {length_m:.0f} m" if len(mine) else ""
    cameras = [name for name, one in found.best.items() if number in one.identity]
    lines = (f"{_clock(stay.first_s)} to {_clock(stay.last_s)}{went}", f"seen by {', '.join(cameras)}")
    return Person(number, stay.name[:8], lines, tuple(portraits))


def _clock(t_s: float) -> str:
    """Hours, minutes and seconds of the site's clock."""
    minutes, seconds = divmod(round(t_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _numbers(story: Story, found: Gathered) -> tuple[Number, ...]:
    """Of all cameras together."""
    several = sum(sum(number in one.identity for one in found.best.values()) > 1 for number in found.stays)
    shown = [
        Number.count("people", len(found.stays)),
        Number.count("in two cameras or more", several),
        Number.count("boxes", int(story.summary["sightings"])),
        Number.count("nobody's", int(story.summary["sightings_of_nobody"])),
    ]
    if np.isfinite(found.ce90_m):
        shown.append(Number("90 % circle", f"{found.ce90_m:.2f} m"))
    return tuple(shown)


def _camera(story: Story, name: str, found: Gathered) -> CameraPart:
    """One camera when most was going on."""
    jpeg = still(story.site, name, found, story.parts, story.privacy)
    n_people = len(found.best[name].identity) if name in found.best else 0
    numbers = (Number.count("people", n_people), Number.count("boxes", found.n_sightings[name]))
    return CameraPart(name, jpeg=jpeg, numbers=numbers, chart=_chart(story, *found.per_second[name]))


def _chart(story: Story, second: Float[np.ndarray, " s"], n: Int[np.ndarray, " s"]) -> Chart:
    """How many people were in the picture, second by second."""
    fps = story.parts[-1].fps if story.parts else 1.0
    t_s = np.arange(0.0, max(float(story.summary["moments"]) / fps, 1.0))
    count = np.zeros(len(t_s), np.int64)
    inside = (second >= 0) & (second < len(t_s))
    count[second[inside].astype(np.int64)] = n[inside]
    return Chart("People in the picture over time", (Curve("found", t_s, count),))


def _ground(site: Site, ways: _Ways, people: Sequence[int]) -> GroundMap:
    """The ways of those who are shown, on the site's map where there is one."""
    shown = np.isin(ways.number, people)
    up = np.array([1.0, -1.0 if is_y_down(site) else 1.0])
    number, xy_m = ways.number[shown], ways.xy_m[shown] * up
    breaks = np.flatnonzero((np.diff(ways.t_s[shown]) > _GAP_S) & (np.diff(number) == 0)) + 1
    number, xy_m = np.insert(number, breaks, number[breaks]), np.insert(xy_m, breaks, np.nan, axis=0)
    anchor = site.map.anchor
    return GroundMap(
        found=Trail.each(number, xy_m),
        caption="The site from above: one colour for each person, whichever cameras saw them.",
        is_north_up=anchor is not None and abs(np.rad2deg(anchor.x_bearing_rad) - 90.0) < 1.0,
        under=pale_map(site, xy_m),
    )
