"""What is asked of the history, answered in plain values: for the server, the command line and reports."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar, final
from uuid import UUID

import numpy as np
from jaxtyping import Float, Int

from sightline.analysis.heat import Heat, added, heat
from sightline.analysis.lines import Crossings, crossings
from sightline.analysis.meetings import meetings
from sightline.analysis.movement import Movement, movement
from sightline.analysis.paths import Paths, Steps, steps
from sightline.analysis.zones import Visits, flows, presence, visits
from sightline.errors import OptionError
from sightline.geodesy.maps import wgs84_from_map
from sightline.jobs.history.story import Chronicle, Story
from sightline.model.history import WatchedTask
from sightline.model.site import Line, Site, Zone

Answer = dict[str, Any]
Stay = tuple[Float[np.ndarray, " v"], Float[np.ndarray, " v"]]
"""Since when and until when some were there."""
Columns = TypeVar("Columns", Movement, Visits, Crossings)
_PLACES = 3
"""Decimals of metres and seconds."""
_DEGREES = 8
"""Decimals of degrees: a millimetre."""
_WALKED = "there_s", "distance_m", "mean_mps", "fastest_mps"
_MOST_BINS = 50_000
_BARS = 30
"""About so many bars in a chart over time."""
_AT_ONCE = 200_000
"""Places whose steps are in memory at a time."""


@final
class Answers:
    """Answers about a story. ``site`` says where zones and lines are; None: nobody knows them any more."""

    def __init__(self, chronicle: Chronicle, story: Story, site: Site | None) -> None:
        self._chronicle, self.story, self.site = chronicle, story, site

    @cached_property
    def paths(self) -> Paths:
        """Where everybody went, in seconds since 1970."""
        return self._chronicle.paths(self.story)

    @cached_property
    def _went(self) -> Movement:
        """How long, how far and how fast everybody went."""
        return _joined([movement(paths, walked) for paths, walked in self._in_turn()])

    def _in_turn(self) -> Iterator[tuple[Paths, Steps]]:
        """Where everybody went with the steps of that, some people at a time: steps take more room than places."""
        for some in self.paths.in_turn(_AT_ONCE):
            yield some, steps(some)

    def tasks(self) -> list[Answer]:
        """Which tasks this is about."""
        return [told(task) for task in self.story.tasks]

    def people(self) -> list[Answer]:
        """Everybody, by first appearance: when, where, how long, how far and how fast."""
        cameras = self._cameras()
        went = self._went
        place = {person: k for k, person in enumerate(went.person.tolist())}
        found = []
        for person in sorted(cameras, key=lambda one: cameras[one]["first"]):
            seen, k = cameras[person], place.get(person)
            walked: Answer = dict.fromkeys(_WALKED)
            if k is not None:
                walked = {name: _number(getattr(went, name)[k]) for name in _WALKED}
            ends = {"first": self.moment(seen["first"]), "last": self.moment(seen["last"])}
            more = {"cameras": sorted(seen["cameras"]), "n_sightings": seen["n"]}
            found.append({**self.story.shown(person), **ends, **more, **walked})
        return found

    def live_ids(self) -> list[Answer]:
        """Who those named in live messages turned out to be, and in how many of their sightings."""
        return [
            {"live_id": live, **self.story.shown(person), "n_sightings": n}
            for k in range(len(self.story.tasks))
            for live, person, n in self._chronicle.live_ids(self.story, k)
        ]

    def trajectories(self, person_id: str | None = None, every_s: float = 0.0) -> list[Answer]:
        """Where everybody went, or one person, no closer in time than ``every_s``.

        Places are in metres of the map; where the map has a place on earth, also in degrees (WGS84).
        """
        paths, found = self.paths, []
        slot = np.floor(paths.t_s / every_s) if every_s > 0 else np.arange(len(paths), dtype=np.float64)
        kept = np.flatnonzero((np.diff(paths.person, prepend=-1) != 0) | (np.diff(slot, prepend=np.nan) != 0))
        edges = np.flatnonzero(np.diff(paths.person[kept], prepend=-1) != 0)
        for rows in np.split(kept, edges[1:]) if len(kept) else []:
            who = self.story.shown(int(paths.person[rows[0]]))
            if person_id in {None, who["person_id"]}:
                columns = dict(
                    zip(("t_s", "x_m", "y_m"), (self._clock(paths.t_s[rows]), *paths.xy_m[rows].T), strict=True)
                )
                points = {name: column.round(_PLACES).tolist() for name, column in columns.items()}
                points |= self._on_earth(paths.xy_m[rows])
                found.append(
                    {**who, "points": [dict(zip(points, p, strict=True)) for p in zip(*points.values(), strict=True)]}
                )
        return found

    def _on_earth(self, xy_m: Float[np.ndarray, "n 2"]) -> dict[str, list[float]]:
        """Latitude and longitude; nothing where it is not known where on earth the map is."""
        if self.site is None or self.site.map.anchor is None:
            return {}
        lat_deg, lon_deg = wgs84_from_map(self.site.map.anchor, xy_m)
        return {"lat_deg": lat_deg.round(_DEGREES).tolist(), "lon_deg": lon_deg.round(_DEGREES).tolist()}

    def dwell(self) -> list[Answer]:
        """By zone and person, how long and how often; zones without anybody are there too."""
        return [
            {
                "zone_id": zone.id,
                "name": zone.name,
                "people": self._stays(stays),
                "visits": len(stays.person),
                "total_s": _number((stays.leave_s - stays.enter_s).sum()),
                "mean_visit_s": _number((stays.leave_s - stays.enter_s).mean()) if len(stays.person) else None,
                "longest_s": _number((stays.leave_s - stays.enter_s).max(initial=0.0)),
            }
            for zone, stays in self._zones()
        ]

    def zone_visits(self) -> list[Answer]:
        """Every stay in every zone, by zone, person and time."""
        return [
            {
                "zone_id": zone.id,
                **self.story.shown(person),
                "enter": self.moment(enter_s),
                "leave": self.moment(leave_s),
                "seconds": _number(leave_s - enter_s),
            }
            for zone, stays in self._zones()
            for person, enter_s, leave_s in zip(
                stays.person.tolist(), stays.enter_s.tolist(), stays.leave_s.tolist(), strict=True
            )
        ]

    def occupancy(self, bin_s: float) -> list[Answer]:
        """By zone, how many were there on average, in bins of so many seconds; the site as a whole first."""
        edges_s = self._edges(bin_s)
        rows: list[tuple[str, str, Iterable[Stay]]] = [
            ("", "everywhere", ((walked.from_s, walked.to_s) for _, walked in self._in_turn()))
        ]
        rows += [(zone.id, zone.name, [(stays.enter_s, stays.leave_s)]) for zone, stays in self._zones()]
        return [
            {
                "zone_id": zone_id or None,
                "name": name,
                "bin_s": bin_s,
                "from": self.moment(edges_s[0]) if len(edges_s) else None,
                "people": _present(stays, edges_s).round(_PLACES).tolist() if len(edges_s) > 1 else [],
            }
            for zone_id, name, stays in rows
        ]

    def flow(self) -> Answer:
        """How often people went from which zone to which next."""
        zones = self._zones()
        return {
            "zones": [zone.id for zone, _ in zones],
            "counts": flows([stays for _, stays in zones]).tolist() if zones else [],
        }

    def lines(self, bin_s: float | None = None) -> list[Answer]:
        """By line, who passed it, when and which way; with ``bin_s``, counts over time as well."""
        found, edges_s = [], self._edges(bin_s) if bin_s else np.zeros(0)
        for line, passed in self._lines():
            n_in = int(passed.is_in.sum())
            counted: Answer = {"in": n_in, "out": len(passed.is_in) - n_in, "net": 2 * n_in - len(passed.is_in)}
            if len(edges_s) > 1:
                over_time = {"from": self.moment(edges_s[0]), "bin_s": bin_s}
                for word, which in (("in", passed.is_in), ("out", ~passed.is_in)):
                    over_time[word] = np.histogram(passed.t_s[which], edges_s)[0].tolist()
                counted["over_time"] = over_time
            events = [
                {**self.story.shown(person), "at": self.moment(t_s), "direction": "in" if is_in else "out"}
                for person, t_s, is_in in zip(
                    passed.person.tolist(), passed.t_s.tolist(), passed.is_in.tolist(), strict=True
                )
            ]
            found.append({"line_id": line.id, "name": line.name, **counted, "crossings": events})
        return found

    def heat(self, cell_m: float) -> Heat:
        """Person-seconds on each patch of the ground.

        Raises:
            OptionError: the cells would be too many.
        """
        return added([heat(walked, cell_m) for _, walked in self._in_turn()], cell_m)

    def heatmap(self, cell_m: float) -> Answer:
        """The same as plain values: rows of y, from the least on."""
        found = self.heat(cell_m)
        return {
            "cell_m": cell_m,
            "low_m": list(found.low_m),
            "seconds": found.seconds.round(_PLACES).tolist(),
        }

    def speeds(self) -> Answer:
        """How fast people went: everybody, and how the speeds are spread over all time in motion or not."""
        edges, went = np.linspace(0.0, 4.0, 17), self._went
        seconds = np.zeros(len(edges) - 1)
        for _, walked in self._in_turn():
            speed = np.linalg.norm(walked.to_m - walked.from_m, axis=1) / np.maximum(walked.lasts_s, 1e-9)
            seconds += np.histogram(np.clip(speed, 0, edges[-1]), edges, weights=walked.lasts_s)[0]
        people = [
            {**self.story.shown(person), "mean_mps": _number(mean), "fastest_mps": _number(fastest)}
            for person, mean, fastest in zip(
                went.person.tolist(), went.mean_mps.tolist(), went.fastest_mps.tolist(), strict=True
            )
        ]
        return {"people": people, "edges_mps": edges.tolist(), "seconds": seconds.round(_PLACES).tolist()}

    def meetings(self, near_m: float, least_s: float) -> list[Answer]:
        """Who was within ``near_m`` of whom for at least ``least_s``."""
        met = meetings(self.paths, near_m, least_s)
        columns = met.pair.tolist(), met.from_s.tolist(), met.lasts_s.tolist(), met.nearest_m.tolist()
        return [
            {
                "people": [self.story.shown(one) for one in pair],
                "from": self.moment(from_s),
                "seconds": _number(lasts_s),
                "nearest_m": _number(nearest_m),
            }
            for pair, from_s, lasts_s, nearest_m in zip(*columns, strict=True)
        ]

    def cameras(self) -> list[Answer]:
        """By camera, how many people and sightings."""
        by_camera: dict[str, tuple[set[int], int]] = {}
        for person, camera, n, _, _ in self._spells():
            people, count = by_camera.setdefault(camera, (set(), 0))
            by_camera[camera] = (people | ({person} if person >= 0 else set()), count + n)
        return [
            {"camera_id": camera, "people": len(people), "sightings": n}
            for camera, (people, n) in sorted(by_camera.items())
        ]

    def dashboard(self) -> Answer:
        """All at a glance."""
        people, cameras = self.people(), self.cameras()
        there = [one["there_s"] for one in people if one["there_s"] is not None]
        length_s = sum(task.ends_s for task in self.story.tasks)
        spans_s = float(np.ptp(self.paths.t_s)) if len(self.paths) else 0.0
        bin_s = float(max(1, round(spans_s / _BARS)))
        summary = {
            "total_people": len(people),
            "total_sightings": sum(one["sightings"] for one in cameras),
            "recorded_s": round(length_s, _PLACES),
            "mean_dwell_s": _number(np.mean(there)) if there else None,
            "tasks": self.tasks(),
        }
        charts = {
            "heatmap": self.heatmap(max(0.5, self._extent_m() / 50)),
            "dwell_time": [{key: one[key] for key in ("person_id", "name", "there_s")} for one in people],
            "traffic_flow": {"occupancy": self.occupancy(bin_s)[0], "lines": self.lines(bin_s), "zones": self.flow()},
            "person_statistics": people,
        }
        return {"summary": summary, "cameras": cameras, "charts": charts}

    def moment(self, utc_s: float) -> Answer:
        """A time on the site's clock and, where that is known, by the calendar."""
        task = self.story.tasks[self._task_at(np.array([utc_s]))[0]]
        is_known = task.begins_utc_s is not None
        return {"t_s": _number(utc_s - task.zero_utc_s), "timestamp": _iso(utc_s) if is_known else None}

    def _clock(self, utc_s: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        return utc_s - self.story.zero_utc_s[self._task_at(utc_s)]

    def _task_at(self, utc_s: Float[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        """The task that was running: tasks are in the order of their recordings."""
        return np.maximum(np.searchsorted(self.story.zero_utc_s, utc_s + 1e-6, side="right") - 1, 0)

    def _edges(self, bin_s: float) -> Float[np.ndarray, " e"]:
        """Borders of bins from the first place to the last.

        Raises:
            OptionError: they are too many.
        """
        t_s = self.paths.t_s
        if not len(t_s):
            return np.zeros(0)
        if np.ptp(t_s) > _MOST_BINS * bin_s:
            raise OptionError(f"bin_s: more than {_MOST_BINS:,} bins; choose longer ones, or a shorter time")
        begin_s = self.story.zero_utc_s[0]
        begin_s += np.floor((t_s.min() - begin_s) / bin_s) * bin_s
        return np.asarray(begin_s + bin_s * np.arange(int((t_s.max() - begin_s) / bin_s) + 2))

    def _extent_m(self) -> float:
        return float(np.ptp(self.paths.xy_m, axis=0).max()) if len(self.paths) else 0.0

    def _zones(self) -> list[tuple[Zone, Visits]]:
        zones, every = list(self._scaled_zones()), list[list[Visits]]()
        for _, walked in self._in_turn():
            every.append([visits(walked, corners) for _, corners in zones])
        return [(zone, _joined(list(stays))) for (zone, _), stays in zip(zones, zip(*every, strict=True), strict=True)]

    def _scaled_zones(self) -> Iterable[tuple[Zone, list[tuple[float, float]]]]:
        scale = self.site.map.metres_per_unit if self.site else None
        zones = self.site.zones if self.site and scale else ()
        return [(zone, [(x * (scale or 1), y * (scale or 1)) for x, y in zone.corners]) for zone in zones]

    def _lines(self) -> list[tuple[Line, Crossings]]:
        scale = self.site.map.metres_per_unit if self.site else None
        if self.site is None or scale is None:
            return []
        found = []
        for line in self.site.lines:
            start, end, inside = ((x * scale, y * scale) for x, y in (*line.ends, line.inside))
            passed = _joined([crossings(walked, (start, end), inside) for _, walked in self._in_turn()])
            order = np.argsort(passed.t_s, kind="stable")
            found.append((line, Crossings(passed.person[order], passed.t_s[order], passed.is_in[order])))
        return found

    def _stays(self, stays: Visits) -> list[Answer]:
        who, row = np.unique(stays.person, return_inverse=True)
        total_s = np.bincount(row, stays.leave_s - stays.enter_s, len(who))
        count = np.bincount(row, minlength=len(who))
        return [
            {**self.story.shown(person), "seconds": _number(seconds), "visits": n}
            for person, seconds, n in zip(who.tolist(), total_s.tolist(), count.tolist(), strict=True)
        ]

    def _spells(self) -> list[tuple[int, str, int, float, float]]:
        """Person, camera, number of sightings, first and last of them in seconds since 1970."""
        found: list[tuple[int, str, int, float, float]] = []
        for k, task in enumerate(self.story.tasks):
            columns = self._chronicle.spells(self.story, k)
            zero_s = task.zero_utc_s
            found += zip(
                columns["person"].tolist(), columns["camera"].tolist(), columns["n"].tolist(),
                (columns["first_s"] + zero_s).tolist(), (columns["last_s"] + zero_s).tolist(), strict=True,
            )  # fmt: skip
        return found

    def _cameras(self) -> dict[int, Answer]:
        """By person, since when and until when they were seen, by which cameras, how often."""
        found: dict[int, Answer] = {}
        for person, camera, n, first, last in self._spells():
            if person >= 0:
                one = found.setdefault(person, {"cameras": set(), "n": 0, "first": first, "last": last})
                one["cameras"].add(camera)
                one["n"] += n
                one["first"], one["last"] = min(one["first"], first), max(one["last"], last)
        return found


def told(task: WatchedTask) -> Answer:
    """A task, as it is told of."""
    return {
        "task_id": str(UUID(task.task_id)),
        "environment_id": task.site,
        "recorded_from": _iso(task.begins_utc_s),
        "watched_at": _iso(task.asked_utc_s),
        "length_s": round(task.ends_s, _PLACES),
    }


def _present(stays: Iterable[Stay], edges_s: Float[np.ndarray, " e"]) -> Float[np.ndarray, " b"]:
    """How many were there on average between each two edges."""
    return np.asarray(np.sum([presence(from_s, to_s, edges_s) for from_s, to_s in stays], axis=0))


def _joined(several: Sequence[Columns]) -> Columns:
    """The rows of all, in that order."""
    kind = type(several[0])
    columns = ([getattr(one, field.name) for one in several] for field in fields(several[0]))
    return kind(*map(np.concatenate, columns))


def _iso(utc_s: float | None) -> str | None:
    if utc_s is None:
        return None
    return datetime.fromtimestamp(utc_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number(value: float) -> float | None:
    """Rounded; None where there is none."""
    return round(float(value), _PLACES) if np.isfinite(value) else None
